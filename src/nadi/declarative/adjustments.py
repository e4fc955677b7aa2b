"""Adjustments of schedules: functions that move a time which has passed the filters."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

#: What an adjustment is.
Adjustment = Callable[[datetime], datetime]


def add(interval: timedelta) -> Adjustment:
    """Move each time by so much."""
    return lambda found: found + interval


def next_weekday(dt: datetime) -> datetime:
    """Move a time on a Saturday or Sunday to the Monday after."""
    return dt + timedelta(days=7 - dt.weekday()) if dt.weekday() >= 5 else dt


__all__ = ["Adjustment", "add", "next_weekday"]
