"""The server itself, and the description of its API."""

from __future__ import annotations

from datetime import datetime

import msgspec

from nadi._version import __version__
from nadi.model.access import Permission
from nadi.model.runs import when
from nadi.server.routing import Call, Routes

routes = Routes("server")


class ServiceShape(msgspec.Struct, frozen=True):
    """One long-lived service of the server."""

    name: str
    #: How often it did what was due, and how often that failed.
    steps: int
    failures: int
    #: What it failed with last; "" when it never did.
    last_failure: str


class ServerShape(msgspec.Struct, frozen=True):
    """This server."""

    version: str
    #: Where it records, without credentials.
    store: str
    started: datetime | None
    services: list[ServiceShape]


@routes.add("GET", "/api/openapi.json", Permission.READ)
def openapi(call: Call) -> msgspec.Raw:
    """Return this description of the API, as OpenAPI 3.1."""
    return msgspec.Raw(call.context.describe())


@routes.add("GET", "/api/server", Permission.READ)
async def server(call: Call) -> ServerShape:
    """Tell where this server records, since when it runs, and how its services are."""
    context = call.context
    return ServerShape(
        version=__version__,
        store=context.store.url,
        started=when(context.started),
        services=[
            ServiceShape(one.name, one.steps, one.failures, one.last_failure) for one in context.services.status()
        ],
    )
