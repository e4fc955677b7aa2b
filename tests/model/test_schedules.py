"""Rules, filters and schedules as values: what each kind of rule names, what is refused, and with which sentence."""

from __future__ import annotations

import time as clock
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from nadi.exceptions import DefinitionError
from nadi.model.schedules import (
    AnyOf,
    BusinessDays,
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
    RecurrenceRule,
    Schedule,
    Shift,
    ToBusinessDay,
    WeeklyRule,
    parse_schedule,
)

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)  # a Thursday


def told(rule: Any, n: int = 3, after: datetime = NEW_YEAR) -> list[str]:
    return [f"{at:%Y-%m-%d %H:%M:%S}".removesuffix(":00") for at in parse_schedule(rule).next(n, after)]


# -- cron -----------------------------------------------------------------------------------

LINES: list[tuple[str, list[str]]] = [
    ("0 6 * * mon-fri", ["2026-01-01 06:00", "2026-01-02 06:00", "2026-01-05 06:00"]),
    ("0 0 * JAN,jul SUN", ["2026-01-04 00:00", "2026-01-11 00:00", "2026-01-18 00:00"]),
    ("0 0 * * sat-sun", ["2026-01-03 00:00", "2026-01-04 00:00", "2026-01-10 00:00"]),
    ("0 0 * * 6-7", ["2026-01-03 00:00", "2026-01-04 00:00", "2026-01-10 00:00"]),
    ("0 0 L * *", ["2026-01-31 00:00", "2026-02-28 00:00", "2026-03-31 00:00"]),
    ("0 0 L-2 * *", ["2026-01-29 00:00", "2026-02-26 00:00", "2026-03-29 00:00"]),
    # 31 January is a Saturday, 28 February too, 31 March a Tuesday.
    ("0 0 LW * *", ["2026-01-30 00:00", "2026-02-27 00:00", "2026-03-31 00:00"]),
    ("0 0 * * fri#3", ["2026-01-16 00:00", "2026-02-20 00:00", "2026-03-20 00:00"]),
    ("0 0 * * 5#5", ["2026-01-30 00:00", "2026-05-29 00:00", "2026-07-31 00:00"]),
    ("0 0 * * friL", ["2026-01-30 00:00", "2026-02-27 00:00", "2026-03-27 00:00"]),
    ("0 0 ? * 1", ["2026-01-05 00:00", "2026-01-12 00:00", "2026-01-19 00:00"]),
    ("*/20 30 12 * * *", ["2026-01-01 12:30", "2026-01-01 12:30:20", "2026-01-01 12:30:40"]),
    ("10/25 12 * * *", ["2026-01-01 12:10", "2026-01-01 12:35", "2026-01-02 12:10"]),
    ("0 9-17/4 * * *", ["2026-01-01 09:00", "2026-01-01 13:00", "2026-01-01 17:00"]),
    # Both kinds of day are restricted: either of them is enough.
    ("0 0 13 * 5", ["2026-01-02 00:00", "2026-01-09 00:00", "2026-01-13 00:00"]),
    # A field that begins with a star restricts nothing in this sense: both have to fit.
    ("0 0 */2 * 5", ["2026-01-09 00:00", "2026-01-23 00:00", "2026-02-13 00:00"]),
    ("0 0 29 2 *", ["2028-02-29 00:00", "2032-02-29 00:00", "2036-02-29 00:00"]),
    ("@daily", ["2026-01-02 00:00", "2026-01-03 00:00", "2026-01-04 00:00"]),
    ("@hourly", ["2026-01-01 01:00", "2026-01-01 02:00", "2026-01-01 03:00"]),
]


@pytest.mark.parametrize(("line", "expected"), LINES)
def test_a_cron_line_names_its_times(line: str, expected: list[str]) -> None:
    assert told({"cron": line}) == expected


def test_with_day_or_false_both_kinds_of_day_have_to_fit() -> None:
    assert told({"cron": "0 0 13 * 5", "day_or": False}) == ["2026-02-13 00:00", "2026-03-13 00:00", "2026-11-13 00:00"]


