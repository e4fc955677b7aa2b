"""The ASGI application: from a request to a route and back.

The order matters: what can be refused without knowing anybody is refused first (host and origin in `security.py`, path,
method, length and kind of body), then who asks is found out, then whether they may; only then is the body read.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import time
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from nadi.exceptions import NotAllowed, NotAuthenticated, RequestRefused, StoreError, StoreUnavailable
from nadi.model.access import NOBODY, Principal
from nadi.model.text import one_line
from nadi.server import auditing, idempotency
from nadi.server.api import endpoints
from nadi.server.arguments import MSGPACK, body_of, parts_of, query_of
from nadi.server.authentication import identify
from nadi.server.bodies import check_length, has_body, limited, whole
from nadi.server.compression import compressed
from nadi.server.context import Context
from nadi.server.matching import Found, NoSuchMethod, Table
from nadi.server.openapi import document
from nadi.server.problems import answer_to
from nadi.server.routing import ANYONE, Call, Endpoint
from nadi.server.security import API, Security
from nadi.server.static import is_place, takes_pages

T = TypeVar("T")

#: How many may be carried out or wait for a thread. Whoever comes then is told to try again.
MAX_WAITING = 512
#: Bytes from which on a body is decoded in a thread, so that nobody else waits for it.
LARGE = 64 * 1024
#: Where programs ask: no page answers there.
_API = tuple(path.encode() for path in API)
_NOT_NOW = "The server is busy, or its store is away. Try again in a moment."


def make_app(context: Context) -> ASGIApp:
    """Return all that a server serves: its routes and pages, within the rules of `security.py`."""
    app = App(context)
    # Made when somebody asks for it first: it takes as long as the start of the whole server.
    context.describe = functools.cache(
        lambda: msgspec.json.encode(document(endpoints(), base_path=context.configuration.base_path))
    )
    return Security(app, context.configuration, app.note_refusal)


class App:
    """Routes and pages over one context."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._table = Table(endpoints())
        self._waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = Request(scope, receive)
        try:
            response = await self._respond(request)
        except ClientDisconnect:
            return
        except Exception as error:
            response = self._refusal(request, error)
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        base, pages = self._context.configuration.base_path, self._context.pages
        path = self._below_base(request.scope["raw_path"])
        if not path and base:
            # Links of the pages are relative, and lead elsewhere from here.
            return RedirectResponse(f"{base}/", 308)
        found = self._table.find(request.method, path)
        if found is not None:
            return await self._serve(found, request)
        page = pages.find(path)
        if page is not None:
            return page.answer(request)
        if takes_pages(request) and path.startswith(b"/") and not path.startswith(_API):
            # To people the page itself says that there is nothing.
            return pages.start.answer(request, 200 if is_place(path) else 404)
        raise RequestRefused("There is nothing at this path. /api/openapi.json lists what there is.", status=404)

    def _below_base(self, path: bytes) -> bytes:
        base = self._context.configuration.base_path.encode()
        return path[len(base) :] if path == base or path.startswith(base + b"/") else b"outside"

    async def _serve(self, found: Found, request: Request) -> Response:
        context, endpoint, now, began = self._context, found.endpoint, time.time(), time.monotonic()
        request.scope["path_params"] = found.parts
        principal = NOBODY
        try:
            check_length(request, endpoint.limit)
            request = Request(request.scope, limited(request.receive, endpoint.limit))
            if endpoint.permission is not ANYONE:
                known = await self._in_thread(identify, context, request, now)
                principal = known if known is not None else NOBODY
            check_permission(endpoint, principal)
            response = await self._carry_out(found, Call(context, principal, now, request))
        except ClientDisconnect:
            raise
        except StoreError as error:
            # Where the store is, and what is wrong with it, is nothing for strangers.
            told = error if principal is not NOBODY else StoreUnavailable(_NOT_NOW)
            response = self._refusal(request, told)
        except Exception as error:
            response = self._refusal(request, error)
        context.requests.note(endpoint.method, endpoint.path, response.status_code, time.monotonic() - began)
        if endpoint.audit or response.status_code in auditing.REFUSED:
            await self._note(endpoint, request, principal, response.status_code, now)
        return response

    async def _note(
        self, endpoint: Endpoint | None, request: Request, principal: Principal, status: int, now: float
    ) -> None:
        known = principal if principal is not NOBODY else None
        # However busy the server is: what is to be noted has happened.
        note = functools.partial(auditing.note, self._context, endpoint, request, known, status, now)
        await asyncio.get_running_loop().run_in_executor(self._context.threads, note)

    async def note_refusal(self, request: Request, status: int) -> None:
        """Keep in the audit log that a request was refused before anything was known of it."""
        await self._note(None, request, NOBODY, status, time.time())

    async def _carry_out(self, found: Found, call: Call) -> Response:
        endpoint, request = found.endpoint, call.request
        arguments = parts_of(found)
        query = query_of(request.scope["query_string"], endpoint.query)
        if endpoint.query is not None:
            arguments["query"] = query
        key = idempotency.key_of(request, endpoint, call.principal)
        data = b""
        if endpoint.body is not None:
            check_kind(endpoint, request)
            data = await whole(request)
            arguments["body"] = await self._body(endpoint, request, data)
        carry_out = functools.partial(carry_out_in_thread, endpoint, call, arguments)
        if inspect.iscoroutinefunction(endpoint.function):
            return to_response(endpoint, await endpoint.function(call, **arguments), request)
        if key is not None:
            return await self._in_thread(idempotency.once, key, found, call, data, carry_out)
        return await self._in_thread(carry_out)

    async def _body(self, endpoint: Endpoint, request: Request, data: bytes) -> Any:
        if endpoint.body is bytes:
            return data
        kind = request.headers.get("content-type", "")
        if len(data) < LARGE:
            return body_of(data, endpoint.body, kind)
        return await self._in_thread(body_of, data, endpoint.body, kind)

    async def _in_thread(self, function: Callable[..., T], *values: Any, **named: Any) -> T:
        if self._waiting >= MAX_WAITING:
            raise StoreUnavailable(f"The server is busy with {self._waiting} requests. Try again in a moment.")
        self._waiting += 1
        try:
            work = functools.partial(function, *values, **named)
            return await asyncio.get_running_loop().run_in_executor(self._context.threads, work)
        finally:
            self._waiting -= 1

    @staticmethod
    def _refusal(request: Request, error: Exception) -> Response:
        # The path is a stranger's text, and goes to the server's log.
        response = answer_to(error, what=f"{request.method} {one_line(request.scope['path'], 200)}")
        if isinstance(error, NoSuchMethod):
            response.headers["allow"] = error.allowed
        return response


