"""Events that runs emitted, in memory."""

from __future__ import annotations

from nadi.storage.contracts.events import EventTable


class MemoryEventTable(EventTable):
    """See the contract."""
