"""The Store in memory: for tests, and for runs that need no history. It ships to users."""

from __future__ import annotations

import os
import threading
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from itertools import islice
from typing import Any, TypeVar

from msgspec.structs import replace

from nadi.exceptions import RunTaken, StoreUnavailable
from nadi.model.pauses import Pause
from nadi.model.records import CallKey, FlowRunBegun
from nadi.model.runs import (
    Artifact,
    Attempt,
    Claim,
    FlowRun,
    Log,
    Metric,
    Request,
    Superseded,
    TaskRun,
    Variable,
)
from nadi.model.states import DEFAULT_NAMES, StateType
from nadi.model.work import Work
from nadi.storage.claiming import (
    all_attempts,
    crashed_attempt,
    is_released,
    left_attempt,
    next_claim,
    standing_attempt,
    told_holder,
    was_tried,
)
from nadi.storage.contract import Applied, Batch, Ending, Store
from nadi.storage.crashes import AWAITING_RESUME, DEAD_LETTERED, Awaiting, DeadLetter, after_crash
from nadi.storage.ending import may_end
from nadi.storage.fold import Before, Changes, FlowRow, TaskRow, ends_requests, fold, fold_new_runs, named
from nadi.storage.in_memory.access import MemoryAccessTable
from nadi.storage.in_memory.assets import MemoryAssetTable
from nadi.storage.in_memory.cache import MemoryCacheTable
from nadi.storage.in_memory.deployments import MemoryDeploymentTable
from nadi.storage.in_memory.events import MemoryEventTable
from nadi.storage.in_memory.inputs import MemoryInputTable
from nadi.storage.in_memory.leases import MemoryLeaseTable
from nadi.storage.in_memory.limits import MemoryLimitTable
from nadi.storage.in_memory.overview import MemoryOverview
from nadi.storage.in_memory.result_files import MemoryResultFileTable, files_of
from nadi.storage.in_memory.retention import MemoryRetentionTable
from nadi.storage.in_memory.schedules import MemoryScheduleTable
from nadi.storage.in_memory.work import MemoryWorkTable

_Run = TypeVar("_Run", FlowRun, TaskRun)

#: The most superseded reports kept of one root run.
_SUPERSEDED_LIMIT = 1000


