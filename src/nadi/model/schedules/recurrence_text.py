"""The text of recurrence rules: an RRULE alone, or several lines as a calendar exports them."""

from __future__ import annotations

import heapq
import re
from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from functools import cached_property
from typing import Any

import msgspec

from nadi.exceptions import DefinitionError
from nadi.model.parameters.names import close_match
from nadi.model.schedules.recurrence import FREQUENCIES, MOST_IN_VAIN, Recurrence
from nadi.model.schedules.zones import EARLIEST, LATEST, ORIGIN, as_shown, first_wall, once_each
from nadi.model.text import safe_repr

#: The most times that a rule may count: they are counted from its beginning.
MOST_COUNTED = 10_000

_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_LINES = ("DTSTART", "RRULE", "EXRULE", "RDATE", "EXDATE")

#: Lists of numbers: which field of a `Recurrence`, the least and the greatest, and whether they count from the end too.
_NUMBERS = {
    "BYMONTH": ("months", 1, 12, False),
    "BYWEEKNO": ("week_numbers", 1, 53, True),
    "BYYEARDAY": ("year_days", 1, 366, True),
    "BYMONTHDAY": ("month_days", 1, 31, True),
    "BYHOUR": ("hours", 0, 23, False),
    "BYMINUTE": ("minutes", 0, 59, False),
    "BYSECOND": ("seconds", 0, 59, False),
    "BYSETPOS": ("positions", 1, 366, True),
}
_KEYS = ("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", *_NUMBERS)

_MOMENT = re.compile(r"(\d{8})(?:T(\d{6})(Z?))?")
_WEEKDAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")


class RecurrenceSet(msgspec.Struct, frozen=True, dict=True, kw_only=True):
    """All lines of a text: the times of its rules and dates, without those that are left out.

    Datetimes with an offset are instants, those without are local times.
    """

    start: datetime | None
    #: The zone that the text names; "" for none.
    zone: str
    rules: tuple[Recurrence, ...]
    left_out_rules: tuple[Recurrence, ...]
    dates: tuple[datetime, ...]
    left_out: tuple[datetime, ...]

    def instants(self, zone: tzinfo, after: datetime) -> Iterator[datetime]:
        """Yield the instants later than `after`, in UTC and in order, none twice."""
        begin = first_wall(after, zone)
        lines = []
        for rule in self.rules:
            walls = self._without_left_out(self._walls(rule, zone, begin), zone, begin)
            lines.append((as_shown if rule.open_hours else once_each)(walls, zone))
        dates = iter(sorted({local for date in self.dates if (local := _local(date, zone)) >= begin}))
        lines.append(once_each(self._without_left_out(dates, zone, begin), zone))
        last = after
        for at in heapq.merge(*lines):
            if at > last:
                last = at
                yield at

    def _walls(self, rule: Recurrence, zone: tzinfo, begin: datetime) -> Iterator[datetime]:
        until = None if rule.until is None else _local(rule.until, zone)
        origin = ORIGIN if self.start is None else _local(self.start, zone)
        local = msgspec.structs.replace(rule, until=until)
        if not rule.count:
            return local.walls(origin, begin)
        if (local, origin) not in self._counted:
            self._counted[local, origin] = list(local.walls(origin, origin))
        walls = self._counted[local, origin]
        return iter(walls[bisect_left(walls, begin) :])

    @cached_property
    def _counted(self) -> dict[tuple[Recurrence, datetime], list[datetime]]:
        """The local times of rules with `COUNT`, by rule and first time. Counting begins there, and is done once."""
        return {}

    def _without_left_out(self, walls: Iterator[datetime], zone: tzinfo, begin: datetime) -> Iterator[datetime]:
        dates = {_local(date, zone) for date in self.left_out}
        rules = heapq.merge(*(self._walls(rule, zone, begin) for rule in self.left_out_rules))
        next_out = next(rules, None)
        in_vain = 0
        for wall in walls:
            while next_out is not None and next_out < wall:
                next_out = next(rules, None)
            in_vain += 1
            if wall != next_out and wall not in dates:
                in_vain = 0
                yield wall
            elif in_vain > MOST_IN_VAIN:
                return


