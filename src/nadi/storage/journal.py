"""The journal: everything a process tells, appended to its own file before the call returns.

One folder a writing process, named by its writer id::

    journals/<writer>/lock                      held while the process lives
    journals/<writer>/00000000000000000001.log  segment; the name is the number of its first record

A segment starts with a header and holds frames of length, CRC-32 and one MessagePack record.
Appending is one `write(2)`: once it returned, the record survives `kill -9`. Nothing here
knows the store: `delivery.py` reads the same file, whether its writer lives or not, so what
is delivered live and what is delivered after a death take one path.
"""

from __future__ import annotations

import functools
import os
import struct
import threading
import weakref
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from threading import get_ident
from typing import TYPE_CHECKING

import msgspec

from nadi.model.records import AnyRecord, ArtifactMade, AssetDescribed, EventEmitted, LogLine, MetricLogged, Record
from nadi.storage.locks import FileLock
from nadi.storage.shield import deferred, run_deferred, shielded

if TYPE_CHECKING:
    from pathlib import Path

#: What a segment starts with: format and version.
MAGIC = b"NADIJ001"
_FRAME = struct.Struct("<II")
#: A segment is closed and the next begun when it is larger.
SEGMENT_BYTES = 64 << 20
#: Undelivered bytes at which appending waits for the store.
JOURNAL_LIMIT = 1 << 30
#: Records kept in memory while the file cannot be written: from here on log lines are dropped, and from twice as many
#: on what else is no state: artifacts, metrics, events, what tasks tell of assets.
OVERFLOW_LIMIT = 20_000
_DROPPED_LATE = ArtifactMade | MetricLogged | EventEmitted | AssetDescribed

_encode = msgspec.msgpack.Encoder().encode


@functools.cache
def _decoder() -> msgspec.msgpack.Decoder[AnyRecord]:
    # Made with the first record that is read: working out so many kinds takes 2 ms.
    return msgspec.msgpack.Decoder(AnyRecord)


class Header(msgspec.Struct, frozen=True):
    """The first frame of a segment."""

    writer: str
    #: Id of the store that the records are for; a URL may change, this does not.
    store: str
    #: Where that store was, for people.
    url: str
    #: Text of the Holder.
    holder: str


def frame(payload: bytes) -> bytes:
    """Return one payload with its length and checksum before it."""
    return _FRAME.pack(len(payload), zlib.crc32(payload)) + payload


