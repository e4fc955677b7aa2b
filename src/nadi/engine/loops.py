"""The event loops that a process keeps for coroutines that no caller's loop runs.

asyncio is imported inside the functions that need it: a script without `async` never pays its 25 ms.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import ContextVar
from typing import Any, TypeVar

from nadi.storage.shield import untorn

R = TypeVar("R")

#: The most loops; coroutines that are nested deeper share the last one.
MOST_LOOPS = 16

#: How many of these loops the code that runs now stands on, one started from another.
_depth: ContextVar[int] = ContextVar("nadi_loop_depth", default=0)


class RunLoops:
    """Event loops in threads of their own; each starts with its first coroutine.

    What a coroutine on one loop starts, however indirectly, goes to the next: so one that blocks its loop
    by waiting for what it started cannot be waiting for its own loop.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loops: list[Any] = []

    def start(self, make: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """Run a coroutine on a loop; returns a concurrent.futures.Future."""
        import asyncio

        depth = min(_depth.get(), MOST_LOOPS - 1)
        with untorn(), self._lock:
            while len(self._loops) <= depth:
                loop = asyncio.new_event_loop()
                name = f"nadi-loop-{len(self._loops) + 1}"
                threading.Thread(target=loop.run_forever, name=name, daemon=True).start()
                self._loops.append(loop)
        # The coroutine takes a copy of the context in which it is handed over.
        token = _depth.set(depth + 1)
        try:
            return asyncio.run_coroutine_threadsafe(make(), self._loops[depth])
        finally:
            _depth.reset(token)


#: The loops of this process for coroutines that no caller's loop runs.
run_loop = RunLoops()


def running_loop() -> Any:
    """Return the event loop that runs in this thread, or `None`."""
    asyncio = sys.modules.get("asyncio")
    return asyncio.events._get_running_loop() if asyncio is not None else None


def finish(value: Any) -> Any:
    """Return a value; an awaitable one is awaited first, on one of these loops."""
    if not isinstance(value, Awaitable):  # inspect.isawaitable says the same, and costs 5 ms to import
        return value

    async def waited() -> Any:
        return await value

    return run_loop.start(waited).result()


async def call_apart(fn: Callable[..., R], *args: Any) -> R:
    """Call a function in a thread of its own and await what it returns; a cancel waits until it has returned."""
    import asyncio

    job = asyncio.ensure_future(asyncio.to_thread(fn, *args))
    try:
        return await asyncio.shield(job)
    except asyncio.CancelledError:
        while not job.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([job])
        if not job.cancelled():
            job.exception()  # nobody else will ask
        raise


def until(loop: Any, register: Callable[[Callable[[Any], None]], None]) -> Any:
    """Return a future of `loop` that is done once the callback handed to `register` was called, from any thread."""
    waiter = loop.create_future()

    def set_result() -> None:
        if not waiter.done():
            waiter.set_result(None)

    register(lambda _: call_soon(loop, set_result))
    return waiter


def call_soon(loop: Any, action: Callable[[], object]) -> None:
    """Have a loop call `action`, from whichever thread; a loop that was closed meanwhile has nobody who waits."""
    try:
        loop.call_soon_threadsafe(action)
    except RuntimeError:
        return