def _local(moment: datetime, zone: tzinfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None) if moment.tzinfo is not None else moment


def parse_recurrence(text: str) -> RecurrenceSet:
    """Read an RRULE, such as `FREQ=WEEKLY;BYDAY=MO`, or lines of `DTSTART`, `RRULE`, `EXRULE`, `RDATE` and `EXDATE`.

    Raises:
        DefinitionError: it cannot be read, or names no time at all; the sentence says which part.
    """
    if not isinstance(text, str) or not text.strip():
        raise DefinitionError(f"A recurrence rule is text such as 'FREQ=WEEKLY;BYDAY=MO', not {safe_repr(text, 60)}.")
    try:
        found = _read(text)
    except DefinitionError as error:
        raise DefinitionError(f"{safe_repr(text, 100)} is no recurrence rule: {error}") from None
    # A zone decides about minutes, not about whether there is any time at all.
    if next(found.instants(UTC, datetime(2, 1, 1, tzinfo=UTC)), None) is None:
        raise DefinitionError(f"{safe_repr(text, 100)} never fires: no time there is fits the rule.")
    return found


def _read(text: str) -> RecurrenceSet:
    lines: dict[str, list[str]] = {name: [] for name in _LINES}
    zones: set[str] = set()
    # A line that begins with a space goes on where the one before ended.
    for line in re.sub(r"\r?\n[ \t]", "", text.strip()).splitlines():
        if not line.strip():
            continue
        head, colon, value = line.strip().partition(":")
        if not colon:
            head, value = "RRULE", line.strip()
        # Between the name of a line and its value may stand settings, such as `TZID=Europe/Berlin`.
        name, *settings = head.split(";")
        name = name.strip().upper()
        if name not in lines:
            hint = close_match(name, _LINES)
            raise DefinitionError(f"the line {name!r}{hint} is not known; expected {_any(_LINES)}.")
        lines[name].append(value.strip())
        zones |= {one.strip()[5:] for one in settings if one.strip().upper().startswith("TZID=")}
    return _built(lines, zones)


def _built(lines: dict[str, list[str]], zones: set[str]) -> RecurrenceSet:
    if len(lines["DTSTART"]) > 1 or len(zones) > 1:
        many = "DTSTART" if len(lines["DTSTART"]) > 1 else f"zone ({_any(sorted(zones))})"
        raise DefinitionError(f"it has more than one {many}.")
    start = _moment("DTSTART", lines["DTSTART"][0]) if lines["DTSTART"] else None
    rules = tuple(_rule(value) for value in lines["RRULE"])
    dates = _moments("RDATE", lines["RDATE"])
    if not rules and not dates:
        raise DefinitionError("it has neither RRULE nor RDATE.")
    if start is None and any(rule.count for rule in rules):
        raise DefinitionError("COUNT counts from DTSTART, which is not there; add the line 'DTSTART:20260101T090000'.")
    return RecurrenceSet(
        start=start,
        zone=next(iter(zones), ""),
        rules=rules,
        left_out_rules=tuple(_rule(value) for value in lines["EXRULE"]),
        dates=dates,
        left_out=_moments("EXDATE", lines["EXDATE"]),
    )


def _moments(name: str, values: list[str]) -> tuple[datetime, ...]:
    return tuple(_moment(name, one) for value in values for one in value.split(","))


def _moment(name: str, text: str) -> datetime:
    """A date (its midnight), a local time, or an instant: `20260101`, `20260101T090000`, `20260101T090000Z`."""
    match = _MOMENT.fullmatch(text.strip().upper())
    try:
        if match is not None:
            read = datetime.strptime(match[1] + (match[2] or "000000"), "%Y%m%d%H%M%S")
            # Calendars write the end of the year 9999 for what has no end, which is none in every zone.
            read = min(max(read, EARLIEST.replace(tzinfo=None)), LATEST.replace(tzinfo=None))
            return read.replace(tzinfo=UTC) if match[3] else read
    except ValueError:
        pass
    raise DefinitionError(f"the {name} {text!r} is no time; expected one such as 20260101T090000.")


