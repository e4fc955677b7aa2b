"""The graph of a run: what it called, and what took whose outcome. Values only; `drawing.py` makes pictures of them."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from nadi.model.runs import FlowRun, TaskRun
from nadi.model.states import StateType
from nadi.model.text import human_duration


class Node(msgspec.Struct):
    """One call, or several of one task that stand in one place: those of a map, or of a loop."""

    id: str
    name: str
    count: int = 1
    #: Whether it is a subflow.
    is_flow: bool = False
    #: Whether it stands for one call for each item, however many there are.
    is_map: bool = False
    #: Whether it is a parameter of the flow, which others take.
    is_parameter: bool = False
    #: How many are in which state, by name; empty where nothing ran yet.
    states: dict[str, int] = {}
    #: The state that matters most among them; "" where nothing ran yet.
    state: str = ""
    #: What else there is to say: durations, or under which condition it is called.
    remark: str = ""
    #: The node of the subflow that made the calls, whether itself or in one of its tasks; "" outside of subflows.
    within: str = ""


class Edge(msgspec.Struct, frozen=True):
    """One thing comes before another."""

    source: str
    target: str
    #: Whether `target` waits for the outcome of `source`; else `source` only calls it.
    takes: bool = True
    #: The parameter of `target` that takes the outcome; "" where that is not known, or only the order counts.
    label: str = ""
    #: Whether each call of `target` takes one item of the outcome.
    is_mapped: bool = False


class Graph(msgspec.Struct):
    """What calls what. Nodes are in the order of the calls, which is an order of the graph."""

    title: str
    nodes: list[Node]
    edges: list[Edge]
    #: A sentence about what the graph cannot know; "" where it knows all.
    note: str = ""
    #: Which node each task run is part of, in the order of their ids: the number of a node in `nodes`, how many task
    #: runs of it follow, the number of the next node, and so on. Empty before a run. Their ids would be far longer.
    tasks: list[int] = []
    #: The same for subflow runs.
    flows: list[int] = []

    def sources(self) -> dict[str, list[str]]:
        """Return the ids before each node, by its id."""
        order = {node.id: number for number, node in enumerate(self.nodes)}
        before: dict[str, set[str]] = {node.id: set() for node in self.nodes}
        for edge in self.edges:
            before[edge.target].add(edge.source)
        return {id: sorted(sources, key=order.__getitem__) for id, sources in before.items()}


_WORST = (
    StateType.FAILED,
    StateType.CRASHED,
    StateType.CANCELLED,
    StateType.RUNNING,
    StateType.CANCELLING,
    StateType.PAUSED,
    StateType.SCHEDULED,
    StateType.PENDING,
    StateType.COMPLETED,
)


def worst(states: Iterable[StateType]) -> StateType:
    """Return the state of several that matters most."""
    return min(states, key=_WORST.index)


class _Builder:
    """Makes the graph of a run, call by call."""

    def __init__(self, root: FlowRun, now: float) -> None:
        self.root, self.now = root, now
        self.nodes: dict[str, Node] = {}
        self.edges: dict[Edge, None] = {}
        #: The node that each call became part of.
        self.node_of: dict[str, str] = {}
        self._members: dict[str, list[TaskRun | FlowRun]] = {}
        #: Of each task in each place: the node that further calls may join, and the map index of its last one. The
        #: place is the very caller for a map, and the caller's node and what it takes for other calls.
        self._last: dict[tuple[str, str, bool, tuple[str, ...]], tuple[str, int]] = {}
        self._number: dict[str, int] = {}
        self._tasks: list[int] = []
        self._flows: list[int] = []

    def add(self, call: TaskRun | FlowRun) -> None:
        is_flow = isinstance(call, FlowRun)
        index = -1 if is_flow else call.map_index  # type: ignore[union-attr]  # a flow run has none
        name = call.flow if isinstance(call, FlowRun) else call.task
        upstream = () if is_flow else call.upstream  # type: ignore[union-attr]  # a flow run has none
        sources = tuple(sorted({self.node_of[id] for id in upstream if id in self.node_of}))
        caller = self.node_of.get(call.scope, "")
        # Calls of one map stand together wherever their inputs come from, others where they take the same.
        key = (call.scope, name, True, ()) if index >= 0 else (caller, name, False, sources)
        node, last = self._last.get(key, ("", -1))
        if not node or (index >= 0 and index <= last):
            node = call.id
            self.nodes[node] = Node(
                id=node, name=name, is_flow=is_flow, is_map=index >= 0, within=self._subflow_around(caller)
            )
            self._members[node] = []
            self._number[node] = len(self._number)
        self._last[key] = (node, index)
        self.node_of[call.id] = node
        self._members[node].append(call)
        _note(self._flows if is_flow else self._tasks, self._number[node])
        for source in sources:
            if source != node:
                self.edges[Edge(source, node)] = None
        if not sources and caller and caller != node:
            self.edges[Edge(caller, node, takes=False)] = None

    def graph(self) -> Graph:
        for id, members in self._members.items():
            node = self.nodes[id]
            node.count = len(members)
            if node.count == 1 and not node.is_flow:
                node.name = members[0].name
            for call in members:
                node.states[call.state_name] = node.states.get(call.state_name, 0) + 1
            node.state = worst(call.state_type for call in members)
            node.remark = self._took(members)
        return Graph(
            title=f"{self.root.flow}: {self.root.name}",
            nodes=list(self.nodes.values()),
            edges=list(self.edges),
            tasks=self._tasks,
            flows=self._flows,
        )

    def _subflow_around(self, caller: str) -> str:
        node = self.nodes.get(caller)
        return "" if node is None else node.id if node.is_flow else node.within

    def _took(self, members: Iterable[TaskRun | FlowRun]) -> str:
        spans = sorted(call.duration(self.now) for call in members if call.started)
        if not spans:
            return ""
        low, high = (human_duration(float(f"{span:.3g}")) for span in (spans[0], spans[-1]))
        return low if low == high else f"{low} to {high}"


def _note(runs: list[int], node: int) -> None:
    """Add one run to what `Graph.tasks` or `Graph.flows` tells."""
    if runs and runs[-2] == node:
        runs[-1] += 1
    else:
        runs += [node, 1]


def graph_of_run(root: FlowRun, calls: Iterable[TaskRun | FlowRun], *, now: float) -> Graph:
    """Return the graph of what a run has called so far.

    Args:
        root: The run.
        calls: Its task runs and subflow runs in the order they were made, as `Store.recorded_calls` gives them.
        now: Unix seconds; what runs has run until then.
    """
    builder = _Builder(root, now)
    for call in calls:
        builder.add(call)
    return builder.graph()
