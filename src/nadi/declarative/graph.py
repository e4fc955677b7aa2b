"""The graph of a declared flow: building it and changing it. Nothing runs here."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

import msgspec

from nadi._declaring import Node
from nadi.declarative.binding import named_arguments
from nadi.declarative.collections import constant_task, holds_task, implicit, task_or_constant
from nadi.declarative.edges import Edge, passed
from nadi.declarative.operators import OPERATIONS
from nadi.declarative.parameters import Parameter
from nadi.declarative.questions import AnyTask, Questions
from nadi.engine.scope import current_tags
from nadi.exceptions import DefinitionError
from nadi.model.parameters.names import close_match
from nadi.model.text import safe_repr
from nadi.tasks import Task


class Graph(Questions):
    """Tasks and the edges between them.

    The order of adding is kept: it decides where the order of running is open, so one program always makes one graph.
    """

    def add_task(self, task: Any) -> AnyTask:
        """Add a task, if it is not there yet, and return it.

        Raises:
            DefinitionError: it is no task, or a parameter of that name is there already.
        """
        if not isinstance(task, Task):
            raise DefinitionError(f"The flow {self.name!r} can only take tasks, not {type(task).__name__}: {task!r}.")
        if task not in self._slugs:
            _check_is_made(task)
            if isinstance(task, Parameter) and any(one.name == task.name for one in self.parameters()):
                raise DefinitionError(
                    f"The flow {self.name!r} has a parameter named {task.name!r} already."
                    " Use that one, or give this one another name."
                )
            self._slugs[task] = self._new_slug(task)
            self._edges_to[task], self._edges_from[task] = {}, {}
        return task

    def _new_slug(self, task: AnyTask) -> str:
        base, slug = task.slug or task.name, task.slug
        while not slug or slug in self._taken:
            # A slug that was chosen stands for the first task; its copies are numbered behind it.
            number = self._numbers.get(base, 2 if task.slug else 1)
            self._numbers[base] = number + 1
            slug = f"{base}-{number}"
        self._taken.add(slug)
        return str(slug)

    def add_edge(
        self,
        upstream_task: Any,
        downstream_task: Any,
        key: str | None = None,
        mapped: bool = False,
        flattened: bool = False,
        validate: bool | None = None,
    ) -> Edge:
        """Have one task run after another; with `key`, also give it the result as that argument. Returns the edge.

        Raises:
            DefinitionError: the argument is taken, or a parameter would run after something; with `validate`, also
                a cycle. Nothing was added.
        """
        if isinstance(downstream_task, Parameter):
            raise DefinitionError(
                f"The parameter {downstream_task.name!r} cannot run after anything: its value is given to the flow."
            )
        edge = Edge(self.add_task(upstream_task), self.add_task(downstream_task), key, mapped, flattened)
        if edge in self._edges:
            return edge
        if key is not None:
            self._check_free(downstream_task, key)
        self._link(edge)
        if self._eager if validate is None else validate:
            try:
                self.validate()
            except DefinitionError:
                self._unlink(edge)
                raise
        return edge

    def _link(self, edge: Edge) -> None:
        self._edges[edge] = None
        self._edges_to[edge.downstream_task][edge] = None
        self._edges_from[edge.upstream_task][edge] = None

    def _unlink(self, edge: Edge) -> None:
        del self._edges[edge]
        del self._edges_to[edge.downstream_task][edge]
        del self._edges_from[edge.upstream_task][edge]

    def mark_mapped(self, edges: Iterable[Edge]) -> None:
        """Have the edges pass item by item."""
        for edge in edges:
            if not edge.mapped:
                self._unlink(edge)
                self._link(msgspec.structs.replace(edge, mapped=True))

    def _check_free(self, task: AnyTask, key: str) -> None:
        if key in self._constants.get(task, ()) or any(edge.key == key for edge in self._edges_to[task]):
            raise DefinitionError(
                f"The argument {key!r} of the task {self._slugs[task]} is given already in the flow {self.name!r}."
                " Call the task again for another one, or bind a copy of it: task.copy()."
            )

    def chain(self, *tasks: Any, validate: bool | None = None) -> list[Edge]:
        """Have the tasks run one after the other; returns the edges."""
        return [self.add_edge(before, after, validate=validate) for before, after in itertools.pairwise(tasks)]

    def set_dependencies(
        self,
        task: Any,
        upstream_tasks: Iterable[Any] | None = None,
        downstream_tasks: Iterable[Any] | None = None,
        keyword_tasks: Mapping[str, Any] | None = None,
        mapped: bool = False,
        validate: bool | None = None,
    ) -> None:
        """Say what comes before and after a task, and what its arguments are; adds what is not there yet.

        Args:
            task: The task.
            upstream_tasks: What it runs after, without taking the results.
            downstream_tasks: What runs after it, likewise.
            keyword_tasks: Its arguments by name: tasks, collections that hold tasks, or constants.
            mapped: Whether the task runs once for each item of what comes before it, except what is `unmapped()`.
            validate: Whether to look for cycles at once.

        Raises:
            DefinitionError: something is no task, or an argument is given already.
        """
        self.add_task(task)
        for upstream in _several(upstream_tasks, task, "upstream_tasks"):
            before = passed(upstream, mapped_unless_marked=mapped)
            found = task_or_constant(before.value, self)
            self._check_is_task(found, task, "upstream_tasks")
            self.add_edge(found, task, None, before.mapped, before.flattened, validate)
        for downstream in _several(downstream_tasks, task, "downstream_tasks"):
            self._check_is_task(downstream, task, "downstream_tasks")
            self.add_edge(task, downstream, None, mapped, False, validate)
        for key, argument in (keyword_tasks or {}).items():
            self._give(task, key, argument, mapped, validate)

    def _give(self, task: AnyTask, key: str, argument: Any, mapped: bool, validate: bool | None) -> None:
        given = passed(argument, mapped_unless_marked=mapped)
        value = given.value if given.quoted else task_or_constant(given.value, self)
        is_task = isinstance(value, Node) and not given.quoted
        if not is_task and (given.mapped or given.flattened):
            value, is_task = constant_task(value, self), True
        if is_task:
            self.add_edge(value, task, key, given.mapped, given.flattened, validate)
        else:
            self._add_constants(task, {key: value})

    def _check_is_task(self, value: Any, task: AnyTask, keyword: str) -> None:
        if not isinstance(value, Node):
            raise DefinitionError(f"{keyword} of the task {task.name} must be a list of tasks, and {value!r} is none.")

    def call(self, task: AnyTask, args: tuple[Any, ...], kwargs: dict[str, Any], *, mapped: bool = False) -> Any:
        """What a call of a task does inside of the flow's `with` block: add a copy of it with these arguments."""
        _check_is_made(task)
        rest = dict(kwargs)
        where = rest.pop("flow", None) or self
        mapped = rest.pop("mapped", False) or mapped
        upstream_tasks = rest.pop("upstream_tasks", None)
        node = task.copy(**(rest.pop("task_args", None) or {}))
        if current_tags():
            node.tags = node.tags | current_tags()
        return where.bind(node, args, rest, upstream_tasks=upstream_tasks, mapped=mapped)

    def bind(
        self,
        task: AnyTask,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        *,
        upstream_tasks: Iterable[Any] | None = None,
        mapped: bool = False,
    ) -> AnyTask:
        """Add `task` itself with these arguments and return it; everything is checked before anything is added."""
        arguments = named_arguments(task, args, kwargs)
        self.set_dependencies(task, upstream_tasks, None, arguments, mapped)
        return task

    def operate(self, operation: str, *operands: Any) -> AnyTask:
        """Add the task that applies an operation to its operands, and return it."""
        function: Callable[..., Any] = OPERATIONS[operation]
        name = operation
        if operation == "GetItem" and not holds_task(operands[1]):
            name = f"{operands[0].name}[{safe_repr(operands[1], 60)}]"
        task = implicit(function, name)
        return self.bind(task, operands, {})

    # -- changing ---------------------------------------------------------------------------

    def set_reference_tasks(self, tasks: Iterable[Any]) -> None:
        """Have the states of these tasks decide that of the flow; none of them: those of the terminal tasks again.

        Raises:
            DefinitionError: a task is not in the flow.
        """
        chosen = dict.fromkeys(tasks)
        for task in chosen:
            self._check_has(task)
        self._reference_tasks = chosen

    def replace(self, old: Any, new: Any, validate: bool = True) -> None:
        """Put a task, or a constant, in the place of another: with its edges, and its arguments.

        Raises:
            DefinitionError: `old` is not in the flow; with `validate`, also what `validate()` finds.
        """
        self._check_has(old)
        found = task_or_constant(new, self)
        new_task: AnyTask = found if isinstance(found, Node) else constant_task(found, self)  # type: ignore[assignment]
        self.add_task(new_task)
        edges = [edge for edge in self._edges if old in (edge.upstream_task, edge.downstream_task)]
        constants = self._constants.pop(old, {})
        references = dict.fromkeys(new_task if task is old else task for task in self._reference_tasks)
        self._remove(old, new_task)
        for edge in edges:
            upstream = new_task if edge.upstream_task is old else edge.upstream_task
            downstream = new_task if edge.downstream_task is old else edge.downstream_task
            self.add_edge(upstream, downstream, edge.key, edge.mapped, edge.flattened, validate=False)
        self._add_constants(new_task, constants)
        self._reference_tasks = references
        if validate:
            self.validate()

    def _remove(self, task: AnyTask, successor: AnyTask) -> None:
        """Take a task out, with its edges; another one moves to its place in the order."""
        for edge in [*self._edges_to[task], *self._edges_from[task]]:
            if edge in self._edges:
                self._unlink(edge)
        for kept in (self._edges_to, self._edges_from):
            del kept[task]
        self._taken.discard(self._slugs[task])
        slug = self._slugs[successor]
        self._slugs = {
            successor if one is task else one: slug if one is task else its_slug
            for one, its_slug in self._slugs.items()
            if one is not successor
        }

    def _add_constants(self, task: AnyTask, constants: Mapping[str, Any]) -> None:
        for key, value in constants.items():
            self._check_free(task, key)
            self._constants.setdefault(task, {})[key] = value

    def update(
        self,
        flow: Graph,
        merge_parameters: bool = False,
        validate: bool | None = None,
        merge_reference_tasks: bool = False,
    ) -> None:
        """Add all tasks, edges and constants of another flow.

        Args:
            flow: The other flow, which stays as it is.
            merge_parameters: Take a parameter of the same name for this flow's own; else two are an error.
            validate: Whether to look for cycles at once.
            merge_reference_tasks: Have the other flow's reference tasks decide this flow's state too.

        Raises:
            DefinitionError: both have a parameter of one name, and they are not merged.
        """
        own = {one.name: one for one in self.parameters()} if merge_parameters else {}
        instead = {task: own.get(task.name, task) for task in flow.parameters()}

        def here(task: AnyTask) -> AnyTask:
            return instead.get(task, task) if isinstance(task, Parameter) else task

        references = self.reference_tasks() | {here(task) for task in flow.reference_tasks()}
        for task in flow._slugs:
            self.add_task(here(task))
        for edge in flow._edges:
            self.add_edge(
                here(edge.upstream_task), edge.downstream_task, edge.key, edge.mapped, edge.flattened, validate=False
            )
        for task, values in flow._constants.items():
            self._add_constants(task, values)
        if merge_reference_tasks:
            self.set_reference_tasks([task for task in self._slugs if task in references])
        if self._eager if validate is None else validate:
            self.validate()

    def copy(self) -> Self:
        """Return another flow with the same tasks, which can be changed by itself."""
        twin = copy.copy(self)
        for name, value in vars(self).items():
            if isinstance(value, dict):
                twin.__dict__[name] = {key: dict(one) if isinstance(one, dict) else one for key, one in value.items()}
            elif isinstance(value, set | list):
                twin.__dict__[name] = type(value)(value)
        return twin

    def validate(self) -> None:
        """Look for what cannot work.

        Raises:
            DefinitionError: there is a cycle, or a task is given an argument that it does not take.
        """
        self.sorted_tasks()
        for task, slug in self._slugs.items():
            takes = task.spec.parameters
            given = [*self._constants.get(task, ()), *(edge.key for edge in self._edges_to[task])]
            for key in given:
                if key is not None and key not in takes.names and takes.variadic_keyword is None:
                    near = close_match(key, takes.names)
                    raise DefinitionError(
                        f"The task {slug} of the flow {self.name!r} is given {key!r}, which it does not take{near}."
                    )


def _check_is_made(task: AnyTask) -> None:
    if "spec" not in vars(task):
        kind = type(task).__name__
        raise DefinitionError(f"{kind}.__init__ does not call super().__init__(), which makes a task of it.")


def _several(tasks: Iterable[Any] | None, task: AnyTask, keyword: str) -> list[Any]:
    if isinstance(tasks, Node | str):
        raise DefinitionError(f"{keyword} of the task {task.name} must be a list of tasks, not {tasks!r}.")
    return list(tasks or ())
