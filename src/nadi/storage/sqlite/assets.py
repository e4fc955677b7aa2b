"""Assets: what was materialised, when, by which run, and from what, in SQLite."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import apsw

from nadi.model.assets import AssetProperties, AssetRecord, Lineage, Materialization
from nadi.model.records import AssetDescribed, AssetMaterialized
from nadi.storage.contracts.assets import AssetTable
from nadi.storage.named_queries import named_queries
from nadi.storage.sqlite.database import Database, fetch
from nadi.storage.table_rows import (
    asset_of,
    materialization_of,
    materialization_values,
    pack_properties,
    unpack_properties,
    upstream_keys,
)

_SQL = named_queries("assets.sql")


def put_assets(
    connection: apsw.Connection, records: Iterable[AssetMaterialized | AssetDescribed], seqs: Iterator[int]
) -> None:
    """Keep what a batch tells of assets, within the write transaction that is open on `connection`."""
    for record in records:
        if isinstance(record, AssetDescribed):
            values = (next(seqs), record.task, record.key, record.metadata)
            connection.execute(_SQL["put_metadata"], values)
        else:
            _put_materialization(connection, record, seqs)


def _put_materialization(connection: apsw.Connection, record: AssetMaterialized, seqs: Iterator[int]) -> None:
    for upstream in record.upstream:
        _put_asset(connection, upstream.key, upstream.properties, 0.0, 0.0, next(seqs))
    made, failed = (record.at, 0.0) if record.succeeded else (0.0, record.at)
    _put_asset(connection, record.key, record.properties, made, failed, next(seqs))
    connection.execute(_SQL["put_materialization"], materialization_values(record, next(seqs)))
    if record.succeeded:
        connection.execute("DELETE FROM asset_edge WHERE downstream = ?", (record.key,))
        for key in upstream_keys(record.upstream):
            connection.execute("INSERT INTO asset_edge (downstream, upstream) VALUES (?, ?)", (record.key, key))


def _put_asset(
    connection: apsw.Connection, key: str, properties: AssetProperties, made: float, failed: float, seq: int
) -> None:
    there = fetch(connection, _SQL["properties"], (key,))
    said = properties.over(unpack_properties(there[0][0])) if there else properties
    connection.execute(_SQL["put_asset"], (key, pack_properties(said), made, failed, seq))


class SqliteAssetTable(AssetTable):
    """See the contract."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def assets(self, *, prefix: str = "", before: int = 0, limit: int) -> list[AssetRecord]:
        conditions: list[str] = ["true"]
        values: list[Any] = []
        if prefix:
            conditions.append("substr(key, 1, length(?)) = ?")
            values += [prefix, prefix]
        if before:
            conditions.append("seq < ?")
            values.append(before)
        return self._assets(f"{' AND '.join(conditions)} ORDER BY seq DESC LIMIT ?", *values, limit)

    def asset(self, key: str) -> AssetRecord | None:
        found = self._assets("key = ?", key)
        return found[0] if found else None

    def materializations(
        self, key: str = "", *, task: str = "", before: int = 0, limit: int = 100
    ) -> list[Materialization]:
        wanted = {"key = ?": key, "task = ?": task, "seq < ?": before}
        conditions = [condition for condition, value in wanted.items() if value]
        values = [value for value in wanted.values() if value]
        where = f"{' AND '.join(conditions) or 'true'} ORDER BY seq DESC LIMIT ?"
        return [materialization_of(row) for row in self._read("materializations", where, *values, limit)]

    def lineage(self, key: str, *, up: bool, limit: int = 1000) -> list[Lineage]:
        return [Lineage(*row) for row in self._read("lineage_up" if up else "lineage_down", "", key, limit)]

    def _assets(self, where: str, *values: Any) -> list[AssetRecord]:
        return [asset_of(row) for row in self._read("assets", where, *values)]

    def _read(self, query: str, where: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._database.read() as connection:
            return fetch(connection, _SQL[query].replace("{where}", where), values)
