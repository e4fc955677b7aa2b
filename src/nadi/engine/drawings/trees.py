"""A graph as a tree of text."""

from __future__ import annotations

from nadi.engine.drawings.labels import details, joined, label, safe
from nadi.engine.graphs import Graph, Node


def tree(graph: Graph, *, ascii_only: bool = False) -> str:
    """Return a line for each node, under the last thing that it waits for."""
    fork, last, pipe = ("|- ", "`- ", "|  ") if ascii_only else ("├─ ", "└─ ", "│  ")
    sources = graph.sources()
    named = {node.id: label(node) for node in graph.nodes}
    taken = _taken(graph, named)
    below: dict[str, list[Node]] = {}
    for node in graph.nodes:
        # What else it waits for is told beside it.
        below.setdefault(sources[node.id][-1] if sources[node.id] else "", []).append(node)
    lines: list[tuple[str, str]] = []
    # A stack and not recursion: a chain may be longer than Python calls deep.
    stack = [(node, "", number == 0) for number, node in enumerate(reversed(below.get("", [])))]
    while stack:
        node, indent, is_last = stack.pop()
        others = [id for id in sources[node.id][:-1] if id not in taken.get(node.id, {})]
        also = f" (also after {', '.join(named[id] for id in others[:3])}{' and more' if len(others) > 3 else ''})"
        told = "; ".join(filter(None, (details(node), ", ".join(taken.get(node.id, {}).values()))))
        lines.append((f"{indent}{last if is_last else fork}{named[node.id]}{also if others else ''}", told))
        inner = indent + ("   " if is_last else pipe)
        stack += [(child, inner, number == 0) for number, child in enumerate(reversed(below.get(node.id, [])))]
    width = min(max((len(line) for line, _ in lines), default=0), 48)
    drawn = [f"{line.ljust(width)}  {told}".rstrip() for line, told in lines]
    return "\n".join([safe(graph.title), *(drawn or ["(calls no task)"]), *([f"\n{graph.note}"] if graph.note else [])])


def _taken(graph: Graph, named: dict[str, str]) -> dict[str, dict[str, str]]:
    """Return, by node and what comes before it, which of its parameters takes what: `rows = each of load`."""
    taken: dict[str, dict[str, str]] = {}
    for (source, target), edges in joined(graph).items():
        if edges.label:
            each = "each of " if edges.is_mapped else ""
            taken.setdefault(target, {})[source] = f"{edges.label} = {each}{named[source]}"
    return taken
