"""Maps: which arguments of a `.map` are iterated, which are passed whole, and what each child receives."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import Any

from nadi.engine.annotations import Annotation, unmapped
from nadi.engine.inputs import is_future
from nadi.exceptions import MappingMissingIterable
from nadi.model.specs import Spec


def split_mapped(spec: Spec, bound: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Part the arguments of a map into those to iterate, as sequences, and those to pass whole.

    What `*args` and `**kwargs` took counts one by one, as `*0`, `*1`, ... and `**name`.

    Raises:
        MappingMissingIterable: none can be iterated.
    """
    mapped: dict[str, Any] = {}
    whole: dict[str, Any] = {}
    defaults = spec.parameters.defaults
    for name, value in _arguments_apart(spec, bound):
        # A default that nobody passed is one value for all, even when it is a list.
        passed_default = name in defaults and value is defaults[name]
        items = None if passed_default else _items_to_map(value)
        if items is None:
            whole[name] = value.value if isinstance(value, unmapped) else value
        else:
            mapped[name] = items
    if not mapped:
        given = {name: type(value).__name__ for name, value in _arguments_apart(spec, bound)}
        raise MappingMissingIterable(spec.name, given)
    return mapped, whole


def _arguments_apart(spec: Spec, bound: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    parameters = spec.parameters
    for name, value in bound.items():
        if name == parameters.variadic:
            yield from ((f"*{place}", item) for place, item in enumerate(value))
        elif name == parameters.variadic_keyword:
            yield from ((f"**{key}", item) for key, item in value.items())
        else:
            yield name, value


def fill_variadics(
    spec: Spec, child: dict[str, Any], mapped: Mapping[str, Any], whole: Mapping[str, Any], index: int
) -> None:
    """Put what `*args` and `**kwargs` of one child receive among its arguments."""
    parameters = spec.parameters
    if parameters.variadic is None and parameters.variadic_keyword is None:
        return
    of_child = {**whole, **{name: items[index] for name, items in mapped.items()}}
    if parameters.variadic_keyword is not None:
        child[parameters.variadic_keyword] = {
            name[2:]: value for name, value in of_child.items() if name.startswith("**")
        }
    if parameters.variadic is not None:
        places = [name for name in of_child if name.startswith("*") and not name.startswith("**")]
        child[parameters.variadic] = tuple(of_child[name] for name in sorted(places, key=lambda name: int(name[1:])))


def _items_to_map(value: Any) -> Any:
    if isinstance(value, unmapped | str | bytes | bytearray | Mapping | io.IOBase):
        return None
    if is_future(value):
        value = value.result()  # how many there are is only known once it is there
        return _items_to_map(value) if not is_future(value) else None
    if isinstance(value, Annotation):
        items = _items_to_map(value.value)
        return None if items is None else [type(value)(item) for item in items]
    if isinstance(value, list | tuple | range):
        return value
    if hasattr(value, "__iter__"):
        return list(value)
    return None
