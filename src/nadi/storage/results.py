"""Results: what a task returned, kept so that a later attempt of the run does not compute it again.

Small values travel inside the record of their run. Larger ones are written to result storage
before the record that names them, each under a key of its own, once. What is read back was
signed by this store, which is checked before a single byte of it is unpickled.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from typing import Any, Protocol

from nadi.exceptions import CallError, MissingResult, NadiError, NotKept
from nadi.model.digests import blake2b
from nadi.model.results import NO_VALUE, ResultKind, ResultRef
from nadi.model.secrets import masker
from nadi.storage.error_values import masked_error
from nadi.storage.serializers import dumps, serializer

#: Values of up to this many bytes lie in the record; larger ones in result storage.
INLINE_LIMIT = 16 * 1024

#: Values of up to this many bytes are searched for secrets, which are never kept; a search takes 15 ms a MiB.
SEARCHED = 1024 * 1024

_SIGNATURE_BYTES = 16
_LONGEST_NOTE = 1000
_PIECE = 1 << 20


class ResultStorage(Protocol):
    """A place for bytes under keys such as `<store id>/<run>/<attempt>/<id>`. Nothing is ever overwritten.

    Every method raises `CallError` for a key that could lead out of the storage, and `OSError`
    when the place cannot be used (`FileNotFoundError` where there is nothing under the key).
    """

    @property
    def url(self) -> str:
        """Where this is, as `file:///...` or `s3://...`."""

    def write(self, key: str, data: bytes | memoryview) -> None:
        """Put `data` under `key`, whole or not at all, safe from a power cut when this returns.

        Writing the same bytes again is fine; `FileExistsError` if other bytes are there.
        """

    def replace(self, key: str, data: bytes | memoryview) -> None:
        """Put `data` under `key` in place of what is there: whoever reads sees the one or the other, whole.

        For keys that users name; what the engine names is never replaced.
        """

    def read(self, key: str) -> bytes:
        """The bytes under `key`."""

    def exists(self, key: str) -> bool:
        """Whether there are bytes under `key`."""

    def keys(self, folder: str) -> list[str]:
        """The keys that begin with `folder` and a slash, in order."""

    def drop_unfinished(self, before: float) -> int:
        """Remove what writers left that were killed in the middle, before this time (Unix seconds); how many."""

    def delete(self, key: str) -> None:
        """Remove what is under `key`; fine if there is nothing."""


class LocalResults:
    """Result storage in a folder that only its owner can read (files 0600, folders 0700)."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        """Use the folder `root`; it is made when something is written."""
        self._root = os.path.abspath(root)
        # Unfinished files have their own folder, so that what a killed process leaves is never taken for a result.
        self._unfinished = os.path.join(self._root, ".unfinished")

    @property
    def url(self) -> str:
        from pathlib import Path  # only for the rare reader of this, it is slow to import

        return Path(self._root).as_uri()

    @property
    def folder(self) -> str:
        """The folder, as a path."""
        return self._root

    def write(self, key: str, data: bytes | memoryview) -> None:
        self._write(key, data, replace=False)

    def replace(self, key: str, data: bytes | memoryview) -> None:
        self._write(key, data, replace=True)

    def _write(self, key: str, data: bytes | memoryview, *, replace: bool) -> None:
        safe_join(self._root, key)
        incoming = self.incoming()
        try:
            incoming.write(data)
            incoming.keep(key, replace=replace)
        finally:
            incoming.close()

    def incoming(self) -> Incoming:
        """Return an empty result to be written piece by piece."""
        _make_private(self._unfinished)
        return Incoming(self._root, os.path.join(self._unfinished, os.urandom(12).hex()))

    def path(self, key: str) -> str:
        """Return the path of the file of `key`, which need not be there."""
        return safe_join(self._root, key)

    def read(self, key: str) -> bytes:
        with open(safe_join(self._root, key), "rb") as file:
            return file.read()

    def exists(self, key: str) -> bool:
        return os.path.isfile(safe_join(self._root, key))

    def keys(self, folder: str) -> list[str]:
        found = []
        for path, _, names in os.walk(safe_join(self._root, folder)):
            below = os.path.relpath(path, self._root).replace(os.sep, "/")
            found += [f"{below}/{name}" for name in names]
        return sorted(found)

    def drop_unfinished(self, before: float) -> int:
        try:
            with os.scandir(self._unfinished) as entries:
                left = [entry.path for entry in entries if entry.stat().st_mtime < before]
        except FileNotFoundError:
            return 0
        for path in left:
            _remove(path)
        return len(left)

    def delete(self, key: str) -> None:
        target = safe_join(self._root, key)
        _remove(target)
        # The folders of run and attempt go with their last file.
        folder = os.path.dirname(target)
        while folder != self._root:
            try:
                os.rmdir(folder)
            except OSError:
                return
            folder = os.path.dirname(folder)


class Incoming:
    """A result on its way into a folder: nothing is under its key before it is whole."""

    def __init__(self, root: str, unfinished: str) -> None:
        self._root, self._unfinished = root, unfinished
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        self._descriptor = os.open(unfinished, flags, 0o600)

    def write(self, piece: bytes | memoryview) -> None:
        """Add the next bytes."""
        rest = memoryview(piece).cast("B")
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]

    def keep(self, key: str, *, replace: bool) -> None:
        """Put what was written under `key`, as `ResultStorage.write` or `replace` does."""
        target = safe_join(self._root, key)
        os.fsync(self._descriptor)
        try:
            _put(os.replace if replace else _publish, self._unfinished, target)
        except FileExistsError:
            if _same(self._unfinished, target):
                return
            raise FileExistsError(errno.EEXIST, "another result is already kept under this key", key) from None
        try:
            _flush_folder(os.path.dirname(target))
        except FileNotFoundError:  # it was sent on already, or collected, and its folder went with it
            return

    def close(self) -> None:
        """Let go of it; what was not kept is gone."""
        os.close(self._descriptor)
        _remove(self._unfinished)


class MemoryResults:
    """Result storage in this process's memory, for tests and for runs that leave nothing behind."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return "memory://"

    def write(self, key: str, data: bytes | memoryview) -> None:
        safe_join(os.sep, key)
        with self._lock:
            if self._kept.setdefault(key, bytes(data)) != data:
                raise FileExistsError(errno.EEXIST, "another result is already kept under this key", key)

    def replace(self, key: str, data: bytes | memoryview) -> None:
        safe_join(os.sep, key)
        with self._lock:
            self._kept[key] = bytes(data)

    def read(self, key: str) -> bytes:
        safe_join(os.sep, key)
        try:
            return self._kept[key]
        except KeyError:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), key) from None

    def exists(self, key: str) -> bool:
        safe_join(os.sep, key)
        return key in self._kept

    def keys(self, folder: str) -> list[str]:
        safe_join(os.sep, folder)
        with self._lock:
            return sorted(key for key in self._kept if key.startswith(f"{folder}/"))

    def drop_unfinished(self, before: float) -> int:
        return 0

    def delete(self, key: str) -> None:
        safe_join(os.sep, key)
        with self._lock:
            self._kept.pop(key, None)


