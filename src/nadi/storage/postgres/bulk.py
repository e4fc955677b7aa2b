"""Statements that carry many rows at once: one parameter for each column, taken apart by the server.

The parameters are written here as the text of PostgreSQL's arrays, a few calls for each column: psycopg would write
item by item, which costs more than everything else of a batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nadi.storage.postgres.database import Connection, keepable


def texts(values: Sequence[str]) -> str:
    """Return text as the text of an array, without NUL characters."""
    if not values:
        return "{}"
    joined = "\x00".join(values)
    if joined.count("\x00") >= len(values):
        joined = "\x00".join([keepable(value) for value in values])
    return '{"' + joined.replace("\\", "\\\\").replace('"', '\\"').replace("\x00", '","') + '"}'


def numbers(values: Sequence[int | float | None]) -> str:
    """Return numbers as the text of an array."""
    return "{" + ",".join(["NULL" if value is None else repr(value) for value in values]) + "}"


def whole_numbers(values: Sequence[int]) -> str:
    """Return whole numbers, members of enums too, as the text of an array."""
    return "{" + ",".join([int.__repr__(value) for value in values]) + "}"


def blobs(values: Sequence[bytes | None]) -> str:
    """Return bytes as the text of an array."""
    return "{" + ",".join(["NULL" if value is None else f'"\\\\x{value.hex()}"' for value in values]) + "}"


#: By letter: the type of a column, and what writes it.
_KINDS: dict[str, tuple[str, Any]] = {
    "t": ("text", texts),
    "i": ("bigint", whole_numbers),
    "f": ("double precision", numbers),
    "b": ("bytea", blobs),
}


class Bulk:
    """One statement with `{rows}` in it, which stands for a SELECT of the rows, ready for any number of them.

    Args:
        sql: The statement.
        kinds: A letter for each column: `t` text, `i` whole number, `f` number or NULL, `b` bytes or NULL.
    """

    def __init__(self, sql: str, kinds: str) -> None:
        columns = ", ".join(f"%s::{_KINDS[kind][0]}[]" for kind in kinds)
        self.sql = sql.replace("{rows}", f"SELECT * FROM unnest({columns})")
        self._bytes = self.sql.encode()
        self._writers = [_KINDS[kind][1] for kind in kinds]

    def run(self, connection: Connection, rows: Sequence[tuple[Any, ...]], *more: float) -> None:
        """Execute it for all rows, in order, and with further numbers; nothing is done when there are none."""
        if rows:
            connection.execute(self._bytes, [*self._parameters(rows), *more])

    def fetch(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Execute it for rows, of which there is one at least, and return what it returns."""
        return connection.execute(self._bytes, self._parameters(rows), binary=True).fetchall()

    def _parameters(self, rows: Sequence[tuple[Any, ...]]) -> list[str]:
        return [write(column) for write, column in zip(self._writers, zip(*rows, strict=True), strict=True)]
