"""Bodies of requests: never more than a route takes, and never for ever."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.types import Message, Receive

from nadi.exceptions import RequestRefused
from nadi.model.text import human_bytes

#: Seconds within which the next piece of a body must come, and a whole one that is read into memory: so many, and one
#: more for each `SLOWEST` bytes of it.
PIECE, WHOLE = 20.0, 60.0
SLOWEST = 16 * 1024


def check_length(request: Request, limit: int) -> None:
    """Refuse a body by what its sender says of it, before any of it is read.

    Raises:
        RequestRefused: it is too large, or its length cannot be told from the headers.
    """
    told = request.headers.getlist("content-length")
    if len(set(told)) > 1 or any(not text.isascii() or not text.isdigit() for text in told):
        raise RequestRefused("The request has no Content-Length that could be read.", status=400)
    if told and int(told[0]) > limit:
        raise too_large(limit)


def has_body(request: Request) -> bool:
    """Whether a body follows, by the headers."""
    return request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers


def limited(receive: Receive, limit: int) -> Receive:
    """Return a `receive` that gives at most `limit` bytes of body, and waits for none of them for ever.

    What it gives raises RequestRefused: the body is too large (whatever its sender said), or too slow.
    """
    seen, done = 0, False

    async def receive_limited() -> Message:
        nonlocal seen, done
        if done:  # what is waited for now is the end of the connection, and that may take as long as it likes
            return await receive()
        try:
            message = await asyncio.wait_for(receive(), PIECE)
        except TimeoutError:
            raise RequestRefused(f"The body stopped for more than {PIECE:g} seconds.", status=408) from None
        seen += len(message.get("body", b""))
        done = not message.get("more_body", False)
        if seen > limit:
            raise too_large(limit)
        return message

    return receive_limited


async def whole(request: Request) -> bytes:
    """Read a body into memory.

    Raises:
        RequestRefused: it is too large, too slow, or its sender has gone.
    """
    pieces = []
    allowed = WHOLE + int(request.headers.get("content-length", "0")) / SLOWEST
    try:
        async with asyncio.timeout(allowed):
            async for piece in request.stream():
                pieces.append(piece)
    except TimeoutError:
        raise RequestRefused(f"The body took more than {allowed:.0f} seconds.", status=408) from None
    return b"".join(pieces)


def too_large(limit: int) -> RequestRefused:
    """Return the error that says so."""
    return RequestRefused(f"The body is larger than the {human_bytes(limit)} that this route takes.", status=413)
