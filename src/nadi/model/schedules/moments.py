"""Times, dates, durations and days of the week as people write them, in text or as TOML has them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from nadi.exceptions import DefinitionError, SettingError
from nadi.model.parameters.names import close_match
from nadi.model.schedules.rules import WEEKDAYS
from nadi.model.text import parse_duration, safe_repr

Word = TypeVar("Word", bound=StrEnum)

_FULL_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

#: What stands for several days.
_SEVERAL = {"weekdays": WEEKDAYS[:5], "weekday": WEEKDAYS[:5], "weekend": WEEKDAYS[5:], "day": WEEKDAYS}

#: Units as words, longest first, and how durations are written shortly.
_UNITS = re.compile(r"(?<=[\d\s])(weeks?|days?|hours?|minutes?|mins?|seconds?|secs?)\b")


def read_list(value: Any) -> list[Any]:
    """Return a list as it is, and anything else as a list of one."""
    return list(value) if isinstance(value, list | tuple | set | frozenset) else [value]


def read_duration(value: Any) -> float:
    """Return seconds: of a number, a timedelta, or text such as `15m`, `1h30m` or `15 minutes`."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15:
        return float(value)
    if isinstance(value, str):
        try:
            return parse_duration(_UNITS.sub(lambda unit: unit[1][0], value.strip().lower()))
        except SettingError:
            pass
    raise DefinitionError(
        f"expected seconds, or a length of time such as '15m' or '1h30m', not {safe_repr(value, 60)}."
    )


def read_moment(value: Any) -> datetime:
    """Return a datetime: of one, of a date (its midnight), or of text such as `2026-01-01T09:00`."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value.strip())
        except ValueError:
            pass
    raise DefinitionError(f"expected a date and time such as '2026-01-01T09:00', not {safe_repr(value, 60)}.")


def read_date(value: Any) -> date:
    """Return a date: of one, or of text such as `2026-12-25`."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            pass
    raise DefinitionError(f"expected a date such as '2026-12-25', not {safe_repr(value, 60)}.")


def read_dates(value: Any) -> tuple[date, ...]:
    """Return dates, of one or of a list of them."""
    return tuple(read_date(one) for one in read_list(value))


def read_times(value: Any) -> tuple[time, ...]:
    """Return times of day: of one or of a list of them, or of text such as `06:00` or `06:00, 18:30`."""
    items = [part for one in read_list(value) for part in (one.split(",") if isinstance(one, str) else [one])]
    return tuple(_time(one) for one in items)


def _time(value: Any) -> time:
    if isinstance(value, time):
        return value
    match = re.fullmatch(r"\s*(\d{1,2}):(\d\d)(?::(\d\d))?\s*", value) if isinstance(value, str) else None
    try:
        if match is not None:
            return time(int(match[1]), int(match[2]), int(match[3] or 0))
    except ValueError:
        pass
    raise DefinitionError(f"expected a time of day such as '06:00', not {safe_repr(value, 60)}.")


def read_weekdays(value: Any) -> tuple[str, ...]:
    """Return days of the week: of `mon`, `Monday`, `mon-fri`, `weekdays`, several in one text, or a list of these."""
    found: list[str] = []
    for one in read_list(value):
        if not isinstance(one, str):
            raise DefinitionError(f"expected days of the week such as 'mon', not {safe_repr(one, 60)}.")
        for part in re.split(r"\s*(?:,|\band\b)\s*", one.strip().lower()):
            found += _days(part.strip())
    return tuple(found)


def _days(text: str) -> Sequence[str]:
    if text in _SEVERAL:
        return _SEVERAL[text]
    first, dash, last = re.sub(r"\s+to\s+", "-", text).partition("-")
    begin = WEEKDAYS.index(_day(first))
    if not dash:
        return (WEEKDAYS[begin],)
    end = WEEKDAYS.index(_day(last))
    return WEEKDAYS[begin : end + 1] if begin <= end else WEEKDAYS[begin:] + WEEKDAYS[: end + 1]


def _day(text: str) -> str:
    name = text.strip().removesuffix("s") if text.strip() not in WEEKDAYS else text.strip()
    for short, full in zip(WEEKDAYS, _FULL_NAMES, strict=True):
        if name in (short, full):
            return short
    raise DefinitionError(
        f"there is no day of the week {text!r}{close_match(text, _FULL_NAMES)}; expected 'mon' to 'sun'."
    )


def read_word(kind: type[Word], value: Any) -> Word:
    """Return the member of an enum that a text names."""
    try:
        return kind(value)
    except ValueError:
        expected = ", ".join(repr(one.value) for one in kind)
        hint = close_match(str(value), [one.value for one in kind])
        raise DefinitionError(f"there is no {safe_repr(value, 60)}{hint}; expected {expected}.") from None
