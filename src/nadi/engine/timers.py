"""Timers: things to do later, in one thread for all of them, so that waiting costs no thread."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable

from nadi.storage.shield import untorn

_log = logging.getLogger("nadi.engine")


class Timer:
    """One thing to do later; `cancel` it while it has not begun."""

    __slots__ = ("action", "due")

    def __init__(self, due: float, action: Callable[[], None]) -> None:
        self.due = due
        self.action: Callable[[], None] | None = action

    def cancel(self) -> None:
        """See to it that it does not begin, if it has not."""
        self.action = None


class Timers:
    """Calls functions when their time has come, in a thread that starts with the first of them."""

    #: Timers at which those that were cancelled are looked for the first time.
    ROOM = 1000

    def __init__(self) -> None:
        #: Taken by itself, not through the condition, whose own `with` is Python code: an interruption that strikes
        #: in there leaves it taken, and no timer of this process would ever be due again.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._heap: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._room = self.ROOM
        self._thread: threading.Thread | None = None

    def call_later(self, delay: float, action: Callable[[], None]) -> Timer:
        """Call `action` after `delay` seconds, in the timers' thread: it must be short."""
        timer = Timer(time.monotonic() + delay, action)
        with untorn(), self._lock:
            if len(self._heap) >= self._room:
                self._drop_cancelled()
            heapq.heappush(self._heap, (timer.due, next(self._order), timer))
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name="nadi-timers", daemon=True)
                self._thread.start()
            elif self._heap[0][2] is timer:
                self._changed.notify()
        return timer

    def _drop_cancelled(self) -> None:
        # Most tasks end long before their time limit: a million of them would wait here for all of it.
        self._heap = [entry for entry in self._heap if entry[2].action is not None]
        heapq.heapify(self._heap)
        self._room = max(self.ROOM, 2 * len(self._heap))

    def _work(self) -> None:
        while True:
            with self._lock:
                while not self._heap or self._heap[0][0] > time.monotonic():
                    wait = self._heap[0][0] - time.monotonic() if self._heap else None
                    self._changed.wait(wait if wait is None else min(wait, threading.TIMEOUT_MAX))
                _, _, timer = heapq.heappop(self._heap)
                action, timer.action = timer.action, None
            if action is not None:
                try:
                    action()
                except Exception:
                    _log.exception("Something that was to happen later failed.")
            del action, timer  # or the last run would be kept until the next timer is due


#: The timers of this process.
timers = Timers()
