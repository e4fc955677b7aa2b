"""Server-sent events: what is new, as long as somebody reads."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any, TypeVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from nadi.exceptions import AccessError, RunNotFound, StoreError
from nadi.model.access import Permission
from nadi.server.authentication import identify
from nadi.server.feed import Feed
from nadi.server.news import KINDS, Piece, Place, View, changed_roots, read_piece
from nadi.server.routing import Call
from nadi.storage.contract import Store

T = TypeVar("T")

_log = logging.getLogger("nadi.server")

#: Seconds that a reader has to take what is sent to it: then it is cut, and comes back when it can.
SEND_PATIENCE = 45.0
#: Milliseconds after which a browser comes back.
COME_BACK = 2_000
#: Seconds after which a cursor is too old: what was deleted since is not known for ever.
LONGEST_AWAY = 86_400.0
#: Seconds until a store that is away is asked again.
AGAIN = 1.0

RETRY = f"retry: {COME_BACK}\n".encode()


def cursor_of(store_id: str, place: Place, now: float) -> str:
    """Return a place as the id of an event: text that only a server of the same store reads."""
    return f"{store_id[:8]}.{place.change}.{place.until}.{place.kinds}.{int(now)}"


def place_of(cursor: str, store_id: str, newest: int, now: float) -> Place | None:
    """Return the place of a cursor; `None` when it is of another store, unknown, or too old to go on from."""
    parts = cursor.split(".")
    numbers = parts[1:]
    if len(numbers) != 4 or not all(part.isascii() and part.isdigit() and len(part) <= 19 for part in numbers):
        return None
    change, until, kinds, at = (int(part) for part in numbers)
    if parts[0] != store_id[:8] or max(change, until) > newest or kinds > len(KINDS) or now - at > LONGEST_AWAY:
        return None
    return Place(change, until, kinds) if until > change else Place(change)


def event_text(kind: str, data: bytes, cursor: str) -> bytes:
    """Return one event as it is sent. A line break within the data begins a new line of data, and nothing else."""
    lines = b"".join(b"data: %b\n" % line for line in data.splitlines() or [b""])
    return b"id: %b\nevent: %b\n%b\n" % (cursor.encode(), kind.encode(), lines)


class Reader:
    """Somebody who follows: a view, and how far it was told."""

    def __init__(self, call: Call, permission: Permission, view: View) -> None:
        """Follow a view, as long as whoever called has a permission."""
        self._call = call
        self._context = call.context
        self._permission = permission
        self._view = view
        self._place = Place(0)
        #: Up to where all is told, where that is the end of a commit.
        self._reached = -1

    async def begin(self, *, last: str, after: int | None) -> bytes:
        """Find where to begin: after the event `last`, after a change number, or now.

        Returns:
            The first event: `open`, with the place where this begins, or `reset` when `last` is nowhere to go on from.

        Raises:
            RunNotFound: there is no such root run, and this is no reader who comes back.
            StoreUnavailable: the store cannot be asked now.
        """
        store, now = self._context.store, time.time()
        newest = await self._in_thread(store.last_change)
        if self._view.run and not last:
            await self._in_thread(_check_root, store, self._view.run)
        found = place_of(last, store.id, newest, now) if last else None
        begin = newest if after is None else min(after, newest)
        self._place = found or Place(begin)
        if self._place == Place(newest):
            self._reached = newest
        kind = b"reset" if last and found is None else b"open"
        return RETRY + event_text(kind.decode(), b'{"change":%d}' % self._place.change, self._cursor(self._place))

    async def texts(self) -> AsyncGenerator[bytes, None]:
        """Yield what is to be sent, until the server ends or the reader may not read any more."""
        feed = self._context.feed
        beat = time.monotonic() + feed.heartbeat
        while True:
            newest = await feed.newer(self._place.change, max(0.0, beat - time.monotonic()))
            if feed.is_closing:
                yield RETRY + b"\n"
                return
            if newest > self._place.change:
                text = await self._news(newest)
                if text:
                    yield text
            if time.monotonic() >= beat:
                if not await self._may_still_read():
                    yield b": You may not read this any more.\n\n"
                    return
                yield f": {int(time.time())}\nid: {self._cursor(self._place)}\n\n".encode()
                beat = time.monotonic() + feed.heartbeat

    async def _news(self, newest: int) -> bytes:
        context, view, place, now = self._context, self._view, self._place, time.time()

        def read() -> tuple[bytes, Place]:
            piece = read_piece(context.store, view, place, newest, now=now)
            return self._text_of(piece), piece.next

        try:
            if await self._is_elsewhere(newest):
                text, self._place = b"", Place(newest)
            else:
                text, self._place = await context.feed.shared((view, place, newest), context.threads, read)
        except StoreError:
            await asyncio.sleep(AGAIN)
            return b""
        if self._place == Place(newest):
            self._reached = newest
        return text

    async def _is_elsewhere(self, newest: int) -> bool:
        """Whether all that is new belongs to other runs than the one that is followed."""
        context, run, place = self._context, self._view.run, self._place
        if not run or place.change != self._reached:
            return False  # in the middle of a commit what belongs to a run may come after the run itself
        roots = await context.feed.shared(
            ("roots", place.change, newest), context.threads, lambda: changed_roots(context.store, place.change)
        )
        return roots is not None and run not in roots

    def _text_of(self, piece: Piece) -> bytes:
        return b"".join(event_text(kind, data, self._cursor(place)) for kind, data, place in piece.events)

    def _cursor(self, place: Place) -> str:
        return cursor_of(self._context.store.id, place, time.time())

    async def _may_still_read(self) -> bool:
        try:
            principal = await self._in_thread(identify, self._context, self._call.request, time.time())
        except AccessError:
            return False
        except StoreError:  # it cannot be asked now, and has nothing to tell either
            return True
        return principal is not None and self._permission in principal.permissions

    async def _in_thread(self, function: Callable[..., T], *values: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._context.threads, function, *values)


def _check_root(store: Store, run: str) -> None:
    found = store.flow_run(run)
    if found is None or not found.is_root:
        raise RunNotFound(run, where=store.url)


class EventStream(Response):
    """An answer that goes on until the reader goes away, may not read any more, or the server ends."""

    media_type = "text/event-stream"

    def __init__(self, feed: Feed, first: bytes, texts: AsyncGenerator[bytes, None]) -> None:
        """Answer with `first`, and then with each of `texts`."""
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._feed = feed
        self._first = first
        self._texts = texts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        with self._feed.reading():
            tasks = [asyncio.create_task(self._send(send)), asyncio.create_task(_gone(receive))]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                for ended in await asyncio.gather(*tasks, return_exceptions=True):
                    # A reader that takes nothing, or went away, is none of our trouble.
                    if isinstance(ended, Exception) and not isinstance(ended, OSError):
                        _log.error("A stream ended by an error: %r", ended, exc_info=ended)

    async def _send(self, send: Send) -> None:
        start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        await send(start)
        await _sent(send, self._first)
        async with contextlib.aclosing(self._texts) as texts:
            async for text in texts:
                await _sent(send, text)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _sent(send: Send, text: bytes) -> None:
    # Whoever does not read holds nothing but this text, and that not for ever.
    async with asyncio.timeout(SEND_PATIENCE):
        await send({"type": "http.response.body", "body": text, "more_body": True})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
