"""Left-over journals: what a killed process appended is delivered by the next one that looks.

Whoever gets the lock of a journal's folder knows that its writer is dead: the kernel held the
lock for it. It delivers the journal, says of the runs that were still open that they crashed,
and removes the folder.
"""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from nadi.exceptions import StoreError
from nadi.model.holders import Holder
from nadi.model.runs import FlowRun, RunFilter
from nadi.model.states import StateType
from nadi.storage.contract import Batch, Refusal, Store
from nadi.storage.delivery import JournalReader
from nadi.storage.home import Home, is_gone
from nadi.storage.journal import Header, read_header, segments
from nadi.storage.locks import FileLock

_log = logging.getLogger("nadi.storage")

_HELD = (StateType.PENDING, StateType.RUNNING, StateType.CANCELLING)
_OPEN = (StateType.SCHEDULED, StateType.PAUSED, *_HELD)
#: The most open runs judged in one look.
_PAGE = 1000


@dataclass
class Found:
    """What a look at left-over journals came to."""

    #: Root runs found to have lost their process, now CRASHED.
    crashed: list[str] = field(default_factory=list)
    #: Records delivered for dead processes.
    delivered: int = 0
    #: Journals that could not be delivered, each with the reason.
    stuck: dict[Path, str] = field(default_factory=dict)


def deliver_leftovers(home: Home, store: Store, observer: Holder, *, now: float) -> Found:
    """Deliver the journals of dead processes of this home, and crash the runs they left open.

    Journals of living processes, and those meant for other stores, are left alone. Two
    processes that look at once share the work: each journal goes to whoever gets its lock.
    """
    found = Found()
    for folder in sorted(home.journals.glob("*/")):
        lock = FileLock(folder / "lock")
        try:
            if not lock.try_acquire():
                continue
        except OSError:
            continue
        try:
            header = journal_header(folder)
            if header is None or header.store in ("", store.id):
                deliver_one(folder, store, found)
                if header is not None:
                    for run in store.flow_runs(RunFilter(holder=header.holder, states=_OPEN), limit=_PAGE):
                        _crash(store, run, found, now=now)
                shutil.rmtree(folder, ignore_errors=True)
                store.forget_writer(folder.name)
        except (StoreError, OSError) as error:
            found.stuck[folder] = str(error)
        finally:
            lock.release()
    _crash_runs_of_gone_processes(home, store, observer, found, now=now)
    return found


def deliver_one(folder: Path, store: Store, found: Found) -> None:
    """Deliver one journal that nobody writes any more."""
    reader = JournalReader(folder, store.watermark(folder.name))
    try:
        while True:
            first = reader.position + 1
            records, _ = reader.read()
            if not records:
                return
            applied = store.apply(Batch(folder.name, first, records))
            found.delivered += len(records)
            superseded = sum(one.why is not Refusal.DELETED for one in applied.refused)
            if superseded:
                _log.warning("%d records left by %s came too late and are set aside.", superseded, folder.name)
            reader.move_to(applied.watermark)
    finally:
        reader.close()


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
    for run in store.flow_runs(RunFilter(states=_HELD), limit=_PAGE):
        holder = Holder.decode(run.holder)
        if not (home.journals / holder.writer).is_dir() and is_gone(holder, observer):
            _crash(store, run, found, now=now)


def _crash(store: Store, run: FlowRun, found: Found, *, now: float) -> None:
    # Who was being cancelled when the process died was cancelled after all.
    state = StateType.CANCELLED if run.state_type is StateType.CANCELLING else StateType.CRASHED
    message = f"Its process ended without finishing it ({Holder.decode(run.holder)})."
    if store.end_attempt(run.id, token=run.token, state=state, name="", message=message, now=now):
        found.crashed.append(run.id)
