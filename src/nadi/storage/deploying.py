"""What deploying does to a deployment and its schedules, and pausing to those. One rule for every store."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from nadi.model.deployments import Deployment, DeploymentVersion
from nadi.model.schedules import Schedule
from nadi.model.ticks import NewTick, StandingSchedule, Tick, TickOutcome

_with = msgspec.structs.replace

#: Why runs are cancelled that waited when their deployment, or backfill, went.
CANCELLED_WITH_DEPLOYMENT = "Its deployment was removed before a worker had taken it."
CANCELLED_WITH_BACKFILL = "Its backfill was cancelled before a worker had taken it."


def deployed(version: DeploymentVersion, before: Deployment | None, *, now: float) -> Deployment:
    """Return a deployment once a version of it, under its number, is in force."""
    if before is None:
        return Deployment(
            name=version.deployment, version=version, newest=version.number, paused=False, created=now, updated=now
        )
    return _with(before, version=version, newest=max(before.newest, version.number), updated=now)


def schedules_of(
    version: DeploymentVersion, before: Iterable[StandingSchedule], *, paused: bool, now: float
) -> list[StandingSchedule]:
    """Return the schedules of a deployment once a version of it is in force.

    Where the same instants go on, a schedule goes on from where it was. Any other begins at `now`: so does one that did
    not fire until now. `next` of what is new or changed is `now`, which says: look, and reckon.

    Args:
        version: The version, under its number.
        before: The schedules that stood until now.
        paused: Whether the deployment is paused.
        now: Unix seconds.
    """
    there = {one.name: one for one in before}
    return [_standing(version, schedule, there.get(schedule.name), paused, now) for schedule in version.spec.schedules]


def _standing(
    version: DeploymentVersion, schedule: Schedule, before: StandingSchedule | None, paused: bool, now: float
) -> StandingSchedule:
    is_paused = before is not None and before.paused
    cursor = next = now
    if before is not None and before.schedule.active and has_same_instants(schedule, before.schedule):
        cursor, next = before.cursor, before.next if schedule == before.schedule else now
    return StandingSchedule(
        deployment=version.deployment,
        name=schedule.name,
        version=version.number,
        schedule=schedule,
        active=fires(schedule, paused=paused or is_paused),
        paused=is_paused,
        cursor=cursor,
        next=next,
    )


def has_same_instants(one: Schedule, other: Schedule) -> bool:
    """Tell whether two schedules are the same but for what becomes of their instants."""
    return _instants(one) == _instants(other)


def _instants(schedule: Schedule) -> tuple[object, ...]:
    return (
        schedule.rule,
        schedule.timezone,
        schedule.filters,
        schedule.adjustments,
        schedule.start,
        schedule.end,
    )


def fires(schedule: Schedule, *, paused: bool) -> bool:
    """Tell whether a schedule fires, of which is known whether it or its deployment is paused."""
    return schedule.active and not paused


def paused_or_not(before: StandingSchedule, *, paused: bool, deployment_paused: bool, now: float) -> StandingSchedule:
    """Return a schedule after it, or its deployment, was paused or let go on.

    One that fires again goes on from `now`: what passed meanwhile is not caught up. One that fired all the time, or
    goes on being paused, stays where it is.

    Args:
        before: The schedule.
        paused: Whether this very schedule is paused from now on.
        deployment_paused: Whether its deployment is.
        now: Unix seconds.
    """
    active = fires(before.schedule, paused=paused or deployment_paused)
    if not active or before.active:
        return _with(before, active=active, paused=paused)
    return _with(before, active=True, paused=paused, cursor=max(before.cursor, now), next=now)


def tick_of_instant(
    new: NewTick, deployment: str, schedule: str, backfill: str, *, run: str, skipped: bool, now: float
) -> Tick:
    """Return the tick that is kept of an instant.

    Args:
        new: What was decided.
        deployment: Of which deployment, schedule and backfill.
        schedule: See there.
        backfill: See there.
        run: Id of its run; "" for none.
        skipped: Whether it is left out for another run of its deployment, which has not ended.
        now: Unix seconds.
    """
    return Tick(
        deployment=deployment,
        schedule=schedule,
        backfill=backfill,
        instant=new.instant,
        outcome=TickOutcome.SKIPPED if skipped else new.outcome,
        run=run,
        note=new.skip_note if skipped else new.note,
        at=now,
    )
