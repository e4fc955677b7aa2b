"""Deployments: what there is, its versions and schedules, and asking for runs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from nadi.engine.clock import Clock
from nadi.engine.deployment_runs import Asked, no_deployment, trigger
from nadi.engine.deployment_shapes import (
    DeploymentShape,
    StandingScheduleShape,
    TickShape,
    VersionShape,
    WorkShape,
    deployment_shape,
    standing_schedule_shape,
    tick_shape,
    version_shape,
    work_shape,
)
from nadi.engine.shapes import RunShape, run_shape
from nadi.exceptions import NotFound, RunNotFound, ValueRefused
from nadi.model.access import Permission
from nadi.model.deployments import Deployment
from nadi.model.text import one_line, shorten
from nadi.server.auditing import tell
from nadi.server.fields import Id, Moment, Number, Text, UpTo200, UpTo1000, seconds
from nadi.server.routing import Call, Routes

routes = Routes("deployments")

_clock = Clock()


class DeploymentsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which deployments."""

    #: Text that the name contains.
    text: Text = ""
    #: Only those of this flow.
    flow: Text = ""
    #: The `next` of the page before.
    after: Text = ""
    limit: UpTo200 = 50


class DeploymentPage(msgspec.Struct):
    """Deployments by name."""

    deployments: list[DeploymentShape]
    #: "" after the last page.
    next: str


class DeploymentDetail(msgspec.Struct):
    """One deployment, and the version of it that is in force."""

    deployment: DeploymentShape
    in_force: VersionShape


class VersionsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which versions."""

    #: Only smaller numbers: the smallest of the page before.
    before: Number = 0
    limit: UpTo200 = 50


class DeploymentRunsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs of a deployment."""

    schedule: Text = ""
    backfill: Id = ""
    #: Only smaller ids: the last of the page before.
    before: Id = ""
    limit: UpTo200 = 50


class DeploymentRun(msgspec.Struct):
    """One run of a deployment, and the work that it is."""

    run: RunShape
    work: WorkShape


