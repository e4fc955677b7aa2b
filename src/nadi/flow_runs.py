"""Pausing and suspending the run that runs here, resuming others, and waiting for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, overload
from uuid import UUID

from nadi.engine.answering import Done, ask_to_suspend, await_run, finished_run, resume_paused
from nadi.engine.loops import running_loop
from nadi.engine.pausing import pause, suspend
from nadi.engine.scope import current
from nadi.exceptions import ContextError
from nadi.model.runs import FlowRun

T = TypeVar("T")


@overload
def pause_flow_run(
    wait_for_input: type[T], timeout: float | None = 3600, poll_interval: float = 10, key: str | None = None
) -> T: ...
@overload
def pause_flow_run(
    wait_for_input: Any = None, timeout: float | None = 3600, poll_interval: float = 10, key: str | None = None
) -> Any: ...
def pause_flow_run(
    wait_for_input: Any = None, timeout: float | None = 3600, poll_interval: float = 10, key: str | None = None
) -> Any:
    """Stop here until somebody resumes the run, and return what they answered.

    The process waits; what was submitted before goes on. A cancel, Ctrl-C and the flow's own timeout end the wait. In
    an async flow, await it. A run that is killed while it waits is CRASHED; resumed, it waits again, or goes on with
    the answer that it got meanwhile.

    Args:
        wait_for_input: The type of the answer: a RunInput, a dataclass, a Struct, a TypedDict, a pydantic model or a
            plain type. `None` wants no more than that somebody resumes it.
        timeout: Seconds until the run fails for want of an answer; `None` waits for ever.
        poll_interval: The most seconds between two looks for an answer; Nadi looks five times a second at least.
        key: What the pause is known by in its flow run; "1", "2", ... when it is not given. A key that was answered
            gives its answer again, at once.

    Raises:
        ContextError: called outside of a flow function.
        DefinitionError: nobody could answer with such a value, a time is not above 0, or the key is no text.
        TimedOut: nobody answered in time.
    """
    return pause(wait_for_input, timeout=timeout, poll_interval=poll_interval, key=key)


@overload
def suspend_flow_run(
    wait_for_input: type[T], flow_run_id: None = None, timeout: float | None = 3600, key: str | None = None
) -> T: ...
@overload
def suspend_flow_run(
    wait_for_input: Any = None,
    flow_run_id: str | UUID | None = None,
    timeout: float | None = 3600,
    key: str | None = None,
) -> Any: ...
def suspend_flow_run(
    wait_for_input: Any = None,
    flow_run_id: str | UUID | None = None,
    timeout: float | None = 3600,
    key: str | None = None,
) -> Any:
    """Put the run aside, so that no process holds it, until somebody resumes it; returns what they answered.

    The flow function is left here. What was submitted before is waited for, and the run becomes PAUSED, named
    Suspended. Whoever resumes it enters the function again from the top, where everything finished is reused and this
    call returns the answer. The caller of the flow gets SuspendedRun, or the state with `return_state=True`. In an
    async flow, await it.

    Args:
        wait_for_input: The type of the answer; see `pause_flow_run`.
        flow_run_id: Another run to suspend: it leaves its function at its next call of a task or flow.
        timeout: Seconds until the run fails for want of an answer; `None` for ever.
        key: What the pause is known by in its flow run; see `pause_flow_run`.

    Raises:
        ContextError: called outside of the function of a root run, or another run was to ask for input.
        DefinitionError: nobody could answer with such a value, the time is not above 0, or the key is no text.
        TimedOut: nobody answered in time.
        RunNotFound, RunAlreadyFinished: of another run.
    """
    scope = current.get()
    if flow_run_id is None or (scope is not None and str(flow_run_id) == scope.flow_run):
        return suspend(wait_for_input, timeout=timeout, key=key)
    if wait_for_input is not None:
        raise ContextError("Only the run itself can ask for input; leave out wait_for_input, or flow_run_id.")
    ask_to_suspend(str(flow_run_id))
    return Done()


def resume_flow_run(flow_run_id: str | UUID, run_input: Any = None) -> Done:
    """Answer a paused run, from wherever its store can be reached.

    A run that blocks in `pause_flow_run` goes on by itself. A suspended one is then ready for whoever resumes it
    (`nadi resume`, `nadi.resume`). The first answer counts. It is given when this returns; awaiting the answer of this
    function, as Prefect has it, is not needed and harmless.

    Args:
        flow_run_id: Id of the run, a unique beginning of it, or its name. Of a root run, a pause of a subflow run too.
        run_input: The answer: fields by name or an instance of the type; for a plain type the value.

    Raises:
        RunNotFound, AmbiguousRun: no run, or several, match.
        InputRefused: nothing is asked, or not this, or somebody was faster, or the time is over.
    """
    resume_paused(str(flow_run_id), run_input)
    return Done()


def wait_for_flow_run(
    flow_run_id: str | UUID, timeout: float | None = 10800, poll_interval: float | None = None, log_states: bool = False
) -> Any:
    """Wait until a run has ended and return it, as the store has it. In async code, await it.

    A run that is suspended is waited for too.

    Args:
        flow_run_id: Id of the run, a unique beginning of it, or its name.
        timeout: The most seconds to wait; `None` for ever.
        poll_interval: Seconds between two looks; a fifth of one when it is not given.
        log_states: Whether to log each state that is seen.

    Raises:
        RunNotFound, AmbiguousRun: no run, or several, match.
        TimedOut: it had not ended in time.
    """
    scope = current.get()
    in_async = scope.spec.is_async if scope is not None else running_loop() is not None
    wait: Callable[..., Any] = await_run if in_async else finished_run
    return wait(str(flow_run_id), timeout=timeout, poll_interval=poll_interval, log_states=log_states)


__all__ = [
    "FlowRun",
    "pause_flow_run",
    "resume_flow_run",
    "suspend_flow_run",
    "wait_for_flow_run",
]
