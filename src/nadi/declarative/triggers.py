"""Triggers: whether a task of a declared flow runs, given what its upstream tasks came to.

A trigger is `f(upstream_states) -> bool`, asked once all upstream tasks have ended; `upstream_states` maps each edge
to the state at its other end. False, or a signal such as TRIGGERFAIL or SKIP, says that the task does not run. Skipped
counts as success and TriggerFailed as failure; a mapped upstream counts by its children.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nadi.declarative.context import context
from nadi.declarative.states import Mapped, State
from nadi.model.signals import PAUSE, SKIP, TRIGGERFAIL

#: What a trigger is.
Trigger = Callable[[Mapping[Any, State]], bool]


def all_successful(upstream_states: Mapping[Any, State]) -> bool:
    """Run if every upstream task succeeded; the default."""
    failed = _names(upstream_states, lambda state: not state.is_successful())
    if failed:
        raise TRIGGERFAIL(f"It runs only when all upstream tasks succeed, and {failed} did not.")
    return True


def all_failed(upstream_states: Mapping[Any, State]) -> bool:
    """Run if every upstream task failed."""
    others = _names(upstream_states, lambda state: not state.is_failed())
    if others:
        raise TRIGGERFAIL(f"It runs only when all upstream tasks fail, and {others} did not.")
    return True


def any_successful(upstream_states: Mapping[Any, State]) -> bool:
    """Run if at least one upstream task succeeded, or there is none."""
    states = _each(upstream_states)
    if states and not any(state.is_successful() for state in states):
        raise TRIGGERFAIL("It runs only when an upstream task succeeds, and none did.")
    return True


def any_failed(upstream_states: Mapping[Any, State]) -> bool:
    """Run if at least one upstream task failed, or there is none."""
    states = _each(upstream_states)
    if states and not any(state.is_failed() for state in states):
        raise TRIGGERFAIL("It runs only when an upstream task fails, and none did.")
    return True


def all_finished(upstream_states: Mapping[Any, State]) -> bool:
    """Run once every upstream task has ended, whatever it came to."""
    left = _names(upstream_states, lambda state: not state.is_finished())
    if left:
        raise TRIGGERFAIL(f"It runs only when all upstream tasks have ended, and {left} did not.")
    return True


always_run = all_finished


def manual_only(upstream_states: Mapping[Any, State]) -> bool:
    """Run only after somebody resumed the flow run: the task waits, PAUSED, for `nadi resume`."""
    if context.get("resume"):
        return True
    raise PAUSE("It waits for somebody to resume it.")


def not_all_skipped(upstream_states: Mapping[Any, State]) -> bool:
    """Run if every upstream task succeeded and at least one was not skipped; be skipped where all were."""
    states = _each(upstream_states)
    if all(state.is_skipped() for state in states):
        raise SKIP("All its upstream tasks were skipped.")
    failed = _names(upstream_states, lambda state: not state.is_successful())
    if failed:
        raise TRIGGERFAIL(f"It runs only when all upstream tasks succeed or are skipped, and {failed} did not.")
    return True


def some_failed(at_least: float | None = None, at_most: float | None = None) -> Trigger:
    """Return a trigger: run if so many upstream tasks failed. Numbers below 1 are a fraction of all of them."""

    def trigger(upstream_states: Mapping[Any, State]) -> bool:
        return _between(upstream_states, State.is_failed, "fail", at_least, at_most)

    return trigger


def some_successful(at_least: float | None = None, at_most: float | None = None) -> Trigger:
    """Return a trigger: run if so many upstream tasks succeeded. Numbers below 1 are a fraction of all of them."""

    def trigger(upstream_states: Mapping[Any, State]) -> bool:
        return _between(upstream_states, State.is_successful, "succeed", at_least, at_most)

    return trigger


def _between(
    upstream_states: Mapping[Any, State],
    counts: Callable[[State], bool],
    verb: str,
    at_least: float | None,
    at_most: float | None,
) -> bool:
    states = _each(upstream_states)
    if not states:
        return True
    found, total = sum(counts(state) for state in states), len(states)
    low = 0 if at_least is None else at_least * total if at_least < 1 else at_least
    high = total if at_most is None else at_most * total if at_most < 1 else at_most
    if not low <= found <= high:
        raise TRIGGERFAIL(f"It runs only when {low:g} to {high:g} of {total} upstream tasks {verb}, and {found} did.")
    return True


def _each(upstream_states: Mapping[Any, State]) -> list[State]:
    """Return the states that count: those of children instead of a map's."""
    return [one for state in upstream_states.values() for one in parts_of(state)]


def parts_of(state: State) -> list[State]:
    """Return the states of a map's children, or the state itself."""
    return state.map_states if isinstance(state, Mapped) else [state]


def _names(upstream_states: Mapping[Any, State], wanted: Callable[[State], bool]) -> str:
    """Return which upstream tasks have states of a kind, for people; "" when none has."""
    named = dict.fromkeys(
        getattr(getattr(edge, "upstream_task", None), "name", str(edge))
        for edge, state in upstream_states.items()
        if any(wanted(one) for one in parts_of(state))
    )
    told = list(named)
    return ", ".join(told[:3]) + (f" and {len(told) - 3} more" if len(told) > 3 else "")


__all__ = [
    "Trigger",
    "all_failed",
    "all_finished",
    "all_successful",
    "always_run",
    "any_failed",
    "any_successful",
    "manual_only",
    "not_all_skipped",
    "some_failed",
    "some_successful",
]
