"""Smaller answers for those who can read them."""

from __future__ import annotations

import gzip

from starlette.requests import Request
from starlette.responses import Response

#: Answers below this are sent as they are: compressing them saves no packet.
SMALLEST = 1_000
#: Of 1 to 9; beyond this each percent costs more than it saves.
LEVEL = 4


def compressed(response: Response, request: Request) -> Response:
    """Return an answer compressed, if it is worth it and whoever asks takes it.

    Not for answers with secrets: how far they shrink beside what a stranger can put into them would tell of them.
    """
    body = bytes(response.body)
    if len(body) < SMALLEST:
        return response
    response.headers["vary"] = "Accept-Encoding"
    if takes_gzip(request.headers.get("accept-encoding", "")):
        response.body = gzip.compress(body, LEVEL, mtime=0)
        response.headers["content-encoding"] = "gzip"
        response.headers["content-length"] = str(len(response.body))
    return response


def takes_gzip(accepted: str) -> bool:
    """Whether the header `Accept-Encoding` names gzip, and not with weight 0."""
    for one in accepted.lower().split(","):
        name, _, weight = one.strip().partition(";")
        if name.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
