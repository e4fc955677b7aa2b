"""The Store of a far server. What each method promises is told in `storage/contract.py`."""

from __future__ import annotations

import abc
import functools
import heapq
import os
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec

from nadi._version import __version__
from nadi.exceptions import RequestRefused, StoreTooNew, StoreUnavailable
from nadi.model.runs import FlowRun, TaskRun
from nadi.storage.contract import Applied, Batch, Store
from nadi.storage.contracts.access import AccessTable
from nadi.storage.http import calls, delivering
from nadi.storage.http.calls import CALLS, RUNS, TABLES, StoreCall, StoreGreeting
from nadi.storage.http.client import Answer, Client
from nadi.storage.http.lists import in_pages, pages_of
from nadi.storage.http.results import HttpResults
from nadi.storage.http.retention import HttpRetentionTable
from nadi.storage.http.unsent import Unsent

T = TypeVar("T", TaskRun, FlowRun)

#: Task runs and subflow runs that are asked for at a time, where all are wanted.
PAGE = 1000
#: Seconds that one question for what is new waits at the server: less than a connection's silence.
WAIT = 15.0
#: Which store is meant: the server refuses what is meant for another one than it has.
STORE_HEADER = "Nadi-Store"

_encode = msgspec.msgpack.Encoder().encode


class HttpStore(Store):
    """The store behind a Nadi server; what a run records and asks goes there.

    Users and keys, and removing what is due, are the server's own.

    Raises:
        StoreUnavailable: the server cannot be reached, or does not take the key; the message says what to do.
        StoreTooNew: the server is newer than this program can speak with.
    """

    shared = True

    def __init__(self, url: str, key: str, unsent: Unsent | None = None) -> None:
        """Ask the server at `url` who it is, as whoever has this key; `unsent` has results that wait for it."""
        self.client = Client(url, key)
        self._unsent, self._results = unsent, HttpResults(self.client)
        self._headers: dict[str, str] = {}
        self.url = self.client.url
        try:
            greeting = self._greeting()
        except BaseException:
            self.client.close()
            raise
        self.id, self.signing_key = greeting.id, greeting.signing_key
        self._headers[STORE_HEADER] = self.id
        for name in TABLES:
            if name != RUNS:
                setattr(self, name, _far_table(name)(self))
        self.access, self.retention = _kept_there(AccessTable, self.url), HttpRetentionTable(self.client)

    def _greeting(self) -> StoreGreeting:
        answer = self._request("GET", "/api/store").body
        try:
            greeting = msgspec.msgpack.decode(answer, type=StoreGreeting)
        except msgspec.DecodeError:
            raise StoreUnavailable(
                f"What answers at {self.client.url} is no Nadi server that this version ({__version__}) understands."
                " Check NADI_API_URL."
            ) from None
        if greeting.oldest_wire > calls.WIRE:
            raise StoreTooNew(
                f"The Nadi server {self.client.url} has version {greeting.version}, which does not speak with this one"
                f" ({__version__}) any more. Upgrade Nadi here."
            )
        if greeting.wire < calls.OLDEST_WIRE:
            raise StoreUnavailable(
                f"The Nadi server {self.client.url} has version {greeting.version}, with which this one"
                f" ({__version__}) does not speak any more. Upgrade the server."
            )
        return greeting

    def ask_server(self, call: StoreCall, arguments: dict[str, Any]) -> Any:
        """Make a call over there and return what it returns."""
        if call.table == "cache":
            self._send_results()
        pages = pages_of(call, arguments)
        if pages is not None:
            return in_pages(call, pages, arguments, lambda page: self._ask(call, page))
        return self._ask(call, arguments)

    def _ask(self, call: StoreCall, arguments: dict[str, Any]) -> Any:
        answer = self._request("POST", call.path, body=_encode(arguments), again=call.again).body
        return self._read(calls.answer_decoder(call).decode, answer) if answer else None

    def _request(self, method: str, path: str, **given: Any) -> Answer:
        try:
            return self.client.request(method, path, headers=self._headers, **given)
        except RequestRefused as error:
            if error.status == 404:
                raise StoreUnavailable(
                    f"The Nadi server {self.url} has nothing at {path}. Check NADI_API_URL and the path in it; if it is"
                    " right, upgrade the server."
                ) from error
            raise StoreUnavailable(
                f"The Nadi server {self.url} does not take what this version ({__version__}) asks: {error}"
                " Upgrade the older of the two."
            ) from error

    def _read(self, decode: Callable[[bytes], Any], answer: bytes) -> Any:
        try:
            return decode(answer)
        except msgspec.DecodeError as error:
            raise StoreUnavailable(
                f"The answer of the Nadi server {self.url} cannot be read: {error}. Is it older or newer than this"
                f" version ({__version__})?"
            ) from None

    def _send_results(self) -> None:
        if self._unsent is not None:
            try:
                self._unsent.send(self.id, self._results.put)
            except OSError as error:
                raise StoreUnavailable(
                    f"Results that wait for the Nadi server cannot be sent: {error.strerror}."
                ) from error

    def apply(self, batch: Batch) -> Applied:
        self._send_results()  # or a record would name what is not there
        refused: list[Any] = []
        applied = Applied(batch.first - 1) if batch.records else self._deliver(calls.Delivery(batch.writer, 1, []))
        for part in delivering.parts_of(batch):
            applied = self._deliver(part)
            refused += applied.refused
            if applied.watermark < delivering.last_of(part):  # there is a gap before it: what follows would be another
                break
        return Applied(applied.watermark, tuple(refused))

    def _deliver(self, part: calls.Delivery) -> Applied:
        answer = self._request("POST", "/api/journal", body=delivering.encoded(part)).body
        applied: Applied = self._read(_APPLIED.decode, answer)
        return applied

    def recorded_calls(self, root: str) -> Iterator[TaskRun | FlowRun]:
        # Ids are in the order in which the calls were made: two streams in that order become one.
        tasks = _pages(lambda after: self.task_runs(root, after=after, limit=PAGE))
        subflows = _pages(lambda after: self.subflow_runs(root, after=after, limit=PAGE))
        return heapq.merge(tasks, subflows, key=lambda call: call.id)

    def wait_for_change(self, after: int, timeout: float) -> int:
        deadline = time.monotonic() + timeout
        call = _OWN["wait_for_change"]
        while True:
            left = max(0.0, deadline - time.monotonic())
            newest: int = self.ask_server(call, {"after": after, "timeout": min(WAIT, left)})
            if newest > after or left <= WAIT:
                return newest

    def close(self) -> None:
        self.client.close()


