"""Assets: what was materialised, when, by which run, and from what, in SQLite."""

from __future__ import annotations

from nadi.storage.contracts.assets import AssetTable
from nadi.storage.sqlite.database import Database


class SqliteAssetTable(AssetTable):
    """See the contract."""

    def __init__(self, database: Database) -> None:
        self._database = database