class TriggeredRun(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is wanted of a run."""

    #: By name, over those of the deployment.
    parameters: dict[str, Any] = {}
    #: Its display name; "" for one that is made up.
    name: Text = ""
    #: Beside those of the deployment.
    tags: Annotated[tuple[Text, ...], Meta(max_length=50)] = ()
    #: When it is due; now without it.
    at: Moment | None = None
    #: Asking again with the same key gives the same run; "" for none.
    key: Annotated[str, Meta(max_length=200)] = ""
    #: In place of the deployment's queue and priority.
    queue: Text = ""
    priority: Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)] | None = None


class VersionWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which version."""

    version: Annotated[int, Meta(ge=1)]


class ScheduleWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which schedule of the deployment."""

    #: "" for the one without a name.
    schedule: Text = ""


class SchedulesQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which schedules."""

    #: Only those of this deployment.
    deployment: Text = ""
    #: Deployment and name of the last of the page before.
    after_deployment: Text = ""
    after_name: Text = ""
    #: How many of the next instants of each to tell.
    instants: Annotated[int, Meta(ge=0, le=100)] = 0
    limit: UpTo200 = 50


class ScheduleInstants(msgspec.Struct):
    """One schedule, and when it fires."""

    schedule: StandingScheduleShape
    #: As many as were asked for; none while it is paused.
    instants: list[datetime]


class TicksQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which ticks of a deployment."""

    schedule: Text = ""
    backfill: Id = ""
    since: Moment | None = None
    before: Moment | None = None
    limit: UpTo1000 = 100


@routes.add("GET", "/api/deployments", Permission.READ)
def list_deployments(call: Call, query: DeploymentsQuery) -> DeploymentPage:
    """List deployments, by name."""
    found = call.context.store.deployments.deployments(
        text=query.text, flow=query.flow, after=query.after, limit=query.limit + 1
    )
    page = found[: query.limit]
    return DeploymentPage([deployment_shape(one) for one in page], page[-1].name if len(found) > len(page) else "")


@routes.add("GET", "/api/deployments/{name}", Permission.READ, errors=(NotFound,))
def show_deployment(call: Call, name: str) -> DeploymentDetail:
    """Show one deployment, and all that the version in force says."""
    found = _the_deployment(call, name)
    return DeploymentDetail(deployment_shape(found), version_shape(found.version))


@routes.add("GET", "/api/deployments/{name}/versions", Permission.READ, errors=(NotFound,))
def list_versions(call: Call, name: str, query: VersionsQuery) -> list[VersionShape]:
    """List the versions of a deployment, newest first."""
    _the_deployment(call, name)
    found = call.context.store.deployments.versions(name, before=query.before, limit=query.limit)
    return [version_shape(version) for version in found]


@routes.add("GET", "/api/deployments/{name}/runs", Permission.READ, errors=(NotFound,))
def list_deployment_runs(call: Call, name: str, query: DeploymentRunsQuery) -> list[DeploymentRun]:
    """List the runs of a deployment, newest first."""
    store = call.context.store
    _the_deployment(call, name)
    work = store.work.runs_of(
        name, schedule=query.schedule, backfill=query.backfill, before=query.before, limit=query.limit
    )
    pairs = ((store.flow_run(one.run), one) for one in work)
    return [DeploymentRun(run_shape(run, now=call.now), work_shape(one)) for run, one in pairs if run is not None]


@routes.add("GET", "/api/deployments/{name}/ticks", Permission.READ)
def list_ticks(call: Call, name: str, query: TicksQuery) -> list[TickShape]:
    """List what became of the instants of a deployment's schedules, the latest first; also after it was removed."""
    found = call.context.store.schedules.ticks(
        name,
        schedule=query.schedule,
        backfill=query.backfill or None,
        since=seconds(query.since),
        before=seconds(query.before),
        limit=query.limit,
    )
    return [tick_shape(tick) for tick in found]


@routes.add("GET", "/api/schedules", Permission.READ)
def list_schedules(call: Call, query: SchedulesQuery) -> list[ScheduleInstants]:
    """List schedules by deployment and name, with when they fire next."""
    found = call.context.store.schedules.schedules(
        deployment=query.deployment, after=(query.after_deployment, query.after_name), limit=query.limit
    )
    now = datetime.fromtimestamp(call.now, UTC)
    return [
        ScheduleInstants(
            standing_schedule_shape(one),
            one.schedule.next(query.instants, after=now) if one.active and query.instants else [],
        )
        for one in found
    ]


# -- what changes something --


@routes.add(
    "POST",
    "/api/deployments/{name}/runs",
    Permission.OPERATE,
    status=202,
    errors=(NotFound, RunNotFound, ValueRefused),
    audit="trigger_deployment",
)
def trigger_deployment(call: Call, name: str, body: TriggeredRun) -> RunShape:
    """Ask for a run of a deployment: the answer is the run, SCHEDULED, which the next free worker starts."""
    context = call.context
    asked = Asked(
        parameters=body.parameters,
        name=body.name,
        tags=body.tags,
        due=seconds(body.at),
        key=body.key,
        queue=body.queue,
        priority=body.priority,
    )
    tell(call.request, subject=name)
    run, _ = trigger(
        context.store, context.results, name, asked, id=_clock.new_id(), now=call.now, chance=_clock.random
    )
    tell(call.request, subject=name, run=run.id)
    return run_shape(run, now=call.now)


@routes.add(
    "POST", "/api/deployments/{name}/rollback", Permission.OPERATE, errors=(NotFound,), audit="roll_back_deployment"
)
def roll_back_deployment(call: Call, name: str, body: VersionWanted) -> DeploymentDetail:
    """Put an earlier version of a deployment in force again."""
    tell(call.request, subject=name, version=body.version)
    _the_deployment(call, name)
    done = call.context.store.deployments.roll_back(name, body.version, now=call.now)
    if done is None:
        raise NotFound(f"Deployment {shorten(one_line(name), 80)} has no version {body.version}.")
    return DeploymentDetail(deployment_shape(done.deployment), version_shape(done.deployment.version))


@routes.add("POST", "/api/deployments/{name}/pause", Permission.OPERATE, errors=(NotFound,), audit="pause_deployment")
def pause_deployment(call: Call, name: str) -> DeploymentShape:
    """Pause a deployment: its schedules do not fire until it goes on. What is asked for runs."""
    return _set_paused(call, name, True)


@routes.add("POST", "/api/deployments/{name}/resume", Permission.OPERATE, errors=(NotFound,), audit="resume_deployment")
def resume_deployment(call: Call, name: str) -> DeploymentShape:
    """Let a deployment go on from now: the time in which it was paused is not caught up."""
    return _set_paused(call, name, False)


@routes.add("DELETE", "/api/deployments/{name}", Permission.OPERATE, errors=(NotFound,), audit="remove_deployment")
def remove_deployment(call: Call, name: str) -> None:
    """Forget a deployment, its versions and schedules. Its runs stay; what waits of it is cancelled."""
    tell(call.request, subject=name)
    if not call.context.store.deployments.remove(name, now=call.now):
        raise no_deployment(name, call.context.store.url)


@routes.add(
    "POST", "/api/deployments/{name}/schedules/pause", Permission.OPERATE, errors=(NotFound,), audit="pause_schedule"
)
def pause_schedule(call: Call, name: str, body: ScheduleWanted) -> StandingScheduleShape:
    """Pause one schedule of a deployment."""
    return _set_schedule_paused(call, name, body.schedule, True)


@routes.add(
    "POST", "/api/deployments/{name}/schedules/resume", Permission.OPERATE, errors=(NotFound,), audit="resume_schedule"
)
def resume_schedule(call: Call, name: str, body: ScheduleWanted) -> StandingScheduleShape:
    """Let one schedule of a deployment go on from now."""
    return _set_schedule_paused(call, name, body.schedule, False)


def _the_deployment(call: Call, name: str) -> Deployment:
    found = call.context.store.deployments.deployment(name)
    if found is None:
        raise no_deployment(name, call.context.store.url)
    return found


def _set_paused(call: Call, name: str, paused: bool) -> DeploymentShape:
    tell(call.request, subject=name)
    if not call.context.store.deployments.set_paused(name, paused, now=call.now):
        raise no_deployment(name, call.context.store.url)
    return deployment_shape(_the_deployment(call, name))


def _set_schedule_paused(call: Call, name: str, schedule: str, paused: bool) -> StandingScheduleShape:
    tell(call.request, subject=name, schedule=schedule)
    table = call.context.store.schedules
    done = table.set_paused(name, schedule, paused, now=call.now)
    found = [one for one in table.schedules(deployment=name) if one.name == schedule] if done else []
    if not found:
        shown = shorten(one_line(schedule), 80)
        raise NotFound(f"Deployment {shorten(one_line(name), 80)} has no schedule {shown!r}.")
    return standing_schedule_shape(found[0])
