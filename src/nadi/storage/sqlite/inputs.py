"""What runs ask of people, and what they are answered, in SQLite."""

from __future__ import annotations

from nadi.storage.contracts.inputs import InputTable
from nadi.storage.sqlite.database import Database


class SqliteInputTable(InputTable):
    """See the contract."""

    def __init__(self, database: Database) -> None:
        self._database = database
