"""Schedules: when a deployment runs. `Cron("0 6 * * 1-5", timezone="Europe/Berlin")`, `daily(at="06:00")` and others.

Each gives a `Schedule`, a value. `schedule.next(3, after=datetime.now(UTC))` lists its next times.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, TypedDict, Unpack
from zoneinfo import ZoneInfo

from nadi.model.schedules import (
    Adjustment,
    AllOf,
    AnyOf,
    BusinessDays,
    CatchUp,
    DateRange,
    Filter,
    Fires,
    MonthDays,
    Not,
    OnDates,
    Overlap,
    Period,
    Schedule,
    Shift,
    TimesOfDay,
    ToBusinessDay,
    Weekdays,
    YearDays,
    describe,
    parse_schedule,
)


class MoreOptions(TypedDict, total=False):
    """What every schedule takes beside what Prefect's functions take; docs/reference/schedules.md describes each."""

    name: str | None
    business_days: bool | Sequence[int]
    holidays: Sequence[date | str]
    weekdays: str | Sequence[str]
    month_days: int | Sequence[int]
    between_times: Sequence[time | str]
    filters: Sequence[Filter]
    adjustments: Sequence[Adjustment]
    start: datetime | date | str | None
    end: datetime | date | str | None
    jitter: float | str | timedelta
    catch_up: CatchUp | str
    catch_up_limit: int
    grace: float | str | timedelta
    overlap: Overlap | str | None


class Options(MoreOptions, total=False):
    """What every schedule takes beside its rule."""

    timezone: str | None
    active: bool | None
    parameters: Mapping[str, Any] | None
    #: Prefect's word for `name`.
    slug: str | None


def Cron(
    cron: str,
    /,
    timezone: str | None = None,
    day_or: bool = True,
    active: bool | None = True,
    parameters: Mapping[str, Any] | None = None,
    slug: str | None = None,
    **more: Unpack[MoreOptions],
) -> Schedule:
    """Return the schedule of a cron line.

    Args:
        cron: Minute, hour, day of the month, month, day of the week; or six fields, with seconds in front.
        timezone: Whose local times the line names; UTC if not given.
        day_or: Where both fields of days are restricted: whether a day that fits one of them is enough.
        active: Whether it fires.
        parameters: Over those of the deployment.
        slug: The name of the schedule.
        more: What every schedule takes: `jitter`, `catch_up`, `filters` and so on.

    Raises:
        DefinitionError: the line cannot be read or never fires, or an option cannot be; the sentence says which.
    """
    shared = _shared(timezone, active, parameters, slug)
    return _schedule({"cron": cron, "day_or": day_or}, {**shared, **more})


def Interval(
    interval: timedelta | float | str,
    /,
    anchor_date: datetime | None = None,
    timezone: str | None = None,
    active: bool | None = True,
    parameters: Mapping[str, Any] | None = None,
    slug: str | None = None,
    **more: Unpack[MoreOptions],
) -> Schedule:
    """Return the schedule of an interval.

    Args:
        interval: How often: seconds, a timedelta, or text such as `15m`. Whole days count in the local calendar.
        anchor_date: One of its times, from which the others count to both sides; if not given, local midnight of
            1 January 2020.
        timezone: Whose local calendar; if not given, that of `anchor_date`, or UTC.
        active: Whether it fires.
        parameters: Over those of the deployment.
        slug: The name of the schedule.
        more: What every schedule takes.

    Raises:
        DefinitionError: the interval or an option cannot be; the sentence says which.
    """
    if timezone is None and anchor_date is not None and isinstance(anchor_date.tzinfo, ZoneInfo):
        timezone = anchor_date.tzinfo.key
    rule = {"interval": interval} if anchor_date is None else {"interval": interval, "anchor": anchor_date}
    return _schedule(rule, {**_shared(timezone, active, parameters, slug), **more})


def RRule(
    rrule: str,
    /,
    timezone: str | None = None,
    active: bool | None = True,
    parameters: Mapping[str, Any] | None = None,
    slug: str | None = None,
    **more: Unpack[MoreOptions],
) -> Schedule:
    """Return the schedule of a recurrence rule: `FREQ=...`, or lines with `DTSTART`, `RRULE`, `RDATE` and `EXDATE`.

    Args:
        rrule: The rule.
        timezone: Whose local times the rule names; if not given, the zone of `DTSTART;TZID=...`, or UTC.
        active: Whether it fires.
        parameters: Over those of the deployment.
        slug: The name of the schedule.
        more: What every schedule takes.

    Raises:
        DefinitionError: the rule cannot be read or never fires, or an option cannot be; the sentence says which.
    """
    return _schedule({"rrule": rrule}, {**_shared(timezone, active, parameters, slug), **more})


def _shared(
    timezone: str | None, active: bool | None, parameters: Mapping[str, Any] | None, slug: str | None
) -> Options:
    return {"timezone": timezone, "active": active, "parameters": parameters, "slug": slug}


def Dates(dates: Iterable[datetime | date | str], /, **options: Unpack[Options]) -> Schedule:
    """Return the schedule of some times, one by one; those without an offset are local times of `timezone`."""
    return _schedule({"dates": list(dates)}, options)


def daily(at: time | str | Sequence[time | str] = "00:00", **options: Unpack[Options]) -> Schedule:
    """Return the schedule that fires every day at one or several local times."""
    return _schedule({"daily": at}, options)


def hourly(minute: int | Sequence[int] = 0, **options: Unpack[Options]) -> Schedule:
    """Return the schedule that fires every hour at one or several minutes."""
    return _schedule({"hourly": minute}, options)


def weekly(
    on: str | Sequence[str], at: time | str | Sequence[time | str] = "00:00", **options: Unpack[Options]
) -> Schedule:
    """Return the schedule that fires on days of the week, such as `["mon", "thu"]`, at one or several local times."""
    return _schedule({"weekly": on, "at": at}, options)


def _schedule(rule: Mapping[str, Any], options: Options) -> Schedule:
    given: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    if slug := given.pop("slug", ""):
        given.setdefault("name", slug)
    return parse_schedule({**rule, **given})


__all__ = [
    "Adjustment",
    "AllOf",
    "AnyOf",
    "BusinessDays",
    "CatchUp",
    "Cron",
    "DateRange",
    "Dates",
    "Filter",
    "Fires",
    "Interval",
    "MonthDays",
    "MoreOptions",
    "Not",
    "OnDates",
    "Options",
    "Overlap",
    "Period",
    "RRule",
    "Schedule",
    "Shift",
    "TimesOfDay",
    "ToBusinessDay",
    "Weekdays",
    "YearDays",
    "daily",
    "describe",
    "hourly",
    "parse_schedule",
    "weekly",
]
