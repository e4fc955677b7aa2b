"""Which key stands for which kept result, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nadi.storage.contracts.cache import CacheEntry, CacheTable
from nadi.storage.named_queries import named_queries
from nadi.storage.postgres.bulk import Bulk
from nadi.storage.postgres.database import Connection, Database, execute, fetch, keepable, next_changes
from nadi.storage.postgres.keys import kept_file, kept_key
from nadi.storage.postgres.rows import indexable
from nadi.storage.table_rows import Values, entry_of, entry_values

_SQL = named_queries("postgres/cache.sql")
_ENTRY = "titbtttitttff"
_put_new_entries = Bulk(_SQL["put_new_entries"], _ENTRY)
_replace_entries = Bulk(_SQL["replace_entries"], _ENTRY)


class PostgresCacheTable(CacheTable):
    """See the contract."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: str) -> CacheEntry | None:
        found = self._entries("key = %s", [kept_key(key)])
        return found[0] if found else None

    def put(self, entries: Sequence[CacheEntry]) -> list[str]:
        return self._database.transact(lambda connection: _put(connection, entries))

    def entries(self, *, task: str = "", limit: int = 1000, after: int = 0) -> list[CacheEntry]:
        conditions: list[str] = ["true"]
        values: list[Any] = []
        if task:
            conditions.append("task = %s")
            values.append(indexable(task))
        if after:
            conditions.append("seq < %s")
            values.append(after)
        return self._entries(f"{' AND '.join(conditions)} ORDER BY seq DESC LIMIT %s", [*values, limit])

    def remove(self, *, now: float, keys: Sequence[str] = (), task: str = "", expired_at: float = 0.0) -> int:
        conditions: list[str] = ["true"]
        values: list[Any] = []
        if keys:
            conditions.append("key = ANY(%s)")
            values.append([kept_key(key) for key in keys])
        if task:
            conditions.append("task = %s")
            values.append(indexable(task))
        if expired_at:
            conditions.append("expires > 0 AND expires <= %s")
            values.append(expired_at)
        sql = _SQL["remove_entries"].replace("{where}", " AND ".join(conditions))

        def work(connection: Connection) -> int:
            ((removed,),) = fetch(connection, sql, [*values, now])
            if removed:
                next_changes(connection)
            return int(removed)

        return self._database.transact(work)

    def _entries(self, where: str, values: list[Any]) -> list[CacheEntry]:
        return [entry_of(row) for row in self._database.fetch(_SQL["entries"].replace("{where}", where), values)]


def _put(connection: Connection, entries: Sequence[CacheEntry]) -> list[str]:
    lost = _lost(connection, entries)
    refused = [entry.key for entry in entries if (entry.root, entry.token) in lost]
    kept = {kept_key(keepable(entry.key)): entry for entry in entries if (entry.root, entry.token) not in lost}
    if kept:
        at = max(entry.created for entry in kept.values())
        seqs = next_changes(connection, len(kept))
        rows = {key: _row(key, entry, seq) for (key, entry), seq in zip(kept.items(), seqs, strict=True)}
        _put_rows(connection, rows, at)
    return refused


def _row(key: str, entry: CacheEntry, seq: int) -> Values:
    _, _, task, result, file, owner, *rest = entry_values(entry, seq)
    return (key, seq, indexable(task), result, kept_file(file), owner, *rest)


def _lost(connection: Connection, entries: Sequence[CacheEntry]) -> set[tuple[str, int]]:
    """Return those of the claims whose token is not the newest any more, or whose root was deleted."""
    claims = {(entry.root, entry.token) for entry in entries}
    roots = sorted({root for root, _ in claims})
    newest: dict[str, int] = {row[0]: row[1] for row in fetch(connection, _SQL["roots"], (roots,))}
    buried = {root for (root,) in fetch(connection, _SQL["buried"], (roots,))}
    return {(root, token) for root, token in claims if root in buried or newest.get(root, token) > token}


def _put_rows(connection: Connection, rows: dict[str, Values], at: float) -> None:
    """Put rows by key, and release the files of those that they take the place of.

    In the order of keys, in which they are removed too: so none of those who do either wait for each other in a circle.
    """
    left = sorted(rows)
    execute(connection, _SQL["await_turn"], (left,))
    while left:
        new = _put_new_entries.fetch(connection, [rows[key] for key in left])
        there = sorted(set(left) - {key for (key,) in new})
        if not there:
            return
        # They are there and nobody's but ours now; those that were removed in between are to be put once more.
        locked = sorted(key for (key,) in fetch(connection, _SQL["lock_entries"], (there,)))
        execute(connection, _SQL["release_replaced"], (at, locked))
        _replace_entries.run(connection, [rows[key] for key in locked])
        left = sorted(set(there) - set(locked))
