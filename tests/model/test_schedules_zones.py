"""What changes of the clocks do to rules: tables worked out by hand from the rule that model/schedules/zones.py states.

When the clocks of these zones change in 2026, in UTC:

- Europe/Berlin: 29 March 01:00, 02:00 becomes 03:00; 25 October 01:00, 03:00 becomes 02:00.
- America/New_York: 8 March 07:00, 02:00 becomes 03:00; 1 November 06:00, 02:00 becomes 01:00.
- Australia/Lord_Howe, by half an hour: 4 April 15:00, 02:00 becomes 01:30; 3 October 15:30, 02:00 becomes 02:30.
- Africa/Casablanca, for Ramadan: 15 February 02:00, 03:00 becomes 02:00; 22 March 02:00, 02:00 becomes 03:00.
- Asia/Kolkata: never; it is 5 hours and a half ahead.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from nadi.exceptions import DefinitionError
from nadi.model.schedules import find_zone, parse_schedule

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"
CASABLANCA, KOLKATA = "Africa/Casablanca", "Asia/Kolkata"

#: Zone, rule, after, until, and the instants between the two, all in UTC. `until` belongs to what is asked for.
Row = tuple[str, Any, str, str, list[str]]

NAMED_TIMES: list[Row] = [
    # Berlin skips 02:00 to 03:00. 02:30 is read with +01:00, the offset before: 01:30, where clocks show 03:30.
    (BERLIN, {"daily": "02:30"}, "03-28 00:00", "03-30 12:00", ["03-28 01:30", "03-29 01:30", "03-30 00:30"]),
    (BERLIN, "30 2 * * *", "03-28 12:00", "03-29 22:00", ["03-29 01:30"]),
    (BERLIN, "15 30 2 * * *", "03-28 12:00", "03-29 22:00", ["03-29 01:30:15"]),
    (BERLIN, {"daily": "02:00"}, "03-28 12:00", "03-29 22:00", ["03-29 01:00"]),
    (BERLIN, {"weekly": "sun", "at": "02:30"}, "03-28 12:00", "04-05 12:00", ["03-29 01:30", "04-05 00:30"]),
    (
        BERLIN,
        {"rrule": "FREQ=DAILY;BYHOUR=2;BYMINUTE=30"},
        "03-28 12:00",
        "03-30 12:00",
        ["03-29 01:30", "03-30 00:30"],
    ),
    (
        BERLIN,
        {"interval": "1d", "anchor": "2026-03-01T02:30"},
        "03-28 12:00",
        "03-30 12:00",
        ["03-29 01:30", "03-30 00:30"],
    ),
    (
        BERLIN,
        {"dates": ["2026-03-29T02:30", "2026-03-29T03:15"]},
        "03-28 12:00",
        "03-29 12:00",
        ["03-29 01:15", "03-29 01:30"],
    ),
    # 02:00 and 02:30 become the instants of 03:00 and 03:30, which the rule names anyway: one each.
    (BERLIN, "0,30 2,3 * * *", "03-28 12:00", "03-29 22:00", ["03-29 01:00", "03-29 01:30"]),
    # 02:30 lands behind 03:15.
    (BERLIN, {"daily": ["02:30", "03:15"]}, "03-28 12:00", "03-29 22:00", ["03-29 01:15", "03-29 01:30"]),
    # Asked for what is later than the moved instant of the day, or than one shortly before it.
    (BERLIN, {"daily": "02:30"}, "03-29 01:29", "03-29 12:00", ["03-29 01:30"]),
    (BERLIN, {"daily": "02:30"}, "03-29 01:30", "03-30 12:00", ["03-30 00:30"]),
    # Berlin has 02:00 to 03:00 twice, first with +02:00: 02:30 is 00:30, and not 01:30 again.
    (BERLIN, {"daily": "02:30"}, "10-24 12:00", "10-26 12:00", ["10-25 00:30", "10-26 01:30"]),
    (BERLIN, "30 2 * * *", "10-24 12:00", "10-25 22:00", ["10-25 00:30"]),
    (
        BERLIN,
        "0,30 2,3 * * *",
        "10-24 12:00",
        "10-25 22:00",
        ["10-25 00:00", "10-25 00:30", "10-25 02:00", "10-25 02:30"],
    ),
    (BERLIN, "30 2 * * *", "10-25 00:30", "10-25 22:00", []),
    (
        BERLIN,
        {"interval": "1d", "anchor": "2026-10-01T02:30"},
        "10-24 12:00",
        "10-26 12:00",
        ["10-25 00:30", "10-26 01:30"],
    ),
    # What does not lie in the hour that is skipped or repeated only moves against UTC.
    (BERLIN, {"daily": "06:00"}, "03-28 00:00", "03-30 00:00", ["03-28 05:00", "03-29 04:00"]),
    (BERLIN, {"daily": "06:00"}, "10-24 00:00", "10-26 00:00", ["10-24 04:00", "10-25 05:00"]),
    # New York skips 02:00 to 03:00 (-05:00 before) and has 01:00 to 02:00 twice (-04:00 first).
    (NEW_YORK, {"daily": "02:30"}, "03-07 12:00", "03-09 12:00", ["03-08 07:30", "03-09 06:30"]),
    (NEW_YORK, "0 2,3 * * *", "03-08 00:00", "03-09 00:00", ["03-08 07:00"]),
    (NEW_YORK, {"daily": "01:30"}, "10-31 12:00", "11-02 12:00", ["11-01 05:30", "11-02 06:30"]),
    (
        NEW_YORK,
        {"rrule": "FREQ=WEEKLY;BYDAY=SU;BYHOUR=1;BYMINUTE=0"},
        "10-31 12:00",
        "11-09 00:00",
        ["11-01 05:00", "11-08 06:00"],
    ),
    # Lord Howe has 01:30 to 02:00 twice (+11:00 first); 02:00 comes once, with +10:30.
    (LORD_HOWE, {"daily": "01:45"}, "04-04 00:00", "04-06 00:00", ["04-04 14:45", "04-05 15:15"]),
    (LORD_HOWE, {"daily": "02:00"}, "04-04 00:00", "04-05 00:00", ["04-04 15:30"]),
    # It skips 02:00 to 02:30 (+10:30 before): 02:15 is 15:45, where clocks show 02:45.
    (LORD_HOWE, {"daily": "02:15"}, "10-02 20:00", "10-04 20:00", ["10-03 15:45", "10-04 15:15"]),
    (LORD_HOWE, "*/15 2 * * *", "10-03 12:00", "10-03 20:00", ["10-03 15:30", "10-03 15:45"]),
    # Casablanca has 02:00 to 03:00 twice (+01:00 first) when Ramadan begins, and skips it (+00:00 before) at its end.
    (CASABLANCA, {"daily": "02:30"}, "02-14 12:00", "02-16 12:00", ["02-15 01:30", "02-16 02:30"]),
    (CASABLANCA, {"daily": "02:30"}, "03-20 12:00", "03-23 12:00", ["03-21 02:30", "03-22 02:30", "03-23 01:30"]),
    (CASABLANCA, "0 2,3 * * *", "03-21 12:00", "03-22 12:00", ["03-22 02:00"]),
    # Kolkata: half past two is nine in the evening before, the whole year.
    (KOLKATA, {"daily": "02:30"}, "03-28 00:00", "03-30 00:00", ["03-28 21:00", "03-29 21:00"]),
    (KOLKATA, "30 2 25 10 *", "10-24 00:00", "10-26 00:00", ["10-24 21:00"]),
]

FOLLOWING_THE_CLOCK: list[Row] = [
    # Berlin: after 01:30 clocks show 03:00; half hours pass evenly.
    (
        BERLIN,
        "*/30 * * * *",
        "03-29 00:00",
        "03-29 02:00",
        ["03-29 00:30", "03-29 01:00", "03-29 01:30", "03-29 02:00"],
    ),
    (BERLIN, {"hourly": 15}, "03-29 00:00", "03-29 03:00", ["03-29 00:15", "03-29 01:15", "03-29 02:15"]),
    # 02:00 is never shown.
    (BERLIN, "0 */2 * * *", "03-28 22:30", "03-29 04:00", ["03-28 23:00", "03-29 02:00", "03-29 04:00"]),
    (BERLIN, {"rrule": "FREQ=HOURLY"}, "03-28 23:00", "03-29 02:00", ["03-29 00:00", "03-29 01:00", "03-29 02:00"]),
    # Berlin: 02:00 and 02:30 are shown twice; half hours pass evenly.
    (
        BERLIN,
        "*/30 * * * *",
        "10-24 23:30",
        "10-25 01:30",
        ["10-25 00:00", "10-25 00:30", "10-25 01:00", "10-25 01:30"],
    ),
    (BERLIN, "*/30 0-23 * * *", "10-25 00:30", "10-25 01:30", ["10-25 01:00", "10-25 01:30"]),
    (BERLIN, {"hourly": [15]}, "10-24 23:30", "10-25 02:30", ["10-25 00:15", "10-25 01:15", "10-25 02:15"]),
    (BERLIN, "0 */2 * * *", "10-24 21:30", "10-25 03:30", ["10-24 22:00", "10-25 00:00", "10-25 01:00", "10-25 03:00"]),
    (
        BERLIN,
        {"rrule": "FREQ=MINUTELY;INTERVAL=30"},
        "10-25 00:00",
        "10-25 02:00",
        ["10-25 00:30", "10-25 01:00", "10-25 01:30", "10-25 02:00"],
    ),
    # Asked in the middle of the repeated hour, in its first and in its second pass.
    (BERLIN, "45 * * * *", "10-25 00:50", "10-25 02:00", ["10-25 01:45"]),
    (BERLIN, "10 * * * *", "10-25 01:05", "10-25 02:00", ["10-25 01:10"]),
    # An interval that is not of whole days is time that passes: from midnight of Berlin, 23:00 in UTC, every 6 hours.
    (BERLIN, {"interval": "6h"}, "03-28 20:00", "03-29 12:00", ["03-28 23:00", "03-29 05:00", "03-29 11:00"]),
    (BERLIN, {"interval": "6h"}, "10-24 20:00", "10-25 12:00", ["10-24 23:00", "10-25 05:00", "10-25 11:00"]),
    # New York: 01:30 is followed by 03:00; in November 01:00 and 01:30 are shown twice.
    (NEW_YORK, "*/30 * * * *", "03-08 06:00", "03-08 07:30", ["03-08 06:30", "03-08 07:00", "03-08 07:30"]),
    (
        NEW_YORK,
        "*/30 * * * *",
        "11-01 05:00",
        "11-01 07:00",
        ["11-01 05:30", "11-01 06:00", "11-01 06:30", "11-01 07:00"],
    ),
    # Lord Howe: after 01:45 clocks show 01:30 and 01:45 again. The full hours 01:00 and 02:00 lie 90 minutes apart.
    (
        LORD_HOWE,
        "*/15 * * * *",
        "04-04 14:30",
        "04-04 15:30",
        ["04-04 14:45", "04-04 15:00", "04-04 15:15", "04-04 15:30"],
    ),
    (LORD_HOWE, {"hourly": 0}, "04-04 13:30", "04-04 16:30", ["04-04 14:00", "04-04 15:30", "04-04 16:30"]),
    # In October 02:00 is not shown, and 02:30 follows 01:30 at half the time.
    (LORD_HOWE, {"hourly": 0}, "10-03 14:00", "10-03 16:30", ["10-03 14:30", "10-03 16:00"]),
    (LORD_HOWE, {"hourly": 30}, "10-03 14:30", "10-03 16:30", ["10-03 15:00", "10-03 15:30", "10-03 16:30"]),
    (LORD_HOWE, {"interval": "30m"}, "10-03 15:00", "10-03 16:00", ["10-03 15:30", "10-03 16:00"]),
    # Casablanca: 02:00 and 02:30 are shown twice in February; in March 01:30 is followed by 03:00.
    (
        CASABLANCA,
        "*/30 * * * *",
        "02-15 01:00",
        "02-15 03:00",
        ["02-15 01:30", "02-15 02:00", "02-15 02:30", "02-15 03:00"],
    ),
    (CASABLANCA, "*/30 * * * *", "03-22 01:00", "03-22 02:30", ["03-22 01:30", "03-22 02:00", "03-22 02:30"]),
    # Kolkata: its full hours are half hours of UTC.
    (KOLKATA, {"hourly": 0}, "03-29 00:00", "03-29 02:00", ["03-29 00:30", "03-29 01:30"]),
    (KOLKATA, {"interval": "6h"}, "10-24 18:00", "10-25 12:00", ["10-24 18:30", "10-25 00:30", "10-25 06:30"]),
]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


@pytest.mark.parametrize(("zone", "rule", "after", "until", "expected"), NAMED_TIMES)
def test_a_rule_that_names_local_times_fires_once_for_each(
    zone: str, rule: Any, after: str, until: str, expected: list[str]
) -> None:
    table = {"cron": rule} if isinstance(rule, str) else rule
    schedule = parse_schedule({**table, "timezone": zone})

    found = list(schedule.instants(utc(after), utc(until)))

    assert found == [utc(text) for text in expected]
    assert not schedule.rule.follows_clock


@pytest.mark.parametrize(("zone", "rule", "after", "until", "expected"), FOLLOWING_THE_CLOCK)
def test_a_rule_that_leaves_the_hours_open_follows_the_clock(
    zone: str, rule: Any, after: str, until: str, expected: list[str]
) -> None:
    table = {"cron": rule} if isinstance(rule, str) else rule
    schedule = parse_schedule({**table, "timezone": zone})

    found = list(schedule.instants(utc(after), utc(until)))

    assert found == [utc(text) for text in expected]


def test_a_day_that_a_zone_left_out_is_the_day_after() -> None:
    # Samoa went over the date line: 29 December 2011 was followed by the 31st, from -10:00 to +14:00.
    schedule = parse_schedule({"daily": "12:00", "timezone": "Pacific/Apia"})

    found = schedule.next(3, datetime(2011, 12, 29, 12, tzinfo=UTC))

    # The 30th at noon with -10:00 is 22:00 of the 30th, as the 31st at noon with +14:00 is.
    assert [f"{at:%m-%d %H:%M}" for at in found] == ["12-29 22:00", "12-30 22:00", "12-31 22:00"]


def test_a_midnight_that_is_skipped_is_one_o_clock() -> None:
    # Cairo, 24 April 2026: 00:00 becomes 01:00, from +02:00 to +03:00.
    schedule = parse_schedule("daily at 00:00 Africa/Cairo")

    found = schedule.next(2, datetime(2026, 4, 23, 12, tzinfo=UTC))

    assert [f"{at:%m-%d %H:%M}" for at in found] == ["04-23 22:00", "04-24 21:00"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Europe/Berln", "did you mean 'Europe/Berlin'?"),
        ("berlin", "did you mean 'Europe/Berlin'?"),
        ("america/new_york", "did you mean 'America/New_York'?"),
        ("New York", "did you mean 'America/New_York'?"),
        ("Europe", "There is no time zone 'Europe'"),
        ("", "There is no time zone ''"),
        ("../../etc/passwd", "There is no time zone"),
        ("right/Europe/Berlin", "There is no time zone"),
        ("+02:00", "expected an IANA name such as 'Europe/Berlin' or 'UTC'"),
    ],
)
def test_a_zone_that_is_not_there_is_refused_with_the_closest_name(name: str, told: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        find_zone(name)

    assert told in str(caught.value)
