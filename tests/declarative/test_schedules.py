"""Schedules of declared flows: clocks, filters, adjustments, and `flow.run()` on a schedule."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, timezone
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil import rrule

from nadi import Flow, Parameter, context, task
from nadi.declarative import adjustments, filters
from nadi.declarative.clocks import ClockEvent, CronClock, DatesClock, IntervalClock, RRuleClock
from nadi.declarative.schedules import CronSchedule, IntervalSchedule, RRuleSchedule, Schedule
from nadi.exceptions import DefinitionError
from tests.conftest import Recorded

T0 = datetime(2026, 1, 1, tzinfo=UTC)  # a Thursday
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def days(*found: datetime) -> list[int]:
    return [one.day for one in found]


def test_an_interval_counts_from_its_start() -> None:
    schedule = IntervalSchedule(start_date=T0, interval=timedelta(minutes=90))

    assert schedule.next(2, after=T0) == [T0 + 1.5 * HOUR, T0 + 3 * HOUR]
    assert schedule.next(1, after=T0 - DAY) == [T0]
    assert schedule.next(1, after=T0 + 100 * HOUR) == [T0 + 100.5 * HOUR]


def test_a_schedule_ends_with_its_clock() -> None:
    schedule = IntervalSchedule(start_date=T0, interval=HOUR, end_date=T0 + 2 * HOUR)

    assert schedule.next(5, after=T0) == [T0 + HOUR, T0 + 2 * HOUR]
    assert schedule.next(5, after=T0 + 2 * HOUR) == []


def test_whole_days_keep_their_hour_when_the_clocks_change() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    schedule = IntervalSchedule(start_date=datetime(2026, 3, 28, 9, tzinfo=berlin), interval=DAY)

    found = schedule.next(2, after=datetime(2026, 3, 28, 12, tzinfo=berlin))

    assert [str(one) for one in found] == ["2026-03-29 09:00:00+02:00", "2026-03-30 09:00:00+02:00"]


def test_hours_stay_hours_when_the_clocks_change() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 3, 29, 0, tzinfo=berlin)

    found = IntervalSchedule(start_date=start, interval=2 * HOUR).next(2, after=start)

    assert [one.astimezone(UTC).hour for one in found] == [1, 3]


def test_a_cron_line_goes_by_the_zone_of_its_start() -> None:
    new_york = ZoneInfo("America/New_York")
    schedule = CronSchedule("0 9 * * 1-5", start_date=datetime(2026, 1, 1, tzinfo=new_york))

    assert [one.astimezone(UTC).hour for one in schedule.next(2, after=T0)] == [14, 14]
    assert days(*schedule.next(3, after=T0)) == [1, 2, 5]


def test_day_or_says_whether_one_kind_of_day_is_enough() -> None:
    after = datetime(2026, 2, 1, tzinfo=UTC)

    either = CronSchedule("0 0 13 * 5").next(3, after=after)
    both = CronSchedule("0 0 13 * 5", day_or=False).next(2, after=after)

    assert days(*either) == [6, 13, 20]
    assert [(one.month, one.day) for one in both] == [(2, 13), (3, 13)]


def test_what_is_no_cron_line_is_refused_at_once() -> None:
    with pytest.raises(DefinitionError, match="'61 \\* \\* \\* \\*' is no cron line"):
        CronSchedule("61 * * * *")


@pytest.mark.parametrize("zone", [None, UTC])
def test_a_rule_of_dateutil_gives_its_times(zone: Any) -> None:
    rule = rrule.rrule(rrule.DAILY, dtstart=datetime(2026, 1, 1, tzinfo=zone), count=3)

    assert RRuleSchedule(rule).next(5, after=T0) == [T0 + DAY, T0 + 2 * DAY]
    with pytest.raises(DefinitionError, match="a rule of dateutil"):
        RRuleClock("FREQ=DAILY")


def test_a_time_that_several_clocks_give_counts_once() -> None:
    schedule = Schedule([IntervalClock(2 * HOUR, T0), IntervalClock(3 * HOUR, T0), DatesClock([T0 + HOUR])])

    assert [(one - T0) // HOUR for one in schedule.next(6, after=T0)] == [1, 2, 3, 4, 6, 8]


def test_an_event_bears_the_parameters_and_labels_of_its_clock() -> None:
    schedule = Schedule([DatesClock([T0 + HOUR], parameter_defaults={"x": 1}, labels=["night"])])

    assert schedule.next(1, after=T0, return_events=True) == [ClockEvent(T0 + HOUR, {"x": 1}, ("night",))]


def test_filters_must_all_pass_one_of_the_or_filters_and_none_of_the_not_filters() -> None:
    schedule = Schedule(
        [IntervalClock(6 * HOUR, T0)],
        filters=[filters.is_weekday],
        or_filters=[filters.at_time(time(6)), filters.at_time(time(18))],
        not_filters=[filters.on_date(1, 2)],
    )

    found = schedule.next(4, after=T0)

    assert [(one.day, one.hour) for one in found] == [(1, 6), (1, 18), (5, 6), (5, 18)]


@pytest.mark.parametrize(
    ("passes", "expected"),
    [
        (filters.is_weekend, [3, 4]),
        (filters.is_day_of_week(0, 3), [1, 5]),
        (filters.is_month_start, [1]),
        (filters.is_month_end, [31]),
        (filters.on_datetime(T0 + DAY), [2]),
        (filters.between_datetimes(T0 + DAY, T0 + 2 * DAY), [2, 3]),
        (filters.between_dates(1, 30, 1, 31), [30, 31]),
        (filters.between_dates(12, 30, 1, 2), [1, 2]),
        (filters.between_times(time(0), time(1)), [1, 2]),
        (filters.between_times(time(23), time(1)), [1, 2]),
        (filters.between_times(time(1), time(23)), []),
    ],
)
def test_each_filter_lets_its_days_pass(passes: Any, expected: list[int]) -> None:
    schedule = Schedule([IntervalClock(DAY, T0, end_date=T0 + 30 * DAY)], filters=[passes])

    assert days(*schedule.next(2, after=T0 - HOUR))[: len(expected)] == expected


def test_adjustments_move_the_times_that_are_left_in_order() -> None:
    schedule = Schedule(
        [IntervalClock(DAY, T0)],
        filters=[filters.is_weekend],
        adjustments=[adjustments.next_weekday, adjustments.add(HOUR)],
    )

    assert schedule.next(1, after=T0) == [datetime(2026, 1, 5, 1, tzinfo=UTC)]


def test_a_schedule_whose_filters_let_nothing_pass_is_over() -> None:
    schedule = Schedule([IntervalClock(HOUR, T0)], filters=[filters.on_date(2, 31)])

    assert schedule.next(1, after=T0) == []


def test_a_time_without_a_zone_is_utc() -> None:
    naive = datetime(2026, 1, 1)

    assert CronClock("0 * * * *", naive).start_date == T0
    assert IntervalSchedule(naive, HOUR).next(1, after=naive) == [T0 + HOUR]


def test_repeated_hours_of_two_clocks_of_one_zone_are_not_taken_for_one() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 10, 24, 12, tzinfo=berlin)
    schedule = Schedule([CronClock("30 * * * *", start), CronClock("30 2 * * *", start)])

    found = schedule.next(3, after=datetime(2026, 10, 25, 0, tzinfo=UTC))

    assert [one.astimezone(UTC).strftime("%H:%M") for one in found] == ["00:30", "01:30", "02:30"]


def test_an_rruleset_is_asked_itself() -> None:
    rules = rrule.rruleset()
    rules.rrule(rrule.rrule(rrule.DAILY, dtstart=T0.replace(tzinfo=None), count=3))
    rules.exdate(datetime(2026, 1, 2))

    assert RRuleSchedule(rules).next(5, after=T0) == [T0 + 2 * DAY]
    with pytest.raises(DefinitionError, match=r"write it as a line for nadi\.schedules\.RRule"):
        RRuleSchedule(rules).as_schedules()


def test_adding_to_a_time_adds_time_that_passes() -> None:
    midnight = datetime(2026, 3, 29, tzinfo=ZoneInfo("Europe/Berlin"))

    assert str(adjustments.add(4 * HOUR)(midnight)) == "2026-03-29 05:00:00+02:00"


# -- as values that can be deployed -----------------------------------------------------------


def as_deployed(schedule: Schedule, after: datetime, until: datetime) -> list[datetime]:
    return sorted(at for one in schedule.as_schedules() for at in one.instants(after, until))


def test_a_schedule_of_our_clocks_filters_and_adjustments_fires_alike_when_deployed() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 3, 20, tzinfo=berlin)
    rule = rrule.rrule(rrule.DAILY, byhour=12, dtstart=start.replace(tzinfo=None))
    schedule = Schedule(
        [
            IntervalClock(6 * HOUR, start),
            CronClock("0 */3 * * *", start, parameter_defaults={"x": 1}),
            DatesClock([datetime(2026, 3, 29, 2, 30, tzinfo=berlin)], start_date=start),
            RRuleClock(rule, end_date=datetime(2026, 3, 31, tzinfo=UTC)),
        ],
        filters=[
            filters.between_dates(3, 1, 4, 30),
            filters.between_datetimes(start, datetime(2026, 4, 3, tzinfo=berlin)),
        ],
        or_filters=[filters.is_weekday, filters.on_date(3, 29), filters.is_day_of_week(5)],
        not_filters=[filters.at_time(time(9)), filters.on_datetime(datetime(2026, 3, 30, 10, tzinfo=UTC))],
        adjustments=[adjustments.next_weekday, adjustments.add(-HOUR)],
    )
    after, until = datetime(2026, 3, 23, tzinfo=UTC), datetime(2026, 4, 6, tzinfo=UTC)

    found = as_deployed(schedule, after, until)

    here = {event.start_time.astimezone(UTC) for event in islice(schedule.events(after - DAY), 200)}
    assert set(found) == {at for at in here if after < at <= until}
    assert [one.name for one in schedule.as_schedules()] == ["clock-1", "clock-2", "clock-3", "clock-4"]
    assert [one.parameters for one in schedule.as_schedules()] == [{}, {"x": 1}, {}, {}]


def test_a_time_that_several_clocks_give_fires_once_when_deployed() -> None:
    schedule = Schedule([IntervalClock(2 * HOUR, T0), IntervalClock(3 * HOUR, T0), DatesClock([T0 + 6 * HOUR])])

    found = as_deployed(schedule, T0, T0 + 8 * HOUR)

    assert [(one - T0) // HOUR for one in found] == [2, 3, 4, 6, 8]


def test_a_schedule_of_one_clock_has_its_zone_start_and_end() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 1, 1, 9, tzinfo=berlin)

    (found,) = IntervalSchedule(start, DAY, end_date=start + 9 * DAY).as_schedules()

    assert (found.timezone, found.start, found.end, found.name) == ("Europe/Berlin", start, start + 9 * DAY, "")
    assert found.next(1, after=T0) == [start]


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: Schedule([IntervalClock(HOUR)], filters=[lambda found: True]), "is code, and cannot be deployed; use"),
        (lambda: Schedule([IntervalClock(HOUR)], adjustments=[lambda found: found]), "is code, and cannot be deployed"),
        (lambda: Schedule([IntervalClock(HOUR, T0.astimezone(timezone(HOUR)))]), "has no IANA name"),
        (lambda: Schedule([IntervalClock(timedelta(milliseconds=5))]), "An interval is 1 second to 100 years"),
    ],
)
def test_what_is_no_value_cannot_be_deployed(make: Any, why: str) -> None:
    with pytest.raises(DefinitionError, match=why):
        make().as_schedules()


# -- flow.run() -----------------------------------------------------------------------------


@task
def tell(x: Any) -> Any:
    return x, context["scheduled_start_time"]


def soon(count: int) -> list[datetime]:
    now = datetime.now(UTC)
    return [now + timedelta(seconds=0.1 * (number + 1)) for number in range(count)]


def test_run_waits_for_each_time_of_the_schedule_until_there_is_none(recorded: Recorded) -> None:
    times = soon(2)
    clocks = [DatesClock([at], parameter_defaults={"x": number}) for number, at in enumerate(times)]
    with Flow("scheduled", schedule=Schedule(clocks)) as scheduled:
        node = tell(Parameter("x"))

    state = scheduled.run()

    assert datetime.now(UTC) >= times[-1]
    assert len(recorded.flow_runs) == 2
    assert state.result[node].result == (1, times[-1])


def test_run_on_schedule_false_runs_at_once_and_once(recorded: Recorded) -> None:
    with Flow("scheduled", schedule=IntervalSchedule(T0, DAY)) as scheduled:
        node = tell(Parameter("x", default=5))

    state = scheduled.run(run_on_schedule=False)

    assert state.result[node].result[0] == 5
    assert len(recorded.flow_runs) == 1


def test_a_schedule_that_is_over_runs_nothing(recorded: Recorded) -> None:
    with Flow("scheduled", schedule=Schedule([DatesClock([T0])])) as scheduled:
        tell(Parameter("x"))

    assert scheduled.run().is_pending()
    assert recorded.flow_runs == []


def test_a_schedule_that_is_none_is_refused_when_the_flow_is_run() -> None:
    with pytest.raises(DefinitionError, match=r"schedule must be one of nadi.declarative.schedules, not 60"):
        Flow("often", schedule=60).run()
