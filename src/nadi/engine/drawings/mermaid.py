"""A graph as Mermaid, which many editors and code hosts draw."""

from __future__ import annotations

import re

from nadi.engine.drawings.labels import COLOURS, Joined, colour_of, details, joined, label
from nadi.engine.graphs import Graph, Node


def mermaid(graph: Graph, *, horizontal: bool = False) -> str:
    """Return the flowchart of a graph."""
    ids = {node.id: f"n{number}" for number, node in enumerate(graph.nodes, 1)}
    lines = [f"flowchart {'LR' if horizontal else 'TD'}"]
    lines += [f"    {ids[node.id]}{_box(node)}" for node in graph.nodes]
    lines += [f"    {ids[source]} {_arrow(edges)} {ids[target]}" for (source, target), edges in joined(graph).items()]
    painted: dict[str, list[str]] = {}
    for node in graph.nodes:
        painted.setdefault(colour_of(node), []).append(ids[node.id])
    for name, members in painted.items():
        if name != "plain":
            fill, line = COLOURS[name]
            lines.append(f"    classDef {name} fill:{fill},stroke:{line},color:#111")
            lines.append(f"    class {','.join(members)} {name}")
    maps = [ids[node.id] for node in graph.nodes if node.is_map]
    if maps:
        lines += ["    classDef map stroke-width:3px", f"    class {','.join(maps)} map"]
    return "\n".join(lines)


def _box(node: Node) -> str:
    text = "<br/>".join(filter(None, (_entities(label(node)), _entities(details(node)))))
    left, right = ("[[", "]]") if node.is_flow else ("([", "])") if node.is_parameter else ("[", "]")
    return f'{left}"{text}"{right}'


def _arrow(edges: Joined) -> str:
    arrow = "-.->" if edges.is_mapped or not edges.takes else "-->"
    return f'{arrow}|"{_entities(edges.label)}"|' if edges.label else arrow


def _entities(text: str) -> str:
    """Escape for Mermaid, which knows entities and nothing else in a quoted text."""
    return re.sub(r'[#&<>"`;]', lambda found: f"#{ord(found[0])};", text)
