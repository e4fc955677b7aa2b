"""Maps over whole pieces of a graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nadi._declaring import Node, declared
from nadi.declarative.collections import constant_task, task_or_constant
from nadi.declarative.edges import flatten, mapped, passed
from nadi.declarative.graph import Graph
from nadi.declarative.questions import AnyTask
from nadi.engine.annotations import unmapped
from nadi.exceptions import DefinitionError


def apply_map(func: Callable[..., Any], *args: Any, flow: Graph | None = None, **kwargs: Any) -> Any:
    """Call `func` once, and have all tasks that it adds run once for each item of the arguments.

    `func` builds a piece of the graph: it calls tasks with its arguments and returns what it likes. Tasks inside of it
    follow each other item by item; an argument wrapped in `unmapped()` is passed whole, and so is what `func` takes
    from outside. A task that nothing mapped comes before runs once for each item too.

    Args:
        func: Called with tasks in place of the arguments that are mapped over.
        args: Arguments of `func`: tasks, collections, or `unmapped()` ones.
        flow: The flow to add to; may be left out inside of a `with Flow(...)`.
        kwargs: Further arguments of `func`, likewise.

    Returns:
        What `func` returned.

    Raises:
        DefinitionError: there is no flow, or nothing to map over.
    """
    where: Any = flow if flow is not None else declared.get()
    if where is None:
        raise DefinitionError("apply_map() adds tasks to a flow; use it inside of a `with Flow(...)`, or give flow=...")
    sources: list[AnyTask] = []

    def standing(argument: Any) -> Any:
        given = passed(argument, mapped_unless_marked=True)
        value = given.value if given.quoted else task_or_constant(given.value, where)
        if not given.mapped:
            return value
        task = value if isinstance(value, Node) else constant_task(value, where)
        sources.append(where.add_task(task))
        return task

    # Whoever calls it inside of another open flow means the one that was named.
    token = declared.set(where)
    try:
        named = {name: standing(argument) for name, argument in kwargs.items()}
        placed = [standing(argument) for argument in args]
        if not sources:
            raise DefinitionError("apply_map() has nothing to map over: every argument is unmapped().")
        before = where.tasks
        result = func(*placed, **named)
    finally:
        declared.reset(token)
    _map_over(where, [task for task in where.in_order_of_adding() if task not in before], sources)
    return result


def _map_over(flow: Graph, tasks: list[AnyTask], sources: list[AnyTask]) -> None:
    inside = {*tasks, *sources}
    for task in tasks:
        flow.mark_mapped([edge for edge in flow.incoming(task) if edge.upstream_task in inside])
        if not any(edge.mapped for edge in flow.incoming(task)):
            for source in sources:
                flow.add_edge(source, task, mapped=True)


__all__ = ["apply_map", "flatten", "mapped", "unmapped"]
