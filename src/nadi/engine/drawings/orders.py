"""In which order nodes and bends stand within their layers, so that few lines cross."""

from __future__ import annotations

from bisect import bisect_right, insort
from itertools import pairwise

#: For each node and bend, those that it is joined with in the layer above, or below.
Joined = list[list[int]]

#: Up to so many nodes and bends, neighbours are exchanged one by one where that saves a crossing.
_FEW = 600


def ordered(layers: list[list[int]], above: Joined, below: Joined, *, rounds: int) -> list[list[int]]:
    """Return the layers, sorted so that few lines cross.

    Each layer is sorted by the middle of what its members are joined with, down and up again, and the best order
    that was seen counts.

    Args:
        layers: The members of each layer, in the order to start from.
        above: What each is joined with in the layer above.
        below: What each is joined with in the layer below.
        rounds: How often to go through all layers.
    """
    layers = [layer[:] for layer in layers]
    best, fewest = [layer[:] for layer in layers], _crossings(layers, below)
    for number in range(rounds):
        if not fewest:
            break
        down = number % 2 == 0
        for index in range(1, len(layers)) if down else range(len(layers) - 2, -1, -1):
            _sort(layers[index], above if down else below, layers[index - 1 if down else index + 1])
        if sum(map(len, layers)) <= _FEW:
            _exchange(layers, above, below)
        crossings = _crossings(layers, below)
        if crossings < fewest:
            best, fewest = [layer[:] for layer in layers], crossings
    return best


def _sort(layer: list[int], joined: Joined, beside: list[int]) -> None:
    places = {item: (number + 0.5) / len(beside) for number, item in enumerate(beside)}
    middles = {
        item: sum(places[other] for other in joined[item]) / len(joined[item])
        if joined[item]
        else (number + 0.5) / len(layer)
        for number, item in enumerate(layer)
    }
    layer.sort(key=middles.__getitem__)


def _exchange(layers: list[list[int]], above: Joined, below: Joined) -> None:
    for index, layer in enumerate(layers):
        higher = _places(layers[index - 1]) if index else {}
        lower = _places(layers[index + 1]) if index + 1 < len(layers) else {}
        for number in range(len(layer) - 1):
            left, right = layer[number], layer[number + 1]
            saved = 0
            for joined, places in ((above, higher), (below, lower)):
                lefts = [places[other] for other in joined[left]]
                rights = [places[other] for other in joined[right]]
                saved += sum((a > b) - (a < b) for a in lefts for b in rights)
            if saved > 0:
                layer[number], layer[number + 1] = right, left


def _crossings(layers: list[list[int]], below: Joined) -> int:
    crossings = 0
    for layer, next_layer in pairwise(layers):
        places = _places(next_layer)
        seen: list[int] = []
        for item in layer:
            ends = sorted(places[other] for other in below[item])
            crossings += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return crossings


def _places(layer: list[int]) -> dict[int, int]:
    return {item: number for number, item in enumerate(layer)}
