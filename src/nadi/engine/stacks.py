"""Deep recursion: flows and tasks that call each other go on on a fresh stack before Python's limit is reached.

A RecursionError strikes anywhere, also between a record and what it tells of; so it must not come to that.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import copy_context
from types import TracebackType
from typing import Any

from nadi.engine.interrupts import GRACE, CancelAsked, Interruptible, wait_for_lock, wake
from nadi.engine.runs import Run
from nadi.engine.scope import Scope
from nadi.executors.threads import own_pool, stand_in_for
from nadi.storage.shield import untorn

#: How deep flows and tasks may call each other.
DEEPEST = 1_200
#: Frames of an exception that are kept when it comes out of a stack: the innermost ones.
MOST_FRAMES = 50


def check_depth(caller: Scope) -> None:
    """Refuse a call from a scope that is too deep.

    Raises:
        RecursionError: flows and tasks call each other more than `DEEPEST` deep.
    """
    if caller.depth > DEEPEST:
        raise RecursionError(
            f"{caller.name} is {caller.depth:,} calls of flows and tasks deep, and {DEEPEST:,} are allowed;"
            " probably something calls itself without end."
        )


def on_fresh_stack(drive: Callable[[Any], None], run: Run) -> None:
    """Drive a run in a thread of its own that stands in for this one, and wait for it; raises what it raises."""
    context, pool = copy_context(), own_pool()
    ended = threading.Lock()
    ended.acquire()
    began = threading.Event()
    stretches: list[Interruptible] = []
    outcome: list[BaseException | None] = []

    def work() -> None:
        stand_in_for(pool)
        stretches.append(Interruptible())
        began.set()
        try:
            context.run(drive, run)
            stretches[0].leave()
            outcome.append(None)
        except BaseException as error:
            stretches[0].leave()  # it may have struck while the stretch was being left
            outcome.append(error)
        finally:
            wake(ended)

    with untorn():  # see ThreadExecutor._lend
        threading.Thread(target=work, name="nadi-stack", daemon=True).start()
        began.wait()
    try:
        while not outcome:
            wait_for_lock(ended, None)
    except BaseException:
        # This thread was interrupted, and that is meant for what it waits for.
        stretches[0].interrupt(CancelAsked)
        wait_for_lock(ended, 2 * GRACE)
        raise
    # Each of a thousand nested runs records its traceback; with all frames that would take minutes.
    for error in (outcome[0], run.state.data if run.state is not None else None):
        if isinstance(error, BaseException):
            error.__traceback__ = _innermost(error.__traceback__)
    if outcome[0] is not None:
        raise outcome[0]


def _innermost(traceback: TracebackType | None) -> TracebackType | None:
    frames = [traceback]
    while frames[-1] is not None:
        frames.append(frames[-1].tb_next)
    return frames[max(0, len(frames) - 1 - MOST_FRAMES)]
