"""Concurrency limits and rate limits, and who holds their slots, in memory."""

from __future__ import annotations

from nadi.storage.contracts.limits import LimitTable


class MemoryLimitTable(LimitTable):
    """See the contract."""
