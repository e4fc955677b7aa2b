"""Assets: what was materialised, when, by which run, and from what, in memory."""

from __future__ import annotations

from nadi.storage.contracts.assets import AssetTable


class MemoryAssetTable(AssetTable):
    """See the contract."""