def test_a_line_that_fires_once_in_28_years_is_found_at_once() -> None:
    schedule = parse_schedule({"cron": "0 0 29 2 1", "day_or": False})

    started = clock.perf_counter()
    found = schedule.next(2, NEW_YEAR)
    taken = clock.perf_counter() - started

    assert [at.year for at in found] == [2044, 2072]
    assert taken < 0.1


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("61 * * * *", "the minute '61' cannot be; expected 0 to 59"),
        ("* 24 * * *", "the hour '24' cannot be; expected 0 to 23"),
        ("* * 0 * *", "the day of the month '0' cannot be; expected 1 to 31"),
        ("* * * 13 *", "the month '13' cannot be; expected 1 to 12 or jan to dec"),
        ("* * * * 8", "the day of the week '8' cannot be; expected 0 to 7 or sun to sat"),
        ("60 * * * * *", "the second '60' cannot be; expected 0 to 59"),
        ("* * * * fry", "the day of the week 'fry' cannot be"),
        ("* * * * fri#6", "the number after '#' '6' cannot be; expected 1 to 5"),
        ("* * L-31 * *", "the day of the month '31' cannot be; expected 1 to 30"),
        ("*/0 * * * *", "the step '/0' of the minute cannot be; expected 1 to 60"),
        ("*/90 * * * *", "An interval, such as 'every 90 minutes', can be longer"),
        ("0 22-2 * * *", "the hour '22-2' runs backwards; write two ranges, such as '22-23,0-2'"),
        ("1,,2 * * * *", "the minute '' cannot be"),
        ("1- * * * *", "the minute '' cannot be"),
        ("-1 * * * *", "the minute '' cannot be"),
        ("٣ * * * *", "the minute '٣' cannot be"),
        ("* * * *", "it has 4 fields; expected minute, hour, day of the month, month and day of the week"),
        ("* * * * * * *", "it has 7 fields"),
        ("", "it has 0 fields"),
        ("@often", "it has 1 fields"),
        ("0 0 30 2 *", "never fires: no date there is fits its days and months"),
        ("0 0 31 4,6,9,11 *", "never fires"),
        ("0 0 L-30 2 *", "never fires"),
    ],
)
def test_a_cron_line_that_cannot_be_is_refused_with_its_field(line: str, why: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        CronRule(line=line)

    assert why in str(caught.value)


# -- recurrence rules -------------------------------------------------------------------------

RECURRENCES: list[tuple[str, list[str]]] = [
    ("FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=18", ["2026-01-30 18:00", "2026-02-27 18:00", "2026-03-27 18:00"]),
    ("RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", ["2026-01-06 00:00", "2026-01-20 00:00", "2026-02-03 00:00"]),
    (
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;BYHOUR=9",
        ["2026-01-30 09:00", "2026-02-27 09:00", "2026-03-31 09:00"],
    ),
    # A month without a 31st is passed over.
    ("DTSTART:20260131T080000\nRRULE:FREQ=MONTHLY", ["2026-01-31 08:00", "2026-03-31 08:00", "2026-05-31 08:00"]),
    (
        "DTSTART:20260105T090000\nRRULE:FREQ=DAILY;COUNT=4\nEXDATE:20260106T090000,20260107T090000",
        ["2026-01-05 09:00", "2026-01-08 09:00"],
    ),
    (
        "DTSTART:20260105T090000\nRRULE:FREQ=DAILY\nEXRULE:FREQ=WEEKLY;BYDAY=TU,WE,TH,FR,SA\nRDATE:20260106T120000",
        ["2026-01-05 09:00", "2026-01-06 12:00", "2026-01-11 09:00"],
    ),
    ("DTSTART:20260105T090000Z\nRRULE:FREQ=DAILY;UNTIL=20260106T090000Z", ["2026-01-05 09:00", "2026-01-06 09:00"]),
    # A line is folded where the next one begins with a space.
    ("RDATE:20260203T0\n 40000", ["2026-02-03 04:00"]),
    ("FREQ=YEARLY;BYWEEKNO=53;BYDAY=FR", ["2027-01-01 00:00", "2032-12-31 00:00"]),
    ("FREQ=YEARLY;BYYEARDAY=-1", ["2026-12-31 00:00", "2027-12-31 00:00", "2028-12-31 00:00"]),
    ("FREQ=MINUTELY;INTERVAL=45", ["2026-01-01 00:45", "2026-01-01 01:30", "2026-01-01 02:15"]),
]


@pytest.mark.parametrize(("text", "expected"), RECURRENCES)
def test_a_recurrence_rule_names_its_times(text: str, expected: list[str]) -> None:
    found = told({"rrule": text}, n=3)

    assert found[: len(expected)] == expected
    assert len(found) == len(expected) or "COUNT" not in text


def test_the_zone_of_a_recurrence_rule_is_that_of_its_start() -> None:
    lines = "DTSTART;TZID=America/New_York:20260301T090000\nRRULE:FREQ=DAILY"

    schedule = parse_schedule({"rrule": lines})

    assert schedule.timezone == "America/New_York"
    assert told({"rrule": lines}, n=2, after=datetime(2026, 3, 7, 12, tzinfo=UTC)) == [
        "2026-03-07 14:00",
        "2026-03-08 13:00",
    ]
    with pytest.raises(DefinitionError, match=r"names the zone 'America/New_York', the schedule 'Europe/Berlin'"):
        parse_schedule({"rrule": lines, "timezone": "Europe/Berlin"})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "A recurrence rule is text such as 'FREQ=WEEKLY;BYDAY=MO'"),
        ("FREQ=DALY", "the FREQ 'DALY' cannot be; expected YEARLY, MONTHLY"),
        ("BYDAY=MO", "it has no FREQ"),
        ("FREQ=DAILY;BYDAYS=MO", "'BYDAYS' (did you mean 'BYDAY'?) is not known"),
        ("FREQ=DAILY;FREQ=DAILY", "FREQ is there twice"),
        ("FREQ=WEEKLY;BYDAY=XX", "the BYDAY 'XX' cannot be; expected MO to SU, or 1MO for the first"),
        ("FREQ=WEEKLY;BYDAY=1MO", "numbers in BYDAY, such as 1MO, need FREQ=MONTHLY or FREQ=YEARLY"),
        ("FREQ=DAILY;BYHOUR=24", "the BYHOUR '24' cannot be; expected 0 to 23"),
        ("FREQ=DAILY;BYMONTHDAY=0", "expected 1 to 31, or -1 to -31 from the end"),
        ("FREQ=DAILY;INTERVAL=0", "the INTERVAL '0' cannot be; expected 1 to 1,000,000"),
        ("FREQ=DAILY;COUNT=3", "COUNT counts from DTSTART, which is not there"),
        ("DTSTART:20260101\nRRULE:FREQ=DAILY;COUNT=3;UNTIL=20270101", "it has both COUNT and UNTIL"),
        ("FREQ=DAILY;UNTIL=tomorrow", "the UNTIL 'TOMORROW' is no time; expected one such as 20260101T090000"),
        ("DTSTART:20260230T090000\nRRULE:FREQ=DAILY", "the DTSTART '20260230T090000' is no time"),
        ("DTSTAR:20260101\nRRULE:FREQ=DAILY", "the line 'DTSTAR' (did you mean 'DTSTART'?) is not known"),
        ("DTSTART:20260101T090000", "it has neither RRULE nor RDATE"),
        ("FREQ=DAILY;BYSETPOS=1", "BYSETPOS chooses among the times of another BY part"),
        ("FREQ=DAILY;BYWEEKNO=1", "BYWEEKNO needs FREQ=YEARLY"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "never fires: no time there is fits the rule"),
        ("FREQ=SECONDLY;INTERVAL=2;BYSECOND=1", "never fires"),
        ("FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=31", "never fires"),
        ("FREQ=SECONDLY\nEXRULE:FREQ=SECONDLY", "never fires"),
    ],
)
def test_a_recurrence_rule_that_cannot_be_is_refused_soon(text: str, why: str) -> None:
    started = clock.perf_counter()
    with pytest.raises(DefinitionError) as caught:
        RecurrenceRule(text=text)

    assert why in str(caught.value)
    assert clock.perf_counter() - started < 5


