"""One task run: its way from accepted to final, whoever drives it.

`TaskRun` tells the journal what happens and asks `decisions.py` what comes next; it runs
nothing. The drivers are short loops around it: `drive.py` for a thread, `aio.py` for a
coroutine, `work.py` for executors, whose delays between attempts cost no thread.
"""

from __future__ import annotations

import logging
from typing import Any

from nadi.engine import hooks
from nadi.engine.decisions import COMPLETED, NOT_READY, End, RetryAfter, after_failure, classify, may_retry
from nadi.engine.inputs import has_marks, resolved, take_outcomes
from nadi.engine.interrupts import CancelAsked, Interruption, TimeUp
from nadi.engine.names import task_run_name
from nadi.engine.runs import Run, outcome_for
from nadi.engine.scope import Scope, current_tags
from nadi.engine.session import LogOrigin
from nadi.exceptions import CancelledRun, CrashedRun, TimedOut
from nadi.model.records import CallKey, TaskRunBegun, TaskRunMoved
from nadi.model.results import ResultRef
from nadi.model.runs import TaskRun as TaskRunRecord
from nadi.model.secrets import mask
from nadi.model.specs import TaskSpec
from nadi.model.states import State, StateType
from nadi.model.tracebacks import detail_of, summarise

_RUNNING, _PENDING, _SCHEDULED = StateType.RUNNING, StateType.PENDING, StateType.SCHEDULED


