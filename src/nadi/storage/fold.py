"""What a batch of records does to a store: pure, and the one copy of every rule about it.

A store reads where the rows stand that the batch names (`named` says which), gives that and
the records to `fold`, and writes the answer in bulk. What starts and ends within one batch
becomes one row. All of it happens within one write transaction, so the rows do not move in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from nadi.exceptions import ValueRefused
from nadi.model.records import (
    AnyRecord,
    ArtifactMade,
    AssetDescribed,
    AssetMaterialized,
    CallReused,
    Counted,
    EventEmitted,
    FlowRunBegun,
    FlowRunMoved,
    FlowRunSource,
    InputAsked,
    LogLine,
    MetricLogged,
    TaskRunBegun,
    TaskRunMoved,
    TaskRunRolledBack,
)
from nadi.model.results import ROLLED_BACK, ResultRef
from nadi.model.runs import Attempt, Superseded
from nadi.model.states import DEFAULT_NAMES, FINAL, StateType, may_follow
from nadi.storage.contract import Refusal, Refused
from nadi.storage.run_counts import RunCounts, took

# Bound once: looking up a member of an enum costs more than the rest of a step.
_SCHEDULED, _RUNNING = StateType.SCHEDULED, StateType.RUNNING
_COMPLETED, _FAILED, _CRASHED = StateType.COMPLETED, StateType.FAILED, StateType.CRASHED

#: The year 10,000: what is said to be later, or before 1970, or at no number, cannot be told to people.
_END_OF_TIME = 253_402_300_800.0

_read_object = msgspec.json.Decoder(dict[str, Any]).decode

#: What databases can keep as a whole number.
_INT64 = 1 << 63


class Row(msgspec.Struct, array_like=True):
    """Where a run stands; the store fills the fields up to `created`, `fold` the rest."""

    id: str
    root: str
    #: Of a task run, the flow run that it belongs to; of a flow run, "".
    run: str
    attempt: int
    token: int
    state: StateType
    state_name: str
    message: str
    holder: str
    started: float
    ended: float
    #: Of a flow run, its flow and when it was made; a task run leaves them out.
    flow: str = ""
    created: float = 0.0
    #: The state of the row in the store; `None` when the store has no such row yet.
    was: StateType | None = None
    changed: bool = False
    at: float = 0.0
    detail: str = ""
    result: ResultRef | None = None


class FlowRow(Row, array_like=True):
    """A flow run: where it stands and what is new."""

    #: The record to write the whole row from, when it came or began again in this batch.
    begun: FlowRunBegun | None = None
    run_count: int = 1
    #: "" leaves the name as it is.
    name: str = ""
    #: Microseconds that it took as it stood in the store.
    took: int = 0


class TaskRow(Row, array_like=True):
    """A task run: where it stands and what is new."""

    #: The record to write the whole row from, when it came or began again in this batch.
    begun: TaskRunBegun | None = None
    due: float = 0.0


class Before(msgspec.Struct):
    """Where the rows that a batch names stand before it."""

    #: By id: each root, and each flow run and task run named, that the store has.
    flows: dict[str, FlowRow]
    tasks: dict[str, TaskRow]
    #: Roots that were deleted.
    buried: frozenset[str] = frozenset()


class Changes(msgspec.Struct):
    """What a store has to write for a batch."""

    #: Rows to write, in the order they were first named.
    flows: list[FlowRow]
    tasks: list[TaskRow]
    #: Attempts that were followed by another one; one that the store already has stays as it is.
    closed: list[Attempt]
    #: Root of each closed attempt's run.
    closed_roots: list[str]
    #: By root, flow run and state: how many more task runs are in it, or fewer.
    task_counts: dict[tuple[str, str, StateType], int]
    #: By root, flow run and kind: how much more was left out.
    dropped: dict[tuple[str, str, str], int]
    #: By flow run: where its code came from.
    sources: dict[str, bytes]
    #: By id of a task run or subflow run: that it stood in for a call of this claim.
    reused: dict[str, CallReused]
    logs: list[LogLine]
    metrics: list[MetricLogged]
    #: The last word on each artifact, by id.
    artifacts: dict[str, ArtifactMade]
    superseded: list[Superseded]
    refused: list[Refused]
    #: Flow runs that get a new `seq` although nothing else of their row changes: roots, and runs whose counts changed.
    stirred: list[str]
    #: Where root runs count now, and where no more.
    run_counts: RunCounts
    events: list[EventEmitted] = []
    #: In the order told: later ones know better.
    assets: list[AssetMaterialized | AssetDescribed] = []
    #: The last question of each flow run and key.
    asked: list[InputAsked] = []


def named(records: Iterable[AnyRecord]) -> tuple[set[str], set[str]]:
    """Return the ids of the flow runs (roots among them) and of the task runs that `fold` needs to know of."""
    flows: set[str] = set()
    tasks: set[str] = set()
    for record in records:
        flows.add(record.root)
        kind = type(record)
        if kind is TaskRunBegun or kind is TaskRunMoved or kind is TaskRunRolledBack:
            tasks.add(record.id)  # type: ignore[union-attr]  # the check by identity is the fast one
        elif kind is FlowRunBegun or kind is FlowRunMoved or kind is InputAsked:
            flows.add(record.id)  # type: ignore[union-attr]  # the same
    return flows, tasks


def fold(records: Sequence[AnyRecord], first: int, before: Before) -> Changes:
    """Return what `records`, numbered from `first`, change. Rows of `before` are used up: they are changed in place."""
    folding = _Folding(before)
    flows, refuse = folding.flows, folding.refuse
    for n, record in enumerate(records, first):
        root = flows.get(record.root)
        if not 0.0 <= record.at < _END_OF_TIME:
            refuse(n, record, Refusal.INVALID)
            continue
        if root is None:
            if not folding.may_found(record):
                refuse(n, record, Refusal.DELETED)
                continue
        elif record.token != root.token:
            refuse(n, record, Refusal.FENCED)
            continue
        elif root.root != record.root:  # a subflow run, which holds no claim
            refuse(n, record, Refusal.INVALID)
            continue
        if not folding.take(record):
            refuse(n, record, Refusal.INVALID)
    return folding.changes()


def fold_new_runs(begun: Sequence[FlowRunBegun]) -> Changes:
    """Return what bringing root runs there changes that are not there yet.

    Raises:
        ValueRefused: one of them makes no sense.
    """
    changes = fold(begun, 1, Before({}, {}))
    if changes.refused:
        raise ValueRefused(f"Run {changes.refused[0].root} cannot be asked for: what is said of it makes no sense.")
    return changes


class _Folding:
    """The state of one `fold`."""

    def __init__(self, before: Before) -> None:
        self.flows, self.tasks, self.buried = before.flows, before.tasks, before.buried
        for row in self.flows.values():
            row.was = row.state
            row.took = took(row.state, row.started, row.ended)
        for task in self.tasks.values():
            task.was = task.state
        self.closed: dict[tuple[str, int], Attempt] = {}
        self.closed_roots: list[str] = []
        self.dropped: dict[tuple[str, str, str], int] = {}
        self.sources: dict[str, bytes] = {}
        self.reused: dict[str, CallReused] = {}
        self.logs: list[LogLine] = []
        self.metrics: list[MetricLogged] = []
        self.artifacts: dict[str, ArtifactMade] = {}
        self.events: list[EventEmitted] = []
        self.assets: list[AssetMaterialized | AssetDescribed] = []
        self.asked: dict[tuple[str, str], InputAsked] = {}
        self.superseded: list[Superseded] = []
        self.refused: list[Refused] = []
        self.roots: dict[str, None] = {}

    def may_found(self, record: AnyRecord) -> bool:
        """Tell whether a record of a root that is not in the store may bring it there: its very first one may."""
        return (
            type(record) is FlowRunBegun
            and record.id == record.root
            and record.attempt == 1
            and record.root not in self.buried
        )

    def refuse(self, n: int, record: AnyRecord, why: Refusal) -> None:
        self.refused.append(Refused(n, record.root, record.token, why))
        if why is Refusal.FENCED:
            kept = _superseded(record)
            if kept is not None:
                self.superseded.append(kept)
                self.roots[record.root] = None

    def take(self, record: AnyRecord) -> bool:
        """Apply one record that passed the guard of its root; `False` when it makes no sense."""
        taker = _TAKERS.get(type(record))
        taken = taker is not None and taker(self, record)
        if taken:
            self.roots[record.root] = None
        return taken

    def task_begun(self, record: TaskRunBegun) -> bool:
        row = self.tasks.get(record.id)
        if row is None:
            at = record.at
            state = record.state
            self.tasks[record.id] = TaskRow(
                record.id,
                record.root,
                record.run,
                record.attempt,
                record.token,
                state,
                DEFAULT_NAMES[state],
                "",
                "",
                at if state is _RUNNING else 0.0,
                at if state in FINAL else 0.0,
                "",
                0.0,
                None,
                True,
                at,
                "",
                None,
                record,
            )
            return True
        if record.was is None or not self._begins_again(row, record):
            return _repeats(row, record)
        row.begun, row.run, row.due = record, record.run, 0.0
        return True

    def flow_begun(self, record: FlowRunBegun) -> bool:
        row = self.flows.get(record.id)
        if row is None:
            at, state = record.at, record.state
            self.flows[record.id] = row = FlowRow(
                record.id,
                record.root,
                "",
                record.attempt,
                record.token,
                state,
                record.state_name or DEFAULT_NAMES[state],
                "",
                record.holder,
                at if state is _RUNNING else 0.0,
                at if state in FINAL else 0.0,
                record.flow,
                at,
                None,
                True,
                at,
            )
        elif record.id == record.root:
            # The claim has already made this attempt; this record says what the claim could not know.
            if record.attempt != row.attempt or not (row.state is record.state or _moves(row, record.state)):
                return False
            if row.state in FINAL:
                return _repeats(row, record)
            _set(row, record.state, record.state_name, record.at)
        elif not self._begins_again(row, record):
            return _repeats(row, record)
        row.begun, row.name, row.run_count = record, record.name, 1
        row.holder = record.holder or row.holder
        return True

    def _begins_again(self, row: Row, record: TaskRunBegun | FlowRunBegun) -> bool:
        """Set a row that is there to the attempt that a record begins, if it may begin one."""
        if row.root != record.root or row.state is _COMPLETED:
            return False
        if record.attempt > row.attempt:
            if row.state in FINAL:
                self._close(row, row.state, row.state_name, row.message, row.ended)
            elif record.token > row.token:
                self._close(row, _CRASHED, "Crashed", row.message, record.at)
            else:
                self._close(row, _FAILED, "Failed", row.message, record.at)
        elif record.attempt < row.attempt or record.token <= row.token or row.state in FINAL:
            # The same attempt goes on only under a new claim, and only if it had not ended.
            return False
        row.attempt, row.token, row.started, row.result = record.attempt, record.token, 0.0, None
        row.message = row.detail = ""
        _set(row, record.state, _state_name(record), record.at)
        return True

    def task_moved(self, record: TaskRunMoved) -> bool:
        row = self.tasks.get(record.id)
        if row is None or not self._moved(row, record):
            return row is not None and _repeats(row, record)
        row.due = record.due
        if record.state is _SCHEDULED:
            row.started = 0.0
        return True

    def task_rolled_back(self, record: TaskRunRolledBack) -> bool:
        row = self.tasks.get(record.id)
        if row is None or row.root != record.root or row.state is not _COMPLETED:
            return False
        row.state_name, row.message, row.changed = "RolledBack", "It was rolled back with its transaction.", True
        row.at, row.result = record.at, ROLLED_BACK
        return True

    def flow_moved(self, record: FlowRunMoved) -> bool:
        row = self.flows.get(record.id)
        if row is None or not self._moved(row, record):
            return row is not None and _repeats(row, record)
        row.run_count = record.run_count
        row.name = record.name or row.name
        if record.released:
            row.holder = ""
        return True

    def input_asked(self, record: InputAsked) -> bool:
        row = self.flows.get(record.id)
        if row is None or row.root != record.root:
            return False
        self.asked[record.id, record.key] = record
        return True

    def _moved(self, row: Row, record: TaskRunMoved | FlowRunMoved) -> bool:
        if row.root != record.root:
            return False
        state = record.state
        if record.attempt == row.attempt:
            if not _moves(row, state):
                return False
            if row.state is _RUNNING and state is _SCHEDULED and type(record) is TaskRunMoved:
                self._close(row, _FAILED, "Failed", record.message, record.at)
        elif record.attempt > row.attempt and row.state is not _COMPLETED:
            if row.state is _RUNNING:
                self._close(row, _FAILED, "Failed", record.message, record.at)
            else:
                self._close(row, row.state, row.state_name, row.message, row.ended or record.at)
            row.attempt, row.started = record.attempt, 0.0
        else:
            return False
        row.token = record.token
        row.message, row.detail, row.result = record.message, record.detail, record.result
        _set(row, state, record.state_name, record.at)
        return True

    def _close(self, row: Row, state: StateType, name: str, message: str, ended: float) -> None:
        key = (row.id, row.attempt)
        if key not in self.closed:
            self.closed_roots.append(row.root)
            self.closed[key] = Attempt(
                run=row.id,
                attempt=row.attempt,
                token=row.token,
                state_type=state,
                state_name=name,
                message=message,
                started=row.started,
                ended=ended,
                holder=row.holder,
            )

    def source_found(self, record: FlowRunSource) -> bool:
        if record.id != record.root:
            return False
        self.sources[record.id] = record.source
        return True

    def call_reused(self, record: CallReused) -> bool:
        self.reused[record.id] = record
        return True

    def log_written(self, record: LogLine) -> bool:
        self.logs.append(record)
        return True

    def artifact_made(self, record: ArtifactMade) -> bool:
        self.artifacts[record.id] = record
        return True

    def metric_logged(self, record: MetricLogged) -> bool:
        if not -_INT64 <= record.step < _INT64:
            return False
        self.metrics.append(record)
        return True

    def event_emitted(self, record: EventEmitted) -> bool:
        if not 0.0 <= record.occurred < _END_OF_TIME or not _is_object(record.payload):
            return False
        self.events.append(record)
        return True

    def asset_materialized(self, record: AssetMaterialized) -> bool:
        self.assets.append(record)
        return True

    def asset_described(self, record: AssetDescribed) -> bool:
        if not _is_object(record.metadata):
            return False
        self.assets.append(record)
        return True

    def counted(self, record: Counted) -> bool:
        key = (record.root, record.run, record.what)
        self.dropped[key] = self.dropped.get(key, 0) + record.count
        return True

    def changes(self) -> Changes:
        flows = [row for row in self.flows.values() if row.changed]
        tasks = [row for row in self.tasks.values() if row.changed]
        counts: dict[tuple[str, str, StateType], int] = {}
        for row in tasks:
            was, state, root, run = row.was, row.state, row.root, row.run
            if was is not state:
                counts[root, run, state] = counts.get((root, run, state), 0) + 1
                if was is not None:
                    counts[root, run, was] = counts.get((root, run, was), 0) - 1
        stirred = self.roots
        stirred.update((run, None) for _, run, _ in counts)
        stirred.update((run, None) for _, run, _ in self.dropped)
        stirred.update((run, None) for run in self.sources)
        for flow in flows:
            stirred.pop(flow.id, None)
        return Changes(
            flows,
            tasks,
            list(self.closed.values()),
            self.closed_roots,
            {key: n for key, n in counts.items() if n},
            self.dropped,
            self.sources,
            self.reused,
            self.logs,
            self.metrics,
            self.artifacts,
            self.superseded,
            self.refused,
            list(stirred),
            _run_counts(flows),
            events=self.events,
            assets=self.assets,
            asked=list(self.asked.values()),
        )


def _run_counts(flows: Iterable[FlowRow]) -> RunCounts:
    counts = RunCounts()
    for row in flows:
        if row.id == row.root:
            if row.was is not None:
                counts.add(row.flow, row.created, row.was, row.took, -1)
            counts.add(row.flow, row.created, row.state, took(row.state, row.started, row.ended))
    return counts


#: Which method takes which kind of record.
_TAKERS: dict[type, Callable[[_Folding, Any], bool]] = {
    TaskRunBegun: _Folding.task_begun,
    TaskRunMoved: _Folding.task_moved,
    TaskRunRolledBack: _Folding.task_rolled_back,
    CallReused: _Folding.call_reused,
    LogLine: _Folding.log_written,
    FlowRunBegun: _Folding.flow_begun,
    FlowRunMoved: _Folding.flow_moved,
    FlowRunSource: _Folding.source_found,
    InputAsked: _Folding.input_asked,
    ArtifactMade: _Folding.artifact_made,
    MetricLogged: _Folding.metric_logged,
    Counted: _Folding.counted,
    EventEmitted: _Folding.event_emitted,
    AssetMaterialized: _Folding.asset_materialized,
    AssetDescribed: _Folding.asset_described,
}


def _is_object(text: bytes) -> bool:
    """Tell whether bytes are a JSON object: one that is none could never be read with those around it."""
    try:
        _read_object(text)
    except (ValueError, RecursionError):
        return False
    return True


def ends_requests(row: FlowRow) -> bool:
    """Tell whether what was asked of a root run ends with what the row says: it has ended, or nobody runs it."""
    return row.state in FINAL or (row.state is StateType.PAUSED and not row.holder)


def _moves(row: Row, state: StateType) -> bool:
    """Tell whether the row's attempt may go to `state`."""
    if row.state is _RUNNING:
        return state is not StateType.PENDING
    return may_follow(row.state, state)


