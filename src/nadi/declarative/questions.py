"""What one asks of the graph of a declared flow: which tasks, which edges, in which order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nadi._declaring import DeclaredGraph
from nadi.declarative.edges import Edge
from nadi.declarative.ordering import in_order
from nadi.declarative.parameters import Parameter, parameters_of
from nadi.exceptions import DefinitionError
from nadi.model.parameters import Parameters
from nadi.model.parameters.names import close_match
from nadi.tasks import Task

AnyTask = Task[..., Any]


class Questions(DeclaredGraph):
    """What a graph knows about itself.

    Tasks are taken as `Any`: to a type checker the call of a task inside of the `with` is what its function returns.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        #: Every task with its slug, in the order of adding.
        self._slugs: dict[AnyTask, str] = {}
        self._taken: set[str] = set()
        #: The number to try next in a slug, by what it begins with.
        self._numbers: dict[str, int] = {}
        self._edges: dict[Edge, None] = {}
        self._edges_to: dict[AnyTask, dict[Edge, None]] = {}
        self._edges_from: dict[AnyTask, dict[Edge, None]] = {}
        self._constants: dict[AnyTask, dict[str, Any]] = {}
        #: Empty: the terminal tasks are.
        self._reference_tasks: dict[AnyTask, None] = {}
        #: Whether edges are checked as they are added, where a call does not say.
        self._eager = False

    @property
    def tasks(self) -> set[AnyTask]:
        """All tasks. The set is a copy: `add_task` adds."""
        return set(self._slugs)

    @property
    def edges(self) -> set[Edge]:
        """All edges. The set is a copy: `add_edge` adds."""
        return set(self._edges)

    @property
    def slugs(self) -> dict[AnyTask, str]:
        """The slug of each task, which is unique in the flow, in the order of adding."""
        return dict(self._slugs)

    @property
    def constants(self) -> dict[AnyTask, dict[str, Any]]:
        """The arguments of each task that are known already, by name; tasks without any are left out."""
        return {task: dict(values) for task, values in self._constants.items() if values}

    def place(self, task: Any) -> int:
        """The place of a task in the order of adding; behind all others where it was not added."""
        return next((place for place, one in enumerate(self._slugs) if one is task), len(self._slugs))

    def in_order_of_adding(self) -> list[AnyTask]:
        """All tasks in the order in which they were added."""
        return list(self._slugs)

    def sorted_tasks(self, root_tasks: Iterable[Any] | None = None) -> tuple[AnyTask, ...]:
        """All tasks so that each stands behind all that come before it; else in the order of adding.

        Args:
            root_tasks: Only these and what comes after them.

        Raises:
            ValueError: there is a cycle; the sentence names its tasks one by one.
        """
        chosen: Iterable[AnyTask] = self._slugs
        if root_tasks is not None:
            reached = self._reached_from(root_tasks)
            chosen = [task for task in self._slugs if task in reached]
        after = {task: [edge.downstream_task for edge in edges] for task, edges in self._edges_from.items()}
        return tuple(in_order(chosen, after, lambda task: self._slugs[task], f"The flow {self.name!r}"))

    def _reached_from(self, tasks: Iterable[Any]) -> set[AnyTask]:
        waiting = list(tasks)
        for task in waiting:
            self._check_has(task)
        reached = set(waiting)
        while waiting:
            further = {edge.downstream_task for edge in self._edges_from[waiting.pop()]} - reached
            reached |= further
            waiting += further
        return reached

    def get_tasks(
        self,
        name: str | None = None,
        slug: str | None = None,
        tags: Iterable[str] | None = None,
        task_type: type | None = None,
    ) -> list[AnyTask]:
        """The tasks that have this name, this slug, all of these tags and this class, in the order of adding."""
        wanted = set(tags or ())
        return [
            task
            for task, its_slug in self._slugs.items()
            if (name is None or task.name == name)
            and (slug is None or its_slug == slug)
            and wanted <= task.tags
            and (task_type is None or isinstance(task, task_type))
        ]

    def root_tasks(self) -> set[AnyTask]:
        """The tasks that nothing comes before."""
        return {task for task, edges in self._edges_to.items() if not edges}

    def terminal_tasks(self) -> set[AnyTask]:
        """The tasks that nothing comes after."""
        return {task for task, edges in self._edges_from.items() if not edges}

    def reference_tasks(self) -> set[AnyTask]:
        """The tasks whose states decide that of the flow: those that were set, else the terminal ones.

        Beside a terminal task that only cleans up count the tasks before it.
        """
        if self._reference_tasks:
            return set(self._reference_tasks)
        waiting, found = list(self.terminal_tasks()), set[AnyTask]()
        while waiting:
            task = waiting.pop()
            found.add(task)
            if getattr(task, "is_cleanup", False):
                waiting += self.upstream_tasks(task) - found
        return found

    def parameters(self) -> set[Parameter]:
        """The flow's parameters."""
        return {task for task in self._slugs if isinstance(task, Parameter)}

    def signature(self) -> Parameters:
        """What the flow takes when it is run, for its spec: required parameters first, else in the order of adding."""
        return parameters_of(self.name, [task for task in self._slugs if isinstance(task, Parameter)])

    def edges_to(self, task: Any) -> set[Edge]:
        """The edges that end at a task."""
        self._check_has(task)
        return set(self._edges_to[task])

    def edges_from(self, task: Any) -> set[Edge]:
        """The edges that start at a task."""
        self._check_has(task)
        return set(self._edges_from[task])

    def upstream_tasks(self, task: Any) -> set[AnyTask]:
        """The tasks that come right before a task."""
        return {edge.upstream_task for edge in self.edges_to(task)}

    def downstream_tasks(self, task: Any) -> set[AnyTask]:
        """The tasks that come right after a task."""
        return {edge.downstream_task for edge in self.edges_from(task)}

    def all_upstream_edges(self) -> dict[AnyTask, set[Edge]]:
        """The edges that end at each task."""
        return {task: set(edges) for task, edges in self._edges_to.items()}

    def all_downstream_edges(self) -> dict[AnyTask, set[Edge]]:
        """The edges that start at each task."""
        return {task: set(edges) for task, edges in self._edges_from.items()}

    def incoming(self, task: Any) -> list[Edge]:
        """The edges that end at a task, in the order in which they were added."""
        self._check_has(task)
        return list(self._edges_to[task])

    def _check_has(self, task: Any) -> None:
        if task not in self._slugs:
            name = getattr(task, "name", None) or repr(task)
            near = close_match(name, [one.name for one in self._slugs if one.name != name])
            raise DefinitionError(
                f"The task {name} is not in the flow {self.name!r}{near}. A call inside of `with Flow(...)` adds a"
                " copy; use what the call returned."
            )
