"""Filters of schedules: functions of a time that say whether it counts."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import datetime, time

from nadi.declarative.clocks import aware

#: What a filter is.
Filter = Callable[[datetime], bool]


def on_datetime(dt: datetime) -> Filter:
    """Let one time pass."""
    return lambda found: aware(found) == aware(dt)


def on_date(month: int, day: int) -> Filter:
    """Let one day of each year pass."""
    return lambda found: (found.month, found.day) == (month, day)


def at_time(t: time) -> Filter:
    """Let one time of each day pass."""
    return lambda found: found.time() == t


def between_datetimes(start: datetime, end: datetime) -> Filter:
    """Let the times between two pass, both included."""
    return lambda found: aware(start) <= aware(found) <= aware(end)


def between_times(start: time, end: time) -> Filter:
    """Let the times of each day between two pass, both included; over midnight where the start is the later one."""

    def passes(found: datetime) -> bool:
        now = found.time()
        return start <= now <= end if start <= end else now >= start or now <= end

    return passes


def between_dates(start_month: int, start_day: int, end_month: int, end_day: int) -> Filter:
    """Let the days of each year between two pass, both included; over the new year where the start is the later one."""
    start, end = (start_month, start_day), (end_month, end_day)

    def passes(found: datetime) -> bool:
        now = (found.month, found.day)
        return start <= now <= end if start <= end else now >= start or now <= end

    return passes


def is_day_of_week(*days: int) -> Filter:
    """Let some days of the week pass: Monday is 0, Sunday 6."""
    return lambda found: found.weekday() in days


def is_weekday(dt: datetime) -> bool:
    """Let Monday to Friday pass."""
    return dt.weekday() < 5


def is_weekend(dt: datetime) -> bool:
    """Let Saturday and Sunday pass."""
    return dt.weekday() >= 5


def is_month_start(dt: datetime) -> bool:
    """Let the first day of each month pass."""
    return dt.day == 1


def is_month_end(dt: datetime) -> bool:
    """Let the last day of each month pass."""
    return dt.day == calendar.monthrange(dt.year, dt.month)[1]


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