def _repeats(row: Row, record: TaskRunBegun | TaskRunMoved | FlowRunBegun | FlowRunMoved) -> bool:
    """Tell whether a record says only what the row says already, which is harmless."""
    return (
        row.root == record.root
        and row.attempt == record.attempt
        and row.token == record.token
        and row.state is record.state
        and row.state_name == _state_name(record)
    )


def _state_name(record: TaskRunBegun | TaskRunMoved | FlowRunBegun | FlowRunMoved) -> str:
    given = "" if isinstance(record, TaskRunBegun) else record.state_name
    return given or DEFAULT_NAMES[record.state]


def _set(row: Row, state: StateType, name: str, at: float) -> None:
    row.state, row.state_name, row.at, row.changed = state, name or DEFAULT_NAMES[state], at, True
    if state is _RUNNING:
        row.started = row.started or at
        row.ended = 0.0
    else:
        row.ended = at if state in FINAL else 0.0


def _superseded(record: AnyRecord) -> Superseded | None:
    """Return what is kept of a fenced record: what it said of a state; logs and values of a lost claim are dropped."""
    if not isinstance(record, FlowRunBegun | FlowRunMoved | TaskRunBegun | TaskRunMoved):
        return None
    return Superseded(
        root=record.root,
        run=record.id,
        token=record.token,
        attempt=record.attempt,
        state_type=record.state,
        state_name=_state_name(record),
        message=getattr(record, "message", ""),
        at=record.at,
    )
