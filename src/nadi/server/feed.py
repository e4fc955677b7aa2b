"""The feed: one look at the store for all who follow it, woken as changes are committed.

Nothing is queued for anybody. Who follows is a place in the order of changes and a question; what came after that
place is read when the reader is ready for it, once for all readers that ask the same at the same place. So a slow
reader costs no memory but what is being sent to it, and gets what came meanwhile in one piece.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any, TypeVar

from nadi.storage.contract import Store

T = TypeVar("T")

_log = logging.getLogger("nadi.server")

#: What `most_readers` and `heartbeat` of a feed are.
MOST_READERS = 1_000
HEARTBEAT = 15.0
#: Seconds within which changes are told together.
TOGETHER = 0.03
#: Seconds that one wait for a change takes at the longest, and that a store that is away is left alone.
PATIENCE = 0.25
AGAIN = 1.0
#: Answers that are kept for readers that ask the same.
KEPT = 64


class Feed:
    """Knows the newest change number of a store, and wakes those who wait for a greater one.

    The store is watched by one thread, only while somebody reads. Everything `async` here is for one event loop.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        #: Readers at once; whoever comes then is told to try again.
        self.most_readers = MOST_READERS
        #: Seconds between signs of life; at each of them it is asked whether a reader still may read.
        self.heartbeat = HEARTBEAT
        self._newest = -1
        self._readers = 0
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: set[asyncio.Future[None]] = set()
        self._answers: OrderedDict[Hashable, asyncio.Future[Any]] = OrderedDict()

    @property
    def readers(self) -> int:
        """How many read now."""
        return self._readers

    @property
    def is_full(self) -> bool:
        """Whether nobody else may read."""
        return self._readers >= self.most_readers

    @property
    def is_closing(self) -> bool:
        """Whether the server ends, and every stream with it."""
        return self._closing.is_set()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Count as a reader, for whom the store is watched, while the body runs."""
        self._loop = asyncio.get_running_loop()
        with self._lock:
            self._readers += 1
            self._wanted.set()
            if self._thread is None and not self.is_closing:
                self._thread = threading.Thread(target=self._watch, name="nadi-feed", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._readers -= 1
                if not self._readers:
                    self._wanted.clear()

    async def newer(self, than: int, timeout: float) -> int:
        """Wait until the newest change number is greater than `than`, the feed is closing, or some seconds are over.

        Returns:
            The newest change number that is known.
        """
        if self._newest > than or self.is_closing:
            return self._newest
        loop = asyncio.get_running_loop()
        woken: asyncio.Future[None] = loop.create_future()
        alarm = loop.call_later(timeout, _settle, woken)
        self._waiting.add(woken)
        try:
            await woken
        finally:
            alarm.cancel()
            self._waiting.discard(woken)
        return self._newest

    async def shared(self, question: Hashable, threads: Executor, answer: Callable[[], T]) -> T:
        """Return what `answer`, called in a thread, returns: once for all who ask the same question at about this time.

        Raises:
            Exception: what it raises; then the next one who asks tries again.
        """
        asked = self._answers.get(question)
        if asked is None:
            asked = asyncio.get_running_loop().run_in_executor(threads, answer)
            asked.add_done_callback(lambda done: self._forget_failed(question, done))
            self._answers[question] = asked
            while len(self._answers) > KEPT:
                self._answers.popitem(last=False)
        # Shielded: who asked first may go away, and the others still wait for it.
        found: T = await asyncio.shield(asked)
        return found

    def close(self) -> None:
        """Let every reader end, and watch no more; from any thread, and any number of times.

        Called beside the loop it waits until the store is left alone, so that it can be closed next.
        """
        self._closing.set()
        self._wanted.set()
        loop = self._loop
        if loop is not None and not loop.is_closed():
            try:
                loop.call_soon_threadsafe(self._wake)
            except RuntimeError:  # it was closed in this moment, and all that waited with it
                pass
        if self._thread is not None and not _is_in_loop():
            self._thread.join(8 * PATIENCE)

    def _forget_failed(self, question: Hashable, asked: asyncio.Future[Any]) -> None:
        if asked.cancelled() or asked.exception() is not None:
            self._answers.pop(question, None)

    def _watch(self) -> None:
        while self._wanted.wait() and not self.is_closing:
            try:
                newest = self._store.wait_for_change(self._newest, PATIENCE)
            except Exception as error:  # whatever it is, those who read are told when the store is there again
                _log.debug("The store could not be watched: %r", error)
                self._closing.wait(AGAIN)
                continue
            if newest != self._newest:
                self._newest = newest
                self._tell()
                self._closing.wait(TOGETHER)

    def _tell(self) -> None:
        loop = self._loop
        if loop is not None and not self.is_closing:
            try:
                loop.call_soon_threadsafe(self._wake)
            except RuntimeError:  # the server has ended
                return

    def _wake(self) -> None:
        for woken in self._waiting:
            _settle(woken)


def _is_in_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _settle(woken: asyncio.Future[None]) -> None:
    if not woken.done():
        woken.set_result(None)
