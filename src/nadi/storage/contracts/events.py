"""Events that runs emitted."""

from __future__ import annotations

from abc import ABC


class EventTable(ABC):
    """Events that runs emitted."""
