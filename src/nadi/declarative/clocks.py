"""Clocks: endless or ended rows of times, of which schedules are made. Pure: the time comes in as a parameter.

Times without a zone are taken for UTC. Where the start of a clock has a zone, days are those of its local calendar:
every day at nine stays at nine when the clocks change. Cron lines need the extra: `pip install nadi[schedules]`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from nadi.exceptions import DefinitionError

_DAY = timedelta(days=1)


class ClockEvent(msgspec.Struct, frozen=True, order=True):
    """One time of a clock, with what the run of that time is given."""

    start_time: datetime
    parameter_defaults: Mapping[str, Any] = {}
    labels: tuple[str, ...] = ()


class Clock(ABC):
    """A row of times."""

    def __init__(
        self,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
        parameter_defaults: Mapping[str, Any] | None = None,
        labels: Iterable[str] | None = None,
    ) -> None:
        """Describe the clock.

        Args:
            start_date: The first time it may give.
            end_date: The last one.
            parameter_defaults: Parameters for the flow runs of its times.
            labels: Kept for whoever reads them.
        """
        self.start_date = aware(start_date) if start_date is not None else None
        self.end_date = aware(end_date) if end_date is not None else None
        self.parameter_defaults = dict(parameter_defaults or {})
        self.labels = tuple(labels or ())

    @abstractmethod
    def times(self, after: datetime) -> Iterator[datetime]:
        """Yield its times later than `after`, in order, whatever start and end say."""

    def events(self, after: datetime) -> Iterator[ClockEvent]:
        """Yield its events later than `after`, in order."""
        for time in self.times(aware(after)):
            if self.end_date is not None and time > self.end_date:
                return
            if self.start_date is None or time >= self.start_date:
                yield ClockEvent(time, self.parameter_defaults, self.labels)


class IntervalClock(Clock):
    """Every so often, from the start on."""

    def __init__(self, interval: timedelta, start_date: datetime | None = None, **more: Any) -> None:
        """Describe the clock.

        Args:
            interval: How often; whole days count in the calendar of the start's zone.
            start_date: From when on; without one, from the beginning of 2020 in UTC.
            more: What every clock takes.
        """
        if not isinstance(interval, timedelta) or interval <= timedelta(0):
            raise DefinitionError(f"An IntervalClock needs an interval greater than 0, not {interval!r}.")
        super().__init__(start_date, **more)
        self.interval = interval

    def times(self, after: datetime) -> Iterator[datetime]:
        start = self.start_date or datetime(2020, 1, 1, tzinfo=UTC)
        if self.interval % _DAY:
            count = max(0, (after - start) // self.interval + 1)
            while True:
                yield (start.astimezone(UTC) + count * self.interval).astimezone(start.tzinfo)
                count += 1
        # Arithmetic of Python within one zone is that of its local calendar.
        count = max(0, (after - start) // self.interval - 1)
        while True:
            time = start + count * self.interval
            if time > after:
                yield time
            count += 1


class CronClock(Clock):
    """The times of a cron line, in the zone of the start."""

    def __init__(self, cron: str, start_date: datetime | None = None, day_or: bool = True, **more: Any) -> None:
        """Describe the clock.

        Args:
            cron: Minute, hour, day of the month, month, day of the week.
            start_date: From when on, and in which zone.
            day_or: Where both kinds of day are restricted: whether one of the two is enough, as cron has it.
            more: What every clock takes.
        """
        super().__init__(start_date, **more)
        self.cron = cron
        self.day_or = day_or
        _cron(cron, datetime(2020, 1, 1, tzinfo=UTC))

    def times(self, after: datetime) -> Iterator[datetime]:
        zone = self.start_date.tzinfo if self.start_date is not None else UTC
        begin = max(after, self.start_date - timedelta(minutes=1)) if self.start_date is not None else after
        local = begin.astimezone(zone)
        if self.day_or:
            yield from _cron(self.cron, local)
            return
        minute, hour, day, month, weekday = self.cron.split()
        for time in _cron(f"{minute} {hour} {day} {month} *", local):
            if next(_cron(f"* * * * {weekday}", time - timedelta(minutes=1))) == time:
                yield time


def _cron(line: str, after: datetime) -> Iterator[datetime]:
    # The one place that needs the library.
    try:
        from cronsim import CronSim, CronSimError
    except ImportError:
        raise DefinitionError("Cron lines need one more library: pip install nadi[schedules].") from None
    try:
        times: Iterator[datetime] = CronSim(line, after)
    except CronSimError as error:
        raise DefinitionError(f"{line!r} is no cron line: {error}.") from None
    return times


class DatesClock(Clock):
    """Some times, one by one."""

    def __init__(self, dates: Iterable[datetime], **more: Any) -> None:
        """Describe the clock by its times, in any order."""
        super().__init__(**more)
        self.dates = sorted(aware(date) for date in dates)

    def times(self, after: datetime) -> Iterator[datetime]:
        return (date for date in self.dates if date > after)


class RRuleClock(Clock):
    """The times of a recurrence rule: an `rrule` or `rruleset` of dateutil."""

    def __init__(self, rrule_obj: Any, **more: Any) -> None:
        """Describe the clock by its rule; times of the rule that have no zone are UTC."""
        if not hasattr(rrule_obj, "xafter"):
            raise DefinitionError(f"An RRuleClock needs a rule of dateutil.rrule, not {rrule_obj!r}.")
        super().__init__(**more)
        self.rrule_obj = rrule_obj

    def times(self, after: datetime) -> Iterator[datetime]:
        begin = after
        try:
            next(iter(self.rrule_obj.xafter(begin)), None)
        except TypeError:  # the times of the rule have no zone, and cannot be compared with one that has
            begin = after.astimezone(UTC).replace(tzinfo=None)
        for time in self.rrule_obj.xafter(begin):
            yield aware(time)


def aware(time: datetime) -> datetime:
    """Return a time with a zone: UTC where it has none."""
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


__all__ = ["Clock", "ClockEvent", "CronClock", "DatesClock", "IntervalClock", "RRuleClock"]
