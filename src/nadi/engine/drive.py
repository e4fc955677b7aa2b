"""The thread driver: runs a task run in the calling thread, attempt after attempt."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from nadi.engine.decisions import NOT_READY, End
from nadi.engine.interrupts import CancelAsked, Interruptible, Interruption, TimeUp, time_limit
from nadi.engine.scope import Scope, current
from nadi.engine.task_runs import TaskRun
from nadi.exceptions import CancelledRun, UpstreamFailed
from nadi.model.specs import Style
from nadi.model.states import StateType

_MAIN = threading.main_thread().ident

#: What ends the caller too, after it was recorded.
PASSED_ON = (Interruption, KeyboardInterrupt, GeneratorExit)


def task_scope(run: TaskRun) -> Scope:
    """Return the scope of the calls that a task run makes."""
    caller, spec = run.scope, run.spec
    return Scope(
        run.session,
        spec,
        id=run.id,
        name=run.name,
        flow_run=caller.flow_run,
        parent=caller,
        executor=caller.executor,
        tags=run.tags,
        log_prints=caller.log_prints if spec.log_prints is None else spec.log_prints,
        parameters=run.bound or {},
        attempt=run.attempt,
    )


def attempt(run: TaskRun) -> float | None:
    """Run one attempt here.

    Returns:
        Seconds to wait before the next attempt, or `None` when the run has ended.

    Raises:
        BaseException: an interruption that is meant for the caller too; the run has ended.
    """
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
    here = current.set(task_scope(run))
    session = run.session
    stretch = None
    if threading.get_ident() != _MAIN:
        stretch = Interruptible()
        session.enter(stretch)
    own_alarm: TimeUp | None = None
    try:
        if spec.timeout is None:
            value = spec.fn(*args, **kwargs)
            if spec.style is Style.GENERATOR:
                value = list(value)
        else:
            with time_limit(spec.timeout) as own_alarm:
                value = spec.fn(*args, **kwargs)
                if spec.style is Style.GENERATOR:
                    value = list(value)
    except TimeUp as error:
        if error is not own_alarm:
            run.end(End(StateType.CANCELLED, "Cancelled"), CancelledRun("Its caller ran out of time."))
            raise
        return run.fail(error)
    except PASSED_ON as error:
        run.fail(error, retry=False)
        raise
    except BaseException as error:
        return run.fail(error)
    finally:
        current.reset(here)
        if stretch is not None:
            session.leave(stretch)
    run.complete(value)
    return None


def drive(run: TaskRun) -> None:
    """Run a task run here to its end, waiting here between attempts."""
    while True:
        delay = attempt(run)
        if delay is None:
            return
        pause(run, delay)
        if run.session.stopped is not None:
            run.end(End(StateType.CANCELLED, "Cancelled"), run.session.stopped)
            return
        run.start_attempt()


def pause(run: TaskRun, delay: float) -> None:
    """Wait in this thread for the next attempt, or until the session is stopped."""
    try:
        run.session.stop_event.wait(delay)
    except PASSED_ON as error:
        run.end(End(StateType.CANCELLED, "Cancelled"), CancelledRun("Interrupted while waiting for a retry."))
        raise error


def drive_items(run: TaskRun) -> Iterator[Any]:
    """Run a generator task here, handing its items on as they come.

    It is retried only while it has handed out nothing, and finished only when exhausted;
    closed early, it is recorded CANCELLED and runs again on resume.
    """
    args, kwargs = run.arguments()
    items: list[Any] = []
    while True:
        scope = task_scope(run)
        here = current.set(scope)
        try:
            generator = run.spec.fn(*args, **kwargs)
        finally:
            current.reset(here)
        try:
            while True:
                here = current.set(scope)
                try:
                    item = next(generator)
                except StopIteration:
                    break
                finally:
                    current.reset(here)
                items.append(item)
                yield item
        except GeneratorExit:
            generator.close()
            run.end(End(StateType.CANCELLED, "Cancelled"), CancelledRun("Closed before it was exhausted."))
            raise
        except PASSED_ON as error:
            run.fail(error, retry=False)
            raise
        except BaseException as error:
            delay = run.fail(error, retry=not items)
            if delay is None:
                raise
            pause(run, delay)
            run.start_attempt()
            continue
        run.complete(items)
        return
