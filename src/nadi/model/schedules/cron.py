"""Cron lines: what they say, and the local times that they name. Arithmetic on calendars; zones come in elsewhere.

A line has five fields, or six with seconds in front: [second] minute, hour, day of the month, month, day of the week.
A field is `*`, or a list of numbers, ranges (`9-17`) and steps (`*/5`, `9-17/2`, `5/10`). Months and days of the week
have English names of three letters; Sunday is 0 or 7. Days of the month know `L` (the last), `L-2` (two days before
it) and `LW` (the last Monday to Friday); days of the week know `fri#3` (the third) and `friL` (the last of the month).
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, datetime

import msgspec

from nadi.exceptions import DefinitionError
from nadi.model.text import safe_repr

#: After so many years dates fall on the same days of the week again.
_CYCLE = 400

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")

_SHORT = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


class _Field(msgspec.Struct, frozen=True):
    """What one field may say."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    @property
    def last(self) -> int:
        """The last value that counts as another one: Sunday is 0 as well as 7."""
        return 6 if self.high == 7 else self.high

    @property
    def span(self) -> str:
        named = f" or {self.names[0]} to {self.names[-1]}" if self.names else ""
        return f"{self.low} to {self.high}{named}"


_SECOND = _Field("second", 0, 59)
_MINUTE = _Field("minute", 0, 59)
_HOUR = _Field("hour", 0, 23)
_DAY = _Field("day of the month", 1, 31)
_MONTH = _Field("month", 1, 12, _MONTHS)
_WEEKDAY = _Field("day of the week", 0, 7, _DAYS)


