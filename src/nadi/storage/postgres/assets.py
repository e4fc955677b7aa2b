"""Assets: what was materialised, when, by which run, and from what, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from nadi.model.assets import AssetProperties, AssetRecord, Lineage, Materialization
from nadi.model.records import AssetDescribed, AssetMaterialized
from nadi.storage.contracts.assets import AssetTable
from nadi.storage.named_queries import named_queries
from nadi.storage.postgres.bulk import Bulk
from nadi.storage.postgres.database import Connection, Database, execute, fetch, keepable
from nadi.storage.postgres.keys import kept_key
from nadi.storage.table_rows import (
    asset_of,
    materialization_of,
    materialization_values,
    pack_properties,
    unpack_properties,
    upstream_keys,
)

_SQL = named_queries("postgres/assets.sql")
_know_assets = Bulk(_SQL["know_assets"], "ti")
_put_assets = Bulk(_SQL["put_assets"], "ttffi")
_put_materializations = Bulk(_SQL["put_materializations"], "ittfitttttt")
_put_metadata = Bulk(_SQL["put_metadata"], "ittb")
_put_edges = Bulk(_SQL["put_edges"], "tt")


def put_assets(
    connection: Connection, records: Iterable[AssetMaterialized | AssetDescribed], seqs: Iterator[int]
) -> None:
    """Keep what a batch tells of assets, within the write transaction that is open on `connection`."""
    told = [_fit(record) for record in records]
    made = [record for record in told if isinstance(record, AssetMaterialized)]
    described = [record for record in told if isinstance(record, AssetDescribed)]
    _put_metadata.run(connection, [(next(seqs), one.task, one.key, one.metadata) for one in described])
    if made:
        _put_known(connection, made, seqs)
        rows = [materialization_values(record, next(seqs)) for record in made]
        _put_materializations.run(connection, sorted(rows, key=lambda row: row[1]))
        _connect(connection, made)


def _fit(record: AssetMaterialized | AssetDescribed) -> AssetMaterialized | AssetDescribed:
    # Longer keys than the engine lets through come from a program that speaks to the store by itself.
    keys = [record.key] if isinstance(record, AssetDescribed) else [record.key, *upstream_keys(record.upstream)]
    if all(_kept(key) == key for key in keys):
        return record
    if isinstance(record, AssetDescribed):
        return msgspec.structs.replace(record, key=_kept(record.key))
    upstream = tuple(msgspec.structs.replace(asset, key=_kept(asset.key)) for asset in record.upstream)
    return msgspec.structs.replace(record, key=_kept(record.key), upstream=upstream)


def _kept(key: str) -> str:
    # As it comes back, since words are found by their keys.
    return kept_key(keepable(key))


class _Word:
    """What is newly said of one asset."""

    def __init__(self, before: AssetProperties) -> None:
        self.properties, self.made, self.failed, self.seq = before, 0.0, 0.0, 0

    def add(self, properties: AssetProperties, seq: int, *, made: float = 0.0, failed: float = 0.0) -> None:
        self.properties = properties.over(self.properties)
        self.made, self.failed, self.seq = max(self.made, made), max(self.failed, failed), seq


def _put_known(connection: Connection, made: Sequence[AssetMaterialized], seqs: Iterator[int]) -> None:
    keys = sorted({record.key for record in made} | {asset.key for record in made for asset in record.upstream})
    # First they are there, then they are ours: so of two writers who tell of one asset neither overlooks the other.
    _know_assets.run(connection, [(key, next(seqs)) for key in keys])
    words = {key: _Word(unpack_properties(text)) for key, text in fetch(connection, _SQL["lock_assets"], (keys,))}
    for record in made:
        for upstream in record.upstream:
            words[upstream.key].add(upstream.properties, next(seqs))
        at = {"made" if record.succeeded else "failed": record.at}
        words[record.key].add(record.properties, next(seqs), **at)
    rows = [(key, pack_properties(word.properties), word.made, word.failed, word.seq) for key, word in words.items()]
    _put_assets.run(connection, rows)


def _connect(connection: Connection, made: Sequence[AssetMaterialized]) -> None:
    # The last success counts. The row of the asset is locked, and its edges with it.
    edges = {record.key: upstream_keys(record.upstream) for record in made if record.succeeded}
    if edges:
        execute(connection, _SQL["forget_edges"], (list(edges),))
        _put_edges.run(connection, [(key, one) for key, upstream in edges.items() for one in upstream])


class PostgresAssetTable(AssetTable):
    """See the contract."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def assets(self, *, prefix: str = "", before: int = 0, limit: int) -> list[AssetRecord]:
        conditions: list[str] = ["true"]
        values: list[Any] = []
        if prefix:
            conditions.append("starts_with(key, %s)")
            values.append(prefix)
        if before:
            conditions.append("seq < %s")
            values.append(before)
        return self._assets(f"{' AND '.join(conditions)} ORDER BY seq DESC LIMIT %s", *values, limit)

    def asset(self, key: str) -> AssetRecord | None:
        found = self._assets("key = %s", kept_key(key))
        return found[0] if found else None

    def materializations(
        self, key: str = "", *, task: str = "", before: int = 0, limit: int = 100
    ) -> list[Materialization]:
        wanted = {"key = %s": kept_key(key), "task = %s": task, "seq < %s": before}
        conditions = [condition for condition, value in wanted.items() if value]
        values = [value for value in wanted.values() if value]
        where = f"{' AND '.join(conditions) or 'true'} ORDER BY seq DESC LIMIT %s"
        return [materialization_of(row) for row in self._read("materializations", where, *values, limit)]

    def lineage(self, key: str, *, up: bool, limit: int = 1000) -> list[Lineage]:
        return [Lineage(*row) for row in self._read("lineage_up" if up else "lineage_down", "", kept_key(key), limit)]

    def _assets(self, where: str, *values: Any) -> list[AssetRecord]:
        return [asset_of(row) for row in self._read("assets", where, *values)]

    def _read(self, query: str, where: str, *values: Any) -> list[tuple[Any, ...]]:
        return self._database.fetch(_SQL[query].replace("{where}", where), values)
