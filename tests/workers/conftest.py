"""Workshops of tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workers.workshop import Workshop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    """A workshop on SQLite."""
    with Workshop(tmp_path) as shop:
        yield shop
