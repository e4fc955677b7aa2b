"""The stores that the contract suite runs on, and records to feed them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nadi.storage.contract import Store
from nadi.storage.memory import MemoryStore
from nadi.storage.postgres import PostgresStore
from nadi.storage.sqlite import SqliteStore
from tests.postgres import server
from tests.storage.far import far_store

#: One line for each store: its name, and how to make an empty one in a folder.
STORES: dict[str, Callable[[Path], Store]] = {
    "memory": lambda folder: MemoryStore(),
    "sqlite": lambda folder: SqliteStore(folder / "nadi.db"),
    "postgres": lambda folder: PostgresStore(server().fresh(owner=folder)),
    "http": lambda folder: far_store(),
}


#: What a far store leaves to its server: these subjects have no members over HTTP.
KEPT_BY_THE_SERVER = ("test_access_contract.py", "test_retention_contract.py")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    def is_wanted(item: pytest.Item) -> bool:
        asked = getattr(getattr(item, "callspec", None), "params", {}).get("store")
        return asked != "http" or item.path.name not in KEPT_BY_THE_SERVER

    config.hook.pytest_deselected(items=[item for item in items if not is_wanted(item)])
    items[:] = filter(is_wanted, items)


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made = STORES[request.param](tmp_path)
    yield made
    made.close()
