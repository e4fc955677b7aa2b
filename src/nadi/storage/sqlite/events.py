"""Events that runs emitted, in SQLite."""

from __future__ import annotations

from nadi.storage.contracts.events import EventTable
from nadi.storage.sqlite.database import Database


class SqliteEventTable(EventTable):
    """See the contract."""

    def __init__(self, database: Database) -> None:
        self._database = database
