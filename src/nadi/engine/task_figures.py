"""Which tasks of a flow are slow and which are flaky, by what they came to in its newest runs."""

from __future__ import annotations

import threading
from collections import OrderedDict

import msgspec

from nadi.engine.flow_pages import FAILURES, newest_ended, quantile
from nadi.model.runs import FlowRun, RunFilter, TaskRun
from nadi.model.states import StateType
from nadi.storage.contract import Store

#: Task runs that one answer looks at, and how many are read at a time.
MOST_TASK_RUNS = 20_000
PIECE = 1_000
#: Tasks that one answer tells of: those that took the longest.
MOST_TASKS = 500
#: Task runs whose figures are kept, all together.
MOST_KEPT = 200_000


class TaskFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One task, by what its runs in the newest runs of a flow came to."""

    task: str
    #: How many task runs there were, and in how many flow runs.
    runs: int
    flow_runs: int
    #: Seconds that those took that completed and were neither reused nor cached; `null` where there is none.
    p50: float | None
    p95: float | None
    #: Seconds that all that ran took together, and which part that is of those of all tasks, 0 to 1.
    seconds: float
    share: float
    #: How many ran and FAILED or CRASHED in the end, and how many took more than one attempt.
    failures: int
    retried: int
    #: Attempts beyond the first, all together.
    retries: int
    #: How many did not run, since a cached result served.
    cached: int


class FlowTasks(msgspec.Struct, frozen=True, kw_only=True):
    """The tasks of a flow, those that took the longest first."""

    tasks: list[TaskFigures]
    #: How many finished runs and task runs were looked at.
    runs: int
    task_runs: int
    #: Whether task runs of these runs were left out, since one answer looks at so many only.
    more: bool


class _Tally:
    """What the runs of one task came to in one flow run, or in several."""

    __slots__ = ("cached", "failures", "flow_runs", "retried", "retries", "runs", "seconds", "took")

    def __init__(self) -> None:
        self.runs = self.flow_runs = self.failures = self.retried = self.retries = self.cached = 0
        self.seconds = 0.0
        self.took: list[float] = []

    def add(self, task: TaskRun) -> None:
        self.runs += 1
        # What never ran, as what it would have taken failed, did not fail itself.
        self.failures += bool(task.started) and task.state_type in FAILURES
        self.retried += task.attempt > 1
        self.retries += max(0, task.attempt - 1)
        is_cached = task.state_type is StateType.COMPLETED and task.state_name == "Cached"
        self.cached += is_cached
        if task.started and task.ended and not is_cached:
            seconds = task.duration(task.ended)
            self.seconds += seconds
            if task.state_type is StateType.COMPLETED:
                self.took.append(seconds)

    def add_all(self, other: _Tally) -> None:
        self.runs += other.runs
        self.flow_runs += 1
        self.failures += other.failures
        self.retried += other.retried
        self.retries += other.retries
        self.cached += other.cached
        self.seconds += other.seconds
        self.took += other.took

    def figures(self, task: str, whole: float) -> TaskFigures:
        self.took.sort()
        return TaskFigures(
            task=task,
            runs=self.runs,
            flow_runs=self.flow_runs,
            p50=quantile(self.took, 0.5),
            p95=quantile(self.took, 0.95),
            seconds=self.seconds,
            share=self.seconds / whole if whole else 0.0,
            failures=self.failures,
            retried=self.retried,
            retries=self.retries,
            cached=self.cached,
        )


class _RunTally(msgspec.Struct):
    """The tasks of one flow run, by name."""

    tasks: dict[str, _Tally]
    task_runs: int
    #: Whether there were more task runs than were looked at.
    more: bool


class TaskShelf:
    """Tells of the tasks of flows, and keeps what finished runs came to, which changes no more. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        #: By root run and its change number, the last that was asked for at the end.
        self._kept: OrderedDict[tuple[str, int], _RunTally] = OrderedDict()
        self._size = 0

    def tasks(self, flow: str, *, runs: int) -> FlowTasks:
        """Return the tasks of the newest finished runs of a flow; those of subflow runs are among them.

        Args:
            flow: Name of the flow.
            runs: How many finished runs to look at, at most.
        """
        newest = newest_ended(self._store, RunFilter(flow=flow, roots_only=True), most=runs)
        found: dict[str, _Tally] = {}
        looked, left, more = 0, MOST_TASK_RUNS, False
        for run in newest.runs:
            if left <= 0:
                more = True
                break
            tally = self._tally(run, left)
            looked, left, more = looked + 1, left - tally.task_runs, more or tally.more
            for task, one in tally.tasks.items():
                found.setdefault(task, _Tally()).add_all(one)
        whole = sum(one.seconds for one in found.values())
        figures = sorted((one.figures(task, whole) for task, one in found.items()), key=lambda one: -one.seconds)
        return FlowTasks(
            tasks=figures[:MOST_TASKS],
            runs=looked,
            task_runs=MOST_TASK_RUNS - left,
            more=more or len(figures) > MOST_TASKS,
        )

    def _tally(self, run: FlowRun, most: int) -> _RunTally:
        key = (run.id, run.seq)
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and kept.task_runs <= most:
                self._kept.move_to_end(key)
                return kept
        tally = _tally_of(self._store, run, most)
        if not tally.more:
            self._keep(key, tally)
        return tally

    def _keep(self, key: tuple[str, int], tally: _RunTally) -> None:
        with self._lock:
            if key not in self._kept:
                self._kept[key] = tally
                self._size += 1 + tally.task_runs
            while self._size > MOST_KEPT:
                _, gone = self._kept.popitem(last=False)
                self._size -= 1 + gone.task_runs


def _tally_of(store: Store, run: FlowRun, most: int) -> _RunTally:
    tally = _RunTally({}, 0, False)
    after = ""
    while tally.task_runs < most:
        limit = min(PIECE, most - tally.task_runs)
        piece = store.task_runs(run.id, after=after, limit=limit)
        for task in piece:
            tally.tasks.setdefault(task.task, _Tally()).add(task)
        tally.task_runs += len(piece)
        if len(piece) < limit:
            return tally
        after = piece[-1].id
    tally.more = bool(store.task_runs(run.id, after=after, limit=1))
    return tally
