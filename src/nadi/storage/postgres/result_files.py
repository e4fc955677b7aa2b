"""Which result files are still named, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nadi.storage.contracts.result_files import ResultFileTable, owner_of_file
from nadi.storage.fold import FlowRow, TaskRow
from nadi.storage.named_queries import named_queries
from nadi.storage.postgres.bulk import Bulk
from nadi.storage.postgres.database import Connection, Database, execute
from nadi.storage.postgres.keys import kept_file

_SQL = named_queries("postgres/cache.sql")
_use_files = Bulk(_SQL["use_files"], "ttt")


def use_files(connection: Connection, rows: Iterable[TaskRow | FlowRow]) -> None:
    """Note the files that these runs name and that do not belong to them."""
    found = {
        (ref.key, row.root, owner_of_file(ref.key))
        for row in rows
        if (ref := row.result) is not None
        and ref.kind == "file"
        and kept_file(ref.key)
        and owner_of_file(ref.key) != row.root
    }
    _use_files.run(connection, sorted(found))


def release_files(connection: Connection, runs: Sequence[str], now: float) -> None:
    """Let go of all that root runs name, because they are deleted: their own files wait for collection."""
    execute(connection, _SQL["await_collection"], (now, list(runs)))
    execute(connection, _SQL["release_files_of_runs"], (now, list(runs)))
    execute(connection, _SQL["forget_uses_of_runs"], (list(runs),))


class PostgresResultFileTable(ResultFileTable):
    """See the contract."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def deleted_runs(self, *, before: float, limit: int = 1000) -> list[str]:
        return self._texts(_SQL["deleted_runs"], before, limit)

    def named_files(self, run: str) -> set[str]:
        return set(self._texts(_SQL["named_files"], run, run))

    def mark_collected(self, run: str) -> None:
        self._database.transact(lambda connection: execute(connection, _SQL["mark_collected"], (run,)))

    def released_files(self, *, before: float, limit: int = 1000) -> list[str]:
        return self._texts(_SQL["released_files"], before, limit)

    def forget_files(self, files: Sequence[str]) -> None:
        self._database.transact(lambda connection: execute(connection, _SQL["forget_files"], (list(files),)))

    def _texts(self, sql: str, *values: object) -> list[str]:
        return [text for (text,) in self._database.fetch(sql, values)]
