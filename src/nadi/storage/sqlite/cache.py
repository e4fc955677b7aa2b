"""Which key stands for which kept result, in SQLite."""

from __future__ import annotations

from nadi.storage.contracts.cache import CacheTable
from nadi.storage.sqlite.database import Database


class SqliteCacheTable(CacheTable):
    """See the contract."""

    def __init__(self, database: Database) -> None:
        self._database = database
