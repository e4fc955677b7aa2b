"""Adjustments of schedules: functions that move a time which has passed the filters."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec

from nadi.declarative.clocks import aware
from nadi.exceptions import DefinitionError
from nadi.model.schedules import Adjustment as AdjustmentValue
from nadi.model.schedules import Shift, ToBusinessDay

#: What an adjustment is.
Adjustment = Callable[[datetime], datetime]

_NEXT_WEEKDAY = ToBusinessDay()


class _Value(msgspec.Struct, frozen=True):
    """An adjustment as a function, and as the value that it is."""

    value: AdjustmentValue

    def __call__(self, found: datetime) -> datetime:
        return _move(self.value, found)


def add(interval: timedelta) -> Adjustment:
    """Move each time by so much time that passes, whatever clocks show."""
    return _Value(Shift(seconds=interval.total_seconds()))


def next_weekday(dt: datetime) -> datetime:
    """Move a time on a Saturday or Sunday to the Monday after."""
    return _move(_NEXT_WEEKDAY, dt)


def _move(value: AdjustmentValue, found: datetime) -> datetime:
    zone = aware(found).tzinfo or UTC
    moved = value.move(aware(found).astimezone(UTC), zone).astimezone(zone)
    return moved if found.tzinfo is not None else moved.replace(tzinfo=None)


def adjustment_value(adjustment: Adjustment) -> AdjustmentValue:
    """Return an adjustment as a value.

    Raises:
        DefinitionError: it was not made here, so that it is code and no value.
    """
    if isinstance(adjustment, _Value):
        return adjustment.value
    if adjustment is next_weekday:
        return _NEXT_WEEKDAY
    raise DefinitionError(
        f"The adjustment {adjustment!r} is code, and cannot be deployed; use those of nadi.declarative.adjustments."
    )


__all__ = ["Adjustment", "add", "next_weekday"]
