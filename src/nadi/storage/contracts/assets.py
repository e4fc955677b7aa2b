"""Assets: what was materialised, when, by which run, and from what.

Materialisations arrive as records of the journal (`AssetMaterialized`, `AssetDescribed`) with
`Store.apply`. They tell of things out in the world, so they stay when their run is deleted.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

import msgspec

from nadi.model.assets import AssetRecord, Lineage, Materialization


class AssetTable(ABC):
    """Assets by key, each with its materialisations and with what it is made from.

    An asset is known from the first time that one was made from it, or that it was made or failed to be.
    Properties that a later record does not give stay as they were.
    """

    @abstractmethod
    def assets(self, *, prefix: str = "", before: int = 0, limit: int) -> list[AssetRecord]:
        """Return assets, the one with the newest word on it first, at most `limit`.

        Args:
            prefix: Only those whose key begins so.
            before: Only those whose `seq` is smaller (keyset); 0 for all.
            limit: The most to return.
        """

    @abstractmethod
    def asset(self, key: str) -> AssetRecord | None:
        """Return the asset with exactly this key."""

    @abstractmethod
    def materializations(
        self, key: str = "", *, task: str = "", before: int = 0, limit: int = 100
    ) -> list[Materialization]:
        """Return materialisations, failed ones too, newest first, each with all metadata that its task run told.

        Args:
            key: Only those of this asset.
            task: Only those by this task run.
            before: Only those whose `seq` is smaller (keyset); 0 for all.
            limit: The most to return.
        """

    @abstractmethod
    def lineage(self, key: str, *, up: bool, limit: int = 1000) -> list[Lineage]:
        """Return what an asset was made from, over all steps (`up`), or what was made from it (not `up`).

        What counts is each asset's last successful materialisation. Circles are walked once. In order of keys,
        at most `limit`.
        """


def merged(told: Iterable[dict[str, Any]]) -> bytes:
    """Return what was told of an asset, piece by piece, as one JSON object; a later word on a key counts."""
    metadata: dict[str, Any] = {}
    for piece in told:
        metadata |= piece
    return msgspec.json.encode(metadata)
