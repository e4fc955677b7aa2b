"""Taking slots of limits from coroutines: the store is asked in the desk's thread, so that the loop is never blocked.

asyncio is imported inside the functions that need it: a script without `async` never pays its 25 ms.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from nadi.engine.desks import desk_here
from nadi.engine.limits import Wanted, ask_turn, judged_turn, lease_lost, teller_of_loss
from nadi.engine.loops import call_soon
from nadi.engine.slots import Desk, Place


@asynccontextmanager
async def holding_async(wanted: Wanted, *, raise_when_lost: bool) -> AsyncIterator[None]:
    """Hold slots while the body runs, awaiting them where need be; see `concurrency()`."""
    import asyncio

    if not wanted.names:
        yield
        return
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    desk, let_in = desk_here(), asyncio.Event()
    place = Place(wanted.claim(desk), ready=lambda: call_soon(loop, let_in.set))
    cancels = task.cancelling() if task is not None else 0
    struck = over = False

    def strike() -> None:
        nonlocal struck
        if task is not None and not over:
            struck = task.cancel()

    try:
        await _take_slots(wanted, desk, place, let_in)
        place.lost = (lambda: call_soon(loop, strike)) if raise_when_lost else teller_of_loss(wanted)
        if place.is_lost:
            place.lost()
        yield
        if struck:
            await asyncio.sleep(0)  # the cancel waits for the next await, which must not be one behind this block
            raise asyncio.CancelledError
    except BaseException as error:
        # Where somebody else cancels it too, that goes first.
        if struck and task is not None and task.uncancel() <= cancels and isinstance(error, asyncio.CancelledError):
            raise lease_lost(wanted) from None
        raise
    finally:
        over = True
        # In its turn, after a claim that is still under way; nobody has to wait for it.
        desk.leave_soon(place)


async def _take_slots(wanted: Wanted, desk: Desk, place: Place, let_in: Any) -> None:
    import asyncio

    answer = await asyncio.wrap_future(desk.soon(lambda: desk.claim(place, wait=wanted.wait)))
    wanted.judge(answer, desk)
    if answer.held:
        return
    if wanted.wait:
        try:
            async with asyncio.timeout(wanted.timeout):
                while not place.held:
                    await let_in.wait()
            return
        except TimeoutError:
            if place.held:
                return
    raise await asyncio.wrap_future(desk.soon(lambda: wanted.refusal(desk)))


async def await_turn(wanted: Wanted) -> None:
    """Take a turn under rates and await it; see `rate_limit()`."""
    import asyncio

    if wanted.names:
        desk = desk_here()
        turn = await asyncio.wrap_future(desk.soon(lambda: ask_turn(wanted, desk)))
        await asyncio.sleep(judged_turn(wanted, turn, desk))
