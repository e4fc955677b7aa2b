"""Statements that carry many rows at once.

Each step of a statement gives the interpreter lock away and takes it again, which beside a
busy thread costs up to 5 ms. So rows go many to a statement, in a few fixed sizes: those few
texts stay prepared in the connection's cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import apsw

#: Rows to a statement, largest first. 256 rows of 26 columns are under SQLite's limit of 32,766 parameters, and
#: under the 16,384 characters up to which apsw keeps a statement prepared.
SIZES = (256, 64, 16, 4, 1)


class Bulk:
    """One statement with `{rows}` in it, ready for any number of rows."""

    def __init__(self, sql: str, columns: int) -> None:
        row = f"({','.join('?' * columns)})"
        self._texts = {size: sql.replace("{rows}", ",".join([row] * size)) for size in SIZES}

    def run(self, connection: apsw.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Execute it for all rows, in order."""
        done, left = 0, len(rows)
        for size in SIZES:
            while left >= size:
                chunk = rows[done : done + size]
                connection.execute(self._texts[size], tuple(chain.from_iterable(chunk)))
                done += size
                left -= size