def _pages(page_after: Callable[[str], Sequence[T]]) -> Iterator[T]:
    after = ""
    while page := page_after(after):
        yield from page
        after = page[-1].id


_APPLIED = msgspec.msgpack.Decoder(Applied)
_OWN = {call.method: call for call in CALLS if call.table == RUNS}


def _asking(call: StoreCall, store_of: Callable[[Any], HttpStore]) -> Callable[..., Any]:
    """Return a method that makes a call at the server."""
    names = calls.parameter_names(call)

    def ask(self: Any, *args: Any, **kwargs: Any) -> Any:
        return store_of(self).ask_server(call, dict(zip(names, args, strict=False)) | kwargs)

    ask.__name__, ask.__doc__ = call.method, call.function.__doc__
    return ask


@functools.cache
def _far_table(name: str) -> type[Any]:
    """Return the class of a table whose methods ask the server."""
    methods = {call.method: _asking(call, lambda table: table.store) for call in CALLS if call.table == name}

    def __init__(self: Any, store: HttpStore) -> None:
        self.store = store

    contract = TABLES[name]
    return type(f"Http{contract.__name__}", (contract,), {**methods, "__init__": __init__})


def _kept_there(contract: type[Any], url: str) -> Any:
    """Return a table that only the server has: each of its methods says so."""

    def refuse(self: Any, *args: Any, **kwargs: Any) -> Any:
        raise StoreUnavailable(f"That is not kept here but by the Nadi server {url}; it can be asked by its API alone.")

    return type(f"Http{contract.__name__}", (contract,), dict.fromkeys(contract.__abstractmethods__, refuse))()


def _complete(far: Any) -> None:
    """Give a store the methods that are not written out: calls to the server, in the words of the contract."""
    for call in _OWN.values():
        if call.method not in vars(far):
            setattr(far, call.method, _asking(call, lambda store: store))
    abc.update_abstractmethods(far)


_complete(HttpStore)


def connect(url: str, key: str, unsent: str | os.PathLike[str] = "", limit: int = 0) -> HttpStore:
    """Return the store of the server at `url`, as whoever has this key; see `HttpStore` for what it raises.

    Args:
        url: Where the server is.
        key: An API key, or the token of this machine.
        unsent: Folder of results that wait for the server; "" for none.
        limit: The most bytes that this process keeps there.
    """
    complete: Any = HttpStore  # type checkers do not see the methods that it was given above
    store: HttpStore = complete(url, key, Unsent(unsent, limit) if unsent else None)
    return store
