"""Why a run that waits for a worker still waits: what it is due for, who could take it, and who holds its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from nadi.engine.flow_pages import newest_ended
from nadi.model.names import told_for_shell
from nadi.model.runs import FlowRun, RunFilter
from nadi.model.states import StateType
from nadi.model.text import human_duration, one_line, plural
from nadi.model.work import Queue, Work, WorkerSeen
from nadi.storage.contract import Store
from nadi.storage.crashes import AWAITING_RESUME

#: The most holders, or workers, that one sentence names.
MOST_NAMED = 3
#: The newest completed runs of a flow that say how long one takes.
MOST_HISTORY = 20
#: Open work of a queue or deployment that is looked at.
_MOST = 1000


def is_for_workers(run: FlowRun, work: Work | None) -> bool:
    """Tell whether a run waits for a worker, or for the process that one starts for it."""
    waits = run.state_type is StateType.SCHEDULED and run.state_name != "AwaitingRetry"
    return work is not None and work.open and waits


class WorkReasons:
    """Workers and queues, read once, and why runs wait for them.

    Raises:
        StoreUnavailable: the store cannot be asked now.
    """

    def __init__(self, store: Store, *, now: float) -> None:
        """Read workers and queues; `now` is Unix seconds."""
        self._store, self._now = store, now
        self._workers = store.work.workers()
        self._queues = {queue.name: queue for queue in store.work.queues(now=now)}
        self._took: dict[str, float] = {}

    def reasons(self, run: FlowRun, work: Work) -> Iterator[str]:
        """Yield sentences about a run for which `is_for_workers` holds."""
        if work.worker:
            yield self._about_start(work)
            return
        if run.state_name == AWAITING_RESUME:
            yield run.message
        if work.due > self._now:
            yield self._about_due(work)
            return
        late = human_duration(round(self._now - work.due))
        yield f"It has been due for {late}{_asked_by(work)}, and waits for a worker."
        found = list(self._blocks(work))
        yield from found or ["Nothing holds it: a worker takes it at any moment."]

    # -- who has it, and when it is due --

    def _about_start(self, work: Work) -> str:
        named = next((one for one in self._workers if one.holder == work.worker), None)
        who = f"Worker {one_line(named.name, 80)}" if named is not None else "A worker that is gone"
        since = human_duration(round(max(0.0, self._now - work.assigned)))
        if named is None:
            return f"{who} took it {since} ago; it waits again as soon as that is noticed."
        return f"{who} took it {since} ago, and starts its process."

    def _about_due(self, work: Work) -> str:
        left = human_duration(round(work.due - self._now, 1))
        at = datetime.fromtimestamp(work.due, UTC)
        return f"It is due in {left}, at {at:%Y-%m-%d %H:%M:%S} UTC{_asked_by(work)}."

    # -- what holds it --

    def _blocks(self, work: Work) -> Iterator[str]:
        queue = self._queues.get(work.queue, Queue(name=work.queue))
        if queue.paused:
            yield f"Its queue {queue.name!r} is paused: nadi queues resume {_quoted(queue.name)}"
        yield from self._about_workers(work)
        if queue.slots == 0:
            yield f"Its queue {queue.name!r} has a limit of 0."
        elif queue.slots is not None and queue.running >= queue.slots:
            under_way = self._store.work.open_work(queue=queue.name, waiting=False, limit=_MOST)
            taken = f"all {queue.slots:,} places" if queue.slots > 1 else "its only place"
            yield f"Its queue {queue.name!r} has {taken} taken{self._by(under_way)}."
        yield from self._about_deployment(work)

    def _about_workers(self, work: Work) -> Iterator[str]:
        serving = [one for one in self._workers if not one.queues or work.queue in one.queues]
        there = [one for one in serving if work.host in ("", one.host)]
        able = [one for one in there if not one.draining]
        if not self._workers:
            where = f" on {one_line(work.host, 80)}, where its code is" if work.host else ""
            yield f"There is no worker. Start one{where}: nadi worker"
        elif not serving:
            yield f"No worker serves its queue {work.queue!r}; there are: {_named(self._workers)}."
        elif not there:
            host = one_line(work.host, 80)
            yield f"Its code is only on machine {host}, and no worker runs there; there are: {_named(serving)}."
        elif not able:
            yield f"Every worker that could take it ends with its last run: {_named(there)}."
        elif all(one.running >= one.slots for one in able):
            yield f"Every worker that could take it has all its places taken: {_named(able)}."

    def _about_deployment(self, work: Work) -> Iterator[str]:
        under_way = self._store.work.open_work(deployment=work.deployment, waiting=False, limit=_MOST)
        if work.alone and under_way:
            yield f"It waits until no other run of {work.deployment} is under way{self._by(under_way)}."
            return
        found = self._store.deployments.deployment(work.deployment)
        most = found.version.spec.concurrency if found is not None else 0
        if most and len(under_way) >= most:
            yield f"Deployment {work.deployment} has {plural(most, 'run')} under way at the most{self._by(under_way)}."
            return
        waiting = self._store.work.open_work(deployment=work.deployment, waiting=True, limit=_MOST)
        if ahead := [one for one in waiting[: _place(waiting, work)] if one.due <= self._now and one.alone]:
            yield f"Of {work.deployment}, {plural(len(ahead), 'run')} that must run alone came first."

    def _by(self, holders: Sequence[Work]) -> str:
        """Return who holds places, and from history until when."""
        runs = [run for one in holders[:MOST_NAMED] if (run := self._store.flow_run(one.run)) is not None]
        if not runs:
            return ""
        more = f" and {len(holders) - len(runs):,} more" if len(holders) > len(runs) else ""
        return f", by {', '.join(map(self._holder_told, runs))}{more}"

    def _holder_told(self, run: FlowRun) -> str:
        name = told_for_shell(run.name, run.id)
        usual = self._usual(run.flow)
        if run.state_type is not StateType.RUNNING or not usual:
            return f"{name} ({run.state_name})"
        left = usual - run.duration(self._now)
        if left <= 0:
            return f"{name} (runs for longer than the usual {human_duration(round(usual, 1))})"
        return f"{name} (usually ends in {human_duration(round(left, 1))})"

    def _usual(self, flow: str) -> float:
        """Return how many seconds runs of a flow take that complete; 0 where none has."""
        if flow not in self._took:
            which = RunFilter(flow=flow, states=(StateType.COMPLETED,), roots_only=True)
            ended = newest_ended(self._store, which, most=MOST_HISTORY).runs
            took = [run.ended - run.started for run in ended if run.started]
            self._took[flow] = sum(took) / len(took) if took else 0.0
        return self._took[flow]


def reasons_of_work(store: Store, run: FlowRun, *, now: float) -> list[str]:
    """Return why a run waits for a worker; empty when it does not. Of several runs, use `WorkReasons`."""
    if run.state_type is not StateType.SCHEDULED:
        return []
    work = store.work.work([run.id]).get(run.id)
    if work is None or not is_for_workers(run, work):
        return []
    return list(WorkReasons(store, now=now).reasons(run, work))


def _asked_by(work: Work) -> str:
    if not work.instant:
        return ""
    instant = f"{datetime.fromtimestamp(work.instant, UTC):%Y-%m-%d %H:%M:%S} UTC"
    if work.backfill:
        return f" for the instant {instant} of a backfill of {work.deployment}"
    named = f"schedule {work.schedule!r}" if work.schedule else "the schedule"
    return f" for the instant {instant} of {named} of {work.deployment}"


def _named(workers: Sequence[WorkerSeen]) -> str:
    told = [
        f"{one_line(one.name, 80)} ({', '.join(one.queues) or 'all queues'}, {one.running:,} of {one.slots:,} taken)"
        for one in workers[:MOST_NAMED]
    ]
    more = f" and {len(workers) - MOST_NAMED:,} more" if len(workers) > MOST_NAMED else ""
    return ", ".join(told) + more


def _place(waiting: Sequence[Work], work: Work) -> int:
    return next((place for place, one in enumerate(waiting) if one.run == work.run), len(waiting))


def _quoted(name: str) -> str:
    return f"'{name}'" if not name.replace("-", "").replace("_", "").isalnum() else name
