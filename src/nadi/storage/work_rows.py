"""Rows of deployments, schedules and work, the same in every database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from nadi.model.deployments import Deployment, DeploymentVersion
from nadi.model.schedules import Schedule
from nadi.model.ticks import Backfill, BackfillState, StandingSchedule, Tick, TickOutcome
from nadi.model.work import CrashPolicy, Work, WorkerSeen

#: A row of a result, or of parameters.
Values = tuple[Any, ...]

#: Values of the column `open`.
ENDED, OPEN, SUSPENDED = 0, 1, 2

#: The columns of `work_values` and `work_of`, in their order.
WORK_COLUMNS = (
    "run, deployment, version, queue, priority, due, instant, schedule, backfill, host, key, alone, crash_policy,"
    " most_crashes, crashes, finished, worker, assigned, open"
)
#: The columns of `schedule_values` and `schedule_of`, in their order.
SCHEDULE_COLUMNS = "deployment, name, version, content, paused, active, cursor, next"
#: The columns of `tick_values` and `tick_of`, in their order.
TICK_COLUMNS = "deployment, instant, schedule, backfill, outcome, run, note, at"
#: The columns of `backfill_values` and `backfill_of`, in their order.
BACKFILL_COLUMNS = "id, deployment, state, content, decided, position, ended"
#: The marks that stand for them in the statements of `schedules.sql`.
_MARKS = {"{schedule}": SCHEDULE_COLUMNS, "{tick}": TICK_COLUMNS, "{backfill}": BACKFILL_COLUMNS}

_json = msgspec.json.Encoder().encode
_schedule = msgspec.json.Decoder(Schedule).decode
_version = msgspec.json.Decoder(DeploymentVersion).decode
_backfill = msgspec.json.Decoder(Backfill).decode
_worker = msgspec.json.Decoder(WorkerSeen).decode
_with = msgspec.structs.replace


def with_columns(sql: str) -> str:
    """Put the columns of schedules, ticks and backfills into a statement, where their marks stand."""
    for mark, columns in _MARKS.items():
        sql = sql.replace(mark, columns)
    return sql


# -- work --


def work_values(work: Work) -> Values:
    """Return the row of work."""
    return (
        work.run,
        work.deployment,
        work.version,
        work.queue,
        work.priority,
        work.due,
        work.instant,
        work.schedule,
        work.backfill,
        work.host,
        work.key,
        int(work.alone),
        work.crash_policy,
        work.most_crashes,
        work.crashes,
        work.finished,
        work.worker,
        work.assigned,
        OPEN if work.open else ENDED,
    )


def work_of(row: Sequence[Any]) -> Work:
    """Return the work of a row of `WORK_COLUMNS`."""
    return Work(
        run=row[0],
        deployment=row[1],
        version=row[2],
        queue=row[3],
        priority=row[4],
        due=row[5],
        instant=row[6],
        schedule=row[7],
        backfill=row[8],
        host=row[9],
        key=row[10],
        alone=bool(row[11]),
        crash_policy=CrashPolicy(row[12]),
        most_crashes=row[13],
        crashes=row[14],
        finished=row[15],
        worker=row[16],
        assigned=row[17],
        open=row[18] != ENDED,
    )


def worker_values(worker: WorkerSeen) -> Values:
    """Return the row of a worker."""
    return (worker.holder, worker.name, _json(worker))


def worker_of(content: bytes, running: int) -> WorkerSeen:
    """Return a worker from the JSON of its row, with how many runs it has."""
    return _with(_worker(content), running=running)


# -- deployments --


def version_content(version: DeploymentVersion) -> bytes:
    """Return a version of a deployment as it is kept."""
    return _json(version)


def version_of(content: bytes) -> DeploymentVersion:
    """Return the version of a deployment that was kept."""
    return _version(content)


def deployment_values(deployment: Deployment) -> Values:
    """Return the row of a deployment: name, version, newest, flow, concurrency, paused, created, updated."""
    version = deployment.version
    return (
        deployment.name,
        version.number,
        deployment.newest,
        version.spec.flow,
        version.spec.concurrency,
        int(deployment.paused),
        deployment.created,
        deployment.updated,
    )


def deployment_of(row: Sequence[Any]) -> Deployment:
    """Return the deployment of a row: name, newest, paused, created, updated, content of the version in force."""
    return Deployment(
        name=row[0],
        newest=row[1],
        paused=bool(row[2]),
        created=row[3],
        updated=row[4],
        version=version_of(row[5]),
    )


# -- schedules, ticks, backfills --


def schedule_values(standing: StandingSchedule) -> Values:
    """Return the row of a schedule."""
    return (
        standing.deployment,
        standing.name,
        standing.version,
        _json(standing.schedule),
        int(standing.paused),
        int(standing.active),
        standing.cursor,
        standing.next,
    )


def schedule_of(row: Sequence[Any]) -> StandingSchedule:
    """Return the schedule of a row of `SCHEDULE_COLUMNS`."""
    return StandingSchedule(
        deployment=row[0],
        name=row[1],
        version=row[2],
        schedule=_schedule(row[3]),
        paused=bool(row[4]),
        active=bool(row[5]),
        cursor=row[6],
        next=row[7],
    )


def tick_values(tick: Tick) -> Values:
    """Return the row of a tick."""
    return (
        tick.deployment,
        tick.instant,
        tick.schedule,
        tick.backfill,
        tick.outcome,
        tick.run,
        tick.note,
        tick.at,
    )


def tick_of(row: Sequence[Any]) -> Tick:
    """Return the tick of a row of `TICK_COLUMNS`."""
    return Tick(
        deployment=row[0],
        instant=row[1],
        schedule=row[2],
        backfill=row[3],
        outcome=TickOutcome(row[4]),
        run=row[5],
        note=row[6],
        at=row[7],
    )


def backfill_values(backfill: Backfill) -> Values:
    """Return the row of a backfill."""
    return (
        backfill.id,
        backfill.deployment,
        backfill.state,
        _json(backfill),
        backfill.decided,
        backfill.position,
        backfill.ended,
    )


def backfill_of(row: Sequence[Any]) -> Backfill:
    """Return the backfill of a row of `BACKFILL_COLUMNS`: what changes stands in the columns."""
    return _with(
        _backfill(row[3]),
        state=BackfillState(row[2]),
        decided=row[4],
        position=row[5],
        ended=row[6],
    )
