"""Which key stands for which kept result, in memory."""

from __future__ import annotations

from nadi.storage.contracts.cache import CacheTable


class MemoryCacheTable(CacheTable):
    """See the contract."""
