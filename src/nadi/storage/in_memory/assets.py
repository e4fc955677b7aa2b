"""Assets: what was materialised, when, by which run, and from what, in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

import msgspec
from msgspec.structs import replace

from nadi.model.assets import AssetProperties, AssetRecord, Lineage, Materialization
from nadi.model.records import AssetDescribed, AssetMaterialized
from nadi.storage.contracts.assets import AssetTable, merged


class MemoryAssetTable(AssetTable):
    """See the contract."""

    def __init__(self, usable: Callable[[], threading.Lock], next_seq: Callable[[], int]) -> None:
        """Be a table of the store whose lock and change numbers these give."""
        self._usable = usable
        self._next_seq = next_seq
        self._assets: dict[str, AssetRecord] = {}
        #: By id, in order of arrival.
        self._made: dict[str, Materialization] = {}
        #: By task run and asset, in the order told.
        self._metadata: dict[tuple[str, str], list[dict[str, Any]]] = {}
        #: By asset: what it was made from.
        self._upstream: dict[str, tuple[str, ...]] = {}

    def assets(self, *, prefix: str = "", before: int = 0, limit: int) -> list[AssetRecord]:
        with self._usable():
            newest = sorted(self._assets.values(), key=lambda asset: -asset.seq)
            wanted = (one for one in newest if one.key.startswith(prefix) and (not before or one.seq < before))
            return list(islice(wanted, limit))

    def asset(self, key: str) -> AssetRecord | None:
        with self._usable():
            return self._assets.get(key)

    def materializations(
        self, key: str = "", *, task: str = "", before: int = 0, limit: int = 100
    ) -> list[Materialization]:
        with self._usable():
            wanted = (
                replace(one, metadata=merged(self._metadata.get((one.task, one.key), [])))
                for one in reversed(self._made.values())
                if key in ("", one.key) and task in ("", one.task) and (not before or one.seq < before)
            )
            return list(islice(wanted, limit))

    def lineage(self, key: str, *, up: bool, limit: int = 1000) -> list[Lineage]:
        with self._usable():
            edges = [Lineage(above, below) for below, all_above in self._upstream.items() for above in all_above]
        walked, ahead, found = {key}, [key], set[Lineage]()
        while ahead:
            here = ahead.pop()
            for edge in edges:
                near, far = (edge.downstream, edge.upstream) if up else (edge.upstream, edge.downstream)
                if near == here:
                    found.add(edge)
                    if far not in walked:
                        walked.add(far)
                        ahead.append(far)
        return sorted(found, key=lambda edge: (edge.downstream, edge.upstream))[:limit]

    # -- for the store, under its lock --

    def take(self, records: Iterable[AssetMaterialized | AssetDescribed]) -> None:
        """Keep what a batch tells."""
        for record in records:
            if isinstance(record, AssetDescribed):
                told = self._metadata.setdefault((record.task, record.key), [])
                told.append(msgspec.json.decode(record.metadata))
                self._next_seq()
            else:
                self._materialized(record)

    def _materialized(self, record: AssetMaterialized) -> None:
        for upstream in record.upstream:
            self._put(upstream.key, upstream.properties)
        made, failed = (record.at, 0.0) if record.succeeded else (0.0, record.at)
        self._put(record.key, record.properties, made, failed)
        keys = tuple(dict.fromkeys(asset.key for asset in record.upstream))
        self._made.setdefault(
            record.id,
            Materialization(
                id=record.id,
                key=record.key,
                at=record.at,
                succeeded=record.succeeded,
                root=record.root,
                run=record.run,
                task=record.task,
                tool=record.tool,
                message=record.message,
                upstream=keys,
                seq=self._next_seq(),
            ),
        )
        if record.succeeded:
            self._upstream[record.key] = keys

    def _put(self, key: str, properties: AssetProperties, made: float = 0.0, failed: float = 0.0) -> None:
        there = self._assets.get(key, AssetRecord(key=key))
        self._assets[key] = AssetRecord(
            key=key,
            properties=properties.over(there.properties),
            materialized=max(there.materialized, made),
            failed=max(there.failed, failed),
            seq=self._next_seq(),
        )
