"""Layout of a graph in layers: from sizes and edges to boxes and lines. Pure, and the same for the same graph.

Each node stands in a layer below all that comes before it. A line that passes a layer has a place there as nodes do,
a *bend*. The order within the layers is the one with the fewest crossings found, and places are those that keep lines
short and long ones straight.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import msgspec

from nadi.engine.drawings.layers import layered
from nadi.engine.drawings.orders import ordered

Point = tuple[float, float]


class Box(msgspec.Struct, frozen=True):
    """Where a node stands: its left and top, its width and height."""

    x: float
    y: float
    width: float
    height: float


class Line(msgspec.Struct, frozen=True):
    """The way of an edge, from border to border.

    It bends from each even point to the next, and runs straight from each odd point to the next.
    """

    source: str
    target: str
    points: tuple[Point, ...]


class Layout(msgspec.Struct, frozen=True):
    """Boxes by the id of their node, lines in the order of their edges, and the room that all of it takes."""

    width: float
    height: float
    boxes: dict[str, Box]
    lines: list[Line]


#: Space between two nodes of a layer, and between a line and its neighbour.
_BESIDE, _ALONG = 28.0, 10.0

#: Lines that pass many layers take a bend in each; with more bends than this the longest lines run straight.
_MOST_BENDS = 20_000

#: How often the order, and the places, are improved; beyond so many nodes and bends, less often.
_ROUNDS, _MANY = 12, 4_000


def lay_out(
    sizes: Mapping[str, tuple[float, float]],
    edges: Iterable[tuple[str, str]],
    *,
    room: float = 46.0,
    horizontal: bool = False,
) -> Layout:
    """Return where the nodes stand and how the edges run.

    Args:
        sizes: Width and height of each node, by its id. The order of the ids should be an order of the graph: an
            edge to an earlier node is drawn, but takes no part in the layering.
        edges: Pairs of ids, what comes before first; several edges of a pair share one line.
        room: Least space between two layers; lines that go far to the side get more.
        horizontal: Let layers follow each other from left to right instead of from top to bottom.
    """
    ids = {id: number for number, id in enumerate(sizes)}
    pairs = list(dict.fromkeys((ids[source], ids[target]) for source, target in edges if source != target))
    across = [size[1] if horizontal else size[0] for size in sizes.values()]
    along = [size[0] if horizontal else size[1] for size in sizes.values()]
    drawing = _Drawing(across, along, pairs)
    drawing.place()
    return drawing.layout(list(sizes), room, horizontal=horizontal)


class _Drawing:
    """Nodes are numbers from 0 on, bends the numbers after them."""

    def __init__(self, across: list[float], along: list[float], pairs: list[tuple[int, int]]) -> None:
        self.nodes, self.along, self.pairs = len(across), along, pairs
        forward = [(min(pair), max(pair)) for pair in pairs]
        self.layer = layered(self.nodes, forward)
        self.half = [width / 2 for width in across]
        #: Beside which node each bend stands at first.
        self.beside = list(range(self.nodes))
        self.bends: dict[tuple[int, int], list[int]] = {}
        self.above: list[list[int]] = [[] for _ in across]
        self.below: list[list[int]] = [[] for _ in across]
        self._join(forward)
        self.layers: list[list[int]] = [[] for _ in range(max(self.layer, default=-1) + 1)]
        for item in sorted(range(len(self.layer)), key=self.beside.__getitem__):
            self.layers[self.layer[item]].append(item)
        self.rounds = _ROUNDS if len(self.layer) <= _MANY else 4
        self.layers = ordered(self.layers, self.above, self.below, rounds=self.rounds)
        self.place_of = {item: place for layer in self.layers for place, item in enumerate(layer)}
        self.x = [0.0] * len(self.layer)

    def _join(self, forward: list[tuple[int, int]]) -> None:
        left = _MOST_BENDS
        # Beside the end that has fewer lines: the many lines of one node then keep their order.
        lines = Counter(node for pair in forward for node in pair)
        for upper, lower in sorted(dict.fromkeys(forward), key=lambda pair: self.layer[pair[1]] - self.layer[pair[0]]):
            passed = range(self.layer[upper] + 1, self.layer[lower])
            left -= len(passed)
            if left < 0:
                self.bends[upper, lower] = []
                continue
            chain = [upper]
            for layer in passed:
                chain.append(len(self.layer))
                self.layer.append(layer)
                self.half.append(0.0)
                self.beside.append(min(upper, lower, key=lines.__getitem__))
                self.above.append([])
                self.below.append([])
            self.bends[upper, lower] = chain[1:]
            for before, after in zip(chain, [*chain[1:], lower], strict=True):
                self.below[before].append(after)
                self.above[after].append(before)

    # -- the places --

    def place(self) -> None:
        """Move each layer to where its lines are shortest, in the order found, again and again."""
        for layer in self.layers:
            offsets = self._offsets(layer)
            for item, offset in zip(layer, offsets, strict=True):
                self.x[item] = offset - offsets[-1] / 2
        for number in range(self.rounds):
            # The first rounds look one way only: so a layer follows the one before it as a whole.
            ways = [(self.above,), (self.below,)][number % 2] if number < 4 else (self.above, self.below)
            for layer in self.layers if number % 2 == 0 else reversed(self.layers):
                self._settle(layer, ways)
        for _ in range(2):
            for bends in self.bends.values():
                self._straighten(bends)

    def _straighten(self, bends: list[int]) -> None:
        """Move the bends of a line into as few straight pieces as its neighbours leave room for."""
        piece: list[int] = []
        low, high = -math.inf, math.inf
        for bend in bends:
            left, right = self._free(bend)
            if max(low, left) > min(high, right):
                self._align(piece, low, high)
                piece, low, high = [], -math.inf, math.inf
            piece.append(bend)
            low, high = max(low, left), min(high, right)
        self._align(piece, low, high)

    def _free(self, bend: int) -> tuple[float, float]:
        layer, place = self.layers[self.layer[bend]], self.place_of[bend]
        left = layer[place - 1] if place else None
        right = layer[place + 1] if place + 1 < len(layer) else None
        return (
            -math.inf if left is None else self.x[left] + self.half[left] + self._space(left, bend),
            math.inf if right is None else self.x[right] - self.half[right] - self._space(bend, right),
        )

    def _align(self, piece: list[int], low: float, high: float) -> None:
        if piece:
            middle = sum(self.x[bend] for bend in piece) / len(piece)
            for bend in piece:
                self.x[bend] = min(max(middle, low), high)

    def _space(self, left: int, right: int) -> float:
        bends = (left >= self.nodes) + (right >= self.nodes)
        return (_BESIDE, (_BESIDE + _ALONG) / 2, _ALONG)[bends]

    def _offsets(self, layer: list[int]) -> list[float]:
        offsets = [0.0]
        for left, right in pairwise(layer):
            offsets.append(offsets[-1] + self.half[left] + self.half[right] + self._space(left, right))
        return offsets

    def _settle(self, layer: list[int], ways: tuple[list[list[int]], ...]) -> None:
        wanted, weights = [], []
        for item in layer:
            pull = [(self.x[other], self._weight(item, other)) for joined in ways for other in joined[item]]
            weight = sum(weight for _, weight in pull)
            wanted.append(sum(x * weight for x, weight in pull) / weight if pull else self.x[item])
            weights.append(weight or 0.05)
        for item, x in zip(layer, _apart(wanted, weights, self._offsets(layer)), strict=True):
            self.x[item] = x

    def _weight(self, one: int, other: int) -> float:
        # A line that passes many layers should be straight more than it should be short.
        return (1.0, 2.0, 8.0)[(one >= self.nodes) + (other >= self.nodes)]

    # -- the result --

    def layout(self, ids: Sequence[str], room: float, *, horizontal: bool) -> Layout:
        """Return the places as boxes and lines, from 0 on."""
        heights = [max((self.along[item] for item in layer if item < self.nodes), default=0.0) for layer in self.layers]
        tops, y = [], 0.0
        for index, height in enumerate(heights):
            tops.append(y)
            y += height + self._room_below(index, room)
        low = min((self.x[item] - self.half[item] for item in range(len(self.layer))), default=0.0)
        high = max((self.x[item] + self.half[item] for item in range(len(self.layer))), default=0.0)
        self.x = [x - low for x in self.x]
        middles = [top + height / 2 for top, height in zip(tops, heights, strict=True)]
        boxes = [
            (self.x[item] - self.half[item], middles[self.layer[item]] - self.along[item] / 2)
            for item in range(self.nodes)
        ]
        lines = self._lines(boxes, tops, heights)
        depth = tops[-1] + heights[-1] if tops else 0.0
        width, height = (depth, high - low) if horizontal else (high - low, depth)
        return Layout(
            width,
            height,
            {id: self._box(boxes[item], item, horizontal) for item, id in enumerate(ids)},
            [
                Line(ids[source], ids[target], tuple((b, a) if horizontal else (a, b) for a, b in points))
                for (source, target), points in lines.items()
            ],
        )

    def _room_below(self, index: int, room: float) -> float:
        # Lines that go far to the side need room, or they run almost level through one another.
        far = max(
            (abs(self.x[item] - self.x[other]) for item in self.layers[index] for other in self.below[item]), default=0
        )
        return min(max(room, 0.14 * far), 4 * room)

    def _box(self, place: Point, item: int, horizontal: bool) -> Box:
        across, along = 2 * self.half[item], self.along[item]
        x, y = place
        return Box(y, x, along, across) if horizontal else Box(x, y, across, along)

    def _lines(self, boxes: list[Point], tops: list[float], heights: list[float]) -> dict[tuple[int, int], list[Point]]:
        upper_end, lower_end = self._ends()
        lines: dict[tuple[int, int], list[Point]] = {}
        for source, target in self.pairs:
            upper, lower = min(source, target), max(source, target)
            points = [(upper_end[upper, lower], boxes[upper][1] + self.along[upper])]
            for bend in self.bends[upper, lower]:
                top = tops[self.layer[bend]]
                points += [(self.x[bend], top), (self.x[bend], top + heights[self.layer[bend]])]
            points.append((lower_end[upper, lower], boxes[lower][1]))
            lines[source, target] = points if source < target else points[::-1]
        return lines

    def _ends(self) -> tuple[dict[tuple[int, int], float], dict[tuple[int, int], float]]:
        """Return where lines leave their upper node and reach their lower one: side by side, in their order."""
        leaving: dict[int, list[tuple[float, tuple[int, int]]]] = {}
        reaching: dict[int, list[tuple[float, tuple[int, int]]]] = {}
        for (upper, lower), bends in self.bends.items():
            leaving.setdefault(upper, []).append((self.x[(*bends, lower)[0]], (upper, lower)))
            reaching.setdefault(lower, []).append((self.x[(upper, *bends)[-1]], (upper, lower)))
        return self._spread(leaving), self._spread(reaching)

    def _spread(self, ends: dict[int, list[tuple[float, tuple[int, int]]]]) -> dict[tuple[int, int], float]:
        spread: dict[tuple[int, int], float] = {}
        for item, lines in ends.items():
            lines.sort()
            step = min(16.0, 2 * max(self.half[item] - 9, 0) / len(lines))
            for number, (_, pair) in enumerate(lines):
                spread[pair] = self.x[item] + (number - (len(lines) - 1) / 2) * step
        return spread


def _apart(wanted: list[float], weights: list[float], offsets: list[float]) -> list[float]:
    """Return the places nearest to the wanted ones, by weighted squares, that are apart by at least the offsets.

    This is regression to a rising sequence: neighbours that get in each other's way are moved as one.
    """
    blocks: list[tuple[float, float, int]] = []
    for place, weight, offset in zip(wanted, weights, offsets, strict=True):
        total, heavy, count = (place - offset) * weight, weight, 1
        while blocks and blocks[-1][0] / blocks[-1][1] >= total / heavy:
            before = blocks.pop()
            total, heavy, count = total + before[0], heavy + before[1], count + before[2]
        blocks.append((total, heavy, count))
    settled = [total / heavy for total, heavy, count in blocks for _ in range(count)]
    return [place + offset for place, offset in zip(settled, offsets, strict=True)]
