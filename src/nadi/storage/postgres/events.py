"""Events that runs emitted, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from nadi.model.events import Event
from nadi.model.records import EventEmitted
from nadi.storage.contracts.events import EventTable
from nadi.storage.named_queries import named_queries
from nadi.storage.postgres.bulk import Bulk
from nadi.storage.postgres.database import COMPLETE_BEFORE, Connection, Database, fetch, next_changes
from nadi.storage.postgres.keys import kept_key
from nadi.storage.table_rows import Values, event_of, event_values, told_event_values

_SQL = named_queries("postgres/events.sql")
_put_events = Bulk(_SQL["put_events"], "itttttfttbt")


def put_events(connection: Connection, records: Iterable[EventEmitted], seqs: Iterator[int]) -> None:
    """Keep the events that a batch tells of, within the write transaction that is open on `connection`."""
    # In the order of ids, so that two who tell of the same events do not wait for each other in a circle.
    told = [_fit(told_event_values(record, next(seqs))) for record in records]
    _put_events.run(connection, sorted(told, key=lambda row: row[1]))


def _fit(row: Values) -> Values:
    seq, id, *between, follows = row
    return (seq, kept_key(id), *between, kept_key(follows))


class PostgresEventTable(EventTable):
    """See the contract."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def emit(self, event: Event) -> bool:
        def work(connection: Connection) -> bool:
            if fetch(connection, _SQL["is_there"], (kept_key(event.id),)):
                return False
            (seq,) = next_changes(connection)
            return bool(fetch(connection, _SQL["emit_event"], _fit((seq, *event_values(event)))))

        return self._database.transact(work)

    def newest(self, *, root: str = "", run: str = "", prefix: str = "", before: int = 0, limit: int) -> list[Event]:
        conditions: list[str] = ["true"]
        values: list[Any] = []
        if root:
            conditions.append("root <> '' AND root = %s")
            values.append(root)
        if run:
            conditions.append("run = %s" if run == root else "run <> root AND run = %s")
            values.append(run)
        if prefix:
            conditions.append("starts_with(event, %s)")
            values.append(prefix)
        if before:
            conditions.append("seq < %s")
            values.append(before)
        return self._events(f"{' AND '.join(conditions)} ORDER BY seq DESC LIMIT %s", *values, limit)

    def arrived(self, *, after: int, limit: int) -> list[Event]:
        # No further than what is complete: an event that is committed later has its number already.
        return self._events(f"seq > %s AND seq < {COMPLETE_BEFORE} ORDER BY seq LIMIT %s", after, limit)

    def _events(self, where: str, *values: Any) -> list[Event]:
        return [event_of(row) for row in self._database.fetch(_SQL["events"].replace("{where}", where), values)]
