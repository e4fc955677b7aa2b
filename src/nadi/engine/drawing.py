"""Pictures of a graph: a tree of text, Mermaid, and SVG with a layout of our own."""

from __future__ import annotations

import re
from enum import StrEnum

from nadi.engine.graphs import Graph, Node
from nadi.model.text import shorten


class Format(StrEnum):
    """How to draw."""

    TEXT = "text"
    MERMAID = "mermaid"
    SVG = "svg"


def draw(graph: Graph, how: Format, *, ascii_only: bool = False) -> str:
    """Return the picture of a graph.

    Args:
        graph: What to draw.
        how: In which form.
        ascii_only: Draw the tree with plain characters.
    """
    if how is Format.MERMAID:
        return _mermaid(graph)
    return _svg(graph) if how is Format.SVG else _text(graph, ascii_only=ascii_only)


#: What neither a terminal nor XML should be given.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def _safe(text: str) -> str:
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _label(node: Node) -> str:
    label = f"{node.name} ×{node.count:,}" if node.count > 1 else node.name
    return _safe(shorten(label, 60)) + (" (subflow)" if node.is_flow else "")


def _states(node: Node) -> str:
    if len(node.states) == 1:
        return next(iter(node.states))
    return ", ".join(f"{count:,} {name}" for name, count in node.states.items())


def _details(node: Node) -> str:
    return _safe(", ".join(filter(None, (_states(node), node.remark))))


# -- text -----------------------------------------------------------------------------------


def _text(graph: Graph, *, ascii_only: bool) -> str:
    fork, last, pipe = ("|- ", "`- ", "|  ") if ascii_only else ("├─ ", "└─ ", "│  ")
    sources = graph.sources()
    named = {node.id: _label(node) for node in graph.nodes}
    below: dict[str, list[Node]] = {}
    for node in graph.nodes:
        # Under the last thing it waits for; what else it waits for is told beside it.
        below.setdefault(sources[node.id][-1] if sources[node.id] else "", []).append(node)
    lines: list[tuple[str, str]] = []
    # A stack and not recursion: a chain may be longer than Python calls deep.
    stack = [(node, "", number == 0) for number, node in enumerate(reversed(below.get("", [])))]
    while stack:
        node, indent, is_last = stack.pop()
        others = sources[node.id][:-1]
        also = f" (also after {', '.join(named[id] for id in others[:3])}{' and more' if len(others) > 3 else ''})"
        lines.append((f"{indent}{last if is_last else fork}{named[node.id]}{also if others else ''}", _details(node)))
        inner = indent + ("   " if is_last else pipe)
        stack += [(child, inner, number == 0) for number, child in enumerate(reversed(below.get(node.id, [])))]
    width = min(max((len(line) for line, _ in lines), default=0), 40)
    drawn = [f"{line.ljust(width)}  {details}".rstrip() for line, details in lines]
    return "\n".join(
        [_safe(graph.title), *(drawn or ["(calls no task)"]), *([f"\n{graph.note}"] if graph.note else [])]
    )


# -- Mermaid --------------------------------------------------------------------------------

_COLOURS = {
    "COMPLETED": ("#d9f2e3", "#1f7a4d"),
    "FAILED": ("#fbdcdc", "#b3261e"),
    "CRASHED": ("#fbdcdc", "#b3261e"),
    "CANCELLED": ("#eadcf5", "#6b3fa0"),
    "CANCELLING": ("#eadcf5", "#6b3fa0"),
    "RUNNING": ("#dbe8fb", "#1d5fbf"),
    "PENDING": ("#fdf0cf", "#8a6200"),
    "SCHEDULED": ("#fdf0cf", "#8a6200"),
    "PAUSED": ("#fdf0cf", "#8a6200"),
    "": ("#eef0f2", "#5b6670"),
}


def _mermaid(graph: Graph) -> str:
    ids = {node.id: f"n{number}" for number, node in enumerate(graph.nodes, 1)}
    lines = ["flowchart TD"]
    for node in graph.nodes:
        text = "<br/>".join(filter(None, (_entities(_label(node)), _entities(_details(node)))))
        left, right = ('[["', '"]]') if node.is_flow else ('["', '"]')
        lines.append(f"    {ids[node.id]}{left}{text}{right}")
    lines += [f"    {ids[edge.source]} {'-->' if edge.takes else '-.->'} {ids[edge.target]}" for edge in graph.edges]
    for state in dict.fromkeys(node.state for node in graph.nodes if node.state):
        fill, line = _COLOURS[state]
        members = ",".join(ids[node.id] for node in graph.nodes if node.state == state)
        lines.append(f"    classDef {state.lower()} fill:{fill},stroke:{line},color:#111")
        lines.append(f"    class {members} {state.lower()}")
    return "\n".join(lines)


