"""All that a SQLite database holds, read in one snapshot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import apsw

from nadi.storage.contracts.upkeep import Contents
from nadi.storage.schema import Identity
from nadi.storage.sqlite.database import fetch

#: Tables that tell of the database itself: another one has its own.
_OWN = ("migration", "meta", "change")


class SqliteContents(Contents):
    """See the contract; made by `snapshot`."""

    def __init__(self, url: str, identity: Identity, connection: apsw.Connection, beside: apsw.Connection) -> None:
        self.url = url
        self.id, self.signing_key = identity.id, identity.signing_key
        self._connection, self._beside = connection, beside
        # Before the snapshot, which the next statement takes: what is committed in between counts as a change.
        self._version = self._data_version()
        self.last_change = int(fetch(connection, "SELECT seq FROM change")[0][0])
        self.tables = {table: self._columns(table) for table in tables(connection) if table not in _OWN}

    def count(self, table: str) -> int:
        return count(self._connection, table)

    def rows(self, table: str) -> Iterator[Sequence[Any]]:
        columns = ", ".join(f'"{column}"' for column in self.tables[table])
        return iter(self._connection.execute(f'SELECT {columns} FROM "{table}"'))

    def is_current(self) -> bool:
        return self._data_version() == self._version

    def _data_version(self) -> int:
        # Another connection than that of the snapshot, which sees no change by nature.
        return int(fetch(self._beside, "PRAGMA data_version")[0][0])

    def _columns(self, table: str) -> tuple[str, ...]:
        return tuple(column for (column,) in fetch(self._connection, "SELECT name FROM pragma_table_info(?)", (table,)))


@contextmanager
def snapshot(
    url: str, identity: Identity, connection: apsw.Connection, beside: apsw.Connection
) -> Iterator[SqliteContents]:
    """Give the contents as they stand now; both connections are those of readers."""
    connection.execute("BEGIN")
    try:
        yield SqliteContents(url, identity, connection, beside)
    finally:
        connection.execute("ROLLBACK")


def tables(connection: apsw.Connection) -> list[str]:
    """Return the names of the tables, in order."""
    found = fetch(connection, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    return sorted(name for (name,) in found)


def count(connection: apsw.Connection, table: str) -> int:
    """Return how many rows a table has."""
    return int(fetch(connection, f'SELECT count(*) FROM "{table}"')[0][0])
