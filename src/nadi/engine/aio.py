"""The coroutine driver: runs a task run on the running event loop, attempt after attempt.

asyncio is imported inside the functions that need it: a script without `async` never pays its 25 ms.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from nadi.engine.decisions import NOT_READY, End
from nadi.engine.drive import PASSED_ON, task_scope
from nadi.engine.interrupts import TimeUp
from nadi.engine.scope import current
from nadi.engine.task_runs import TaskRun
from nadi.exceptions import CancelledRun, UpstreamFailed
from nadi.model.specs import Style
from nadi.model.states import StateType

_CANCELLED = End(StateType.CANCELLED, "Cancelled")


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
    token = current.set(task_scope(run))
    detach = cancel_with_session(run)
    try:
        async with asyncio.timeout(spec.timeout) as limit:
            if spec.style is Style.ASYNC_GENERATOR:
                value: Any = [item async for item in spec.fn(*args, **kwargs)]
            else:
                value = await spec.fn(*args, **kwargs)
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
        current.reset(token)
        detach()
    run.complete(value)
    return None


def cancel_with_session(run: Any) -> Callable[[], None]:
    """Cancel the running asyncio task when the run's session is stopped; call the answer when it is over."""
    import asyncio

    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    over = False

    def stop() -> None:
        if not over and task is not None and not loop.is_closed():
            loop.call_soon_threadsafe(task.cancel)

    def detach() -> None:
        nonlocal over
        over = True
        run.session.forget_stop(stop)

    run.session.on_stop(stop)
    return detach


async def drive_async(run: TaskRun) -> None:
    """Run an async task to its end on the running loop, awaiting between attempts."""
    import asyncio

    while True:
        delay = await attempt_async(run)
        if delay is None:
            return
        try:
            await asyncio.sleep(delay)
        except asyncio.CancelledError:
            run.end(_CANCELLED, CancelledRun("Cancelled while waiting for a retry."))
            raise
        if run.session.stopped is not None:
            run.end(_CANCELLED, run.session.stopped)
            return
        run.start_attempt()


async def drive_items_async(run: TaskRun) -> AsyncIterator[Any]:
    """Run an async generator task, handing its items on as they come; see `drive.drive_items`."""
    import asyncio

    args, kwargs = run.arguments()
    items: list[Any] = []
    while True:
        scope = task_scope(run)
        generator = within(scope, run.spec.fn, *args, **kwargs)
        try:
            while True:
                here = current.set(scope)
                try:
                    item = await generator.__anext__()
                except StopAsyncIteration:
                    break
                finally:
                    current.reset(here)
                items.append(item)
                yield item
        except GeneratorExit:
            run.end(_CANCELLED, CancelledRun("Closed before it was exhausted."))
            raise
        except (*PASSED_ON, asyncio.CancelledError) as error:
            run.fail(CancelledRun(f"Task run {run.name} was cancelled."), retry=False)
            raise error
        except BaseException as error:
            delay = run.fail(error, retry=not items)
            if delay is None:
                raise
            await asyncio.sleep(delay)
            run.start_attempt()
            continue
        run.complete(items)
        return


def within(scope: Any, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call `fn` with `scope` as the current one."""
    here = current.set(scope)
    try:
        return fn(*args, **kwargs)
    finally:
        current.reset(here)
