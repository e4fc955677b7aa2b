"""The coroutine driver of flow runs: enters the function on the running event loop, attempt after attempt.

asyncio is imported inside the functions that need it: a script without `async` never pays its 25 ms.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from nadi.engine import tracing
from nadi.engine.aio import StepsAsync, cancel_with_session, rested
from nadi.engine.drive import PASSED_ON
from nadi.engine.flow_drive import closed, ended, ended_items, interrupted, prepared, stop_children
from nadi.engine.flow_runs import FlowRun, wait_for_children
from nadi.engine.interrupts import TimeUp, interrupted_loop
from nadi.engine.scope import Scope, current
from nadi.exceptions import CancelledRun
from nadi.model.specs import Style


async def drive_flow_async(run: FlowRun) -> None:
    """Run an async flow on the running loop; see `drive_flow`."""
    ready = prepared(run)
    if ready is None:
        return
    scope, args, kwargs = ready
    while True:
        delay = await _attempt_async(run, scope, args, kwargs)
        if delay is None or not await _pause(run, scope, delay):
            return
        run.enter_again(scope)


async def _pause(run: FlowRun, scope: Scope, delay: float) -> bool:
    """Await the next attempt, which ends the run at once if the session was stopped; `False` when it has ended."""
    import asyncio

    try:
        await rested(run.session, delay)
    except asyncio.CancelledError as error:
        _cancelled(run, scope, error)
        return False
    return True


async def _attempt_async(run: FlowRun, scope: Scope, args: tuple[Any, ...], kwargs: dict[str, Any]) -> float | None:
    import asyncio

    here = current.set(scope)
    detach = cancel_with_session(run)
    value, failure = None, None
    try:
        async with asyncio.timeout(run.spec.timeout):
            try:
                run.session.check()
                if run.spec.style is Style.ASYNC_GENERATOR:
                    value = [item async for item in tracing.traced(run)(*args, **kwargs)]
                else:
                    value = await tracing.traced(run)(*args, **kwargs)
            except (*PASSED_ON, asyncio.CancelledError):
                raise
            except BaseException as error:
                failure = error
            await asyncio.to_thread(wait_for_children, scope)
    except TimeoutError:
        alarm = TimeUp()
        await asyncio.to_thread(stop_children, scope, alarm)
        return run.fail(alarm)
    except asyncio.CancelledError as error:
        return _cancelled(run, scope, error)
    except PASSED_ON as error:
        return interrupted(run, scope, error, None)
    finally:
        current.reset(here)
        detach()
    return ended(run, scope, value, failure)


def _cancelled(run: FlowRun, scope: Scope, error: BaseException) -> float | None:
    """End a flow run whose asyncio task was cancelled: by a stop of its session, or by whoever awaits it."""
    import asyncio

    stopped = run.session.stopped
    try:
        stop_children(scope, error)
    finally:
        why = "Interrupted by Ctrl-C." if interrupted_loop() else "The coroutine of the flow was cancelled."
        run.fail(stopped or CancelledRun(why), retry=False)
    if stopped is None:
        raise error
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()
    return None


async def drive_flow_items_async(run: FlowRun) -> AsyncIterator[Any]:
    """Run an async generator flow, handing its items on as they come; see `drive_flow_items`."""
    import asyncio

    ready = prepared(run)
    if ready is None:
        run.value()  # raises
        return
    scope, args, kwargs = ready
    while True:
        items: list[Any] = []
        steps = StepsAsync(run.spec.timeout)
        generator = tracing.traced(run)(*args, **kwargs)
        failure: BaseException | None = None
        try:
            try:
                run.session.check()
                while True:
                    here = current.set(scope)
                    try:
                        item = await steps.next(generator)
                    finally:
                        current.reset(here)
                    if item is steps:
                        break
                    items.append(item)
                    yield item
            except (*PASSED_ON, asyncio.CancelledError):
                raise
            except BaseException as error:
                failure = error
            await asyncio.to_thread(wait_for_children, scope)
        except (GeneratorExit, asyncio.CancelledError) as error:
            closed(run, scope, error)
            raise
        except PASSED_ON as error:
            delay = interrupted(run, scope, error, steps.own_alarm)
        else:
            delay = ended_items(run, scope, items, failure)
        if delay is None or not await _pause(run, scope, delay):
            run.value()  # raises where the run failed
            return
        run.enter_again(scope)
