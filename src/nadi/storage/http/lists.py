"""Long lists, asked for in pages however much is wanted of them: so no answer fills the memory of a server."""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import chain
from typing import Any, Final

import msgspec

from nadi.storage.http.calls import RUNS, StoreCall

#: The most that one answer lists.
LONGEST_LIST = 10_000

#: Asks a call with these arguments, over there.
Ask = Callable[[dict[str, Any]], list[Any]]


class Pages(msgspec.Struct, frozen=True):
    """How a list is asked for in pages."""

    #: The argument that says where to go on, and which field of the last row says that.
    cursor: str
    field: str
    #: Rows of one page: a flow run has its source text, and an artifact may be large.
    size: int
    #: Whether pages go backwards, each with its rows forwards.
    backwards: bool = False
    #: Whether a limit of 0 asks for all.
    zero_is_all: bool = False


#: The lists of the store's own methods, and of deployments, that may be long. What is asked for by change is left
#: alone: who does so reads in pages already.
PAGES: Final[dict[str, Pages]] = {
    "flow_runs": Pages("before", "id", 200),
    "waiting_runs": Pages("after", "id", 200),
    "subflow_runs": Pages("after", "id", 200, zero_is_all=True),
    "task_runs": Pages("after", "id", 1_000),
    "artifacts": Pages("after", "id", 100),
    "logs": Pages("after", "seq", 1_000),
    "last_logs": Pages("before", "seq", 1_000, backwards=True),
    "metrics": Pages("after", "seq", 1_000),
    "runs_of": Pages("before", "run", 1_000),
    "deployments": Pages("after", "name", 100),
    "versions": Pages("before", "number", 100),
    "backfills": Pages("before", "id", 100),
}
_TABLES = (RUNS, "work", "deployments", "schedules")


def pages_of(call: StoreCall, arguments: dict[str, Any]) -> Pages | None:
    """Return how a call is asked for in pages; `None` where it is asked for at once."""
    pages = PAGES.get(call.method) if call.table in _TABLES else None
    return None if arguments.get("changed_after", -1) >= 0 else pages


def in_pages(call: StoreCall, pages: Pages, arguments: dict[str, Any], ask: Ask) -> list[Any]:
    """Return a list that is put together from pages; what changes in between is seen as it is when its page is read."""
    limit = arguments.get("limit", call.function.__kwdefaults__.get("limit"))
    most = sys.maxsize if pages.zero_is_all and limit == 0 else limit
    found: list[list[Any]] = []
    cursor: dict[str, Any] = {}
    left = most
    while True:
        wanted = min(pages.size, left)
        page = ask({**arguments, **cursor, "limit": wanted})
        found.append(page)
        left -= len(page)
        if len(page) < wanted or left <= 0:
            return list(chain.from_iterable(reversed(found) if pages.backwards else found))
        cursor = {pages.cursor: getattr(page[0 if pages.backwards else -1], pages.field)}
