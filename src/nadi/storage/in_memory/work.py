"""Work, queues and workers in memory."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from threading import Lock

import msgspec

from nadi.model.records import FlowRunBegun
from nadi.model.runs import FlowRun
from nadi.model.states import StateType
from nadi.model.work import Enqueued, NewRun, Queue, Work, WorkerSeen
from nadi.storage.contracts.work import WorkTable
from nadi.storage.lines import Line, Waiting, place_in_line

_with = msgspec.structs.replace


class MemoryWorkTable(WorkTable):
    """See the contract.

    Args:
        usable: Gives the lock of the store, or raises when the store is closed.
        next_change: Takes the next change number; called under the lock, as all that follow are.
        run: Gives a flow run; `None` when there is none.
        is_buried: Tells whether a root run was deleted.
        record: Records root runs that are not there yet.
        allowed: Gives how many runs of a deployment may be under way at once; 0 for no limit.
    """

    def __init__(
        self,
        *,
        usable: Callable[[], Lock],
        next_change: Callable[[], int],
        run: Callable[[str], FlowRun | None],
        is_buried: Callable[[str], bool],
        record: Callable[[Sequence[FlowRunBegun]], None],
        allowed: Callable[[str], int],
    ) -> None:
        self._usable, self._next_change, self._allowed = usable, next_change, allowed
        self._run, self._is_buried, self._record = run, is_buried, record
        self._work: dict[str, Work] = {}
        #: What has not ended, by run; of it what waits for an answer; and places of what waits for a worker, in order.
        self._open: dict[str, Work] = {}
        self._suspended: set[str] = set()
        self._line: list[tuple[int, float, str]] = []
        #: Run by deployment and key.
        self._keys: dict[tuple[str, str], str] = {}
        self._queues: dict[str, Queue] = {}
        self._workers: dict[str, WorkerSeen] = {}

    # -- runs --

    def enqueue(self, runs: Sequence[NewRun]) -> list[Enqueued]:
        with self._usable():
            return self.add(runs)

    def take(self, worker: str, *, host: str, queues: Sequence[str], now: float, limit: int) -> list[Work]:
        with self._usable():
            line = Line(host=host, limit=limit, under_way=self._under_way(), queues=self._queues, allowed=self._allowed)
            for _, due, run in self._line:
                work = self._open[run]
                if due <= now and (not queues or work.queue in queues):
                    line.offer(_waiting(work))
                    if line.is_done:
                        break
            taken = [_with(self._open[run], worker=worker, assigned=now) for run in line.taken]
            self._change(taken)
            return taken

    def give_back(self, worker: str, runs: Sequence[str]) -> list[str]:
        with self._usable():
            return self._give_back(worker, runs)

    def work(self, runs: Sequence[str]) -> dict[str, Work]:
        with self._usable():
            return {run: self._work[run] for run in runs if run in self._work}

    def open_work(
        self,
        *,
        deployment: str = "",
        queue: str = "",
        worker: str = "",
        backfill: str = "",
        waiting: bool | None = None,
        limit: int = 1000,
    ) -> list[Work]:
        with self._usable():
            found = (
                work
                for work in self._open.values()
                if deployment in ("", work.deployment)
                and queue in ("", work.queue)
                and worker in ("", work.worker)
                and backfill in ("", work.backfill)
                and waiting in (None, self._waits(work) if waiting else not work.worker)
            )
            return sorted(found, key=place_in_line)[:limit]

    def runs_of(
        self, deployment: str, *, schedule: str = "", backfill: str = "", before: str = "", limit: int = 100
    ) -> list[Work]:
        with self._usable():
            found = (
                work
                for work in self._work.values()
                if work.deployment == deployment
                and schedule in ("", work.schedule)
                and backfill in ("", work.backfill)
                and (not before or work.run < before)
            )
            return sorted(found, key=lambda work: work.run, reverse=True)[:limit]

    def next_due(self, *, after: float) -> float:
        with self._usable():
            return min((due for _, due, _ in self._line if due > after), default=0.0)

    # -- queues --

    def queues(self, *, now: float) -> list[Queue]:
        with self._usable():
            due, later, running = Counter[str](), Counter[str](), Counter[str]()
            for work in self._open.values():
                if work.worker:
                    running[work.queue] += 1
                elif self._waits(work):
                    (due if work.due <= now else later)[work.queue] += 1
            return [
                _with(self._queues.get(name, Queue(name=name)), due=due[name], later=later[name], running=running[name])
                for name in sorted({*self._queues, *due, *later, *running})
            ]

    def set_queue(self, name: str, *, paused: bool, slots: int | None) -> None:
        with self._usable():
            self._queues.pop(name, None)
            if paused or slots is not None:
                self._queues[name] = Queue(name=name, paused=paused, slots=slots)
            self._next_change()

    # -- workers --

    def worker_began(self, worker: WorkerSeen) -> None:
        with self._usable():
            self._workers[worker.holder] = worker
            self._next_change()

    def workers(self) -> list[WorkerSeen]:
        with self._usable():
            running = Counter(work.worker for work in self._open.values())
            seen = sorted(self._workers.values(), key=lambda worker: (worker.name, worker.holder))
            return [_with(worker, running=running[worker.holder]) for worker in seen]

    def worker_ended(self, worker: str) -> list[str]:
        with self._usable():
            if self._workers.pop(worker, None) is not None:
                self._next_change()
            return self._give_back(worker, [work.run for work in self._open.values() if work.worker == worker])

    # -- under the lock --

    def add(self, runs: Sequence[NewRun]) -> list[Enqueued]:
        """Record runs and their work; see `enqueue`."""
        answers, made, keys = list[Enqueued](), dict[str, NewRun](), dict[tuple[str, str], str]()
        for new in runs:
            work = new.work
            is_there = work.run in made or self._run(work.run) is not None or self._is_buried(work.run)
            key = (work.deployment, work.key)
            there = work.run if is_there else keys.get(key) or self._keys.get(key, "")
            answers.append(Enqueued(run=there or work.run, made=not there))
            if not there:
                made[work.run] = new
                if work.key:
                    keys[key] = work.run
        self._record([new.record for new in made.values()])
        self._keys.update(keys)
        for new in made.values():
            self.put(new.work)
        return answers

    def put(self, work: Work, *, suspended: bool = False) -> None:
        """Keep work as it stands now; `suspended` work waits for an answer, and for no worker."""
        before = self._open.get(work.run)
        if before is not None and self._waits(before):
            del self._line[bisect_left(self._line, place_in_line(before))]
        self._work[work.run] = work
        self._open.pop(work.run, None)
        self._suspended.discard(work.run)
        if work.open:
            self._open[work.run] = work
            if suspended:
                self._suspended.add(work.run)
            if self._waits(work):
                insort(self._line, place_in_line(work))

    def still_open(self, run: str) -> Work | None:
        """Return the work of a root run that has not ended."""
        return self._open.get(run)

    def is_at_work(self, deployment: str) -> bool:
        """Tell whether a run of a deployment has not ended."""
        return any(work.deployment == deployment for work in self._open.values())

    def newest_at_work(self, deployment: str) -> int:
        """Return the greatest version of a deployment of which a run has not ended."""
        return max((work.version for work in self._open.values() if work.deployment == deployment), default=0)

    def waiting(self, *, deployment: str = "", backfill: str = "") -> list[str]:
        """Return the runs of a deployment, or of a backfill, that wait for a worker."""
        found = (self._open[run] for *_, run in self._line)
        return [w.run for w in found if deployment in ("", w.deployment) and backfill in ("", w.backfill)]

    def forget(self, run: str) -> None:
        """Remove the work of a run that has ended and is deleted."""
        work = self._work.pop(run, None)
        if work is not None and work.key:
            del self._keys[work.deployment, work.key]

    def _waits(self, work: Work) -> bool:
        return not work.worker and work.run not in self._suspended

    def _under_way(self) -> Iterable[tuple[str, str, int]]:
        counted = Counter((work.queue, work.deployment) for work in self._open.values() if work.worker)
        return ((queue, deployment, n) for (queue, deployment), n in counted.items())

    def _give_back(self, worker: str, runs: Iterable[str]) -> list[str]:
        found = [work for run in sorted(set(runs)) if (work := self._open.get(run)) is not None]
        free = [work for work in found if work.worker == worker and worker and self._is_unclaimed(work.run)]
        self._change([_with(work, worker="", assigned=0.0) for work in free])
        return [work.run for work in free]

    def _is_unclaimed(self, run: str) -> bool:
        found = self._run(run)
        return found is not None and found.state_type is StateType.SCHEDULED and not found.holder

    def _change(self, changed: Sequence[Work]) -> None:
        for work in changed:
            self.put(work)
        if changed:
            self._next_change()


def _waiting(work: Work) -> Waiting:
    return Waiting(run=work.run, queue=work.queue, deployment=work.deployment, alone=work.alone, host=work.host)
