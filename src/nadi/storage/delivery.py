"""Delivery: a journal's records move to the store in order, once, in groups.

The courier reads the journal's own file, so that a living process and one that delivers for
a dead one (`leftovers.py`) do the same thing. It goes by the store's answer: what the store
says it has is delivered, whatever the courier believed.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING

import msgspec

from nadi.exceptions import StoreError, StoreUnavailable
from nadi.model.records import AnyRecord, Counted
from nadi.model.runs import Request
from nadi.storage.contract import Applied, Batch, Refusal, Refused, Store
from nadi.storage.journal import Journal, decode, frames, read_header, segments
from nadi.storage.leasing import TERM, OwnLease

if TYPE_CHECKING:
    from pathlib import Path

#: Seconds that records may wait for company, to be committed together.
GATHER = 0.004
#: The most records, and bytes of journal, in one commit.
BATCH_RECORDS = 4096
BATCH_BYTES = 4 << 20
#: Seconds between looks at what is asked of this process's runs.
ATTENTION = 0.5
#: Seconds that a run which must know whether it is still its own waits for the answer.
PATIENCE = 2.0
#: Seconds between tries while the store is away: first and longest.
RETRY_FIRST, RETRY_LONGEST = 0.05, 2.0
#: A journal goes on in a new segment, and the old one is deleted, once this much of it is delivered.
AFRESH_BYTES = 8 << 20

_log = logging.getLogger("nadi.storage")


class JournalReader:
    """Reads a journal's records in order, while its writer goes on or long after it died."""

    def __init__(self, folder: Path, position: int = 0) -> None:
        """Begin after the record numbered `position`."""
        self.folder = folder
        #: Number of the last record read.
        self.position = position
        self._path: Path | None = None
        self._descriptor = -1
        self._offset = 0
        #: Number of the record that starts at `_offset`.
        self._next = 1

    def read(self, most: int = BATCH_RECORDS) -> tuple[list[AnyRecord], int]:
        """Return the next records, and how many bytes of file were read for them.

        A record that this version cannot read keeps its number: a `Counted` that belongs to
        no run stands in its place, so that the store refuses it visibly and delivery goes on.
        """
        if self._descriptor < 0 and not self._open_segment():
            return [], 0
        records: list[AnyRecord] = []
        while not records:
            used = skipped = 0
            for payload, used in frames(self._window()):
                number, self._next = self._next, self._next + 1
                if number <= self.position:
                    skipped = used
                    continue
                self.position = number
                records.append(self._decoded(payload, number))
                if len(records) >= most:
                    break
            self._offset += used
            if not used and not self._segment_is_over():
                break
        return records, used - skipped

    def _decoded(self, payload: bytes, number: int) -> AnyRecord:
        try:
            return decode(payload)
        except msgspec.DecodeError as error:
            _log.warning("Record %d of journal %s cannot be read and is set aside: %s", number, self.folder, error)
            return Counted(root="", token=0, at=0.0, run="", what="unreadable", count=1)

    def left_unread(self) -> int:
        """Return how many bytes of the journal come after the last record that could be read."""
        here, left = self._path, 0
        for first, path in segments(self.folder):
            if path == here:
                left += path.stat().st_size - self._offset
            elif here is None or path > here:
                head = read_header(path)
                if first > self.position and head is not None:
                    left += path.stat().st_size - head[1]
        return left

    def _window(self) -> bytes:
        data = os.pread(self._descriptor, BATCH_BYTES, self._offset)
        if len(data) == BATCH_BYTES:
            first = int.from_bytes(data[:4], "little") + 8
            if first > BATCH_BYTES:  # one record larger than a batch
                data = os.pread(self._descriptor, first, self._offset)
        return data

    def _segment_is_over(self) -> bool:
        if any(first == self._next and path != self._path for first, path in segments(self.folder)):
            self.close()
            return self._open_segment()
        return False

    def _open_segment(self) -> bool:
        holding = [(first, path) for first, path in segments(self.folder) if first <= self.position + 1]
        if not holding:
            return False
        first, path = holding[-1]
        head = read_header(path)
        if head is None:
            return False
        self._path, self._offset, self._next = path, head[1], first
        self._descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        return True

    def drop_delivered(self) -> None:
        """Delete the segments that lie wholly before the one being read."""
        for _, path in segments(self.folder):
            if self._path is None or path >= self._path:
                return
            path.unlink(missing_ok=True)

    def move_to(self, position: int) -> None:
        """Go on after the record numbered `position`, forwards or backwards."""
        if position != self.position:
            self.close()
            self.position = position

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor, self._path = -1, None


