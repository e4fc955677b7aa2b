"""The recorder: the one thing the engine writes to. Behind it stand a journal, a courier and a store.

`JournalRecorder` is the real one; `DirectRecorder` applies each record to a memory store at
once, for tests that touch no disk; the far side of a process executor has a third, which
sends its records to the process that runs the flow (`engine/remote.py`).
"""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from nadi.exceptions import SettingError, StoreError
from nadi.model.digests import blake2b
from nadi.model.holders import Holder
from nadi.model.records import Record
from nadi.model.results import ResultRef
from nadi.model.runs import Request
from nadi.model.text import plural
from nadi.storage.contract import Batch, Refusal, Store
from nadi.storage.delivery import Courier, Reach
from nadi.storage.home import Home, remove_tree, this_holder
from nadi.storage.journal import Header, Journal, hold_against_forks
from nadi.storage.leftovers import Found, deliver_leftovers
from nadi.storage.locks import FileLock
from nadi.storage.opening import far_results, store_in_force, store_url
from nadi.storage.results import Keeper, LocalResults, MemoryResults, ResultStorage, fetch
from nadi.storage.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

_log = logging.getLogger("nadi.storage")

#: Told of a request to a root run, or that its token is gone (then `None`).
Listener = Callable[[Request | None], None]


class Recorder(ABC):
    """Takes what runs tell. Thread-safe; appending never raises and never waits for a store."""

    #: This process, as the holder of the runs that it writes.
    holder: Holder
    #: Whether to find out beside the run what costs files and processes: commit, installed packages, source text.
    wants_source = True

    @abstractmethod
    def append(self, record: Record) -> int:
        """Append a record; when this returns it survives the death of the process."""

    @abstractmethod
    def barrier(self, timeout: float | None = None) -> Reach:
        """Wait until what was appended is committed, or in the flushed journal while the store is away."""

    @abstractmethod
    def store(self) -> Store:
        """Return the store.

        Raises:
            StoreUnavailable: it cannot be reached now.
        """

    @abstractmethod
    def keeper(self, run: str, attempt: int) -> Keeper | None:
        """Return what keeps the results of one attempt; `None` when there is no store yet to sign them for."""

    @abstractmethod
    def fetch(self, ref: ResultRef) -> Any:
        """Return a kept value.

        Raises:
            MissingResult: it is not there, unreadable, or not signed by this store.
        """

    def watch(self, root: str, token: int, listener: Listener) -> None:
        """Tell `listener` of requests to a root run, and when its token is gone, from now on."""

    def unwatch(self, root: str) -> None:
        """Stop telling."""

    def confirmed(self) -> float:
        """Return when the store last answered for the runs of this process (monotonic seconds)."""
        return math.inf

    def confirm(self) -> None:
        """Ask the store now whether the runs of this process are still its own; listeners are told as usual."""

    def is_cut_off(self) -> bool:
        """Tell whether the lease of this process has run out, and nobody could say yet whose its runs are now."""
        return False


class DirectRecorder(Recorder):
    """Applies each record to a memory store at once: no file, no thread, no waiting."""

    wants_source = False

    def __init__(self, store: Store, writer: str) -> None:
        self.holder = this_holder(writer)
        self._store = store
        self._results: ResultStorage = MemoryResults()
        self._lock = threading.Lock()
        self._last = 0
        self._listeners: dict[str, tuple[int, Listener]] = {}

    def append(self, record: Record) -> int:
        with self._lock:
            self._last += 1
            number = self._last
            applied = self._store.apply(Batch(self.holder.writer, number, [record]))  # type: ignore[list-item]
        for refused in applied.refused:
            if refused.why is Refusal.FENCED:
                _tell(self._listeners, refused.root, refused.token, None)
        return number

    def barrier(self, timeout: float | None = None) -> Reach:
        return Reach.COMMITTED

    def store(self) -> Store:
        return self._store

    def keeper(self, run: str, attempt: int) -> Keeper:
        return Keeper(self._results, self._store.signing_key, self._store.id, run, attempt)

    def fetch(self, ref: ResultRef) -> Any:
        return fetch(ref, self._results, self._store.signing_key)

    def watch(self, root: str, token: int, listener: Listener) -> None:
        self._listeners[root] = (token, listener)

    def unwatch(self, root: str) -> None:
        self._listeners.pop(root, None)


def _tell(listeners: dict[str, tuple[int, Listener]], root: str, token: int, request: Request | None) -> None:
    held = listeners.get(root)
    if held is not None and (request is not None or held[0] == token):
        held[1](request)


