"""Signals: what user code raises to steer its run.

They derive from BaseException, so that `except Exception` in a task does not swallow them, and stand apart from
`nadi.exceptions`: a signal is no fault, it says how the run is to go on.

::

    Signal
    ├── Ending                 end the run in this state
    │   ├── SUCCESS            ├─ COMPLETED, with `result`
    │   ├── SKIP               ├─ COMPLETED as Skipped; what follows is skipped too, in a declared flow
    │   ├── FAIL               ├─ FAILED; retried like any failure
    │   │   ├── TRIGGERFAIL    │  ├─ FAILED as TriggerFailed
    │   │   └── VALIDATIONFAIL │  └─ FAILED as ValidationFailed
    │   └── ENDRUN             └─ the state that it is given
    ├── RETRY                  run again at `start_time`, however many retries are left
    ├── LOOP                   run again at once; `nadi.context` has the count and `result`
    └── PAUSE                  wait for `nadi resume`
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from nadi.exceptions import FailedRun
from nadi.model.states import State, StateType


class Signal(BaseException):
    """The root of all signals."""

    #: What the state is called that it leads to.
    state_name = ""

    def __init__(self, message: str | None = None, *args: Any, **state_kwargs: Any) -> None:
        """Describe the state that is wanted.

        Args:
            message: What people read about it.
            args: Kept, and of no effect.
            state_kwargs: `result` is the run's value; `start_time` of RETRY when it runs again; others are kept.
        """
        super().__init__(message if message is not None else "", *args)
        self.message = message or ""
        self.result: Any = state_kwargs.get("result")
        self.state_kwargs = state_kwargs

    def __str__(self) -> str:
        return self.message


class Ending(Signal):
    """Ends the run in a state of its own."""

    state_type = StateType.COMPLETED

    @property
    def state(self) -> State[Any]:
        """The state that the run is to end in."""
        return State(type=self.state_type, name=self.state_name, message=self.message, data=self.result, has_data=True)


class SUCCESS(Ending):
    """End the run COMPLETED, with `result` as its value."""


class SKIP(Ending):
    """End the run as Skipped: COMPLETED, and in a declared flow what follows is skipped too."""

    state_name = "Skipped"


class FAIL(Ending):
    """End the attempt as failed; it is retried like any failure."""

    state_type = StateType.FAILED

    @property
    def failure(self) -> FailedRun:
        """The error that the run fails with: callers of the task can catch it; this signal is its cause."""
        error = FailedRun(self.message or f"The task raised {type(self).__name__}.")
        error.__cause__ = self
        return error

    @property
    def state(self) -> State[Any]:
        """The state that the run is to end in."""
        error = self.failure
        return State(type=self.state_type, name=self.state_name, message=str(error), data=error, has_data=True)


class TRIGGERFAIL(FAIL):
    """End the run as TriggerFailed."""

    state_name = "TriggerFailed"


class VALIDATIONFAIL(FAIL):
    """End the run as ValidationFailed."""

    state_name = "ValidationFailed"


class ENDRUN(Ending):
    """End the run in the state that is given: one of `nadi.states`, or one of `nadi.declarative.states`."""

    def __init__(self, state: Any) -> None:
        BaseException.__init__(self, state)
        #: As it was given.
        self.wanted = state
        self.message, self.state_kwargs = str(getattr(state, "message", "") or ""), {}
        self.result = None

    @property
    def state(self) -> State[Any]:
        """The state that the run is to end in."""
        if isinstance(self.wanted, State):
            return self.wanted
        known: State[Any] = self.wanted.known_to_engine()
        return known


class RETRY(Signal):
    """Run again, however many retries are left: at `start_time`, or at once."""

    state_name = "Retrying"

    @property
    def start_time(self) -> Any:
        """When it is to run again; `None` for at once."""
        return self.state_kwargs.get("start_time")


class LOOP(Signal):
    """Run again at once, as the next turn of a loop: `task_loop_count` and `task_loop_result` of `nadi.context`."""

    state_name = "Looped"


class PAUSE(Signal):
    """Wait for `nadi resume`: the task then runs, or runs again, with `resume` true in `nadi.context`."""

    state_name = "Paused"


def seconds_until(start: Any, now: float) -> float:
    """Return the seconds from `now` (Unix seconds) until a point in time; 0 when that is none, or is over.

    A time without a zone is one of UTC, as in Prefect 1.
    """
    if not isinstance(start, datetime):
        return 0.0
    return max(0.0, (start if start.tzinfo is not None else start.replace(tzinfo=UTC)).timestamp() - now)


def signal_behind(error: BaseException | None) -> Signal | None:
    """Return the signal that a run failed by, or `None`."""
    if isinstance(error, Signal):
        return error
    cause = error.__cause__ if isinstance(error, FailedRun) else None
    return cause if isinstance(cause, Signal) else None


def given_by(error: BaseException) -> Any:
    """Return what a failed task gives to the ones after it in a declared flow.

    That is the `result` of the signal that it failed by; the signal where it has none; and else the error.
    """
    signal = signal_behind(error)
    return error if signal is None else signal.state_kwargs.get("result", signal)
