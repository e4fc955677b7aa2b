"""Retention in PostgreSQL: runs are buried at once, and what they left is swept row by row."""

from __future__ import annotations

from collections.abc import Sequence

from nadi.model.retention import RetentionRule
from nadi.model.states import StateType
from nadi.storage.contracts.retention import RetentionTable, Size
from nadi.storage.named_queries import named_queries
from nadi.storage.postgres.database import Connection, Database, execute, fetch, next_changes
from nadi.storage.postgres.overview import fold_counts, forget_runs
from nadi.storage.postgres.result_files import release_files
from nadi.storage.schema import Dialect, table_names

_SQL = named_queries("postgres/retention.sql")

#: What belongs to a root run beside its flow runs.
_BELOW = (
    *("task_run", "log", "metric", "artifact", "event", "message"),
    *("attempt", "task_count", "dropped", "superseded", "pause"),
)
_SWEEPS = {
    table: f"DELETE FROM {table} WHERE ctid IN (SELECT ctid FROM {table} WHERE root = %s LIMIT %s)" for table in _BELOW
}


def bury_runs(connection: Connection, runs: Sequence[str], now: float) -> None:
    """Delete the flow runs of finished root runs, with requests and work; `sweep_run` removes the rest."""
    forget_runs(connection, runs)
    execute(connection, "DELETE FROM flow_run WHERE root = ANY(%s)", (list(runs),))
    execute(connection, "DELETE FROM request WHERE run = ANY(%s)", (list(runs),))
    execute(connection, "DELETE FROM work WHERE run = ANY(%s)", (list(runs),))
    release_files(connection, runs, now)
    for run, seq in zip(runs, next_changes(connection, len(runs)), strict=True):
        execute(connection, _SQL["bury"], (run, now, seq))


def sweep_run(connection: Connection, run: str, rows: int | None = None) -> int:
    """Remove at most `rows` rows, all without a number, of what a buried run left; returns how many."""
    removed = 0
    for sql in _SWEEPS.values():
        if removed == rows:
            break
        removed += execute(connection, sql, (run, None if rows is None else rows - removed))
    return removed


class PostgresRetentionTable(RetentionTable):
    """See the contract."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def rules(self) -> list[RetentionRule]:
        return [
            RetentionRule(flow=flow, state=StateType(state) if state else None, age=age)
            for flow, state, age in self._database.fetch(_SQL["rules"])
        ]

    def set_rule(self, rule: RetentionRule) -> None:
        with self._database.write() as connection:
            execute(connection, _SQL["set_rule"], (rule.flow, rule.state or "", rule.age))

    def remove_rule(self, flow: str, state: StateType | None) -> bool:
        with self._database.write() as connection:
            return bool(fetch(connection, _SQL["remove_rule"], (flow, state or "")))

    def ended_runs(self, flow: str, state: StateType, *, before: float, limit: int) -> list[str]:
        return [run for (run,) in self._database.fetch(_SQL["ended_runs"], (flow, state, before, limit))]

    def bury(self, runs: Sequence[str], *, now: float) -> list[str]:
        def work(connection: Connection) -> list[str]:
            found = {run for (run,) in fetch(connection, _SQL["to_bury"], (list(runs),))}
            buried = [run for run in dict.fromkeys(runs) if run in found]
            if buried:
                bury_runs(connection, buried, now)
                execute(connection, _SQL["leave_to_sweep"], (buried,))
            return buried

        return self._database.transact(work)

    def sweep(self, *, rows: int) -> int:
        def work(connection: Connection) -> int:
            removed = 0
            for (run,) in fetch(connection, _SQL["unswept"]):
                removed += sweep_run(connection, run, rows - removed)
                if removed >= rows:
                    break
                execute(connection, _SQL["swept"], (run,))
                removed += 1
            return removed

        return self._database.transact(work)

    def forget_tombstones(self, *, before: float, limit: int) -> int:
        def work(connection: Connection) -> int:
            found = fetch(connection, _SQL["forget_tombstones"], (before, before, limit))
            execute(connection, _SQL["forget_far"], ([root for (root,) in found], before))
            return len(found)

        return self._database.transact(work)

    def fold_counts(self, *, rows: int) -> int:
        return self._database.transact(lambda connection: fold_counts(connection, rows))

    def sizes(self) -> list[Size]:
        found = [
            Size(kind=name, rows=self._database.fetch(f'SELECT count(*) FROM "{name}"')[0][0], size_bytes=size_bytes)
            for name, size_bytes in self._database.fetch(_SQL["tables"], (sorted(table_names(Dialect.POSTGRES)),))
        ]
        return sorted(found, key=lambda size: (-size.size_bytes, size.kind))
