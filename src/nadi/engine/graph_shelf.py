"""Graphs of runs that have ended, kept for whoever looks at the same run again."""

from __future__ import annotations

import threading
from collections import OrderedDict

from nadi.engine.graphs import Graph
from nadi.engine.run_pages import graph_page
from nadi.model.runs import FlowRun
from nadi.storage.contract import Store

#: Nodes, edges, and pieces of what tells which calls a node has, that are kept, in all graphs together.
MOST_PARTS = 40_000


class GraphShelf:
    """Makes graphs of runs, and keeps the newest of those that can change no more. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        #: By root run and its change number, the last that was asked for at the end.
        self._kept: OrderedDict[tuple[str, int], Graph] = OrderedDict()
        self._parts = 0

    def graph(self, run: FlowRun, *, now: float) -> Graph:
        """Return the graph of the root of a run; see `graph_page`."""
        root = run if run.is_root else self._store.flow_run(run.root) or run
        # The change number grows with whatever belongs to the run, such as a resume that is delivered late.
        key = (root.id, root.seq)
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        graph = graph_page(self._store, root, now=now)
        if root.is_final:
            self._keep(key, graph)
        return graph

    def _keep(self, key: tuple[str, int], graph: Graph) -> None:
        with self._lock:
            if key not in self._kept:
                self._kept[key] = graph
                self._parts += _parts_of(graph)
            while self._parts > MOST_PARTS:
                _, gone = self._kept.popitem(last=False)
                self._parts -= _parts_of(gone)


def _parts_of(graph: Graph) -> int:
    return 1 + len(graph.nodes) + len(graph.edges) + len(graph.tasks) // 2 + len(graph.flows) // 2