# -- the other rules --------------------------------------------------------------------------


def test_an_interval_counts_from_its_anchor_to_both_sides() -> None:
    table = {"interval": "90m", "anchor": "2026-01-01T00:10"}

    assert told(table, n=2) == ["2026-01-01 00:10", "2026-01-01 01:40"]
    assert told(table, n=2, after=NEW_YEAR - timedelta(hours=2)) == ["2025-12-31 22:40", "2026-01-01 00:10"]


def test_without_an_anchor_an_interval_counts_from_local_midnight() -> None:
    assert told({"interval": "15m", "timezone": "Asia/Kolkata"}, n=2) == ["2026-01-01 00:15", "2026-01-01 00:30"]
    assert told({"interval": "6h", "timezone": "Asia/Kolkata"}, n=2) == ["2026-01-01 00:30", "2026-01-01 06:30"]


def test_dates_come_in_order_each_once_in_the_zone_of_the_schedule() -> None:
    dates = ["2026-07-01T09:00", "2026-01-02T09:00", "2026-01-02T09:00"]

    assert told({"dates": dates, "timezone": "Europe/Berlin"}) == ["2026-01-02 08:00", "2026-07-01 07:00"]
    assert told({"dates": ["2026-01-02T09:00+05:00"], "timezone": "Europe/Berlin"}) == ["2026-01-02 04:00"]


