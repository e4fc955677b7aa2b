"""Which instants run and which are missed, and by how much jitter delays them."""

from __future__ import annotations

import time as clock
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from nadi.model.schedules import (
    Ticks,
    due,
    fire_at,
    jitter_of,
    newest_due,
    parse_schedule,
    ticks_to_fire,
)

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def at(text: str) -> datetime:
    """A time of 5 January 2026, such as `09:30`."""
    return datetime.fromisoformat(f"2026-01-05T{text}").replace(tzinfo=UTC)


def test_due_has_what_is_later_than_the_one_and_not_later_than_the_other() -> None:
    hourly = parse_schedule("hourly")

    assert due(hourly, at("09:00"), at("11:00"), 10) == [at("10:00"), at("11:00")]
    assert due(hourly, at("09:00"), at("11:00"), 1) == [at("10:00")]
    assert due(hourly, at("11:00"), at("09:00"), 10) == []


#: Catch-up, its limit, cursor and now (of an hourly schedule with a grace of a minute), what runs, and what is missed.
DECISIONS: list[tuple[str, int, str, str, list[str], list[str]]] = [
    # Nothing has passed.
    ("all", 9, "09:00", "09:59:59", [], []),
    # Right on time, and late by as much as the grace allows.
    ("none", 9, "09:00", "10:00", ["10:00"], []),
    ("none", 9, "09:00", "10:00:59", ["10:00"], []),
    ("latest", 9, "09:00", "10:00:59", ["10:00"], []),
    ("all", 9, "09:00", "10:00:59", ["10:00"], []),
    # A moment later it is missed.
    ("none", 9, "09:00", "10:01", [], ["10:00"]),
    ("latest", 9, "09:00", "10:01", ["10:00"], []),
    ("all", 9, "09:00", "10:01", ["10:00"], []),
    # Three have passed, and none of them just now.
    ("none", 9, "09:00", "12:30", [], ["10:00", "11:00", "12:00"]),
    ("latest", 9, "09:00", "12:30", ["12:00"], ["10:00", "11:00"]),
    ("all", 9, "09:00", "12:30", ["10:00", "11:00", "12:00"], []),
    ("all", 2, "09:00", "12:30", ["11:00", "12:00"], ["10:00"]),
    # The last of them is only late: it is the newest, and does not count towards the limit.
    ("none", 9, "09:00", "12:00:30", ["12:00"], ["10:00", "11:00"]),
    ("latest", 9, "09:00", "12:00:30", ["12:00"], ["10:00", "11:00"]),
    ("all", 1, "09:00", "12:00:30", ["11:00", "12:00"], ["10:00"]),
    # What the cursor has passed is decided already.
    ("all", 9, "12:00", "12:00:30", [], []),
    ("all", 9, "11:59:59", "12:00:30", ["12:00"], []),
    # The clock was set back behind the cursor.
    ("all", 9, "12:00", "10:00", [], []),
]


@pytest.mark.parametrize(("catch_up", "limit", "cursor", "now", "run", "missed"), DECISIONS)
def test_catch_up_decides_what_runs_and_what_is_missed(
    catch_up: str, limit: int, cursor: str, now: str, run: list[str], missed: list[str]
) -> None:
    schedule = parse_schedule({"hourly": 0, "catch_up": catch_up, "catch_up_limit": limit})

    found = ticks_to_fire(schedule, at(cursor), at(now))

    assert found == Ticks(run=tuple(map(at, run)), missed=tuple(map(at, missed)))


def test_all_that_is_late_runs_even_where_only_the_latest_is_caught_up() -> None:
    schedule = parse_schedule({"interval": 20, "catch_up": "latest"})

    found = ticks_to_fire(schedule, NOON - timedelta(seconds=100), NOON)

    assert found.run == tuple(NOON - timedelta(seconds=back) for back in (40, 20, 0))
    assert found.missed == tuple(NOON - timedelta(seconds=back) for back in (80, 60))


def test_a_schedule_that_is_paused_fires_nothing_and_misses_nothing() -> None:
    schedule = parse_schedule({"hourly": 0, "active": False, "catch_up": "all"})

    assert ticks_to_fire(schedule, at("09:00"), at("12:30")) == Ticks()


@pytest.mark.parametrize("rule", [{"interval": 1}, {"cron": "* * * * *"}, {"rrule": "FREQ=SECONDLY"}])
@pytest.mark.parametrize("catch_up", ["none", "latest", "all"])
def test_years_of_absence_cost_little_and_say_that_more_was_missed(rule: dict[str, Any], catch_up: str) -> None:
    schedule = parse_schedule({**rule, "catch_up": catch_up})

    started = clock.perf_counter()
    found = ticks_to_fire(schedule, NOON - timedelta(days=3000), NOON)
    taken = clock.perf_counter() - started

    assert taken < 2
    assert found.older_missed
    assert len(found.missed) == 1_000
    assert len(found.run) <= 160
    assert list(found.missed + found.run) == sorted(set(found.missed + found.run))
    assert found.run[-1:] == (NOON,)


def test_looking_back_reaches_the_cursor_and_no_further() -> None:
    daily = parse_schedule("daily at 06:00")

    assert newest_due(daily, NOON - timedelta(days=2), NOON, 5) == (
        [at("06:00") - timedelta(days=1), at("06:00")],
        False,
    )
    assert newest_due(daily, NOON - timedelta(days=900), NOON, 1) == ([at("06:00")], True)
    assert newest_due(daily, NOON, NOON, 5) == ([], False)


def test_jitter_is_the_same_wherever_it_is_computed() -> None:
    schedule = parse_schedule({"hourly": 0, "jitter": "10m"})

    # A change of these numbers moves runs of schedules that servers of another version compute as well.
    assert jitter_of(schedule, "etl/daily", NOON) == pytest.approx(206.66859537167818)
    assert jitter_of(schedule, "etl/daily", NOON.astimezone(None)) == jitter_of(schedule, "etl/daily", NOON)


def test_jitter_spreads_over_its_whole_length_and_never_before_the_instant() -> None:
    schedule = parse_schedule({"hourly": 0, "jitter": 600})

    found = [fire_at(schedule, f"flow/{number}", NOON) - NOON for number in range(1000)]

    assert timedelta(0) <= min(found) < timedelta(seconds=30)
    assert timedelta(seconds=570) < max(found) < timedelta(seconds=600)
    assert len(set(found)) == 1000


def test_without_jitter_a_run_begins_at_its_instant() -> None:
    assert fire_at(parse_schedule("hourly"), "etl", NOON) == NOON
