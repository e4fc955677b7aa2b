"""Cancelling a run from another process: ask first; after the grace, end its process, and say what could not be ended.

Only a process of this machine whose identity is certain is ever sent a signal: boot, pid namespace, pid
and start time must be those that the run recorded, so that a reused pid is left alone.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from enum import StrEnum

import msgspec

from nadi.engine.background_futures import may_be_taken_up
from nadi.engine.clock import Clock
from nadi.exceptions import RunAlreadyFinished, RunTaken
from nadi.model.holders import Holder
from nadi.model.runs import FlowRun, Request
from nadi.model.states import StateType
from nadi.model.text import one_line
from nadi.storage.contract import Store
from nadi.storage.home import Home, process_start
from nadi.storage.leftovers import deliver_leftovers

#: Seconds between two looks at the run, and for how long ended processes are waited for.
POLL = 0.05
REAP = 5.0


class How(StrEnum):
    """How a run came to its end, or why it has not."""

    #: No process had it.
    UNCLAIMED = "unclaimed"
    #: It ended by itself after it was asked, or was asked and may.
    ASKED = "asked"
    #: Its process was ended.
    FORCED = "forced"
    #: It still runs: its process cannot be ended from here.
    OUT_OF_REACH = "out of reach"


class Cancelled(msgspec.Struct):
    """What a cancel came to."""

    run: FlowRun
    how: How
    #: The process that was ended, or that could not be; "" when it was not needed.
    process: str = ""
    #: What still runs, each with the reason.
    left: list[str] = []


def cancel_run(
    store: Store,
    home: Home,
    run: FlowRun,
    *,
    by: str,
    grace: float,
    observer: Holder,
    clock: Clock,
    pause: Callable[[float], object],
) -> Cancelled:
    """Stop a root run, and return when it has ended or cannot be ended.

    Args:
        store: The store that has it.
        home: The home whose left-over journals are delivered, when a process was ended.
        run: The root run.
        by: Who asks, for people.
        grace: Seconds that its process gets to end it by itself.
        observer: This process.
        clock: Tells the time.
        pause: Waits for some seconds.

    Raises:
        RunAlreadyFinished: it had ended before it was asked.
    """
    asked = ask_to_cancel(store, run, by=by, observer=observer, clock=clock)
    if asked.how is How.UNCLAIMED:
        return asked
    run = asked.run
    _wait_for_end(store, run, grace, observer, clock, pause)
    newest = _newest(store, run)
    if newest.is_final:
        return Cancelled(newest, How.ASKED)
    return _force(store, home, newest, observer, clock, pause)


def ask_to_cancel(store: Store, run: FlowRun, *, by: str, observer: Holder, clock: Clock) -> Cancelled:
    """Ask whoever has a root run to stop it, without waiting until it has; one that nobody has is ended at once.

    Raises:
        RunAlreadyFinished: it had ended before it was asked.
    """
    if may_be_taken_up(run):
        try:
            return _take_back(store, run, by=by, observer=observer, clock=clock)
        except RunTaken:  # a worker was faster
            run = _newest(store, run)
    if run.is_final:
        raise RunAlreadyFinished(run.name, state=run.state_name, proposed="Cancelled")
    if run.state_type in (StateType.SCHEDULED, StateType.PAUSED) and not _is_held(run, observer):
        message = f"Cancelled by {by}."
        if store.end_attempt(
            run.id, token=run.token, state=StateType.CANCELLED, name="", message=message, now=clock.now()
        ):
            return Cancelled(_newest(store, run), How.UNCLAIMED)
    store.ask(Request(run=run.id, kind="cancel", at=clock.now(), by=by))
    return Cancelled(_newest(store, run), How.ASKED)


def _take_back(store: Store, run: FlowRun, *, by: str, observer: Holder, clock: Clock) -> Cancelled:
    """Cancel a background run that lost its worker, in an attempt of its own: the one before stays crashed."""
    claim = store.claim(run.id, holder=observer.encode(), now=clock.now(), expected_token=run.token)
    message = f"Cancelled by {by}."
    store.end_attempt(run.id, token=claim.token, state=StateType.CANCELLED, name="", message=message, now=clock.now())
    return Cancelled(_newest(store, run), How.UNCLAIMED)


def _is_held(run: FlowRun, observer: Holder) -> bool:
    """Whether a process may have the run: one that cannot be looked up may."""
    holder = Holder.decode(run.holder)
    return bool(holder.pid) and (not holder.shares_pids_with(observer) or not holder.started or _is_it(holder))


def _newest(store: Store, run: FlowRun) -> FlowRun:
    return store.flow_run(run.id) or run


def _wait_for_end(
    store: Store, run: FlowRun, grace: float, observer: Holder, clock: Clock, pause: Callable[[float], object]
) -> None:
    """Wait until the run has ended, its process is gone, or the grace is over."""
    deadline = clock.monotonic() + grace
    while not _newest(store, run).is_final and clock.monotonic() < deadline:
        if not _is_held(run, observer):
            return
        pause(POLL)


def _force(
    store: Store, home: Home, run: FlowRun, observer: Holder, clock: Clock, pause: Callable[[float], object]
) -> Cancelled:
    holder = Holder.decode(run.holder)
    if not holder.shares_pids_with(observer) or not holder.started:
        where = f"{holder} cannot be looked up from here, so it is not ended; the request stays"
        return Cancelled(run, How.OUT_OF_REACH, str(holder), [where])
    # Who records from afar could name any process of this machine as the one that has the run.
    far = "" if store.url.startswith(("http://", "https://")) else store.access.far_recorder(run.root)
    if far:
        where = f"{holder} is not ended, as {one_line(far, 80)} recorded the run from afar; the request stays"
        return Cancelled(run, How.OUT_OF_REACH, str(holder), [where])
    left: list[str] = []
    forced = _is_it(holder)
    if forced:
        left = end_process(holder, clock, pause)
    deliver_leftovers(home, store, observer, now=clock.now())
    run = _newest(store, run)
    if not run.is_final:
        return Cancelled(run, How.OUT_OF_REACH, str(holder), left)
    return Cancelled(run, How.FORCED if forced else How.ASKED, str(holder), left)


# -- processes ------------------------------------------------------------------------------


def _is_it(holder: Holder) -> bool:
    """Whether the process with the holder's pid is the holder; asked in the holder's pid namespace."""
    return bool(holder.started) and process_start(holder.pid) == holder.started


def end_process(holder: Holder, clock: Clock, pause: Callable[[float], object]) -> list[str]:
    """End a process for certain, with its group where it leads one, else with all that it started.

    Returns:
        What could not be ended, each with the reason.
    """
    left: list[str] = []
    ended: dict[int, int] = {}
    # Stopped first: a process that stands still starts nothing more, and its pid cannot pass to another one.
    pending = {holder.pid: holder.started}
    while pending:
        for pid, started in pending.items():
            ended[pid] = started
            _send(pid, started, signal.SIGSTOP, left)
        pending = {
            pid: started for pid, started in _belonging_to(holder.pid) if pid not in ended and pid != os.getpid()
        }
    for pid, started in ended.items():
        if not any(told.startswith(f"process {pid} ") for told in left):
            _send(pid, started, signal.SIGKILL, left)
    deadline = clock.monotonic() + REAP
    while alive := [pid for pid, started in ended.items() if process_start(pid) == started]:
        if clock.monotonic() >= deadline:
            break
        pause(POLL)
    told = {text.split()[1] for text in left}
    return [*left, *(f"process {pid} does not end; the kernel holds it" for pid in alive if str(pid) not in told)]


def _send(pid: int, started: int, number: signal.Signals, left: list[str]) -> None:
    try:
        # A handle names one process for ever: after the look at its start time no other can be meant.
        handle = os.pidfd_open(pid)
    except (ProcessLookupError, AttributeError):
        handle = -1
    try:
        if process_start(pid) != started:
            return
        if handle >= 0:
            signal.pidfd_send_signal(handle, number)
        else:
            os.kill(pid, number)
    except ProcessLookupError:
        return
    except PermissionError:
        left.append(f"process {pid} belongs to another user, who must end it")
    finally:
        if handle >= 0:
            os.close(handle)


def _belonging_to(leader: int) -> list[tuple[int, int]]:
    """Return pid and start time of the group that `leader` leads, or else of everything that it started."""
    everyone = list(_processes())
    if any(pid == leader == group for pid, _, group, _ in everyone):
        return [(pid, started) for pid, _, group, started in everyone if group == leader and pid != leader]
    found: dict[int, int] = {}
    above = {leader}
    while above:
        below = {pid: started for pid, parent, _, started in everyone if parent in above and pid not in found}
        found.update(below)
        above = set(below)
    return list(found.items())


def _processes() -> Iterator[tuple[int, int, int, int]]:
    """Yield pid, parent, process group and start time of every process that can be seen."""
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as file:
                # The second field, the program's name, may hold spaces and parentheses: count from the last one.
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        if fields and fields[0] not in "ZX":
            yield int(name), int(fields[1]), int(fields[2]), int(fields[19])
