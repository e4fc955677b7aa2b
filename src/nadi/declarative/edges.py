"""Edges: what comes before what in a declared flow, and the marks on arguments that say how an edge passes a value."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from nadi.engine.annotations import Annotation, quote, unmapped
from nadi.exceptions import DefinitionError
from nadi.tasks import Task

T = TypeVar("T")


class mapped(Annotation[T]):
    """In the call of a task: run it once for each item of this argument, as `.map` does for all arguments."""

    __slots__ = ()


class flatten(Annotation[T]):
    """Join the lists in this argument into one before it is passed or mapped over."""

    __slots__ = ()


class Edge(msgspec.Struct, frozen=True):
    """One task runs after another and, with a key, receives its result as the argument of that name."""

    upstream_task: Task[..., Any]
    downstream_task: Task[..., Any]
    #: The argument; `None` where only the order counts.
    key: str | None = None
    #: Whether the downstream task runs once for each item of the result.
    mapped: bool = False
    #: Whether the lists in the result are joined first.
    flattened: bool = False

    @property
    def tasks(self) -> set[Task[..., Any]]:
        """Both ends."""
        return {self.upstream_task, self.downstream_task}

    def __repr__(self) -> str:
        marks = [f"key={self.key!r}"] if self.key is not None else []
        marks += [mark for mark in ("mapped", "flattened") if getattr(self, mark)]
        told = f" ({', '.join(marks)})" if marks else ""
        return f"<Edge {self.upstream_task.name} to {self.downstream_task.name}{told}>"


class Passed(msgspec.Struct, frozen=True):
    """An argument without its marks, and how it is passed."""

    value: Any
    mapped: bool
    flattened: bool
    #: Whether to pass the value as it is, without looking for tasks inside of it.
    quoted: bool = False


def passed(argument: Any, *, mapped_unless_marked: bool) -> Passed:
    """Take the marks off an argument.

    Raises:
        DefinitionError: a mark means nothing in a declared flow.
    """
    iterates, joins, value = mapped_unless_marked, False, argument
    while isinstance(value, Annotation):
        if isinstance(value, quote):
            return Passed(value.value, iterates, joins, quoted=True)
        if isinstance(value, mapped | unmapped):
            iterates = isinstance(value, mapped)
        elif isinstance(value, flatten):
            joins = True
        else:
            raise DefinitionError(
                f"{type(value).__name__}() has no meaning in a declared flow. A trigger such as all_finished lets a"
                " task run after a failure, and quote() passes a value as it is."
            )
        value = value.value
    return Passed(value, iterates, joins)