class StoreIdentity(msgspec.Struct, frozen=True):
    """What must be known of a store to write for it while it is away."""

    id: str
    signing_key: bytes
    url: str


class JournalRecorder(Recorder):
    """This process's recorder for one store: journal file, courier thread, store."""

    def __init__(
        self,
        settings: Settings,
        writer: str,
        *,
        now: Callable[[], float] = time.time,
        renewed: Callable[[], float] | None = None,
    ) -> None:
        """Open the journal, deliver what dead processes of this home left behind, and begin.

        Nothing here fails a run: a store that is away is tried again for as long as the
        process lives, and a home that cannot be written leaves records in memory.

        Args:
            settings: The settings in force.
            writer: Id of the writer.
            now: Unix seconds.
            renewed: When the worker that started this process last renewed its lease; see `OwnLease`.
        """
        self.home = Home(settings.home)
        self.settings = settings
        self.holder = this_holder(writer)
        self._now = now
        self._store: Store | None = None
        self._opening = threading.Lock()
        self._looking = threading.Lock()
        self._listeners: dict[str, tuple[int, Listener]] = {}
        self._trouble_at_start = ""
        identity = self._identify()
        self._identity = identity
        self._results = result_storage(settings, self.home)
        self._lock: FileLock | None = None
        #: Why there is no journal file; "" when there is.
        self._no_folder = ""
        folder = self._make_folder()
        self._warn()
        url = identity.url if identity is not None else store_url(settings.store_url, self.home.path)
        header = Header(writer, identity.id if identity is not None else "", url, self.holder.encode())
        self.journal = Journal(folder, header, limit=settings.journal_limit)
        self.courier = Courier(
            self.journal,
            self.store,
            watched=lambda: {root: token for root, (token, _) in list(self._listeners.items())},
            on_request=lambda request: _tell(self._listeners, request.run, 0, request),
            on_fenced=lambda root, token: _tell(self._listeners, root, token, None),
            lease_term=settings.lease_term,
            renewed=renewed,
        )
        self.append = self.journal.append  # type: ignore[method-assign]  # one call less on the hottest path
        self.courier.said = self._trouble_at_start
        self.courier.start()

    def _warn(self) -> None:
        # One sentence, whatever of the two is missing.
        store, home = self._trouble_at_start, self._no_folder
        if store and home:
            _log.warning("%s The run goes on; nothing of it is recorded while that lasts.", store)
        elif store:
            _log.warning("%s The run goes on; its records wait in the journal.", store)
        elif home:
            _log.warning(
                "The journal cannot be written to %s (%s); a run that is killed loses what is not delivered yet.",
                self.home.journals,
                home,
            )

    @property
    def _journal_trouble(self) -> str:
        return self._no_folder or self.journal.trouble

    def append(self, record: Record) -> int:
        return self.journal.append(record)

    def barrier(self, timeout: float | None = None) -> Reach:
        return self.courier.barrier(timeout)

    def store(self) -> Store:
        with self._opening:
            if self._store is None:
                self._store = store_in_force(self.settings)
                self._remember(self._store)
            return self._store

    def look_for_leftovers(self) -> Found:
        """Deliver what dead processes left, and recognise the runs that they did not finish.

        Raises:
            StoreUnavailable: the store cannot be reached; nothing was moved.
        """
        # One look at a time: a second one would pass over what the first is still delivering, and
        # answer before it is there.
        with self._looking:
            return deliver_leftovers(self.home, self.store(), self.holder, now=self._now())

    def keeper(self, run: str, attempt: int) -> Keeper | None:
        if self._identity is None or not self._identity.signing_key:  # who may only read is told no key
            return None
        return Keeper(self._results, self._identity.signing_key, self._identity.id, run, attempt)

    def fetch(self, ref: ResultRef) -> Any:
        return fetch(ref, self._results, self._identity.signing_key if self._identity is not None else b"")

    def watch(self, root: str, token: int, listener: Listener) -> None:
        self._listeners[root] = (token, listener)

    def unwatch(self, root: str) -> None:
        self._listeners.pop(root, None)

    def confirmed(self) -> float:
        return self.courier.confirmed

    def confirm(self) -> None:
        self.courier.attend()

    def is_cut_off(self) -> bool:
        return self.courier.is_cut_off()

    def close(self, wait: float | None = None) -> str:
        """Deliver what is left, waiting for an absent store, then let go of journal and store.

        Args:
            wait: Seconds to wait for a store that is away; default is the setting `wait_for_store`.

        Returns:
            "" when the store has everything, else one sentence: what is undelivered and where it lies.
        """
        if self.journal.in_child:
            return ""  # a forked child has nothing to deliver, and the folder is its parent's
        self.courier.finish(self.settings.wait_for_store if wait is None else wait)
        self.journal.close()
        # Counted when nothing more can be appended: a thread that was left behind may have told something since.
        left = self.journal.last - self.courier.delivered
        in_file = self.journal.last_in_file - self.courier.delivered
        complete = left <= 0
        folder = self.journal.folder
        if complete and folder is not None:
            remove_tree(folder)
            self._forget_writer(folder)
        if self._lock is not None:
            self._lock.release()
        if self._store is not None:
            self._store.close()
            self._store = None
        dropped = _counted(self.journal.dropped)
        if not complete:
            return self._undelivered(left, max(0, in_file), folder, dropped)
        return f"{dropped} were left out while neither the store nor the journal could be written." if dropped else ""

    def _forget_writer(self, folder: Path) -> None:
        # Only when the journal is gone: without its watermark everything in it would be delivered again.
        if self._store is None or folder.exists():
            return
        try:
            self._store.forget_writer(self.holder.writer)
        except StoreError:
            return  # a row too many; nothing reads it

    def _undelivered(self, left: int, in_file: int, folder: Path | None, dropped: str) -> str:
        why = (self.courier.trouble or "the store did not answer in time").rstrip(".")
        lost = left - in_file
        told = []
        if in_file:
            told.append(
                f"{in_file} records are not in the store yet ({why}); they lie in {folder} and the next nadi"
                " command delivers them"
            )
        if lost:
            what = f"{lost} records" + (f", and {dropped}," if dropped else "")
            if in_file:
                told.append(f"{what} are lost, as the journal could not be written either ({self._journal_trouble})")
            else:
                unwritten = f"neither the store ({why}) nor the journal ({self._journal_trouble}) could be written"
                told.append(f"{what} are lost: {unwritten}")
        return "; ".join(told) + "."

    def _identify(self) -> StoreIdentity | None:
        try:
            store = self.store()
        except StoreError as error:
            self._trouble_at_start = str(error)
            return self._remembered()
        return StoreIdentity(store.id, store.signing_key, store.url)

    def _make_folder(self) -> Path | None:
        folder = self.home.journals / self.holder.writer
        try:
            self.home.ensure(folder)
            lock = FileLock(folder / "lock.new")
            if not lock.try_acquire():
                return None
            # It gets its name when it is held: whoever finds a free lock knows that its writer is dead.
            lock.path.rename(folder / "lock")
        except OSError as error:
            self._no_folder = (error.strerror or str(error)).lower()
            return None
        hold_against_forks(lock)
        self._lock = lock
        return folder

    # What was known of the store when it was last seen, so that results can be signed while it is away.

    def _identity_path(self) -> Path:
        url = self.settings.store_url or str(self.home.database)
        return self.home.stores / f"{blake2b(url.encode(), digest_size=8).hexdigest()}.json"

    def _remember(self, store: Store) -> None:
        identity = StoreIdentity(store.id, store.signing_key, store.url)
        if getattr(self, "_identity", None) is None:
            self._identity = identity
        path = self._identity_path()
        encoded = msgspec.json.encode(identity)
        try:
            if path.exists() and path.read_bytes() == encoded:
                return
            self.home.ensure(path.parent)
            scratch = path.with_suffix(f".{os.getpid()}")
            descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(encoded)
            scratch.replace(path)
        except OSError:
            return  # only a convenience for later; the store itself is there

    def _remembered(self) -> StoreIdentity | None:
        try:
            return msgspec.json.decode(self._identity_path().read_bytes(), type=StoreIdentity)
        except (OSError, msgspec.DecodeError):
            return None


def _counted(dropped: dict[str, int]) -> str:
    names = {"log": "log line", "metric": "metric value", "asset_metadata": "asset description"}
    return " and ".join(plural(count, names.get(what, what)) for what, count in sorted(dropped.items()) if count)


def result_storage(settings: Settings, home: Home) -> ResultStorage:
    """Return where the settings say that results are kept: at the server that they name, unless they say more."""
    return far_results(settings) if settings.api_url and not settings.results_url else own_results(settings, home)


def own_results(settings: Settings, home: Home) -> ResultStorage:
    """Return where results are kept by who has the store: a server never leaves them to another one."""
    url = settings.results_url
    if not url or url.startswith("file://"):
        return LocalResults(url.removeprefix("file://") or home.results)
    raise SettingError(f"NADI_RESULTS_URL is {url!r}; this version keeps results in folders only: file:///path.")
