"""The JSON that `--json` prints: fields are only ever added. Described in docs/reference/cli.md.

Times are RFC 3339 in UTC, `null` for "not yet"; durations are seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from nadi.engine.resuming import source_of
from nadi.model.runs import Artifact, Attempt, FlowRun, Log, Metric, TaskRun, when


class RunShape(msgspec.Struct):
    """One flow run."""

    id: str
    name: str
    flow: str
    state: str
    state_name: str
    message: str
    attempt: int
    created: datetime | None
    started: datetime | None
    ended: datetime | None
    duration: float
    tags: tuple[str, ...]
    parameters: msgspec.Raw
    #: How many of its task runs are in which state.
    tasks: dict[str, int]
    #: Id of the flow run that it is a subflow of; `null` for an outermost run.
    parent: str | None
    root: str
    version: str
    entrypoint: str | None


class TaskShape(msgspec.Struct):
    """One task run."""

    id: str
    name: str
    task: str
    run: str
    map_index: int | None
    state: str
    state_name: str
    message: str
    attempt: int
    created: datetime | None
    started: datetime | None
    ended: datetime | None
    duration: float
    tags: tuple[str, ...]
    #: Ids of the task runs and flow runs whose outcome it took or waits for.
    upstream: tuple[str, ...]
    due: datetime | None
    #: Why it ran again on resume; "" otherwise.
    reason: str


class AttemptShape(msgspec.Struct):
    """One attempt of a run."""

    attempt: int
    state: str
    state_name: str
    message: str
    started: datetime | None
    ended: datetime | None


class ArtifactShape(msgspec.Struct):
    """One artifact."""

    id: str
    key: str
    kind: str
    description: str
    task: str | None
    created: datetime | None
    data: msgspec.Raw


class MetricShape(msgspec.Struct):
    """The last value of one metric, and how many values there are."""

    key: str
    value: float
    step: int | None
    at: datetime | None
    count: int


class LogShape(msgspec.Struct):
    """One log line."""

    at: datetime | None
    level: str
    run: str
    task: str | None
    logger: str
    text: str


class DetailsShape(msgspec.Struct):
    """What `nadi show --json` prints."""

    run: RunShape
    attempts: list[AttemptShape]
    tasks: list[TaskShape]
    subflows: list[RunShape]
    artifacts: list[ArtifactShape]
    metrics: list[MetricShape]
    recorded_in: str


def run_shape(run: FlowRun, *, now: float) -> RunShape:
    """Return a flow run as JSON tells it."""
    source = source_of(run)
    return RunShape(
        id=run.id,
        name=run.name,
        flow=run.flow,
        state=run.state_type,
        state_name=run.state_name,
        message=run.message,
        attempt=run.attempt,
        created=when(run.created),
        started=when(run.started),
        ended=when(run.ended),
        duration=run.duration(now),
        tags=run.tags,
        parameters=msgspec.Raw(run.parameters or b"{}"),
        tasks={state.lower(): count for state, count in run.task_counts.items() if count},
        parent=run.parent or None,
        root=run.root,
        version=run.version,
        entrypoint=source.entrypoint if source is not None else None,
    )


def task_shape(task: TaskRun, *, now: float) -> TaskShape:
    """Return a task run as JSON tells it."""
    return TaskShape(
        id=task.id,
        name=task.name,
        task=task.task,
        run=task.run,
        map_index=task.map_index if task.map_index >= 0 else None,
        state=task.state_type,
        state_name=task.state_name,
        message=task.message,
        attempt=task.attempt,
        created=when(task.created),
        started=when(task.started),
        ended=when(task.ended),
        duration=task.duration(now),
        tags=task.tags,
        upstream=task.upstream,
        due=when(task.due),
        reason=task.reason,
    )


def attempt_shape(attempt: Attempt) -> AttemptShape:
    """Return an attempt as JSON tells it."""
    return AttemptShape(
        attempt=attempt.attempt,
        state=attempt.state_type,
        state_name=attempt.state_name,
        message=attempt.message,
        started=when(attempt.started),
        ended=when(attempt.ended),
    )


def artifact_shape(artifact: Artifact) -> ArtifactShape:
    """Return an artifact as JSON tells it."""
    return ArtifactShape(
        id=artifact.id,
        key=artifact.key,
        kind=artifact.kind,
        description=artifact.description,
        task=artifact.task or None,
        created=when(artifact.created),
        data=msgspec.Raw(artifact.data or b"null"),
    )


def last_values(metrics: Sequence[Metric]) -> list[MetricShape]:
    """Return the last value of each metric, in the order in which the metrics first appeared."""
    counts: dict[str, int] = {}
    newest: dict[str, Metric] = {}
    for metric in metrics:
        counts[metric.key] = counts.get(metric.key, 0) + 1
        newest[metric.key] = metric
    return [
        MetricShape(
            key=key,
            value=newest[key].value,
            step=newest[key].step if newest[key].step >= 0 else None,
            at=when(newest[key].at),
            count=count,
        )
        for key, count in counts.items()
    ]


LEVELS = {10: "DEBUG", 20: "INFO", 30: "WARNING", 40: "ERROR", 50: "CRITICAL"}


def level_name(level: int) -> str:
    """Return the name of a log level; a level between two has the lower one's."""
    return LEVELS.get(min(level // 10 * 10, 50), "DEBUG")


def log_shape(line: Log) -> LogShape:
    """Return a log line as JSON tells it."""
    return LogShape(
        at=when(line.at),
        level=level_name(line.level),
        run=line.run,
        task=line.task or None,
        logger=line.logger,
        text=line.text,
    )
