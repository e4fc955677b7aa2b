"""Submitted task runs: data with callbacks until their inputs are there, then work for an executor."""

from __future__ import annotations

import threading
from contextvars import Context, copy_context
from typing import Any

from nadi.engine.aio import drive_async
from nadi.engine.decisions import NOT_READY, End
from nadi.engine.drive import attempt, drive
from nadi.engine.inputs import futures_in
from nadi.engine.interrupts import TimeUp
from nadi.engine.loops import run_loop
from nadi.engine.remote import Parcel, read_outcome, relay
from nadi.engine.scope import Scope
from nadi.engine.task_runs import TaskRun
from nadi.engine.timers import timers
from nadi.exceptions import TimedOut, UpstreamFailed
from nadi.executors.contract import Executor, Work
from nadi.executors.sequential import SequentialExecutor
from nadi.executors.threads import ThreadExecutor
from nadi.model.specs import TaskSpec
from nadi.model.states import StateType

#: Seconds that a thread gets to stop after its time is up before it is given up.
GRACE = 1.0

_CANCELLED = End(StateType.CANCELLED, "Cancelled")
_PENDING, _RUNNING = StateType.PENDING, StateType.RUNNING


class SubmittedTaskRun(TaskRun, Work):
    """A task run on its way to and through an executor."""

    __slots__ = ("_blockers", "_claimed", "_context", "_waits_for", "executor")

    def __init__(
        self,
        spec: TaskSpec,
        scope: Scope,
        bound: dict[str, Any],
        executor: Executor,
        *,
        map_index: int = -1,
        wait_for: tuple[Any, ...] = (),
    ) -> None:
        super().__init__(spec, scope, bound, map_index=map_index)
        self.executor = executor
        self._claimed = False
        self._context: Context | None = None
        self._blockers = 0
        self._waits_for = wait_for

    def go(self) -> None:
        """Reuse what is recorded, or say that the run is accepted and see to it that it runs once its inputs are there."""
        taken, why = self.match_history()
        if self.done:
            return
        waits_for = self._waits_for
        needed: dict[int, Any] = {}
        for value in (*(self.bound or {}).values(), *waits_for):
            for future, _ in futures_in(value):
                needed[id(future.run)] = future.run
        if needed:
            self.upstream = tuple(run.id for run in needed.values())
        self.begin(_PENDING, taken, why)
        self._context = copy_context()
        pending = [run for run in needed.values() if not run.done]
        if not pending:
            self._ready()
            return
        self._blockers = len(pending)
        for run in pending:
            run.when_done(self._upstream_done)

    def _upstream_done(self, upstream: TaskRun) -> None:
        with self.session.lock:
            self._blockers -= 1
            left = self._blockers
        if not left:
            self._ready()

    def _ready(self) -> None:
        error = self._failed_wait()
        if error is not None:
            if self.claim():
                self.end(NOT_READY, error)
            return
        if self.session.stopped is not None:
            self.cancel(self.session.stopped)
            return
        left = self.due - self.session.now()
        if left > 0:
            timers.call_later(left, self._hand_over)
        else:
            self._hand_over()

    def _failed_wait(self) -> UpstreamFailed | None:
        # Failures among the arguments are found when these are resolved; what is only waited for is found here.
        for value in self._waits_for:
            for future, tolerant in futures_in(value):
                run = future.run
                run.observed = True
                if run.state.type is not StateType.COMPLETED and not tolerant:
                    return UpstreamFailed(self.name, run.name, state=run.state.name, reason=run.state.message)
        return None

    def _hand_over(self) -> None:
        self._waits_for = ()
        if self.spec.is_async and self.executor.runs_here:
            if self.claim():
                run_loop.start(self._run_async)
        elif isinstance(self.executor, SequentialExecutor):
            if self.claim():
                self._in_context(self._run_sequentially)
        else:
            self.executor.submit(self)

    async def _run_async(self) -> None:
        self.start_attempt()
        await drive_async(self)

    def _run_sequentially(self) -> None:
        self.start_attempt()
        drive(self)

    def cancel(self, reason: BaseException) -> None:
        """End the run if it has not begun, or where its executor can kill it; the session interrupts the rest."""
        if self.claim():
            self.end(_CANCELLED, reason)
        elif not self.done:
            self.executor.cancel(self)

    def abandon(self, reason: BaseException) -> None:
        """Say that the run is over although its code could not be stopped; what it still does changes nothing."""
        self.end(_CANCELLED, reason)

    def help_along(self) -> bool:
        if self.executor.runs_here and not self._blockers and not self.spec.is_async and self._context is not None:
            if self.claim():
                self.run()
            return self.done
        return False

    # -- Work --

    @property
    def timeout(self) -> float | None:
        return self.spec.timeout

    def claim(self) -> bool:
        with self.session.lock:
            if self._claimed or self.done:
                return False
            self._claimed = True
            return True

    def run(self) -> None:
        if self.session.stopped is not None:
            self.end(_CANCELLED, self.session.stopped)
            return
        self.start_attempt()
        watcher = None
        if self.spec.timeout is not None and threading.current_thread() is not threading.main_thread():
            stuck = threading.current_thread()
            number = self.attempt
            watcher = timers.call_later(self.spec.timeout + GRACE, lambda: self._give_up(stuck, number))
        try:
            delay = self._in_context(lambda: attempt(self))
        except BaseException as error:
            # It was recorded; a pool's thread has no caller to pass it on to, the main thread has.
            if threading.current_thread() is threading.main_thread():
                raise error
            return
        finally:
            if watcher is not None:
                watcher.cancel()
        if delay is not None:
            self._again(delay)

    def _in_context(self, fn: Any) -> Any:
        context = self._context
        assert context is not None
        return context.run(fn)

    def _again(self, delay: float) -> None:
        self._claimed = False
        timers.call_later(delay, self._retry_now)

    def _retry_now(self) -> None:
        if self.session.stopped is not None:
            self.cancel(self.session.stopped)
        else:
            self.executor.submit(self)

    def _give_up(self, thread: threading.Thread, number: int) -> None:
        # The thread blocks in C and saw no interruption. Its attempt is over for everybody else; no
        # further attempt is made, as two of one task must never live at once.
        if self.done or self.attempt != number or self.state_type is not _RUNNING:
            return
        if isinstance(self.executor, ThreadExecutor):
            self.executor.give_up(thread)
        self.end(
            End(StateType.FAILED, "TimedOut"),
            TimedOut(
                f"Task run {self.name} took longer than its timeout of {self.spec.timeout:g} seconds, and its thread"
                f" ({thread.name}) blocks in a call that cannot be interrupted; it is left behind and not retried."
                " Use executor='process' for timeouts that kill."
            ),
        )

    def parcel(self) -> bytes:
        args, kwargs = self.arguments()
        return Parcel.of(self, args, kwargs)

    def begun(self, where: str) -> None:
        self.start_attempt()

    def told(self, record: bytes) -> None:
        relay(self.session, record, name=self.name)

    def ended(self, outcome: bytes) -> None:
        value, error = read_outcome(outcome)
        if error is None:
            self.complete(value)
        else:
            self._failed(error)

    def lost(self, error: BaseException) -> None:
        if isinstance(error, TimedOut):
            error = TimeUp()
        self._failed(error)

    def _failed(self, error: BaseException) -> None:
        if isinstance(error, UpstreamFailed):
            self.end(NOT_READY, error)
            return
        delay = self.fail(error)
        if delay is not None:
            self._again(delay)

