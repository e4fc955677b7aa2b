"""The thread driver of flow runs: enters the function in the calling thread, attempt after attempt."""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Iterator
from typing import Any

from nadi.engine import tracing
from nadi.engine.drive import PASSED_ON, Steps
from nadi.engine.flow_runs import FlowRun, SuspendAsked, wait_for_children, within_scope
from nadi.engine.forks import end_if_forked, process
from nadi.engine.interrupts import CancelAsked, Interruptible, TimeUp, time_limit
from nadi.engine.scope import Scope, current
from nadi.exceptions import CancelledRun, FailedRun
from nadi.executors.threads import place_lent
from nadi.model.specs import Style

_log = logging.getLogger("nadi.runs")

#: Seconds that interrupted tasks get to end.
STOP_GRACE = 2.0


def drive_flow(run: FlowRun) -> None:
    """Run a flow here to its end, waiting here between attempts; interruptions are recorded and raised."""
    ready = prepared(run)
    if ready is None:
        return
    scope, args, kwargs = ready
    while True:
        delay = _attempt(run, scope, args, kwargs)
        if delay is None:
            return
        _pause(run, delay)
        run.enter_again(scope)


def prepared(run: FlowRun) -> tuple[Scope, tuple[Any, ...], dict[str, Any]] | None:
    """Make the run ready to be entered; `None` when that failed and has ended it."""
    try:
        return run.prepare()
    except BaseException as error:
        run.fail(error, retry=False)  # arguments that cannot be used now cannot be used later
        if isinstance(error, PASSED_ON):
            raise
        return None


def _pause(run: FlowRun, delay: float) -> None:
    # A stop of the session ends the wait; the next attempt then ends the run before user code is entered.
    try:
        with place_lent():
            run.session.stop_event.wait(delay)
    except PASSED_ON as error:
        run.fail(error, retry=False)
        raise


def _attempt(run: FlowRun, scope: Scope, args: tuple[Any, ...], kwargs: dict[str, Any]) -> float | None:
    session, mark = run.session, process.mark
    here = current.set(scope)
    stretch = None
    if threading.current_thread() is not threading.main_thread():
        stretch = Interruptible()
    own_alarm: TimeUp | None = None
    value, failure = None, None
    try:
        try:
            if stretch is not None:
                session.enter(stretch)
                run.interruptible_by(functools.partial(stretch.interrupt, CancelAsked))
            with time_limit(run.spec.timeout) as own_alarm:
                try:
                    session.check()
                    value = tracing.traced(run)(*args, **kwargs)
                    if run.spec.style is Style.GENERATOR:
                        value = list(value)
                except PASSED_ON:
                    raise
                except BaseException as error:
                    failure = error
                finally:
                    end_if_forked(mark)
                wait_for_children(scope)
        finally:
            if stretch is not None:
                session.leave(stretch)
            current.reset(here)
    except PASSED_ON as error:
        if stretch is not None:
            session.leave(stretch)  # it may have struck while the stretch was being left
            current.set(run.scope)
        return interrupted(run, scope, error, own_alarm)
    return ended(run, scope, value, failure)


def interrupted(run: FlowRun, scope: Scope, error: BaseException, own_alarm: TimeUp | None) -> float | None:
    """End an attempt that was interrupted: by its own timeout, or together with its caller, who is told too."""
    own = error is own_alarm
    delay = None
    try:
        stop_children(scope, error)
    finally:
        foreign = CancelledRun("Its caller ran out of time.") if isinstance(error, TimeUp) and not own else error
        delay = run.fail(foreign, retry=own)
    if not own:
        raise error
    return delay


def ended(run: FlowRun, scope: Scope, value: Any, failure: BaseException | None) -> float | None:
    """End an attempt whose function returned or raised and whose children have ended."""
    if isinstance(failure, SystemExit):
        _end_by_exit(run, failure)
        raise failure
    if isinstance(failure, SuspendAsked):
        return suspended(run, failure)
    if failure is not None:
        return run.fail(failure)
    try:
        return run.complete(value, scope)
    except Exception as error:  # a value that breaks whoever looks at it
        return run.fail(error, retry=False)


def suspended(run: FlowRun, asked: SuspendAsked) -> float | None:
    """Put a run aside whose children have ended; a run that was cancelled meanwhile ends so."""
    stopped = run.session.stopped
    if stopped is not None:
        return run.fail(stopped, retry=False)
    run.suspend(asked)
    return None


def _end_by_exit(run: FlowRun, error: SystemExit) -> None:
    if error.code in (None, 0):
        run.complete_by_exit()
    else:
        run.fail(FailedRun(f"The flow called sys.exit({error.code!r})."), retry=False)


def stop_children(scope: Scope, error: BaseException) -> None:
    """End what was submitted: what has not begun is cancelled, what runs is interrupted and waited for briefly."""
    ran_out = isinstance(error, TimeUp)
    reason = CancelledRun("Its flow run ran out of time." if ran_out else "Its flow run was interrupted.")
    session = scope.session
    if scope.parent is None and not ran_out:
        session.stop(session.stopped or reason, interrupt_flow=False)
    for child in scope.children:
        child.cancel(reason)
    deadline = session.clock.monotonic() + STOP_GRACE
    for child in scope.children:
        if not child.done:
            child.wait(max(0.0, deadline - session.clock.monotonic()))
    left = [child for child in scope.children if not child.done]
    for child in left:
        child.abandon(reason)
    if left:
        names = ", ".join(child.name for child in left[:5])
        _log.warning("These could not be interrupted and are left behind: %s.", names)


def drive_flow_items(run: FlowRun) -> Iterator[Any]:
    """Run a generator flow here, handing its items on as they come; the run ends when it is exhausted.

    It is retried only while it has handed out nothing; only the time spent in it counts for its timeout.
    """
    ready = prepared(run)
    if ready is None:
        run.value()  # raises
        return
    scope, args, kwargs = ready
    while True:
        items: list[Any] = []
        steps = Steps(run.spec.timeout)
        generator = tracing.traced(run)(*args, **kwargs)
        failure: BaseException | None = None
        try:
            try:
                run.session.check()
                while (item := within_scope(scope, lambda: steps.next(generator))) is not steps:  # noqa: B023
                    items.append(item)
                    yield item
            except PASSED_ON:
                raise
            except BaseException as error:
                failure = error
            wait_for_children(scope)
        except GeneratorExit as error:
            generator.close()
            closed(run, scope, error)
            raise
        except PASSED_ON as error:
            delay = interrupted(run, scope, error, steps.own_alarm)
        else:
            delay = ended_items(run, scope, items, failure)
        if delay is None:
            run.value()  # raises where the run failed
            return
        _pause(run, delay)
        run.enter_again(scope)


def closed(run: FlowRun, scope: Scope, error: BaseException) -> None:
    """End a run whose items are not wanted any more."""
    stop_children(scope, error)
    run.fail(CancelledRun("Closed before it was exhausted."))


def ended_items(run: FlowRun, scope: Scope, items: list[Any], failure: BaseException | None) -> float | None:
    """End the attempt of a generator; one that has handed out items is not entered again."""
    if items and failure is not None and not isinstance(failure, SystemExit | SuspendAsked):
        return run.fail(failure, retry=False)
    return ended(run, scope, items, failure)
