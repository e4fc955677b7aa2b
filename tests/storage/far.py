"""One real server for all tests of a process, with a fresh store behind it for each."""

from __future__ import annotations

import atexit
import functools
import tempfile
from contextlib import ExitStack
from pathlib import Path

from nadi.server.feed import Feed
from nadi.storage.contract import Store
from nadi.storage.http.client import Client
from nadi.storage.http.results import HttpResults
from nadi.storage.http.store import HttpStore, connect
from nadi.storage.memory import MemoryStore
from nadi.storage.results import MemoryResults, ResultStorage
from tests.server.serving import Served, serving


@functools.cache
def the_server() -> Served:
    """The server of this process; it ends with it."""
    stack = ExitStack()
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    served = stack.enter_context(serving(MemoryStore(), Path(folder), services=False))
    atexit.register(stack.close)
    return served


def far_store(behind: Store | None = None) -> HttpStore:
    """A client of that server, which has another store from now on: this one, or an empty one in memory."""
    served = the_server()
    served.context.store = behind if behind is not None else MemoryStore()
    served.context.feed.close()
    served.context.feed = Feed(served.context.store)
    served.context.results = MemoryResults()
    return connect(served.url, served.context.install_token)


def far_results(behind: ResultStorage) -> HttpResults:
    """A client of that server for result files, which are in this storage from now on."""
    served = the_server()
    served.context.results = behind
    return HttpResults(Client(served.url, served.context.install_token))
