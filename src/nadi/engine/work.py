"""Submitted task runs: data with callbacks until their inputs are there, then work for an executor."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextvars import Context, copy_context
from typing import Any

from nadi.engine import tracing
from nadi.engine.aio import drive_async
from nadi.engine.decisions import NOT_READY, End
from nadi.engine.drive import PASSED_ON, attempt, drive
from nadi.engine.inputs import futures_in, has_marks, take_outcomes
from nadi.engine.interrupts import GRACE, TimeUp
from nadi.engine.late import caching
from nadi.engine.loops import run_loop, running_loop
from nadi.engine.remote import Parcel, read_outcome, relay
from nadi.engine.runs import Run
from nadi.engine.scope import Scope
from nadi.engine.task_runs import TaskRun
from nadi.engine.timers import timers
from nadi.engine.turns import in_turn
from nadi.exceptions import CancelledRun, NotKept, TimedOut, UpstreamFailed
from nadi.executors.contract import Executor, Work
from nadi.executors.sequential import SequentialExecutor
from nadi.executors.threads import ThreadExecutor
from nadi.model.specs import TaskSpec
from nadi.model.states import State, StateType
from nadi.model.tracebacks import summarise

_CANCELLED = End(StateType.CANCELLED, "Cancelled")
_PENDING, _RUNNING = StateType.PENDING, StateType.RUNNING


class SubmittedTaskRun(TaskRun, Work):
    """A task run on its way to and through an executor."""

    __slots__ = ("_begun", "_blockers", "_claimed", "_context", "_needs", "_resting", "executor")

    def __init__(
        self,
        spec: TaskSpec,
        scope: Scope,
        bound: dict[str, Any],
        executor: Executor,
        *,
        map_index: int = -1,
        inputs: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(spec, scope, bound, map_index=map_index, inputs=inputs)
        self.executor = executor
        #: Whether anything was told of it.
        self._begun = False
        self._claimed = False
        #: Whether it waits for a time; it can be cancelled then but not claimed.
        self._resting = False
        self._context: Context | None = None
        #: The runs that must end first, and whether their failure is allowed.
        self._needs: tuple[tuple[Run, bool], ...] = ()
        self._blockers = 0

    def go(self, wait_for: tuple[Any, ...] = ()) -> None:
        """Reuse what is recorded, or accept the run and see to it that it begins once its inputs are there."""
        bound = self.bound
        taken, why = self.match_history()
        if self.done:
            if self.spec.is_transaction:
                caching().rejoin(self, bound or {})
            take_outcomes(wait_for)
            return
        self.find_needs(wait_for)
        self._begun = True
        self.begin(_PENDING, taken, why)
        if isinstance(self.executor, SequentialExecutor):
            for run, _ in self._needs:
                run.wait()
        pending = {run for run, _ in self._needs if not run.done}
        self._blockers = len(pending)
        # From here on whoever waits for it may run it; before, its inputs might not be there.
        self._context = copy_context()
        if not pending:
            self._ready()
        for run in pending:
            run.when_done(self._upstream_done)

    def find_needs(self, wait_for: tuple[Any, ...]) -> None:
        """Note the runs that must end first."""
        values = (*self.bound.values(), *wait_for) if self.bound else wait_for
        if has_marks(values):
            self._needs = tuple((future.run, tolerant) for value in values for future, tolerant in futures_in(value))
            self.upstream = tuple(dict.fromkeys(run.id for run, _ in self._needs))

    def take_back(self, error: BaseException) -> None:
        """End a run that could not be handed over: interrupted on the way, or there is no thread for it."""
        if not self.claim():
            return
        reason = CancelledRun(f"It was not handed over to its executor: {summarise(error)}")
        if not self._begun:
            self._finish(State(type=StateType.CANCELLED, message=str(reason), data=reason, has_data=True))
        else:
            self.end(_CANCELLED, reason)

    def _upstream_done(self, upstream: Run) -> None:
        with self.session.lock:
            self._blockers -= 1
            left = self._blockers
        if not left:
            in_turn(self._ready)

    def _ready(self) -> None:
        if self.is_barred():
            return
        if self.session.stopped is not None:
            self.cancel(self.session.stopped)
            return
        left = self.due - self.session.now() if self.due else 0.0
        if left > 0:
            self._rest(left, self._hand_over)
        else:
            self._hand_over()

    def is_barred(self) -> bool:
        """End the run without running it if what it waited for says so; all of that is over."""
        error = self._failed_upstream()
        if error is not None and self.claim():
            self.end(NOT_READY, error)
        return error is not None

    def _failed_upstream(self) -> UpstreamFailed | None:
        needs, self._needs = self._needs, ()
        for run, tolerant in needs:
            state = run.state
            assert state is not None
            run.observed = True
            if state.type is not StateType.COMPLETED and not tolerant:
                return UpstreamFailed(self.name, run.name, state=state.name, reason=state.message)
        return None

    def _rest(self, seconds: float, then: Callable[[], None]) -> None:
        self._rest_until(lambda rested: timers.call_later(seconds, rested), then)

    def _rest_until(self, register: Callable[[Callable[[], None]], object], then: Callable[[], None]) -> None:
        # A place in the executor is not held meanwhile.
        self._claimed, self._resting = True, True

        def rested() -> None:
            with self.session.lock:
                if self.done or not self._resting:
                    return
                self._claimed = self._resting = False
            if self.session.stopped is not None:
                self.cancel(self.session.stopped)
            else:
                then()

        register(rested)

    def _hand_over(self) -> None:
        if self.spec.is_async and self.executor.runs_here:
            if self.claim():
                running = self._in_context(lambda: run_loop.start(self._run_async))
                if isinstance(self.executor, SequentialExecutor):
                    running.result()
        else:
            self.executor.submit(self)

    async def _run_async(self) -> None:
        if self.may_begin():
            await drive_async(self)

    def cancel(self, reason: BaseException) -> None:
        """End the run if it has not begun; else interrupt it, or kill it where its executor can."""
        with self.session.lock:
            if self._resting:
                self._claimed = self._resting = False
        if self.claim():
            self.end(_CANCELLED, reason)
        elif not self.done and not self.executor.cancel(self):
            self.ask_to_stop()

    def abandon(self, reason: BaseException) -> None:
        """Say that the run is over although its code could not be stopped; what it still does changes nothing."""
        self.end(_CANCELLED, reason)

    def help_along(self) -> bool:
        if not self.executor.runs_here or self._blockers or self._context is None or self.spec.is_async:
            return False
        # Not on a thread that runs an event loop, where a task could not start its own, and not without end
        # on one stack.
        if self.scope.is_deep or running_loop() is not None:
            return False
        if self.claim():
            try:
                self._run_once()
            except KeyboardInterrupt:
                # Ctrl-C comes to the main thread alone; elsewhere the task raised it itself, and it is recorded.
                if threading.current_thread() is threading.main_thread():
                    raise
        return self.done

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
        try:
            self._run_once()
        except BaseException as error:
            # It was recorded; a pool's thread has no caller to pass it on to.
            if threading.current_thread() is threading.main_thread():
                raise
            if not self.done:
                self.fail(error, retry=False)

    def may_begin(self) -> bool:
        """Say that an attempt runs now; `False` when the run is over instead."""
        if self.session.must_stop():
            self.end(_CANCELLED, self.session.stopped or CancelledRun("Its flow run was stopped."))
            return False
        return self.start_attempt()

    def _waits_for_key(self) -> bool:
        """Rest without a thread while somebody computes what this run is about to compute."""
        if self.session.must_stop():
            return False  # `may_begin` says so
        try:
            self.arguments()
            claim = self._in_context(lambda: caching().awaited_claim(self))
        except PASSED_ON as error:
            self.fail(error, retry=False)
            raise
        except Exception:
            return False  # the attempt meets the same, and tells it
        if claim is not None:
            self._rest_until(claim.when_granted, lambda: self.executor.submit(self))
        return claim is not None

    def _run_once(self) -> None:
        spec, one_by_one = self.spec, isinstance(self.executor, SequentialExecutor)
        if spec.is_transaction and not one_by_one and self._waits_for_key():
            return
        if not self.may_begin():
            return
        watcher = None
        if self.spec.timeout is not None and threading.current_thread() is not threading.main_thread():
            stuck = threading.current_thread()
            number = self.attempt
            watcher = timers.call_later(self.spec.timeout + GRACE, lambda: self._give_up(stuck, number))
        try:
            if one_by_one:
                self._in_context(lambda: drive(self))
                return
            delay = self._in_context(lambda: attempt(self, interruptible=True))
        finally:
            if watcher is not None:
                watcher.cancel()
        self._go_on(delay)

    def _in_context(self, fn: Callable[[], Any]) -> Any:
        context = self._context
        assert context is not None
        return context.run(fn)

    def _give_up(self, thread: threading.Thread, number: int) -> None:
        # The thread blocks in C and saw no interruption. Its attempt is over for everybody else; no
        # further attempt is made, as two of one task must never live at once.
        if self.state is not None or self.attempt != number or self.state_type is not _RUNNING:
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

    def parcel(self) -> bytes | None:
        if self.spec.is_transaction and (
            self._waits_for_key() or self._in_context(lambda: caching().is_answered(self))
        ):
            return None
        args, kwargs = self.arguments()
        trace = self._in_context(tracing.carried) if tracing.tracer is not None else None
        return Parcel.of(self, args, kwargs, trace=trace)

    def begun(self, where: str) -> None:
        self.start_attempt()

    def told(self, record: bytes) -> None:
        relay(self.session, record, name=self.name)

    def ended(self, outcome: bytes) -> None:
        value, error = read_outcome(outcome)
        if error is not None:
            self._failed(error)
        else:
            self._go_on(self.complete(value))

    def lost(self, error: BaseException) -> None:
        if isinstance(error, TimedOut):
            error = TimeUp()
        self._failed(error)

    def _failed(self, error: BaseException) -> None:
        if isinstance(error, UpstreamFailed):
            self.end(NOT_READY, error)
            return
        # What cannot be sent now cannot be sent again either.
        self._go_on(self.fail(error, retry=not isinstance(error, NotKept)))

    def _go_on(self, delay: float | None) -> None:
        if delay is not None:
            self._rest(delay, lambda: self.executor.submit(self))
