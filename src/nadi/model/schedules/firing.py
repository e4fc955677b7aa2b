"""Firing: which instants of a schedule run, and which are missed. Pure functions, the same on every server."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from itertools import islice

import msgspec

from nadi.model.schedules.schedule import CatchUp, Schedule
from nadi.model.schedules.zones import TICK

#: The most missed instants that one decision lists; what is older is told by `older_missed` alone.
MOST_MISSED = 1_000

#: The most late instants that run; what is older than these counts as missed.
MOST_LATE = 1_000

#: How much of the past is looked at first, from now backward.
_FIRST_LOOK = timedelta(minutes=2)


class Ticks(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of the instants that passed since the cursor; each is in one of the two, oldest first."""

    run: tuple[datetime, ...] = ()
    missed: tuple[datetime, ...] = ()
    #: Whether there are missed instants that are older than all that are listed.
    older_missed: bool = False


def due(schedule: Schedule, after: datetime, until: datetime, limit: int) -> list[datetime]:
    """Return the instants of a schedule later than `after` and not later than `until`, oldest first, at most `limit`.

    Whether the schedule is active is not asked. Where `limit` are returned there may be more: ask again after the last.

    Raises:
        ValueError: if a time has no timezone.
    """
    return list(islice(schedule.instants(after, until), limit))


def newest_due(schedule: Schedule, after: datetime, until: datetime, limit: int) -> tuple[list[datetime], bool]:
    """Return the newest `limit` of the instants that `due` gives, oldest first, and whether there are older ones.

    Looks from `until` backward, so that it costs about what it returns and not what has passed since `after`.
    """
    look = _FIRST_LOOK
    while True:
        # Compared, not subtracted from `until`, which must not leave the calendar.
        begin = until - look if until - after > look else after
        found = deque(schedule.instants(begin, until), maxlen=limit + 1)
        if len(found) > limit or begin == after:
            more = len(found) > limit
            return list(found)[more:], more
        look *= 2


def ticks_to_fire(schedule: Schedule, cursor: datetime, now: datetime) -> Ticks:
    """Decide what becomes of the instants later than `cursor` and not later than `now`.

    An instant that passed at most `schedule.grace` seconds ago is late and not missed: it runs, whatever the policy.
    Of those before that, `CatchUp.NONE` runs none; `CatchUp.LATEST` runs the newest, if none runs for being late
    only; `CatchUp.ALL` runs the newest `schedule.catch_up_limit`. The others are missed.

    A schedule that is not active fires nothing. Move the cursor to `now` afterwards, also while it is not active, so
    that time paused is not caught up; begin it where the rule became what it is.

    Args:
        schedule: Whose instants.
        cursor: Up to which instant everything is decided.
        now: Timezone-aware; where it lies before the cursor, because a clock was set back, there is nothing to do.

    Raises:
        ValueError: if a time has no timezone.
    """
    if not schedule.active or now <= cursor:
        return Ticks()
    edge = max(cursor, now - timedelta(seconds=schedule.grace))
    late, too_many = newest_due(schedule, edge, now, MOST_LATE)
    if too_many:
        edge = late[0] - TICK
    caught = {CatchUp.NONE: 0, CatchUp.LATEST: 0 if late else 1, CatchUp.ALL: schedule.catch_up_limit}
    passed, more = newest_due(schedule, cursor, edge, caught[schedule.catch_up] + MOST_MISSED)
    split = max(0, len(passed) - caught[schedule.catch_up])
    return Ticks(run=(*passed[split:], *late), missed=tuple(passed[:split]), older_missed=more)


def jitter_of(schedule: Schedule, key: str, instant: datetime) -> float:
    """Return by how many seconds the run of an instant begins late: at least 0, less than `schedule.jitter`.

    A hash of the two, so that every server finds the same, and that schedules with one rule spread.

    Args:
        schedule: Whose jitter.
        key: What the schedule is known by everywhere: its deployment and its name.
        instant: Timezone-aware; the tick, which keeps being known by it.
    """
    if not schedule.jitter:
        return 0.0
    micros = (instant.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    digest = blake2b(f"{key}\0{micros}".encode("utf-8", "surrogatepass"), digest_size=7).digest()
    # 53 bits: every such number is a float, and none of them rounds to 1.
    return schedule.jitter * ((int.from_bytes(digest, "big") >> 3) / 2**53)


def fire_at(schedule: Schedule, key: str, instant: datetime) -> datetime:
    """Return when the run of an instant begins: the instant and its jitter. Never before the instant."""
    return instant + timedelta(seconds=jitter_of(schedule, key, instant))
