"""Schedules of declared flows: when `flow.run()` runs, made of clocks, filters and adjustments."""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from operator import itemgetter
from typing import Any

import msgspec

from nadi.declarative import adjustments, clocks, filters
from nadi.declarative.adjustments import Adjustment, adjustment_value
from nadi.declarative.clocks import Clock, ClockEvent, CronClock, IntervalClock, RRuleClock, aware
from nadi.declarative.filters import Filter, filter_value
from nadi.engine.recording import clock as engine_clock
from nadi.exceptions import DefinitionError
from nadi.model.runs import when
from nadi.model.schedules import AllOf, AnyOf, Fires, Not, Period
from nadi.model.schedules import Filter as FilterValue
from nadi.model.schedules import Schedule as ScheduleValue
from nadi.model.schedules.schedule import MOST_REFUSED


class Schedule:
    """The times of clocks that pass the filters, moved by the adjustments."""

    def __init__(
        self,
        clocks: Iterable[Clock],
        filters: Iterable[Filter] | None = None,
        or_filters: Iterable[Filter] | None = None,
        not_filters: Iterable[Filter] | None = None,
        adjustments: Iterable[Adjustment] | None = None,
    ) -> None:
        """Describe the schedule.

        Args:
            clocks: Where the times come from; a time that several give counts once, as the first has it.
            filters: All of them must let a time pass.
            or_filters: At least one of them must.
            not_filters: None of them may.
            adjustments: What moves the times that are left, one after the other.
        """
        self.clocks = list(clocks)
        self.filters = list(filters or ())
        self.or_filters = list(or_filters or ())
        self.not_filters = list(not_filters or ())
        self.adjustments = list(adjustments or ())
        if not all(isinstance(one, Clock) for one in self.clocks):
            raise DefinitionError("A Schedule is made of clocks, such as IntervalClock(timedelta(hours=1)).")

    def next(self, n: int, after: datetime | None = None, return_events: bool = False) -> list[Any]:
        """Return its next times, at most `n`.

        Args:
            n: How many.
            after: Later than which time; than now if not given.
            return_events: Return events, which have the parameters of their clock, instead of times.
        """
        events = islice(self.events(after if after is not None else _now()), n)
        return list(events) if return_events else [event.start_time for event in events]

    def events(self, after: datetime) -> Iterator[ClockEvent]:
        """Yield its events later than `after`, in order."""
        # In UTC: within one zone Python compares what clocks show, and those show some times twice.
        rows = [((one.start_time.astimezone(UTC), one) for one in clock.events(aware(after))) for clock in self.clocks]
        last: datetime | None = None
        refused = 0
        for at, event in heapq.merge(*rows, key=itemgetter(0)):
            if at == last:
                continue
            last = at
            if not self._passes(event.start_time):
                refused += 1
                if refused >= MOST_REFUSED:
                    return
                continue
            refused = 0
            moved = event.start_time
            for adjust in self.adjustments:
                moved = adjust(moved)
            yield msgspec.structs.replace(event, start_time=moved)

    def _passes(self, time: datetime) -> bool:
        return (
            all(one(time) for one in self.filters)
            and (not self.or_filters or any(one(time) for one in self.or_filters))
            and not any(one(time) for one in self.not_filters)
        )

    def as_schedules(self) -> list[ScheduleValue]:
        """Return what it is as schedules that can be deployed, one for each clock.

        A time that an earlier clock gives is left out of the later ones, so that it counts once there as well;
        what only the adjustments move to one time fires once for each clock.

        Raises:
            DefinitionError: a clock, filter or adjustment is code and no value; the sentence says which.
        """
        passing: list[FilterValue] = [filter_value(one) for one in self.filters]
        if self.or_filters:
            passing.append(AnyOf(filters=tuple(filter_value(one) for one in self.or_filters)))
        passing += [Not(filter=filter_value(one)) for one in self.not_filters]
        adjustments = tuple(adjustment_value(one) for one in self.adjustments)
        found: list[ScheduleValue] = []
        for value in [clock.as_schedule() for clock in self.clocks]:
            filters = (*passing, *(Not(filter=_times_of(earlier)) for earlier in found))
            named = {"name": f"clock-{len(found) + 1}"} if len(self.clocks) > 1 else {}
            found.append(msgspec.structs.replace(value, filters=filters, adjustments=adjustments, **named))
        return found

    def as_they_come(self) -> Iterator[ClockEvent]:
        """Wait for each time and yield its event then; times that passed while its flow ran are left out."""
        while True:
            event = next(self.events(_now()), None)
            if event is None:
                return
            left = event.start_time.timestamp() - engine_clock.now()
            if left > 0:
                time.sleep(left)
            yield event


def _times_of(schedule: ScheduleValue) -> FilterValue:
    fires = Fires(rule=schedule.rule, timezone=schedule.timezone)
    return AllOf(filters=(fires, Period(first=schedule.start, last=schedule.end)))


def _now() -> datetime:
    found = when(engine_clock.now())
    assert found is not None
    return found


def IntervalSchedule(
    start_date: datetime | None = None, interval: timedelta | None = None, end_date: datetime | None = None
) -> Schedule:
    """Return the schedule of an interval."""
    if interval is None:
        raise DefinitionError("An IntervalSchedule needs an interval, such as timedelta(hours=1).")
    return Schedule([IntervalClock(interval, start_date, end_date=end_date)])


def CronSchedule(
    cron: str, start_date: datetime | None = None, end_date: datetime | None = None, day_or: bool = True
) -> Schedule:
    """Return the schedule of a cron line."""
    return Schedule([CronClock(cron, start_date, day_or, end_date=end_date)])


def RRuleSchedule(rrule_obj: Any, start_date: datetime | None = None, end_date: datetime | None = None) -> Schedule:
    """Return the schedule of a recurrence rule of dateutil."""
    return Schedule([RRuleClock(rrule_obj, start_date=start_date, end_date=end_date)])


__all__ = ["CronSchedule", "IntervalSchedule", "RRuleSchedule", "Schedule", "adjustments", "clocks", "filters"]
