"""States as Prefect 1 has them: what `flow.run()` answers and what triggers and state handlers are given.

Each is a view of a state of the engine (`nadi.states.State`): the class says what the engine's type and name say, and
`result` is the value, or what the task failed with, as it is. The two kinds are converted and never mixed.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, ClassVar

from nadi.exceptions import FailedRun
from nadi.model.signals import FAIL, Signal, given_by
from nadi.model.states import State as EngineState
from nadi.model.states import StateType


class State:
    """What a task or flow came to; the root of the classes below."""

    #: What the engine calls it.
    engine_type: ClassVar[StateType] = StateType.PENDING
    engine_name: ClassVar[str] = ""

    def __init__(
        self,
        message: str | None = None,
        result: Any = None,
        context: Mapping[str, Any] | None = None,
        cached_inputs: Mapping[str, Any] | None = None,
    ) -> None:
        """Make a state.

        Args:
            message: What people read about it.
            result: The value of a task, what it failed with, or for a flow the states of its tasks by task.
            context: Kept for whoever reads it.
            cached_inputs: The inputs of the task by name, where they are known.
        """
        self.message = message
        self.result = result
        self.context = dict(context or {})
        self.cached_inputs = dict(cached_inputs or {})
        self._seen: tuple[EngineState[Any], str | None, Any] | None = None

    def __repr__(self) -> str:
        return f'<{type(self).__name__}: "{self.message}">' if self.message else f"<{type(self).__name__}>"

    def is_pending(self) -> bool:
        """Whether it has not begun: Pending, or any Scheduled state."""
        return isinstance(self, Pending)

    def is_scheduled(self) -> bool:
        """Whether it waits for a time or for somebody: Scheduled, Paused, Resume or Retrying."""
        return isinstance(self, Scheduled)

    def is_retrying(self) -> bool:
        """Whether it waits for its next attempt."""
        return isinstance(self, Retrying)

    def is_running(self) -> bool:
        """Whether it runs."""
        return isinstance(self, Running)

    def is_finished(self) -> bool:
        """Whether it has ended."""
        return isinstance(self, Finished)

    def is_successful(self) -> bool:
        """Whether it succeeded; Skipped, Cached and Mapped did."""
        return isinstance(self, Success)

    def is_failed(self) -> bool:
        """Whether it failed; TriggerFailed and TimedOut did."""
        return isinstance(self, Failed)

    def is_skipped(self) -> bool:
        """Whether it was skipped."""
        return isinstance(self, Skipped)

    def is_mapped(self) -> bool:
        """Whether it stands for the children of a map."""
        return isinstance(self, Mapped)

    def is_cached(self) -> bool:
        """Whether its value comes from a run before."""
        return isinstance(self, Cached)

    def is_looped(self) -> bool:
        """Whether a turn of its loop ended and the next one follows."""
        return isinstance(self, Looped)

    def is_submitted(self) -> bool:
        """Whether it was handed over and has not begun."""
        return isinstance(self, Submitted)

    def is_queued(self) -> bool:
        """Whether it waits for a place."""
        return isinstance(self, Queued)

    def stands_for(self, state: EngineState[Any]) -> None:
        """Be the view of a state of the engine, for as long as message and result stay as they are."""
        self._seen = (state, self.message, self.result)

    def known_to_engine(self) -> EngineState[Any]:
        """Return the engine's state that this one is a view of, or that says the same."""
        if self._seen is not None and self._seen[1] == self.message and self._seen[2] is self.result:
            return self._seen[0]
        return EngineState(
            type=self.engine_type,
            name=self.engine_name,
            message=self.message or "",
            data=self._data(),
            has_data=self.is_finished(),
        )

    def _data(self) -> Any:
        return self.result


class Pending(State):
    """It has not begun."""


class Scheduled(Pending):
    """It begins at `start_time`."""

    engine_type = StateType.SCHEDULED

    def __init__(
        self, message: str | None = None, result: Any = None, start_time: datetime.datetime | None = None, **more: Any
    ) -> None:
        """Make the state; see `State` for what `more` may be."""
        super().__init__(message, result, **more)
        self.start_time = start_time

    def _data(self) -> Any:
        return self.start_time


class Paused(Scheduled):
    """It waits for `nadi resume`."""

    engine_type = StateType.PAUSED


class Resume(Scheduled):
    """It was paused, and begins now."""

    engine_name = "Resume"


class Retrying(Scheduled):
    """It failed, and runs again at `start_time`."""

    engine_name = "Retrying"

    def __init__(
        self,
        message: str | None = None,
        result: Any = None,
        start_time: datetime.datetime | None = None,
        run_count: int = 1,
        **more: Any,
    ) -> None:
        """Make the state; `run_count` is how often it ran by now."""
        super().__init__(message, result, start_time, **more)
        self.run_count = run_count


class Submitted(State):
    """It was handed over, and `state` is what it was then."""

    def __init__(self, message: str | None = None, result: Any = None, state: State | None = None, **more: Any) -> None:
        """Make the state; `state` is what it stands for."""
        super().__init__(message, result, **more)
        self.state = state


