"""What runs ask of people, and what they are answered."""

from __future__ import annotations

from abc import ABC


class InputTable(ABC):
    """What runs ask of people, and what they are answered."""
