"""A graph as SVG, laid out here: for a browser, a page of documentation, or a message."""

from __future__ import annotations

import math
import unicodedata
from itertools import pairwise

from nadi.engine.drawings.labels import COLOURS, DARK_COLOURS, Joined, colour_of, details, joined, label, safe
from nadi.engine.drawings.layouts import Box, Line, Point, lay_out
from nadi.engine.graphs import Graph, Node
from nadi.model.text import shorten

_MARGIN, _TITLE, _HEIGHT, _SMALL_HEIGHT = 24.0, 36.0, 46.0, 34.0
_FONT, _SMALL_FONT = 13.0, 11.0
#: How far the sheets of a stack lie apart.
_SHEET = 4.0

_STYLE = """
text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; fill: #1b1f24 }
.name { font-size: 13px } .told, .key { font-size: 11px; fill: #4a545e } .title { font-size: 15px; font-weight: 600 }
.paper { fill: #fff } .key { paint-order: stroke; stroke: #fff; stroke-width: 4px; stroke-linejoin: round }
.box { stroke-width: 1.4 } .edge { fill: none; stroke: #7b8794; stroke-width: 1.4 } .head { fill: #7b8794 }
.mapped { stroke-dasharray: 7 4 } .calls { stroke-dasharray: 2 4 }"""

_DARK = """
text { fill: #e6e9ec } .told, .key { fill: #aab4be } .paper { fill: #14181d } .key { stroke: #14181d }"""


def svg(graph: Graph, *, horizontal: bool = False) -> str:
    """Return the picture of a graph; what does not fit into a box or a line is told when one points at it."""
    edges = joined(graph)
    sizes = {node.id: _size(node) for node in graph.nodes}
    widest = max((_text_width(joint.label, _SMALL_FONT) for joint in edges.values()), default=0.0)
    layout = lay_out(sizes, edges, room=46 + widest if horizontal else 46, horizontal=horizontal)
    width = max(layout.width, _text_width(shorten(safe(graph.title), 120), 15)) + 2 * _MARGIN
    height = layout.height + 2 * _MARGIN + _TITLE
    left, top = (width - layout.width) / 2, _MARGIN + _TITLE
    named = {node.id: label(node) for node in graph.nodes}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}"'
        f' viewBox="0 0 {width:.0f} {height:.0f}" role="img">',
        f"<title>{_xml(safe(graph.title))}</title>",
        f"<style>{_styles(graph)}</style>",
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
        ' orient="auto-start-reverse"><path class="head" d="M0 0.8 L8 4 L0 7.2 z"/></marker></defs>',
        '<rect class="paper" width="100%" height="100%"/>',
        f'<text class="title" x="{_MARGIN:.0f}" y="34">{_xml(shorten(safe(graph.title), 120))}</text>',
        f'<g transform="translate({left:.1f} {top:.1f})">',
    ]
    parts += [_line(line, edges[line.source, line.target], named, horizontal) for line in layout.lines]
    parts += [_node(node, layout.boxes[node.id]) for node in graph.nodes]
    keys = _Keys(horizontal)
    parts += [keys.draw(line, key) for line in layout.lines if (key := edges[line.source, line.target].label)]
    return "\n".join([*parts, "</g>", "</svg>"])


def _styles(graph: Graph) -> str:
    used = sorted({colour_of(node) for node in graph.nodes})

    def rules(colours: dict[str, tuple[str, str]]) -> str:
        return "".join(f"\n.{name} {{ fill: {colours[name][0]}; stroke: {colours[name][1]} }}" for name in used)

    return f"{_STYLE}{rules(COLOURS)}\n@media (prefers-color-scheme: dark) {{{_DARK}{rules(DARK_COLOURS)}\n}}\n"


# -- boxes --


def _size(node: Node) -> tuple[float, float]:
    name, told = _texts(node)
    wide = max(_text_width(name, _FONT), _text_width(told, _SMALL_FONT)) + 28
    stack = (_sheets(node) - 1) * _SHEET
    return max(72.0, round(wide)) + stack, (_HEIGHT if told else _SMALL_HEIGHT) + stack


def _sheets(node: Node) -> int:
    return 3 if node.is_map or node.count > 1 else 1


def _texts(node: Node) -> tuple[str, str]:
    return shorten(label(node), 48), shorten(details(node), 56)


