"""The event loop that a process keeps for coroutines that no caller's loop runs.

asyncio is imported inside the functions that need it: a script without `async` never pays its 25 ms.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Coroutine
from inspect import isawaitable
from typing import Any


class RunLoop:
    """An event loop in a thread of its own; it starts with the first coroutine."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: Any = None

    def start(self, make: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """Run a coroutine there; returns a concurrent.futures.Future."""
        import asyncio

        with self._lock:
            if self._loop is None:
                loop = asyncio.new_event_loop()
                threading.Thread(target=loop.run_forever, name="nadi-loop", daemon=True).start()
                self._loop = loop
        return asyncio.run_coroutine_threadsafe(make(), self._loop)


#: The loop of this process for coroutines that no caller's loop runs.
run_loop = RunLoop()


def running_loop() -> Any:
    """Return the event loop that runs in this thread, or `None`."""
    asyncio = sys.modules.get("asyncio")
    return asyncio.events._get_running_loop() if asyncio is not None else None


def finish(value: Any) -> Any:
    """Return a value; an awaitable one is awaited first, on the run's loop."""
    if not isawaitable(value):
        return value

    async def waited() -> Any:
        return await value

    return run_loop.start(waited).result()
