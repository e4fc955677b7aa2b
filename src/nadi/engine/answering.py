"""Other runs, from wherever their store can be reached: answering them, asking them to suspend, waiting for them."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from typing import Any

from nadi.engine.lookup import find_root, find_run
from nadi.engine.recording import clock, recorder
from nadi.engine.run_inputs import answer_pause, asked_fields, asks_for_nothing, the_open_pause
from nadi.engine.scope import current
from nadi.exceptions import NotResumable, RunAlreadyFinished, TimedOut
from nadi.executors.threads import place_lent
from nadi.model.pauses import Pause
from nadi.model.runs import FlowRun, Request
from nadi.model.states import StateType
from nadi.model.text import human_duration
from nadi.storage.claiming import is_released
from nadi.storage.contract import Store
from nadi.storage.recorder import Recorder

_log = logging.getLogger("nadi.runs")

#: Seconds between two looks at a run that is waited for.
LOOK = 0.2


class Done:
    """What is done already; awaiting it gives `None` at once."""

    def __await__(self) -> Generator[None, None, None]:
        yield from ()

    def __repr__(self) -> str:
        return "<done>"


def recorder_here() -> Recorder:
    """Return the recorder of the run that calls this, or of this process; what runs here told is in its store."""
    scope = current.get()
    into = scope.session.recorder if scope is not None else recorder()
    into.barrier()
    return into


def resume_paused(wanted: str, given: Any) -> None:
    """Answer the pause of a run. See `nadi.flow_runs.resume_flow_run`."""
    into = recorder_here()
    store = into.store()
    run = find_run(store, wanted)
    pause = the_open_pause(store, run)
    if pause is not None:
        answer_pause(store, run, pause, given, by=str(into.holder), now=clock.now())
    elif not is_released(run) or given is not None:
        raise asks_for_nothing(store, run)


def settle(store: Store, run: FlowRun, given: Any, *, by: str) -> None:
    """Answer what a root run asks before it is taken up again.

    Raises:
        InputRefused: the input is not what is asked for, or nothing is.
        NotResumable: it is suspended and needs an input that was not given.
    """
    if given is None and not is_released(run):
        return
    pause = the_open_pause(store, run)
    if given is not None and pause is None:
        raise asks_for_nothing(store, run)
    if pause is None:
        return
    if given is None and pause.schema:
        raise NotResumable(
            f"Run {run.name} is suspended and waits for input: nadi.resume({run.name!r}, run_input={{...}})."
            f" `nadi why {run.name}` tells what it asks for."
        )
    answer_pause(store, run, pause, given, by=by, now=clock.now())


def goes_on_by_itself(store: Store, found: FlowRun, given: Any, *, by: str, now: float) -> bool:
    """Answer what a flow run asks, if it asks, and tell whether it goes on in the process that holds it.

    Where it does not, somebody has to take it up: `resume` does.

    Args:
        store: The store.
        found: The flow run; of a root run, what its subflow runs ask counts too.
        given: The answer; `None` for none.
        by: Who answers, for people.
        now: Unix seconds.

    Raises:
        InputRefused: the input is not what is asked for, or nothing is.
        NotResumable: it waits for an input, and none was given.
    """
    root = found if found.is_root else store.flow_run(found.root) or found
    if root.is_final and given is None:
        return False
    pause = the_open_pause(store, found)
    if pause is None:
        if given is not None:
            raise asks_for_nothing(store, found)
        return False
    asker = store.flow_run(pause.run)
    waits = not root.is_final and asker is not None and is_blocked(asker)
    if given is None and pause.schema:
        raise NotResumable(
            f"Run {root.name} waits for input: {', '.join(field.name for field in asked_fields(pause))}. Give it with"
            " the request, or by `nadi resume`."
        )
    if given is None and not waits and not is_released(root):
        return False
    answer_pause(store, found, pause, given, by=by, now=now)
    return waits


def unanswered(store: Store, run: FlowRun) -> Pause | None:
    """Return what a suspended run asks for, if it needs an input to go on."""
    pause = the_open_pause(store, run) if is_released(run) else None
    return pause if pause is not None and pause.schema else None


def is_blocked(run: FlowRun) -> bool:
    """Tell whether a run waits for an answer in a process that holds it."""
    return run.state_type is StateType.PAUSED and not is_released(run)


def ask_to_suspend(wanted: str) -> None:
    """Ask whoever runs a root run to suspend it."""
    into = recorder_here()
    store = into.store()
    run = find_root(store, wanted)
    if run.is_final:
        raise RunAlreadyFinished(run.name, state=run.state_name, proposed="Suspended")
    if not is_released(run):
        store.ask(Request(run=run.id, kind="suspend", at=clock.now(), by=str(into.holder)))


def _looks(wanted: str, timeout: float | None, log_states: bool) -> Iterator[FlowRun]:
    """Yield a run each time that it is looked at; raises TimedOut when it has not ended in time."""
    store = recorder_here().store()
    run = find_run(store, wanted)
    deadline = None if timeout is None else clock.monotonic() + timeout
    said = ""
    while True:
        if log_states and run.state_name != said:
            said = run.state_name
            _log.info("Run %s is %s.", run.name, said)
        if deadline is not None and clock.monotonic() >= deadline and not run.is_final:
            waited = human_duration(round(timeout or 0.0, 1))
            raise TimedOut(f"Run {run.name} has not ended within {waited}; it is {run.state_name}.")
        yield run
        run = store.flow_run(run.id) or run


def finished_run(wanted: str, *, timeout: float | None, poll_interval: float | None, log_states: bool) -> FlowRun:
    """Wait in this thread until a run has ended. See `nadi.flow_runs.wait_for_flow_run`."""
    from threading import Event

    scope = current.get()
    stopped = scope.session.stop_event if scope is not None else Event()
    for run in _looks(wanted, timeout, log_states):
        if run.is_final:
            return run
        with place_lent():
            stopped.wait(poll_interval or LOOK)
        if scope is not None:
            scope.session.check()
    raise AssertionError("looking goes on until the run has ended")


async def await_run(wanted: str, *, timeout: float | None, poll_interval: float | None, log_states: bool) -> FlowRun:
    """Wait on the running loop until a run has ended. See `nadi.flow_runs.wait_for_flow_run`."""
    import asyncio

    for run in _looks(wanted, timeout, log_states):
        if run.is_final:
            return run
        await asyncio.sleep(poll_interval or LOOK)
    raise AssertionError("looking goes on until the run has ended")
