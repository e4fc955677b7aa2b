"""Which layer of a layout each node of a graph stands in."""

from __future__ import annotations

import math


def layered(nodes: int, forward: list[tuple[int, int]]) -> list[int]:
    """Return the layer of each node: as high as it may stand, and what nothing comes before close above its use."""
    above: list[list[int]] = [[] for _ in range(nodes)]
    below: list[list[int]] = [[] for _ in range(nodes)]
    for upper, lower in forward:
        above[lower].append(upper)
        below[upper].append(lower)
    depth = [0] * nodes
    for node in range(nodes):
        depth[node] = max((depth[upper] + 1 for upper in above[node]), default=0)
    for node in range(nodes):
        if below[node] and not above[node]:
            depth[node] = min(depth[lower] for lower in below[node]) - 1
    return _folded(depth)


def _folded(depth: list[int]) -> list[int]:
    """Break layers that are much too wide for a picture into several."""
    members: dict[int, list[int]] = {}
    for node, layer in enumerate(depth):
        members.setdefault(layer, []).append(node)
    widest = max(12, math.ceil(1.5 * math.sqrt(len(depth))))
    folded, layer = [0] * len(depth), 0
    for index in sorted(members):
        rows = math.ceil(len(members[index]) / widest)
        for number, node in enumerate(members[index]):
            folded[node] = layer + number % rows
        layer += rows
    return folded
