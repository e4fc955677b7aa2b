"""Schedules from text and tables, their JSON, and their descriptions."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import msgspec
import pytest

from nadi.exceptions import DefinitionError
from nadi.model.schedules import (
    AnyOf,
    BusinessDays,
    CatchUp,
    CronRule,
    DailyRule,
    DateRange,
    DatesRule,
    Fires,
    HourlyRule,
    IntervalRule,
    MonthDays,
    Not,
    OnDates,
    Overlap,
    RecurrenceRule,
    Rule,
    Schedule,
    Shift,
    TimesOfDay,
    ToBusinessDay,
    Weekdays,
    WeeklyRule,
    YearDays,
    describe,
    parse_schedule,
    schedule_from_json,
    schedule_to_json,
)

SIX = (time(6),)

SENTENCES: list[tuple[str, Rule, str]] = [
    ("0 6 * * *", CronRule(line="0 6 * * *"), "UTC"),
    ("*/10 0 6 * * mon/2 Europe/Berlin", CronRule(line="*/10 0 6 * * mon/2"), "Europe/Berlin"),
    ("@daily America/New_York", CronRule(line="@daily"), "America/New_York"),
    ("every 15 minutes", IntervalRule(seconds=900), "UTC"),
    ("every 1h30m", IntervalRule(seconds=5400), "UTC"),
    ("Every 2 days Asia/Kolkata", IntervalRule(seconds=172800), "Asia/Kolkata"),
    ("every minute", IntervalRule(seconds=60), "UTC"),
    ("every hour", HourlyRule(minutes=(0,)), "UTC"),
    ("hourly at :15", HourlyRule(minutes=(15,)), "UTC"),
    ("every hour at minutes 15 and 45", HourlyRule(minutes=(15, 45)), "UTC"),
    ("daily", DailyRule(at=(time(0),)), "UTC"),
    ("daily at 06:00", DailyRule(at=SIX), "UTC"),
    ("every day at 6:00 and 18:30 Europe/Berlin", DailyRule(at=(time(6), time(18, 30))), "Europe/Berlin"),
    ("weekly on mon, thu at 06:00", WeeklyRule(on=("mon", "thu"), at=SIX), "UTC"),
    ("every Monday at 06:00", WeeklyRule(on=("mon",), at=SIX), "UTC"),
    ("every Monday to Friday at 06:00", WeeklyRule(on=("mon", "tue", "wed", "thu", "fri"), at=SIX), "UTC"),
    ("every weekday at 06:00", WeeklyRule(on=("mon", "tue", "wed", "thu", "fri"), at=SIX), "UTC"),
    ("FREQ=WEEKLY;BYDAY=MO", RecurrenceRule(text="FREQ=WEEKLY;BYDAY=MO"), "UTC"),
]


@pytest.mark.parametrize(("text", "rule", "zone"), SENTENCES)
def test_a_sentence_is_a_rule_and_a_zone(text: str, rule: Rule, zone: str) -> None:
    assert parse_schedule(text) == Schedule(rule=rule, timezone=zone)


TABLE = """
cron = "0 6 * * 1-5"
day_or = false
timezone = "Europe/Berlin"
name = "mornings"
start = 2026-01-01
end = 2027-01-01T00:00:00Z
jitter = "5m"
active = false
parameters = { region = "eu", days = 3 }
business_days = true
holidays = [2026-12-25]
weekdays = "mon-thu"
month_days = [1, -1]
between_times = [06:00:00, 20:00:00]
except = ["2026-05-01", "2026-12-24..2027-01-01", { cron = "0 6 1 * *", whole_days = true }]
catch_up = "all"
catch_up_limit = 7
grace = "2m"
overlap = "cancel_running"
filters = [{ kind = "year_days", first = [3, 1], last = [10, 31] }]
adjustments = [{ kind = "to_business_day" }]
"""


def test_a_table_of_toml_can_say_all_of_it() -> None:
    found = parse_schedule(tomllib.loads(TABLE))

    assert found == Schedule(
        rule=CronRule(line="0 6 * * 1-5", day_or=False),
        timezone="Europe/Berlin",
        name="mornings",
        start=datetime(2026, 1, 1),
        end=datetime(2027, 1, 1, tzinfo=UTC),
        jitter=300,
        active=False,
        parameters={"region": "eu", "days": 3},
        filters=(
            BusinessDays(holidays=(date(2026, 12, 25),)),
            Weekdays(days=("mon", "tue", "wed", "thu")),
            MonthDays(days=(1, -1)),
            TimesOfDay(first=time(6), last=time(20)),
            Not(
                filter=AnyOf(
                    filters=(
                        OnDates(dates=(date(2026, 5, 1),)),
                        DateRange(first=date(2026, 12, 24), last=date(2027, 1, 1)),
                        Fires(rule=CronRule(line="0 6 1 * *"), whole_days=True),
                    )
                )
            ),
            YearDays(first=(3, 1), last=(10, 31)),
        ),
        adjustments=(ToBusinessDay(),),
        catch_up=CatchUp.ALL,
        catch_up_limit=7,
        grace=120,
        overlap=Overlap.CANCEL_RUNNING,
    )
    assert schedule_from_json(schedule_to_json(found)) == found
    assert msgspec.json.decode(msgspec.json.encode(found), type=Schedule) == found
    assert parse_schedule(schedule_to_json(found)) == found


@pytest.mark.parametrize(
    ("table", "rule"),
    [
        ({"interval": 3600}, IntervalRule(seconds=3600)),
        ({"interval": timedelta(minutes=5)}, IntervalRule(seconds=300)),
        ({"interval": "15m", "anchor": "2026-01-01"}, IntervalRule(seconds=900, anchor=datetime(2026, 1, 1))),
        ({"dates": "2026-01-01"}, DatesRule(dates=(datetime(2026, 1, 1),))),
        ({"dates": [date(2026, 1, 1)]}, DatesRule(dates=(datetime(2026, 1, 1),))),
        ({"daily": ["06:00", time(18)]}, DailyRule(at=(time(6), time(18)))),
        ({"hourly": [45, 15]}, HourlyRule(minutes=(15, 45))),
        ({"weekly": ["thu", "Monday"], "at": "06:00"}, WeeklyRule(on=("mon", "thu"), at=SIX)),
        ({"weekly": "fri-mon"}, WeeklyRule(on=("mon", "fri", "sat", "sun"))),
        ({"rrule": "FREQ=DAILY"}, RecurrenceRule(text="FREQ=DAILY")),
    ],
)
def test_a_short_table_is_a_rule(table: dict[str, Any], rule: Rule) -> None:
    assert parse_schedule(table).rule == rule


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("often", "'often' is no schedule; expected a cron line such as '0 6 * * 1-5', or a sentence"),
        ("daily at 25:00", "expected a time of day such as '06:00', not '25:00'"),
        ("hourly at 75", "is 0 to 59, not 75"),
        ("every 3 fortnights", "expected seconds, or a length of time such as '15m'"),
        ("0 6 * * * Europe/Berln", "did you mean 'Europe/Berlin'?"),
        (5, "A schedule is text or a table"),
        ({}, "exactly one of cron, interval, rrule, dates, daily, hourly, weekly; this one has none"),
        ({"cron": "0 6 * * *", "daily": "06:00"}, "this one has cron and daily"),
        ({"crn": "0 6 * * *"}, "no key 'crn' (did you mean 'cron'?)"),
        ({"cron": 6}, "The key 'cron' of the schedule: expected text, not 6"),
        ({"cron": "61 * * * *"}, "The key 'cron' of the schedule: '61 * * * *' is no cron line: the minute '61'"),
        ({"daily": "06:00", "anchor": "2026-01-01"}, "The key 'anchor' of a schedule goes with 'interval'"),
        ({"interval": "1h", "anchor": "noon"}, "The key 'anchor' of the schedule: expected a date and time"),
        ({"interval": True}, "The key 'interval' of the schedule: expected seconds"),
        ({"daily": "06:00", "timezone": "Berlin"}, "There is no time zone 'Berlin' (did you mean 'Europe/Berlin'?)"),
        ({"daily": "06:00", "timezone": 1}, "The key 'timezone' of the schedule: expected text, not 1"),
        (
            {"daily": "06:00", "catch_up": "last"},
            "there is no 'last' (did you mean 'latest'?); expected 'none', 'latest'",
        ),
        ({"daily": "06:00", "overlap": "stop"}, "expected 'skip', 'queue', 'cancel_running', 'allow'"),
        ({"daily": "06:00", "active": "no"}, "The key 'active' of the schedule: expected true or false, not 'no'"),
        ({"daily": "06:00", "parameters": [1]}, "The key 'parameters' of the schedule: expected a table"),
        (
            {"daily": "06:00", "except": ["xmas"]},
            "The key 'except' of the schedule: expected a date such as '2026-12-25'",
        ),
        ({"daily": "06:00", "except": [{"crn": ""}]}, "a rule has no key 'crn' (did you mean 'cron'?)"),
        ({"daily": "06:00", "between_times": ["08:00"]}, "The key 'between_times' of the schedule: expected two times"),
        (
            {"daily": "06:00", "filters": [{"kind": "weekday"}]},
            "The key 'filters' of the schedule: Invalid value 'weekday'",
        ),
        (
            {"daily": "06:00", "catch_up_limit": "5"},
            "The catch_up_limit of a schedule is 1 to 10,000 instants, not '5'",
        ),
        ({"rule": {"kind": "cron", "line": "x"}}, "The schedule cannot be read: 'x' is no cron line"),
        ({"rule": {"kind": "cron", "line": "@daily"}, "zone": "UTC"}, "unknown field `zone`"),
        ({"rule": {"kind": "interval", "seconds": "60"}}, "Expected `float`, got `str` - at `$.rule.seconds`"),
    ],
)
def test_what_is_no_schedule_is_refused_with_its_key(value: Any, why: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        parse_schedule(value)

    assert why in str(caught.value)


DESCRIBED: list[tuple[Any, str]] = [
    ("every 15 minutes", "every 15 minutes UTC"),
    ("every 1h30m", "every 90 minutes UTC"),
    ("every 2 days Europe/Berlin", "every 2 days Europe/Berlin"),
    ("0 6 * * * Europe/Berlin", "every day at 06:00 Europe/Berlin"),
    ("0 6,18 * * *", "every day at 06:00 and 18:00 UTC"),
    ("30 6 * * 1-5", "every Monday to Friday at 06:30 UTC"),
    ("30 6 * * 0,3", "every Wednesday and Sunday at 06:30 UTC"),
    ("*/5 * * * *", "every 5 minutes UTC"),
    ("* * * * *", "every minute UTC"),
    ("*/7 * * * *", "cron */7 * * * * UTC"),
    ("15 * * * *", "every hour at minute 15 UTC"),
    ("0 0 1 * *", "on day 1 of every month at 00:00 UTC"),
    ("0 0 1,15 * *", "on day 1 and 15 of every month at 00:00 UTC"),
    ("0 0 L * *", "on the last day of every month at 00:00 UTC"),
    ("0 0 L-1 * *", "cron 0 0 L-1 * * UTC"),
    ("0 0 * * fri#3", "cron 0 0 * * fri#3 UTC"),
    ("0 0 1 * 1", "cron 0 0 1 * 1 UTC"),
    ("0 0 1 1 *", "cron 0 0 1 1 * UTC"),
    ("hourly", "every hour UTC"),
    ("weekly on mon, thu at 06:00", "every Monday and Thursday at 06:00 UTC"),
    ("FREQ=WEEKLY;BYDAY=MO", "rrule FREQ=WEEKLY;BYDAY=MO UTC"),
    ({"dates": ["2026-01-01T09:00", "2026-02-01"]}, "at 2026-01-01 09:00 and 2026-02-01 00:00 UTC"),
    (
        {"daily": "06:00", "business_days": True, "holidays": ["2026-12-25"], "end": "2027-01-01", "jitter": 60},
        "every day at 06:00 UTC, only on business days other than 1 holiday, until 2027-01-01 00:00,"
        " with up to 1 min jitter",
    ),
    (
        {"hourly": 0, "between_times": ["08:00", "18:00"], "except": ["2026-12-24..2026-12-31"], "active": False},
        "every hour UTC, only between 08:00 and 18:00, not on days from 2026-12-24 to 2026-12-31 (paused)",
    ),
]


@pytest.mark.parametrize(("value", "words"), DESCRIBED)
def test_a_schedule_is_described_in_words(value: Any, words: str) -> None:
    assert describe(parse_schedule(value)) == words


def test_every_kind_of_filter_and_adjustment_has_words() -> None:
    filters = (
        BusinessDays(nth=(1, -1)),
        Weekdays(days=("mon", "tue", "wed")),
        MonthDays(days=(1, -1)),
        YearDays(first=(2, 29), last=(12, 24)),
        Not(filter=AnyOf(filters=(OnDates(dates=(date(2026, 1, 1),)), Fires(rule=DailyRule(at=SIX), whole_days=True)))),
    )

    words = describe(
        Schedule(rule=DailyRule(at=SIX), filters=filters, adjustments=(Shift(seconds=-60), ToBusinessDay()))
    )

    assert words == (
        "every day at 06:00 UTC, only on business day 1 and -1 of the month, only on Monday to Wednesday, only on day 1"
        " and last of the month, only on 29 February to 24 December, not on 2026-01-01 or on days every day at 06:00,"
        " 1 min earlier, moved to the next business day"
    )
