"""The order of a graph: topological, deterministic, and an error that names the cycle where there is none."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from nadi.exceptions import DefinitionError

T = TypeVar("T")


def in_order(nodes: Iterable[T], after: Mapping[T, Iterable[T]], name: Callable[[T], str], where: str) -> list[T]:
    """Return the nodes so that each stands behind all that come before it; else in the order given.

    Args:
        nodes: All nodes.
        after: What comes after each node; nodes that are not among `nodes` are left out.
        name: What errors call a node.
        where: What errors call the graph.

    Raises:
        DefinitionError: there is a cycle; the sentence names its nodes one by one.
    """
    places = {node: place for place, node in enumerate(nodes)}
    listed = list(places)
    waits_for = [0] * len(listed)
    following = [[places[other] for other in set(after.get(node, ())) if other in places] for node in listed]
    for ahead in following:
        for place in ahead:
            waits_for[place] += 1
    ready = [place for place, count in enumerate(waits_for) if not count]
    ordered: list[T] = []
    while ready:
        place = heapq.heappop(ready)
        ordered.append(listed[place])
        for next_place in following[place]:
            waits_for[next_place] -= 1
            if not waits_for[next_place]:
                heapq.heappush(ready, next_place)
    if len(ordered) < len(listed):
        left = {place for place, count in enumerate(waits_for) if count}
        told = " -> ".join(name(listed[place]) for place in _cycle(left, following))
        raise DefinitionError(f"{where} has a cycle, so no task of it could run first: {told}. Take one edge out.")
    return ordered


def _cycle(left: set[int], following: list[list[int]]) -> list[int]:
    """One cycle among the places that are left, its first place again at the end."""
    before: dict[int, int] = {}
    for other in sorted(left):
        for place in following[other]:
            before.setdefault(place, other)
    # Everything that is left waits for something that is left: going back must come round.
    path, seen = [min(left)], {min(left)}
    while True:
        path.append(before[path[-1]])
        if path[-1] in seen:
            break
        seen.add(path[-1])
    cycle = path[path.index(path[-1]) :][::-1]
    # Told from the task that was added first.
    start = cycle.index(min(cycle))
    turned = cycle[start:-1] + cycle[:start]
    return [*turned, turned[0]]
