"""Which key stands for which kept result."""

from __future__ import annotations

from abc import ABC


class CacheTable(ABC):
    """Which key stands for which kept result."""
