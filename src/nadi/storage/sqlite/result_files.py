"""Which result files are still named, in SQLite."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import apsw

from nadi.storage.contracts.result_files import ResultFileTable, owner_of_file
from nadi.storage.fold import FlowRow, TaskRow
from nadi.storage.named_queries import named_queries
from nadi.storage.run_rows import pack_texts
from nadi.storage.sqlite.bulk import Bulk
from nadi.storage.sqlite.database import Database, fetch

_SQL = named_queries("cache.sql")
_use_files = Bulk(_SQL["use_files"], 3)


def use_files(connection: apsw.Connection, rows: Iterable[TaskRow | FlowRow]) -> None:
    """Note the files that these runs name and that do not belong to them."""
    found = [
        (ref.key, row.root, owner_of_file(ref.key))
        for row in rows
        if (ref := row.result) is not None and ref.kind == "file" and owner_of_file(ref.key) != row.root
    ]
    if found:
        _use_files.run(connection, found)


def release_files(connection: apsw.Connection, run: str, now: float) -> None:
    """Let go of all that a root run names, because it is deleted: its own files wait for collection."""
    connection.execute(_SQL["await_collection"], (run, now))
    connection.execute(_SQL["release_files_of_run"], (run, now))
    connection.execute(_SQL["forget_uses_of_run"], (run,))


class SqliteResultFileTable(ResultFileTable):
    """See the contract."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def deleted_runs(self, *, before: float, limit: int = 1000) -> list[str]:
        return self._texts(_SQL["deleted_runs"], before, limit)

    def named_files(self, run: str) -> set[str]:
        return set(self._texts(_SQL["named_files"], run))

    def mark_collected(self, run: str) -> None:
        with self._database.write() as connection:
            connection.execute(_SQL["mark_collected"], (run,))

    def released_files(self, *, before: float, limit: int = 1000) -> list[str]:
        return self._texts(_SQL["released_files"], before, limit)

    def forget_files(self, files: Sequence[str]) -> None:
        with self._database.write() as connection:
            connection.execute(_SQL["forget_files"], (pack_texts(list(files)),))

    def _texts(self, sql: str, *values: object) -> list[str]:
        with self._database.read() as connection:
            return [text for (text,) in fetch(connection, sql, values)]
