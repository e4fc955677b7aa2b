"""Zones: from the local times that a rule names to instants, where clocks change too.

A rule is one of two kinds, and this is all that a change of the clocks does to it:

- **It names local times** (`once_each`): each local time it names is one instant. A local time that is skipped when
  clocks go forward is read with the offset before the change, so that 02:30 of a skipped hour is 03:30; where the
  rule names that instant anyway, it is one and not two. A local time that comes twice when clocks go back is the first.
- **It follows the clock** (`as_shown`): every instant at which a clock on the wall shows a time that the rule names.
  What is skipped is not shown, and what comes twice is shown twice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, available_timezones

from nadi.exceptions import DefinitionError
from nadi.model.parameters.names import close_match
from nadi.model.text import safe_repr

#: What stands one step before an instant: "later than this" is "not before the instant".
TICK = timedelta(microseconds=1)

#: No rule gives instants outside of these, where arithmetic would leave the calendar.
EARLIEST = datetime(2, 1, 1, tzinfo=UTC)
LATEST = datetime(9998, 1, 1, tzinfo=UTC)

#: From where on what has no start of its own is counted: local midnight.
ORIGIN = datetime(2020, 1, 1)

#: Around an instant, where to ask for the offset: no change that ever was reaches further than a day.
_AROUND = tuple(timedelta(hours=hours) for hours in (-24, -3, 0, 3, 24))


def find_zone(name: str) -> ZoneInfo:
    """Return a zone of the IANA database by its name, such as `Europe/Berlin` or `UTC`.

    Raises:
        DefinitionError: there is none; the sentence names the closest.
    """
    try:
        # Under `right/` lie zones that count leap seconds, which clocks of computers do not.
        if isinstance(name, str) and not name.startswith("right/"):
            return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        pass
    raise DefinitionError(_no_zone(name))


def _no_zone(name: object) -> str:
    known = available_timezones()
    if not known:
        return f"The zone {safe_repr(name, 60)} cannot be looked up: this machine has no zones. pip install tzdata"
    folded = {zone.casefold(): zone for zone in known}
    cities = {zone.rpartition("/")[2].casefold(): zone for zone in sorted(known)}
    wanted = name.strip().replace(" ", "_").casefold() if isinstance(name, str) else ""
    near = folded.get(wanted) or cities.get(wanted)
    hint = f" (did you mean {near!r}?)" if near else close_match(str(name), known)
    return f"There is no time zone {safe_repr(name, 60)}{hint}; expected an IANA name such as 'Europe/Berlin' or 'UTC'."


def instant_of(moment: datetime, zone: tzinfo) -> datetime:
    """Return a datetime in UTC; one without an offset is a local time of the zone, read as `once_each` does.

    What lies outside of `EARLIEST` and `LATEST` is that of the two which is nearer.
    """
    if not EARLIEST.year <= moment.year < LATEST.year:
        return EARLIEST if moment.year < EARLIEST.year else LATEST
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=zone, fold=0)
    return aware.astimezone(UTC)


def first_wall(after: datetime, zone: tzinfo) -> datetime:
    """Return from which local time on a rule has to be read, so as to miss no instant later than `after`."""
    at = after.astimezone(UTC)
    offsets = [(at + around).astimezone(zone).utcoffset() or timedelta(0) for around in _AROUND]
    return at.replace(tzinfo=None) + min(offsets)


def once_each(walls: Iterator[datetime], zone: tzinfo) -> Iterator[datetime]:
    """Yield one instant for each of some local times, in order, none twice.

    Args:
        walls: Local times without a zone, each later than the one before.
        zone: Where they are local.
    """
    # Skipped times land among those after the change, so they wait here until these come.
    skipped: deque[datetime] = deque()
    for wall in walls:
        before, behind = _offsets(wall, zone)
        at = (wall - before).replace(tzinfo=UTC)
        if before < behind:
            skipped.append(at)
            continue
        while skipped and skipped[0] <= at:
            if (moved := skipped.popleft()) < at:
                yield moved
        yield at
    yield from skipped


def as_shown(walls: Iterator[datetime], zone: tzinfo) -> Iterator[datetime]:
    """Yield every instant at which a clock shows one of some local times, in order.

    Args:
        walls: Local times without a zone, each later than the one before.
        zone: Where the clock hangs.
    """
    again: deque[datetime] = deque()
    for wall in walls:
        before, behind = _offsets(wall, zone)
        if before < behind:
            continue
        at = (wall - before).replace(tzinfo=UTC)
        while again and again[0] < at:
            yield again.popleft()
        yield at
        if before > behind:
            again.append((wall - behind).replace(tzinfo=UTC))
    yield from again


def _offsets(wall: datetime, zone: tzinfo) -> tuple[timedelta, timedelta]:
    """The offsets that a local time has before and after a change of the clocks: equal where there is none."""
    local = wall.replace(tzinfo=zone, fold=0)
    return local.utcoffset() or timedelta(0), local.replace(fold=1).utcoffset() or timedelta(0)
