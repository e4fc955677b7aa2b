"""Inputs: finding the futures among a task's arguments, and putting their values in their place.

Exact builtin containers and dataclasses are looked into, to any depth; everything else is passed as it is.
A container is copied only when a future is inside. `quote` stops the search, `opaque` takes one level.
"""

from __future__ import annotations

import copy
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from nadi.engine.annotations import Annotation, allow_failure, opaque, quote
from nadi.engine.futures import FutureList

#: Types that hold no future; most arguments and most items are of these.
_ATOMS = frozenset({type(None), bool, int, float, complex, str, bytes, bytearray, range, type})
_DICTS = frozenset({dict, OrderedDict, defaultdict})
_CONTAINERS = frozenset({list, tuple, set, frozenset, deque, FutureList}) | _DICTS


def is_future(value: Any) -> bool:
    """Tell whether a value stands for the outcome of a submitted task or flow."""
    return getattr(type(value), "__nadi_origin__", False)


def has_marks(values: Iterable[Any]) -> bool:
    """Tell quickly whether futures or annotations are among the values, or inside of them."""
    return any(type(value) not in _ATOMS and _mark_in(value) for value in values)


def _mark_in(value: Any) -> bool:
    # A loop and not a recursion: arguments may be nested deeply, and hold themselves.
    waiting, seen = [value], {id(value)}
    while waiting:
        one = waiting.pop()
        if is_future(one) or issubclass(type(one), Annotation):
            return True
        for item in _items(one):
            if type(item) not in _ATOMS and id(item) not in seen:
                seen.add(id(item))
                waiting.append(item)
    return False


def _is_dataclass(kind: type) -> bool:
    return hasattr(kind, "__dataclass_fields__")


def _is_named_tuple(kind: type) -> bool:
    return issubclass(kind, tuple) and hasattr(kind, "_fields")


def take_outcomes(values: Iterable[Any]) -> None:
    """Note that somebody takes the outcome of every future among the values: a run that was given them."""
    for value in values:
        for future, _ in futures_in(value):
            future.run.observed = True


def futures_in(value: Any) -> Iterator[tuple[Any, bool]]:
    """Yield each future inside a value, with whether its failure is allowed."""
    if type(value) in _ATOMS:
        return
    waiting, seen = [(value, False)], {id(value)}
    while waiting:
        one, tolerant = waiting.pop()
        if is_future(one):
            yield one, tolerant
        elif isinstance(one, Annotation):
            inner = one.value
            if is_future(inner) if isinstance(one, opaque) else not isinstance(one, quote):
                waiting.append((inner, tolerant or isinstance(one, allow_failure)))
        else:
            inside = [item for item in _items(one) if type(item) not in _ATOMS and id(item) not in seen]
            seen.update(map(id, inside))
            waiting.extend((item, tolerant) for item in reversed(inside))


def _fields(value: Any) -> Iterable[Any]:
    import dataclasses  # whoever has one has paid for it

    return dataclasses.fields(value)


def _items(value: Any) -> Iterable[Any]:
    """Return what is inside of a value that is looked into; nothing for any other."""
    kind = type(value)
    if kind in _CONTAINERS:
        items: Iterable[Any] = value.values() if kind in _DICTS else value
        # At the speed of C for the most frequent large argument: a list of numbers or texts.
        return () if set(map(type, items)) <= _ATOMS else items
    if _is_named_tuple(kind):
        return tuple(value)
    if _is_dataclass(kind):
        return [getattr(value, field.name, None) for field in _fields(value)]
    return ()


def resolved(
    value: Any,
    outcome: Callable[[Any, bool], Any],
    *,
    tolerant: bool = False,
    made: dict[int, Any] | None = None,
) -> Any:
    """Return the value with each future replaced by `outcome(future, failure_allowed)`, and without annotations.

    Args:
        value: An argument of a call.
        outcome: Gives what a future stands for.
        tolerant: Whether failures are allowed in all of it.
        made: Copies made so far, by the id of what they are made from: values may hold themselves.
    """
    if type(value) in _ATOMS:
        return value
    if is_future(value):
        return outcome(value, tolerant)
    made = {} if made is None else made
    if isinstance(value, Annotation):
        inner = value.value
        if isinstance(value, quote) or (isinstance(value, opaque) and not is_future(inner)):
            return inner
        return resolved(inner, outcome, tolerant=tolerant or isinstance(value, allow_failure), made=made)
    # Only what holds a future is copied: large data and shared objects stay as they are.
    if id(value) in made:
        return made[id(value)]
    if not _mark_in(value):
        return value
    return _copied(value, lambda item: resolved(item, outcome, tolerant=tolerant, made=made), made)


def _copied(value: Any, change: Callable[[Any], Any], made: dict[int, Any]) -> Any:
    kind = type(value)
    if kind in (list, FutureList):
        items: list[Any] = []
        made[id(value)] = items
        items.extend(change(item) for item in value)
        return items
    if kind in _DICTS:
        made[id(value)] = changed = copy.copy(value)
        for key, item in value.items():
            changed[key] = change(item)
        return changed
    if kind is deque:
        return deque((change(item) for item in value), value.maxlen)
    if kind in _CONTAINERS:
        return kind(change(item) for item in value)
    if _is_named_tuple(kind):
        return kind._make(change(item) for item in value)
    # Set past the class's own __init__ and __setattr__: frozen ones too, and no InitVar is asked for again.
    made[id(value)] = twin = copy.copy(value)
    for field in _fields(value):
        object.__setattr__(twin, field.name, change(getattr(value, field.name, None)))
    return twin