def gap_in(folder: Path | None, number: int) -> StoreUnavailable:
    """Return the error of a journal that goes on after records which neither it nor the store has."""
    return StoreUnavailable(
        f"The journal {folder} goes on after a gap: records from {number} on are not there. Was the database replaced"
        " by an older copy? Put the right one back, or remove the folder when its process has ended."
    )


class Reach(Enum):
    """How far a record got: the answer of a barrier."""

    #: In the store and flushed to disk.
    COMMITTED = "committed"
    #: In the flushed journal; the store is away and gets it later.
    SPOOLED = "spooled"
    #: Only in the memory of this process: neither store nor journal can be written.
    MEMORY = "memory"


class Courier:
    """Moves one live journal to its store, in a thread of its own or in that of whoever waits at a barrier."""

    def __init__(
        self,
        journal: Journal,
        connect: Callable[[], Store],
        *,
        watched: Callable[[], Mapping[str, int]],
        on_request: Callable[[Request], None],
        on_fenced: Callable[[str, int], None],
        lease_term: float = TERM,
        renewed: Callable[[], float] | None = None,
    ) -> None:
        """Prepare a courier; `start` begins its thread.

        Args:
            journal: What to deliver.
            connect: Gives the store, or raises StoreError while it is away.
            watched: Gives the root runs whose requests should be looked up, each with the token it is run under.
            on_request: Told of each request to one of them, perhaps several times.
            on_fenced: Told a root run and the token under which this process may change it no more, because
                somebody else has the run. Perhaps several times.
            lease_term: Seconds of silence after which others may take this process for gone, in stores that
                other machines reach.
            renewed: When the worker that started this process last renewed its lease; see `OwnLease`.
        """
        self.journal = journal
        self._connect = connect
        self._watched = watched
        self._on_request = on_request
        self._on_fenced = on_fenced
        self._reader = JournalReader(journal.folder) if journal.folder is not None else None
        #: Number of the last record that the store has.
        self.delivered = 0
        #: Why the store does not take records; "" while it does.
        self.trouble = ""
        #: What was said about the store already, and is not said again.
        self.said = ""
        self.refused: dict[Refusal, int] = {}
        #: When the store last answered for the runs of this process (monotonic); see `Session.check`.
        self.confirmed = time.monotonic()
        self._lease = OwnLease(journal.header.holder, lease_term, renewed)
        #: Who asks on behalf of runs that wait for the answer, since when, and whose turn it is to begin that.
        self._asking, self._asked_at, self._turn = threading.Thread(), 0.0, threading.Lock()
        self._step = threading.Lock()
        self._signal = threading.Event()
        self._hurried = False
        self._barrier_at = 0.0
        self._stopping = False
        self._next_try = 0.0
        self._pause = RETRY_FIRST
        self._next_attention = 0.0
        self._since_afresh = 0
        self._thread = threading.Thread(target=self._work, name="nadi-journal", daemon=True)

    def start(self) -> None:
        """Begin delivering."""
        self.journal.wake = self._signal.set
        self._thread.start()

    # -- for whoever waits --

    def barrier(self, timeout: float | None = None) -> Reach:
        """Wait until what was appended before is committed, or flushed to the journal while the store is away.

        The caller's own thread does the delivery when nobody else is at it, which saves two
        changes of thread. A store that is known to be away is not waited for.

        Args:
            timeout: Seconds after which to settle for the journal; `None` waits as long as the store answers.
        """
        if self.journal.in_child:
            return Reach.MEMORY
        target = self.journal.last
        deadline = None if timeout is None else time.monotonic() + timeout
        self._hurried = True
        try:
            while self.delivered < target and not self.trouble:
                left = -1.0 if deadline is None else max(0.0, deadline - time.monotonic())
                if left == 0.0 or not self._step.acquire(timeout=left):
                    break
                try:
                    if self.delivered < target and not self._deliver_some():
                        break
                finally:
                    self._step.release()
        finally:
            self._hurried = False
            self._barrier_at = time.monotonic()
        if self.delivered >= target:
            return Reach.COMMITTED
        return Reach.SPOOLED if self.journal.flush() else Reach.MEMORY

    def finish(self, wait: float) -> bool:
        """Deliver what is left, for at most `wait` seconds while the store is away, then stop.

        Returns:
            Whether the store has everything.
        """
        self._stopping = True
        self._signal.set()
        deadline = time.monotonic() + wait
        while self.delivered < self.journal.last:
            # Where another thread waits for an answer, a store that is silent is waited for no longer than one away.
            if self._step.acquire(timeout=min(max(wait, PATIENCE), threading.TIMEOUT_MAX)):
                try:
                    # Its own thread may have delivered the last of it meanwhile: then there is nothing to wait for.
                    if self.delivered >= self.journal.last or self._deliver_some():
                        continue
                finally:
                    self._step.release()
            left = deadline - time.monotonic()
            if left <= 0:
                break
            time.sleep(min(left, 0.05))
        self.journal.flush()
        if self._thread.is_alive():
            self._thread.join(timeout=5.0)
        if self._reader is not None:
            self._reader.close()
        self._give_lease_back()
        return self.delivered >= self.journal.last

    def _give_lease_back(self) -> None:
        if self._lease.is_held and not self.trouble:
            try:
                self._lease.release(self._connect())
            except StoreError as error:
                _log.debug("The lease of this process was not given back: %s", error)

    # -- the thread --

    def _work(self) -> None:
        while True:
            moved = False
            # Whoever waits at one barrier after the other delivers everything; a commit of ours between two of them
            # would only make the next one wait.
            if self._stopping or time.monotonic() - self._barrier_at > GATHER:
                with self._step:
                    moved = self._deliver_some()
            self._attend()
            if self._stopping:
                return
            if moved:
                self._gather()
            else:
                self._rest()

    def _gather(self) -> None:
        if not self._hurried:
            time.sleep(GATHER)

    def _rest(self) -> None:
        # `sleeping` first, the look second: an append between the two either is seen here or signals.
        self._signal.clear()
        self.journal.sleeping = True
        try:
            nothing_new = self.delivered >= self.journal.last
            if not nothing_new:
                # The store is away, the file cannot be read, or barriers deliver: appending need not wake anybody.
                self.journal.sleeping = False
            pause = ATTENTION if nothing_new else max(0.01, self._next_try - time.monotonic())
            if self._signal.wait(pause) and not self._hurried and not self._stopping:
                self.journal.sleeping = False
                time.sleep(GATHER)
        finally:
            self.journal.sleeping = False

    def _deliver_some(self) -> bool:
        """Deliver one batch; `False` when there was none or the store does not take it. Needs the step lock."""
        if self.trouble and time.monotonic() < self._next_try:
            return False
        # Whoever waits at a barrier may be interrupted anywhere in here (Ctrl-C, a timeout): what was read then
        # and not delivered is read again.
        self._move_to(self.delivered)
        try:
            first, records, nbytes = self._next_batch()
            if not records:
                return False
            applied = self._connect().apply(Batch(self.journal.header.writer, first, records))
        except Exception as error:
            # Whatever it is: recording must never cost the run, and the records stay where they are.
            self._store_is_away(str(error) if isinstance(error, StoreError) else f"{type(error).__name__}: {error}")
            self._move_to(self.delivered)
            return False
        if self.trouble:
            _log.info("The store takes records again; delivering what waited.")
        self.trouble, self._pause, now = "", RETRY_FIRST, time.monotonic()
        if not self._lease.is_over(now):  # else what counts is whether it can be renewed
            self.confirmed = now
        if applied.watermark != first + len(records) - 1:
            self._move_to(applied.watermark)
            nbytes = 0
        self.delivered = applied.watermark
        self.journal.delivered(applied.watermark, nbytes)
        self._tidy(nbytes)
        self._note(applied, first, records)  # last: who is told may stop the run whose thread this is
        return True

    def _next_batch(self) -> tuple[int, list[AnyRecord], int]:
        if self._reader is not None:
            first = self._reader.position + 1
            records, nbytes = self._reader.read()
            if records:
                return first, records, nbytes
        waiting = list(self.journal.overflow)[:BATCH_RECORDS]
        waiting = [(number, payload) for number, payload in waiting if number > self.delivered]
        if not waiting or (self._reader is not None and waiting[0][0] != self._reader.position + 1):
            if self.delivered < self.journal.last:
                self._look_for_a_gap()
            return 0, [], 0
        if self._reader is not None:
            self._reader.move_to(waiting[-1][0])
        return waiting[0][0], [decode(payload) for _, payload in waiting], 0

    def _look_for_a_gap(self) -> None:
        """Raise StoreUnavailable if the store lacks records that are not in the journal any more."""
        begins = next((first for first, _ in segments(self.journal.folder)), 0) if self.journal.folder else 0
        if begins > self.delivered + 1:
            known = self._connect().watermark(self.journal.header.writer)  # perhaps it was put right meanwhile
            if begins > known + 1:
                raise gap_in(self.journal.folder, known + 1)
            self.delivered = known

    def _move_to(self, position: int) -> None:
        if self._reader is not None:
            self._reader.move_to(position)

    def _store_is_away(self, why: str) -> None:
        if not self.trouble and why != self.said:
            _log.warning("The store does not take records; the run goes on and they wait in the journal. %s", why)
        self.trouble = why
        self._next_try = time.monotonic() + self._pause
        self._pause = min(self._pause * 2, RETRY_LONGEST)

    def _note(self, applied: Applied, first: int, records: Sequence[AnyRecord]) -> None:
        for refused in applied.refused:
            self.refused[refused.why] = self.refused.get(refused.why, 0) + 1
            if refused.why is Refusal.FENCED:
                self._on_fenced(refused.root, refused.token)
            elif refused.why is Refusal.INVALID:
                _report_invalid(refused, first, records)

    def _tidy(self, nbytes: int) -> None:
        self._since_afresh += nbytes
        if self._since_afresh < AFRESH_BYTES or self._reader is None:
            return
        try:
            self._reader.drop_delivered()
        except OSError as error:  # it goes with its folder in the end
            _log.debug("A delivered segment of %s stays: %s", self._reader.folder, error)
        if self.journal.start_afresh():
            self._since_afresh = 0

    def attend(self) -> None:
        """Ask the store now what is asked of this process's runs and whose they are, and wait for the answer.

        A store that is silent is waited for a moment: the runs go on without its answer, and ask again later.
        """
        if self.journal.in_child:
            return
        came = time.monotonic()
        while self.confirmed < came and not self.trouble:
            asking, began = self._begin_asking()
            if asking.is_alive():
                asking.join(max(0.0, began + PATIENCE - time.monotonic()))
            if asking.is_alive() or began >= came:  # else it was the question of another thread, and may be of before
                break
        if self.confirmed < came:
            self.confirmed = time.monotonic()

    def is_cut_off(self) -> bool:
        """Tell whether the lease of this process has run out without an answer, so that others may have its runs."""
        return self._lease.is_over(time.monotonic())

    def _begin_asking(self) -> tuple[threading.Thread, float]:
        """Return the thread that asks at this moment, or a new one, and since when it does."""
        with self._turn:
            if not self._asking.is_alive():
                self._asked_at = now = time.monotonic()
                self._asking = threading.Thread(target=self._ask, args=(now,), name="nadi-asking", daemon=True)
                try:
                    self._asking.start()
                except RuntimeError:  # there can be no further thread
                    self._ask(now)
            return self._asking, self._asked_at

    def _attend(self) -> None:
        now = time.monotonic()
        if now >= self._next_attention:
            self._ask(now)

    def _ask(self, now: float) -> None:
        self._next_attention = now + ATTENTION
        roots = self._watched()
        if self.trouble or not (roots or self._lease.is_held):
            return
        try:
            store = self._connect()
            if not roots:
                self._lease.leave(store, now)
                return
            self._lease.keep(store, now)
            requests = store.requests(list(roots))
            for root, token in roots.items():
                found = store.flow_run(root)
                if found is not None and found.token > token:
                    self._on_fenced(root, token)
        except Exception as error:  # as in delivery: whatever it is, this thread goes on
            _log.debug("The store could not be asked about the runs of this process: %r", error)
            return
        self.confirmed = now
        for request in requests:
            self._on_request(request)


def _report_invalid(refused: Refused, first: int, records: Sequence[AnyRecord]) -> None:
    index = refused.n - first
    record = records[index] if 0 <= index < len(records) else None
    kind = type(record).__name__ if record is not None else "record"
    _log.warning(
        "The store set aside %s %d of run %s: it does not fit what is recorded.", kind, refused.n, refused.root
    )
