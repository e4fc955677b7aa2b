"""Clocks: endless or ended rows of times, of which schedules are made. Pure: the time comes in as a parameter.

Times without a zone are taken for UTC. Where the start of a clock has a zone, days are those of its local calendar:
every day at nine stays at nine when the clocks change. When a rule fires is decided by `nadi.model.schedules`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import msgspec

from nadi.exceptions import DefinitionError
from nadi.model.schedules import CronRule, DatesRule, IntervalRule, RecurrenceRule, Rule
from nadi.model.schedules import Schedule as ScheduleValue
from nadi.model.schedules.rules import every
from nadi.model.schedules.zones import TICK


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

    @property
    def zone(self) -> tzinfo:
        """Whose local times it gives: the zone of its start."""
        return (self.start_date.tzinfo if self.start_date is not None else None) or UTC

    @abstractmethod
    def times(self, after: datetime) -> Iterator[datetime]:
        """Yield its times later than `after`, in order, whatever start and end say."""

    def rule(self) -> Rule:
        """Return what it is made of as a value.

        Raises:
            DefinitionError: it is no value, but code.
        """
        raise DefinitionError(f"{type(self).__name__} is no clock of nadi.declarative.clocks, and cannot be deployed.")

    def events(self, after: datetime) -> Iterator[ClockEvent]:
        """Yield its events later than `after`, in order."""
        begin = aware(after).astimezone(UTC)
        if self.start_date is not None:
            begin = max(begin, self.start_date.astimezone(UTC) - TICK)
        for time in self.times(begin):
            if self.end_date is not None and time.astimezone(UTC) > self.end_date.astimezone(UTC):
                return
            yield ClockEvent(time, self.parameter_defaults, self.labels)

    def as_schedule(self) -> ScheduleValue:
        """Return the clock as a schedule that can be deployed; labels are left out.

        Raises:
            DefinitionError: it is made of code, or its zone has no name; the sentence says which.
        """
        return ScheduleValue(
            rule=self.rule(),
            timezone=_zone_name(self.zone),
            start=self.start_date.astimezone(UTC) if self.start_date is not None else None,
            end=self.end_date.astimezone(UTC) if self.end_date is not None else None,
            parameters=dict(self.parameter_defaults),
        )


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
        begin = max(after.astimezone(UTC), start.astimezone(UTC) - TICK)
        return _local(every(self.interval, start, self.zone, begin), self.zone)

    def rule(self) -> Rule:
        anchor = self.start_date.astimezone(UTC) if self.start_date is not None else None
        return IntervalRule(seconds=self.interval.total_seconds(), anchor=anchor)


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
        self._rule = CronRule(line=cron, day_or=day_or)

    def times(self, after: datetime) -> Iterator[datetime]:
        return _local(self._rule.instants(self.zone, after), self.zone)

    def rule(self) -> Rule:
        return self._rule


class DatesClock(Clock):
    """Some times, one by one."""

    def __init__(self, dates: Iterable[datetime], **more: Any) -> None:
        """Describe the clock by its times, in any order."""
        super().__init__(**more)
        self.dates = sorted(aware(date) for date in dates)

    def times(self, after: datetime) -> Iterator[datetime]:
        return (date for date in self.dates if date > after)

    def rule(self) -> Rule:
        return DatesRule(dates=tuple(date.astimezone(UTC) for date in self.dates))


class RRuleClock(Clock):
    """The times of a recurrence rule: an `rrule` or `rruleset` of dateutil.

    A plain `rrule` is read as the text that it stands for; what has no text, such as an `rruleset`, is asked itself.
    """

    def __init__(self, rrule_obj: Any, **more: Any) -> None:
        """Describe the clock by its rule; times of the rule that have no zone are UTC."""
        if not hasattr(rrule_obj, "xafter"):
            raise DefinitionError(f"An RRuleClock needs a rule of dateutil.rrule, not {rrule_obj!r}.")
        super().__init__(**more)
        self.rrule_obj = rrule_obj
        first = next(iter(rrule_obj), None)
        self._zone = (first.tzinfo if first is not None else None) or UTC
        self._rule = _as_text(rrule_obj, first)

    @property
    def zone(self) -> tzinfo:
        return self._zone

    def times(self, after: datetime) -> Iterator[datetime]:
        if self._rule is not None:
            return _local(self._rule.instants(self.zone, after), self.zone)
        return self._asked(after)

    def _asked(self, after: datetime) -> Iterator[datetime]:
        begin = after
        try:
            next(iter(self.rrule_obj.xafter(begin)), None)
        except TypeError:  # the times of the rule have no zone, and cannot be compared with one that has
            begin = after.astimezone(UTC).replace(tzinfo=None)
        for time in self.rrule_obj.xafter(begin):
            yield aware(time)

    def rule(self) -> Rule:
        if self._rule is None:
            raise DefinitionError(
                "This rule of dateutil has no text that says the same, and cannot be deployed; write it as a line for"
                " nadi.schedules.RRule."
            )
        return self._rule


def _as_text(rrule_obj: Any, first: datetime | None) -> RecurrenceRule | None:
    """The rule as a text, where dateutil can write one that says the same."""
    if type(rrule_obj).__name__ != "rrule":
        return None
    text = str(rrule_obj)
    # The text leaves zones out, and that of UNTIL may be another than that of the start.
    if "UNTIL" in text and first is not None and first.tzinfo is not None:
        return None
    try:
        return RecurrenceRule(text=text)
    except DefinitionError:
        return None


def _local(instants: Iterator[datetime], zone: tzinfo) -> Iterator[datetime]:
    return (at.astimezone(zone) for at in instants)


def _zone_name(zone: tzinfo) -> str:
    name = "UTC" if zone is UTC else getattr(zone, "key", None)
    if not isinstance(name, str):
        raise DefinitionError(
            f"The zone {zone} of a clock has no IANA name; use ZoneInfo('Europe/Berlin') or the like."
        )
    return name


def aware(time: datetime) -> datetime:
    """Return a time with a zone: UTC where it has none."""
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


__all__ = ["Clock", "ClockEvent", "CronClock", "DatesClock", "IntervalClock", "RRuleClock"]
