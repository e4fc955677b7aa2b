"""Retention in SQLite: runs are buried at once, and what they left is swept row by row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import apsw

from nadi.model.retention import RetentionRule
from nadi.model.states import FINAL, StateType
from nadi.storage.contracts.retention import RetentionTable, Size
from nadi.storage.named_queries import named_queries
from nadi.storage.run_rows import pack_texts
from nadi.storage.sqlite.database import Database, fetch
from nadi.storage.sqlite.overview import fold_counts, forget_run
from nadi.storage.sqlite.result_files import release_files

_SQL = named_queries("retention.sql")
_CLAIMS = named_queries("claims.sql")

#: What belongs to a root run beside its flow runs, each with the columns that name one row of it.
_BELOW = {
    **dict.fromkeys(("task_run", "log", "metric", "artifact", "event", "message"), "rowid"),
    "attempt": "run, attempt",
    "task_count": "run, state",
    "dropped": "run, what",
    "superseded": "root, seq",
    "pause": "run, key",
}
_SWEEPS = {
    table: f"DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE root = ? LIMIT ?)"
    for table, key in _BELOW.items()
}


def bury_run(connection: apsw.Connection, run: str, now: float) -> None:
    """Delete the flow runs of a finished root run, with its requests and its work; `sweep_run` removes the rest."""
    forget_run(connection, run)
    connection.execute("DELETE FROM flow_run WHERE root = ?", (run,))
    connection.execute("DELETE FROM request WHERE run = ?", (run,))
    connection.execute("DELETE FROM work WHERE run = ?", (run,))
    release_files(connection, run, now)
    # The tombstone bears the number of the change, by which readers come to know of it.
    fetch(connection, _CLAIMS["next_change"], (1,))
    connection.execute(_CLAIMS["bury_run"], (run, now))


def sweep_run(connection: apsw.Connection, run: str, rows: int = -1) -> int:
    """Remove at most `rows` rows, all with -1, of what a buried run left; returns how many."""
    removed = 0
    for sql in _SWEEPS.values():
        if removed == rows:
            break
        connection.execute(sql, (run, rows - removed if rows >= 0 else -1))
        removed += connection.changes()
    return removed


class SqliteRetentionTable(RetentionTable):
    """See the contract."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def rules(self) -> list[RetentionRule]:
        return [
            RetentionRule(flow=flow, state=StateType(state) if state else None, age=age)
            for flow, state, age in self._read(_SQL["rules"])
        ]

    def set_rule(self, rule: RetentionRule) -> None:
        with self._database.write() as connection:
            connection.execute(_SQL["set_rule"], (rule.flow, rule.state or "", rule.age))

    def remove_rule(self, flow: str, state: StateType | None) -> bool:
        with self._database.write() as connection:
            return bool(fetch(connection, _SQL["remove_rule"], (flow, state or "")))

    def ended_runs(self, flow: str, state: StateType, *, before: float, limit: int) -> list[str]:
        return [run for (run,) in self._read(_SQL["ended_runs"], flow, state, before, limit)]

    def bury(self, runs: Sequence[str], *, now: float) -> list[str]:
        buried = []
        with self._database.write() as connection:
            for run in dict.fromkeys(runs):
                found = fetch(connection, "SELECT state FROM flow_run WHERE id = ? AND id = root", (run,))
                if found and StateType(found[0][0]) in FINAL:
                    bury_run(connection, run, now)
                    connection.execute(_SQL["leave_to_sweep"], (run,))
                    buried.append(run)
        return buried

    def sweep(self, *, rows: int) -> int:
        removed = 0
        with self._database.write() as connection:
            for (run,) in fetch(connection, _SQL["unswept"]):
                removed += sweep_run(connection, run, rows - removed)
                if removed >= rows:
                    return removed
                connection.execute(_SQL["swept"], (run,))
                removed += 1
        return removed

    def forget_tombstones(self, *, before: float, limit: int) -> int:
        with self._database.write() as connection:
            forgotten = [root for (root,) in fetch(connection, _SQL["forget_tombstones"], (before, limit))]
            if forgotten:
                connection.execute(_SQL["forget_far"], (pack_texts(forgotten),))
            return len(forgotten)

    def fold_counts(self, *, rows: int) -> int:
        with self._database.write() as connection:
            return fold_counts(connection, rows)

    def sizes(self) -> list[Size]:
        size_bytes = dict(self._read(_SQL["bytes_of_tables"]))
        tables = [name for (name,) in self._read("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        found = [
            Size(kind=name, rows=self._read(f'SELECT count(*) FROM "{name}"')[0][0], size_bytes=size_bytes.get(name, 0))
            for name in tables
            if not name.startswith("sqlite_")
        ]
        return sorted(found, key=lambda size: (-size.size_bytes, size.kind))

    def _read(self, sql: str, *values: Any) -> list[Any]:
        with self._database.read() as connection:
            return fetch(connection, sql, values)
