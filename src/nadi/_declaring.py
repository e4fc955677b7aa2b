"""Tasks as nodes of a declared flow: the verbs that build a graph inside of `with Flow(...)`.

What a call of a task does is decided by its place. `declared` holds the flow whose `with` block is open here;
the verbs hand what was said to that flow, and `nadi.declarative` is loaded only by those who declare one.
"""

from __future__ import annotations

import typing
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, Self

from nadi.exceptions import ContextError, DefinitionError
from nadi.model.specs import TaskSpec


class DeclaredGraph(ABC):
    """What the verbs of tasks need of the flow that is being declared."""

    name: str

    @abstractmethod
    def place(self, task: Any) -> int:
        """The place of a task in the order of adding; behind all others where it was not added."""

    @abstractmethod
    def call(self, task: Any, args: tuple[Any, ...], kwargs: dict[str, Any], *, mapped: bool = False) -> Any:
        """Add a copy of `task` with these arguments and return it; takes the graph's own keywords out of `kwargs`."""

    @abstractmethod
    def bind(
        self,
        task: Any,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        *,
        upstream_tasks: Iterable[Any] | None = None,
        mapped: bool = False,
    ) -> Any:
        """Add `task` itself with these arguments and return it."""

    @abstractmethod
    def operate(self, operation: str, *operands: Any) -> Any:
        """Add the task that applies an operation to its operands, and return it."""

    @abstractmethod
    def set_dependencies(
        self,
        task: Any,
        upstream_tasks: Iterable[Any] | None = None,
        downstream_tasks: Iterable[Any] | None = None,
        keyword_tasks: Mapping[str, Any] | None = None,
        mapped: bool = False,
        validate: bool | None = None,
    ) -> None:
        """Say what comes before and after a task, and what its arguments are."""


#: The flow that is being declared here; `None` outside of every `with Flow(...)`.
declared: ContextVar[DeclaredGraph | None] = ContextVar("nadi_declared", default=None)


def refuse_to_run(what: str) -> None:
    """Do nothing outside of every `with Flow(...)`; inside, where nothing runs, refuse.

    Raises:
        ContextError: always inside; the sentence names `what`.
    """
    flow = declared.get()
    if flow is not None:
        raise ContextError(
            f"{what} would run something inside of `with Flow({flow.name!r})`, where calls build the graph and nothing"
            " runs. Move it below the block, or call a task."
        )


