"""Filters of schedules: functions of a time that say whether it counts. Those made here are values, too."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time

import msgspec

from nadi.declarative.clocks import aware
from nadi.exceptions import DefinitionError
from nadi.model.schedules import WEEKDAYS, MonthDays, Period, TimesOfDay, Weekdays, YearDays
from nadi.model.schedules import Filter as FilterValue

#: What a filter is.
Filter = Callable[[datetime], bool]

_WEEKDAY = Weekdays(days=WEEKDAYS[:5])
_WEEKEND = Weekdays(days=WEEKDAYS[5:])
_MONTH_START = MonthDays(days=(1,))
_MONTH_END = MonthDays(days=(-1,))


class _Value(msgspec.Struct, frozen=True):
    """A filter as a function, and as the value that it is."""

    value: FilterValue

    def __call__(self, found: datetime) -> bool:
        return self.value.passes(aware(found))


def on_datetime(dt: datetime) -> Filter:
    """Let one time pass."""
    return between_datetimes(dt, dt)


def on_date(month: int, day: int) -> Filter:
    """Let one day of each year pass."""
    return between_dates(month, day, month, day)


def at_time(t: time) -> Filter:
    """Let one time of each day pass."""
    return between_times(t, t)


def between_datetimes(start: datetime, end: datetime) -> Filter:
    """Let the times between two pass, both included."""
    return _Value(Period(first=aware(start), last=aware(end)))


def between_times(start: time, end: time) -> Filter:
    """Let the times of each day between two pass, both included; over midnight where the start is the later one."""
    return _Value(TimesOfDay(first=start, last=end))


def between_dates(start_month: int, start_day: int, end_month: int, end_day: int) -> Filter:
    """Let the days of each year between two pass, both included; over the new year where the start is the later one."""
    return _Value(YearDays(first=(start_month, start_day), last=(end_month, end_day)))


def is_day_of_week(*days: int) -> Filter:
    """Let some days of the week pass: Monday is 0, Sunday 6."""
    return _Value(Weekdays(days=tuple(WEEKDAYS[day] if day in range(7) else str(day) for day in days)))


def is_weekday(dt: datetime) -> bool:
    """Let Monday to Friday pass."""
    return _WEEKDAY.passes(dt)


def is_weekend(dt: datetime) -> bool:
    """Let Saturday and Sunday pass."""
    return _WEEKEND.passes(dt)


def is_month_start(dt: datetime) -> bool:
    """Let the first day of each month pass."""
    return _MONTH_START.passes(dt)


def is_month_end(dt: datetime) -> bool:
    """Let the last day of each month pass."""
    return _MONTH_END.passes(dt)


_VALUES: dict[Filter, FilterValue] = {
    is_weekday: _WEEKDAY,
    is_weekend: _WEEKEND,
    is_month_start: _MONTH_START,
    is_month_end: _MONTH_END,
}


def filter_value(filter: Filter) -> FilterValue:
    """Return a filter as a value.

    Raises:
        DefinitionError: it was not made here, so that it is code and no value.
    """
    found = filter.value if isinstance(filter, _Value) else _VALUES.get(filter)
    if found is None:
        raise DefinitionError(
            f"The filter {filter!r} is code, and cannot be deployed; use those of nadi.declarative.filters."
        )
    return found


__all__ = [
    "Filter",
    "at_time",
    "between_dates",
    "between_datetimes",
    "between_times",
    "is_day_of_week",
    "is_month_end",
    "is_month_start",
    "is_weekday",
    "is_weekend",
    "on_date",
    "on_datetime",
]
