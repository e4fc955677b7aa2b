"""Left-over journals: what a killed process appended is delivered by the next one that looks.

Whoever gets the lock of a journal's folder knows that its writer is dead: the kernel held the
lock for it. It delivers the journal, says of the runs that were still open that they crashed,
and removes the folder.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from nadi.exceptions import StoreError
from nadi.model.holders import Holder
from nadi.model.pauses import overdue_told
from nadi.model.runs import FlowRun, RunFilter
from nadi.model.states import StateType
from nadi.storage.contract import Batch, Ending, Refusal, Store
from nadi.storage.delivery import JournalReader, gap_in
from nadi.storage.home import Home, can_be_looked_up, is_gone, remove_tree
from nadi.storage.journal import Header, read_header, segments
from nadi.storage.locks import FileLock

if TYPE_CHECKING:
    from pathlib import Path

_log = logging.getLogger("nadi.storage")

_HELD = (StateType.PENDING, StateType.RUNNING, StateType.CANCELLING, StateType.PAUSED)
_OPEN = (StateType.SCHEDULED, *_HELD)
#: Open runs judged at a time.
_PAGE = 1000
#: Seconds to wait for a process that delivers the same journal.
PATIENCE = 10.0


class Found(msgspec.Struct):
    """What a look at left-over journals came to."""

    #: Root runs found to have lost their process, now CRASHED.
    crashed: list[str] = []
    #: Suspended root runs that nobody answered in time, now FAILED.
    overdue: list[str] = []
    #: Records delivered for dead processes.
    delivered: int = 0
    #: Who holds open runs and cannot be looked up from here: texts of the Holders.
    unseen: set[str] = set()
    #: Journals that could not be delivered, each with the reason.
    stuck: dict[Path, str] = {}


def deliver_leftovers(home: Home, store: Store, observer: Holder, *, now: float) -> Found:
    """Deliver the journals of dead processes of this home, and crash the runs they left open.

    Journals of living processes, and those meant for other stores, are left alone. Two
    processes that look at once share the work: each journal goes to whoever gets its lock.
    """
    found = Found()
    for folder in home.journal_folders():
        # A folder without a lock is being made by a process that starts.
        if not (folder / "lock").exists():
            continue
        lock = FileLock(folder / "lock")
        try:
            if not lock.try_acquire() and not _wait_for_another_looker(lock, folder, observer):
                continue
        except OSError:
            continue
        try:
            header = journal_header(folder)
            if header is None or _is_meant_for(store, header):
                deliver_one(folder, store, found)
                if header is not None:
                    crash_runs_of(header.holder, store, found, now=now)
                remove_tree(folder)
                if not folder.exists():
                    store.forget_writer(folder.name)
        except (StoreError, OSError) as error:
            found.stuck[folder] = str(error)
        finally:
            lock.release()
    _crash_runs_of_gone_processes(home, store, observer, found, now=now)
    _fail_overdue(store, found, now=now)
    return found


def _wait_for_another_looker(lock: FileLock, folder: Path, observer: Holder) -> bool:
    # The lock is held. If its writer is dead, somebody else is delivering the journal at this moment,
    # and an answer given before that is done would be yesterday's.
    header = journal_header(folder)
    if header is None or not is_gone(Holder.decode(header.holder), observer):
        return False
    return lock.acquire(PATIENCE)


def _is_meant_for(store: Store, header: Header) -> bool:
    # A writer that never saw its store knows only where it should have been.
    return header.store == store.id if header.store else header.url == store.url


def deliver_one(folder: Path, store: Store, found: Found) -> None:
    """Deliver one journal that nobody writes any more.

    Raises:
        StoreUnavailable: it could not be delivered to its end; what was is known to the store.
    """
    reader = JournalReader(folder, store.watermark(folder.name))
    try:
        while True:
            first = reader.position + 1
            records, _ = reader.read()
            if not records:
                _check_end(reader)
                return
            applied = store.apply(Batch(folder.name, first, records))
            found.delivered += len(records)
            superseded = sum(one.why is not Refusal.DELETED for one in applied.refused)
            if superseded:
                _log.warning("%d records left by %s came too late and are set aside.", superseded, folder.name)
            reader.move_to(applied.watermark)
    finally:
        reader.close()


def _check_end(reader: JournalReader) -> None:
    # What a process was writing when it was killed was not appended yet, and goes.
    if any(first > reader.position + 1 for first, _ in segments(reader.folder)):
        raise gap_in(reader.folder, reader.position + 1)
    left = reader.left_unread()
    if left:
        _log.warning("The last %d bytes of journal %s are no whole record and are left out.", left, reader.folder)


def journal_header(folder: Path) -> Header | None:
    """Return what a journal says about itself; `None` when it holds no record."""
    for _, path in segments(folder):
        head = read_header(path)
        if head is not None:
            return head[0]
    return None


def _crash_runs_of_gone_processes(home: Home, store: Store, observer: Holder, found: Found, *, now: float) -> None:
    # A process whose journal lay elsewhere (another home on this machine) or could not be written
    # left no lock to take, but its pid may be looked up from here.
    gone: dict[str, bool] = {}

    def lost(run: FlowRun) -> bool:
        if run.holder not in gone:
            holder = Holder.decode(run.holder)
            has_journal = has_journal_here(home, holder)
            gone[run.holder] = not has_journal and is_gone(holder, observer)
            if not has_journal and not can_be_looked_up(holder, observer):
                found.unseen.add(run.holder)
        return gone[run.holder]

    before = ""
    while runs := store.flow_runs(RunFilter(states=_HELD, held=True), limit=_PAGE, before=before):
        _crash(store, [run for run in runs if lost(run)], found, now=now)
        before = runs[-1].id


def has_journal_here(home: Home, holder: Holder) -> bool:
    """Tell whether the kernel's lock on the journal of a process tells in this home whether it lives."""
    # The name comes from records, which another machine may have sent.
    writer = holder.writer
    return writer not in ("", ".", "..") and "/" not in writer and os.path.isdir(home.journals / writer)


