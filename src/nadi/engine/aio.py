"""The coroutine driver: runs a task run on the running event loop, attempt after attempt.

asyncio is imported inside the functions that need it: a script without `async` never pays its 25 ms.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from typing import Any

from nadi.engine import tracing
from nadi.engine.decisions import NOT_READY, End
from nadi.engine.drive import PASSED_ON, task_scope
from nadi.engine.inputs import futures_in
from nadi.engine.interrupts import TimeUp
from nadi.engine.late import caching
from nadi.engine.loops import call_apart, call_soon, running_loop, until
from nadi.engine.scope import Scope, current
from nadi.engine.session import Session
from nadi.engine.task_runs import TaskRun
from nadi.exceptions import CancelledRun, UpstreamFailed
from nadi.model.specs import Style
from nadi.model.states import StateType

_CANCELLED = End(StateType.CANCELLED, "Cancelled")


async def settled(values: Iterable[Any]) -> None:
    """Wait on the running loop, without blocking it, until all runs have ended whose futures are in the values."""
    loop = running_loop()
    for value in values:
        for future, _ in futures_in(value):
            if not future.run.done:
                await until(loop, future.run.when_done)


async def on_this_loop(caller: Scope, driver: Coroutine[Any, Any, None]) -> None:
    """Await a driver; deep inside of others as an asyncio task of its own, whose stack is its own too."""
    if caller.is_deep:
        import asyncio

        await asyncio.create_task(driver)
    else:
        await driver


async def attempt_async(run: TaskRun) -> float | None:
    """Run one attempt of an async task on the running loop; see `drive.attempt`."""
    import asyncio

    try:
        args, kwargs = run.arguments()
    except UpstreamFailed as error:
        run.end(NOT_READY, error)
        return None
    except PASSED_ON as error:
        run.fail(error, retry=False)
        raise
    except BaseException as error:
        return run.fail(error, retry=False)
    spec = run.spec
    if spec.is_transaction and await caching().is_answered_async(run):
        return None
    scope = task_scope(run)
    fn = tracing.traced(run)
    token = current.set(scope)
    detach = cancel_with_session(run)
    try:
        async with asyncio.timeout(spec.timeout) as limit:
            if spec.style is Style.ASYNC_GENERATOR:
                value: Any = [item async for item in fn(*args, **kwargs)]
            else:
                value = await fn(*args, **kwargs)
    except TimeoutError as error:
        from_limit = spec.timeout is not None and limit.expired()
        return run.fail(TimeUp() if from_limit else error)
    except asyncio.CancelledError as error:
        run.end(_CANCELLED, run.session.stopped or CancelledRun(f"Task run {run.name} was cancelled."))
        if run.session.stopped is not None:
            raise run.session.stopped from None
        raise error
    except PASSED_ON as error:
        run.fail(error, retry=False)
        raise
    except BaseException as error:
        return run.fail(error)
    finally:
        run.made_calls = scope.made_calls
        current.reset(token)
        detach()
    try:
        # What it commits is written to the store, which a loop must not wait for.
        return run.complete(value) if run.transaction is None else await call_apart(run.complete, value)
    except Exception as error:  # a value that breaks whoever looks at it
        return run.fail(error, retry=False)


def cancel_with_session(run: Any) -> Callable[[], None]:
    """Cancel the running asyncio task when the run's session is stopped; call the answer when it is over."""
    import asyncio

    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    over = False

    def stop() -> None:
        if not over and task is not None:
            call_soon(loop, task.cancel)

    def detach() -> None:
        nonlocal over
        over = True
        run.session.forget_stop(stop)

    run.session.on_stop(stop)
    run.interruptible_by(stop)
    return detach


async def drive_async(run: TaskRun) -> None:
    """Run an async task to its end on the running loop, awaiting between attempts."""
    while True:
        delay = await attempt_async(run)
        if delay is None or not await pause_async(run, delay) or not run.start_attempt():
            return


async def pause_async(run: TaskRun, delay: float) -> bool:
    """Await the next attempt; `False` when the session was stopped, which ended the run."""
    import asyncio

    try:
        await rested(run.session, delay)
    except asyncio.CancelledError:
        run.end(_CANCELLED, CancelledRun("Cancelled while waiting for a retry."))
        raise
    if run.session.stopped is None:
        return True
    run.end(_CANCELLED, run.session.stopped)
    return False


async def rested(session: Session, delay: float) -> None:
    """Wait on the running loop for some seconds, or until the session is stopped."""
    import asyncio

    loop, stopped = asyncio.get_running_loop(), asyncio.Event()

    def stop() -> None:
        call_soon(loop, stopped.set)

    session.on_stop(stop)
    try:
        async with asyncio.timeout(delay):
            await stopped.wait()
    except TimeoutError:
        return
    finally:
        session.forget_stop(stop)


async def drive_items_async(run: TaskRun) -> AsyncIterator[Any]:
    """Run an async generator task, handing its items on as they come; see `drive.drive_items`."""
    import asyncio

    try:
        args, kwargs = run.arguments()
    except UpstreamFailed as error:
        run.end(NOT_READY, error)
        raise
    except BaseException as error:
        run.fail(error, retry=False)
        raise
    items: list[Any] = []
    while True:
        if run.spec.is_transaction and await caching().is_answered_async(run):
            for item in run.value():
                yield item
            return
        if run.transaction is not None:
            run.transaction.unlock()  # as in `drive_items`
        scope = task_scope(run)
        steps = StepsAsync(run.spec.timeout)
        generator = tracing.traced(run)(*args, **kwargs)
        try:
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
        except GeneratorExit:
            run.end(_CANCELLED, CancelledRun("Closed before it was exhausted."))
            raise
        except (*PASSED_ON, asyncio.CancelledError) as error:
            if error is not steps.own_alarm:
                run.fail(CancelledRun(f"Task run {run.name} was cancelled."), retry=False)
                raise
            delay = run.fail(error, retry=not items)
        except BaseException as error:
            delay = run.fail(error, retry=not items)
        else:
            if run.transaction is None:
                run.complete(items)
            else:
                await call_apart(run.complete, items)
            run.observed = True
            return
        run.made_calls = scope.made_calls
        if delay is None or not await pause_async(run, delay):
            run.value()  # raises where it failed
            return
        if not run.start_attempt():
            run.value()
            return


class StepsAsync:
    """Takes the items of an async generator while its time lasts; see `drive.Steps`."""

    __slots__ = ("_left", "own_alarm")

    def __init__(self, timeout: float | None) -> None:
        self._left = timeout
        #: The interruption that tells the end of this time, and of no other.
        self.own_alarm: TimeUp | None = None

    async def next(self, generator: AsyncIterator[Any]) -> Any:
        """Return the next item, or this object itself when there is none."""
        import asyncio

        if self._left is None:
            return await anext(generator, self)
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._left) as limit:
                item = await anext(generator, self)
        except TimeoutError:
            if not limit.expired():
                raise
            self.own_alarm = TimeUp()
            raise self.own_alarm from None
        self._left = max(0.001, self._left - (time.monotonic() - began))
        return item


def within(scope: Any, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call `fn` with `scope` as the current one."""
    here = current.set(scope)
    try:
        return fn(*args, **kwargs)
    finally:
        current.reset(here)