class Node:
    """A task as a node of a declared flow: what comes before it, what comes after it, what is made of its result.

    `flow` may be left out inside of a `with Flow(...)`.
    """

    #: Whether a declared flow made it by itself, for a constant, a collection or an operator.
    auto_generated = False

    spec: TaskSpec

    @property
    def name(self) -> str:
        """Its name, in records and messages."""
        return self.spec.name

    def bind(
        self,
        *args: Any,
        mapped: bool = False,
        upstream_tasks: Iterable[Any] | None = None,
        flow: DeclaredGraph | None = None,
        **kwargs: Any,
    ) -> Self:
        """Add this very task to the flow, not a copy, with these arguments; returns the task.

        Raises:
            DefinitionError: the task has such an argument in this flow already, or there is no flow.
            ParameterBindError: the arguments do not fit the signature.
        """
        self._flow("bind", flow).bind(self, args, kwargs, upstream_tasks=upstream_tasks, mapped=mapped)
        return self

    def set_upstream(
        self, task: Any, flow: DeclaredGraph | None = None, key: str | None = None, mapped: bool = False
    ) -> None:
        """Have this task run after `task`; with `key`, also give it the result as that argument."""
        upstream, keyword = ([task], None) if key is None else (None, {key: task})
        self._flow("set_upstream", flow).set_dependencies(self, upstream, None, keyword, mapped)

    def set_downstream(
        self, task: Any, flow: DeclaredGraph | None = None, key: str | None = None, mapped: bool = False
    ) -> None:
        """Have `task` run after this one; with `key`, also give it the result as that argument."""
        upstream, keyword = ([self], None) if key is None else (None, {key: self})
        self._flow("set_downstream", flow).set_dependencies(task, upstream, None, keyword, mapped)

    def set_dependencies(
        self,
        flow: DeclaredGraph | None = None,
        upstream_tasks: Iterable[Any] | None = None,
        downstream_tasks: Iterable[Any] | None = None,
        keyword_tasks: Mapping[str, Any] | None = None,
        mapped: bool = False,
        validate: bool | None = None,
    ) -> Self:
        """Say what comes before and after this task, and what its arguments are; returns the task."""
        where = self._flow("set_dependencies", flow)
        where.set_dependencies(self, upstream_tasks, downstream_tasks, keyword_tasks, mapped, validate)
        return self

    def pipe(self, task: Callable[..., Any], /, **kwargs: Any) -> Any:
        """Call `task` with this one as its first argument: `a.pipe(b).pipe(c, x=1)` is `c(b(a), x=1)`."""
        return task(self, **kwargs)

    def inputs(self) -> dict[str, dict[str, Any]]:
        """The arguments by name, each with its `type` and whether it is `required`."""
        parameters = self.spec.parameters
        optional = {*parameters.defaults, parameters.variadic, parameters.variadic_keyword}
        hints = self._hints()
        return {name: {"type": hints.get(name, Any), "required": name not in optional} for name in parameters.names}

    def outputs(self) -> Any:
        """The type of what it returns; `Any` where that is not told."""
        return self._hints().get("return", Any)

    def is_equal(self, other: Any) -> Any:
        """The task that tells whether the result equals `other`. (`==` compares the tasks themselves.)"""
        return self._operate("Equal", self, other)

    def is_not_equal(self, other: Any) -> Any:
        """The task that tells whether the result differs from `other`."""
        return self._operate("NotEqual", self, other)

    def not_(self) -> Any:
        """The task that negates the result."""
        return self._operate("Not", self)

    def or_(self, other: Any) -> Any:
        """The task that gives the result or, where that is false, `other`."""
        return self._operate("Or", self, other)

    def and_(self, other: Any) -> Any:
        """The task that gives `other` or, where it is false, the result."""
        return self._operate("And", self, other)

    def __or__(self, other: Any) -> Any:
        """`a | b`: b runs after a; gives b."""
        self._flow("|", None).set_dependencies(self, None, [other])
        return other

    def __ror__(self, other: Any) -> Any:
        self._flow("|", None).set_dependencies(self, [other])
        return self

    def __iter__(self) -> Iterator[Any]:
        """The items of the result, one task each; `nout` or a tuple as return annotation tells how many."""
        count = self._count()
        if count is None:
            raise TypeError(
                f"The task {self.name} cannot be unpacked or iterated, because nothing tells how many items its result"
                " has. Give it nout=..., or annotate its function with a tuple such as `-> tuple[int, str]`."
            )
        return iter([self[place] for place in range(count)])

    def __getitem__(self, key: Any) -> Any:
        return self._operate("GetItem", self, key)

    def __and__(self, other: Any) -> Any:
        return self._operate("And", self, other)

    def __rand__(self, other: Any) -> Any:
        return self._operate("And", other, self)

    def __add__(self, other: Any) -> Any:
        return self._operate("Add", self, other)

    def __radd__(self, other: Any) -> Any:
        return self._operate("Add", other, self)

    def __sub__(self, other: Any) -> Any:
        return self._operate("Sub", self, other)

    def __rsub__(self, other: Any) -> Any:
        return self._operate("Sub", other, self)

    def __mul__(self, other: Any) -> Any:
        return self._operate("Mul", self, other)

    def __rmul__(self, other: Any) -> Any:
        return self._operate("Mul", other, self)

    def __truediv__(self, other: Any) -> Any:
        return self._operate("Div", self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return self._operate("Div", other, self)

    def __floordiv__(self, other: Any) -> Any:
        return self._operate("FloorDiv", self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return self._operate("FloorDiv", other, self)

    def __mod__(self, other: Any) -> Any:
        return self._operate("Mod", self, other)

    def __rmod__(self, other: Any) -> Any:
        return self._operate("Mod", other, self)

    def __pow__(self, other: Any) -> Any:
        return self._operate("Pow", self, other)

    def __rpow__(self, other: Any) -> Any:
        return self._operate("Pow", other, self)

    # Python asks the other side of a comparison for its mirror image, so `3 < a` arrives as `a > 3`.

    def __gt__(self, other: Any) -> Any:
        return self._operate("GreaterThan", self, other)

    def __ge__(self, other: Any) -> Any:
        return self._operate("GreaterThanOrEqual", self, other)

    def __lt__(self, other: Any) -> Any:
        return self._operate("LessThan", self, other)

    def __le__(self, other: Any) -> Any:
        return self._operate("LessThanOrEqual", self, other)

    def _operate(self, operation: str, *operands: Any) -> Any:
        return self._flow(operation, None).operate(operation, *operands)

    def _flow(self, what: str, flow: DeclaredGraph | None) -> DeclaredGraph:
        """The flow that is meant."""
        where = flow if flow is not None else declared.get()
        if where is None:
            raise DefinitionError(
                f"{what} on the task {self.name} builds the graph of a declared flow, and no `with Flow(...)` is open"
                " here. Move it into the block, or name the flow with flow=... where the method takes it."
            )
        return where

    def _hints(self) -> dict[str, Any]:
        fn = self.spec.fn
        try:
            return typing.get_type_hints(fn)
        except Exception:  # an annotation that names what is not there, or a callable without any
            return dict(getattr(fn, "__annotations__", {}))

    def _count(self) -> int | None:
        """How many items the result has, as far as it was told."""
        told = getattr(self, "nout", None)
        if told is not None:
            return int(told)
        result = self.outputs()
        items = typing.get_args(result)
        if typing.get_origin(result) is not tuple or Ellipsis in items:
            return None
        return len(items)


__all__ = ["DeclaredGraph", "Node", "declared", "refuse_to_run"]
