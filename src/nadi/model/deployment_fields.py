"""What may be said of a deployment: each field, from what a file or a call gives to the value that is kept.

One table for all who make deployments, so that a file and a call are read alike. Nothing is looked up here: whether a
flow is there, and takes the parameters, is found out when its code is loaded.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from enum import StrEnum
from itertools import chain, count
from typing import Any, TypeVar

import msgspec

from nadi.exceptions import DefinitionError, SettingError
from nadi.model.code_places import wrong_path
from nadi.model.deployments import Resources
from nadi.model.names import FORBIDDEN, LONGEST_NAME, LONGEST_SLUG, slug
from nadi.model.parameters.names import close_match
from nadi.model.schedules import CatchUp, Overlap, Schedule, describe_rule, parse_schedule
from nadi.model.text import human_bytes, one_line, parse_duration, safe_repr, shorten
from nadi.model.work import CrashPolicy, WhenCutOff

E = TypeVar("E", bound=StrEnum)

#: Letters of a description, at most.
LONGEST_DESCRIPTION = 100_000
#: The most schedules, tags, and variables of the environment of one deployment.
MOST_SCHEDULES, MOST_TAGS, MOST_VARIABLES = 1000, 100, 1000
#: The greatest priority, and minus the least.
MOST_PRIORITY = 1_000_000
#: Bytes of parameters as JSON, at most.
MOST_PARAMETERS = 1 << 20

_UNITS = {"": 1, "b": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_BINARY = {"k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?:([kmgt])(i?)b?|b)?\s*", re.IGNORECASE)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: Variables by which a run finds the store that asked for it; the worker gives those.
_OF_THE_WORKER = frozenset(
    {"NADI_HOME", "NADI_DATABASE_URL", "NADI_API_URL", "NADI_API_KEY", "NADI_RESULTS_URL", "NADI_LAUNCHED"}
)
#: Before all instants of schedules that are of any use.
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_MODULE = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")


class WrongField(ValueError):
    """A field has a value that it cannot have."""

    def __init__(self, wrong: str, *inside: str | int) -> None:
        """Say what is wrong, as the rest of a sentence that begins with the field, and where inside of it."""
        super().__init__(wrong)
        self.wrong, self.inside = wrong, inside


def read_field(name: str, value: Any) -> Any:
    """Return the value of a field of `DeploymentSpec`, as it is kept.

    Raises:
        WrongField: it cannot have this value.
        KeyError: there is no such field, or it is not read here (`name`, `source`, `schedules`, `flow`).
    """
    return FIELDS[name](value)


def wrong_name(name: object) -> str:
    """Say why a deployment cannot be called so, as the rest of a sentence; "" when it can."""
    if not isinstance(name, str) or not name.strip():
        return f"is {safe_repr(name, 60)}; expected text that is not empty"
    if len(name) > LONGEST_NAME:
        return f"has {len(name):,} letters; {LONGEST_NAME} are allowed"
    found = [letter for letter in FORBIDDEN if letter in name]
    if found:
        return f"is {safe_repr(name, 60)}, and {' '.join(FORBIDDEN)} are not allowed in it; a hyphen or a dot serves"
    if name.startswith("-") or name != name.strip() or one_line(name) != name:
        return f"is {safe_repr(name, 60)}; expected one line without spaces around it that does not begin with a hyphen"
    return "" if _is_text(name) else f"is {safe_repr(name, 60)}, which is no text"


def named_schedules(schedules: Sequence[Schedule]) -> tuple[Schedule, ...]:
    """Return schedules with a name each: of several without one, each is called by what its rule says.

    Raises:
        WrongField: two were given one name.
    """
    taken: set[str] = set()
    for number, one in enumerate(schedules):
        if one.name and one.name in taken:
            raise WrongField(f"is the second one with the name {one.name!r}; give each a name of its own", number)
        taken.add(one.name)
    if sum(not one.name for one in schedules) <= 1:
        return tuple(schedules)
    named = []
    for one in schedules:
        name = one.name or _free_name(slug(describe_rule(one.rule))[: LONGEST_SLUG - 5], taken)
        taken.add(name)
        named.append(msgspec.structs.replace(one, name=name))
    return tuple(named)


def _free_name(wanted: str, taken: set[str]) -> str:
    # The same times with other parameters are a schedule of their own.
    numbered = (f"{wanted}-{number}" for number in count(2))
    return next(name for name in chain([wanted], numbered) if name not in taken)


def read_schedules(value: Any, *, overlap: Overlap | None, catch_up: CatchUp | None) -> tuple[Schedule, ...]:
    """Return the schedules that a text, a table, a Schedule or a list of these means.

    Args:
        value: What was given.
        overlap: For schedules that do not say.
        catch_up: For schedules that do not say.

    Raises:
        WrongField: one of them is none.
    """
    many = list(value) if isinstance(value, list | tuple) else [value]
    if len(many) > MOST_SCHEDULES:
        raise WrongField(f"are {len(many):,}; {MOST_SCHEDULES:,} are allowed")
    read = []
    for number, one in enumerate(many):
        try:
            schedule = one if isinstance(one, Schedule) else parse_schedule(one)
        except DefinitionError as error:
            raise WrongField(f"cannot be read: {str(error).rstrip('.')}", number) from None
        if overlap is not None and schedule.overlap is None:
            schedule = msgspec.structs.replace(schedule, overlap=overlap)
        if catch_up is not None and not (isinstance(one, Mapping) and "catch_up" in one):
            schedule = msgspec.structs.replace(schedule, catch_up=catch_up)
        if not schedule.next(1, _LONG_AGO):
            raise WrongField("never fires: there is no instant that it means", number)
        parameters = _parameters(dict(schedule.parameters))
        read.append(msgspec.structs.replace(schedule, parameters=parameters))
    return named_schedules(read)


# -- the kinds of fields --


def _text(value: Any, *, longest: int = 1000) -> str:
    if not isinstance(value, str):
        raise WrongField(f"is {safe_repr(value, 60)}; expected text")
    if len(value) > longest:
        raise WrongField(f"has {len(value):,} letters; {longest:,} are allowed")
    if not _is_text(value):
        raise WrongField(f"is {safe_repr(value, 60)}, which is no text")
    return value


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in value


def _described(value: Any) -> str:
    return _text(value, longest=LONGEST_DESCRIPTION)


def _word(value: Any) -> str:
    text = _text(value, longest=LONGEST_NAME)
    if not text.strip() or one_line(text) != text or text != text.strip() or text.startswith("-"):
        raise WrongField(f"is {safe_repr(text, 60)}; expected a name on one line, such as nightly")
    return text


def _entrypoint(value: Any) -> str:
    text = _text(value)
    target, colon, name = text.rpartition(":")
    target, name = (target, name) if colon else (text, "")
    told = f"is {safe_repr(text)}; expected path/to/file.py:flow or package.module:flow"
    if not target.strip() or (colon and not name) or any(letter.isspace() and letter != " " for letter in text):
        raise WrongField(told)
    if target.endswith((".py", ".pyw")) or "/" in target or "\\" in target or target.startswith(("-", "~", ".")):
        if wrong := wrong_path(target):
            raise WrongField(wrong)
        if not target.endswith((".py", ".pyw")):
            raise WrongField(told)
    elif not _MODULE.fullmatch(target):
        raise WrongField(told)
    if name and not _MODULE.fullmatch(name) and wrong_name(name):
        raise WrongField(told)
    return text


def _tags(value: Any) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, list | tuple | set | frozenset):
        raise WrongField(f"is {safe_repr(value, 60)}; expected a list of texts")
    if len(value) > MOST_TAGS:
        raise WrongField(f"has {len(value):,} tags; {MOST_TAGS} are allowed")
    for number, tag in enumerate(value):
        if not isinstance(tag, str) or not tag.strip() or len(tag) > LONGEST_NAME or not _is_text(tag):
            raise WrongField(f"has the tag {safe_repr(tag, 60)}; expected text that is not empty", number)
    return tuple(sorted(set(value)))


def _one_of(kind: type[E]) -> Callable[[Any], E]:
    def read(value: Any) -> E:
        try:
            return kind(value)
        except ValueError:
            pass
        names = [str(one) for one in kind]
        listed = f"{', '.join(names[:-1])} or {names[-1]}"
        raise WrongField(f"is {safe_repr(value, 60)}; expected {listed}{near_told(value, names)}")

    return read


def _whole(least: int, most: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise WrongField(f"is {safe_repr(value, 60)}; expected a whole number from {least:,} to {most:,}")
        return value

    return read


def _interpreter(value: Any) -> str:
    text = _text(value)
    if text and not text.startswith("/") and not re.match(r"[A-Za-z]:[\\/]", text):
        raise WrongField(f"is {safe_repr(text)}; expected the whole path of a Python, such as /opt/etl/bin/python")
    return text


def _environment(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise WrongField(f"is {safe_repr(value, 60)}; expected a table of names and texts")
    if len(value) > MOST_VARIABLES:
        raise WrongField(f"has {len(value):,} variables; {MOST_VARIABLES:,} are allowed")
    for name, text in value.items():
        if not isinstance(name, str) or not _VARIABLE.fullmatch(name):
            raise WrongField("is no name of a variable; expected letters, digits and underscores", name)
        if name in _OF_THE_WORKER:
            raise WrongField("is given by the worker, so that a run finds its store; take it out", name)
        if not isinstance(text, str) or not _is_text(text):
            raise WrongField(f"is {safe_repr(text, 60)}; expected text: write it between quotes", name)
    return dict(sorted(value.items()))


def _parameters(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise WrongField(f"is {safe_repr(value, 60)}; expected a table of parameters by name")
    plain = {}
    for name, given in value.items():
        if not isinstance(name, str):
            raise WrongField(f"has the name {safe_repr(name, 60)}; expected text")
        try:
            plain[name] = as_json(given)
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise WrongField(f"cannot be kept as JSON: {error}", name) from None
    if len(msgspec.json.encode(plain)) > MOST_PARAMETERS:
        raise WrongField(f"are more than {human_bytes(MOST_PARAMETERS)} as JSON; give the name of a file instead")
    return plain


def as_json(value: Any) -> Any:
    """Return a value as JSON has it: dates and times as text, what msgspec can write as it writes it.

    Raises:
        ValueError, TypeError: JSON has nothing for it.
    """
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"it knows no {value}")
    if isinstance(value, Mapping):
        if wrong := [key for key in value if not isinstance(key, str)]:
            raise TypeError(f"its names are text, and {safe_repr(wrong[0], 60)} is none")
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [as_json(item) for item in value]
    if hasattr(value, "model_dump"):  # a pydantic model
        return value.model_dump(mode="json")
    # Written and read again, so that what is kept is what will be read.
    return msgspec.json.decode(msgspec.json.encode(value))


def _resources(value: Any) -> Resources:
    if isinstance(value, Resources):
        return value
    readers: dict[str, tuple[str, Callable[[Any], Any]]] = {
        "memory": ("memory_bytes", _size),
        "cpu": ("cpu_seconds", _duration),
        "wall": ("wall_seconds", _duration),
    }
    if not isinstance(value, Mapping):
        raise WrongField(f'is {safe_repr(value, 60)}; expected a table such as {{memory = "2GB", wall = "1h"}}')
    read = {}
    for key, given in value.items():
        if key not in readers:
            raise WrongField(f"is no resource; expected memory, cpu or wall{near_told(key, list(readers))}", key)
        field, reader = readers[key]
        try:
            read[field] = reader(given)
        except WrongField as wrong:
            raise WrongField(wrong.wrong, key) from None
    return Resources(**read)


def _size(value: Any) -> int:
    told = f'is {safe_repr(value, 60)}; expected an amount such as "512MB" or "2GiB"'
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    found = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise WrongField(told)
    letter = (found[2] or "").lower()
    size_bytes = int(float(found[1]) * (_BINARY[letter] if found[3] else _UNITS[letter]))
    if not 0 < size_bytes < 2**60:
        raise WrongField(told)
    if size_bytes < 16 << 20:
        raise WrongField(f"is {human_bytes(size_bytes)}, in which no Python starts; expected 16MiB or more")
    return size_bytes


def _duration(value: Any) -> float:
    told = f'is {safe_repr(value, 60)}; expected a length of time such as "90s" or "1h30m"'
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise WrongField(told)
    try:
        seconds = parse_duration(value) if isinstance(value, str) else float(value)
    except (SettingError, OverflowError):
        raise WrongField(told) from None
    if not 0 < seconds < 1e10:
        raise WrongField(told)
    return seconds


def near_told(wanted: object, known: Sequence[str]) -> str:
    """Return the question behind a sentence about an unknown name; "" where none is near."""
    return close_match(shorten(wanted, 100), known) if isinstance(wanted, str) else ""


#: How each field is read that stands for itself.
FIELDS: dict[str, Callable[[Any], Any]] = {
    "entrypoint": _entrypoint,
    "description": _described,
    "parameters": _parameters,
    "tags": _tags,
    "executor": _word,
    "resources": _resources,
    "crash_policy": _one_of(CrashPolicy),
    "most_crashes": _whole(1, 1000),
    "when_cut_off": _one_of(WhenCutOff),
    "queue": _word,
    "priority": _whole(-MOST_PRIORITY, MOST_PRIORITY),
    "concurrency": _whole(0, 100_000),
    "environment": _environment,
    "interpreter": _interpreter,
    "overlap": _one_of(Overlap),
    "catch_up": _one_of(CatchUp),
}
