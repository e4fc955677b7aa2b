"""The store's own calls, for processes that record runs from afar: one route for each entry of one table."""

from __future__ import annotations

import asyncio
import inspect
import math
from collections.abc import Callable
from typing import Any

import msgspec

from nadi._version import __version__
from nadi.engine.limits import MOST_SLOTS
from nadi.engine.variables import checked_variable
from nadi.exceptions import RequestRefused, RunAlreadyFinished, RunNotFound, RunTaken, StoreUnavailable
from nadi.model.access import Permission
from nadi.model.deployments import DeploymentVersion
from nadi.model.limits import SlotClaim
from nadi.model.pauses import Message
from nadi.model.runs import Request, Variable
from nadi.model.text import shorten
from nadi.model.ticks import Backfill
from nadi.server.auditing import tell
from nadi.server.routing import Call, Endpoint, Routes
from nadi.storage.contracts.overview import HOUR, WINDOW
from nadi.storage.http.arguments import check_arguments, runs_asked_for
from nadi.storage.http.calls import (
    CALLS,
    LARGEST_BODY,
    LATEST,
    OLDEST_WIRE,
    RUNS,
    WIRE,
    StoreCall,
    StoreGreeting,
    answer_type,
    argument_type,
    parameter_names,
)
from nadi.storage.http.lists import LONGEST_LIST, pages_of
from nadi.storage.http.receiving import check_json
from nadi.storage.http.store import STORE_HEADER, WAIT
from nadi.storage.leasing import SHORTEST_TERM

#: Media types of what these routes take and give; the first one is for people.
PACKED = "application/json, application/msgpack"
#: Seconds of the longest bucket of history: a hundred years.
LONGEST_STEP = 36_525 * 24 * HOUR
#: Errors of calls beside those that every route may answer with.
ERRORS: dict[str, tuple[type[Exception], ...]] = {
    "claim": (RunNotFound, RunTaken, RunAlreadyFinished),
    "delete_run": (RunTaken,),
}

#: Tables whose arguments are deployments, or what is to run of them.
TABLES_OF_DEPLOYMENTS = ("work", "deployments", "schedules")
#: What the audit log keeps of a change of something that has a name.
_TOLD = ("schedule", "paused", "slots", "number", "state")

routes = Routes("store")


@routes.add("GET", "/api/store", Permission.READ, gives=PACKED, secret=True)
def greet(call: Call) -> StoreGreeting:
    """Say which store this is and how to speak with it.

    The key that signs results is told to those who may record.
    """
    store = call.context.store
    return StoreGreeting(
        id=store.id,
        url=store.url,
        version=__version__,
        wire=WIRE,
        oldest_wire=OLDEST_WIRE,
        signing_key=store.signing_key if call.principal.may(Permission.RECORD) else b"",
    )


def check_store(call: Call) -> None:
    """Refuse what is meant for another store than the one that is here now.

    Raises:
        StoreUnavailable: the header says another one.
    """
    wanted, store = call.request.headers.get(STORE_HEADER), call.context.store
    if wanted and wanted != store.id:
        raise StoreUnavailable(
            f"This server has the store {store.id} now, and what was sent is for {wanted[:100]}. Start the process"
            " again if it is to record here, or give the server its store back."
        )


def _function(one: StoreCall) -> Callable[..., Any]:
    """Return the route of a call: what is sent as arguments, what the method returns as the answer."""
    names = parameter_names(one)
    positional = one.function.__code__.co_argcount - 1
    pages = pages_of(one, {})
    least = 1 if pages is not None and pages.zero_is_all else 0

    def make_call(call: Call, body: Any) -> Any:
        check_store(call)
        values = [getattr(body, name) for name in names]
        arguments = dict(zip(names, values, strict=True))
        check_bounds(arguments, least=least)
        check_shown(arguments)
        if one.table in TABLES_OF_DEPLOYMENTS:
            check_arguments(arguments)
        roots = roots_given(one, arguments)
        if roots:
            call.context.far.note(roots, call.principal, call.now)
        if one.audit:
            tell(call.request, **told_of(arguments))
        table = call.context.store if one.table == RUNS else getattr(call.context.store, one.table)
        named = dict(zip(names[positional:], values[positional:], strict=True))
        return getattr(table, one.method)(*values[:positional], **named)

    make_call.__name__ = f"{one.table}_{one.method}"
    return make_call


