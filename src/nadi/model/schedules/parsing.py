"""Schedules from what people write: a line of text, a table of `nadi.toml`, or the JSON form."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, time
from typing import Any

import msgspec

from nadi.exceptions import DefinitionError
from nadi.model.parameters.names import close_match
from nadi.model.schedules.adjustments import Adjustment
from nadi.model.schedules.filters import (
    AnyOf,
    BusinessDays,
    DateRange,
    Filter,
    Fires,
    MonthDays,
    Not,
    OnDates,
    TimesOfDay,
    Weekdays,
)
from nadi.model.schedules.moments import (
    read_date,
    read_dates,
    read_duration,
    read_list,
    read_moment,
    read_times,
    read_weekdays,
    read_word,
)
from nadi.model.schedules.rules import (
    CronRule,
    DailyRule,
    DatesRule,
    HourlyRule,
    IntervalRule,
    RecurrenceRule,
    Rule,
    WeeklyRule,
)
from nadi.model.schedules.schedule import CatchUp, Overlap, Schedule
from nadi.model.schedules.sentences import read_sentence
from nadi.model.text import safe_repr

#: The keys of which a table has exactly one.
RULES = ("cron", "interval", "rrule", "dates", "daily", "hourly", "weekly")

#: Keys that go with one rule, and with which.
OF_RULES = {"day_or": "cron", "anchor": "interval", "at": "weekly"}

#: Keys that narrow the rule.
FILTERS = ("business_days", "holidays", "weekdays", "month_days", "between_times", "except")


def parse_schedule(value: str | Mapping[str, Any] | Schedule) -> Schedule:
    """Return the schedule that a text or a table means.

    A text is a cron line (`0 6 * * 1-5`), a recurrence rule (`FREQ=...`) or a sentence (`every 15 minutes`, `daily at
    06:00`, `weekly on mon, thu at 06:00`), with the zone behind it where that is not UTC. A table has one of the keys
    `cron`, `interval`, `rrule`, `dates`, `daily`, `hourly` and `weekly`, and any of the others that
    docs/reference/schedules.md lists; or it is the JSON form, with the key `rule`.

    Raises:
        DefinitionError: it means none; the sentence names the key.
    """
    if isinstance(value, Schedule):
        return value
    if isinstance(value, str):
        return _from_text(value)
    if not isinstance(value, Mapping):
        raise DefinitionError(
            f"A schedule is text or a table, such as {{'cron': '0 6 * * *'}}, not {safe_repr(value)}."
        )
    return schedule_from_json(value) if "rule" in value else _from_table(value)


def schedule_to_json(schedule: Schedule) -> dict[str, Any]:
    """Return the JSON form of a schedule; `schedule_from_json` gives an equal one back."""
    found: dict[str, Any] = msgspec.to_builtins(schedule)
    return found


def schedule_from_json(value: Mapping[str, Any] | bytes | str) -> Schedule:
    """Return the schedule of a JSON form, as text or already decoded.

    Raises:
        DefinitionError: it is none; the sentence says where.
    """
    try:
        if isinstance(value, bytes | str):
            return msgspec.json.decode(value, type=Schedule)
        return msgspec.convert(dict(value), Schedule)
    except msgspec.MsgspecError as error:
        raise DefinitionError(f"The schedule cannot be read: {error}") from None
    except RecursionError:
        raise DefinitionError("The schedule cannot be read: its filters are nested too deep.") from None


def _from_text(text: str) -> Schedule:
    body, zone = text.strip(), "UTC"
    # Fields of cron have slashes too, but none has a name on both of its sides.
    if named := re.fullmatch(r"(.+\S)\s+(UTC|[A-Z]\w*/[A-Za-z][\w/+-]*)", body):
        body, zone = named[1], named[2]
    if body.upper().startswith(("FREQ=", "RRULE:", "DTSTART")):
        return _recurring(body, None if zone == "UTC" else zone, {})
    if re.fullmatch(r"@\w+|(?:\S+\s+){4,5}\S+", body) and re.match(r"[@*\d]", body):
        return Schedule(rule=CronRule(line=body), timezone=zone)
    rule = read_sentence(body)
    if rule is None:
        raise DefinitionError(
            f"{safe_repr(text, 100)} is no schedule; expected a cron line such as '0 6 * * 1-5', or a sentence such as"
            " 'every 15 minutes', 'daily at 06:00' or 'weekly on mon, thu at 06:00 Europe/Berlin'."
        )
    return Schedule(rule=rule, timezone=zone)


def _from_table(table: Mapping[str, Any]) -> Schedule:
    known = (*RULES, *OF_RULES, *FILTERS, *OPTIONS)
    for key in table:
        if key not in known:
            raise DefinitionError(
                f"A schedule has no key {safe_repr(key, 60)}{close_match(str(key), known)}; expected one of"
                f" {', '.join(sorted(known))}."
            )
    kind = _only_rule(table)
    for key, owner in OF_RULES.items():
        if key in table and owner != kind:
            raise DefinitionError(f"The key {key!r} of a schedule goes with {owner!r}, not with {kind!r}.")
    options = {key: _read(key, read, table[key]) for key, read in OPTIONS.items() if key in table}
    options["filters"] = (*_filters(table), *options.get("filters", ()))
    if kind == "rrule":
        return _recurring(_read("rrule", _text, table["rrule"]), options.pop("timezone", None), options)
    return Schedule(rule=_read(kind, _RULES[kind], table[kind], table), **options)


def _only_rule(table: Mapping[str, Any]) -> str:
    found = [key for key in RULES if key in table]
    if len(found) != 1:
        has = f"has {' and '.join(found)}" if found else "has none"
        raise DefinitionError(f"A schedule needs exactly one of {', '.join(RULES)}; this one {has}.")
    return found[0]


def _recurring(text: str, zone: str | None, options: dict[str, Any]) -> Schedule:
    rule = RecurrenceRule(text=text)
    return Schedule(rule=rule, timezone=zone or rule.lines.zone or "UTC", **options)


def _read(key: str, read: Callable[..., Any], *values: Any) -> Any:
    try:
        return read(*values)
    except DefinitionError as error:
        raise DefinitionError(f"The key {key!r} of the schedule: {error}") from None


# -- rules ----------------------------------------------------------------------------------


def _cron(value: Any, table: Mapping[str, Any]) -> Rule:
    return CronRule(line=_text(value), day_or=_read("day_or", _flag, table.get("day_or", True)))


def _interval(value: Any, table: Mapping[str, Any]) -> Rule:
    anchor = _read("anchor", read_moment, table["anchor"]) if "anchor" in table else None
    return IntervalRule(seconds=read_duration(value), anchor=anchor)


def _dates(value: Any, table: Mapping[str, Any]) -> Rule:
    return DatesRule(dates=tuple(read_moment(one) for one in read_list(value)))


def _daily(value: Any, table: Mapping[str, Any]) -> Rule:
    return DailyRule(at=read_times(value))


def _hourly(value: Any, table: Mapping[str, Any]) -> Rule:
    return HourlyRule(minutes=tuple(read_list(value)))


def _weekly(value: Any, table: Mapping[str, Any]) -> Rule:
    at = _read("at", read_times, table["at"]) if "at" in table else (time(0),)
    return WeeklyRule(on=read_weekdays(value), at=at)


_RULES: dict[str, Callable[[Any, Mapping[str, Any]], Rule]] = {
    "cron": _cron,
    "interval": _interval,
    "dates": _dates,
    "daily": _daily,
    "hourly": _hourly,
    "weekly": _weekly,
}


# -- filters --------------------------------------------------------------------------------


def _filters(table: Mapping[str, Any]) -> Iterable[Filter]:
    holidays = _read("holidays", read_dates, table.get("holidays", []))
    business = _read("business_days", _business, table.get("business_days", False), holidays)
    if business is not None:
        yield business
    elif holidays:
        yield Not(filter=OnDates(dates=holidays))
    if "weekdays" in table:
        yield Weekdays(days=_read("weekdays", read_weekdays, table["weekdays"]))
    if "month_days" in table:
        yield _read("month_days", lambda value: MonthDays(days=tuple(read_list(value))), table["month_days"])
    if "between_times" in table:
        yield _read("between_times", _between_times, table["between_times"])
    if "except" in table:
        excepted = tuple(_read("except", _excepted, one) for one in read_list(table["except"]))
        yield Not(filter=excepted[0] if len(excepted) == 1 else AnyOf(filters=excepted))


def _business(value: Any, holidays: tuple[date, ...]) -> BusinessDays | None:
    """`True` for all business days; numbers for which of the month."""
    if isinstance(value, bool):
        return BusinessDays(holidays=holidays) if value else None
    return BusinessDays(holidays=holidays, nth=tuple(read_list(value)))


def _between_times(value: Any) -> Filter:
    times = [read_times(one) for one in read_list(value)]
    if len(times) != 2:
        raise DefinitionError(f"expected two times such as ['08:00', '18:00'], not {safe_repr(value, 60)}.")
    return TimesOfDay(first=times[0][0], last=times[1][0])


def _excepted(value: Any) -> Filter:
    """A date, a range of dates, or another rule."""
    if isinstance(value, Mapping):
        if value.keys() <= {"from", "to"}:
            ends = {name: read_date(value[key]) for key, name in (("from", "first"), ("to", "last")) if key in value}
            return DateRange(**ends)
        return _other_rule(value)
    first, dots, last = value.partition("..") if isinstance(value, str) else (value, "", "")
    return DateRange(first=read_date(first), last=read_date(last)) if dots else OnDates(dates=(read_date(value),))


def _other_rule(table: Mapping[str, Any]) -> Filter:
    known = (*RULES, *OF_RULES, "timezone", "whole_days")
    for key in table:
        if key not in known:
            raise DefinitionError(f"a rule has no key {safe_repr(key, 60)}{close_match(str(key), known)}.")
    other = _from_table({key: one for key, one in table.items() if key != "whole_days"})
    # Without a zone of its own it takes that of the schedule.
    zone = other.timezone if "timezone" in table or other.timezone != "UTC" else ""
    return Fires(rule=other.rule, timezone=zone, whole_days=_flag(table.get("whole_days", False)))


# -- other keys -----------------------------------------------------------------------------


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise DefinitionError(f"expected text, not {safe_repr(value, 60)}.")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise DefinitionError(f"expected true or false, not {safe_repr(value, 60)}.")
    return value


def _parameters(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise DefinitionError(f"expected a table of parameters, not {safe_repr(value, 60)}.")
    return dict(value)


def _forms(kind: Any) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        try:
            return msgspec.convert(value, tuple[kind, ...])
        except msgspec.ValidationError as error:
            raise DefinitionError(str(error)) from None

    return read


def _same(value: Any) -> Any:
    return value


#: All other keys, and how each is read.
OPTIONS: dict[str, Callable[[Any], Any]] = {
    "timezone": _text,
    "filters": _forms(Filter),
    "adjustments": _forms(Adjustment),
    "start": read_moment,
    "end": read_moment,
    "jitter": read_duration,
    "active": _flag,
    "parameters": _parameters,
    "name": _text,
    "catch_up": lambda value: read_word(CatchUp, value),
    "catch_up_limit": _same,
    "grace": read_duration,
    "overlap": lambda value: read_word(Overlap, value),
}
