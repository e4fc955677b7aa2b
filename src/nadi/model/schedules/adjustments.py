"""Adjustments: what moves the instants that have passed the filters. Values with one JSON form."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, tzinfo

import msgspec

from nadi.exceptions import DefinitionError
from nadi.model.schedules.zones import TICK
from nadi.model.text import safe_repr

_DAY = timedelta(days=1)

#: The most seconds by which instants are shifted.
FARTHEST = 366 * 86400.0


class _Adjustment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """What all adjustments share."""

    def move(self, at: datetime, zone: tzinfo) -> datetime:
        """Return where an instant is moved."""
        raise NotImplementedError

    def begin(self, after: datetime, zone: tzinfo) -> datetime:
        """Return an instant so early that all that is moved to later than `after` is later than it."""
        raise NotImplementedError

    @property
    def least(self) -> timedelta:
        """The least by which it moves anything."""
        return timedelta(0)


class Shift(_Adjustment, frozen=True, tag="shift"):
    """Move everything by some seconds; to earlier where they are negative."""

    seconds: float

    def __post_init__(self) -> None:
        seconds = self.seconds
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not abs(seconds) <= FARTHEST:
            raise DefinitionError(f"A shift is at most a year, in seconds, not {safe_repr(seconds, 60)}.")

    def move(self, at: datetime, zone: tzinfo) -> datetime:
        return at + timedelta(seconds=self.seconds)

    def begin(self, after: datetime, zone: tzinfo) -> datetime:
        return after - timedelta(seconds=self.seconds)

    @property
    def least(self) -> timedelta:
        return timedelta(seconds=self.seconds)


class ToBusinessDay(_Adjustment, frozen=True, tag="to_business_day"):
    """Move what falls on a Saturday, a Sunday or a holiday to the next day that is none, at the same local time."""

    holidays: tuple[date, ...] = ()

    def move(self, at: datetime, zone: tzinfo) -> datetime:
        local = at.astimezone(zone)
        day = local.date()
        while self._is_free(day):
            day += _DAY
        return at if day == local.date() else datetime.combine(day, local.time(), tzinfo=zone).astimezone(at.tzinfo)

    def begin(self, after: datetime, zone: tzinfo) -> datetime:
        day = after.astimezone(zone).date()
        while self._is_free(day - _DAY):
            day -= _DAY
        # A day more than needed, so that no change of the clocks at midnight matters.
        return datetime.combine(day - _DAY, time(0), tzinfo=zone).astimezone(after.tzinfo) - TICK

    def _is_free(self, day: date) -> bool:
        return day.weekday() >= 5 or day in self.holidays


#: Every kind of adjustment; JSON tells them apart by `kind`.
Adjustment = Shift | ToBusinessDay