class Queued(Submitted):
    """It waits for a place."""


class ClientFailed(Submitted):
    """It could not be recorded."""


class Running(State):
    """It runs."""

    engine_type = StateType.RUNNING


class Cancelling(Running):
    """It runs and is asked to stop."""

    engine_type = StateType.CANCELLING


class Finished(State):
    """It has ended."""

    engine_type = StateType.COMPLETED


class Success(Finished):
    """It succeeded, and `result` is its value."""


class Cached(Success):
    """Its value comes from an earlier run, or was found where it would have been written."""

    engine_name = "Cached"

    def __init__(
        self,
        message: str | None = None,
        result: Any = None,
        cached_inputs: Mapping[str, Any] | None = None,
        cached_parameters: Mapping[str, Any] | None = None,
        cached_result_expiration: datetime.datetime | None = None,
        **more: Any,
    ) -> None:
        """Make the state, with the inputs and parameters of the run that made the value and until when it counts."""
        super().__init__(message, result, cached_inputs=cached_inputs, **more)
        self.cached_parameters = dict(cached_parameters or {})
        self.cached_result_expiration = cached_result_expiration


class Mapped(Success):
    """It stands for the children of a map: `map_states`, in order; `result` is the list of theirs."""

    engine_name = "Mapped"

    def __init__(
        self,
        message: str | None = None,
        result: Any = None,
        map_states: list[State] | None = None,
        n_map_states: int | None = None,
        **more: Any,
    ) -> None:
        """Make the state of a mapped task with those of its children."""
        super().__init__(message, result, **more)
        self.map_states: list[State] = list(map_states or [])
        self._count = n_map_states

    @property
    def n_map_states(self) -> int:
        """How many children there are."""
        return len(self.map_states) or self._count or 0


class Skipped(Success):
    """It did not run, and nothing is wrong with that."""

    engine_name = "Skipped"


class Failed(Finished):
    """It failed, and `result` is what it raised."""

    engine_type = StateType.FAILED

    def _data(self) -> Any:
        if isinstance(self.result, FAIL):
            return self.result.failure
        if isinstance(self.result, BaseException) and not isinstance(self.result, Signal):
            return self.result
        return FailedRun(self.message or f"It ended {type(self).__name__}.")


class TimedOut(Failed):
    """It took longer than its timeout."""

    engine_name = "TimedOut"


class TriggerFailed(Failed):
    """Its trigger said no to what its upstream tasks came to, so that it did not run."""

    engine_name = "TriggerFailed"


class ValidationFailed(Failed):
    """It found its result not valid."""

    engine_name = "ValidationFailed"


class Looped(Finished):
    """A turn of its loop ended with `result`."""

    engine_name = "Looped"

    def __init__(
        self, message: str | None = None, result: Any = None, loop_count: int | None = None, **more: Any
    ) -> None:
        """Make the state; `loop_count` says which turn."""
        super().__init__(message, result, **more)
        self.loop_count = loop_count or 1


class Cancelled(Finished):
    """It was cancelled."""

    engine_type = StateType.CANCELLED


_BY_TYPE: dict[StateType, type[State]] = {
    StateType.SCHEDULED: Scheduled,
    StateType.PENDING: Pending,
    StateType.RUNNING: Running,
    StateType.PAUSED: Paused,
    StateType.CANCELLING: Cancelling,
    StateType.COMPLETED: Success,
    StateType.FAILED: Failed,
    StateType.CRASHED: Failed,
    StateType.CANCELLED: Cancelled,
}

_BY_NAME: dict[str, type[State]] = {
    **{kind.__name__: kind for kind in (Cached, Mapped, Skipped, TimedOut, TriggerFailed, ValidationFailed, Looped)},
    "AwaitingRetry": Retrying,
    "NotReady": TriggerFailed,
    "Resume": Resume,
    "Retrying": Retrying,
}


def view_of(state: EngineState[Any], **more: Any) -> State:
    """Return the view of a state of the engine; `more` is what its class takes beside message and result."""
    by_type = _BY_TYPE[state.type]
    named = _BY_NAME.get(state.name, by_type)
    # A name refines a type; where somebody gave a state of another type that name, the type counts.
    kind = named if named.engine_type is by_type.engine_type or named is Looped else by_type
    view = kind(state.message or None, what_it_gave(state), **more)
    view.stands_for(state)
    return view


def what_it_gave(state: EngineState[Any]) -> Any:
    """Return the value of a completed run, or what it failed with: where a signal was raised, that or its `result`."""
    return given_by(state.data) if isinstance(state.data, BaseException) else state.data


__all__ = [
    "Cached",
    "Cancelled",
    "Cancelling",
    "ClientFailed",
    "Failed",
    "Finished",
    "Looped",
    "Mapped",
    "Paused",
    "Pending",
    "Queued",
    "Resume",
    "Retrying",
    "Running",
    "Scheduled",
    "Skipped",
    "State",
    "Submitted",
    "Success",
    "TimedOut",
    "TriggerFailed",
    "ValidationFailed",
]