def check_bounds(arguments: dict[str, Any], *, least: int = 0) -> None:
    """Refuse what no answer could be made of.

    Raises:
        RequestRefused: more is asked for than one answer holds, or less than nothing.
    """
    if not least <= arguments.get("limit", least) <= LONGEST_LIST:
        raise RequestRefused(f"limit has to be a number from {least} to {LONGEST_LIST:,}.")
    if not 1 <= arguments.get("window", 1) <= WINDOW:
        raise RequestRefused(f"window has to be a number from 1 to {WINDOW:,}.")
    step = arguments.get("step", HOUR)
    if isinstance(step, int) and not HOUR <= step <= LONGEST_STEP:
        raise RequestRefused(f"step has to be a number of seconds from {HOUR:,} to {LONGEST_STEP:,}.")
    claim = arguments.get("claim")
    slots, term = arguments.get("slots", 1), arguments.get("term", SHORTEST_TERM)
    if isinstance(claim, SlotClaim):
        if not 1 <= claim.slots <= MOST_SLOTS or not claim.term > 0:
            raise RequestRefused(f"A claim takes 1 to {MOST_SLOTS:,} slots, and has a term of more than 0 seconds.")
    elif not 0 <= (slots or 0) <= MOST_SLOTS or not term >= SHORTEST_TERM:
        raise RequestRefused(f"slots is a number from 0 to {MOST_SLOTS:,}, and term {SHORTEST_TERM:g} s or more.")
    for name, value in arguments.items():
        if isinstance(value, float) and math.isnan(value):
            raise RequestRefused(f"{name} is no number.")
    for name in ("since", "until", "now", "expired_at"):
        if not -LATEST <= arguments.get(name, 0.0) <= LATEST:
            raise RequestRefused(f"{name} is no time in Unix seconds.")


def check_shown(arguments: dict[str, Any]) -> None:
    """Refuse what no page could show: names that are none, and what should be JSON and is not.

    Raises:
        ValueRefused: it is so.
    """
    for name, argument in arguments.items():
        if isinstance(argument, Variable):
            checked_variable(argument.name, msgspec.Raw(argument.value), tags=argument.tags, now=argument.updated)
        if isinstance(argument, Variable | Message):
            check_json(argument.value)
        elif name == "value":
            check_json(argument)


def roots_given(one: StoreCall, arguments: dict[str, Any]) -> set[str]:
    """Return the root runs that a call takes up, or for which it gives values that other processes load."""
    if (one.table, one.method) == (RUNS, "claim"):
        return {arguments["run"]}
    if (one.table, one.method) == ("cache", "put"):
        return {entry.root for entry in arguments["entries"] if entry.root}
    return {new.record.root for new in runs_asked_for(arguments)}


def told_of(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return what the audit log keeps of a call: the run or the name that it is about, and what was asked of it."""
    first = next(iter(arguments.values()))
    if isinstance(first, DeploymentVersion):
        return {"subject": first.deployment, "digest": shorten(first.digest, 80)}
    if isinstance(first, Backfill):
        return {"subject": first.deployment, "backfill": first.id, "since": first.since, "until": first.until}
    if "runs" in arguments:
        runs = runs_asked_for(arguments)
        return {"subject": runs[0].work.deployment if runs else "", "runs": [new.work.run for new in runs[:20]]}
    if isinstance(first, Request):
        return {"subject": first.run, "kind": shorten(first.kind, 80)}
    if isinstance(first, Variable):
        return {"subject": first.name}
    if isinstance(first, str):
        return {"subject": first, **{name: arguments[name] for name in _TOLD if name in arguments}}
    # What leaves the cache.
    keys = [shorten(key, 80) for key in arguments["keys"][:20]]
    told = {"task": shorten(arguments["task"], 200), "keys": keys, "expired": arguments["expired_at"]}
    return {name: value for name, value in told.items() if value}


async def wait_for_change(call: Call, body: Any) -> int:
    """Wait on the loop, not in a thread: many may wait at once."""
    check_store(call)
    feed, store, threads, loop = call.context.feed, call.context.store, call.context.threads, asyncio.get_running_loop()
    if feed.is_full:
        raise StoreUnavailable(f"{feed.readers} processes wait for changes here, and no more may. Try again later.")
    deadline = loop.time() + min(WAIT, max(0.0, body.timeout))
    with feed.reading():
        while True:
            newest: int = await loop.run_in_executor(threads, store.last_change)
            left = deadline - loop.time()
            if newest > body.after or left <= 0 or feed.is_closing:
                return newest
            await feed.newer(body.after, left)


def _endpoint(one: StoreCall) -> Endpoint:
    summary, _, description = inspect.cleandoc(one.function.__doc__ or "").partition("\n")
    answer = answer_type(one)
    return Endpoint(
        method="POST",
        path=one.path,
        function=wait_for_change if one.method == "wait_for_change" else _function(one),
        permission=one.permission,
        tag=routes.tag,
        summary=summary,
        description=description.strip(),
        parts={},
        query=None,
        body=argument_type(one),
        answer=answer,
        status=204 if answer is type(None) else 200,
        errors=ERRORS.get(one.method, ()),
        limit=LARGEST_BODY,
        audit=one.audit,
        takes=PACKED,
        gives=PACKED,
    )


routes.endpoints += [_endpoint(one) for one in CALLS]
