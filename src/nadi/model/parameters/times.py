"""Kinds of dates and times. ISO 8601 text and Unix seconds are read; nothing is cut off silently."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from nadi.model.parameters.kind import Kind
from nadi.model.parameters.scalars import Scalar

# Patterns stay text until first used: compiling them would cost each import a millisecond.
_NUMBER = r"[+-]?\d+(\.\d+)?"
_ISO_DURATION = (
    r"(?P<sign>[+-])?P(?=.)(?:(?P<weeks>\d+(?:\.\d+)?)W)?(?:(?P<days>\d+(?:\.\d+)?)D)?"
    r"(?:T(?=.)(?:(?P<hours>\d+(?:\.\d+)?)H)?(?:(?P<minutes>\d+(?:\.\d+)?)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)
# No sign before days: Python writes minus one hour as "-1 day, 23:00:00", which others read as minus 47 hours.
_CLOCK_DURATION = (
    r"(?:(?P<sign>[+-])|(?P<days>\d+) days?, )?"
    r"(?P<hours>\d+):(?P<minutes>[0-5]?\d)(?::(?P<seconds>[0-5]?\d(?:\.\d+)?))?"
)
#: Unix times beyond this are milliseconds: as seconds it would be the year 2603.
_MILLISECONDS_FROM = 2e10


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    if isinstance(value, str):
        text = value.strip()
        # Eight digits are a date (20240131), other plain numbers are Unix time.
        if not re.fullmatch(_NUMBER, text) or len(text) == 8:
            return datetime.fromisoformat(text)
        value = float(text)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError
    seconds = value / 1000 if abs(value) > _MILLISECONDS_FROM else value
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=seconds)


def _day(value: Any) -> date:
    moment = _moment(value)
    if moment.time() != time():
        raise ValueError  # the time of day would be lost
    return moment.date()


def _time_of_day(value: Any) -> time:
    if isinstance(value, str):
        return time.fromisoformat(value.strip())
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 86400:
        raise ValueError
    return (datetime(2000, 1, 1) + timedelta(seconds=value)).time()


def _duration(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str):
        text = value.strip()
        found = re.fullmatch(_ISO_DURATION, text.upper()) or re.fullmatch(_CLOCK_DURATION, text)
        if found:
            parts = found.groupdict()
            sign = -1 if parts.pop("sign") == "-" else 1
            return sign * timedelta(**{unit: float(count) for unit, count in parts.items() if count})
        value = float(text)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError
    return timedelta(seconds=value)


TIMES: dict[Any, Kind] = {
    datetime: Scalar(
        datetime,
        "a date and time (datetime, ISO 8601 text or Unix seconds)",
        _moment,
        {"type": "string", "format": "date-time"},
    ),
    date: Scalar(date, "a date (date or ISO 8601 text)", _day, {"type": "string", "format": "date"}, unless=datetime),
    time: Scalar(time, "a time of day (time or ISO 8601 text)", _time_of_day, {"type": "string", "format": "time"}),
    timedelta: Scalar(
        timedelta,
        "a duration (timedelta, seconds, or ISO 8601 text such as 'PT90S')",
        _duration,
        {"anyOf": [{"type": "number"}, {"type": "string", "format": "duration"}]},
    ),
}
