"""States: the types drive logic, the names refine a type for people and drive nothing.

The machine, for flow runs and task runs alike::

    SCHEDULED ──> PENDING ──> RUNNING ──> COMPLETED | FAILED | CRASHED | CANCELLED
        ^            │           │
        └────────────┴───────────┤ AwaitingRetry, AwaitingResume
                                 ├──> PAUSED ──> SCHEDULED | RUNNING
                                 └──> CANCELLING ──> CANCELLED | ...

A final state belongs to one attempt and never changes. Only a claim makes a new attempt,
and only after FAILED, CRASHED or CANCELLED: see `may_follow` and `may_be_claimed`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

import msgspec

from nadi.exceptions import (
    CancelledRun,
    CrashedRun,
    FailedRun,
    MissingResult,
    UnfinishedRun,
)
from nadi.model.results import KeptElsewhere

R = TypeVar("R")


class StateType(StrEnum):
    """What a state means to the engine."""

    SCHEDULED = "SCHEDULED"
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    CANCELLING = "CANCELLING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CRASHED = "CRASHED"
    CANCELLED = "CANCELLED"


#: No transition leaves these within one attempt.
FINAL = frozenset({StateType.COMPLETED, StateType.FAILED, StateType.CRASHED, StateType.CANCELLED})

_FINAL_OR_CANCELLING = FINAL | {StateType.CANCELLING}

_NEXT: dict[StateType, frozenset[StateType]] = {
    StateType.SCHEDULED: _FINAL_OR_CANCELLING | {StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING},
    StateType.PENDING: _FINAL_OR_CANCELLING | {StateType.SCHEDULED, StateType.RUNNING, StateType.PAUSED},
    StateType.RUNNING: _FINAL_OR_CANCELLING | {StateType.SCHEDULED, StateType.RUNNING, StateType.PAUSED},
    StateType.PAUSED: _FINAL_OR_CANCELLING | {StateType.SCHEDULED, StateType.RUNNING},
    StateType.CANCELLING: FINAL,
    StateType.COMPLETED: frozenset(),
    StateType.FAILED: frozenset(),
    StateType.CRASHED: frozenset(),
    StateType.CANCELLED: frozenset(),
}


def may_follow(old: StateType | None, new: StateType) -> bool:
    """Tell whether `new` may follow `old` within one attempt; `None` is "not yet there"."""
    return old is None or new in _NEXT[old]


def may_be_claimed(state: StateType) -> bool:
    """Tell whether a new attempt may be claimed from `state`: never after COMPLETED."""
    return state is not StateType.COMPLETED


class State(msgspec.Struct, Generic[R], frozen=True, kw_only=True):
    """Where a run stands, since when, and why.

    `data` lives in this process only: the value of a completed run, the exception of a
    failed one. It is never part of the wire form.
    """

    type: StateType
    #: What people read; refines the type and drives nothing.
    name: str = ""
    message: str = ""
    #: Since when, Unix seconds UTC; 0 when the state was made by hand and not yet proposed.
    at: float = 0.0
    data: Any = None
    #: Whether `data` is the run's outcome (a completed run may well have returned None).
    has_data: bool = False

    def __post_init__(self) -> None:
        if not self.name:
            msgspec.structs.force_setattr(self, "name", DEFAULT_NAMES[self.type])

    @property
    def timestamp(self) -> datetime:
        """Since when the run is in this state."""
        return datetime.fromtimestamp(self.at, UTC)

    def is_scheduled(self) -> bool:
        return self.type is StateType.SCHEDULED

    def is_pending(self) -> bool:
        return self.type is StateType.PENDING

    def is_running(self) -> bool:
        return self.type is StateType.RUNNING

    def is_paused(self) -> bool:
        return self.type is StateType.PAUSED

    def is_cancelling(self) -> bool:
        return self.type is StateType.CANCELLING

    def is_completed(self) -> bool:
        return self.type is StateType.COMPLETED

    def is_failed(self) -> bool:
        return self.type is StateType.FAILED

    def is_crashed(self) -> bool:
        return self.type is StateType.CRASHED

    def is_cancelled(self) -> bool:
        return self.type is StateType.CANCELLED

    def is_final(self) -> bool:
        return self.type in FINAL

    def result(self, raise_on_failure: bool = True) -> R:
        """Return the run's value, or raise what it failed with.

        Args:
            raise_on_failure: `False` returns the exception instead of raising it.

        Raises:
            UnfinishedRun: the run has no outcome yet.
            MissingResult: it completed, but the value is neither in memory nor kept.
            BaseException: whatever the run failed with.
        """
        if self.type is StateType.COMPLETED:
            if not self.has_data:
                raise MissingResult("The run completed, but its value was not kept in memory or in storage.")
            if type(self.data) is KeptElsewhere:
                return self.data.read()  # type: ignore[no-any-return]  # as below
            return self.data  # type: ignore[no-any-return]  # data is untyped: it comes from user code
        if self.type not in FINAL:
            raise UnfinishedRun(f"The run is {self.name} and has no result yet; wait for it first.")
        error = self.error()
        if raise_on_failure:
            raise error
        return error  # type: ignore[return-value]  # documented: the exception stands in for the value

    def error(self) -> BaseException:
        """Return what the run failed with; a run that failed elsewhere gives an error of ours with its message."""
        if isinstance(self.data, BaseException):
            return self.data
        kind = {StateType.CANCELLED: CancelledRun, StateType.CRASHED: CrashedRun}.get(self.type, FailedRun)
        return kind(self.message or f"The run ended {self.name}.")

    def __str__(self) -> str:
        label = self.name if self.name.upper() == self.type else f"{self.name} ({self.type})"
        return f"{label}: {self.message}" if self.message else label


#: The name a type has when nothing refines it.
DEFAULT_NAMES = {kind: kind.value.capitalize() for kind in StateType}


def aggregate(states: Iterable[State[Any]]) -> StateType:
    """Return the type a run ends in when it returns several states or futures (Prefect 3's rule).

    All completed gives COMPLETED; else any cancelled, then any paused, wins; else FAILED.
    """
    kinds = {state.type for state in states}
    if kinds <= {StateType.COMPLETED}:
        return StateType.COMPLETED
    for kind in (StateType.CANCELLED, StateType.PAUSED):
        if kind in kinds:
            return kind
    return StateType.FAILED
