"""Routes with types: each declares its permission and its shapes, and is served, checked and documented from that.

A route is a function with annotations. Its first parameter is the `Call`; every other one is a part of the path of
the same name, or `query` (a Struct whose fields are the query's parameters), or `body` (the JSON body; `bytes` for one
of any other kind). `{key}` is one part of the path, `{key:path}` all the rest of it. What a route returns is the
answer's body: a Struct, a list of Structs, `None` for 204, or a Starlette `Response` where the route streams or sends
bytes. Plain functions run in a thread; `async` ones on the loop, and one without `body` may read `call.request`.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from nadi.model.access import Permission, Principal
from nadi.server.context import Context


class Anyone:
    """In place of a permission: the route answers without credentials. Only health and logging in bear it."""


#: The one object that says so; compared by identity.
ANYONE = Anyone()


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as a route sees it."""

    #: What the server has: store, settings, services.
    context: Context
    #: Who asks; the permission of the route has been checked.
    principal: Principal
    #: Unix seconds when the request arrived.
    now: float
    request: Request


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One route."""

    method: str
    #: Below the base path, such as `/api/flow-runs/{run}`.
    path: str
    function: Callable[..., Any]
    permission: Permission | Anyone
    #: What it is about in the documentation: the noun.
    tag: str
    #: First line of the function's docstring, and the rest.
    summary: str
    description: str
    #: Type of each part of the path, by name.
    parts: dict[str, Any]
    query: Any
    body: Any
    answer: Any
    #: Status of a good answer.
    status: int
    #: Errors of ours that it may answer with, beside those that every route may.
    errors: tuple[type[Exception], ...]
    #: Largest body in bytes.
    limit: int
    #: Name in the audit log; "" where nothing is changed.
    audit: str
    #: Media types of a body or an answer that is not JSON.
    takes: str = "application/json"
    gives: str = "application/json"
    #: Whether its answer bears a secret: it is neither compressed nor kept for somebody who asks again.
    secret: bool = False
    #: Statuses of other answers of its own making, good or bad.
    also: tuple[int, ...] = ()

    @property
    def reads_json(self) -> bool:
        """Whether the layer reads the body and hands it over as a value."""
        return self.body is not None and self.body is not bytes

    @property
    def is_stream(self) -> bool:
        """Whether its answer goes on for as long as somebody listens."""
        return self.gives == "text/event-stream"


@dataclass
class Routes:
    """The routes of one noun; each module of `server/api` has one, and `server/api/__init__.py` lists them."""

    tag: str
    endpoints: list[Endpoint] = field(default_factory=list)

    def add(
        self,
        method: str,
        path: str,
        permission: Permission | Anyone,
        *,
        status: int = 0,
        errors: tuple[type[Exception], ...] = (),
        limit: int = 1 << 20,
        audit: str = "",
        takes: str = "application/json",
        gives: str = "application/json",
        secret: bool = False,
        also: tuple[int, ...] = (),
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Return a decorator that makes a function a route.

        Args:
            method: GET, POST, PUT, PATCH or DELETE.
            path: Below the base path.
            permission: What whoever asks must be allowed to do.
            status: Of a good answer; 0 for 200, or 204 where nothing is returned.
            errors: Errors of ours that it may answer with.
            limit: Largest body in bytes.
            audit: Name in the audit log; wanted on every route that changes something.
            takes: Media type of the body; several with commas between.
            gives: Media type of the answer.
            secret: Whether the answer bears a secret.
            also: Statuses of other answers that neither `status` nor `errors` tell of, such as 304.
        """

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            hints = typing.get_type_hints(function, include_extras=True)
            answer = hints.pop("return")
            hints.pop("call")
            query, body = hints.pop("query", None), hints.pop("body", None)
            summary, _, description = inspect.cleandoc(function.__doc__ or "").partition("\n")
            self.endpoints.append(
                Endpoint(
                    method=method,
                    path=path,
                    function=function,
                    permission=permission,
                    tag=self.tag,
                    summary=summary,
                    description=description.strip(),
                    parts=hints,
                    query=query,
                    body=body,
                    answer=answer,
                    status=status or (204 if answer is type(None) else 200),
                    errors=errors,
                    limit=limit,
                    audit=audit,
                    takes=takes,
                    gives=gives,
                    secret=secret,
                    also=also,
                )
            )
            return function

        return decorate
