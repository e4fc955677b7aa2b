"""How a flow run ends: by what its function returned or raised, and by what became of its tasks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nadi.engine.futures import NadiFuture
from nadi.engine.runs import Run
from nadi.exceptions import FailedRun
from nadi.model.specs import Unobserved
from nadi.model.states import State, StateType, aggregate
from nadi.model.text import plural


def outcome_states(value: Any) -> list[State[Any]] | None:
    """Return the states that a flow returned, of states and futures alone or in a collection; `None` for data.

    A collection counts only when every item is a state or future, as Prefect 3 has it.
    """
    if isinstance(value, State):
        return [value]
    if isinstance(value, NadiFuture):
        return [_ended(value)]
    if isinstance(value, list | tuple | set) and value and all(isinstance(one, State | NadiFuture) for one in value):
        return [one if isinstance(one, State) else _ended(one) for one in value]
    return None


def _ended(future: NadiFuture[Any]) -> State[Any]:
    future.wait()
    return future.state


def state_of_flow(value: Any, children: Iterable[Run], unobserved: Unobserved) -> State[Any]:
    """Return the final state of a flow whose function returned `value` and whose submitted runs have all ended.

    - A returned State is the outcome; returned states and futures are aggregated.
    - Any other value, None included, completes the run, unless a submitted run failed and
      nobody took its outcome (`unobserved="ignore"` leaves that out, as Prefect 3 does).
    """
    if isinstance(value, State) and value.is_final():
        return value
    states = outcome_states(value)
    if states is not None:
        return _aggregated(value, states)
    failed = [run for run in children if not run.observed and run.state is not None and not run.state.is_completed()]
    if failed and unobserved is Unobserved.FAIL:
        return _unobserved_failure(failed)
    return State(type=StateType.COMPLETED, data=value, has_data=True)


def _aggregated(value: Any, states: list[State[Any]]) -> State[Any]:
    kind = aggregate(states)
    if kind is StateType.COMPLETED:
        data = states[0].data if len(states) == 1 else [state.data for state in states]
        return State(type=kind, data=data, has_data=True)
    bad = [state for state in states if not state.is_completed()]
    if len(states) == 1:
        return bad[0]
    message = f"{len(bad)} of {plural(len(states), 'returned state')} did not complete: {bad[0]}"
    return State(type=kind, message=message, data=bad[0].error(), has_data=True)


def _unobserved_failure(failed: list[Run]) -> State[Any]:
    first = failed[0]
    assert first.state is not None
    also = f" and {plural(len(failed) - 1, 'other')}" if len(failed) > 1 else ""
    message = f"{first.name}{also} failed and nobody took the outcome: {first.state.message}"
    cause = first.state.error()
    error = FailedRun(message)
    error.__cause__ = cause
    return State(type=StateType.FAILED, message=message, data=error, has_data=True)
