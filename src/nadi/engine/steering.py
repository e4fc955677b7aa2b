"""Steering: what signals and state handlers make of a run.

A signal is raised by the code of a run, a state handler is asked at each of its transitions; both may lead to another
state than the one that would follow by itself. What has neither pays nothing for this.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nadi.engine.decisions import End, LoopAgain, Pause, RetryAfter, after_signal
from nadi.exceptions import FailedRun
from nadi.model.signals import Signal
from nadi.model.states import State, StateType
from nadi.model.tracebacks import summarise


class Steering:
    """How far a run has been steered."""

    __slots__ = ("context", "last", "loop_count", "loop_result", "resumed")

    def __init__(self) -> None:
        #: The state that its handler saw last.
        self.last: State[Any] = State(type=StateType.PENDING)
        #: Which turn of its loop it is in, from 1.
        self.loop_count = 1
        #: What the turn before gave.
        self.loop_result: Any = None
        #: Whether it was put aside before and somebody resumed it.
        self.resumed = False
        #: What its code finds in `nadi.context` beside that.
        self.context: Mapping[str, Any] = {}

    def told(self, map_index: int) -> dict[str, Any]:
        """Return what `nadi.context` has for the code of the run, of which `map_index` is the place in a map."""
        told = {**self.context, "resume": self.resumed}
        if map_index >= 0:
            told["map_index"] = map_index
        if self.loop_count > 1:
            told |= {"task_loop_count": self.loop_count, "task_loop_result": self.loop_result}
        return told


def steering_of(run: Any) -> Steering:
    """Return how a run was steered, to be changed."""
    if run.steering is None:
        run.steering = Steering()
    steering: Steering = run.steering
    return steering


def asked(run: Any, new: State[Any]) -> State[Any]:
    """Return the state that a run is to have instead of `new`, by its state handler.

    A handler that raises makes it fail, with a sentence that says so; a signal of it is followed.
    """
    handler = run.spec.state_handler
    steering = steering_of(run)
    try:
        answer = handler(run, steering.last, new)
        if answer is None:
            answer = new
        elif not isinstance(answer, State):
            answer = _failed(run, new, f"returned {answer!r}, which is no state", None)
    except Signal as signal:
        step = after_signal(signal, now=run.session.now())
        if isinstance(step, BaseException):
            step = State(type=StateType.FAILED, message=str(step), data=step, has_data=True)
        answer = step if isinstance(step, State) else _failed(run, new, f"raised {type(signal).__name__}", None)
    except Exception as error:
        answer = _failed(run, new, f"failed: {summarise(error)}", error)
    steering.last = answer
    return answer


def _failed(run: Any, new: State[Any], what: str, cause: BaseException | None) -> State[Any]:
    told = FailedRun(f"The state handler of {run.name} {what} (it was asked about {new.name}).")
    told.__cause__ = cause
    return State(type=StateType.FAILED, message=str(told), data=told, has_data=True)


def state_after(end: End, error: BaseException) -> State[Any]:
    """Return the final state of a run that ends so, with what it failed with."""
    return State(type=end.type, name=end.name, message=summarise(error), data=error, has_data=True)


def obey(run: Any, signal: Signal) -> BaseException | float | None:
    """Do what a signal says that the code of a task run raised.

    Returns:
        The error that the attempt failed with; or the seconds until the next attempt; or `None` when it is over.
    """
    step = after_signal(signal, now=run.session.now())
    if isinstance(step, BaseException):
        return step
    if isinstance(step, State):
        run.end_with(step)
        return None
    if isinstance(step, Pause):
        run.put_aside(step.message)
        return None
    if isinstance(step, RetryAfter):
        seconds: float | None = run.await_retry(signal, step, asked_for=True)
        return seconds
    return _next_turn(run, step)


def obey_in_flow(run: Any, signal: Signal) -> BaseException | float | None:
    """Do what a signal says that the function of a flow run raised; see `obey`."""
    step = after_signal(signal, now=run.session.now())
    if isinstance(step, BaseException):
        return step
    if isinstance(step, State) and step.is_final():
        run.end_with(step)
        return None
    if isinstance(step, RetryAfter):
        seconds: float | None = run.await_retry(signal, step)
        return seconds
    return FailedRun(
        f"The flow {run.name} raised {type(signal).__name__}, and a flow cannot raise LOOP or PAUSE: tasks can."
        " A flow loops by itself, and waits by nadi.suspend_flow_run()."
    )


def _next_turn(run: Any, step: LoopAgain) -> float | None:
    """Begin the next turn of a loop: a further run of the function within the same attempt."""
    steering = steering_of(run)
    if run.spec.state_handler is not None:
        looped: State[Any] = State(
            type=StateType.COMPLETED, name="Looped", message=step.message, data=step.result, has_data=True
        )
        answer = asked(run, looped)
        if answer is not looped:
            run.end_with(answer, handled=True)
            return None
    steering.loop_count += 1
    steering.loop_result = step.result
    run.failures = 0
    # What the turn before called does not stand for the calls of this one, as it would after a failure.
    run.made_calls = False
    run.move(StateType.RUNNING, "Looped", message=step.message or f"Turn {steering.loop_count} of its loop begins.")
    return 0.0
