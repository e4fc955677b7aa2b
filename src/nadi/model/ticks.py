"""Ticks: the instants of schedules and backfills, and what became of each."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from nadi.model.schedules import Schedule
from nadi.model.work import NewRun


class TickOutcome(StrEnum):
    """What became of one instant of a schedule."""

    #: It has a run.
    RUN = "run"
    #: A rule of the deployment left it out; the note says which.
    SKIPPED = "skipped"
    #: Nobody was there when it was due, and it is not caught up.
    MISSED = "missed"


class Tick(msgspec.Struct, frozen=True, kw_only=True):
    """One instant of a schedule, or of a backfill, and what became of it. There is one at most for each."""

    deployment: str
    schedule: str
    #: Id of the backfill; "" for a tick of the schedule itself.
    backfill: str = ""
    #: Unix seconds, before jitter.
    instant: float
    outcome: TickOutcome
    #: Id of its run, which may have been deleted since; "" for none.
    run: str = ""
    #: Why there is no run.
    note: str = ""
    #: When it was decided, Unix seconds.
    at: float


class NewTick(msgspec.Struct, frozen=True, kw_only=True):
    """An instant that is decided now: with a run, or with the reason why it has none."""

    instant: float
    outcome: TickOutcome
    note: str = ""
    run: NewRun | None = None
    #: Skip it, with this note, if any run of the deployment has not ended; "" to run it all the same.
    skip_note: str = ""


class StandingSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule of the version of a deployment that is in force, and how far it has come."""

    deployment: str
    #: The name by which it is known over versions.
    name: str
    version: int
    schedule: Schedule
    #: `False` while somebody has paused it, or its deployment.
    active: bool
    #: Whether it is this very schedule that is paused.
    paused: bool
    #: Unix seconds: what came due up to here is decided.
    cursor: float
    #: Its next instant, before jitter, as the last who looked reckoned; 0 when there is none any more.
    next: float


class Firing(msgspec.Struct, frozen=True, kw_only=True):
    """What is decided of one schedule at one moment."""

    deployment: str
    schedule: str
    #: Cursor and version from which it was decided: if one of them has changed since, nothing is done.
    seen_cursor: float
    seen_version: int
    cursor: float
    next: float
    ticks: tuple[NewTick, ...] = ()


class BackfillState(StrEnum):
    """Where a backfill stands."""

    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    CANCELLED = "CANCELLED"
    COMPLETED = "COMPLETED"


class Backfill(msgspec.Struct, frozen=True, kw_only=True):
    """Runs for the instants of a schedule in a time that is over (or not yet): one thing, that goes on by itself."""

    id: str
    deployment: str
    schedule: str
    #: The version of the deployment that its runs have, and the schedule as it was when somebody asked for it.
    version: int
    rule: Schedule
    #: Unix seconds; instants from `since` on and before `until`.
    since: float
    until: float
    #: Leave out instants that have a run, of the schedule or of another backfill, which did not fail.
    only_missing: bool = False
    #: How many of its runs are under way, or wait, at once.
    most_at_once: int = 1
    #: The latest instant first.
    reverse: bool = False
    #: Parameters over those of deployment and schedule, as JSON has them.
    parameters: dict[str, Any] = {}
    state: BackfillState = BackfillState.RUNNING
    #: Instants in all, and how many of them are decided.
    total: int
    decided: int = 0
    #: Unix seconds: the last instant that is decided; 0 for none.
    position: float = 0.0
    created: float
    by: str = ""
    ended: float = 0.0


class BackfillStep(msgspec.Struct, frozen=True, kw_only=True):
    """What is decided of a backfill at one moment; nothing is done if it has gone on since, or does not run."""

    id: str
    seen_decided: int
    position: float
    ticks: tuple[NewTick, ...] = ()
    #: Unix seconds when it has ended with this; 0 when it has not.
    ended: float = 0.0