def check_permission(endpoint: Endpoint, principal: Principal) -> None:
    """Raise unless whoever asks may use a route.

    Raises:
        NotAuthenticated: nobody is known.
        NotAllowed: they may not.
    """
    if endpoint.permission is ANYONE:
        return
    if principal is NOBODY:
        raise NotAuthenticated()
    # Whatever is neither ANYONE itself nor a permission that they have is denied.
    if endpoint.permission not in principal.permissions:
        who = f"this key of {principal.name}" if principal.key else principal.name
        raise NotAllowed(f"This needs the permission {str(endpoint.permission)!r}, which {who} has not.")


def check_kind(endpoint: Endpoint, request: Request) -> None:
    """Raise unless the body is of a kind that the route takes; one that is not there is of any.

    Raises:
        RequestRefused: it is of another media type, or is compressed.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    takes = [one.strip() for one in endpoint.takes.split(",")]
    if has_body(request) and kind not in takes:
        told = repr(kind[:100]) if kind else "none is told"
        raise RequestRefused(f"The body has to be {' or '.join(takes)} by its Content-Type, and {told}.", status=415)
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise RequestRefused("The body has a Content-Encoding; send it as it is.", status=415)


def carry_out_in_thread(endpoint: Endpoint, call: Call, arguments: dict[str, Any]) -> Response:
    """Call the function of a route and encode what it returns, both in one thread."""
    return to_response(endpoint, endpoint.function(call, **arguments), call.request)


def to_response(endpoint: Endpoint, answer: Any, request: Request) -> Response:
    """Return what a route returned as an answer."""
    if isinstance(answer, Response):
        return answer
    if answer is None and endpoint.status == 204:
        return Response(status_code=204)
    if MSGPACK in endpoint.gives and MSGPACK in request.headers.get("accept", ""):
        response = Response(msgspec.msgpack.encode(answer), endpoint.status, media_type=MSGPACK)
    else:
        response = Response(msgspec.json.encode(answer), endpoint.status, media_type="application/json")
    return response if endpoint.secret else compressed(response, request)
