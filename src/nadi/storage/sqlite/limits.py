"""Concurrency limits and rate limits, and who holds their slots, in SQLite."""

from __future__ import annotations

from nadi.storage.contracts.limits import LimitTable
from nadi.storage.sqlite.database import Database


class SqliteLimitTable(LimitTable):
    """See the contract."""

    def __init__(self, database: Database) -> None:
        self._database = database