class CronFields(msgspec.Struct, frozen=True, kw_only=True):
    """A cron line that was read: which values each field allows, in order."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: tuple[int, ...]
    #: Days of the month: 1 to 31, and 0 for the last, -1 for the one before it, and so on.
    days: frozenset[int]
    #: Whether `LW` is among them.
    last_workday: bool
    #: Days of the week, 0 for Sunday.
    weekdays: frozenset[int]
    #: Pairs of a day of the week and which of the month's it is: 1 to 5, or -1 for the last.
    nth_weekdays: frozenset[tuple[int, int]]
    #: Whether a day needs to fit one of the two fields of days only.
    either: bool
    #: Whether the hours are left open: `*`, `*/2`, or all 24. Such a line follows the clock.
    open_hours: bool

    def walls(self, start: datetime) -> Iterator[datetime]:
        """Yield the local times that the line names, from `start` on, in order; without end, or none at all."""
        for day in self._days(start.date()):
            first = start if day == start.date() else datetime(day.year, day.month, day.day)
            for hour in self.hours:
                if hour < first.hour:
                    continue
                for minute in self.minutes:
                    if (hour, minute) < (first.hour, first.minute):
                        continue
                    for second in self.seconds:
                        wall = datetime(day.year, day.month, day.day, hour, minute, second)
                        if wall >= first:
                            yield wall

    def fires_on(self, day: date) -> bool:
        """Say whether the line names any time of a day."""
        return day.month in self.months and day.day in self._days_of(day.year, day.month)

    def _days(self, start: date) -> Iterator[date]:
        year, month, found = start.year, start.month, start.year
        # A line that names no day within a whole cycle of the calendar never will.
        while year < min(9999, found + _CYCLE + 1):
            if month in self.months:
                for day in self._days_of(year, month):
                    if (year, month, day) >= (start.year, start.month, start.day):
                        found = year
                        yield date(year, month, day)
            year, month = (year, month + 1) if month < 12 else (year + 1, 1)

    def _days_of(self, year: int, month: int) -> list[int]:
        weekday, length = monthrange(year, month)
        sunday_first = (weekday + 1) % 7  # the day of the week of the 1st
        found = []
        for day in range(1, length + 1):
            day_of_week = (sunday_first + day - 1) % 7
            by_date = day in self.days or day - length in self.days or (self.last_workday and _is_lw(day, year, month))
            by_weekday = (
                day_of_week in self.weekdays
                or (day_of_week, (day + 6) // 7) in self.nth_weekdays
                or (day + 7 > length and (day_of_week, -1) in self.nth_weekdays)
            )
            if (by_date or by_weekday) if self.either else (by_date and by_weekday):
                found.append(day)
        return found


def _is_lw(day: int, year: int, month: int) -> bool:
    """Whether a day is the last Monday to Friday of its month."""
    length = monthrange(year, month)[1]
    return day == length - max(0, date(year, month, length).weekday() - 4)


def parse_cron(line: str, *, day_or: bool = True) -> CronFields:
    """Read a cron line.

    Args:
        line: Five fields, six with seconds in front, or a name such as `@daily`.
        day_or: Where both fields of days are restricted: whether a day that fits one of them is enough, as cron has
            it. A field that begins with `*` restricts nothing in this sense: `*/2` and a day of the week must both fit.

    Raises:
        DefinitionError: a field says what cannot be, or the line never fires; the sentence names the field.
    """
    if not isinstance(line, str):
        raise DefinitionError(f"A cron line is text such as '0 6 * * *', not {safe_repr(line, 60)}.")
    texts = _SHORT.get(line.strip().lower(), line).split()
    if len(texts) not in (5, 6):
        raise DefinitionError(
            f"{safe_repr(line, 100)} is no cron line: it has {len(texts)} fields; expected minute, hour, day of the"
            " month, month and day of the week, or six with seconds in front."
        )
    try:
        found = _read(["0", *texts][-6:], day_or)
    except DefinitionError as error:
        raise DefinitionError(f"{safe_repr(line, 100)} is no cron line: {error}") from None
    if next(found.walls(datetime(2000, 1, 1)), None) is None:
        raise DefinitionError(f"{safe_repr(line, 100)} never fires: no date there is fits its days and months.")
    return found


def _read(texts: list[str], day_or: bool) -> CronFields:
    second, minute, hour, day, month, weekday = (text.lower() for text in texts)
    days, last_workday = _read_days(day)
    weekdays, nth_weekdays = _read_weekdays(weekday)
    hours = _values(hour, _HOUR)
    return CronFields(
        seconds=tuple(sorted(_values(second, _SECOND))),
        minutes=tuple(sorted(_values(minute, _MINUTE))),
        hours=tuple(sorted(hours)),
        months=tuple(sorted(_values(month, _MONTH))),
        days=days,
        last_workday=last_workday,
        weekdays=weekdays,
        nth_weekdays=nth_weekdays,
        either=day_or and day[0] not in "*?" and weekday[0] not in "*?",
        open_hours=hour.startswith("*") or len(hours) == 24,
    )


def _read_days(text: str) -> tuple[frozenset[int], bool]:
    found: set[int] = set()
    workday = False
    for part in ("*" if text == "?" else text).split(","):
        if part == "lw":
            workday = True
        elif part == "l":
            found.add(0)
        elif part.startswith("l-"):
            back = _number(part[2:], _Field("day of the month", 1, 30))
            found.add(-back)
        else:
            found |= _values(part, _DAY)
    return frozenset(found), workday


def _read_weekdays(text: str) -> tuple[frozenset[int], frozenset[tuple[int, int]]]:
    found: set[int] = set()
    nth: set[tuple[int, int]] = set()
    for part in ("*" if text == "?" else text).split(","):
        day, number, which = part.partition("#")
        if number:
            nth.add((_number(day, _WEEKDAY) % 7, _number(which, _Field("number after '#'", 1, 5))))
        elif part.endswith("l") and part != "l":
            nth.add((_number(part[:-1], _WEEKDAY) % 7, -1))
        else:
            found |= {value % 7 for value in _values(part, _WEEKDAY)}
    return frozenset(found), frozenset(nth)


def _values(text: str, field: _Field) -> set[int]:
    """The values that a field allows."""
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step_text = part.partition("/")
        low, high = _range(span, field, open_end=bool(slash))
        found.update(range(low, high + 1, _step(step_text, field) if slash else 1))
    return found


def _range(text: str, field: _Field, *, open_end: bool) -> tuple[int, int]:
    if text == "*":
        return field.low, field.last
    first, dash, second = text.partition("-")
    low = _number(first, field)
    if not dash:
        return low, max(low, field.last) if open_end else low
    high = _number(second, field)
    if field is _WEEKDAY and high == 0 < low:
        high = 7
    if high < low:
        raise DefinitionError(
            f"the {field.name} {text!r} runs backwards; write two ranges, such as '22-23,0-2' for hours."
        )
    return low, high


def _step(text: str, field: _Field) -> int:
    most = field.last - field.low + 1
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= most):
        raise DefinitionError(
            f"the step '/{text}' of the {field.name} cannot be; expected 1 to {most}."
            " An interval, such as 'every 90 minutes', can be longer."
        )
    return int(text)


def _number(text: str, field: _Field) -> int:
    if text in field.names:
        return field.names.index(text) + (field.low if field is _MONTH else 0)
    if text.isascii() and text.isdigit() and len(text) < 4 and field.low <= int(text) <= field.high:
        return int(text)
    raise DefinitionError(f"the {field.name} {text!r} cannot be; expected {field.span}.")