class TaskRun(Run):
    """One task run in progress in this process."""

    __slots__ = (
        "due",
        "failures",
        "made_calls",
        "map_index",
        "upstream",
    )

    def __init__(
        self,
        spec: TaskSpec,
        scope: Scope,
        bound: dict[str, Any],
        *,
        map_index: int = -1,
        wait_for: tuple[Any, ...] = (),
    ) -> None:
        """Accept a call, or take up or reuse what an earlier attempt recorded of it."""
        super().__init__(spec, scope.session, scope, bound)
        self.spec: TaskSpec = spec
        self.scope: Scope = scope
        self.map_index = map_index
        self.call: CallKey = scope.identify(spec, bound)
        self.failures = 0
        #: Whether its last attempt made calls of its own, which then stand for the next one.
        self.made_calls = False
        #: Unix seconds before which it does not start: a delay that an earlier attempt of the root had begun.
        self.due = 0.0
        self.upstream: tuple[str, ...] = ()
        self.tags = spec.tags | scope.tags | current_tags()
        self.name = task_run_name(spec, bound, self.call, map_index)

    @property
    def log_origin(self) -> LogOrigin:
        return LogOrigin(self.session, self.scope.flow_run, self.id, self.name)

    # -- what an earlier attempt left --

    def match_history(self) -> tuple[TaskRunRecord | None, str]:
        """Reuse a recorded outcome (then the run is done), or return the record to take up and why it runs again."""
        session = self.session
        history = self.scope.history
        if history is None:
            self.take_id(session.next_id())
            return None, ""
        match = history.match(self.call, instead_of=self.scope.instead_of, rerun=self.spec.rerun_on_retry)
        self.instead_of = match.instead_of
        if match.reused is not None:
            take_outcomes((self.bound or {}).values())
            self.reuse(match.reused, match.value)
            return None, ""
        if match.adopted is None:
            self.take_id(session.next_id())
            return None, match.why
        taken = match.adopted
        assert isinstance(taken, TaskRunRecord)
        self.take_id(taken.id)
        self.attempt = taken.attempt + (0 if taken.state_type is _PENDING else 1)
        was = history.was_for(taken)
        self.failures = spent_failures(taken, was)
        if was is StateType.CRASHED and awaited_retry(taken):
            self.due = taken.due
        return taken, match.why

    # -- what is told to the journal --

    def begin(self, state: StateType, taken: TaskRunRecord | None = None, why: str = "") -> None:
        """Say that the run is accepted (PENDING) or runs at once (RUNNING)."""
        session = self.session
        self.state_type = state
        session.append(
            TaskRunBegun(
                session.root,
                session.token,
                session.now(),
                self.id,
                self.scope.flow_run,
                self.spec.name,
                self.name,
                self.call,
                self.attempt,
                state,
                taken.state_type if taken is not None else None,
                self.map_index,
                tuple(sorted(self.tags)) if self.tags else (),
                self.upstream,
                why,
            )
        )
        if why:
            self.log(logging.INFO, "Runs again: %s.", why)

    def move(
        self,
        state: StateType,
        name: str,
        *,
        message: str = "",
        result: ResultRef | None = None,
        due: float = 0.0,
        detail: str = "",
    ) -> float:
        """Say that the run changed state; returns when."""
        session = self.session
        was, self.state_type = self.state_type, state
        now = session.now()
        message = mask(message) if message else message
        session.append(
            TaskRunMoved(
                session.root,
                session.token,
                now,
                self.id,
                self.attempt,
                was,
                state,
                name,
                message,
                result,
                due,
                detail,
            )
        )
        return now

    def start_attempt(self) -> None:
        """Say that an attempt runs now, if it was not said with `begin`."""
        if self.state_type is _RUNNING:
            return
        if self.state_type is _SCHEDULED:
            self.attempt += 1
            self.move(_RUNNING, "Retrying")
        else:
            self.move(_RUNNING, "Running")
        if self.spec.hooks.running:
            self.tell_running()

    def tell_running(self) -> None:
        """Call the hooks for RUNNING."""
        hooks.call(self.spec.hooks.running, self, State(type=_RUNNING, at=self.session.now()))

    def complete(self, value: Any) -> None:
        """End the run with its value; a returned State is taken as the outcome itself."""
        if self.state is not None:
            return  # it was given up before; a late outcome changes nothing
        if isinstance(value, State):
            self._end_with_state(value)
            return
        session, spec = self.session, self.spec
        wanted = spec.persist_result is not False
        ref = session.keep(value, run=self.id, spec_format=spec.serializer, wanted=wanted)
        at = self.move(COMPLETED.type, COMPLETED.name, result=ref)
        if spec.durable:
            session.recorder.barrier()
        session.remember(value, self.id, self.token)
        data = value if spec.cache_result_in_memory else ref
        self._finish(State(type=COMPLETED.type, name=COMPLETED.name, at=at, data=data, has_data=True))

    def _end_with_state(self, state: State[Any]) -> None:
        if not state.is_final():
            self.fail(ValueError(f"the task returned the state {state}, which is not final"), retry=False)
            return
        ref = self.session.keep(state.data, run=self.id, spec_format=self.spec.serializer, wanted=state.has_data)
        at = self.move(state.type, state.name, message=state.message, result=ref)
        self._finish(
            State(type=state.type, name=state.name, message=state.message, at=at, data=state.data, has_data=True)
        )

    def fail(self, error: BaseException, *, retry: bool = True) -> float | None:
        """End the attempt with what it raised.

        Returns:
            Seconds to wait before the next attempt, or `None` when the run has ended.
        """
        if self.state is not None:
            return None
        error = self._translated(error)
        self.failures += 1
        policy = self.spec.retry
        allowed = retry and may_retry(policy, error, failures=self.failures) and self._condition_allows(error)
        chance = self.session.clock.random.random()
        step = after_failure(policy, error, failures=self.failures, allowed=allowed, chance=chance)
        if isinstance(step, RetryAfter) and self.session.stopped is None:
            return self._await_retry(error, step)
        self.end(step if isinstance(step, End) else classify(error), error)
        return None

    def _translated(self, error: BaseException) -> BaseException:
        if isinstance(error, TimeUp):
            return TimedOut(f"Task run {self.name} took longer than its timeout of {self.spec.timeout:g} seconds.")
        if isinstance(error, CancelAsked):
            return self.session.stopped or CancelledRun(f"Task run {self.name} was cancelled.")
        if isinstance(error, KeyboardInterrupt):
            return CancelledRun(f"Task run {self.name} was interrupted by Ctrl-C.")
        if isinstance(error, Interruption):
            return CrashedRun(f"Task run {self.name} was interrupted: {error}")
        if isinstance(error, SystemExit):
            told = f"Task run {self.name} called sys.exit({error.code!r}); a task ends by returning or raising."
            return SystemExitInTask(told).with_traceback(error.__traceback__)
        return error

    def _condition_allows(self, error: BaseException) -> bool:
        condition = self.spec.retry_condition
        if condition is None:
            return True
        end = classify(error)
        state: State[Any] = State(type=end.type, name=end.name, message=summarise(error), data=error, has_data=True)
        return hooks.ask(condition, self, state)

    def _await_retry(self, error: BaseException, step: RetryAfter) -> float:
        due = self.session.now() + step.delay
        message = summarise(error)
        self.move(_SCHEDULED, "AwaitingRetry", message=message, due=due, detail=detail_of(error))
        self.log(
            logging.WARNING,
            "Failed and is retried in %.3g s (%d of %d): %s",
            step.delay,
            self.failures,
            self.spec.retry.retries,
            message,
        )
        return step.delay

    def end(self, end: End, error: BaseException) -> None:
        """End the run in a state other than COMPLETED."""
        if self.state is not None:
            return
        message, detail = summarise(error), detail_of(error)
        wanted = self.spec.persist_result is not False
        ref = self.session.keep(error, run=self.id, spec_format="pickle", wanted=wanted)
        at = self.move(end.type, end.name, message=message, result=ref, detail=detail)
        if end.type is StateType.FAILED and end is not NOT_READY:
            self.log(logging.ERROR, "Failed: %s", message, detail=detail)
        self._finish(State(type=end.type, name=end.name, message=message, at=at, data=error, has_data=True))

    # -- inputs --

    def arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments for the call, futures replaced by their values.

        Raises:
            UpstreamFailed: one of them failed and its failure is not allowed.
        """
        bound = self.bound
        assert bound is not None
        if has_marks(bound.values()):
            bound = {name: resolved(value, outcome_for(self.name)) for name, value in bound.items()}
            self.bound = bound
        return self.spec.parameters.spread(bound)


class SystemExitInTask(Exception):
    """A task called sys.exit()."""


def spent_failures(record: TaskRunRecord, was: StateType) -> int:
    """Return how many of a task run's retries are already spent when it is taken up again.

    Attempts spent carry over a crash; a run resumed from FAILED or CANCELLED by hand begins afresh.
    """
    if was is not StateType.CRASHED:
        return 0
    in_flight = record.state_type in (_RUNNING, StateType.CRASHED, StateType.CANCELLED) and not awaited_retry(record)
    return max(0, record.attempt - 1) if in_flight else record.attempt


def awaited_retry(record: TaskRunRecord) -> bool:
    """Tell whether a task run was waiting for its next attempt; ending a dead run cancels it and leaves the time."""
    return record.state_type in (_SCHEDULED, StateType.CANCELLED) and record.due > 0
