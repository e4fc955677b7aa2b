"""Pictures of declared flows: the whole graph, before it ran, or in the colours of what became of it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from nadi.declarative.graph import Graph
from nadi.declarative.parameters import Parameter
from nadi.declarative.states import Mapped, State
from nadi.declarative.triggers import all_successful, parts_of
from nadi.engine.drawing import ENDINGS, Format, draw
from nadi.engine.graphs import Edge, Node, worst
from nadi.engine.graphs import Graph as Drawn
from nadi.model.text import plural, safe_repr, shorten


class Picture(str):
    """A picture as text, which a notebook shows as what it is when it is SVG."""

    __slots__ = ()

    def _repr_svg_(self) -> str | None:
        return str(self) if self.startswith("<svg") else None


def visualize(
    flow: Graph,
    flow_state: State | None = None,
    filename: str | None = None,
    format: str | None = None,
    horizontal: bool = False,
) -> Picture:
    """Return the picture of a flow; see `Flow.visualize`.

    Raises:
        ValueError: there is no such format, or the flow has a cycle.
    """
    how = _format(filename, format)
    picture = Picture(draw(graph_of_flow(flow, flow_state), how, horizontal=horizontal))
    if filename is not None:
        path = Path(filename)
        if path.suffix.lower() not in ENDINGS:
            path = path.with_name(path.name + next(ending for ending, kind in ENDINGS.items() if kind is how))
        path.write_text(picture + "\n", encoding="utf-8")
    return picture


def _format(filename: str | None, format: str | None) -> Format:
    if format is not None:
        if format not in list(Format):
            raise ValueError(f"Flows are drawn as {', '.join(Format)}, not as {format!r}; give one of these as format.")
        return Format(format)
    ending = Path(filename).suffix.lower() if filename is not None else ""
    if ending and ending not in ENDINGS:
        raise ValueError(
            f"{filename}: flows are drawn to files that end in {', '.join(ENDINGS)}. Use one of these, or give format."
        )
    return ENDINGS.get(ending, Format.SVG)


def graph_of_flow(flow: Graph, flow_state: State | None = None) -> Drawn:
    """Return the graph of a declared flow for drawing.

    Args:
        flow: The flow.
        flow_state: What `flow.run()` answered; gives each task the colour of its state.

    Raises:
        ValueError: the flow has a cycle.
    """
    tasks = flow.sorted_tasks()
    ids = {task: f"n{number}" for number, task in enumerate(tasks, 1)}
    states = flow_state.result if flow_state is not None and isinstance(flow_state.result, dict) else {}
    edges = [
        Edge(ids[edge.upstream_task], ids[edge.downstream_task], label=edge.key or "", is_mapped=edge.mapped)
        for task in tasks
        for edge in flow.incoming(task)
    ]
    mapped = {edge.target for edge in edges if edge.is_mapped}
    times, slugs = Counter(task.name for task in tasks), flow.slugs
    nodes = [
        _node(task, task.name if times[task.name] == 1 else slugs[task], id, states.get(task), is_map=id in mapped)
        for task, id in ids.items()
    ]
    return Drawn(title=flow.name, nodes=nodes, edges=edges)


def _node(task: Any, name: str, id: str, state: State | None, *, is_map: bool) -> Node:
    node = Node(id=id, name=name, is_map=is_map, is_parameter=isinstance(task, Parameter), remark=_remark(task, state))
    if state is not None:
        parts = parts_of(state) or [state]
        node.count = len(parts)
        for part in parts:
            name = type(part).__name__
            node.states[name] = node.states.get(name, 0) + 1
        node.state = worst(part.known_to_engine().type for part in parts)
        if isinstance(state, Mapped) and not state.map_states:
            node.remark = "of nothing"
    return node


def _remark(task: Any, state: State | None) -> str:
    """Say what decides whether a task runs, before it ran; afterwards its state says more."""
    if state is not None:
        return ""
    if isinstance(task, Parameter):
        return "" if task.required else f"= {shorten(safe_repr(task.default, 30), 30)}"
    told = []
    if task.trigger not in (None, all_successful):
        told.append(getattr(task.trigger, "__name__", "trigger").strip("_"))
    if task.max_retries:
        told.append(plural(task.max_retries, "retry", "retries"))
    return ", ".join(told)