class _Runs(dict[str, _Run]):
    """Runs by id, and their ids in order: ids mostly come in order, so keeping them sorted costs nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []

    def put(self, run: _Run) -> None:
        if run.id not in self:
            insort(self.ids, run.id)
        self[run.id] = run

    def in_order(self, after: str = "") -> Iterator[_Run]:
        for id in self.ids[bisect_right(self.ids, after) :]:
            yield self[id]

    def newest_first(self) -> Iterator[_Run]:
        for id in reversed(self.ids):
            yield self[id]


class _Root:
    """All that belongs to one root run."""

    def __init__(self) -> None:
        self.flows: _Runs[FlowRun] = _Runs()
        self.tasks: _Runs[TaskRun] = _Runs()
        #: By id of a run: its attempts that were followed by another, by number.
        self.closed: dict[str, dict[int, Attempt]] = {}
        self.logs: list[Log] = []
        self.metrics: list[Metric] = []
        self.artifacts: dict[str, Artifact] = {}
        self.superseded: list[Superseded] = []
        self.requests: dict[str, Request] = {}


class MemoryStore(Store):
    """Runs kept in this process only, and gone with it; every rule of the contract holds all the same.

    Args:
        id: Identity of the store; random when empty.
    """

    inputs: MemoryInputTable

    def __init__(self, id: str = "") -> None:
        self.id = id or os.urandom(16).hex()
        self.url = "memory://"
        self.signing_key = os.urandom(32)
        self._lock = threading.Lock()
        self._seq = 0
        self._watermarks: dict[str, int] = {}
        self._roots: dict[str, _Root] = {}
        #: Every flow run, whatever its root.
        self._flows: _Runs[FlowRun] = _Runs()
        #: Root of each task run.
        self._root_of_task: dict[str, str] = {}
        self._root_of_artifact: dict[str, str] = {}
        #: When each deleted root run was deleted.
        self._buried: dict[str, float] = {}
        self._variables: dict[str, Variable] = {}
        self._closed = False
        self.assets: MemoryAssetTable = MemoryAssetTable(self._usable, self._next)
        files = MemoryResultFileTable(self._usable, self._flows.__contains__, self._named_files)
        self.result_files: MemoryResultFileTable = files
        self.cache: MemoryCacheTable = MemoryCacheTable(self._usable, self._next, self._is_lost, files.release)
        self.events: MemoryEventTable = MemoryEventTable(self._usable, self._next)
        self.inputs = MemoryInputTable(self._usable, self._next, self._is_waited_for)
        self.limits = MemoryLimitTable(self._usable, self._next)
        self.overview: MemoryOverview = MemoryOverview(self._usable, self._flows, self._buried)
        self.access: MemoryAccessTable = MemoryAccessTable(self._usable)
        self.leases = MemoryLeaseTable(self._usable, self._fence)
        self.retention = MemoryRetentionTable(
            roots=self._root_runs, bury=self._bury, forget=self._forget_tombstones, counts=self.counts
        )
        self.work: MemoryWorkTable = MemoryWorkTable(
            usable=self._usable,
            next_change=self._next,
            run=self._flows.get,
            is_buried=self._buried.__contains__,
            record=self._record,
            allowed=lambda deployment: self.deployments.allowed(deployment),
        )
        self.schedules: MemoryScheduleTable = MemoryScheduleTable(
            usable=self._usable,
            next_change=self._next,
            work=self.work,
            is_paused=lambda deployment: self.deployments.is_paused(deployment),
            cancel=self._cancel,
        )
        self.deployments: MemoryDeploymentTable = MemoryDeploymentTable(
            usable=self._usable,
            next_change=self._next,
            work=self.work,
            schedules=self.schedules,
            cancel=self._cancel,
        )

    # -- writing --

    def apply(self, batch: Batch) -> Applied:
        with self._usable():
            watermark = self._watermarks.get(batch.writer, 0)
            first = max(batch.first, watermark + 1)
            records = batch.records[first - batch.first :]
            if batch.first > watermark + 1 or not records:
                return Applied(watermark)
            changes = fold(records, first, self._before(batch))
            self._write(changes)
            self._watermarks[batch.writer] = last = first + len(records) - 1
            return Applied(last, tuple(changes.refused))

    def watermark(self, writer: str) -> int:
        with self._usable():
            return self._watermarks.get(writer, 0)

    def forget_writer(self, writer: str) -> None:
        with self._usable():
            self._watermarks.pop(writer, None)

    def claim(self, run: str, *, holder: str, now: float, expected_token: int | None = None) -> Claim:
        with self._usable():
            found = self._flows.get(run)
            claim = next_claim(found, run, expected_token=expected_token, where=self.url)
            assert found is not None
            if was_tried(found):
                # That of a run that waits to be taken up again is closed already.
                self._roots[run].closed.setdefault(run, {}).setdefault(found.attempt, left_attempt(found, now=now))
            claimed = copy(found)
            claimed.token, claimed.attempt, claimed.holder = claim.token, claim.attempt, holder
            claimed.state_type, claimed.state_name, claimed.state_at = StateType.PENDING, "Pending", now
            claimed.message = claimed.detail = ""
            claimed.started = claimed.ended = 0.0
            claimed.result, claimed.run_count = None, 1
            self._put_flow(claimed)
            work = self.work.still_open(run)
            if work is not None:
                has_worker = bool(work.worker)
                self.work.put(work if has_worker else replace(work, worker=holder, assigned=now))
            return claim

    def end_attempt(self, run: str, *, token: int, state: StateType, name: str, message: str, now: float) -> bool:
        with self._usable():
            return self._end(Ending(run, token, state, message, name), now)

    def ask(self, request: Request) -> None:
        with self._usable():
            root = self._flows.get(request.run)
            if root is not None and root.is_root and not root.is_final:
                self._roots[request.run].requests.setdefault(request.kind, request)
            self._seq += 1

    def requests(self, runs: Sequence[str]) -> list[Request]:
        with self._usable():
            asked = [r for run in runs if run in self._roots for r in self._roots[run].requests.values()]
            return sorted(asked, key=lambda request: (request.at, request.run))

    def delete_run(self, run: str, *, now: float) -> bool:
        with self._usable():
            found = self._flows.get(run)
            if found is None or not found.is_root:
                return False
            if not found.is_final:
                raise RunTaken(run, holder=told_holder(found))
            gone = self._roots.pop(run)
            for id in gone.flows:
                del self._flows[id]
                self._flows.ids.remove(id)
            for id in gone.tasks:
                del self._root_of_task[id]
            for id in gone.artifacts:
                del self._root_of_artifact[id]
            self.events.forget(run)
            self.inputs.forget(run)
            self.work.forget(run)
            self._buried[run] = now
            self.result_files.bury(run, [*gone.flows.values(), *gone.tasks.values()], now)
            self.overview.gone(found, self._next())
            return True

    def _root_runs(self) -> list[FlowRun]:
        with self._usable():
            return [self._flows[root] for root in self._roots if root in self._flows]

    def _bury(self, run: str, now: float) -> bool:
        try:
            return self.delete_run(run, now=now)
        except RunTaken:
            return False

    def _forget_tombstones(self, before: float, limit: int) -> int:
        with self._usable():
            waiting = self.result_files.uncollected()
            old = [
                run
                for run, at in self._buried.items()
                if at < before and run not in waiting and not self.access.noted_since(run, before)
            ][:limit]
            for run in old:
                del self._buried[run]
                self.access.forget_far(run)
            return len(old)

    # -- reading --

    def flow_run(self, run: str) -> FlowRun | None:
        with self._usable():
            return self._flows.get(run)

    def find_flow_runs(self, wanted: str, *, limit: int = 10) -> list[FlowRun]:
        with self._usable():
            by_id = (run for run in self._flows.newest_first() if run.id.startswith(wanted))
            found = list(islice(by_id, limit))
            by_name = (run for run in self._flows.newest_first() if run.name == wanted)
            return found or list(islice(by_name, limit))

    def waiting_runs(
        self, flows: Sequence[str], *, state: StateType, after: str = "", limit: int = 1000
    ) -> list[FlowRun]:
        with self._usable():
            wanted = (
                run
                for run in self._flows.in_order(after)
                if run.is_root and run.function and run.state_type is state and run.flow in flows
            )
            return list(islice(wanted, limit))

    def subflow_runs(self, root: str, *, after: str = "", limit: int = 0) -> list[FlowRun]:
        with self._usable():
            found = (run for run in self._of(root).flows.in_order(after) if not run.is_root)
            return list(islice(found, limit or None))

    def task_run(self, task_run: str) -> TaskRun | None:
        with self._usable():
            root = self._root_of_task.get(task_run)
            return None if root is None else self._roots[root].tasks[task_run]

    def task_runs(
        self,
        root: str,
        *,
        run: str = "",
        states: Sequence[StateType] = (),
        after: str = "",
        changed_after: int = -1,
        limit: int = 1000,
    ) -> list[TaskRun]:
        with self._usable():
            tasks: Iterable[TaskRun] = self._of(root).tasks.in_order(after)
            if changed_after >= 0:
                tasks = sorted((task for task in tasks if task.seq > changed_after), key=lambda task: task.seq)
            wanted = (task for task in tasks if run in ("", task.run) and (not states or task.state_type in states))
            return list(islice(wanted, limit))

    def recorded_calls(self, root: str) -> Iterator[TaskRun | FlowRun]:
        with self._usable():
            of = self._of(root)
            calls: list[TaskRun | FlowRun] = [
                *of.tasks.values(),
                *(run for run in of.flows.values() if not run.is_root),
            ]
        calls.sort(key=lambda call: call.id)
        return iter(calls)

    def attempts(self, run: str) -> list[Attempt]:
        newest = self.flow_run(run) or self.task_run(run)
        if newest is None:
            return []
        with self._usable():
            closed = self._of(newest.root).closed.get(run, {})
            return all_attempts([closed[number] for number in sorted(closed)], standing_attempt(newest))

    def earlier_attempts(
        self, root: str, *, run: str = "", after: tuple[str, int] = ("", 0), limit: int = 1000
    ) -> list[Attempt]:
        with self._usable():
            of = self._of(root)
            found: list[Attempt] = []
            for id in sorted(id for id in of.closed if id >= after[0] and id in of.tasks):
                if run in ("", of.tasks[id].run):
                    found += (of.closed[id][n] for n in sorted(of.closed[id]) if (id, n) > after)
                if len(found) >= limit:
                    break
            return found[:limit]

    def superseded(self, root: str, *, limit: int = 1000) -> list[Superseded]:
        with self._usable():
            return self._of(root).superseded[:limit]

    def logs(
        self, root: str, *, run: str = "", task: str = "", level: int = 0, after: int = 0, limit: int = 1000
    ) -> list[Log]:
        with self._usable():
            logs = self._of(root).logs
            newer = logs[bisect_right(logs, after, key=lambda log: log.seq) :] if after else logs
            wanted = (log for log in newer if run in ("", log.run) and task in ("", log.task) and log.level >= level)
            return list(islice(wanted, limit))

    def last_logs(
        self, root: str, *, run: str = "", task: str = "", level: int = 0, before: int = 0, limit: int = 100
    ) -> list[Log]:
        with self._usable():
            logs = self._of(root).logs
            older = logs[: bisect_left(logs, before, key=lambda log: log.seq)] if before else logs
            wanted = (
                log for log in reversed(older) if run in ("", log.run) and task in ("", log.task) and log.level >= level
            )
            return list(islice(wanted, limit))[::-1]

    def artifacts(
        self, *, root: str = "", key: str = "", after: str = "", changed_after: int = -1, limit: int = 1000
    ) -> list[Artifact]:
        with self._usable():
            roots = [self._of(root)] if root else self._roots.values()
            found = [a for of in roots for a in of.artifacts.values() if key in ("", a.key) and a.id > after]
            if changed_after >= 0:
                found = sorted((a for a in found if a.seq > changed_after), key=lambda artifact: artifact.seq)
                return found[:limit]
            return sorted(found, key=lambda artifact: artifact.id)[:limit]

    def artifact(self, artifact: str) -> Artifact | None:
        with self._usable():
            root = self._root_of_artifact.get(artifact)
            return None if root is None else self._roots[root].artifacts[artifact]

    def metrics(self, root: str, *, key: str = "", after: int = 0, limit: int = 10_000) -> list[Metric]:
        with self._usable():
            wanted = (m for m in self._of(root).metrics if m.seq > after and key in ("", m.key))
            return list(islice(wanted, limit))

    def variable(self, name: str) -> Variable | None:
        with self._usable():
            return self._variables.get(name)

    def variables(self) -> list[Variable]:
        with self._usable():
            return [self._variables[name] for name in sorted(self._variables)]

    def set_variable(self, variable: Variable, *, overwrite: bool) -> bool:
        with self._usable():
            if variable.name in self._variables and not overwrite:
                return False
            self._variables[variable.name] = variable
            self._seq += 1
            return True

    def unset_variable(self, name: str) -> bool:
        with self._usable():
            if self._variables.pop(name, None) is None:
                return False
            self._seq += 1
            return True

    def last_change(self) -> int:
        with self._usable():
            return self._seq

    def counts(self) -> dict[str, int]:
        with self._usable():
            roots = self._roots.values()
            return {
                "flow_runs": len(self._flows),
                "task_runs": len(self._root_of_task),
                "logs": sum(len(of.logs) for of in roots),
                "artifacts": len(self._root_of_artifact),
                "metrics": sum(len(of.metrics) for of in roots),
                "variables": len(self._variables),
                "superseded": sum(len(of.superseded) for of in roots),
                "deleted_runs": len(self._buried),
                "writers": len(self._watermarks),
            }

    def close(self) -> None:
        self._closed = True

    # -- in detail; all under the lock --

    def _usable(self) -> threading.Lock:
        if self._closed:
            raise StoreUnavailable("The store in memory was closed. Make a new one.")
        return self._lock

    def _of(self, root: str) -> _Root:
        return self._roots.get(root) or _Root()

    def _before(self, batch: Batch) -> Before:
        flows, tasks = named(batch.records)
        return Before(
            {id: _stand(FlowRow, self._flows[id], "") for id in flows if id in self._flows},
            {
                id: _stand(TaskRow, task, task.run)
                for id in tasks
                if id in self._root_of_task and (task := self._roots[self._root_of_task[id]].tasks[id])
            },
            frozenset(flows & self._buried.keys()),
        )

    def _write(self, changes: Changes) -> None:
        for row in changes.flows:
            if row.was is None and row.id == row.root:
                self._roots[row.id] = _Root()
        for changed in changes.tasks:
            self._put_task(self._task_from(changed))
        for log in changes.logs:
            self._roots[log.root].logs.append(
                Log(
                    seq=self._next(),
                    root=log.root,
                    run=log.run,
                    task=log.task,
                    at=log.at,
                    level=log.level,
                    logger=log.logger,
                    text=log.text,
                )
            )
        for m in changes.metrics:
            self._roots[m.root].metrics.append(
                Metric(
                    seq=self._next(),
                    root=m.root,
                    run=m.run,
                    task=m.task,
                    key=m.key,
                    value=m.value,
                    step=m.step,
                    at=m.at,
                )
            )
        for a in changes.artifacts.values():
            if self._root_of_artifact.setdefault(a.id, a.root) != a.root:
                continue
            there = self._roots[a.root].artifacts.get(a.id)
            self._roots[a.root].artifacts[a.id] = Artifact(
                id=a.id,
                root=a.root,
                run=there.run if there else a.run,
                task=there.task if there else a.task,
                key=a.key,
                kind=a.kind,
                description=a.description,
                data=a.data,
                created=there.created if there else a.at,
                updated=a.at,
                seq=self._next(),
            )
        self.events.take(changes.events)
        self.assets.take(changes.assets)
        self.inputs.take(changes.asked)
        for attempt, root in zip(changes.closed, changes.closed_roots, strict=True):
            self._roots[root].closed.setdefault(attempt.run, {}).setdefault(attempt.attempt, attempt)
        for late in changes.superseded:
            if len(self._roots[late.root].superseded) < _SUPERSEDED_LIMIT:
                self._roots[late.root].superseded.append(late)
        for row in changes.flows:
            self._put_flow(self._flow_from(row))
        for id, reused in changes.reused.items():
            of = self._roots[reused.root]
            if id in of.tasks:
                task = copy(of.tasks[id])
                task.seen = reused.token
                self._put_task(task)
            elif id in of.flows:
                subflow = copy(of.flows[id])
                subflow.seen = reused.token
                self._put_flow(subflow)
        deltas: dict[str, dict[StateType, int]] = {}
        for (_, run, state), n in changes.task_counts.items():
            deltas.setdefault(run, {})[state] = n
        for run, delta in deltas.items():
            self._count(run, delta)
        for (_, run, what), n in changes.dropped.items():
            if flow := self._flows.get(run):
                flow = copy(flow)
                flow.dropped = {**flow.dropped, what: flow.dropped.get(what, 0) + n}
                self._put_flow(flow)
        for run, source in changes.sources.items():
            flow = copy(self._flows[run])
            flow.source = source
            self._put_flow(flow)
        for run in changes.stirred:
            if run in self._flows:
                self._put_flow(copy(self._flows[run]))
        for row in changes.flows:
            if row.id == row.root and ends_requests(row):
                self._settle(row.id)

    def _record(self, begun: Sequence[FlowRunBegun]) -> None:
        self._write(fold_new_runs(begun))

    def _end(self, ending: Ending, now: float) -> bool:
        """See `end_attempt`."""
        root = self._flows.get(ending.run)
        if root is None or not may_end([ending], {ending.run: root})[0]:
            return False
        name = ending.name or DEFAULT_NAMES[ending.state]
        # The root last: readers that follow changes see it when all below it has ended.
        self._end_below(ending.run, ending.state, name, ending.message, now)
        self._put_flow(_ended(self._flows[ending.run], ending.state, name, ending.message, now))
        self._settle(ending.run)
        return True

    def _end_below(self, run: str, state: StateType, name: str, message: str, now: float) -> None:
        belongings = self._roots[run]
        for task in list(belongings.tasks.in_order()):
            if not task.is_final:
                waiting = task.state_type in (StateType.SCHEDULED, StateType.PENDING)
                ended = StateType.CANCELLED if waiting else state
                self._count(task.run, {task.state_type: -1, ended: 1})
                self._put_task(_ended(task, ended, "Cancelled" if waiting else name, message, now))
        for flow in reversed(list(belongings.flows.in_order())):
            if not flow.is_final and not flow.is_root:
                self._put_flow(_ended(flow, state, name, message, now))

    def _cancel(self, runs: Iterable[str], message: str, now: float) -> None:
        for run in runs:
            self._end(Ending(run, self._flows[run].token, StateType.CANCELLED, message), now)

    def _settle(self, run: str) -> None:
        """Carry out what follows from that a root run has ended, or was suspended."""
        root, work = self._flows[run], self.work.still_open(run)
        if work is not None:
            if root.state_type is StateType.PAUSED:
                self.work.put(replace(work, worker="", assigned=0.0), suspended=True)
            elif root.state_type is not StateType.CRASHED:
                self.work.put(replace(work, open=False))
            elif self._is_taken_up(root, work):
                return
        self._roots[run].requests.clear()

    def _is_taken_up(self, crashed: FlowRun, work: Work) -> bool:
        """Decide what follows for a root run that stands as CRASHED, and tell whether it is taken up again."""
        tasks = self._roots[crashed.id].tasks.values()
        finished = sum(t.state_type is StateType.COMPLETED and (not t.reason or t.attempt > 1) for t in tasks)
        follows = after_crash(work, why=crashed.message, finished=finished, now=crashed.ended)
        self.work.put(follows.work)
        if isinstance(follows, Awaiting):
            # What the process itself said of its end may have left open what is below.
            self._end_below(crashed.id, StateType.CRASHED, "Crashed", crashed.message, crashed.ended)
            self._roots[crashed.id].closed.setdefault(crashed.id, {})[crashed.attempt] = crashed_attempt(crashed)
            waiting = _ended(
                self._flows[crashed.id], StateType.SCHEDULED, AWAITING_RESUME, follows.message, crashed.ended
            )
            waiting.started, waiting.ended = crashed.started or crashed.ended, 0.0
            waiting.token, waiting.holder = crashed.token + 1, ""
            self._put_flow(waiting)
            return True
        if isinstance(follows, DeadLetter):
            self._put_flow(_ended(crashed, StateType.CRASHED, DEAD_LETTERED, follows.message, crashed.ended))
        return False

    def _is_lost(self, root: str, token: int) -> bool:
        found = self._flows.get(root)
        return root in self._buried or (found is not None and found.token > token)

    def _named_files(self) -> set[str]:
        belongings = self._roots.values()
        of_records = (files_of([*of.flows.values(), *of.tasks.values()]) for of in belongings)
        return self.cache.files().union(*of_records)

    def _fence(self, holder: str) -> None:
        for run in [one for one in self._flows.values() if one.holder == holder and one.is_root and not one.is_final]:
            fenced = copy(run)
            fenced.token += 1
            self._put_flow(fenced)

    def _is_waited_for(self, pause: Pause) -> bool:
        found = self._flows.get(pause.root)
        return found is not None and is_released(found) and pause.at >= found.started

    def _next(self) -> int:
        self._seq += 1
        return self._seq

    def _put_task(self, task: TaskRun) -> None:
        task.seq = self._next()
        self._roots[task.root].tasks.put(task)
        self._root_of_task[task.id] = task.root

    def _put_flow(self, flow: FlowRun) -> None:
        # Readers may hold the value that was there: rows are replaced, never changed.
        flow.seq = self._next()
        if flow.is_root:
            self.overview.moved(self._flows.get(flow.id), flow)
        self._roots[flow.root].flows.put(flow)
        self._flows.put(flow)

    def _count(self, run: str, delta: dict[StateType, int]) -> None:
        if run in self._flows:
            flow = copy(self._flows[run])
            counts = dict(flow.task_counts)
            for state, n in delta.items():
                counts[state.value] = counts.get(state.value, 0) + n
            flow.task_counts = {state: n for state, n in counts.items() if n > 0}
            self._put_flow(flow)

    def _task_from(self, row: TaskRow) -> TaskRun:
        begun = row.begun
        there = self._roots[row.root].tasks.get(row.id)
        if begun is not None:
            task = TaskRun(
                **_common(row),
                run=row.run,
                task=begun.task,
                name=begun.name,
                created=there.created if there else begun.at,
                tags=begun.tags,
                map_index=begun.map_index,
                upstream=begun.upstream,
                reason=begun.reason,
                due=row.due,
                seen=begun.token,
                **_call(begun.call),
            )
        else:
            assert there is not None
            task = _moved(there, row)
            task.due = row.due
        return task

    def _flow_from(self, row: FlowRow) -> FlowRun:
        begun = row.begun
        there = self._roots[row.root].flows.get(row.id)
        if begun is not None:
            flow = FlowRun(
                **_common(row),
                flow=row.flow,
                name=row.name,
                parent=begun.parent,
                created=row.created,
                tags=begun.tags,
                version=begun.version,
                description=begun.description,
                parameters=begun.parameters,
                arguments=begun.arguments or (there.arguments if there else None),
                holder=row.holder,
                source=begun.source or (there.source if there else b""),
                run_count=row.run_count,
                task_counts=there.task_counts if there else {},
                dropped=there.dropped if there else {},
                seen=begun.token,
                **_call(begun.call),
            )
        else:
            assert there is not None
            flow = _moved(there, row)
            flow.run_count, flow.name, flow.holder = row.run_count, row.name or flow.name, row.holder
        return flow


_Row = TypeVar("_Row", FlowRow, TaskRow)


def _stand(kind: type[_Row], run: FlowRun | TaskRun, belongs_to: str) -> _Row:
    holder, flow = (run.holder, run.flow) if isinstance(run, FlowRun) else ("", "")
    return kind(
        run.id,
        run.root,
        belongs_to,
        run.attempt,
        run.token,
        run.state_type,
        run.state_name,
        run.message,
        holder,
        run.started,
        run.ended,
        flow,
        run.created,
    )


def _common(row: FlowRow | TaskRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "root": row.root,
        "attempt": row.attempt,
        "token": row.token,
        "state_type": row.state,
        "state_name": row.state_name,
        "message": row.message,
        "detail": row.detail,
        "state_at": row.at,
        "started": row.started,
        "ended": row.ended,
        "result": row.result,
    }


def _call(call: CallKey | None) -> dict[str, Any]:
    return {} if call is None else {field: getattr(call, field) for field in call.__struct_fields__}


def _moved(there: _Run, row: FlowRow | TaskRow) -> _Run:
    run = copy(there)
    run.attempt, run.token = row.attempt, row.token
    run.state_type, run.state_name, run.state_at = row.state, row.state_name, row.at
    run.message, run.detail, run.result = row.message, row.detail, row.result
    run.started, run.ended = row.started, row.ended
    return run


def _ended(run: _Run, state: StateType, name: str, message: str, now: float) -> _Run:
    run = copy(run)
    run.state_type, run.state_name, run.message, run.state_at, run.ended = state, name, message, now, now
    return run