def frames(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield each whole, undamaged payload of `data` with the offset after it; stop at the first that is not.

    An empty payload is damage too: a power cut may leave zeros at the end of a file.
    """
    unpack, crc32 = _FRAME.unpack_from, zlib.crc32
    start, end = 8, len(data)
    while start <= end:
        length, checksum = unpack(data, start - 8)
        after = start + length
        if after > end or not length:
            return
        payload = data[start:after]
        if crc32(payload) != checksum:
            return
        yield payload, after
        start = after + 8


def decode(payload: bytes) -> AnyRecord:
    """Read one record.

    Raises:
        msgspec.ValidationError: it is not a record that this version knows.
    """
    record: AnyRecord = _decoder().decode(payload)
    return record


def segment_path(folder: Path, first: int) -> Path:
    """Return the path of the segment whose first record has number `first`."""
    return folder / f"{first:020d}.log"


def segments(folder: Path) -> list[tuple[int, Path]]:
    """Return the segments of a journal in order, each with the number of its first record."""
    return sorted((int(path.stem), path) for path in folder.glob("*.log") if path.stem.isdigit())


def read_header(path: Path) -> tuple[Header, int] | None:
    """Return a segment's header and the offset of its first record; `None` if even that was not written whole."""
    with path.open("rb") as file:
        start = file.read(len(MAGIC) + 4096)
    if not start.startswith(MAGIC):
        return None
    for payload, after in frames(start[len(MAGIC) :]):
        try:
            return msgspec.msgpack.decode(payload, type=Header), len(MAGIC) + after
        except msgspec.DecodeError:
            return None
    return None


class Journal:
    """This process's journal for one store. Thread-safe.

    When the file cannot be written (disk full, home not writable), records stay in memory
    instead, in order; beyond `OVERFLOW_LIMIT` of them log lines are dropped and counted, beyond
    twice as many artifacts, metrics and events too, while states always stay.
    """

    def __init__(self, folder: Path | None, header: Header, *, limit: int = JOURNAL_LIMIT) -> None:
        """Begin a journal.

        Args:
            folder: Its folder, whose lock the caller holds; `None` when there is nowhere to write.
            header: What each segment starts with.
            limit: Undelivered bytes at which appending waits.
        """
        self.folder = folder
        self.header = header
        self._limit = limit
        # Reentrant: what interrupts an append within its thread (a signal handler, a finaliser) may log.
        self._lock = threading.RLock()
        #: Whether an append is under way, and what was appended in the middle of it by the same thread.
        self._putting = False
        self._meanwhile: list[tuple[Record, bytes]] = []
        self._room = threading.Condition(self._lock)
        self._descriptor = -1
        #: Number of the last record appended, to the file or to memory.
        self.last = 0
        #: Number of the last record that is in the file; those after it are in `overflow`.
        self.last_in_file = 0
        self._segment_bytes = 0
        self._undelivered_bytes = 0
        #: Encoded records that could not be written to the file, in order, each with its number.
        self.overflow: deque[tuple[int, bytes]] = deque()
        #: Why the file could not be written; "" while it can.
        self.trouble = "" if folder is not None else "there is no folder to write it to"
        self.dropped: dict[str, int] = {}
        #: Called after an append when the reader said that it sleeps; see `sleeping`.
        self.wake: Callable[[], None] = _nothing
        #: Set by the reader before it sleeps, so that appending costs no signal while it is awake.
        self.sleeping = False
        #: Whether this is a forked child's copy, which writes nothing.
        self.in_child = False
        self._closed = False
        _journals.add(self)

    def append(self, record: Record) -> int:
        """Append a record; it survives `kill -9` when this returns (unless `trouble` says otherwise).

        Returns:
            The record's number, counted from 1; 0 when it was dropped.
        """
        payload = _encode(record)
        thread = get_ident()
        shielded.add(thread)
        try:
            with self._lock:
                if self.in_child:
                    return self._drop_in_child()
                if self._closed:
                    return 0
                if self._undelivered_bytes > self._limit:
                    self._wait_for_room()
                if self._putting:
                    # A signal handler, or a __del__, that logs in the middle of an append of this very thread.
                    self._meanwhile.append((record, payload))
                    return self.last + 1 + len(self._meanwhile)
                number = self._put(record, payload)
        finally:
            shielded.discard(thread)
            if deferred:
                run_deferred()
        if self.sleeping:
            self.wake()
        return number

    def _put(self, record: Record, payload: bytes) -> int:
        self._putting = True
        try:
            return self._put_one(record, payload)
        finally:
            while self._meanwhile:
                self._put_one(*self._meanwhile.pop(0))
            self._putting = False

    def _put_one(self, record: Record, payload: bytes) -> int:
        if self.trouble and not self._back_to_file():
            return self._keep_in_memory(record, payload)
        return self._write(record, payload)

    def _write(self, record: Record, payload: bytes) -> int:
        data = _FRAME.pack(len(payload), zlib.crc32(payload)) + payload
        try:
            if self._descriptor < 0 or self._segment_bytes > SEGMENT_BYTES:
                self._begin_segment()
            written = os.write(self._descriptor, data)
            if written != len(data):
                # Half a frame would hide everything after it from the reader.
                os.ftruncate(self._descriptor, self._segment_bytes)
                raise OSError(28, "no space left on device")
        except OSError as error:
            self.trouble = error.strerror or str(error)
            return self._keep_in_memory(record, payload)
        except BaseException:
            # A signal handler of the user's program knows no shielded sections. Only the file can tell whether
            # the record was written; written and not counted, it would put every later one out of step.
            if self._descriptor < 0 or os.fstat(self._descriptor).st_size != self._segment_bytes + len(data):
                raise
            self._segment_bytes += len(data)
            self._undelivered_bytes += len(data)
            self.last += 1
            self.last_in_file = self.last
            raise
        # No call from here on, or a signal could strike in it.
        self._segment_bytes += written
        self._undelivered_bytes += written
        self.last += 1
        self.last_in_file = self.last
        return self.last

    def _begin_segment(self) -> None:
        assert self.folder is not None
        path = segment_path(self.folder, self.last + 1)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC | getattr(os, "O_CLOEXEC", 0)
        descriptor = os.open(path, flags, 0o600)
        start = MAGIC + frame(_encode(self.header))
        try:
            if os.write(descriptor, start) != len(start):
                raise OSError(28, "no space left on device")
        except OSError:
            os.close(descriptor)
            path.unlink(missing_ok=True)
            raise
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor, self._segment_bytes = descriptor, len(start)

    def _keep_in_memory(self, record: Record, payload: bytes) -> int:
        kept = len(self.overflow)
        if kept >= OVERFLOW_LIMIT and (
            isinstance(record, LogLine) or (kept >= 2 * OVERFLOW_LIMIT and isinstance(record, _DROPPED_LATE))
        ):
            what = record.__struct_config__.tag
            self.dropped[str(what)] = self.dropped.get(str(what), 0) + 1
            return 0
        self.last += 1
        self.overflow.append((self.last, payload))
        return self.last

    def _back_to_file(self) -> bool:
        # Order must hold: the file takes records again only when none waits in memory, and it
        # goes on in a new segment, whose name carries the number that it starts with.
        if self.folder is None or self.overflow:
            return False
        self._segment_bytes = SEGMENT_BYTES + 1
        self.trouble = ""
        return True

    def _wait_for_room(self) -> None:
        while self._undelivered_bytes > self._limit and not self.in_child and not self._closed:
            self._room.wait(1.0)

    def _drop_in_child(self) -> int:
        if not self.dropped:
            self.dropped["forked"] = 0
            os.write(
                2,
                b"nadi: this process was forked from one that runs a flow; what it logs or records is dropped."
                b" Use executor='process' for work in other processes.\n",
            )
        self.dropped["forked"] += 1
        return 0

    def flush(self) -> bool:
        """Flush the file to disk; `False` when something is only in memory or flushing failed."""
        with self._lock:
            descriptor, whole = self._descriptor, not self.overflow
        if descriptor < 0:
            return whole
        try:
            os.fsync(descriptor)
        except OSError:
            return False
        return whole

    def delivered(self, number: int, nbytes: int) -> None:
        """Note that the store has all records up to `number`: `nbytes` of the file, and what was in memory."""
        with self._lock:
            while self.overflow and self.overflow[0][0] <= number:
                self.overflow.popleft()
            # Everything is nothing left, whatever was counted: parts of a batch may have come twice.
            self._undelivered_bytes = 0 if number >= self.last else self._undelivered_bytes - nbytes
            self._room.notify_all()

    def start_afresh(self) -> bool:
        """Begin the next append in a new segment, so that delivered ones can go; only when all is delivered."""
        with self._lock:
            if self.overflow or self._undelivered_bytes > 0:
                return False
            self._segment_bytes = SEGMENT_BYTES + 1
            return True

    def close(self) -> None:
        """Close the file; what is appended afterwards is dropped."""
        with self._lock:
            self._closed = True
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1
        _journals.discard(self)

    def _put_aside_in_child(self) -> None:
        # Runs in a forked child: another thread of the parent may have held our locks, so they are
        # made anew; the descriptor is the child's copy, and closing it leaves the parent's open.
        self._lock = threading.RLock()
        self._putting, self._meanwhile = False, []
        self._room = threading.Condition(self._lock)
        self.in_child = True
        self.dropped = {}
        self.wake = _nothing
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _nothing() -> None:
    return None


_journals: weakref.WeakSet[Journal] = weakref.WeakSet()
_locks: weakref.WeakSet[FileLock] = weakref.WeakSet()


def hold_against_forks(lock: FileLock) -> None:
    """See to it that forked children close their copy of a lock that means "this process lives"."""
    _locks.add(lock)


def _after_fork_in_child() -> None:
    for journal in list(_journals):
        journal._put_aside_in_child()
    for lock in list(_locks):
        lock.forget_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
