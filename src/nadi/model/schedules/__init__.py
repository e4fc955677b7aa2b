"""Schedules as values: rules, zones, filters, bounds, and what becomes of instants that passed.

`zones` has the rule for local times that clocks skip or repeat. Above it `cron` and `recurrence` (with
`recurrence_text`) read lines and name local times; `rules` are the kinds of rules, `filters` and `adjustments` what
narrows and moves them; `schedule` puts them together; `firing` decides what runs and what is missed; `parsing` and
`describing` turn text and tables into a schedule, and a schedule into words.
"""

from nadi.model.schedules.adjustments import Adjustment, Shift, ToBusinessDay
from nadi.model.schedules.describing import describe, describe_rule
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
from nadi.model.schedules.firing import Ticks, due, fire_at, jitter_of, newest_due, ticks_to_fire
from nadi.model.schedules.parsing import parse_schedule, schedule_from_json, schedule_to_json
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
from nadi.model.schedules.schedule import CatchUp, Overlap, Schedule
from nadi.model.schedules.zones import find_zone

__all__ = [
    "Adjustment",
    "AllOf",
    "AnyOf",
    "BusinessDays",
    "CatchUp",
    "CronRule",
    "DailyRule",
    "DateRange",
    "DatesRule",
    "Filter",
    "Fires",
    "HourlyRule",
    "IntervalRule",
    "MonthDays",
    "Not",
    "OnDates",
    "Overlap",
    "Period",
    "RecurrenceRule",
    "Rule",
    "Schedule",
    "Shift",
    "Ticks",
    "TimesOfDay",
    "ToBusinessDay",
    "WEEKDAYS",
    "WeeklyRule",
    "Weekdays",
    "YearDays",
    "describe",
    "describe_rule",
    "due",
    "find_zone",
    "fire_at",
    "jitter_of",
    "newest_due",
    "parse_schedule",
    "schedule_from_json",
    "schedule_to_json",
    "ticks_to_fire",
]
