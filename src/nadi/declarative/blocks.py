"""Blocks of a declared flow: which tasks were called inside of a `with`, and which of them come first and last."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from nadi._declaring import declared
from nadi.declarative.graph import Graph
from nadi.declarative.parameters import Parameter
from nadi.exceptions import DefinitionError


class Block:
    """A `with` block inside of a `with Flow(...)`, which does something to its tasks when it is left."""

    def __init__(self) -> None:
        self.flow: Any = None
        #: The tasks of the block, in the order they were added.
        self.tasks: list[Any] = []
        self._before: frozenset[Any] = frozenset()

    def open(self, what: str, flow: Graph | None = None) -> None:
        """Begin the block.

        Raises:
            DefinitionError: no flow is being declared here.
        """
        self.flow = flow if flow is not None else declared.get()
        if self.flow is None:
            raise DefinitionError(f"{what} groups tasks of a flow; use it inside of a `with Flow(...)`.")
        self._before = frozenset(self.flow.tasks)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            # Parameters stand outside, wherever they are named first: nothing decides whether they are there.
            added = (task for task in self.flow.in_order_of_adding() if task not in self._before)
            self.tasks = [task for task in added if not isinstance(task, Parameter)]
            self.close()

    def close(self) -> None:
        """Do what the block is for; called when it is left without an exception."""

    def first(self) -> list[Any]:
        """Return the tasks of the block that have none of it before them."""
        inside = set(self.tasks)
        return [task for task in self.tasks if inside.isdisjoint(self.flow.upstream_tasks(task))]

    def last(self) -> list[Any]:
        """Return the tasks of the block that have none of it after them."""
        inside = set(self.tasks)
        return [task for task in self.tasks if inside.isdisjoint(self.flow.downstream_tasks(task))]
