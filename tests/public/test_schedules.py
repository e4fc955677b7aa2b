"""`nadi.schedules`: Prefect 3's `Cron`, `Interval` and `RRule`, and what is there besides, give one kind of value."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from nadi import Flow, schedules, task
from nadi.declarative.clocks import CronClock, IntervalClock
from nadi.declarative.schedules import Schedule as ClockSchedule
from nadi.exceptions import DefinitionError
from nadi.model.schedules import (
    CronRule,
    DailyRule,
    DatesRule,
    HourlyRule,
    IntervalRule,
    RecurrenceRule,
    WeeklyRule,
    parsing,
)
from nadi.schedules import (
    BusinessDays,
    CatchUp,
    Cron,
    Dates,
    Interval,
    Overlap,
    RRule,
    Schedule,
    ToBusinessDay,
    daily,
    describe,
    hourly,
    weekly,
)
from tests.test_reference import named, rows


@task
def report() -> None:
    pass


CLOCKS = ClockSchedule([CronClock("0 6 * * *"), IntervalClock(timedelta(hours=1), parameter_defaults={"x": 1})])

with Flow("declared", schedule=CLOCKS) as declared:
    report()


PAGE = "schedules.md"

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
        (Cron, "cron timezone day_or active parameters slug"),
        (Interval, "interval anchor_date timezone active parameters slug"),
        (RRule, "rrule timezone active parameters slug"),
    ],
)
def test_what_prefect_has_takes_what_it_takes_there_in_that_order(function: Any, parameters: str) -> None:
    found = list(inspect.signature(function).parameters.values())

    assert [one.name for one in found[:-1]] == parameters.split()
    assert found[0].kind is inspect.Parameter.POSITIONAL_ONLY


def test_cron_is_a_schedule_of_a_line() -> None:
    found = Cron("0 6 13 * 5", "Europe/Berlin", day_or=False, active=False, parameters={"x": 1}, slug="fridays")

    assert found == Schedule(
        rule=CronRule(line="0 6 13 * 5", day_or=False),
        timezone="Europe/Berlin",
        active=False,
        parameters={"x": 1},
        name="fridays",
    )


def test_an_interval_is_in_the_zone_of_its_anchor() -> None:
    anchor = datetime(2026, 1, 1, 9, tzinfo=BERLIN)

    found = Interval(timedelta(days=1), anchor_date=anchor)

    assert found == Schedule(rule=IntervalRule(seconds=86400, anchor=anchor), timezone="Europe/Berlin")
    assert found.next(1, datetime(2026, 7, 1, tzinfo=UTC)) == [datetime(2026, 7, 1, 9, tzinfo=BERLIN)]
    assert Interval("15m", timezone="Asia/Kolkata").timezone == "Asia/Kolkata"
    assert Interval(60).rule == IntervalRule(seconds=60)


def test_an_rrule_is_in_the_zone_that_its_text_names() -> None:
    text = "DTSTART;TZID=Europe/Berlin:20260101T090000\nRRULE:FREQ=DAILY"

    assert RRule(text) == Schedule(rule=RecurrenceRule(text=text), timezone="Europe/Berlin")
    assert RRule("FREQ=DAILY", "Asia/Kolkata", slug="days").name == "days"


def test_there_are_short_words_for_what_is_common() -> None:
    assert daily(at="06:00").rule == DailyRule(at=(time(6),))
    assert daily("06:00", business_days=True).filters == (BusinessDays(),)
    assert daily(at=["06:00", time(18)]).rule == DailyRule(at=(time(6), time(18)))
    assert hourly(minute=[15, 45]).rule == HourlyRule(minutes=(15, 45))
    assert weekly(on=["mon", "thu"], at="06:00").rule == WeeklyRule(on=("mon", "thu"), at=(time(6),))
    assert Dates([NEW_YEAR, "2026-02-01T09:00Z"]).rule == DatesRule(
        dates=(NEW_YEAR, datetime(2026, 2, 1, 9, tzinfo=UTC))
    )


def test_all_of_them_take_the_same_options() -> None:
    options: dict[str, Any] = {
        "filters": [BusinessDays()],
        "adjustments": [ToBusinessDay()],
        "start": NEW_YEAR,
        "jitter": "5m",
        "catch_up": "all",
        "catch_up_limit": 5,
        "grace": timedelta(minutes=2),
        "overlap": Overlap.SKIP,
        "name": "one",
    }

    made = [
        *(Cron("@daily", **options), Interval(60, **options), RRule("FREQ=DAILY", **options)),
        *(Dates([NEW_YEAR], **options), daily(**options), hourly(**options), weekly("mon", **options)),
    ]

    for one in made:
        assert (one.filters, one.adjustments, one.start) == ((BusinessDays(),), (ToBusinessDay(),), NEW_YEAR)
        assert (one.jitter, one.grace, one.catch_up, one.catch_up_limit) == (300, 120, CatchUp.ALL, 5)
        assert (one.overlap, one.name) == (Overlap.SKIP, "one")


def test_a_schedule_lists_its_next_times_and_describes_itself() -> None:
    schedule = daily(at="06:00", timezone="Europe/Berlin")

    assert schedule.next(2, after=NEW_YEAR) == [datetime(2026, 1, day, 5, tzinfo=UTC) for day in (1, 2)]
    assert describe(schedule) == "every day at 06:00 Europe/Berlin"


def test_what_cannot_be_is_refused_when_it_is_written() -> None:
    with pytest.raises(DefinitionError, match="'0 0 30 2 \\*' never fires"):
        Cron("0 0 30 2 *")
    with pytest.raises(DefinitionError, match="did you mean 'Europe/Berlin'"):
        daily(timezone="Europe/Berln")
    with pytest.raises(DefinitionError, match="The key 'interval' of the schedule"):
        Interval("often")
    with pytest.raises(DefinitionError, match=r"no key 'jiter' \(did you mean 'jitter'\?\)"):
        Cron("@daily", jiter=5)  # type: ignore[call-arg]


def test_a_declared_flow_is_deployed_with_its_schedule_unless_another_is_given() -> None:
    own = declared.to_deployment("nightly").draft.spec.schedules
    given = declared.to_deployment("nightly", schedule=hourly()).draft.spec.schedules

    assert [one.rule for one in own] == [CronRule(line="0 6 * * *"), IntervalRule(seconds=3600)]
    assert [one.parameters for one in own] == [{}, {"x": 1}]
    assert [one.rule for one in given] == [HourlyRule()]


def test_the_page_lists_every_filter_and_adjustment_with_its_fields_and_kind() -> None:
    described = {named(row[0])[0]: named(row[1])[0] for row in rows(PAGE, "## Filters and adjustments")}
    kinds = [one for one in vars(schedules).values() if hasattr(one, "passes") or hasattr(one, "move")]

    assert described == {f"{one.__name__}{plain_signature(one)}": one.__struct_config__.tag for one in kinds}


def plain_signature(kind: Any) -> str:
    found = inspect.signature(kind)
    bare = [
        one.replace(annotation=inspect.Parameter.empty, kind=inspect.Parameter.POSITIONAL_OR_KEYWORD)
        for one in found.parameters.values()
    ]
    return str(found.replace(parameters=bare, return_annotation=inspect.Signature.empty))


def test_the_page_lists_every_key_of_a_table() -> None:
    tables = [*rows(PAGE, "## Rules"), *rows(PAGE, "## Other keys")]
    described = {name for row in tables for name in named(row[0])}

    assert described | set(parsing.OF_RULES) == {
        *parsing.RULES,
        *parsing.OF_RULES,
        *parsing.FILTERS,
        *parsing.OPTIONS,
    }
