"""A real server on a free port of this machine, over a given store, and a small client for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest

from nadi.storage.contract import Store
from nadi.storage.memory import MemoryStore
from nadi.storage.sqlite import SqliteStore
from tests.server.serving import Served, serving


class Serve(Protocol):
    """Starts a server over a store; it ends with the test."""

    def __call__(self, store: Store, **configuration: Any) -> Served: ...


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    with ExitStack() as stack:

        def start(store: Store, **configuration: Any) -> Served:
            return stack.enter_context(serving(store, tmp_path / "server-home", **configuration))

        yield start


@pytest.fixture
def store() -> Store:
    """The store of `server`."""
    return MemoryStore()


@pytest.fixture
def server(serve: Serve, store: Store) -> Served:
    """A server over an empty memory store."""
    return serve(store)


@pytest.fixture(params=["memory", "sqlite"])
def any_server(request: pytest.FixtureRequest, serve: Serve, tmp_path: Path) -> Iterator[Served]:
    """A server over an empty store, once in memory and once in a file."""
    store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "served.db")
    yield serve(store)
    store.close()
