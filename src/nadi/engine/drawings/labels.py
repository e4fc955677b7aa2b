"""What a picture of a graph says, whatever its form, and in which colours."""

from __future__ import annotations

import re

from nadi.engine.graphs import Edge, Graph, Node
from nadi.model.text import shorten

#: What neither a terminal nor XML should be given.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")

#: Fill and line by kind of state.
COLOURS = {
    "completed": ("#d9f2e3", "#1f7a4d"),
    "cached": ("#d5eef2", "#17707f"),
    "skipped": ("#e9edf0", "#7b8794"),
    "failed": ("#fbdcdc", "#b3261e"),
    "blocked": ("#fde5d3", "#a8500f"),
    "cancelled": ("#eadcf5", "#6b3fa0"),
    "running": ("#dbe8fb", "#1d5fbf"),
    "waiting": ("#fdf0cf", "#8a6200"),
    "plain": ("#f4f6f8", "#5b6670"),
}

#: The same for a dark page.
DARK_COLOURS = {
    "completed": ("#12382a", "#4fc48a"),
    "cached": ("#0f3640", "#56bccd"),
    "skipped": ("#262c33", "#7b8794"),
    "failed": ("#461f1f", "#f08a82"),
    "blocked": ("#43290f", "#e59b54"),
    "cancelled": ("#33224a", "#b995e6"),
    "running": ("#172f57", "#7aabf5"),
    "waiting": ("#3c3010", "#d9b04a"),
    "plain": ("#20262d", "#8a949e"),
}

_BY_STATE = {
    "COMPLETED": "completed",
    "FAILED": "failed",
    "CRASHED": "failed",
    "CANCELLED": "cancelled",
    "CANCELLING": "cancelled",
    "RUNNING": "running",
    "PENDING": "waiting",
    "SCHEDULED": "waiting",
    "PAUSED": "waiting",
    "": "plain",
}

#: Names that tell more than their type.
_BY_NAME = {"Cached": "cached", "Skipped": "skipped", "TriggerFailed": "blocked", "NotReady": "blocked"}


def safe(text: str) -> str:
    """Return text with what nobody should print made visible."""
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def colour_of(node: Node) -> str:
    """Return which of `COLOURS` a node has."""
    only = next(iter(node.states)) if len(node.states) == 1 else ""
    return _BY_NAME.get(only) or _BY_STATE[node.state]


def label(node: Node) -> str:
    """Return the name of a node, with how often it stands there."""
    name = f"{node.name} ×{node.count:,}" if node.count > 1 else node.name
    return safe(shorten(name, 60)) + (
        " (subflow)" if node.is_flow else " <map>" if node.is_map and node.count == 1 else ""
    )


def details(node: Node) -> str:
    """Return what else there is to say of a node: its states, durations, conditions."""
    return safe(", ".join(filter(None, (_states(node), node.remark))))


def _states(node: Node) -> str:
    if len(node.states) == 1:
        return next(iter(node.states))
    return ", ".join(f"{count:,} {name}" for name, count in node.states.items())


class Joined:
    """The edges between two nodes, which are drawn as one line."""

    def __init__(self, edges: list[Edge]) -> None:
        self.label = safe(shorten(", ".join(edge.label for edge in edges if edge.label), 40))
        self.is_mapped = any(edge.is_mapped for edge in edges)
        self.takes = any(edge.takes for edge in edges)


def joined(graph: Graph) -> dict[tuple[str, str], Joined]:
    """Return the edges of each pair of nodes, in order."""
    pairs: dict[tuple[str, str], list[Edge]] = {}
    for edge in graph.edges:
        pairs.setdefault((edge.source, edge.target), []).append(edge)
    return {pair: Joined(edges) for pair, edges in pairs.items()}