def end_runs_of(holder: str, home: Home, store: Store, *, now: float, why: str) -> None:
    """Deliver what a process left that is known to have ended, and end its open runs, saying why.

    Raises:
        StoreUnavailable: not all could be told; who looks at left-over journals next tells the rest.
    """
    found, writer = Found(), Holder.decode(holder)
    if not has_journal_here(home, writer):
        crash_runs_of(holder, store, found, now=now, why=why)
        return
    folder = home.journals / writer.writer
    lock = FileLock(folder / "lock")
    if not lock.acquire(PATIENCE):
        return  # somebody else is at it, or a process that it started runs on
    try:
        deliver_one(folder, store, found)
        crash_runs_of(holder, store, found, now=now, why=why)
        remove_tree(folder)
        if not folder.exists():
            store.forget_writer(folder.name)
    finally:
        lock.release()


def crash_runs_of(holder: str, store: Store, found: Found, *, now: float, silence: float = 0.0, why: str = "") -> None:
    """End the open runs of a process that is gone; what was being cancelled has been cancelled by that.

    Args:
        holder: Text of the Holder.
        store: Where the runs are.
        found: Takes note of them.
        now: Unix seconds.
        silence: Seconds for which nothing was heard of it, where it could not be looked up.
        why: How it came to its end, as a sentence, where that is known.
    """
    before = ""
    while runs := store.flow_runs(RunFilter(holder=holder, states=_OPEN), limit=_PAGE, before=before):
        _crash(store, runs, found, now=now, silence=silence, why=why)
        before = runs[-1].id


def _fail_overdue(store: Store, found: Found, *, now: float) -> None:
    # No process waits for the answer to a suspended run, so that its deadline is judged when somebody looks.
    while late := store.inputs.overdue(now=now):
        endings: dict[str, Ending] = {}
        for pause in late:
            run = store.flow_run(pause.root)
            if run is not None:
                ending = Ending(run.id, run.token, StateType.FAILED, overdue_told(run.name, pause), "TimedOut")
                endings.setdefault(run.id, ending)  # the earliest deadline is the one that was missed
        changed = store.end_attempts(list(endings.values()), now=now)
        ended = [run for run, done in zip(endings, changed, strict=True) if done]
        found.overdue += ended
        if not ended:  # somebody else sees to them
            return


def _crash(
    store: Store, runs: Sequence[FlowRun], found: Found, *, now: float, silence: float = 0.0, why: str = ""
) -> None:
    if not runs:
        return
    asked = store.requests([run.id for run in runs])
    cancels = {request.run: request.by for request in asked if request.kind == "cancel"}
    changed = store.end_attempts([_ending(run, cancels.get(run.id), silence, why) for run in runs], now=now)
    found.crashed += [run.id for run, done in zip(runs, changed, strict=True) if done]


def _ending(run: FlowRun, cancelled_by: str | None, silence: float, told: str) -> Ending:
    # What was being cancelled when the process died was cancelled after all.
    holder = Holder.decode(run.holder)
    if cancelled_by is not None or run.state_type is StateType.CANCELLING:
        by = f" by {cancelled_by}" if cancelled_by else ""
        why = f"nothing was heard of its process for {silence:g} s" if silence else "its process had to be ended"
        return Ending(run.id, run.token, StateType.CANCELLED, f"Cancelled{by}; {why} ({holder}).")
    if told:
        return Ending(run.id, run.token, StateType.CRASHED, told)
    why = f"Nothing was heard of its process for {silence:g} s" if silence else "Its process ended without finishing it"
    return Ending(run.id, run.token, StateType.CRASHED, f"{why} ({holder}).")
