"""Schedules in words, as people read them in a list."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time

from nadi.model.schedules.adjustments import Adjustment, Shift, ToBusinessDay
from nadi.model.schedules.cron import CronFields
from nadi.model.schedules.filters import (
    AllOf,
    AnyOf,
    BusinessDays,
    DateRange,
    Filter,
    Fires,
    MonthDays,
    Not,
    OnDates,
    Period,
    TimesOfDay,
    Weekdays,
    YearDays,
)
from nadi.model.schedules.rules import (
    WEEKDAYS,
    CronRule,
    DailyRule,
    DatesRule,
    HourlyRule,
    IntervalRule,
    RecurrenceRule,
    Rule,
    WeeklyRule,
)
from nadi.model.schedules.schedule import Schedule
from nadi.model.text import human_duration, one_line, plural, shorten

_DAYS = {
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

#: The most items of a list that are named.
_NAMED = 4


def describe(schedule: Schedule) -> str:
    """Return a schedule in one line: `every day at 06:00 Europe/Berlin, only on business days, until 2027-01-01`.

    A cron line or recurrence rule that has no short form is shown as it stands.
    """
    parts = [f"{describe_rule(schedule.rule)} {schedule.timezone}"]
    parts += [_filter(one) for one in schedule.filters]
    parts += [_adjustment(one) for one in schedule.adjustments]
    parts += [f"from {_moment(schedule.start)}"] if schedule.start is not None else []
    parts += [f"until {_moment(schedule.end)}"] if schedule.end is not None else []
    parts += [f"with up to {human_duration(schedule.jitter)} jitter"] if schedule.jitter else []
    return ", ".join(parts) + ("" if schedule.active else " (paused)")


def describe_rule(rule: Rule) -> str:
    """Return a rule in words, without its zone."""
    match rule:
        case IntervalRule(seconds=seconds, anchor=anchor):
            counted = f", counted from {_moment(anchor)}" if anchor is not None else ""
            return f"every {_interval(seconds)}{counted}"
        case CronRule(line=line):
            return _cron(rule.fields, line) or f"cron {shorten(one_line(line), 80)}"
        case RecurrenceRule(text=text):
            return f"rrule {shorten(one_line(' '.join(text.split())), 80)}"
        case DatesRule(dates=dates):
            return f"at {_listed(_moment(one) for one in dates)}"
        case HourlyRule(minutes=minutes):
            return _hourly(minutes)
        case DailyRule(at=at):
            return f"every day at {_times(at)}"
        case WeeklyRule(on=on, at=at):
            return f"{_weekdays(on)} at {_times(at)}"


def _interval(seconds: float) -> str:
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds % size == 0:
            return unit if seconds == size else plural(int(seconds // size), unit)
    return human_duration(seconds)


def _hourly(minutes: tuple[int, ...]) -> str:
    return "every hour" if minutes == (0,) else f"every hour at minute {_and(map(str, minutes))}"


def _cron(fields: CronFields, line: str) -> str:
    """A cron line in words, or nothing where that would be longer than the line."""
    every_month, every_date, every_weekday = len(fields.months) == 12, len(fields.days) >= 31, len(fields.weekdays) == 7
    if fields.seconds != (0,) or not every_month or fields.nth_weekdays or fields.last_workday:
        return ""
    if len(fields.hours) == 24 and every_date and every_weekday:
        step = 60 // len(fields.minutes)
        if fields.minutes == tuple(range(0, 60, step)) and len(fields.minutes) > 1:
            return "every minute" if step == 1 else f"every {step} minutes"
        return _hourly(fields.minutes) if len(fields.minutes) <= _NAMED else ""
    if len(fields.hours) * len(fields.minutes) > _NAMED:
        return ""
    at = _times(time(hour, minute) for hour in fields.hours for minute in fields.minutes)
    if every_date:
        # The numbers of cron begin with Sunday.
        return f"{_weekdays(day for number, day in enumerate(WEEKDAYS) if (number + 1) % 7 in fields.weekdays)} at {at}"
    if every_weekday and len(fields.days) <= _NAMED:
        numbers = sorted(fields.days, key=lambda day: day if day > 0 else 100 + day)
        if all(number >= 0 for number in numbers):
            days = _and(str(number) if number else "the last" for number in numbers)
            return f"on day {days} of every month at {at}".replace("day the last of", "the last day of")
    return ""


def _weekdays(days: Iterable[str]) -> str:
    found = tuple(days)
    numbers = [WEEKDAYS.index(day) for day in found]
    if len(found) == 7:
        return "every day"
    if len(found) > 2 and numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"every {_DAYS[found[0]]} to {_DAYS[found[-1]]}"
    return f"every {_and(_DAYS[day] for day in found)}"


def _filter(one: Filter) -> str:
    return f"not {_named(one.filter)}" if isinstance(one, Not) else f"only {_named(one)}"


def _named(one: Filter) -> str:
    match one:
        case BusinessDays(holidays=holidays, nth=nth):
            but = f" other than {plural(len(holidays), 'holiday')}" if holidays else ""
            return f"on business day {_and(map(str, nth))} of the month{but}" if nth else f"on business days{but}"
        case Weekdays(days=days):
            return f"on {_weekdays(days).removeprefix('every ')}"
        case MonthDays(days=days):
            return f"on day {_and('last' if day == -1 else str(day) for day in days)} of the month"
        case YearDays(first=first, last=last):
            return f"on {_year_day(first)}" + ("" if first == last else f" to {_year_day(last)}")
        case OnDates(dates=dates):
            return f"on {_listed(str(day) for day in dates)}"
        case DateRange(first=start, last=end):
            return _between("on days", start, end)
        case Period(first=start, last=end):
            return _between("at times", start, end)
        case TimesOfDay(first=begin, last=finish):
            same = begin == finish
            return f"at {_time(begin)}" if same else f"between {_time(begin)} and {_time(finish)}"
        case Fires(rule=rule, whole_days=whole):
            return f"{'on days' if whole else 'when it is'} {describe_rule(rule)}"
        case Not(filter=inner):
            return f"not {_named(inner)}"
        case AnyOf(filters=filters):
            return " or ".join(map(_named, filters)) or "never"
        case AllOf(filters=filters):
            return " and ".join(map(_named, filters)) or "always"


def _adjustment(one: Adjustment) -> str:
    match one:
        case Shift(seconds=seconds):
            return f"{human_duration(abs(seconds))} {'earlier' if seconds < 0 else 'later'}"
        case ToBusinessDay():
            return "moved to the next business day"


def _between(what: str, start: date | None, end: date | None) -> str:
    told = [f"from {_moment(start)}"] if start is not None else []
    told += [f"to {_moment(end)}"] if end is not None else []
    return " ".join([what, *told])


def _year_day(day: tuple[int, int]) -> str:
    return f"{day[1]} {_MONTHS[day[0] - 1]}"


def _moment(moment: date) -> str:
    """A date, or a time as short as it can be said."""
    if not isinstance(moment, datetime):
        return str(moment)
    return moment.isoformat(sep=" ", timespec="auto" if moment.microsecond or moment.second else "minutes")


def _times(times: Iterable[time]) -> str:
    found = tuple(times)
    return _and(map(_time, found)) if len(found) <= _NAMED else f"{len(found)} times from {_time(found[0])}"


def _time(at: time) -> str:
    return at.isoformat(timespec="auto" if at.microsecond or at.second else "minutes")


def _listed(items: Iterable[str]) -> str:
    found = tuple(items)
    more = f" and {len(found) - _NAMED + 1} more" if len(found) > _NAMED else ""
    return ", ".join(found[: _NAMED - 1]) + more if more else _and(found)


def _and(items: Iterable[str]) -> str:
    found = tuple(items)
    return found[0] if len(found) == 1 else ", ".join(found[:-1]) + f" and {found[-1]}" if found else "none"
