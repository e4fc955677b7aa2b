"""Whether the server is there."""

from __future__ import annotations

import msgspec

from nadi._version import __version__
from nadi.server.routing import ANYONE, Call, Routes

routes = Routes("server")


class Health(msgspec.Struct, frozen=True):
    """That the server answers, and which version it is."""

    status: str
    version: str


@routes.add("GET", "/api/health", ANYONE)
async def health(call: Call) -> Health:
    """Tell that the server answers, without credentials. Asks neither store nor anything else that could be slow."""
    return Health("ok", __version__)
