"""Submitted subflow runs: subflows that run beside their caller, in threads."""

from __future__ import annotations

import threading
from contextvars import Context, copy_context
from typing import Any

from nadi.engine.decisions import NOT_READY
from nadi.engine.flow_aio import drive_flow_async
from nadi.engine.flow_drive import drive_flow
from nadi.engine.flow_runs import FlowRun
from nadi.engine.inputs import futures_in, resolved, take_outcomes
from nadi.engine.loops import run_loop, running_loop
from nadi.engine.runs import outcome_for
from nadi.engine.turns import in_turn
from nadi.exceptions import UpstreamFailed
from nadi.executors.contract import Executor, Work
from nadi.model.states import State, StateType


class SubmittedFlowRun(FlowRun, Work):
    """A subflow run on its way to and through a thread."""

    #: What it waits for beside its arguments.
    waits_for: tuple[Any, ...] = ()

    def go(self, pool: Executor) -> None:
        """Reuse what is recorded, or hand the run to a thread."""
        self._claimed = False
        self._pool = pool
        self._context: Context = copy_context()
        why = self.match_history()
        if self.done:
            take_outcomes(self.waits_for)
            return
        self.why = why
        needed = {
            future.run for value in (*(self.bound or {}).values(), *self.waits_for) for future, _ in futures_in(value)
        }
        pending = [run for run in needed if not run.done]
        self._blockers = len(pending)
        for run in pending:
            run.when_done(self._upstream_done)
        if not pending:
            self._hand_over()

    def _upstream_done(self, upstream: Any) -> None:
        with self.session.lock:
            self._blockers -= 1
            left = self._blockers
        if not left:
            in_turn(self._hand_over)

    def _hand_over(self) -> None:
        if self.spec.is_async:
            if self.claim():
                self._context.run(run_loop.start, self._run_async)
        else:
            self._pool.submit(self)

    def _prepare(self) -> bool:
        try:
            for value in self.waits_for:
                resolved(value, outcome_for(self.name))
            self.bound = {name: resolved(value, outcome_for(self.name)) for name, value in (self.bound or {}).items()}
        except UpstreamFailed as error:
            self.begin_again_because(self.why)
            at = self.move(NOT_READY.type, NOT_READY.name, message=str(error))
            self._finish(
                State(type=NOT_READY.type, name=NOT_READY.name, message=str(error), at=at, data=error, has_data=True)
            )
            return False
        self.begin_again_because(self.why)
        return True

    async def _run_async(self) -> None:
        if self._prepare():
            await drive_flow_async(self)

    @property
    def timeout(self) -> float | None:
        return None

    def claim(self) -> bool:
        with self.session.lock:
            if self._claimed or self.done:
                return False
            self._claimed = True
            return True

    def run(self) -> None:
        try:
            self._context.run(self._run_here)
        except BaseException as error:
            # It was recorded; a pool's thread has no caller to pass it on to.
            self.fail(error, retry=False)
            if threading.current_thread() is threading.main_thread():
                raise

    def _run_here(self) -> None:
        if self.session.stopped is not None:
            self.cancel_now(self.session.stopped)
        elif self._prepare():
            drive_flow(self)

    def help_along(self) -> bool:
        assert self.scope is not None
        if self.spec.is_async or self._blockers or self.scope.is_deep or running_loop() is not None:
            return False
        if self.claim():
            self._context.run(self._run_here)
        return self.done

    def cancel(self, reason: BaseException) -> None:
        """End the run if it has not begun; else interrupt it."""
        if self.claim():
            self.cancel_now(reason)
        elif not self.done:
            self.ask_to_stop()

    def cancel_now(self, reason: BaseException) -> None:
        """Record the run as cancelled before it ran."""
        self.begin_again_because("")
        at = self.move(StateType.CANCELLED, "Cancelled", message=str(reason))
        self._finish(State(type=StateType.CANCELLED, message=str(reason), at=at, data=reason, has_data=True))

    def abandon(self, reason: BaseException) -> None:
        """Say that the run is over although its code could not be stopped."""
        if self.state is None:
            at = self.move(StateType.CANCELLED, "Cancelled", message=str(reason))
            self._finish(State(type=StateType.CANCELLED, message=str(reason), at=at, data=reason, has_data=True))

    # An executor of this process runs the work itself; nothing of it goes elsewhere.

    def parcel(self) -> bytes:
        raise UpstreamFailed(self.name, "", state="", reason="a subflow runs in the process of its flow")

    def begun(self, where: str) -> None:
        return None

    def told(self, record: bytes) -> None:
        return None

    def ended(self, outcome: bytes) -> None:
        return None

    def lost(self, error: BaseException) -> None:
        return None
