"""The thread driver: runs a task run in the calling thread, attempt after attempt."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Iterator
from typing import Any

from nadi.engine import tracing
from nadi.engine.again import finished_so_far
from nadi.engine.decisions import NOT_READY, End
from nadi.engine.forks import end_if_forked, process
from nadi.engine.interrupts import CancelAsked, Interruptible, Interruption, TimeUp, time_limit
from nadi.engine.late import caching
from nadi.engine.scope import Scope, current
from nadi.engine.task_runs import TaskRun
from nadi.exceptions import CancelledRun, UpstreamFailed
from nadi.executors.threads import place_lent
from nadi.model.specs import Style
from nadi.model.states import StateType

_CANCELLED = End(StateType.CANCELLED, "Cancelled")

_MAIN = threading.main_thread().ident

#: What ends the caller too, after it was recorded.
PASSED_ON = (Interruption, KeyboardInterrupt, GeneratorExit)


def task_scope(run: TaskRun) -> Scope:
    """Return the scope of the calls that a task run makes."""
    caller, spec = run.scope, run.spec
    scope = Scope(
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
        call=run.call,
        instead_of=run.instead_of,
    )
    if run.steering is not None:
        scope.context = run.steering.told(run.map_index)
    if run.transaction is not None:
        scope.transaction = run.transaction
    if run.made_calls:
        scope.history = finished_so_far(run.session, run.name)
    return scope


def attempt(run: TaskRun, *, interruptible: bool = False) -> float | None:
    """Run one attempt here.

    Args:
        run: The task run.
        interruptible: Whether `run.interrupt` and a stop of the session may interrupt this thread. What is called
            from within an interruptible attempt is interrupted with it.

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
    spec, session, mark = run.spec, run.session, process.mark
    if spec.is_transaction and caching().is_answered(run):
        return None
    scope = task_scope(run)
    fn = spec.fn if tracing.tracer is None else tracing.traced(run)
    here = current.set(scope)
    stretch = None
    if interruptible and threading.get_ident() != _MAIN:
        stretch = Interruptible()
    own_alarm: TimeUp | None = None
    try:
        try:
            if stretch is not None:
                session.enter(stretch)
                run.interruptible_by(functools.partial(stretch.interrupt, CancelAsked))
            if spec.timeout is None:
                value = fn(*args, **kwargs)
                if spec.style is Style.GENERATOR:
                    value = list(value)
            else:
                with time_limit(spec.timeout) as own_alarm:
                    value = fn(*args, **kwargs)
                    if spec.style is Style.GENERATOR:
                        value = list(value)
        finally:
            if process.mark is not mark:
                end_if_forked(mark)
            if stretch is not None:
                session.leave(stretch)
            run.made_calls = scope.made_calls
            current.reset(here)
    except TimeUp as error:
        if error is not own_alarm:
            run.end(_CANCELLED, CancelledRun("Its caller ran out of time."))
            raise
        return run.fail(error)
    except PASSED_ON as error:
        if stretch is not None:
            session.leave(stretch)  # it may have struck while the stretch was being left
            current.set(run.scope)
        run.fail(error, retry=False)
        raise
    except BaseException as error:
        return run.fail(error)
    try:
        return run.complete(value)
    except Exception as error:  # a value that breaks whoever looks at it
        return run.fail(error, retry=False)


def drive(run: TaskRun) -> None:
    """Run a task run here to its end, waiting here between attempts."""
    while True:
        delay = attempt(run)
        if delay is None or not pause(run, delay) or not run.start_attempt():
            return


def pause(run: TaskRun, delay: float) -> bool:
    """Wait in this thread for the next attempt; `False` when the session was stopped, which ended the run."""
    try:
        with place_lent():
            run.session.stop_event.wait(delay)
    except PASSED_ON:
        run.end(_CANCELLED, CancelledRun("Interrupted while waiting for a retry."))
        raise
    if run.session.stopped is None:
        return True
    run.end(_CANCELLED, run.session.stopped)
    return False


def drive_items(run: TaskRun) -> Iterator[Any]:
    """Run a generator task here, handing its items on as they come.

    Only the time spent in the generator counts for its timeout. It is retried only while it has handed out
    nothing, and finished only when exhausted; closed early, it is recorded CANCELLED and runs again on resume.
    """
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
        if run.spec.is_transaction and caching().is_answered(run):
            yield from run.value()
            return
        if run.transaction is not None:
            run.transaction.unlock()  # between two items its caller may do anything, also ask for the same key
        scope = task_scope(run)
        steps = Steps(run.spec.timeout)
        generator = tracing.traced(run)(*args, **kwargs)
        try:
            while True:
                here = current.set(scope)
                try:
                    item = steps.next(generator)
                finally:
                    current.reset(here)
                if item is steps:
                    break
                items.append(item)
                yield item
        except GeneratorExit:
            generator.close()
            run.end(_CANCELLED, CancelledRun("Closed before it was exhausted."))
            raise
        except BaseException as error:
            if isinstance(error, PASSED_ON) and error is not steps.own_alarm:
                run.fail(error, retry=False)
                raise
            run.made_calls = scope.made_calls
            delay = run.fail(error, retry=not items)
            if delay is None or not pause(run, delay):
                run.value()  # raises where it failed
                return
            if not run.start_attempt():
                run.value()
                return
            continue
        run.complete(items)
        run.observed = True
        return


class Steps:
    """Takes the items of a generator while its time lasts."""

    __slots__ = ("_left", "own_alarm")

    def __init__(self, timeout: float | None) -> None:
        self._left = timeout
        #: The interruption that tells the end of this time, and of no other.
        self.own_alarm: TimeUp | None = None

    def next(self, generator: Iterator[Any]) -> Any:
        """Return the next item, or this object itself when there is none."""
        if self._left is None:
            return next(generator, self)
        began = time.monotonic()
        with time_limit(self._left) as self.own_alarm:
            item = next(generator, self)
        self._left = max(0.001, self._left - (time.monotonic() - began))
        return item
