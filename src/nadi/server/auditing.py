"""The audit log of the server: every change, and every attempt at one that was refused."""

from __future__ import annotations

import logging
from typing import Any

import msgspec
from starlette.requests import Request

from nadi.engine.logins import network_of
from nadi.exceptions import StoreError
from nadi.model.access import AuditEntry, Principal
from nadi.model.text import one_line
from nadi.server.authentication import SAFE_METHODS
from nadi.server.context import Context
from nadi.server.routing import Endpoint

_log = logging.getLogger("nadi.server")

#: Statuses of answers to those who may not.
REFUSED = frozenset({401, 403, 421, 429})
#: Where in the scope of a request its route leaves what it tells.
_TOLD = "nadi.audit"
#: The longest text of an entry; names come from strangers too.
_LONGEST = 200


def tell(request: Request, *, who: str = "", subject: str = "", **detail: Any) -> None:
    """Say what the audit log should know of this request beside its path: called by routes, never with a secret."""
    request.scope[_TOLD] = {"who": who, "subject": subject, "detail": detail}


def changed_nothing(request: Request) -> None:
    """Say that this request, of a route that changes something, changed nothing."""
    request.scope[_TOLD] = None


def note(
    context: Context, endpoint: Endpoint | None, request: Request, principal: Principal | None, status: int, now: float
) -> None:
    """Keep what became of a request, where that belongs into the audit log. Blocks on the store: call it in a thread.

    Changes of routes that bear a name for it are kept, whoever asked; answers that say that there is nothing to
    change are not. Of all other requests those are kept that were refused, unless they could change nothing.

    Args:
        context: What the server has.
        endpoint: The route; `None` where none was found, or the request was refused before one was looked for.
        request: The request.
        principal: Who sent it, where that is known.
        status: Of the answer.
        now: Unix seconds.
    """
    is_refused = status in REFUSED
    names_a_change = endpoint is not None and bool(endpoint.audit)
    if not (names_a_change or request.method not in SAFE_METHODS) or (not is_refused and not names_a_change):
        return
    if not is_refused and 400 <= status < 500:
        return
    told = request.scope.get(_TOLD, {})
    if told is None and not is_refused:
        return
    told = told or {}
    detail = {**told.get("detail", {}), **({"key": principal.key} if principal and principal.key else {})}
    entry = AuditEntry(
        at=now,
        who=_short(principal.name if principal else told.get("who", "")),
        how=principal.how if principal else "",
        origin=origin_of(request),
        action=_action(endpoint, request),
        subject=_short(told.get("subject") or ",".join(map(str, request.path_params.values()))),
        status=status,
        detail=msgspec.json.encode(detail),
    )
    try:
        if is_refused:
            context.refusals.note(context.store.access, entry)
        else:
            context.store.access.note(entry)
    except StoreError as error:
        # What was answered stands; whoever reads the server's own log finds it there.
        _log.warning("The audit log does not have %s by %r: %s", entry.action, entry.who, error)


def origin_of(request: Request) -> str:
    """Return the address that a request comes from; of IPv6 the network, as one can have any number in it."""
    return network_of(request.client.host) if request.client else ""


def _action(endpoint: Endpoint | None, request: Request) -> str:
    if endpoint is None:
        return f"{_short(request.method)} (unknown path)"
    return endpoint.audit or f"{endpoint.method} {endpoint.path}"


def _short(text: str) -> str:
    # What cannot be kept in every database is made visible.
    return one_line(text.encode("utf-8", "backslashreplace").decode(), _LONGEST)
