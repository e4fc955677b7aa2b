"""Result files: bytes under keys, for processes that record runs from afar. Nothing of them is ever read here."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from typing import TypeVar

import msgspec
from starlette.responses import FileResponse, Response

from nadi.exceptions import CallError, MissingResult, RequestRefused, StoreUnavailable
from nadi.model.access import Permission
from nadi.server.api.store_calls import PACKED, check_bounds
from nadi.server.routing import Call, Routes
from nadi.storage.http.calls import LARGEST_RESULT
from nadi.storage.results import LocalResults

T = TypeVar("T")

BYTES = "application/octet-stream"
#: What a browser that is led here does with it: save it, under no name and of no kind that it would open.
HEADERS = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}

#: Errors of the system that tell of the key and not of the folder: it is too long, or a folder of other keys.
_OF_THE_KEY = frozenset({errno.ENAMETOOLONG, errno.EISDIR, errno.EINVAL})

routes = Routes("results")


class ResultQuery(msgspec.Struct, frozen=True):
    """How a result is put."""

    #: Whether it takes the place of what is there; for keys that users name.
    replace: bool = False


class ListQuery(msgspec.Struct, frozen=True):
    """Which keys to list."""

    #: Only keys that begin with this and a slash.
    folder: str
    #: Only keys that come after this one.
    after: str = ""
    limit: int = 1000


@routes.add("GET", "/api/results", Permission.RECORD, errors=(CallError,), gives=PACKED)
def list_results(call: Call, query: ListQuery) -> list[str]:
    """List keys of results in a folder, in order.

    Every run has a folder of its own: `<store id>/<run id>`.
    """
    check_bounds({"limit": query.limit})
    found = [key for key in _doing(lambda: call.context.results.keys(query.folder)) if key > query.after]
    return found[: query.limit]


@routes.add("GET", "/api/results/{key:path}", Permission.READ, errors=(CallError, MissingResult), gives=BYTES)
def read_result(call: Call, key: str) -> Response:
    """Return the bytes of a result, as the process that kept it wrote them.

    They are serialised and signed by that process; the server neither reads nor converts them.
    """
    results = call.context.results
    if not _doing(lambda: results.exists(key)):
        raise MissingResult(f"There is no result under the key {key!r}.")
    if isinstance(results, LocalResults):
        return FileResponse(results.path(key), media_type=BYTES, headers=HEADERS)
    return Response(_doing(lambda: results.read(key)), media_type=BYTES, headers=HEADERS)


@routes.add(
    "PUT",
    "/api/results/{key:path}",
    Permission.RECORD,
    errors=(CallError,),
    limit=LARGEST_RESULT,
    takes=BYTES,
    also=(409,),
)
async def put_result(call: Call, key: str, query: ResultQuery) -> None:
    """Keep bytes under a key, whole or not at all, safe from a power cut when this answers.

    Putting the same bytes again is fine; other bytes are refused (409) unless they are to replace what is there.
    What the engine names itself (`<store id>/...`) is never replaced.
    """
    check_kind_of_bytes(call)
    results, store = call.context.results, call.context.store
    if query.replace and key.split("/")[0] == store.id:
        raise CallError(f"{key!r} lies among the results that the store names itself; they are never replaced.")
    if isinstance(results, LocalResults):
        await _put_in_folder(results, call, key, replace=query.replace)
        return
    data = b"".join([piece async for piece in call.request.stream()])
    put = results.replace if query.replace else results.write
    await asyncio.to_thread(_doing, lambda: put(key, data))


async def _put_in_folder(results: LocalResults, call: Call, key: str, *, replace: bool) -> None:
    _doing(lambda: results.path(key))  # first, so that nothing is read for a key that is none
    incoming = await asyncio.to_thread(_doing, results.incoming)
    try:
        async for piece in call.request.stream():
            await asyncio.to_thread(_doing, lambda piece=piece: incoming.write(piece))
        await asyncio.to_thread(_doing, lambda: incoming.keep(key, replace=replace))
    finally:
        incoming.close()


@routes.add("DELETE", "/api/results/{key:path}", Permission.RECORD, errors=(CallError,), audit="delete_result")
def delete_result(call: Call, key: str) -> None:
    """Remove a result; fine if there is none."""
    _doing(lambda: call.context.results.delete(key))


def check_kind_of_bytes(call: Call) -> None:
    """Raise RequestRefused unless the body is sent as plain bytes."""
    if call.request.headers.get("content-type", "") != BYTES:
        raise RequestRefused(f"The body has to be {BYTES} by its Content-Type.", status=415)
    if call.request.headers.get("content-encoding", "identity").lower() != "identity":
        raise RequestRefused("The body has a Content-Encoding; send it as it is.", status=415)


def _doing(what: Callable[[], T]) -> T:
    """Do something with the storage; its errors as those that travel."""
    try:
        return what()
    except FileNotFoundError:
        raise MissingResult("There is no result under this key any more.") from None
    except FileExistsError:
        raise RequestRefused("Another result is already kept under this key.", status=409) from None
    except OSError as error:
        if error.errno in _OF_THE_KEY:  # it would be so at every later try, too
            raise RequestRefused(f"No result can be under this key: {error.strerror}.") from None
        raise StoreUnavailable(f"The server cannot use its results folder: {error.strerror or error}.") from error