def _entities(text: str) -> str:
    """Escape for Mermaid, which knows entities and nothing else in a quoted text."""
    return re.sub(r'[#&<>"`;]', lambda found: f"#{ord(found[0])};", text)


# -- SVG ------------------------------------------------------------------------------------

_HEIGHT, _GAP, _LAYER_GAP, _MARGIN, _LETTER = 44, 24, 56, 24, 7.4

_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1b1f24 } .small { font-size: 11px; fill: #4a545e }
.edge { fill: none; stroke: #8a949e; stroke-width: 1.4 } .calls { stroke-dasharray: 4 4 }
@media (prefers-color-scheme: dark) { .title { fill: #e6e9ec } .edge { stroke: #76818c } }
"""


def _svg(graph: Graph) -> str:
    layers = _layers(graph)
    widths = {
        node.id: max(110.0, _LETTER * max(len(_label(node)), 0.86 * len(shorten(_details(node), 60))) + 24)
        for node in graph.nodes
    }
    across = max((sum(widths[node.id] for node in layer) + _GAP * (len(layer) - 1) for layer in layers), default=200)
    width, top = max(across, _LETTER * len(graph.title)) + 2 * _MARGIN, 56
    height = top + len(layers) * (_HEIGHT + _LAYER_GAP) + _MARGIN
    places: dict[str, tuple[float, float]] = {}
    for depth, layer in enumerate(layers):
        x = (width - sum(widths[node.id] for node in layer) - _GAP * (len(layer) - 1)) / 2
        for node in layer:
            places[node.id] = (x, top + depth * (_HEIGHT + _LAYER_GAP))
            x += widths[node.id] + _GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}"'
        f' viewBox="0 0 {width:.0f} {height:.0f}" role="img">',
        f"<title>{_xml(graph.title)}</title><style>{_STYLE}</style>",
        f'<text class="title" x="{_MARGIN}" y="30" font-weight="600">{_xml(graph.title)}</text>',
    ]
    for edge in graph.edges:
        (from_x, from_y), (to_x, to_y) = places[edge.source], places[edge.target]
        start, end = from_x + widths[edge.source] / 2, to_x + widths[edge.target] / 2
        low = from_y + _HEIGHT
        bend = (to_y - low) / 2
        path = f"M{start:.1f} {low:.1f} C{start:.1f} {low + bend:.1f} {end:.1f} {to_y - bend:.1f} {end:.1f} {to_y:.1f}"
        parts.append(f'<path class="edge{"" if edge.takes else " calls"}" d="{path}"/>')
    parts += [_box(node, *places[node.id], widths[node.id]) for node in graph.nodes]
    return "\n".join([*parts, "</svg>"])


def _box(node: Node, x: float, y: float, width: float) -> str:
    fill, line = _COLOURS[node.state]
    details = shorten(_details(node), 60)
    first = y + (19 if details else 27)
    shape = (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{_HEIGHT}" rx="{4 if node.is_flow else 10}"'
        f' fill="{fill}" stroke="{line}" stroke-width="1.4"/>'
    )
    middle = f'x="{x + width / 2:.1f}" text-anchor="middle"'
    text = f'<text {middle} y="{first:.1f}">{_xml(_label(node))}</text>'
    small = f'<text class="small" {middle} y="{first + 17:.1f}">{_xml(details)}</text>' if details else ""
    return f"<g>{shape}{text}{small}</g>"


def _layers(graph: Graph) -> list[list[Node]]:
    """Put each node below all that come before it, and beside those it belongs to."""
    sources = graph.sources()
    depth: dict[str, int] = {}
    layers: list[list[Node]] = []
    for node in graph.nodes:
        depth[node.id] = max((depth[id] + 1 for id in sources[node.id]), default=0)
        if depth[node.id] == len(layers):
            layers.append([])
        layers[depth[node.id]].append(node)
    place: dict[str, float] = {}
    for layer in layers:
        # Under the middle of what it comes after: fewer lines cross.
        order = {node.id: number for number, node in enumerate(layer)}
        layer.sort(key=lambda node: (_middle([place[id] for id in sources[node.id]], order[node.id]), order[node.id]))
        place.update({node.id: (number + 0.5) / len(layer) for number, node in enumerate(layer)})
    return layers


def _middle(places: list[float], otherwise: float) -> float:
    return sum(places) / len(places) if places else otherwise


def _xml(text: str) -> str:
    escaped = _safe(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace('"', "&quot;")
