"""The JSON of deployments and all that belongs to them: what `--json` prints and the server answers.

Times are RFC 3339 in UTC, `null` for "not yet" and "never"; durations are seconds.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from nadi.model.deployments import Deployment, DeploymentSpec, DeploymentVersion
from nadi.model.holders import Holder
from nadi.model.runs import when
from nadi.model.schedules import describe
from nadi.model.ticks import Backfill, StandingSchedule, Tick
from nadi.model.work import Queue, Work, WorkerSeen


class VersionShape(msgspec.Struct):
    """One version of a deployment."""

    deployment: str
    number: int
    digest: str
    #: Digest of the code alone.
    code: str
    #: "" outside of git.
    git_commit: str
    #: Whether the working tree differed from that commit.
    git_dirty: bool
    created: datetime | None
    by: str
    spec: DeploymentSpec
    #: JSON Schema of the flow's parameters.
    schema: dict[str, Any]


class DeploymentShape(msgspec.Struct):
    """One deployment."""

    name: str
    flow: str
    entrypoint: str
    description: str
    #: Number of the version that is in force, and the greatest there is.
    version: int
    newest: int
    paused: bool
    queue: str
    tags: tuple[str, ...]
    #: Names of its schedules.
    schedules: tuple[str, ...]
    git_commit: str
    created: datetime | None
    updated: datetime | None


class StandingScheduleShape(msgspec.Struct):
    """One schedule, and how far it has come."""

    deployment: str
    name: str
    #: What it says, for people.
    description: str
    #: `False` while it, or its deployment, is paused.
    active: bool
    #: Whether it is this very schedule that is paused.
    paused: bool
    #: When it fires next; `null` when it does not any more, or is paused.
    next: datetime | None
    #: The schedule itself.
    rule: msgspec.Raw


class TickShape(msgspec.Struct):
    """One instant of a schedule, and what became of it."""

    deployment: str
    schedule: str
    #: Id of the backfill; `null` for a tick of the schedule itself.
    backfill: str | None
    instant: datetime | None
    #: run, skipped or missed.
    outcome: str
    #: Id of its run, which may have been deleted since; `null` for none.
    run: str | None
    note: str
    at: datetime | None


class BackfillShape(msgspec.Struct):
    """One backfill."""

    id: str
    deployment: str
    schedule: str
    since: datetime | None
    until: datetime | None
    only_missing: bool
    most_at_once: int
    reverse: bool
    parameters: dict[str, Any]
    state: str
    #: Instants in all, and how many of them are decided.
    total: int
    decided: int
    created: datetime | None
    ended: datetime | None
    by: str


class WorkShape(msgspec.Struct):
    """What a worker has to know of a run."""

    run: str
    deployment: str
    version: int
    queue: str
    priority: int
    due: datetime | None
    #: The instant of its schedule; `null` for a run that somebody asked for.
    instant: datetime | None
    schedule: str | None
    backfill: str | None
    #: The worker that has it, for people; `null` for none.
    worker: str | None
    assigned: datetime | None
    #: Crashes in a row without a task finished in between, and how many are too many.
    crashes: int
    most_crashes: int
    open: bool


class QueueShape(msgspec.Struct):
    """One queue."""

    name: str
    paused: bool
    #: How many of its runs may be under way at once; `null` for no limit.
    slots: int | None
    due: int
    later: int
    running: int


class WorkerShape(msgspec.Struct):
    """One worker."""

    id: str
    name: str
    host: str
    pid: int
    #: The queues that it serves; empty for all.
    queues: tuple[str, ...]
    slots: int
    running: int
    launcher: str
    started: datetime | None
    draining: bool
    program: str
    #: By deployment, how its runs are started there and why so.
    starts: dict[str, str]


def version_shape(version: DeploymentVersion) -> VersionShape:
    """Return one version as JSON has it."""
    return VersionShape(
        deployment=version.deployment,
        number=version.number,
        digest=version.digest,
        code=version.code,
        git_commit=version.git_commit,
        git_dirty=version.git_dirty,
        created=when(version.created),
        by=version.by,
        spec=version.spec,
        schema=version.schema,
    )


def deployment_shape(deployment: Deployment) -> DeploymentShape:
    """Return one deployment as JSON has it."""
    version = deployment.version
    spec = version.spec
    return DeploymentShape(
        name=deployment.name,
        flow=spec.flow,
        entrypoint=spec.entrypoint,
        description=spec.description,
        version=version.number,
        newest=deployment.newest,
        paused=deployment.paused,
        queue=spec.queue,
        tags=spec.tags,
        schedules=tuple(schedule.name for schedule in spec.schedules),
        git_commit=version.git_commit,
        created=when(deployment.created),
        updated=when(deployment.updated),
    )


def standing_schedule_shape(standing: StandingSchedule) -> StandingScheduleShape:
    """Return one schedule as JSON has it."""
    return StandingScheduleShape(
        deployment=standing.deployment,
        name=standing.name,
        description=describe(standing.schedule),
        active=standing.active,
        paused=standing.paused,
        next=when(standing.next) if standing.active else None,
        rule=msgspec.Raw(msgspec.json.encode(standing.schedule)),
    )


def tick_shape(tick: Tick) -> TickShape:
    """Return one tick as JSON has it."""
    return TickShape(
        deployment=tick.deployment,
        schedule=tick.schedule,
        backfill=tick.backfill or None,
        instant=when(tick.instant),
        outcome=str(tick.outcome),
        run=tick.run or None,
        note=tick.note,
        at=when(tick.at),
    )


def backfill_shape(backfill: Backfill) -> BackfillShape:
    """Return one backfill as JSON has it."""
    return BackfillShape(
        id=backfill.id,
        deployment=backfill.deployment,
        schedule=backfill.schedule,
        since=when(backfill.since),
        until=when(backfill.until),
        only_missing=backfill.only_missing,
        most_at_once=backfill.most_at_once,
        reverse=backfill.reverse,
        parameters=dict(backfill.parameters),
        state=str(backfill.state),
        total=backfill.total,
        decided=backfill.decided,
        created=when(backfill.created),
        ended=when(backfill.ended),
        by=backfill.by,
    )


def work_shape(work: Work) -> WorkShape:
    """Return work as JSON has it."""
    return WorkShape(
        run=work.run,
        deployment=work.deployment,
        version=work.version,
        queue=work.queue,
        priority=work.priority,
        due=when(work.due),
        instant=when(work.instant),
        schedule=work.schedule or None,
        backfill=work.backfill or None,
        worker=str(Holder.decode(work.worker)) if work.worker else None,
        assigned=when(work.assigned),
        crashes=work.crashes,
        most_crashes=work.most_crashes,
        open=work.open,
    )


def queue_shape(queue: Queue) -> QueueShape:
    """Return one queue as JSON has it."""
    return QueueShape(
        name=queue.name,
        paused=queue.paused,
        slots=queue.slots,
        due=queue.due,
        later=queue.later,
        running=queue.running,
    )


def worker_shape(worker: WorkerSeen) -> WorkerShape:
    """Return one worker as JSON has it."""
    holder = Holder.decode(worker.holder)
    return WorkerShape(
        id=holder.writer,
        name=worker.name,
        host=worker.host,
        pid=holder.pid,
        queues=worker.queues,
        slots=worker.slots,
        running=worker.running,
        launcher=worker.launcher,
        started=when(worker.started),
        draining=worker.draining,
        program=worker.program,
        starts=worker.starts,
    )
