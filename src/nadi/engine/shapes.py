"""The JSON that `--json` prints: fields are only ever added. Described in docs/reference/cli.md.

Times are RFC 3339 in UTC, `null` for "not yet"; durations are seconds.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from nadi.engine.resuming import source_of
from nadi.model.access import ApiKey, AuditEntry, User
from nadi.model.assets import AssetRecord, Lineage, Materialization
from nadi.model.events import Event
from nadi.model.retention import RetentionRule
from nadi.model.runs import Artifact, Attempt, FlowRun, Log, Metric, TaskRun, when
from nadi.storage.contracts.cache import CacheEntry


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
    #: Greater with each change of the run or of what belongs to it: of two answers the greater one is newer.
    change: int


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
    #: Greater with each change: of two answers the greater one is newer.
    change: int


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
    #: The flow run that made it, and the task run; `null` where no task did.
    run: str
    task: str | None
    created: datetime | None
    updated: datetime | None
    #: Of its data, as JSON.
    size_bytes: int
    #: `null` also where it is too large to be told beside others.
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

    #: Its place in the order of arrival: it grows from line to line of a run, not by one each. Pages take it as
    #: `after` and `before`.
    number: int
    at: datetime | None
    level: str
    run: str
    task: str | None
    logger: str
    text: str


class EventShape(msgspec.Struct):
    """One event."""

    id: str
    event: str
    occurred: datetime
    resource: dict[str, str]
    related: tuple[dict[str, str], ...]
    payload: dict[str, Any]
    follows: str | None
    #: The root run, flow run and task run that emitted it; `null` outside of any.
    root: str | None
    run: str | None
    task: str | None


class AssetShape(msgspec.Struct):
    """One asset."""

    key: str
    name: str | None
    description: str | None
    url: str | None
    owners: list[str] | None
    #: Last time that it was made, and that making it failed.
    materialized: datetime | None
    failed: datetime | None


class MaterializationShape(msgspec.Struct):
    """One time that an asset was made, or failed to be."""

    id: str
    key: str
    at: datetime | None
    succeeded: bool
    message: str
    tool: str
    root: str
    run: str
    task: str
    #: Keys of the assets it was made from.
    upstream: tuple[str, ...]
    metadata: msgspec.Raw


class LineageShape(msgspec.Struct):
    """One asset was made from another."""

    upstream: str
    downstream: str


class AssetDetailsShape(msgspec.Struct):
    """What `nadi assets KEY --json` prints."""

    asset: AssetShape
    materializations: list[MaterializationShape]
    #: Over all steps: what it was made from, and what was made from it.
    upstream: list[LineageShape]
    downstream: list[LineageShape]


class DetailsShape(msgspec.Struct):
    """What `nadi show --json` prints."""

    run: RunShape
    attempts: list[AttemptShape]
    tasks: list[TaskShape]
    subflows: list[RunShape]
    artifacts: list[ArtifactShape]
    metrics: list[MetricShape]
    recorded_in: str


class CacheEntryShape(msgspec.Struct):
    """One entry of the cache."""

    key: str
    task: str
    size_bytes: int
    created: datetime | None
    #: `null` when it never expires.
    expires: datetime | None
    is_fresh: bool
    #: Name and id of the task run that computed it, and its flow run; "" for none.
    name: str
    task_run: str
    run: str


def cache_entry_shape(entry: CacheEntry, *, now: float) -> CacheEntryShape:
    """Return an entry of the cache as JSON tells it."""
    return CacheEntryShape(
        key=entry.key,
        task=entry.task,
        size_bytes=entry.result.size_bytes,
        created=when(entry.created),
        expires=when(entry.expires),
        is_fresh=entry.is_fresh(now),
        name=entry.name,
        task_run=entry.task_run,
        run=entry.run,
    )


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
        change=run.seq,
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
        change=task.seq,
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


def artifact_shape(artifact: Artifact, *, most: int = sys.maxsize) -> ArtifactShape:
    """Return an artifact as JSON tells it; with more than `most` bytes of data, without them."""
    return ArtifactShape(
        id=artifact.id,
        key=artifact.key,
        kind=artifact.kind,
        description=artifact.description,
        run=artifact.run,
        task=artifact.task or None,
        created=when(artifact.created),
        updated=when(artifact.updated),
        size_bytes=len(artifact.data),
        data=msgspec.Raw(artifact.data if 0 < len(artifact.data) <= most else b"null"),
    )


def event_shape(event: Event) -> EventShape:
    """Return an event as JSON tells it."""
    return EventShape(
        id=event.id,
        event=event.event,
        occurred=event.occurred,
        resource=event.resource,
        related=event.related,
        payload=event.payload,
        follows=event.follows,
        root=event.root or None,
        run=event.flow_run_id or None,
        task=event.task_run_id or None,
    )


def asset_shape(asset: AssetRecord) -> AssetShape:
    """Return an asset as JSON tells it."""
    told = asset.properties
    return AssetShape(
        key=asset.key,
        name=told.name,
        description=told.description,
        url=told.url,
        owners=told.owners,
        materialized=when(asset.materialized),
        failed=when(asset.failed),
    )


def materialization_shape(made: Materialization) -> MaterializationShape:
    """Return a materialisation as JSON tells it."""
    return MaterializationShape(
        id=made.id,
        key=made.key,
        at=when(made.at),
        succeeded=made.succeeded,
        message=made.message,
        tool=made.tool,
        root=made.root,
        run=made.run,
        task=made.task,
        upstream=made.upstream,
        metadata=msgspec.Raw(made.metadata),
    )


def lineage_shapes(edges: Sequence[Lineage]) -> list[LineageShape]:
    """Return lineage as JSON tells it."""
    return [LineageShape(edge.upstream, edge.downstream) for edge in edges]


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
        number=line.seq,
        at=when(line.at),
        level=level_name(line.level),
        run=line.run,
        task=line.task or None,
        logger=line.logger,
        text=line.text,
    )


class RetentionRuleShape(msgspec.Struct):
    """How long finished runs are kept."""

    #: "" for every flow.
    flow: str
    #: `null` for every final state.
    state: str | None
    #: Seconds after their end; `null` for ever.
    age: float | None


def retention_rule_shape(rule: RetentionRule) -> RetentionRuleShape:
    """Return a retention rule as JSON says it."""
    return RetentionRuleShape(rule.flow, rule.state, rule.age)


class UserShape(msgspec.Struct):
    """Somebody who may log in to a server, or has keys for it."""

    name: str
    role: str
    disabled: bool
    #: Whether it can log in; one without a password has only keys.
    has_password: bool
    created: datetime | None


class KeyShape(msgspec.Struct):
    """An API key, without its secret."""

    id: str
    name: str
    user: str
    #: What it may do of what its user may; empty for all of it.
    scopes: tuple[str, ...]
    created: datetime | None
    #: `null` for never.
    expires: datetime | None
    #: When it was last taken, to the minute.
    used: datetime | None


class NewKeyShape(msgspec.Struct):
    """An API key that was just made."""

    #: What a program sends; it is kept nowhere and cannot be shown again.
    key: str
    about: KeyShape


class AuditShape(msgspec.Struct):
    """Somebody changed something, or tried to."""

    seq: int
    at: datetime | None
    #: Name of the user, "owner" for the person whose server it is, an account of the machine for a command; "" for
    #: somebody unknown.
    who: str
    #: "install", "key", "session", or "" for a command and for somebody unknown.
    how: str
    #: Network address, or "cli" for a command.
    origin: str
    action: str
    subject: str
    #: HTTP status of the answer; 0 for a command.
    status: int
    detail: msgspec.Raw


def user_shape(user: User) -> UserShape:
    """Return a user as JSON tells of it: whether there is a password, and nothing of it."""
    return UserShape(user.name, user.role, user.disabled, bool(user.password), when(user.created))


def key_shape(key: ApiKey) -> KeyShape:
    """Return a key as JSON tells of it."""
    scopes = tuple(str(scope) for scope in key.scopes)
    return KeyShape(key.id, key.name, key.user, scopes, when(key.created), when(key.expires), when(key.used))


def audit_shape(entry: AuditEntry) -> AuditShape:
    """Return an entry of the audit log as JSON tells it."""
    return AuditShape(
        seq=entry.seq,
        at=when(entry.at),
        who=entry.who,
        how=entry.how,
        origin=entry.origin,
        action=entry.action,
        subject=entry.subject,
        status=entry.status,
        detail=msgspec.Raw(entry.detail),
    )
