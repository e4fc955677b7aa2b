"""Which key stands for which kept result, in SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

import msgspec

from nadi.storage.contracts.cache import CacheEntry, CacheTable
from nadi.storage.named_queries import named_queries
from nadi.storage.run_rows import pack_texts
from nadi.storage.sqlite.bulk import Bulk
from nadi.storage.sqlite.database import Database, fetch
from nadi.storage.table_rows import entry_of, entry_values

_SQL = named_queries("cache.sql")
_CLAIMS = named_queries("claims.sql")
_put_entries = Bulk(_SQL["put_entries"], 13)


class SqliteCacheTable(CacheTable):
    """See the contract."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: str) -> CacheEntry | None:
        found = self._entries("key = ?", [key])
        return found[0] if found else None

    def put(self, entries: Sequence[CacheEntry]) -> list[str]:
        with self._database.write() as connection:
            claims = msgspec.json.encode([(entry.root, entry.token) for entry in entries]).decode()
            lost = set(fetch(connection, _SQL["lost"], (claims,)))
            refused = [entry.key for entry in entries if (entry.root, entry.token) in lost]
            kept = {entry.key: entry for entry in entries if (entry.root, entry.token) not in lost}
            if kept:
                newest = fetch(connection, _CLAIMS["next_change"], (len(kept),))[0][0]
                at = max(entry.created for entry in kept.values())
                connection.execute(_SQL["release_replaced"], (pack_texts(list(kept)), at))
                seqs = count(newest - len(kept) + 1)
                _put_entries.run(connection, [entry_values(entry, next(seqs)) for entry in kept.values()])
            return refused

    def entries(self, *, task: str = "", limit: int = 1000, after: int = 0) -> list[CacheEntry]:
        conditions: list[str] = ["true"]
        values: list[Any] = []
        if task:
            conditions.append("task = ?")
            values.append(task)
        if after:
            conditions.append("seq < ?")
            values.append(after)
        return self._entries(f"{' AND '.join(conditions)} ORDER BY seq DESC LIMIT ?", [*values, limit])

    def remove(self, *, now: float, keys: Sequence[str] = (), task: str = "", expired_at: float = 0.0) -> int:
        conditions: list[str] = ["true"]
        values: list[Any] = []
        if keys:
            conditions.append("key IN (SELECT value FROM json_each(?))")
            values.append(pack_texts(list(keys)))
        if task:
            conditions.append("task = ?")
            values.append(task)
        if expired_at:
            conditions.append("expires > 0 AND expires <= ?")
            values.append(expired_at)
        where = " AND ".join(conditions)
        with self._database.write() as connection:
            connection.execute(_SQL["release_removed"].replace("{where}", where), (now, *values))
            removed = fetch(connection, _SQL["remove_entries"].replace("{where}", where), values)
            if removed:
                connection.execute(_CLAIMS["next_change"], (1,)).fetchall()
            return len(removed)

    def _entries(self, where: str, values: list[Any]) -> list[CacheEntry]:
        with self._database.read() as connection:
            return [entry_of(row) for row in fetch(connection, _SQL["entries"].replace("{where}", where), values)]
