"""Concurrency limits and rate limits, and who holds their slots."""

from __future__ import annotations

from abc import ABC


class LimitTable(ABC):
    """Concurrency limits and rate limits, and who holds their slots."""
