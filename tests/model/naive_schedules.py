"""A second implementation of when rules fire: it looks at every minute, and shares nothing with the first one."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)

WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]


def fits_cron(line: str, wall: datetime, *, day_or: bool = True) -> bool:
    """Whether a local time fits a line of five fields."""
    minute, hour, day, month, weekday = line.split()
    by_day = any(fits_day(part, wall) for part in day.split(","))
    by_weekday = any(fits_weekday(part, wall) for part in weekday.split(","))
    days = by_day or by_weekday if day_or and day[0] != "*" and weekday[0] != "*" else by_day and by_weekday
    return (
        days
        and any(fits_part(part, wall.minute, 0) for part in minute.split(","))
        and any(fits_part(part, wall.hour, 0) for part in hour.split(","))
        and any(fits_part(part, wall.month, 1) for part in month.split(","))
    )


def fits_part(part: str, value: int, low: int) -> bool:
    span, _, step = part.partition("/")
    if span == "*":
        return (value - low) % int(step or 1) == 0
    first, _, last = span.partition("-")
    begin = number(first)
    if not last and not step:
        return value == begin
    return begin <= value <= (number(last) if last else 99) and (value - begin) % int(step or 1) == 0


def number(text: str) -> int:
    return WEEKDAYS.index(text) if text in WEEKDAYS else int(text)


def fits_day(part: str, wall: datetime) -> bool:
    last = calendar.monthrange(wall.year, wall.month)[1]
    if part.startswith("L"):
        return wall.day == last - int(part[2:] or 0)
    return fits_part(part, wall.day, 1)


def fits_weekday(part: str, wall: datetime) -> bool:
    day = (wall.weekday() + 1) % 7
    if "#" in part:
        name, _, nth = part.partition("#")
        return day == number(name) % 7 and (wall.day - 1) // 7 + 1 == int(nth)
    if part.endswith("L"):
        return day == number(part[:-1]) % 7 and (wall + timedelta(days=7)).month != wall.month
    return fits_part(part, day, 0) or (day == 0 and part[0] != "*" and fits_part(part, 7, 0))


def follows_clock(line: str) -> bool:
    return line.split()[1].startswith("*")


def cron_instants(
    line: str, zone: ZoneInfo, after: datetime, until: datetime, *, day_or: bool = True
) -> list[datetime]:
    """All instants of a line, by looking at what clocks show at every minute, or at every local time there could be."""
    # Some hours more to both sides, for local times that are skipped or repeated.
    minutes = [(at, local(at, zone)) for at in every_minute(after - 3 * HOUR, until + 3 * HOUR)]
    if follows_clock(line):
        found = [at for at, wall in minutes if fits_cron(line, wall, day_or=day_or)]
    else:
        found = [
            instant(wall, minutes)
            for wall in every_minute(minutes[0][1] + HOUR, minutes[-1][1] - HOUR)
            if fits_cron(line, wall, day_or=day_or)
        ]
    return sorted({at for at in found if after < at <= until})


def every_minute(start: datetime, end: datetime) -> Iterator[datetime]:
    at = start.replace(second=0, microsecond=0)
    while at <= end:
        yield at
        at += MINUTE


def local(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)


def instant(wall: datetime, minutes: list[tuple[datetime, datetime]]) -> datetime:
    """The first minute at which clocks show a local time; where none does, it is counted on from the last before it."""
    for (before, told_before), (at, told) in pairwise(minutes):
        if told == wall:
            return at
        if told > wall:
            return before + (wall - told_before)
    raise AssertionError(f"{wall} lies outside of what was looked at")


def counted_walls(text: str, start: datetime, steps: int) -> tuple[list[datetime], datetime]:
    """The local times of an RRULE counted in hours or less, by taking one step after the other, and how far it got."""
    parts = dict(part.split("=") for part in text.split(";"))
    unit = {"HOURLY": 3600, "MINUTELY": 60, "SECONDLY": 1}[parts["FREQ"]]
    found = []
    at = start
    for step in range(steps):
        at = start + timedelta(seconds=step * unit * int(parts.get("INTERVAL", 1)))
        minutes = listed(parts, "BYMINUTE") if unit == 3600 else {at.minute}
        seconds = listed(parts, "BYSECOND") if unit >= 60 else {at.second}
        for minute in minutes or {at.minute}:
            for second in seconds or {at.second}:
                wall = at.replace(minute=minute, second=second)
                if wall >= start and fits_counted(parts, wall):
                    found.append(wall)
    end = at.replace(minute=0, second=0) if unit == 3600 else at.replace(second=0)
    return sorted(wall for wall in found if wall < end), end


def fits_counted(parts: dict[str, str], wall: datetime) -> bool:
    weekday = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"][wall.weekday()]
    return all(
        not listed(parts, key) or value in listed(parts, key)
        for key, value in (("BYHOUR", wall.hour), ("BYMINUTE", wall.minute), ("BYSECOND", wall.second))
    ) and weekday in parts.get("BYDAY", weekday).split(",")


def listed(parts: dict[str, str], key: str) -> set[int]:
    return {int(value) for value in parts[key].split(",")} if key in parts else set()
