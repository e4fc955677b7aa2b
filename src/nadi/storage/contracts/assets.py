"""Assets: what was materialised, when, by which run, and from what."""

from __future__ import annotations

from abc import ABC


class AssetTable(ABC):
    """Assets: what was materialised, when, by which run, and from what."""
