"""`Idempotency-Key`: an action that is asked for twice is carried out once, and answered twice.

Keys are kept for a day, one name space for each principal. An answer is kept with the key in the store, so that any
server of that store gives it again; after one that asks to try again (the server was busy, or its store away) the key
is free.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from nadi.exceptions import RequestRefused
from nadi.model.access import NOBODY, Permission, Principal
from nadi.server.matching import Found
from nadi.server.problems import answer_to
from nadi.server.routing import Call, Endpoint

#: Seconds that a key and its answer are kept.
KEPT = 24 * 3600.0
#: Longest key, in characters.
LONGEST = 200


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    status: int
    kind: str
    body: bytes


def takes_key(endpoint: Endpoint) -> bool:
    """Whether a route heeds `Idempotency-Key`: those that carry out an action do."""
    return endpoint.method == "POST" and endpoint.permission in (Permission.OPERATE, Permission.ADMIN)


def key_of(request: Request, endpoint: Endpoint, principal: Principal) -> str | None:
    """Return under which key an action is kept; `None` where none is told, or it makes no difference.

    Raises:
        RequestRefused: the key cannot be used.
    """
    told = request.headers.getlist("idempotency-key")
    if not told or not takes_key(endpoint) or principal is NOBODY:
        return None
    if len(told) > 1 or not told[0] or len(told[0]) > LONGEST or not told[0].isascii():
        raise RequestRefused(f"Idempotency-Key has to be one text of 1 to {LONGEST} ASCII characters.")
    return f"{principal.how}:{principal.name}:{told[0]}"


def once(key: str, found: Found, call: Call, body: bytes, carry_out: Callable[[], Response]) -> Response:
    """Carry out an action, unless it was before: then return that answer again. Blocks on the store.

    Raises:
        RequestRefused: the key was given with another request, or its request is being carried out.
    """
    access = call.context.store.access
    request = digest_of(call.request, body)
    taken = access.reserve(key, request=request, at=call.now, forget_before=call.now - KEPT)
    if taken is not None:
        return _again(taken, request)
    try:
        response = carry_out()
    except Exception as error:
        response = answer_to(error, what=f"{found.endpoint.method} {found.endpoint.path}")
    except BaseException:
        access.answered(key, None)
        raise
    may_try_again = response.status_code >= 500 or response.status_code == 429
    access.answered(key, None if may_try_again else _keep(response, found.endpoint))
    return response


def digest_of(request: Request, body: bytes) -> bytes:
    """Return what makes two requests the same: method, path, query and body."""
    digest = hashlib.sha256()
    for part in (request.method.encode(), request.scope["raw_path"], request.scope["query_string"], body):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()


def _keep(response: Response, endpoint: Endpoint) -> bytes:
    body = b"" if endpoint.secret and response.status_code < 400 else _plain(response)
    return msgspec.msgpack.encode(_Kept(response.status_code, response.headers.get("content-type", ""), body))


def _again(taken: tuple[bytes, bytes | None], request: bytes) -> Response:
    before, answer = taken
    if before != request:
        raise RequestRefused("This Idempotency-Key was given with another request. Take a new key for each action.")
    if answer is None:
        raise RequestRefused(
            "The request with this Idempotency-Key is being carried out. Ask again in a moment; if its server ended"
            " before it answered, look what became of it, and take a new key.",
            status=409,
        )
    kept = msgspec.msgpack.decode(answer, type=_Kept)
    if not kept.body and kept.status != 204:
        raise RequestRefused(
            "The request with this Idempotency-Key was carried out, and its answer bore a secret, which is told once.",
            status=409,
        )
    response = Response(kept.body, kept.status, {"idempotency-replayed": "true"})
    if kept.kind:
        response.headers["content-type"] = kept.kind
    return response


def _plain(response: Response) -> bytes:
    body = bytes(response.body)
    if response.headers.get("content-encoding") == "gzip":
        return gzip.decompress(body)
    return body
