"""Cache validators: whether the value of an earlier run serves for a task with `cache_for`.

A validator is `f(state, inputs, parameters) -> bool`: the Cached state of the earlier run, and the inputs of this task
and the parameters of this flow run by name. All but `never_use` also ask that `cache_for` is not over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from nadi.declarative.states import Cached
from nadi.engine.recording import clock
from nadi.model.fingerprints import content_digest

#: What a validator is.
Validator = Callable[[Cached, Mapping[str, Any], Mapping[str, Any]], bool]


def never_use(state: Cached, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> bool:
    """Never use the value."""
    return False


def duration_only(state: Cached, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> bool:
    """Use the value while `cache_for` is not over; the default."""
    until = state.cached_result_expiration
    return until is None or until.timestamp() > clock.now()


def all_inputs(state: Cached, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> bool:
    """Use the value if all inputs of the task are the same."""
    return duration_only(state, inputs, parameters) and _same(state.cached_inputs, inputs, None)


def all_parameters(state: Cached, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> bool:
    """Use the value if all parameters of the flow are the same."""
    return duration_only(state, inputs, parameters) and _same(state.cached_parameters, parameters, None)


def partial_inputs_only(validate_on: Iterable[str] | None = None) -> Validator:
    """Return a validator: use the value if these inputs of the task are the same; all of them if none are named."""
    names = None if validate_on is None else list(validate_on)

    def validator(state: Cached, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> bool:
        return duration_only(state, inputs, parameters) and _same(state.cached_inputs, inputs, names)

    return validator


def partial_parameters_only(validate_on: Iterable[str] | None = None) -> Validator:
    """Return a validator: use the value if these parameters of the flow are the same; all if none are named."""
    names = None if validate_on is None else list(validate_on)

    def validator(state: Cached, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> bool:
        return duration_only(state, inputs, parameters) and _same(state.cached_parameters, parameters, names)

    return validator


def _same(before: Mapping[str, Any], now: Mapping[str, Any], names: list[str] | None) -> bool:
    chosen = before.keys() | now.keys() if names is None else names
    return all(name in before and name in now and _equal(before[name], now[name]) for name in chosen)


def _equal(one: Any, other: Any) -> bool:
    if one is other:
        return True
    digest = content_digest(one)
    if digest is not None:
        return digest == content_digest(other)
    try:
        return bool(one == other)
    except Exception:  # arrays and tables have no one answer; those that are too large to digest are not the same
        return False


__all__ = [
    "Validator",
    "all_inputs",
    "all_parameters",
    "duration_only",
    "never_use",
    "partial_inputs_only",
    "partial_parameters_only",
]
