"""States: types, factories, and how several make one. `State` is what runs end in and what hooks receive."""

from __future__ import annotations

from typing import Any

from nadi.model.states import FINAL, State, StateType, aggregate


def _state(kind: StateType, name: str, message: str, data: Any, has_data: bool) -> State[Any]:
    return State(type=kind, name=name, message=message, data=data, has_data=has_data)


def Scheduled(message: str = "", name: str = "Scheduled") -> State[Any]:  # Prefect's name
    """Return a SCHEDULED state."""
    return _state(StateType.SCHEDULED, name, message, None, False)


def Pending(message: str = "", name: str = "Pending") -> State[Any]:
    """Return a PENDING state."""
    return _state(StateType.PENDING, name, message, None, False)


def Running(message: str = "", name: str = "Running") -> State[Any]:
    """Return a RUNNING state."""
    return _state(StateType.RUNNING, name, message, None, False)


def Paused(message: str = "", name: str = "Paused") -> State[Any]:
    """Return a PAUSED state."""
    return _state(StateType.PAUSED, name, message, None, False)


def Cancelling(message: str = "", name: str = "Cancelling") -> State[Any]:
    """Return a CANCELLING state."""
    return _state(StateType.CANCELLING, name, message, None, False)


def Completed(data: Any = None, message: str = "", name: str = "Completed") -> State[Any]:
    """Return a COMPLETED state with its value."""
    return _state(StateType.COMPLETED, name, message, data, True)


def Failed(data: Any = None, message: str = "", name: str = "Failed") -> State[Any]:
    """Return a FAILED state; `data` is the exception, if there is one."""
    return _state(StateType.FAILED, name, message, data, data is not None)


def Crashed(data: Any = None, message: str = "", name: str = "Crashed") -> State[Any]:
    """Return a CRASHED state."""
    return _state(StateType.CRASHED, name, message, data, data is not None)


def Cancelled(data: Any = None, message: str = "", name: str = "Cancelled") -> State[Any]:
    """Return a CANCELLED state."""
    return _state(StateType.CANCELLED, name, message, data, data is not None)


__all__ = [
    "FINAL",
    "Cancelled",
    "Cancelling",
    "Completed",
    "Crashed",
    "Failed",
    "Paused",
    "Pending",
    "Running",
    "Scheduled",
    "State",
    "StateType",
    "aggregate",
]
