"""What runs ask of people, and what they are answered, in memory."""

from __future__ import annotations

from nadi.storage.contracts.inputs import InputTable


class MemoryInputTable(InputTable):
    """See the contract."""