class Keeper:
    """Keeps the results of one attempt of one run. Safe to use from several threads."""

    def __init__(
        self,
        storage: ResultStorage,
        signing_key: bytes,
        store_id: str,
        run_id: str,
        attempt: int,
        inline_limit: int = INLINE_LIMIT,
    ) -> None:
        """Keep under `<store_id>/<run_id>/<attempt>/`; `signing_key` is this store's secret, 16 to 64 bytes."""
        self.storage = storage
        self.store_id = store_id
        self.signing_key = signing_key
        self._inline_limit = inline_limit
        self._prefix = f"{store_id}/{run_id}/{attempt}/"
        self._unsigned = _start_signature(signing_key)
        # Nearly all results are small pickles; what is the same for all of them is hashed once.
        self._inline_pickle = self._unsigned.copy()
        self._inline_pickle.update(_signed_head("inline", "pickle", ""))

    def keep(self, value: Any, *, task_run_id: str, format: str = "pickle") -> ResultRef:
        """Keep `value` and return what the record has to say about it. Never raises.

        A large value is in result storage, power-safe, when this returns, so that no record ever names
        what is not there. A value that cannot be kept gives a reference of kind `not_kept` whose note
        says why; its task runs again on resume.
        """
        if value is None:
            return NO_VALUE
        try:
            data = dumps(value) if format == "pickle" else serializer(format).dumps(value)
            size = len(data)
            if size <= SEARCHED and masker.occurs_in(data):
                data = _without_secrets(value)
                size = len(data)
            if size <= self._inline_limit:
                if format == "pickle":
                    hashed = self._inline_pickle.copy()
                    hashed.update(data)
                    return ResultRef("inline", data, "", format, size, hashed.digest())
                return ResultRef("inline", data, "", format, size, self._sign("inline", format, "", data))
            key = self._prefix + task_run_id
            self.storage.write(key, data)
            return ResultRef("file", b"", key, format, size, self._sign("file", format, key, data))
        # SystemExit too: serializers are the user's to add, and no value may end its run.
        except (Exception, SystemExit) as error:
            return ResultRef("not_kept", note=_storable(_why_not(error, self.storage.url)))

    def publish(self, ref: ResultRef, key: str) -> ResultRef:
        """Put a copy of a kept value under a name of the user's, replacing what is there, and return where it is.

        What `ref` names stays as it is. Never raises; see `keep`.
        """
        if ref.kind == "not_kept":
            return ref
        try:
            if key.split("/")[0] == self.store_id:
                raise CallError(f"{key!r} lies among the results that the store names itself; take another name.")
            fmt = ref.format or "pickle"
            data = serializer(fmt).dumps(None) if ref.kind == "none" else ref.data or self.storage.read(ref.key)
            self.storage.replace(key, data)
            return ResultRef("file", b"", key, fmt, len(data), self._sign("file", fmt, key, data))
        except (Exception, SystemExit) as error:
            return ResultRef("not_kept", note=_storable(_why_not(error, self.storage.url)))

    def _sign(self, kind: ResultKind, format: str, key: str, data: bytes) -> bytes:
        hashed = self._unsigned.copy()
        hashed.update(_signed_head(kind, format, key))
        hashed.update(data)
        return hashed.digest()


