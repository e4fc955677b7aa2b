"""Rules against second implementations: one that looks at every minute, and dateutil's for recurrence rules."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, takewhile
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from dateutil import rrule as dateutil_rrule
from hypothesis import given, settings
from hypothesis import strategies as st

from nadi.exceptions import DefinitionError
from nadi.model.schedules import (
    AllOf,
    AnyOf,
    BusinessDays,
    CronRule,
    DateRange,
    Filter,
    Fires,
    IntervalRule,
    MonthDays,
    Not,
    OnDates,
    Period,
    RecurrenceRule,
    Rule,
    Schedule,
    Shift,
    TimesOfDay,
    ToBusinessDay,
    Weekdays,
    YearDays,
    due,
    newest_due,
    schedule_from_json,
    schedule_to_json,
)
from tests.model import naive_schedules

#: In UTC, near to where the clocks of some zone change, and elsewhere.
CHANGES = {
    "Europe/Berlin": [datetime(2026, 3, 29, 1), datetime(2026, 10, 25, 1)],
    "America/New_York": [datetime(2026, 3, 8, 7), datetime(2026, 11, 1, 6)],
    "Australia/Lord_Howe": [datetime(2026, 4, 4, 15), datetime(2026, 10, 3, 15, 30)],
    "Africa/Casablanca": [datetime(2026, 2, 15, 2), datetime(2026, 3, 22, 2)],
    "Africa/Cairo": [datetime(2026, 4, 23, 22), datetime(2026, 10, 29, 21)],
    "America/St_Johns": [datetime(2010, 11, 7, 2, 31), datetime(2011, 3, 13, 3, 31)],
    "Asia/Kolkata": [datetime(2026, 3, 29, 1)],
}

PLACES = [(zone, change.replace(tzinfo=UTC)) for zone, changes in CHANGES.items() for change in changes]


Made = TypeVar("Made")


def unless_it_never_fires(make: Callable[[], Made]) -> Made | None:
    """What is made; `None` where it is refused because it never fires, and for no other reason."""
    try:
        return make()
    except DefinitionError as error:
        if "never fires" not in str(error):
            raise
        return None


def field(low: int, high: int, *, star: int) -> st.SearchStrategy[str]:
    numbers = st.integers(low, high)
    ranges = st.tuples(numbers, numbers).map(lambda ends: f"{min(ends)}-{max(ends)}")
    steps = st.tuples(st.one_of(st.just("*"), ranges), st.integers(1, 7)).map(lambda both: f"{both[0]}/{both[1]}")
    parts = st.lists(st.one_of(numbers.map(str), ranges, steps), min_size=1, max_size=3).map(",".join)
    return st.one_of(*[st.just("*")] * star, parts)


weekdays = st.one_of(
    field(0, 6, star=5), st.just("7"), st.just("fri-sun"), st.integers(0, 7).map("{}L".format), st.just("sun#2,mon#1")
)
days = st.one_of(field(1, 31, star=5), st.integers(0, 3).map(lambda back: f"L-{back}" if back else "L"))
hours = st.one_of(field(0, 5, star=2), field(0, 23, star=1))
lines = st.tuples(field(0, 59, star=1), hours, days, field(1, 12, star=5), weekdays).map(" ".join)


@settings(max_examples=120, deadline=None)
@given(lines, st.booleans(), st.sampled_from(PLACES), st.integers(-26 * 60, 10 * 60))
def test_a_cron_line_fires_when_looking_at_every_minute_says_so(
    line: str, day_or: bool, place: tuple[str, datetime], minutes: int
) -> None:
    zone, change = place
    rule = unless_it_never_fires(lambda: CronRule(line=line, day_or=day_or))
    if rule is None:
        return
    after = change + timedelta(minutes=minutes)
    until = after + timedelta(hours=20)

    found = due(Schedule(rule=rule, timezone=zone), after, until, 10_000)

    expected = naive_schedules.cron_instants(
        line.replace("fri-sun", "fri,sat,sun"), ZoneInfo(zone), after, until, day_or=day_or
    )
    # All 24 hours, however they are written, are left open; the other implementation knows only the star.
    if rule.follows_clock == naive_schedules.follows_clock(line):
        assert found == expected


# -- recurrence rules -----------------------------------------------------------------------


def numbers(key: str, low: int, high: int, *, from_end: bool = False) -> st.SearchStrategy[str]:
    one = st.integers(low, high)
    any_sign = st.one_of(one, one.map(lambda value: -value)) if from_end else one
    return st.lists(any_sign, min_size=1, max_size=3, unique=True).map(
        lambda found: f";{key}={','.join(map(str, found))}"
    )


def maybe(strategy: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(st.just(""), st.just(""), strategy)


CODES = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


def listed(codes: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(codes, min_size=1, max_size=3, unique=True).map(lambda found: ";BYDAY=" + ",".join(found))


@st.composite
def recurrences(draw: st.DrawFn) -> str:
    """Rules of a day or more."""
    frequency = draw(st.sampled_from(["YEARLY", "MONTHLY", "WEEKLY", "DAILY"]))
    long = frequency in ("YEARLY", "MONTHLY")
    text = f"FREQ={frequency}" + draw(maybe(st.integers(1, 3 if long else 40).map(";INTERVAL={}".format)))
    text += draw(maybe(numbers("BYMONTH", 1, 12)))
    text += draw(maybe(numbers("BYMONTHDAY", 1, 31, from_end=True)))
    by_week = draw(maybe(numbers("BYWEEKNO", 1, 53, from_end=True))) if frequency == "YEARLY" else ""
    text += by_week
    plain = st.sampled_from(CODES)
    nth = st.tuples(st.sampled_from(["1", "2", "-1", "4"]), plain).map("".join)
    # Where days with and without a number stand side by side, dateutil lets only what fits both of them pass.
    text += draw(maybe(st.one_of(listed(plain), listed(nth)) if long and not by_week else listed(plain)))
    text += draw(maybe(numbers("BYHOUR", 0, 23))) + draw(maybe(numbers("BYMINUTE", 0, 59)))
    # dateutil begins the first week at the first day, and not at the beginning of the week.
    if ";BY" in text and frequency != "WEEKLY":
        text += draw(maybe(st.sampled_from([";BYSETPOS=1", ";BYSETPOS=-1", ";BYSETPOS=2,-2"])))
    return text + draw(maybe(plain.map(";WKST={}".format)))


starts = st.datetimes(datetime(2019, 1, 1), datetime(2025, 1, 1)).map(lambda at: at.replace(microsecond=0))


def names(lines: str, after: datetime, count: int) -> list[datetime]:
    found = Schedule(rule=RecurrenceRule(text=lines)).next(count, after.replace(tzinfo=UTC))
    return [at.replace(tzinfo=None) for at in found]


@settings(max_examples=80, deadline=None)
@given(recurrences(), st.sampled_from([0, 3, 400]), st.integers(0, 20), starts)
def test_a_recurrence_rule_names_the_times_that_dateutil_finds(
    text: str, days_later: int, count: int, start: datetime
) -> None:
    lines = f"DTSTART:{start:%Y%m%dT%H%M%S}\nRRULE:{text}" + (f";COUNT={count}" if count else "")
    after = start + timedelta(days=days_later, seconds=-1)
    found = unless_it_never_fires(lambda: names(lines, after, 5))
    if found is None:
        return  # dateutil looks until the year 9999

    # Where there are fewer, dateutil looks until then as well, unless it counts.
    expected = list(islice(dateutil_rrule.rrulestr(lines).xafter(after), 5 if count else len(found)))

    assert found == expected


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(["HOURLY", "MINUTELY", "SECONDLY"]),
    st.one_of(st.integers(1, 5), st.integers(1, 10_000)),
    maybe(numbers("BYHOUR", 0, 23)),
    maybe(numbers("BYMINUTE", 0, 59)),
    maybe(numbers("BYSECOND", 0, 59)),
    maybe(listed(st.sampled_from(CODES))),
    st.integers(0, 100),
    starts,
)
def test_a_recurrence_counted_in_hours_or_less_fires_when_counting_one_by_one_says_so(
    frequency: str, interval: int, hours: str, minutes: str, seconds: str, weekdays: str, later: int, start: datetime
) -> None:
    text = f"FREQ={frequency};INTERVAL={interval}{hours}{minutes}{seconds}{weekdays}"
    walls, end = naive_schedules.counted_walls(text, start, 800)
    after = walls[min(later, len(walls) - 1)] if walls else start - timedelta(seconds=1)
    expected = [wall for wall in walls if wall > after]
    rule = unless_it_never_fires(lambda: RecurrenceRule(text=f"DTSTART:{start:%Y%m%dT%H%M%S}\nRRULE:{text}"))
    if rule is None:
        assert walls == []
        return

    found = takewhile(lambda at: at < end.replace(tzinfo=UTC), Schedule(rule=rule).instants(after.replace(tzinfo=UTC)))

    assert [at.replace(tzinfo=None) for at in islice(found, 200)] == expected[:200]


@settings(max_examples=40, deadline=None)
@given(recurrences(), st.integers(0, 4000))
def test_asking_later_gives_the_rest_of_what_asking_early_gave(text: str, skipped: int) -> None:
    rule = unless_it_never_fires(lambda: RecurrenceRule(text=text))
    if rule is None:
        return
    schedule = Schedule(rule=rule, timezone="Europe/Berlin")
    early = schedule.next(12, datetime(2020, 3, 1, tzinfo=UTC) + timedelta(hours=skipped))

    late = [schedule.next(11 - number, at) for number, at in enumerate(early[:-1])]

    assert late == [early[number + 1 :] for number in range(len(early) - 1)]


# -- filters, adjustments, looking back -------------------------------------------------------

dates = st.dates(date(2026, 2, 20), date(2026, 4, 20))
times = st.builds(time, st.integers(0, 23), st.integers(0, 59))
month_days = st.tuples(st.integers(1, 12), st.integers(1, 31))
moments = st.datetimes(datetime(2026, 2, 20), datetime(2026, 4, 20)).map(lambda at: at.replace(tzinfo=UTC))

leaves: st.SearchStrategy[Filter] = st.one_of(
    st.builds(BusinessDays, holidays=st.lists(dates, max_size=3).map(tuple)),
    st.builds(BusinessDays, nth=st.just((1, -1))),
    st.builds(Weekdays, days=st.lists(st.sampled_from(["mon", "wed", "sat", "sun"]), min_size=1).map(tuple)),
    st.builds(MonthDays, days=st.lists(st.sampled_from([1, 15, 29, -1]), min_size=1).map(tuple)),
    st.builds(YearDays, first=month_days, last=month_days),
    st.builds(OnDates, dates=st.lists(dates, max_size=4).map(tuple)),
    st.tuples(dates, dates).map(lambda ends: DateRange(first=min(ends), last=max(ends))),
    st.builds(Period, first=moments, last=st.none() | moments),
    st.builds(TimesOfDay, first=times, last=times),
    st.builds(
        Fires,
        rule=st.sampled_from([CronRule(line="0 */3 * * *"), CronRule(line="0 5 * * 1,3")]),
        whole_days=st.booleans(),
    ),
)
filters = st.recursive(
    leaves,
    lambda inner: st.one_of(
        inner.map(lambda one: Not(filter=one)),
        st.lists(inner, min_size=1, max_size=3).map(lambda found: AnyOf(filters=tuple(found))),
        st.lists(inner, min_size=1, max_size=3).map(lambda found: AllOf(filters=tuple(found))),
    ),
    max_leaves=4,
)
rules: st.SearchStrategy[Rule] = st.sampled_from(
    [
        IntervalRule(seconds=1800),
        CronRule(line="*/20 * * * *"),
        CronRule(line="5,35 1-6 * * *"),
        RecurrenceRule(text="FREQ=HOURLY;INTERVAL=2"),
    ]
)
ZONES = ["Europe/Berlin", "America/New_York", "Africa/Casablanca", "UTC"]


@settings(max_examples=100, deadline=None)
@given(rules, st.lists(filters, max_size=3), st.sampled_from(ZONES), moments)
def test_filters_let_exactly_what_they_all_let_pass_one_by_one(
    rule: Rule, chosen: list[Filter], zone: str, after: datetime
) -> None:
    until = after + timedelta(days=35)
    plain = due(Schedule(rule=rule, timezone=zone), after, until, 10_000)

    found = due(Schedule(rule=rule, timezone=zone, filters=tuple(chosen)), after, until, 10_000)

    local = ZoneInfo(zone)
    assert found == [at for at in plain if all(one.passes(at.astimezone(local)) for one in chosen)]


@settings(max_examples=60, deadline=None)
@given(rules, st.sampled_from(ZONES), moments, st.lists(dates, max_size=4).map(tuple), st.integers(-90000, 90000))
def test_adjusted_times_are_those_of_the_rule_moved_and_in_order(
    rule: Rule, zone: str, after: datetime, holidays: tuple[date, ...], seconds: int
) -> None:
    until = after + timedelta(days=5)
    moves: tuple[Any, ...] = (ToBusinessDay(holidays=holidays), Shift(seconds=seconds))
    wide = due(Schedule(rule=rule, timezone=zone), after - timedelta(days=12), until + timedelta(days=12), 10_000)

    found = due(Schedule(rule=rule, timezone=zone, adjustments=moves), after, until, 10_000)

    moved = {moves[1].move(moves[0].move(at, ZoneInfo(zone)), ZoneInfo(zone)) for at in wide}
    assert found == sorted(at for at in moved if after < at <= until)


@settings(max_examples=60, deadline=None)
@given(rules, moments, st.integers(0, 40 * 86400), st.integers(1, 50))
def test_looking_back_finds_the_newest_of_all_that_was_due(
    rule: Rule, after: datetime, seconds: int, limit: int
) -> None:
    schedule = Schedule(rule=rule, timezone="Europe/Berlin")
    until = after + timedelta(seconds=seconds)
    everything = due(schedule, after, until, 100_000)

    newest, more = newest_due(schedule, after, until, limit)

    assert newest == everything[-limit:]
    assert more == (len(everything) > limit)


@settings(max_examples=80, deadline=None)
@given(rules, st.lists(filters, max_size=3), st.sampled_from(ZONES))
def test_a_schedule_comes_back_from_its_json_as_it_was(rule: Rule, chosen: list[Filter], zone: str) -> None:
    schedule = Schedule(rule=rule, timezone=zone, filters=tuple(chosen), parameters={"region": "eu"}, jitter=2.5)

    form = schedule_to_json(schedule)

    assert schedule_from_json(form) == schedule
    assert schedule_to_json(schedule_from_json(form)) == form
