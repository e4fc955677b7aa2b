"""On which line of a TOML text each key stands: what the standard library's reader does not tell.

The text has been read by that already, so it is known to be valid; what is read here is only its outline.
"""

from __future__ import annotations

import re

#: Keys from the top down; items of arrays by their number.
Path = tuple[str | int, ...]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SPACE = re.compile(r"[ \t]*")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_PLAIN_VALUE = re.compile(r"[^,\]}\n#]*")
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}


def lines_of(text: str) -> dict[Path, int]:
    """Return the line of each key, table and item of an array, counted from 1; of a table the line of its header.

    Where tables are named more than once, as by dotted keys, the first line counts. Text that is no TOML gives what was
    read of it up to there.
    """
    outline = _Outline(text)
    try:
        outline.read()
    except _NotToml:
        pass
    return outline.lines


def line_of(lines: dict[Path, int], path: Path) -> int:
    """Return the line of what lies at `path`, or of the nearest that holds it; 1 where nothing is known."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def tables_named_twice(text: str) -> list[tuple[Path, int, int]]:
    """Return the tables whose headers stand more than once in a text, with the first two lines of each."""
    outline = _Outline(text)
    try:
        outline.read()
    except _NotToml:
        pass
    return [(path, lines[0], lines[1]) for path, lines in outline.headers.items() if len(lines) > 1]


class _NotToml(Exception):
    """The text is none."""


class _Outline:
    """One walk over a text."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Path, int] = {}
        #: Lines of the headers `[table]`, by table.
        self.headers: dict[Path, list[int]] = {}
        self._text = text.replace("\r\n", "\n")
        self._place = 0
        self._line, self._counted = 1, 0
        #: How many items each array of tables has by now.
        self._items: dict[Path, int] = {}

    def read(self) -> None:
        table: Path = ()
        while self._skip(_BLANK) < len(self._text):
            if self._text.startswith("[", self._place):
                table = self._header()
            else:
                self._pair(table)
            self._skip(_SPACE)

    def _header(self) -> Path:
        line = self._line_here()
        of_array = self._text.startswith("[[", self._place)
        self._place += 2 if of_array else 1
        path = self._inside(self._keys(), last=not of_array)
        self._expect("]]" if of_array else "]")
        if of_array:
            number = self._items[path] = self._items.get(path, -1) + 1
            self.lines.setdefault(path, line)
            path = (*path, number)
        else:
            self.headers.setdefault(path, []).append(line)
        self.lines[path] = line
        return path

    def _inside(self, keys: list[str], *, last: bool) -> Path:
        """Return the path that a header means: of an array of tables its newest item."""
        path: Path = ()
        for number, key in enumerate(keys):
            path = (*path, key)
            if path in self._items and (last or number < len(keys) - 1):
                path = (*path, self._items[path])
        return path

    def _pair(self, table: Path) -> None:
        line = self._line_here()
        path = table
        for key in self._keys():
            path = (*path, key)
            self.lines.setdefault(path, line)
        self._expect("=")
        self._skip(_SPACE)
        self._value(path)

    def _keys(self) -> list[str]:
        keys = []
        while True:
            self._skip(_SPACE)
            keys.append(self._key())
            self._skip(_SPACE)
            if not self._text.startswith(".", self._place):
                return keys
            self._place += 1

    def _key(self) -> str:
        if self._here() in ("'", '"'):
            return self._string()
        found = _BARE_KEY.match(self._text, self._place)
        if found is None:
            raise _NotToml
        self._place = found.end()
        return found[0]

    def _value(self, path: Path) -> None:
        opening = self._here()
        if opening in ("'", '"'):
            self._string()
        elif opening == "[":
            self._array(path)
        elif opening == "{":
            self._inline_table(path)
        else:
            self._skip(_PLAIN_VALUE)

    def _array(self, path: Path) -> None:
        self._place += 1
        number = 0
        while self._after_blank() != "]":
            item = (*path, number)
            self.lines[item] = self._line_here()
            self._value(item)
            number += 1
            if self._after_blank() == ",":
                self._place += 1
        self._place += 1

    def _inline_table(self, path: Path) -> None:
        self._place += 1
        while self._after_blank() != "}":
            self._pair(path)
            if self._after_blank() == ",":
                self._place += 1
        self._place += 1

    def _string(self) -> str:
        quote = self._here()
        if self._text.startswith(quote * 3, self._place):
            return self._long_string(quote)
        start = self._place + 1
        end = start
        while end < len(self._text) and self._text[end] not in (quote, "\n"):
            end += 2 if quote == '"' and self._text[end] == "\\" else 1
        if end >= len(self._text) or self._text[end] != quote:
            raise _NotToml
        self._place = end + 1
        return _plain(self._text[start:end]) if quote == '"' else self._text[start:end]

    def _long_string(self, quote: str) -> str:
        end = self._place + 3
        while not self._text.startswith(quote * 3, end):
            if end >= len(self._text):
                raise _NotToml
            end += 2 if quote == '"' and self._text[end] == "\\" else 1
        # Up to two quotes may stand right before the closing three.
        extra = 0
        while extra < 2 and self._text.startswith(quote, end + 3 + extra):
            extra += 1
        self._place = end + 3 + extra
        return ""

    # -- letters --

    def _here(self) -> str:
        if self._place >= len(self._text):
            raise _NotToml
        return self._text[self._place]

    def _after_blank(self) -> str:
        self._skip(_BLANK)
        return self._here()

    def _expect(self, wanted: str) -> None:
        if not self._text.startswith(wanted, self._place):
            raise _NotToml
        self._place += len(wanted)

    def _skip(self, form: re.Pattern[str]) -> int:
        found = form.match(self._text, self._place)
        assert found is not None  # each of them may be empty
        self._place = found.end()
        return self._place

    def _line_here(self) -> int:
        self._line += self._text.count("\n", self._counted, self._place)
        self._counted = self._place
        return self._line


def _plain(text: str) -> str:
    """Return what the text of a key between double quotes means."""

    def meant(found: re.Match[str]) -> str:
        letter = found[1]
        return chr(int(letter[1:], 16)) if len(letter) > 1 else _ESCAPES.get(letter, letter)

    return re.sub(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", meant, text) if "\\" in text else text