def _rule(text: str) -> Recurrence:
    found: dict[str, Any] = {}
    for part in text.upper().strip().strip(";").split(";"):
        key, _, value = part.strip().partition("=")
        if key not in _KEYS:
            raise DefinitionError(f"{key!r}{close_match(key, _KEYS)} is not known; expected {_any(_KEYS)}.")
        if key in found:
            raise DefinitionError(f"{key} is there twice.")
        found[key] = _value(key, value.strip())
    if "FREQ" not in found:
        raise DefinitionError("it has no FREQ, such as FREQ=DAILY.")
    if "COUNT" in found and "UNTIL" in found:
        raise DefinitionError("it has both COUNT and UNTIL; one of them says when it ends.")
    read = Recurrence(**{_FIELDS.get(key) or _NUMBERS[key][0]: value for key, value in found.items()})
    _check(read)
    return read


_FIELDS = {
    "FREQ": "frequency",
    "INTERVAL": "interval",
    "COUNT": "count",
    "UNTIL": "until",
    "WKST": "week_start",
    "BYDAY": "weekdays",
}


def _check(rule: Recurrence) -> None:
    if any(nth for _, nth in rule.weekdays) and (rule.frequency not in ("MONTHLY", "YEARLY") or rule.week_numbers):
        raise DefinitionError("numbers in BYDAY, such as 1MO, need FREQ=MONTHLY or FREQ=YEARLY without BYWEEKNO.")
    if rule.week_numbers and rule.frequency != "YEARLY":
        raise DefinitionError("BYWEEKNO needs FREQ=YEARLY.")
    narrowed = (rule.months, rule.week_numbers, rule.year_days, rule.month_days, rule.weekdays)
    if rule.positions and not any((*narrowed, rule.hours, rule.minutes, rule.seconds)):
        raise DefinitionError("BYSETPOS chooses among the times of another BY part, such as BYDAY, which is not there.")


def _value(key: str, text: str) -> Any:
    if key == "FREQ":
        if text not in FREQUENCIES:
            raise DefinitionError(f"the FREQ {text!r} cannot be; expected {_any(FREQUENCIES)}.")
        return text
    if key in ("INTERVAL", "COUNT"):
        return _number(key, text, 1, MOST_COUNTED if key == "COUNT" else 1_000_000, from_end=False)
    if key == "UNTIL":
        return _moment(key, text)
    if key == "WKST":
        if text not in _WEEKDAYS:
            raise DefinitionError(f"the WKST {text!r} cannot be; expected {_any(_WEEKDAYS)}.")
        return _WEEKDAYS.index(text)
    if key == "BYDAY":
        return frozenset(_weekday(part.strip()) for part in text.split(","))
    field, low, high, from_end = _NUMBERS[key]
    numbers = {_number(key, part.strip(), low, high, from_end=from_end) for part in text.split(",")}
    return frozenset(numbers) if field in _SETS else tuple(sorted(numbers))


_SETS = ("months", "week_numbers", "year_days", "month_days")


def _weekday(text: str) -> tuple[int, int]:
    match = _WEEKDAY.fullmatch(text)
    if match is None or not (match[1] is None or 1 <= abs(int(match[1])) <= 53):
        raise DefinitionError(
            f"the BYDAY {text!r} cannot be; expected MO to SU, or 1MO for the first, -1FR for the last."
        )
    return _WEEKDAYS.index(match[2]), int(match[1] or 0)


def _number(key: str, text: str, low: int, high: int, *, from_end: bool) -> int:
    digits = text.removeprefix("-") if from_end else text
    digits = digits.removeprefix("+")
    if digits.isascii() and digits.isdigit() and len(digits) < 8 and low <= int(digits) <= high:
        return -int(digits) if text.startswith("-") else int(digits)
    counted = f", or -{low} to -{high} from the end" if from_end else ""
    raise DefinitionError(f"the {key} {text!r} cannot be; expected {low:,} to {high:,}{counted}.")


def _any(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(names[:-1]) + " or " + names[-1]
