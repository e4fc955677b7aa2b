"""Rules as sentences: `every 15 minutes`, `daily at 06:00`, `every Monday to Friday at 06:00 and 18:00`."""

from __future__ import annotations

import re

from nadi.exceptions import DefinitionError
from nadi.model.schedules.moments import read_duration, read_times, read_weekdays
from nadi.model.schedules.rules import DailyRule, HourlyRule, IntervalRule, Rule, WeeklyRule

_AT = r"(?:\s+at\s+(?P<at>[\d:,\sand]+))?"
_DAILY = re.compile(rf"(?:daily|every\s+day){_AT}", re.IGNORECASE)
_WEEKLY = re.compile(rf"(?:weekly\s+on|every|on)\s+(?P<on>[a-z,\s-]+?){_AT}", re.IGNORECASE)
_HOURLY = re.compile(r"(?:hourly|every\s+hour)(?:\s+at\s+(?:minutes?\s+|:)?(?P<minutes>[\d,\sand]+))?", re.IGNORECASE)
_EVERY = re.compile(r"every\s+(?P<interval>.+)", re.IGNORECASE)

_UNIT = re.compile(r"(?:second|minute|week)", re.IGNORECASE)


def read_sentence(text: str) -> Rule | None:
    """Return the rule that a sentence means, or `None` where it is none that is known.

    Raises:
        DefinitionError: it is one, with a time or a length of time that cannot be.
    """
    if match := _HOURLY.fullmatch(text):
        return HourlyRule(minutes=_minutes(match["minutes"] or "0"))
    if match := _DAILY.fullmatch(text):
        return DailyRule(at=read_times(_commas(match["at"] or "00:00")))
    if match := _EVERY.fullmatch(text):
        told = match["interval"]
        if _UNIT.fullmatch(told):
            told = f"1 {told}"
        if told[0].isdigit():
            return IntervalRule(seconds=read_duration(told))
    if (match := _WEEKLY.fullmatch(text)) and (days := _known_days(match["on"])):
        return WeeklyRule(on=days, at=read_times(_commas(match["at"] or "00:00")))
    return None


def _commas(text: str) -> str:
    return re.sub(r"\s*\band\b\s*", ",", text.strip().lower())


def _minutes(text: str) -> tuple[int, ...]:
    numbers = [part.strip() for part in _commas(text).split(",")]
    return tuple(int(part) if part.isdigit() and len(part) < 4 else -1 for part in numbers)


def _known_days(text: str) -> tuple[str, ...]:
    try:
        return read_weekdays(text)
    except DefinitionError:
        return ()
