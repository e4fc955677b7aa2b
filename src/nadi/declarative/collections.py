"""Constants and collections among arguments: which are passed as they are, and which become tasks that make them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from nadi._declaring import DeclaredGraph, Node
from nadi.engine.annotations import Annotation, quote
from nadi.exceptions import DefinitionError
from nadi.tasks import Task


def constant(value: Any) -> Any:
    """The value itself."""
    return value


def make_list(**items: Any) -> list[Any]:
    """A list of the items `item_0`, `item_1`, ..."""
    return [items[f"item_{place}"] for place in range(len(items))]


def make_tuple(**items: Any) -> tuple[Any, ...]:
    """A tuple of the items `item_0`, `item_1`, ..."""
    return tuple(make_list(**items))


def make_set(**items: Any) -> set[Any]:
    """A set of the items."""
    return set(items.values())


def make_dict(keys: Iterable[Any], values: Iterable[Any]) -> dict[Any, Any]:
    """A dict of keys and values that stand in the same order."""
    return dict(zip(keys, values, strict=True))


class Implicit(Task[..., Any]):
    """A task that a declared flow adds by itself: for a constant, a collection or an operator."""

    auto_generated = True


def implicit(function: Callable[..., Any], name: str) -> Implicit:
    """Return a new task of that name for a function."""
    return Implicit(function, name=name[:200])


def constant_task(value: Any, graph: DeclaredGraph) -> Task[..., Any]:
    """Add the task that gives a constant, as an argument that is mapped over needs."""
    task = implicit(constant, f"Constant[{type(value).__name__}]")
    graph.set_dependencies(task, keyword_tasks={"value": quote(value)})
    return task


def holds_task(value: Any) -> bool:
    """Tell whether a value is a task or a collection with a task inside, at any depth."""
    waiting, seen = [value], {id(value)}
    while waiting:
        one = waiting.pop()
        if isinstance(one, Annotation):
            one = one.value
        if isinstance(one, Node):
            return True
        inside = [item for item in _items(one) if id(item) not in seen]
        seen.update(map(id, inside))
        waiting += inside
    return False


def _items(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    return value if isinstance(value, list | tuple | set | frozenset) else ()


def task_or_constant(value: Any, graph: DeclaredGraph) -> Any:
    """Return a task as it is, the task that makes a collection with tasks inside, or any other value unchanged.

    Raises:
        DefinitionError: a collection with tasks inside also holds itself, or a mark.
    """
    return _converted(value, graph, ())


def _converted(value: Any, graph: DeclaredGraph, around: tuple[int, ...]) -> Any:
    if isinstance(value, Node) or not holds_task(value):
        return value
    if isinstance(value, Annotation):
        raise DefinitionError(
            f"{type(value).__name__}() marks a whole argument of a task; inside of a collection it has no meaning."
        )
    if id(value) in around:
        raise DefinitionError(
            f"A {type(value).__name__} among the arguments holds tasks and itself; it cannot be made."
        )
    around = (*around, id(value))
    if isinstance(value, dict):
        keys, values = list(value.keys()), list(value.values())
        return _made(make_dict, "Dict", {"keys": keys, "values": values}, graph, around)
    kinds: tuple[tuple[Any, Callable[..., Any], str], ...] = (
        (list, make_list, "List"),
        (tuple, make_tuple, "Tuple"),
        (set | frozenset, make_set, "Set"),
    )
    function, name = next((function, name) for kind, function, name in kinds if isinstance(value, kind))
    if name == "Set":
        value = sorted(value, key=lambda item: _place(item, graph))
    items = {f"item_{place}": item for place, item in enumerate(value)}
    return _made(function, name, items, graph, around)


def _place(item: Any, graph: DeclaredGraph) -> tuple[int, str]:
    # A set has another order in every process, and a resumed run must find its edges as they were.
    return (graph.place(item), item.name) if isinstance(item, Node) else (-1, repr(item))


def _made(
    function: Callable[..., Any],
    name: str,
    parts: Mapping[str, Any],
    graph: DeclaredGraph,
    around: tuple[int, ...],
) -> Task[..., Any]:
    task = implicit(function, name)
    converted = {key: _converted(part, graph, around) for key, part in parts.items()}
    graph.set_dependencies(task, keyword_tasks=converted)
    return task
