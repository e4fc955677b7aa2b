"""Text for people: lengths of time and data, cut text, and a `repr` that never fails."""

from __future__ import annotations

import re
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from nadi.exceptions import SettingError
from nadi.model.secrets import masker

T = TypeVar("T")

_SECONDS_IN = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_NUMBER_AND_UNIT = re.compile(r"\s*(\d+(?:\.\d+)?|\.\d+)\s*([a-z]*)\s*")


#: Control characters, and those that change the direction of text: a run's name may hold them, a terminal obeys them.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def safe(text: str) -> str:
    """Return text with its control characters made visible; line breaks and tabs stay."""
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def one_line(text: str, limit: int = 10_000) -> str:
    """Return text as one safe line of at most `limit` characters."""
    return shorten(safe(" ".join(text.split()) if "\n" in text or "\t" in text else text), limit)


def shorten(text: str, limit: int) -> str:
    """`text`, cut to at most `limit` characters with `…` as the last of them when something is missing."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)] + "…"[:limit]


def plural(count: int, noun: str, nouns: str | None = None) -> str:
    """A count with its noun: `1 task`, `1,200 tasks`; give `nouns` where adding an s is wrong."""
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"


def human_duration(seconds: float) -> str:
    """A length of time as one says it: `120 µs`, `1.2 s`, `3 min 4 s`, `2 h 5 min`, `3 d 4 h`."""
    if seconds < 0:
        return "-" + human_duration(-seconds)
    if seconds == 0:
        return "0 s"
    if not seconds < 1e12:  # infinity and not-a-number as well
        return "for ever"
    # Each step is taken by what would be printed, so that 59.97 becomes `1 min` and never `60 s`.
    if round(seconds * 1e6) < 1000:
        return f"{_short(seconds * 1e6)} µs"
    if round(seconds * 1e3) < 1000:
        return f"{_short(seconds * 1e3)} ms"
    if round(seconds, 1) < 60:
        return f"{_short(seconds)} s"
    if round(seconds) < 3600:
        return _two(*divmod(round(seconds), 60), "min", "s")
    if round(seconds / 60) < 24 * 60:
        return _two(*divmod(round(seconds / 60), 60), "h", "min")
    return _two(*divmod(round(seconds / 3600), 24), "d", "h")


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0") if number < 100 else f"{number:.0f}"


def _two(large: int, small: int, large_unit: str, small_unit: str) -> str:
    return f"{large} {large_unit}" + (f" {small} {small_unit}" if small else "")


def human_bytes(size_bytes: int) -> str:
    """An amount of data in units of 1,024: `512 B`, `1.5 KiB`, `32 MiB`."""
    if size_bytes < 0:
        return "-" + human_bytes(-size_bytes)
    size, units = float(size_bytes), ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
    while round(size, 1) >= 1024 and len(units) > 1:
        size /= 1024
        units.pop(0)
    return f"{_short(size)} {units[0]}"


def parse_duration(text: str) -> float:
    """Seconds from what people write: `90`, `90s`, `5m`, `1h30m`, `1.5 h`, `250ms`, `2d`, `1w`.

    A number alone means seconds.

    Raises:
        SettingError: if it cannot be read; the sentence says what is understood.
    """
    wanted = text.strip().lower()
    total, position = 0.0, 0
    while position < len(wanted):
        match = _NUMBER_AND_UNIT.match(wanted, position)
        alone = match is not None and match.span() == (0, len(wanted))
        seconds = None if match is None else _SECONDS_IN.get(match[2] or ("s" if alone else "?"))
        if match is None or seconds is None:
            break
        total += float(match[1]) * seconds
        position = match.end()
    if not wanted or position < len(wanted):
        raise SettingError(
            f"{shorten(text, 60)!r} is no length of time."
            " Write a number of seconds, or numbers with units of ms, s, m, h, d or w, such as 90, 5m or 1h30m."
        )
    return total


# -- repr -----------------------------------------------------------------------------------

#: How deep containers are shown; below that stands `...`.
_DEPTH = 6

#: Numbers with more bits than this are described: writing them out takes quadratic time.
_BITS = 8192

#: The built-in containers, known by their `__repr__` so that subclasses with one of their own use it.
_BRACKETS: dict[Any, tuple[str, str]] = {
    list.__repr__: ("[", "]"),
    tuple.__repr__: ("(", ")"),
    set.__repr__: ("{", "}"),
    frozenset.__repr__: ("frozenset({", "})"),
    deque.__repr__: ("deque([", "])"),
    dict.__repr__: ("{", "}"),
    OrderedDict.__repr__: ("OrderedDict({", "})"),
}


def safe_repr(value: object, limit: int = 200) -> str:
    """The `repr` of `value` in at most `limit` characters, with secrets masked; `…` ends it when cut.

    It never raises: a `repr` that fails is told as such. Containers, dataclasses, msgspec structs,
    strings and bytes are read only as far as they are shown, so a list of a hundred million items
    costs no more than one of a hundred.
    """
    writer = _Writer(limit)
    writer.write(value, _DEPTH)
    text = "".join(writer.parts)
    return text[: limit - 1] + "…" if writer.cut else text


class _Writer:
    """Collects pieces of text until there is enough of it."""

    def __init__(self, room: int) -> None:
        self.parts: list[str] = []
        self.room = room
        self.cut = False

    def add(self, text: str) -> None:
        cut = len(text) > self.room
        if self.room > 0:
            self.parts.append(masker.mask_head(text, self.room))
        # A mask is shorter than what it hides, so how much came in decides, not how much is shown.
        self.room -= len(text)
        self.cut |= cut

    def write(self, value: object, depth: int) -> None:
        try:
            self._write(value, depth)
        except Exception as error:
            self.add(f"<{type(value).__name__} whose repr raised {type(error).__name__}>")

    def _write(self, value: object, depth: int) -> None:
        kind = type(value)
        brackets = _BRACKETS.get(kind.__repr__)
        if isinstance(value, (str, bytes, bytearray)) and kind.__repr__ in _TEXT:
            self._write_text(value)
        elif isinstance(value, int) and value.bit_length() > _BITS:
            self.add(f"<{kind.__name__} of {value.bit_length():,} bits>")
        elif brackets is not None:
            self._write_container(value, brackets, depth)
        elif (fields := _fields(value)) is not None:
            self._write_fields(kind.__qualname__, value, fields, depth)
        else:
            self.add(repr(value))

    def _write_text(self, value: str | bytes | bytearray) -> None:
        missing = len(value) > self.room
        if isinstance(value, str):
            # Masked before it is escaped and cut, so that no half of a secret stays.
            self.add(repr(masker.mask_head(value, max(self.room, 0))))
        else:
            self.add(repr(value[: max(self.room, 0) + masker.longest()]))
        if missing:
            self.room, self.cut = 0, True

    def _write_container(self, value: Any, brackets: tuple[str, str], depth: int) -> None:
        if not value:
            self.add(repr(value))
            return
        self.add(brackets[0])
        # Each item takes a character at least, so no more than these can be shown. They are copied
        # out, because another thread may be filling the container.
        most = max(self.room, 0) + 1
        if depth == 0:
            self.add("...")
        elif isinstance(value, dict):
            self._write_pairs(list(islice(value.items(), most)), depth)
        else:
            self._write_items(list(islice(value, most)), depth)
        self.add(",)" if isinstance(value, tuple) and len(value) == 1 else brackets[1])

    def _write_pairs(self, pairs: Iterable[tuple[object, object]], depth: int) -> None:
        for key, item in self._separated(pairs):
            self.write(key, depth - 1)
            self.add(": ")
            self.write(item, depth - 1)

    def _write_items(self, items: Iterable[object], depth: int) -> None:
        for item in self._separated(items):
            self.write(item, depth - 1)

    def _write_fields(self, name: str, value: object, fields: Iterable[str], depth: int) -> None:
        self.add(f"{name}(")
        for field in self._separated(fields if depth else ()):
            self.add(f"{field}=")
            self.write(getattr(value, field, "?"), depth - 1)
        self.add(")" if depth else "...)")

    def _separated(self, items: Iterable[T]) -> Iterator[T]:
        """The items that there is room for, with a comma written before each but the first."""
        for n, item in enumerate(items):
            if n:
                self.add(", ")
            if self.room <= 0:
                return
            yield item


_TEXT = (str.__repr__, bytes.__repr__, bytearray.__repr__)


def _fields(value: object) -> Iterable[str] | None:
    """The fields to show of a dataclass, struct or named tuple without a `__repr__` of its own; None for others."""
    kind = type(value)
    shown_by = kind.__repr__
    if hasattr(kind, "__dataclass_fields__") and hasattr(shown_by, "__wrapped__"):
        import dataclasses  # loaded already where there is a dataclass, and dear where there is none

        return [field.name for field in dataclasses.fields(value) if field.repr]  # type: ignore[arg-type]
    if isinstance(value, tuple) and hasattr(kind, "_fields") and shown_by.__module__ == "collections":
        return list(kind._fields)
    structs = getattr(kind, "__struct_fields__", None)
    return structs if isinstance(structs, tuple) and not hasattr(shown_by, "__code__") else None
