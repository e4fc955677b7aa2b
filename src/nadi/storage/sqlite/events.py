"""Events that runs emitted, in SQLite."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import apsw

from nadi.model.events import Event
from nadi.model.records import EventEmitted
from nadi.storage.contracts.events import EventTable
from nadi.storage.named_queries import named_queries
from nadi.storage.sqlite.bulk import Bulk
from nadi.storage.sqlite.database import Database, fetch
from nadi.storage.table_rows import event_of, event_values, told_event_values

_SQL = named_queries("events.sql")
_put_events = Bulk(_SQL["put_events"], 11)


def put_events(connection: apsw.Connection, records: Iterable[EventEmitted], seqs: Iterator[int]) -> None:
    """Keep the events that a batch tells of, within the write transaction that is open on `connection`."""
    _put_events.run(connection, [told_event_values(record, next(seqs)) for record in records])


class SqliteEventTable(EventTable):
    """See the contract."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def emit(self, event: Event) -> bool:
        with self._database.write() as connection:
            kept = fetch(connection, _SQL["emit_event"], event_values(event))
            if kept:
                connection.execute("UPDATE change SET seq = ?", kept[0])
            return bool(kept)

    def newest(self, *, root: str = "", run: str = "", prefix: str = "", before: int = 0, limit: int) -> list[Event]:
        conditions: list[str] = ["true"]
        values: list[Any] = []
        if root:
            conditions.append("root <> '' AND root = ?")
            values.append(root)
        if run:
            conditions.append("run = ?" if run == root else "run <> root AND run = ?")
            values.append(run)
        if prefix:
            conditions.append("substr(event, 1, length(?)) = ?")
            values += [prefix, prefix]
        if before:
            conditions.append("seq < ?")
            values.append(before)
        return self._events(f"{' AND '.join(conditions)} ORDER BY seq DESC LIMIT ?", *values, limit)

    def arrived(self, *, after: int, limit: int) -> list[Event]:
        return self._events("seq > ? ORDER BY seq LIMIT ?", after, limit)

    def _events(self, where: str, *values: Any) -> list[Event]:
        with self._database.read() as connection:
            return [event_of(row) for row in fetch(connection, _SQL["events"].replace("{where}", where), values)]
