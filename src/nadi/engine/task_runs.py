"""One task run: its way from accepted to final, whoever drives it.

`TaskRun` tells the journal what happens and asks `decisions.py` what comes next; it runs
nothing. The drivers are short loops around it: `drive.py` for a thread, `aio.py` for a
coroutine, `work.py` for executors, whose delays between attempts cost no thread.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from nadi.engine import assets, hooks
from nadi.engine.decisions import (
    CACHED,
    COMPLETED,
    NOT_READY,
    UNDONE,
    End,
    RetryAfter,
    after_failure,
    classify,
    may_retry,
)
from nadi.engine.flow_runs import SuspendAsked
from nadi.engine.inputs import has_marks, resolved, take_outcomes
from nadi.engine.interrupts import CancelAsked, Interruption, TimeUp
from nadi.engine.names import task_run_name
from nadi.engine.runs import Run, outcome_for
from nadi.engine.scope import Scope, current_tags
from nadi.engine.session import LogOrigin
from nadi.engine.steering import asked, obey, state_after, steering_of
from nadi.exceptions import CancelledRun, CrashedRun, TimedOut
from nadi.model.records import CallKey, TaskRunBegun, TaskRunMoved
from nadi.model.results import ROLLED_BACK, KeptElsewhere, ResultRef
from nadi.model.runs import TaskRun as TaskRunRecord
from nadi.model.secrets import mask
from nadi.model.signals import ENDRUN, Signal, seconds_until
from nadi.model.specs import TaskSpec
from nadi.model.states import FINAL, State, StateType
from nadi.model.tracebacks import detail_of, summarise

_RUNNING, _PENDING, _SCHEDULED = StateType.RUNNING, StateType.PENDING, StateType.SCHEDULED


class TaskRun(Run):
    """One task run in progress in this process."""

    __slots__ = (
        "asked_again",
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
        inputs: Mapping[str, Any] | None = None,
    ) -> None:
        """Accept a call, or take up or reuse what an earlier attempt recorded of it.

        Args:
            spec: The task.
            scope: The caller's scope.
            bound: The arguments by name.
            map_index: Index within a map.
            inputs: What the call is known by, where that is more than its arguments.
        """
        super().__init__(spec, scope.session, scope, bound)
        self.spec: TaskSpec = spec
        self.scope: Scope = scope
        self.map_index = map_index
        self.call: CallKey = scope.identify(spec, bound if inputs is None else inputs)
        self.failures = 0
        #: Whether whoever resumed the run asked for it: then no cached result stands for it.
        self.asked_again = False
        #: Whether its last attempt made calls of its own, which then stand for the next one.
        self.made_calls = False
        #: Unix seconds before which it does not start: a delay that an earlier attempt of the root had begun.
        self.due = 0.0
        self.upstream: tuple[str, ...] = ()
        self.tags = spec.tags | scope.tags | current_tags()
        self.name = task_run_name(spec, bound, self.call, map_index)

    @property
    def flow_run_id(self) -> str:
        """Id of the flow run that it belongs to, for hooks and cache keys; "" outside of a flow."""
        return self.scope.flow_run

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
        self.asked_again = match.asked
        if match.reused is not None:
            if isinstance(match.reused, TaskRunRecord):
                self.upstream = match.reused.upstream
            take_outcomes((self.bound or {}).values())
            self.reuse(match.reused, match.value)
            return None, ""
        if match.adopted is None:
            self.take_id(session.next_id())
            return None, match.why
        taken = match.adopted
        assert isinstance(taken, TaskRunRecord)
        self.take_id(taken.id)
        paused = taken.state_type is StateType.PAUSED
        if paused:
            # A run that was killed meanwhile was resumed for another reason: nobody has agreed to anything yet.
            steering_of(self).resumed = session.was_put_aside
        self.attempt = taken.attempt + (0 if paused or taken.state_type is _PENDING else 1)
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
        if self.spec.assets is not None and was is _RUNNING and state in FINAL:
            # First, or a kill between the two would leave something made that nobody told of.
            assets.told(self, self.upstream, state, name, message)
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

    def _finish(self, state: State[Any], *, reused: bool = False) -> None:
        if (self.spec.assets is not None or self.session.assets is not None) and state.is_completed():
            assets.follow(self, self.upstream, state.data)
        super()._finish(state, reused=reused)

    def start_attempt(self) -> bool:
        """Say that an attempt runs now, if it was not said with `begin`; `False` when its state handler ended it."""
        if self.state_type is _RUNNING:
            return True
        if self.state_type is _SCHEDULED:
            self.attempt += 1
            self.move(_RUNNING, "Retrying")
        else:
            self.move(_RUNNING, "Running")
        return self.tell_running() if self.spec.tells_start else True

    def tell_running(self) -> bool:
        """Ask the state handler and call the hooks for RUNNING; `False` when the handler ended the run."""
        state: State[Any] = State(type=_RUNNING, at=self.session.now())
        if self.spec.state_handler is not None:
            answer = asked(self, state)
            if not answer.is_running():
                self.end_with(answer, handled=True)
                return False
        hooks.call(self.spec.hooks.running, self, state)
        return True

    def complete(self, value: Any) -> float | None:
        """End the run with its value; a returned State is taken as the outcome itself.

        Returns:
            Seconds to wait before the next attempt, where a state handler made a failure of it that is retried.
        """
        if self.state is not None:
            return None  # it was given up before; a late outcome changes nothing
        session, spec = self.session, self.spec
        if isinstance(value, State):
            self.end_with(value)
            return None
        if spec.state_handler is not None:
            return self._complete_if_handled(value)
        wanted = spec.persist_result is not False
        ref = session.keep(value, run=self.id, spec_format=spec.serializer, wanted=wanted)
        end = COMPLETED
        if self.transaction is not None and not self._hand_in(value, ref):
            end, ref = UNDONE, ROLLED_BACK
        at = self.move(end.type, end.name, result=ref)
        self._settle()
        session.remember(value, self.id, self.token)
        in_memory = spec.cache_result_in_memory or end is UNDONE
        data = value if in_memory else KeptElsewhere(ref, session.recorder.fetch)
        self._finish(State(type=end.type, name=end.name, at=at, data=data, has_data=True))
        return None

    def _hand_in(self, value: Any, ref: ResultRef, *, is_answer: bool = True) -> bool:
        """End its transaction well; before the end of the run is told, or a kill between the two would lose it.

        Returns:
            Whether what it did stands; `False` when that was undone already.
        """
        transaction, self.transaction = self.transaction, None
        try:
            stands: bool = transaction.succeed(value, ref, is_answer=is_answer)
            return stands
        except BaseException as error:
            self.fail(error, retry=False)
            raise

    def _settle(self) -> None:
        if self.spec.durable:
            self.session.recorder.barrier()

    def answer(self, value: Any, ref: ResultRef, told: str) -> None:
        """End the run with a value that was computed elsewhere and is kept there.

        Args:
            value: The value.
            ref: Where it is kept.
            told: Who computed it and when, as one sentence.
        """
        session, spec = self.session, self.spec
        state: State[Any] = State(
            type=CACHED.type, name=CACHED.name, message=told, at=session.now(), data=value, has_data=True
        )
        if spec.state_handler is not None:
            changed = asked(self, state)
            if changed is not state:
                self.end_with(changed, handled=True)
                return
        self.move(CACHED.type, CACHED.name, message=told, result=ref)
        self._settle()
        session.remember(value, self.id, self.token)
        if not spec.cache_result_in_memory:
            state = msgspec.structs.replace(state, data=KeptElsewhere(ref, session.recorder.fetch))
        self._finish(state)

    def _complete_if_handled(self, value: Any) -> float | None:
        state = asked(self, State(type=COMPLETED.type, data=value, has_data=True))
        if state.is_failed():
            return self.fail(state.error(), handled=True)
        return self._follow(state)

    def _follow(self, state: State[Any]) -> float | None:
        """Do what a state says that the state handler gave: end in it, or wait until it runs again."""
        if state.is_scheduled():
            step = RetryAfter(seconds_until(state.data, self.session.now()))
            return self.await_retry(ENDRUN(state), step, asked_for=True, handled=True)
        self.end_with(state, handled=True)
        return None

    def end_with(self, state: State[Any], *, handled: bool = False) -> None:
        """End the run in a state that user code gave: by returning it, by a signal, or by a state handler.

        Args:
            state: The state; one that is not final fails the run.
            handled: Whether the state handler has had its say.
        """
        if self.state is not None:
            return
        if self.spec.state_handler is not None and not handled:
            state = asked(self, state)
        if state.is_paused():
            self.put_aside(state.message)
            return
        if not state.is_final():
            error = ValueError(f"the task was given the state {state}, which is not final")
            state = state_after(End(StateType.FAILED, "Failed"), error)
        session, spec = self.session, self.spec
        failed = not state.is_completed()
        data = state.error() if failed else state.data
        ref = session.keep(
            data,
            run=self.id,
            spec_format="pickle" if failed else spec.serializer,
            wanted=(failed or state.has_data) and spec.persist_result is not False,
        )
        is_answer = state.name == COMPLETED.name
        if self.transaction is not None and not failed and not self._hand_in(data, ref, is_answer=is_answer):
            state, ref = msgspec.structs.replace(state, name=UNDONE.name), ROLLED_BACK
        at = self.move(
            state.type, state.name, message=state.message, result=ref, detail=detail_of(data) if failed else ""
        )
        self._settle()
        if failed:
            # What did not run because of others is no news of its own.
            level = logging.INFO if state.name == "TriggerFailed" else logging.ERROR
            self.log(level, "Ended %s.", str(state).rstrip("."))
        else:
            session.remember(data, self.id, self.token)
        self._finish(State(type=state.type, name=state.name, message=state.message, at=at, data=data, has_data=True))

    def put_aside(self, message: str) -> None:
        """Leave the run PAUSED for whoever resumes its flow run: it is over for this process, and not final."""
        told = message or "It waits for somebody to resume it."
        at = self.move(StateType.PAUSED, "Paused", message=told)
        self.log(logging.INFO, "Paused: %s", told)
        self.session.has_put_aside = True
        # Who asks for its value leaves the flow, which then is put aside as well.
        asked_for = SuspendAsked(f"{self.name} must be resumed: {told}")
        self._finish(State(type=StateType.PAUSED, message=told, at=at, data=asked_for, has_data=True), reused=True)

    def fail(self, error: BaseException, *, retry: bool = True, handled: bool = False) -> float | None:
        """End the attempt with what it raised, or do what it says if it is a signal.

        Returns:
            Seconds to wait before the next attempt, or `None` when the run has ended.
        """
        if self.state is not None:
            return None
        if isinstance(error, Signal):
            answer = obey(self, error)
            if not isinstance(answer, BaseException):
                return answer
            error = answer
        error = self._translated(error)
        if self.spec.state_handler is not None and not handled:
            state = asked(self, state_after(classify(error), error))
            if state.data is not error and not state.is_failed():
                return self._follow(state)
            error, handled = state.error(), True
        self.failures += 1
        policy = self.spec.retry
        allowed = retry and may_retry(policy, error, failures=self.failures) and self._condition_allows(error)
        chance = self.session.clock.random.random()
        step = after_failure(policy, error, failures=self.failures, allowed=allowed, chance=chance)
        if isinstance(step, RetryAfter) and self.session.stopped is None:
            return self.await_retry(error, step)
        self.end(step if isinstance(step, End) else classify(error), error, handled=handled)
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

    def await_retry(
        self, error: BaseException, step: RetryAfter, *, asked_for: bool = False, handled: bool = False
    ) -> float | None:
        """Say that the run waits for its next attempt; returns for how long, or `None` when its handler ended it.

        Args:
            error: What the attempt failed with.
            step: How long it waits.
            asked_for: Whether the task itself asked for it, whatever its policy says.
            handled: Whether the state handler has had its say.
        """
        if self.transaction is not None:
            self.leave_transaction(None)  # others may compute meanwhile what this attempt could not
        now, delay = self.session.now(), step.delay
        message = summarise(error) if not asked_for else str(error) or "It asked to run again."
        if self.spec.state_handler is not None and not handled:
            self.due = now + delay
            state = asked(self, State(type=_SCHEDULED, name="Retrying", message=message, data=error))
            if state.is_final():
                self.end_with(state, handled=True)
                return None
            if isinstance(state.data, datetime):  # another start_time
                delay = seconds_until(state.data, now)
        self.move(_SCHEDULED, "AwaitingRetry", message=message, due=now + delay, detail=detail_of(error))
        if asked_for:
            self.log(logging.INFO, "Runs again in %.3g s: %s", delay, message)
            return delay
        self.log(
            logging.WARNING,
            "Failed and is retried in %.3g s (%d of %d): %s",
            delay,
            self.failures,
            self.spec.retry.retries,
            message,
        )
        return delay

    def end(self, end: End, error: BaseException, *, handled: bool = False) -> None:
        """End the run in a state other than COMPLETED; `handled` when the state handler has had its say."""
        if self.state is not None:
            return
        if self.spec.state_handler is not None and not handled:
            answer = asked(self, state_after(end, error))
            if answer.data is not error:
                self.end_with(answer, handled=True)
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