def _node(node: Node, box: Box) -> str:
    name, told = _texts(node)
    whole = f"{label(node)}\n{details(node)}".strip()
    radius = box.height / 2 if node.is_parameter else 3 if node.is_flow else 9
    stack = (_sheets(node) - 1) * _SHEET
    x, middle = box.x + (box.width - stack) / 2, box.y + (box.height + stack) / 2
    parts = [f"<g><title>{_xml(whole)}</title>"]
    parts += [_sheet(node, box, radius, number * _SHEET, stack) for number in reversed(range(_sheets(node)))]
    parts.append(_text("name", x, middle - 3 if told else middle + 4.5, name))
    if told:
        parts.append(_text("told", x, middle + 13, told))
    return "".join([*parts, "</g>"])


def _sheet(node: Node, box: Box, radius: float, shift: float, stack: float) -> str:
    return (
        f'<rect class="box {colour_of(node)}" x="{box.x + shift:.1f}" y="{box.y + stack - shift:.1f}"'
        f' width="{box.width - stack:.1f}" height="{box.height - stack:.1f}" rx="{radius:.0f}"/>'
    )


def _text(kind: str, x: float, y: float, text: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="middle">{_xml(text)}</text>'


# -- lines --


def _line(line: Line, edges: Joined, named: dict[str, str], horizontal: bool) -> str:
    looks = " mapped" if edges.is_mapped else "" if edges.takes else " calls"
    taken = f"\n{edges.label}{' (one each)' if edges.is_mapped else ''}" if edges.label else ""
    told = f"{named[line.source]} → {named[line.target]}{taken}"
    return (
        f'<g><title>{_xml(told)}</title><path class="edge{looks}" marker-end="url(#head)"'
        f' d="{_path(line.points, horizontal=horizontal)}"/></g>'
    )


def _path(points: tuple[Point, ...], *, horizontal: bool) -> str:
    parts = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for number, (start, end) in enumerate(pairwise(points)):
        if number % 2 or start[horizontal] == end[horizontal]:
            parts.append(f"L{end[0]:.1f} {end[1]:.1f}")
        else:
            (a, b), (c, d) = _pulls(start, end, horizontal=horizontal)
            parts.append(f"C{a:.1f} {b:.1f} {c:.1f} {d:.1f} {end[0]:.1f} {end[1]:.1f}")
    return " ".join(parts)


def _pulls(start: Point, end: Point, *, horizontal: bool) -> tuple[Point, Point]:
    """Return the points that a bend is pulled to: it leaves and arrives straight."""
    (x, y), (to_x, to_y) = start, end
    if horizontal:
        return ((x + to_x) / 2, y), ((x + to_x) / 2, to_y)
    return (x, (y + to_y) / 2), (to_x, (y + to_y) / 2)


class _Keys:
    """Draws what stands at lines, each where no other stands yet."""

    def __init__(self, horizontal: bool) -> None:
        self._horizontal = horizontal
        #: What is taken, by row of half a line of text: from where to where.
        self._rows: dict[int, list[tuple[float, float]]] = {}

    def draw(self, line: Line, key: str) -> str:
        # Near the node that takes it, if there is room; else further up the last bend.
        start, end = line.points[-2:]
        places = [self._at(start, end, share) for share in (0.6, 0.72, 0.48, 0.36, 0.24)]
        half = _text_width(key, _SMALL_FONT) / 2
        x, y = next((place for place in places if self._is_free(*place, half)), places[0])
        for row in self._rows_at(y):
            self._rows.setdefault(row, []).append((x - half, x + half))
        return _text("key", x, y + 4, key)

    def _at(self, start: Point, end: Point, share: float) -> Point:
        first, second = _pulls(start, end, horizontal=self._horizontal)
        rest = 1 - share
        parts = (rest**3, 3 * rest**2 * share, 3 * rest * share**2, share**3)
        points = (start, first, second, end)
        return (
            sum(part * point[0] for part, point in zip(parts, points, strict=True)),
            sum(part * point[1] for part, point in zip(parts, points, strict=True)),
        )

    def _is_free(self, x: float, y: float, half: float) -> bool:
        taken = (place for row in self._rows_at(y) for place in self._rows.get(row, ()))
        return all(x + half < left or right < x - half for left, right in taken)

    def _rows_at(self, y: float) -> range:
        return range(math.floor((y - 6) / 6), math.floor((y + 6) / 6))


# -- text --


def _text_width(text: str, size: float) -> float:
    return size * sum(map(_letter_width, text))


def _letter_width(letter: str) -> float:
    """Return about how wide a letter is, of the height of its font; fonts differ by a tenth."""
    if letter in "iljtfrI.,:;'|![]() ":
        return 0.36
    if unicodedata.east_asian_width(letter) in "WF":
        return 1.05
    return 0.88 if letter in "mwMW@%×…" else 0.7 if letter.isupper() else 0.59


def _xml(text: str) -> str:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace('"', "&quot;")
