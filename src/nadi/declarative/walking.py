"""Walking a graph: sends the tasks of a declared flow on their way within one flow run, and waits for all of them.

Whatever needs no knowledge of results is submitted at once, in topological order: what waits is data with callbacks.
Only a mapped task waits here, since how many runs it becomes is known when what it maps over is there.
"""

from __future__ import annotations

import heapq
import threading
from collections import deque
from collections.abc import Mapping
from typing import Any

from nadi.declarative.graph import Graph
from nadi.declarative.nodes import Node, given_value
from nadi.declarative.parameters import Parameter
from nadi.declarative.questions import AnyTask
from nadi.declarative.states import State
from nadi.engine.calls import executor_of
from nadi.engine.interrupts import wait_for_lock, wake
from nadi.engine.runs import Run
from nadi.engine.scope import Scope
from nadi.executors.contract import Executor
from nadi.executors.naming import executor_for
from nadi.executors.threads import place_lent


class Walk:
    """One flow run of a graph on its way."""

    def __init__(
        self,
        graph: Graph,
        parameters: Mapping[str, Any],
        scope: Scope,
        *,
        given: Mapping[AnyTask, State],
        told: Mapping[AnyTask, Mapping[str, Any]],
    ) -> None:
        """Make the nodes; nothing begins yet.

        Args:
            graph: What to walk.
            parameters: The flow's parameters.
            scope: The scope of its flow run.
            given: States of tasks that are known already; these tasks do not run.
            told: What tasks find in `nadi.context` beside what they always do.
        """
        self.nodes: dict[AnyTask, Node] = {}
        slugs, constants = graph.slugs, graph.constants
        there = executor_of(scope)
        for task in graph.sorted_tasks():
            known = given.get(task)
            if isinstance(task, Parameter) and known is None:
                known = given_value(parameters[task.name])
            self.nodes[task] = Node(
                task,
                slugs[task],
                graph.incoming(task),
                constants.get(task, {}),
                self.nodes,
                scope=scope,
                executor=_executor(task, there, scope),
                flow=graph,
                told=told.get(task, {}),
                given=known if known is not None and known.is_finished() else None,
            )
        self._bell = _Bell(scope.session.lock)

    def go(self) -> None:
        """Send all tasks on their way, and wait until they are over or put aside."""
        self._place_all()
        for node in self.nodes.values():
            for run in node.runs:
                run.wait()

    def _place_all(self) -> None:
        # By their place in the order, so that a flow that is resumed makes its calls as it did before.
        places = {task: place for place, task in enumerate(self.nodes)}
        after: dict[AnyTask, list[AnyTask]] = {task: [] for task in self.nodes}
        waits_for: dict[AnyTask, int] = {}
        for task, node in self.nodes.items():
            before = {edge.upstream_task for edge in node.edges}
            waits_for[task] = len(before)
            for one in before:
                after[one].append(task)
        ready = [(places[task], task) for task, count in waits_for.items() if not count]
        heapq.heapify(ready)
        mapping = 0
        while ready or mapping:
            if not ready:
                ready.append(self._bell.wait())
                mapping -= 1
            place, task = heapq.heappop(ready)
            node = self.nodes[task]
            if not node.is_placed:
                missing = node.unfinished()
                if missing:
                    mapping += 1
                    self._bell.ring_after(missing, (place, task))
                    continue
                node.place()
            for one in after[task]:
                waits_for[one] -= 1
                if not waits_for[one]:
                    heapq.heappush(ready, (places[one], one))

    def states(self) -> dict[AnyTask, State]:
        """Return the state of each task."""
        return {task: node.state() for task, node in self.nodes.items()}


class _Bell:
    """Tells the thread that walks which tasks can be mapped now; it waits without looking again and again."""

    def __init__(self, lock: threading.Lock) -> None:
        self._lock = lock
        self._rung: deque[tuple[int, AnyTask]] = deque()
        self._waiter: threading.Lock | None = None

    def ring_after(self, runs: list[Run], what: tuple[int, AnyTask]) -> None:
        """Ring once all runs are over."""
        left = len(runs)

        def over(_: Any) -> None:
            nonlocal left
            with self._lock:
                left -= 1
                if left:
                    return
                self._rung.append(what)
                waiter = self._waiter
            if waiter is not None:
                wake(waiter)

        for run in runs:
            run.when_done(over)

    def wait(self) -> tuple[int, AnyTask]:
        """Wait for the next ring."""
        with place_lent():
            while True:
                with self._lock:
                    if self._rung:
                        return self._rung.popleft()
                    waiter = self._waiter = threading.Lock()
                    waiter.acquire()
                wait_for_lock(waiter, None)


def _executor(task: AnyTask, there: Executor, scope: Scope) -> Executor:
    """Return where a task runs: what Nadi adds by itself runs here, as sending it would cost more."""
    function = getattr(task.spec.fn, "__func__", task.spec.fn)
    if there.runs_here or not str(getattr(function, "__module__", "")).startswith("nadi."):
        return there
    return executor_for("thread", scope.session.executors)