def _without_secrets(value: Any) -> bytes:
    """The pickle of an error with its secrets masked; other values that hold one are not kept."""
    if isinstance(value, BaseException):
        return dumps(masked_error(value))
    raise NotKept("It holds the value of a Secret, and secrets are not stored.")


def fetch(ref: ResultRef, storage: ResultStorage, signing_key: bytes) -> Any:
    """The value that `ref` stands for.

    Raises:
        MissingResult: if it is not kept, not there any more, not signed by this store, or cannot be read.
            Nothing of it was unpickled before its signature was checked.
    """
    if ref.kind == "none":
        return None
    data = _signed_data(ref, storage, signing_key)
    try:
        return serializer(ref.format).loads(data)
    except (Exception, SystemExit) as error:
        told = str(error) if isinstance(error, NadiError) else f"{type(error).__name__}: {error}"
        raise MissingResult(f"{_name(ref)} cannot be read back: {told}") from error


def is_readable(ref: ResultRef, storage: ResultStorage, signing_key: bytes) -> bool:
    """Whether the bytes of `ref` are there and signed by this store. Reads them, but unpickles nothing."""
    if ref.kind == "none":
        return True
    try:
        _signed_data(ref, storage, signing_key)
    except MissingResult:
        return False
    return True


def safe_join(root: str, key: str) -> str:
    """The path of `key` below the folder `root`.

    Raises:
        CallError: if the key is empty, absolute, has a `.` or `..`, an empty or hidden part, a backslash or NUL,
            and so could name something else than a result.
    """
    parts = key.split("/")
    if any(not part or part.startswith(".") or "\\" in part or "\0" in part or ":" in part for part in parts):
        raise CallError(f"{key!r} is not a key of a result: it has to be names joined by '/', none starting with '.'.")
    return os.path.join(root, *parts)


# -- signatures -------------------------------------------------------------------------------


