"""The stores that the contract suite runs on, and records to feed them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nadi.storage.contract import Store
from nadi.storage.memory import MemoryStore
from nadi.storage.sqlite import SqliteStore

#: One line for each store: its name, and how to make an empty one in a folder.
STORES: dict[str, Callable[[Path], Store]] = {
    "memory": lambda folder: MemoryStore(),
    "sqlite": lambda folder: SqliteStore(folder / "nadi.db"),
}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made = STORES[request.param](tmp_path)
    yield made
    made.close()
