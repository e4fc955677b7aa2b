"""Rules: which instants a schedule is made of, before filters and bounds. Values, told apart in JSON by `kind`.

A rule knows no zone; it is given one when it is asked for instants. Local times of a rule become instants as
`zones.py` says: rules that name hours name local times (`once_each`), rules that leave them open follow the clock.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta, tzinfo
from functools import cached_property
from itertools import count

import msgspec

from nadi.exceptions import DefinitionError
from nadi.model.parameters.names import close_match
from nadi.model.schedules.cron import CronFields, parse_cron
from nadi.model.schedules.recurrence_text import RecurrenceSet, parse_recurrence
from nadi.model.schedules.zones import EARLIEST, LATEST, ORIGIN, as_shown, first_wall, instant_of, once_each
from nadi.model.text import safe_repr

#: Days of the week, in order: `date.weekday()` is an index of it.
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

#: The most dates, or times of a day, that one rule lists.
MOST_LISTED = 10_000

#: The shortest and the longest interval, in seconds.
SHORTEST, LONGEST = 1.0, 100 * 366 * 86400.0

_DAY = timedelta(days=1)


class _Rule(msgspec.Struct, frozen=True, dict=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """What all rules share."""

    def instants(self, zone: tzinfo, after: datetime) -> Iterator[datetime]:
        """Yield the instants later than `after`, in UTC and in order, none twice.

        Args:
            zone: Whose local times the rule names.
            after: Timezone-aware.
        """
        raise NotImplementedError

    @property
    def follows_clock(self) -> bool:
        """Whether it fires at both passes of a repeated local time, and not at all at one that is skipped."""
        return False


class IntervalRule(_Rule, frozen=True, tag="interval"):
    """Every so many seconds. Whole days count in the local calendar: 09:00 stays 09:00 when the clocks change.

    Anything else is time that has passed: every 6 hours is every 6 hours, whatever clocks show.
    """

    seconds: float
    #: One of its instants, from which the others count to both sides; without an offset a local time. Without one,
    #: local midnight of 1 January 2020, so that every 15 minutes fires at quarters of the hour.
    anchor: datetime | None = None

    def __post_init__(self) -> None:
        seconds = self.seconds
        number = isinstance(seconds, int | float) and not isinstance(seconds, bool) and math.isfinite(seconds)
        if not number or not SHORTEST <= seconds <= LONGEST:
            raise DefinitionError(
                f"An interval is {SHORTEST:g} second to 100 years, as seconds or text such as '1h30m',"
                f" not {safe_repr(seconds, 60)}."
            )
        msgspec.structs.force_setattr(self, "seconds", float(seconds))
        if self.anchor is not None and not EARLIEST.year <= self.anchor.year < LATEST.year:
            raise DefinitionError(f"The anchor {self.anchor} lies outside of the years 2 to 9997.")

    @property
    def step(self) -> timedelta:
        """The interval."""
        return timedelta(seconds=self.seconds)

    def instants(self, zone: tzinfo, after: datetime) -> Iterator[datetime]:
        return every(self.step, self.anchor or ORIGIN, zone, after)


def every(step: timedelta, anchor: datetime, zone: tzinfo, after: datetime) -> Iterator[datetime]:
    """Yield the instants of an interval later than `after`; whole days as local times, anything else as time passed."""
    if step % _DAY:
        start = instant_of(anchor, zone)
        return _steps(start + ((after - start) // step + 1) * step, step)
    wall = anchor if anchor.tzinfo is None else anchor.astimezone(zone).replace(tzinfo=None)
    first = wall - (wall - first_wall(after, zone)) // step * step
    return later(after, once_each(_steps(first, step), zone))


def _steps(first: datetime, step: timedelta) -> Iterator[datetime]:
    end = LATEST.replace(tzinfo=first.tzinfo)
    return iter(()) if first > end else (first + number * step for number in range((end - first) // step))


class CronRule(_Rule, frozen=True, tag="cron"):
    """The times of a cron line; `cron.py` says what one may say.

    A line whose hour field begins with `*`, or names all hours, follows the clock; any other names local times.
    """

    line: str
    #: Where day of the month and day of the week are both restricted: whether one that fits is enough.
    day_or: bool = True

    def __post_init__(self) -> None:
        _ = self.fields

    @cached_property
    def fields(self) -> CronFields:
        """What the line says."""
        return parse_cron(self.line, day_or=self.day_or)

    @property
    def follows_clock(self) -> bool:
        return self.fields.open_hours

    def instants(self, zone: tzinfo, after: datetime) -> Iterator[datetime]:
        walls = self.fields.walls(first_wall(after, zone))
        return later(after, (as_shown if self.follows_clock else once_each)(walls, zone))


class RecurrenceRule(_Rule, frozen=True, tag="rrule"):
    """The times of an RRULE, or of lines with `DTSTART`, `RRULE`, `RDATE`, `EXDATE` and `EXRULE`.

    A rule counted in hours or less without `BYHOUR` follows the clock; any other names local times.
    """

    text: str

    def __post_init__(self) -> None:
        _ = self.lines

    @cached_property
    def lines(self) -> RecurrenceSet:
        """What the text says."""
        return parse_recurrence(self.text)

    @property
    def follows_clock(self) -> bool:
        return any(rule.open_hours for rule in self.lines.rules)

    def instants(self, zone: tzinfo, after: datetime) -> Iterator[datetime]:
        return self.lines.instants(zone, after)


class DatesRule(_Rule, frozen=True, tag="dates"):
    """Some times, one by one: all of them instants, with an offset, or all of them local times, without."""

    dates: tuple[datetime, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.dates) <= MOST_LISTED:
            raise DefinitionError(f"A schedule of dates lists 1 to {MOST_LISTED:,} of them, not {len(self.dates):,}.")
        for date in self.dates:
            if not isinstance(date, datetime):
                raise DefinitionError(f"A schedule of dates is made of datetimes, not {safe_repr(date, 60)}.")
            if not EARLIEST.year <= date.year < LATEST.year:
                raise DefinitionError(f"The date {date} lies outside of the years 2 to 9997.")
        if len({date.tzinfo is None for date in self.dates}) > 1:
            raise DefinitionError("Of the dates of a schedule some have an offset and some have none; write all alike.")
        msgspec.structs.force_setattr(self, "dates", tuple(sorted(set(self.dates))))

    def instants(self, zone: tzinfo, after: datetime) -> Iterator[datetime]:
        if self.dates[0].tzinfo is not None:
            return (date.astimezone(UTC) for date in self.dates[bisect_right(self.dates, after) :])
        walls = self.dates[bisect_left(self.dates, first_wall(after, zone)) :]
        return later(after, once_each(iter(walls), zone))


class HourlyRule(_Rule, frozen=True, tag="hourly"):
    """Every hour at some minutes. It follows the clock."""

    minutes: tuple[int, ...] = (0,)

    def __post_init__(self) -> None:
        for minute in self.minutes:
            if isinstance(minute, bool) or not isinstance(minute, int) or not 0 <= minute <= 59:
                raise DefinitionError(f"The minute of an hourly schedule is 0 to 59, not {safe_repr(minute, 60)}.")
        if not self.minutes:
            raise DefinitionError("An hourly schedule needs at least one minute, such as 0.")
        msgspec.structs.force_setattr(self, "minutes", tuple(sorted(set(self.minutes))))

    @property
    def follows_clock(self) -> bool:
        return True

    def instants(self, zone: tzinfo, after: datetime) -> Iterator[datetime]:
        start = first_wall(after, zone)
        hour = start.replace(minute=0, second=0, microsecond=0)
        hours = _steps(hour, timedelta(hours=1))
        walls = (at.replace(minute=minute) for at in hours for minute in self.minutes)
        return later(after, as_shown(walls, zone))


class DailyRule(_Rule, frozen=True, tag="daily"):
    """Every day at some local times."""

    at: tuple[time, ...] = (time(0),)

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "at", _times(self.at))

    def instants(self, zone: tzinfo, after: datetime) -> Iterator[datetime]:
        return later(after, once_each(_on_days(range(7), self.at, first_wall(after, zone)), zone))


class WeeklyRule(_Rule, frozen=True, tag="weekly"):
    """On some days of the week at some local times."""

    #: Of `WEEKDAYS`.
    on: tuple[str, ...]
    at: tuple[time, ...] = (time(0),)

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "on", weekday_names(self.on))
        msgspec.structs.force_setattr(self, "at", _times(self.at))

    def instants(self, zone: tzinfo, after: datetime) -> Iterator[datetime]:
        days = [WEEKDAYS.index(name) for name in self.on]
        return later(after, once_each(_on_days(days, self.at, first_wall(after, zone)), zone))


#: Every kind of rule; JSON tells them apart by `kind`.
Rule = IntervalRule | CronRule | RecurrenceRule | DatesRule | HourlyRule | DailyRule | WeeklyRule


def later(after: datetime, instants: Iterator[datetime]) -> Iterator[datetime]:
    """Yield those of some instants that lie after one: reading local times begins a little before it."""
    return (at for at in instants if at > after)


def weekday_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return days of the week in order, each once.

    Raises:
        DefinitionError: one is not of `WEEKDAYS`, or there is none.
    """
    for name in names:
        if name not in WEEKDAYS:
            hint = close_match(str(name), WEEKDAYS)
            raise DefinitionError(
                f"There is no day of the week {safe_repr(name, 60)}{hint}; expected {list(WEEKDAYS)}."
            )
    if not names:
        raise DefinitionError("At least one day of the week is needed, such as 'mon'.")
    return tuple(sorted(set(names), key=WEEKDAYS.index))


def _times(times: tuple[time, ...]) -> tuple[time, ...]:
    for at in times:
        if not isinstance(at, time) or at.tzinfo is not None:
            raise DefinitionError(f"A time of day is local, such as '06:00', not {safe_repr(at, 60)}.")
    if not 1 <= len(times) <= MOST_LISTED:
        raise DefinitionError(f"A rule lists 1 to {MOST_LISTED:,} times of day, such as '06:00', not {len(times):,}.")
    return tuple(sorted(set(times)))


def _on_days(days: list[int] | range, times: tuple[time, ...], start: datetime) -> Iterator[datetime]:
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    for number in count():
        day = midnight + number * _DAY
        if day.year >= LATEST.year:
            return
        if day.weekday() in days:
            yield from (datetime.combine(day, at) for at in times)