def _start_signature(signing_key: bytes) -> blake2b:
    # An empty key would sign with no secret at all, silently.
    if not 16 <= len(signing_key) <= 64:
        raise ValueError(f"the signing key has to be 16 to 64 bytes long, not {len(signing_key)}")
    return blake2b(key=signing_key, digest_size=_SIGNATURE_BYTES)


def _signed_head(kind: str, format: str, key: str) -> bytes:
    # None of the three can hold a NUL, so two different heads never read the same.
    return f"{kind}\0{format}\0{key}\0".encode("utf-8", "surrogatepass")


def _signed_data(ref: ResultRef, storage: ResultStorage, signing_key: bytes) -> bytes:
    """The serialised value of `ref`, its signature checked."""
    if ref.kind == "inline":
        data = ref.data
    elif ref.kind == "file":
        try:
            data = storage.read(ref.key)
        except FileNotFoundError as error:
            raise MissingResult(f"{_name(ref)} is not in {storage.url} any more.") from error
        except (OSError, CallError) as error:
            raise MissingResult(f"{_name(ref)} cannot be read from {storage.url}: {_told(error)}") from error
    else:
        raise MissingResult(f"The result was not kept: {ref.note or 'no reason was recorded.'}")
    if "\0" in ref.format or "\0" in ref.key:
        raise MissingResult(f"{_name(ref)} was not written by this store.")
    hashed = _start_signature(signing_key)
    hashed.update(_signed_head(ref.kind, ref.format, ref.key))
    hashed.update(data)
    from hmac import compare_digest  # loads OpenSSL: only when something is read back

    if not compare_digest(hashed.digest(), ref.signature):
        raise MissingResult(f"{_name(ref)} was not signed by this store, or was changed since; it is not used.")
    return data


def _name(ref: ResultRef) -> str:
    return f"The result {ref.key!r}" if ref.key else f"The result of {ref.size_bytes} bytes in the record"


def _why_not(error: BaseException, url: str) -> str:
    if isinstance(error, NadiError):
        return str(error)
    if isinstance(error, OSError):
        return f"The result could not be written to {url}: {_told(error)}."
    if isinstance(error, MemoryError):
        return "The result could not be stored: there is not enough memory for a copy of it."
    try:
        return f"The result could not be stored: {type(error).__name__}: {error}."
    except Exception:
        return f"The result could not be stored: {type(error).__name__}."


def _storable(note: str) -> str:
    """`note` fit for a record: errors quote values, which may be huge or hold what is no valid text."""
    return note[:_LONGEST_NOTE].encode("utf-8", "replace").decode()


def _told(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[0].lower() + error.strerror[1:]
    return str(error)


# -- files ------------------------------------------------------------------------------------


def _make_private(folder: str) -> None:
    if not os.path.isdir(folder):
        _make_private(os.path.dirname(folder))
        try:
            os.mkdir(folder, 0o700)
        except FileExistsError:
            # Another process was quicker; a file in its place shows itself at the next step.
            return


def _same(one: str, other: str) -> bool:
    """Whether two files hold the same bytes."""
    with open(one, "rb") as first, open(other, "rb") as second:
        while piece := first.read(_PIECE):
            if piece != second.read(_PIECE):
                return False
        return not second.read(1)


def _put(place: Callable[[str, str], None], unfinished: str, target: str) -> None:
    """Put a finished file in its place; a collection may remove the folder, empty still, right after it was made."""
    for _ in range(100):
        try:
            _make_private(os.path.dirname(target))
            place(unfinished, target)
        except FileNotFoundError:
            continue
        return
    place(unfinished, target)


def _publish(unfinished: str, target: str) -> None:
    """Give a finished file its name, unless the name is taken: then FileExistsError."""
    try:
        os.link(unfinished, target)
    except FileExistsError:
        raise
    except (OSError, NotImplementedError, AttributeError):
        # No hard links here (FAT, some network file systems). The key belongs to one attempt, which
        # one process has, so nobody comes between these two steps.
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target) from None
        os.rename(unfinished, target)


def _flush_folder(folder: str) -> None:
    """Make the new name in `folder` safe from a power cut."""
    if os.name == "nt":  # Windows neither needs nor allows this
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
