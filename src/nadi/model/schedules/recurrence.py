"""Recurrence rules of iCalendar (RFC 5545): what an RRULE says, and the local times that it names.

One rule a line, and beside it `DTSTART`, `RDATE`, `EXDATE`, `EXRULE`. Arithmetic on calendars; zones come in elsewhere.
Looking for a time later than a given one begins there and not at `DTSTART`, and ends where nothing can be found.
"""

from __future__ import annotations

from calendar import isleap, monthrange
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import count, product
from math import prod
from typing import Any

import msgspec

_DAY = timedelta(days=1)

#: Days and times in a row that may be looked at in vain: more than a whole cycle of the calendar has days.
MOST_IN_VAIN = 200_000

#: Seconds of what is counted by frequencies below a day.
UNITS = {"HOURLY": 3600, "MINUTELY": 60, "SECONDLY": 1}

FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", *UNITS)


class Recurrence(msgspec.Struct, frozen=True, kw_only=True):
    """One RRULE that was read; what is empty restricts nothing."""

    frequency: str
    interval: int = 1
    count: int = 0
    #: With an offset, an instant; without, a local time. The last that may be named.
    until: datetime | None = None
    months: frozenset[int] = frozenset()
    week_numbers: frozenset[int] = frozenset()
    year_days: frozenset[int] = frozenset()
    month_days: frozenset[int] = frozenset()
    #: Pairs of a day, 0 for Monday, and which of the month or year it is; 0 for each.
    weekdays: frozenset[tuple[int, int]] = frozenset()
    hours: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()
    seconds: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()
    week_start: int = 0

    @property
    def open_hours(self) -> bool:
        """Whether hours are left open, so that the rule follows the clock."""
        return self.frequency in UNITS and not self.hours

    def begun(self, origin: datetime) -> Recurrence:
        """Return the rule with what it leaves to its first time: the hour, the minute, the day."""
        filled: dict[str, Any] = {}
        if not (self.week_numbers or self.year_days or self.month_days or self.weekdays):
            if self.frequency == "YEARLY":
                filled = {"months": self.months or frozenset({origin.month}), "month_days": frozenset({origin.day})}
            elif self.frequency == "MONTHLY":
                filled = {"month_days": frozenset({origin.day})}
            elif self.frequency == "WEEKLY":
                filled = {"weekdays": frozenset({(origin.weekday(), 0)})}
        # What is counted in hours leaves the minute to the first time, and so on; what is counted finer, everything.
        unit = UNITS.get(self.frequency, 86400)
        filled["hours"] = self.hours or (tuple(range(24)) if unit <= 3600 else (origin.hour,))
        filled["minutes"] = self.minutes or (tuple(range(60)) if unit <= 60 else (origin.minute,))
        filled["seconds"] = self.seconds or (tuple(range(60)) if unit <= 1 else (origin.second,))
        return msgspec.structs.replace(self, **filled)

    def walls(self, origin: datetime, start: datetime) -> Iterator[datetime]:
        """Yield the local times that the rule names, from `start` on, in order.

        Args:
            origin: Its first time: what it counts from, and what it takes the rest from. `until` has to be local.
            start: Where to begin.
        """
        rule = self.begun(origin)
        begin = origin if rule.count else max(origin, start)
        if rule.until is not None and begin > rule.until:
            return
        named = 0
        in_vain = 0
        for found in rule._subday_sets(origin, begin) if rule.frequency in UNITS else rule._day_sets(origin, begin):
            in_vain += 1
            if in_vain > MOST_IN_VAIN:
                return
            for wall in rule._chosen(found):
                if wall < origin:
                    continue
                if (rule.until is not None and wall > rule.until) or (rule.count and named >= rule.count):
                    return
                named += 1
                in_vain = 0
                if wall >= start:
                    yield wall
            if rule.until is not None and found and found[0] > rule.until:
                return

    def _chosen(self, found: list[datetime]) -> list[datetime]:
        """Those of the times of one period that `BYSETPOS` takes."""
        if not self.positions:
            return found
        size = len(found)
        taken = {at - 1 if at > 0 else size + at for at in self.positions if 1 <= abs(at) <= size}
        return [found[at] for at in sorted(taken)]

    def _day_sets(self, origin: datetime, begin: datetime) -> Iterator[list[datetime]]:
        """The times of each period of a day or more; single days as empty sets, so that they are counted."""
        for days in self._periods(origin.date(), begin.date()):
            # Positions count among all times of a period, those before the beginning too.
            found = [day for day in days if (self.positions or day >= begin.date()) and self.fits(day)]
            for _ in range(len(days) - 1):
                yield []
            yield [
                datetime(day.year, day.month, day.day, *time)
                for day in found
                for time in product(self.hours, self.minutes, self.seconds)
            ]

    def _periods(self, origin: date, begin: date) -> Iterator[list[date]]:
        """The days of each period, from that of `begin` on."""
        step = self.interval
        if self.frequency == "YEARLY":
            for year in range(origin.year + (begin.year - origin.year) // step * step, 9999, step):
                yield [day for month in sorted(self.months) or range(1, 13) for day in _month(year, month)]
        elif self.frequency == "MONTHLY":
            first = origin.year * 12 + origin.month - 1
            behind = begin.year * 12 + begin.month - 1 - first
            for number in range(first + behind // step * step, 9999 * 12, step):
                month = number % 12 + 1
                yield _month(number // 12, month) if not self.months or month in self.months else []
        else:
            length = 7 if self.frequency == "WEEKLY" else 1
            start = origin - _DAY * ((origin.weekday() - self.week_start) % 7) if length == 7 else origin
            step *= length
            for number in range(start.toordinal() + (begin - start).days // step * step, _LAST_DAY, step):
                yield [date.fromordinal(number + day) for day in range(length)]

    def _subday_sets(self, origin: datetime, begin: datetime) -> Iterator[list[datetime]]:
        """The times of each hour, minute or second that is counted, of the days that fit."""
        unit = UNITS[self.frequency]
        started = _seconds_of_day(origin) // unit
        for number in count(begin.toordinal()):
            if number >= _LAST_DAY:
                return
            day = date.fromordinal(number)
            # How many units after that of the first time this day begins.
            behind = (number - origin.toordinal()) * (86400 // unit) - started
            at_least = _seconds_of_day(begin) // unit if number == begin.toordinal() else 0
            yield []
            if -behind % self.interval < 86400 // unit and self.fits(day):
                yield from self._units(day, unit, behind, at_least)

    def _units(self, day: date, unit: int, behind: int, at_least: int) -> Iterator[list[datetime]]:
        """The times of each unit of a day; what does not count is an empty set."""
        midnight = datetime(day.year, day.month, day.day)
        for index in self._looked_at(unit, behind, at_least):
            hour, minute, second = index * unit // 3600, index * unit // 60 % 60, index * unit % 60
            allowed = (
                hour in self.hours and (unit > 60 or minute in self.minutes) and (unit > 1 or second in self.seconds)
            )
            if allowed and (index + behind) % self.interval == 0:
                minutes = self.minutes if unit > 60 else (minute,)
                seconds = self.seconds if unit > 1 else (second,)
                yield [midnight.replace(hour=hour, minute=at, second=to) for at, to in product(minutes, seconds)]
            else:
                yield []

    def _looked_at(self, unit: int, behind: int, at_least: int) -> Iterator[int]:
        """Units of a day, with all that count among them: those of the interval or those allowed, the fewer of both."""
        allowed = [self.hours, *([self.minutes] if unit <= 60 else []), *([self.seconds] if unit <= 1 else [])]
        if prod(map(len, allowed)) < 86400 // unit // self.interval:
            for values in product(*allowed):
                index = sum(value * size // unit for value, size in zip(values, (3600, 60, 1), strict=False))
                if index >= at_least:
                    yield index
        else:
            yield from range(at_least + -(behind + at_least) % self.interval, 86400 // unit, self.interval)

    def fits(self, day: date) -> bool:
        """Say whether the rule allows a day, wherever in its periods that lies."""
        if self.months and day.month not in self.months:
            return False
        length = monthrange(day.year, day.month)[1]
        if self.month_days and day.day not in self.month_days and day.day - length - 1 not in self.month_days:
            return False
        if self.weekdays and not self._fits_weekday(day, length):
            return False
        if self.year_days:
            number, days = _day_of_year(day), 366 if isleap(day.year) else 365
            if number not in self.year_days and number - days - 1 not in self.year_days:
                return False
        return not self.week_numbers or not self.week_numbers.isdisjoint(self._week_numbers(day))

    def _fits_weekday(self, day: date, length: int) -> bool:
        weekday = day.weekday()
        if (weekday, 0) in self.weekdays:
            return True
        number = day.day
        if self.frequency == "YEARLY" and not self.months:
            number, length = _day_of_year(day), 366 if isleap(day.year) else 365
        nth, from_end = (number + 6) // 7, -((length - number) // 7 + 1)
        return (weekday, nth) in self.weekdays or (weekday, from_end) in self.weekdays

    def _week_numbers(self, day: date) -> tuple[int, int]:
        """The number of the week of a day, from the beginning and from the end of the year whose week it is."""
        # The year of a week is that of its fourth day.
        fourth = day - _DAY * ((day.weekday() - self.week_start) % 7) + 3 * _DAY
        number = (_day_of_year(fourth) + 6) // 7
        weeks = (_day_of_year(_last_fourth(fourth.year, self.week_start)) + 6) // 7
        return number, number - weeks - 1


def _last_fourth(year: int, week_start: int) -> date:
    """The fourth day of the last week of a year."""
    last = date(year, 12, 31)
    return last - _DAY * ((last.weekday() - week_start - 3) % 7)


def _day_of_year(day: date) -> int:
    return day.toordinal() - date(day.year, 1, 1).toordinal() + 1


def _month(year: int, month: int) -> list[date]:
    return [date(year, month, day + 1) for day in range(monthrange(year, month)[1])]


def _seconds_of_day(wall: datetime) -> int:
    return wall.hour * 3600 + wall.minute * 60 + wall.second


#: As a number of a day: no rule names days from here on.
_LAST_DAY = date(9999, 1, 1).toordinal()