def test_start_and_end_are_included() -> None:
    schedule = parse_schedule({"hourly": 0, "start": "2026-01-01T03:00", "end": "2026-01-01T05:00"})

    assert [at.hour for at in schedule.next(9, NEW_YEAR)] == [3, 4, 5]


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: IntervalRule(seconds=0.5), "An interval is 1 second to 100 years"),
        (lambda: IntervalRule(seconds=float("nan")), "not nan"),
        (lambda: IntervalRule(seconds=float("inf")), "not inf"),
        (lambda: DatesRule(dates=()), "lists 1 to 10,000 of them, not 0"),
        (lambda: DatesRule(dates=(NEW_YEAR, datetime(2026, 1, 2))), "some have an offset and some have none"),
        (lambda: DatesRule(dates=(datetime(9999, 12, 31),)), "lies outside of the years 2 to 9997"),
        (lambda: IntervalRule(seconds=60, anchor=datetime(1, 1, 1)), "lies outside of the years 2 to 9997"),
        (lambda: parse_schedule({"interval": 10**400}), "expected seconds, or a length of time"),
        (lambda: HourlyRule(minutes=(60,)), "is 0 to 59, not 60"),
        (lambda: DailyRule(at=()), "not 0"),
        (lambda: DailyRule(at=(time(1, tzinfo=UTC),)), "A time of day is local"),
        (lambda: WeeklyRule(on=("monday",)), "There is no day of the week 'monday' (did you mean 'mon'?)"),
        (lambda: WeeklyRule(on=()), "At least one day of the week is needed"),
        (lambda: MonthDays(days=(0,)), "A day of the month is 1 to 31, or -1 for the last, not 0"),
        (lambda: BusinessDays(nth=(24,)), "Which business day of the month is 1 to 23"),
        (lambda: DateRange(first=date(2026, 2, 1), last=date(2026, 1, 1)), "ends before it begins"),
        (lambda: Fires(rule=DailyRule(), timezone="Mars"), "There is no time zone 'Mars'"),
        (lambda: Shift(seconds=1e9), "A shift is at most a year"),
        (lambda: Schedule(rule=DailyRule(), jitter=-1), "The jitter of a schedule is 0 to 86,400 seconds, not -1"),
        (lambda: Schedule(rule=DailyRule(), grace=0), "The grace of a schedule is 1 to 86,400 seconds, not 0"),
        (lambda: Schedule(rule=DailyRule(), catch_up_limit=0), "is 1 to 10,000 instants, not 0"),
        (lambda: Schedule(rule=DailyRule(), name="Every Day"), "such as 'every-day', not 'Every Day'"),
        (lambda: Schedule(rule=DailyRule(), start=NEW_YEAR, end=datetime(2025, 1, 1)), "ends (2025-01-01"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_what_was_expected(make: Any, why: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        make()

    assert why in str(caught.value)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="has no timezone"):
        Schedule(rule=DailyRule()).next(1, datetime(2026, 1, 1))


@pytest.mark.parametrize("after", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
@pytest.mark.parametrize(
    "rule", ["* * * * *", "FREQ=DAILY", "every 7 s", "every 2 days", "hourly", "daily", "weekly on mon"]
)
def test_the_ends_of_the_calendar_are_no_errors(rule: str, after: datetime) -> None:
    schedule = parse_schedule(f"{rule} Pacific/Apia")

    assert len(schedule.next(2, after)) == (2 if after.year == 1 else 0)


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/New_York"])
def test_the_last_moment_of_the_calendar_stands_for_no_end(zone: str) -> None:
    rule = "DTSTART:20260101T000000\nRRULE:FREQ=DAILY;UNTIL=99991231T235959Z"

    assert len(told({"rrule": rule, "timezone": zone}, n=4)) == 4
    assert len(told({"hourly": 0, "timezone": zone, "end": "9999-12-31T23:59"}, n=4)) == 4
    assert len(told({"hourly": 0, "timezone": zone, "start": "0001-01-01"}, n=4)) == 4
    assert told({"hourly": 0, "timezone": zone, "start": "9999-12-31"}, n=4) == []


def test_filters_that_are_nested_without_end_are_refused() -> None:
    deep: Any = MonthDays(days=(1,))
    form: Any = {"kind": "month_days", "days": [1]}
    for _ in range(5_000):
        form = {"kind": "not", "filter": form}
    for _ in range(20):
        deep = Not(filter=deep)

    with pytest.raises(DefinitionError, match="nested 20 deep at most"):
        Schedule(rule=DailyRule(), filters=(deep,))
    with pytest.raises(DefinitionError, match="nested too deep"):
        parse_schedule({"rule": {"kind": "daily"}, "filters": [form]})


# -- filters and adjustments -------------------------------------------------------------------

CHRISTMAS = (date(2026, 12, 25), date(2026, 12, 26))


def test_business_days_are_monday_to_friday_without_holidays() -> None:
    table = {"daily": "06:00", "business_days": True, "holidays": ["2026-01-02"]}

    assert told(table) == ["2026-01-01 06:00", "2026-01-05 06:00", "2026-01-06 06:00"]


def test_the_first_and_the_last_business_day_of_the_month_can_be_meant() -> None:
    table = {"daily": "06:00", "business_days": [1, -1], "holidays": ["2026-01-01", "2026-01-30"]}

    assert told(table) == ["2026-01-02 06:00", "2026-01-29 06:00", "2026-02-02 06:00"]


def test_dates_ranges_and_other_rules_can_be_left_out() -> None:
    left_out = [
        "2026-01-01",
        "2026-01-03..2026-01-05",
        {"from": "2026-01-07", "to": "2026-01-08"},
        {"cron": "0 6 9 * *"},
    ]

    assert told({"daily": "06:00", "except": left_out}, n=2) == ["2026-01-02 06:00", "2026-01-06 06:00"]
    assert told({"daily": "06:00", "except": left_out}, n=3)[2] == "2026-01-10 06:00"


def test_another_rule_can_leave_out_whole_days_of_its_own_zone_or_that_of_the_schedule() -> None:
    # The rule fires on the 1st at 20:00 of New York, which is the 2nd at 02:00 in Berlin.
    other = {"cron": "0 20 1 * *", "timezone": "America/New_York", "whole_days": True}

    found = told({"daily": "06:00", "timezone": "Europe/Berlin", "except": [other]}, n=2)

    assert found == ["2026-01-01 05:00", "2026-01-03 05:00"]


def test_filters_are_found_fast_however_long_they_refuse() -> None:
    table = {
        "interval": "1s",
        "month_days": [29],
        "between_times": ["23:59:58", "23:59:58"],
        "except": ["2026-01-01..2028-02-01"],
    }

    started = clock.perf_counter()
    found = told({**table, "filters": [{"kind": "year_days", "first": [2, 1], "last": [2, 29]}]}, n=2)

    assert found == ["2028-02-29 23:59:58", "2032-02-29 23:59:58"]
    assert clock.perf_counter() - started < 1


def test_a_schedule_whose_filters_let_nothing_pass_is_over() -> None:
    never = Not(filter=AnyOf(filters=(OnDates(dates=()), Not(filter=OnDates(dates=())))))

    assert Schedule(rule=HourlyRule(), filters=(never,)).next(1, NEW_YEAR) == []


def test_what_falls_on_a_holiday_can_be_moved_to_the_next_business_day() -> None:
    schedule = Schedule(rule=CronRule(line="0 9 25,28 12 *"), adjustments=(ToBusinessDay(holidays=CHRISTMAS),))

    # 2026: Friday the 25th is a holiday, so Monday the 28th, which the rule names anyway. 2027: the 25th is a Saturday.
    assert [f"{at:%Y-%m-%d}" for at in schedule.next(2, datetime(2026, 12, 1, tzinfo=UTC))] == [
        "2026-12-28",
        "2027-12-27",
    ]


def test_shifted_times_keep_their_order() -> None:
    schedule = Schedule(rule=DailyRule(at=(time(9),)), adjustments=(ToBusinessDay(), Shift(seconds=-7200)))

    # Saturday and Sunday both become Monday the 5th.
    assert [f"{at:%d %H}" for at in schedule.next(3, NEW_YEAR)] == ["01 07", "02 07", "05 07"]
