"""Inputs: finding the futures among a task's arguments, and putting their values in their place.

Exact builtin containers and dataclasses are looked into, to any depth; everything else is passed as it is.
A container is copied only when a future is inside. `quote` stops the search, `opaque` takes one level.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from nadi.engine.annotations import Annotation, allow_failure, opaque, quote, unmapped

#: Types that hold no future; most arguments and most items are of these.
_ATOMS = frozenset({type(None), bool, int, float, complex, str, bytes, bytearray, range, type})
_CONTAINERS = frozenset({list, tuple, dict, set, frozenset})



def is_future(value: Any) -> bool:
    """Tell whether a value stands for the outcome of a submitted task or flow."""
    return getattr(type(value), "__nadi_origin__", False)


def has_marks(values: Iterable[Any]) -> bool:
    """Tell quickly whether futures or annotations may be among the values, or inside of them."""
    for value in values:
        kind = type(value)
        if kind in _ATOMS:
            continue
        if kind in _CONTAINERS:
            if value and has_marks(value.values() if kind is dict else value):
                return True
            continue
        if issubclass(kind, Annotation) or is_future(value) or _is_open_dataclass(value):
            return True
    return False


def _is_open_dataclass(value: Any) -> bool:
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def futures_in(value: Any, *, tolerant: bool = False, seen: set[int] | None = None) -> Iterator[tuple[Any, bool]]:
    """Yield each future inside a value, with whether its failure is allowed."""
    kind = type(value)
    if kind in _ATOMS:
        return
    if is_future(value):
        yield value, tolerant
        return
    if isinstance(value, quote):
        return
    if isinstance(value, opaque):
        if is_future(value.value):
            yield value.value, tolerant
        return
    seen = set() if seen is None else seen
    if isinstance(value, Annotation):
        yield from futures_in(value.value, tolerant=tolerant or isinstance(value, allow_failure), seen=seen)
        return
    items = _items(value)
    if items is None or id(value) in seen:
        return
    seen.add(id(value))
    for item in items:
        if type(item) not in _ATOMS:
            yield from futures_in(item, tolerant=tolerant, seen=seen)


def _items(value: Any) -> Iterable[Any] | None:
    kind = type(value)
    if kind is dict:
        return value.values()  # type: ignore[no-any-return]  # a dict, by its exact type
    if kind in _CONTAINERS:
        return value  # type: ignore[no-any-return]  # a builtin container, by its exact type
    if _is_open_dataclass(value):
        return [getattr(value, field.name, None) for field in dataclasses.fields(value)]
    return None


def resolved(value: Any, outcome: Callable[[Any, bool], Any], *, tolerant: bool = False) -> Any:
    """Return the value with each future replaced by `outcome(future, failure_allowed)`, and without annotations."""
    kind = type(value)
    if kind in _ATOMS:
        return value
    if is_future(value):
        return outcome(value, tolerant)
    if isinstance(value, quote):
        return value.value
    if isinstance(value, opaque):
        return outcome(value.value, tolerant) if is_future(value.value) else value.value
    if isinstance(value, Annotation):
        inner = tolerant or isinstance(value, allow_failure)
        return resolved(value.value, outcome, tolerant=inner)
    if kind in _CONTAINERS or _is_open_dataclass(value):
        return _resolved_container(value, outcome, tolerant)
    return value


def _resolved_container(value: Any, outcome: Callable[[Any, bool], Any], tolerant: bool) -> Any:
    # Only what holds a future is copied: large data, shared objects and cycles stay as they are.
    if not any(True for _ in _marks_in(value, set())):
        return value
    if type(value) is dict:
        return {key: resolved(item, outcome, tolerant=tolerant) for key, item in value.items()}
    if type(value) in _CONTAINERS:
        return type(value)(resolved(item, outcome, tolerant=tolerant) for item in value)
    changes = {
        field.name: resolved(getattr(value, field.name), outcome, tolerant=tolerant)
        for field in dataclasses.fields(value)
        if field.init
    }
    return dataclasses.replace(value, **changes)


def _marks_in(value: Any, seen: set[int]) -> Iterator[Any]:
    if is_future(value) or isinstance(value, Annotation):
        yield value
        return
    items = _items(value)
    if items is None or id(value) in seen:
        return
    seen.add(id(value))
    for item in items:
        if type(item) not in _ATOMS:
            yield from _marks_in(item, seen)


def without_unmapped(value: Any) -> Any:
    """Return a `.map` argument without its `unmapped` mark; other marks stay."""
    return value.value if isinstance(value, unmapped) else value
