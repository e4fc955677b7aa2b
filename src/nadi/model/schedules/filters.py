"""Filters: which instants of a rule count. Values with one JSON form, told apart by `kind`.

A filter is asked with the instant as a local time of the schedule's zone. Where it refuses, it also says from which
local time on it could let one pass, so that nobody has to try every minute of a year.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime, time, timedelta

import msgspec

from nadi.exceptions import DefinitionError
from nadi.model.schedules.rules import WEEKDAYS, Rule, weekday_names
from nadi.model.schedules.zones import TICK, find_zone, instant_of
from nadi.model.text import safe_repr

_DAY = timedelta(days=1)


class _Filter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """What all filters share."""

    def passes(self, moment: datetime) -> bool:
        """Say whether a time counts.

        Args:
            moment: In the zone of the schedule.
        """
        raise NotImplementedError

    def resume(self, moment: datetime) -> datetime | None:
        """Return a time, not before a refused one, before which nothing passes; `None` where nothing ever will."""
        return moment

    def resume_refusing(self, moment: datetime) -> datetime | None:
        """Return the same for one that passed and that somebody refuses for that."""
        return moment


class _DayFilter(_Filter, frozen=True):
    """A filter that lets whole days pass."""

    def passes(self, moment: datetime) -> bool:
        return self.passes_day(moment.date())

    def passes_day(self, day: date) -> bool:
        """Say whether a day counts."""
        raise NotImplementedError

    def resume(self, moment: datetime) -> datetime | None:
        return _midnight(moment.date() + _DAY, moment)

    def resume_refusing(self, moment: datetime) -> datetime | None:
        return _midnight(moment.date() + _DAY, moment)


def _midnight(day: date, moment: datetime) -> datetime:
    return datetime.combine(day, time(0), tzinfo=moment.tzinfo)


class BusinessDays(_DayFilter, frozen=True, tag="business_days"):
    """Monday to Friday, without holidays."""

    holidays: tuple[date, ...] = ()
    #: Which of the business days of a month: 1 for the first, -1 for the last; all where empty.
    nth: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for number in self.nth:
            if isinstance(number, bool) or not isinstance(number, int) or not 1 <= abs(number) <= 23:
                raise DefinitionError(
                    f"Which business day of the month is 1 to 23, or -1 for the last, not {safe_repr(number, 60)}."
                )

    def passes_day(self, day: date) -> bool:
        if day.weekday() >= 5 or day in self.holidays:
            return False
        if not self.nth:
            return True
        days = [day.replace(day=number + 1) for number in range(monthrange(day.year, day.month)[1])]
        counted = [one for one in days if one.weekday() < 5 and one not in self.holidays]
        at = counted.index(day)
        return at + 1 in self.nth or at - len(counted) in self.nth


class Weekdays(_DayFilter, frozen=True, tag="weekdays"):
    """Some days of the week."""

    #: Of `WEEKDAYS`.
    days: tuple[str, ...]

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "days", weekday_names(self.days))

    def passes_day(self, day: date) -> bool:
        return WEEKDAYS[day.weekday()] in self.days


class MonthDays(_DayFilter, frozen=True, tag="month_days"):
    """Some days of every month: 1 to 31, or counted from the end, -1 for the last."""

    days: tuple[int, ...]

    def __post_init__(self) -> None:
        for day in self.days:
            if isinstance(day, bool) or not isinstance(day, int) or not 1 <= abs(day) <= 31:
                raise DefinitionError(f"A day of the month is 1 to 31, or -1 for the last, not {safe_repr(day, 60)}.")

    def passes_day(self, day: date) -> bool:
        return day.day in self.days or day.day - monthrange(day.year, day.month)[1] - 1 in self.days


class YearDays(_DayFilter, frozen=True, tag="year_days"):
    """The days of every year between two, both included; over the new year where the first is the later one."""

    #: Month and day.
    first: tuple[int, int]
    last: tuple[int, int]

    def __post_init__(self) -> None:
        for month, day in (self.first, self.last):
            if not (1 <= month <= 12 and 1 <= day <= 31):
                raise DefinitionError(f"A day of the year is a month and a day, such as [12, 24], not {[month, day]}.")

    def passes_day(self, day: date) -> bool:
        found = (day.month, day.day)
        if self.first <= self.last:
            return self.first <= found <= self.last
        return found >= self.first or found <= self.last


class OnDates(_DayFilter, frozen=True, tag="dates"):
    """Some days, one by one."""

    dates: tuple[date, ...]

    def passes_day(self, day: date) -> bool:
        return day in self.dates

    def resume(self, moment: datetime) -> datetime | None:
        coming = [day for day in self.dates if day > moment.date()]
        return _midnight(min(coming), moment) if coming else None


class DateRange(_DayFilter, frozen=True, tag="date_range"):
    """The days between two, both included; without one of them, open to that side."""

    first: date | None = None
    last: date | None = None

    def __post_init__(self) -> None:
        if self.first is not None and self.last is not None and self.last < self.first:
            raise DefinitionError(f"The range of dates {self.first} to {self.last} ends before it begins.")

    def passes_day(self, day: date) -> bool:
        return (self.first is None or day >= self.first) and (self.last is None or day <= self.last)

    def resume(self, moment: datetime) -> datetime | None:
        if self.first is None or moment.date() >= self.first:
            return None
        return _midnight(self.first, moment)

    def resume_refusing(self, moment: datetime) -> datetime | None:
        return None if self.last is None else _midnight(self.last + _DAY, moment)


class Period(_Filter, frozen=True, tag="period"):
    """The instants between two, both included; without an offset, local times. Without one, open to that side."""

    first: datetime | None = None
    last: datetime | None = None

    def passes(self, moment: datetime) -> bool:
        zone = moment.tzinfo
        assert zone is not None
        at = instant_of(moment, zone)
        if self.first is not None and at < instant_of(self.first, zone):
            return False
        return self.last is None or at <= instant_of(self.last, zone)

    def resume(self, moment: datetime) -> datetime | None:
        zone = moment.tzinfo
        assert zone is not None
        if self.first is None or instant_of(moment, zone) >= instant_of(self.first, zone):
            return None
        return instant_of(self.first, zone).astimezone(zone)

    def resume_refusing(self, moment: datetime) -> datetime | None:
        zone = moment.tzinfo
        assert zone is not None
        return None if self.last is None else instant_of(self.last, zone).astimezone(zone)


class TimesOfDay(_Filter, frozen=True, tag="times_of_day"):
    """The local times of every day between two, both included; over midnight where the first is the later one."""

    first: time
    last: time

    def passes(self, moment: datetime) -> bool:
        found = moment.time()
        if self.first <= self.last:
            return self.first <= found <= self.last
        return found >= self.first or found <= self.last

    def resume(self, moment: datetime) -> datetime | None:
        day = moment.date() if moment.time() < self.first else moment.date() + _DAY
        return datetime.combine(day, self.first, tzinfo=moment.tzinfo)

    def resume_refusing(self, moment: datetime) -> datetime | None:
        day = moment.date() if moment.time() <= self.last else moment.date() + _DAY
        return datetime.combine(day, self.last, tzinfo=moment.tzinfo)


class Fires(_Filter, frozen=True, tag="fires"):
    """The instants of another rule; the local days on which it fires, where whole days are meant."""

    rule: Rule
    #: Zone of the other rule; that of the schedule where it is empty.
    timezone: str = ""
    whole_days: bool = False

    def __post_init__(self) -> None:
        if self.timezone:
            find_zone(self.timezone)

    def passes(self, moment: datetime) -> bool:
        begin = _midnight(moment.date(), moment) if self.whole_days else moment
        found = self._next(begin)
        if found is None:
            return False
        if self.whole_days:
            return found.astimezone(moment.tzinfo).date() == moment.date()
        return found == moment.astimezone(found.tzinfo)

    def resume(self, moment: datetime) -> datetime | None:
        found = self._next(_midnight(moment.date() + _DAY, moment) if self.whole_days else moment)
        if found is None or not self.whole_days:
            return None if found is None else found.astimezone(moment.tzinfo)
        return _midnight(found.astimezone(moment.tzinfo).date(), moment)

    def resume_refusing(self, moment: datetime) -> datetime | None:
        return _midnight(moment.date() + _DAY, moment) if self.whole_days else moment

    def _next(self, moment: datetime) -> datetime | None:
        zone = find_zone(self.timezone) if self.timezone else moment.tzinfo
        assert zone is not None
        return next(self.rule.instants(zone, instant_of(moment, zone) - TICK), None)


class Not(_Filter, frozen=True, tag="not"):
    """What another filter refuses: an exclusion."""

    filter: Filter

    def passes(self, moment: datetime) -> bool:
        return not self.filter.passes(moment)

    def resume(self, moment: datetime) -> datetime | None:
        return self.filter.resume_refusing(moment)

    def resume_refusing(self, moment: datetime) -> datetime | None:
        return self.filter.resume(moment)


class AnyOf(_Filter, frozen=True, tag="any"):
    """What at least one of some filters lets pass."""

    filters: tuple[Filter, ...]

    def passes(self, moment: datetime) -> bool:
        return any(one.passes(moment) for one in self.filters)

    def resume(self, moment: datetime) -> datetime | None:
        return _first([one.resume(moment) for one in self.filters])

    def resume_refusing(self, moment: datetime) -> datetime | None:
        return _last([one.resume_refusing(moment) for one in self.filters if one.passes(moment)], moment)


class AllOf(_Filter, frozen=True, tag="all"):
    """What every one of some filters lets pass."""

    filters: tuple[Filter, ...]

    def passes(self, moment: datetime) -> bool:
        return all(one.passes(moment) for one in self.filters)

    def resume(self, moment: datetime) -> datetime | None:
        return resume_all([one for one in self.filters if not one.passes(moment)], moment)

    def resume_refusing(self, moment: datetime) -> datetime | None:
        return _first([one.resume_refusing(moment) for one in self.filters])


#: Every kind of filter; JSON tells them apart by `kind`.
Filter = (
    BusinessDays
    | Weekdays
    | MonthDays
    | YearDays
    | OnDates
    | DateRange
    | Period
    | TimesOfDay
    | Fires
    | Not
    | AnyOf
    | AllOf
)


#: How deep filters are nested, at most.
DEEPEST = 20


def depth_of(one: Filter) -> int:
    """Return how deep a filter is nested: 1 for one that has none inside."""
    inner = [one.filter] if isinstance(one, Not) else one.filters if isinstance(one, AnyOf | AllOf) else []
    return 1 + max(map(depth_of, inner), default=0)


def resume_all(refusing: list[Filter], moment: datetime) -> datetime | None:
    """Return the time before which not all of some filters that refuse one would let any pass; `None` for never."""
    return _last([one.resume(moment) for one in refusing], moment)


def _first(found: list[datetime | None]) -> datetime | None:
    return min((one for one in found if one is not None), key=_instant, default=None)


def _last(found: list[datetime | None], moment: datetime) -> datetime | None:
    known = [one for one in found if one is not None]
    return max([moment, *known], key=_instant) if len(known) == len(found) else None


def _instant(moment: datetime) -> float:
    # Not compared as they are: within one zone, Python compares what clocks show.
    return moment.timestamp()
