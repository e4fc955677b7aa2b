"""Concurrency limits and rate limits, with who holds their slots and who waits."""

from __future__ import annotations

import msgspec

from nadi.engine.limit_reasons import LimitUse, uses_of_limits
from nadi.engine.limits import LONGEST_NAME, check_limit
from nadi.exceptions import NotFound, ValueRefused
from nadi.model.access import Permission
from nadi.model.text import one_line, shorten
from nadi.server.routing import Call, Routes

routes = Routes("concurrency-limits")


class NewLimit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many slots a limit has from now on."""

    #: 0 closes the limit.
    slots: int
    #: Slots a second that come back to a rate; 0 for a limit without rate.
    decay: float = 0.0


@routes.add("GET", "/api/concurrency-limits", Permission.READ)
def list_limits(call: Call) -> list[LimitUse]:
    """List all limits, by name, with who holds slots and who waits."""
    return _uses(call)


@routes.add("GET", "/api/concurrency-limits/{name}", Permission.READ, errors=(NotFound,))
def show_limit(call: Call, name: str) -> LimitUse:
    """Show one limit, with who holds slots and who waits."""
    found = next((one for one in _uses(call) if one.name == name), None)
    if found is None:
        raise _missing(name)
    return found


@routes.add("PUT", "/api/concurrency-limits/{name}", Permission.OPERATE, errors=(ValueRefused,), audit="set_limit")
def set_limit(call: Call, name: str, body: NewLimit) -> LimitUse:
    """Make a limit, or change it; who holds slots keeps them."""
    check_limit(name, body.slots, body.decay)
    call.context.store.limits.set_limit(name, slots=body.slots, decay=body.decay, now=call.now)
    return next(one for one in _uses(call) if one.name == name)


@routes.add("DELETE", "/api/concurrency-limits/{name}", Permission.OPERATE, errors=(NotFound,), audit="remove_limit")
def remove_limit(call: Call, name: str) -> None:
    """Remove a limit; who waits for it waits for it no more."""
    if len(name) > LONGEST_NAME or not call.context.store.limits.remove_limit(name):
        raise _missing(name)


def _uses(call: Call) -> list[LimitUse]:
    context = call.context
    return uses_of_limits(context.store, observer=context.holder, home=context.home, now=call.now)


def _missing(name: str) -> NotFound:
    return NotFound(f"There is no limit {shorten(one_line(name), 80)!r}.")
