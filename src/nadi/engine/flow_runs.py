"""One flow run: its way from begun to final, whoever drives it.

`FlowRun` tells the journal what happens and asks `decisions.py` what comes next; `flow_drive.py`
enters the function in a thread, `flow_aio.py` on an event loop.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import Any

import msgspec

from nadi.engine import hooks
from nadi.engine.again import finished_so_far
from nadi.engine.decisions import End, RetryAfter, after_failure, classify, may_retry
from nadi.engine.inputs import take_outcomes
from nadi.engine.interrupts import CancelAsked, Interruption, TimeUp
from nadi.engine.names import templated
from nadi.engine.outcomes import state_of_flow
from nadi.engine.runs import Run
from nadi.engine.scope import Scope, current, current_tags
from nadi.engine.session import Session
from nadi.engine.steering import asked, obey_in_flow
from nadi.exceptions import CancelledRun, CrashedRun, SuspendedRun, TimedOut
from nadi.executors.contract import Executor
from nadi.model.names import told_for_shell
from nadi.model.records import FlowRunBegun, FlowRunMoved, InputAsked
from nadi.model.results import KeptElsewhere, ResultRef
from nadi.model.runs import FlowRun as FlowRunRecord
from nadi.model.secrets import mask, masker
from nadi.model.signals import ENDRUN, Signal
from nadi.model.specs import FlowSpec
from nadi.model.states import State, StateType
from nadi.model.text import safe_repr
from nadi.model.tracebacks import detail_of, summarise

_log = logging.getLogger("nadi.runs")

_RUNNING, _SCHEDULED = StateType.RUNNING, StateType.SCHEDULED


class SuspendAsked(BaseException):
    """The flow function is left: the run is put aside until somebody resumes it. User code does not catch it."""

    def __init__(self, told: str, *, asked: InputAsked | None = None, given: str = "") -> None:
        super().__init__(told)
        #: Why, for people.
        self.told = told
        #: What it asks, when that is not recorded yet.
        self.asked = asked
        #: Options of `nadi resume` that answer it.
        self.given = given


class FlowRun(Run):
    """One flow run in progress in this process: a root run, or a subflow of one."""

    def __init__(
        self,
        spec: FlowSpec,
        session: Session,
        scope: Scope | None,
        bound: dict[str, Any],
        *,
        executor: Executor | None,
        name: str,
    ) -> None:
        super().__init__(spec, session, scope, bound)
        self.spec: FlowSpec = spec
        self.executor = executor
        self.tags = spec.tags | current_tags() | (scope.tags if scope is not None else frozenset())
        self.name = name
        self.named = spec.run_name is None
        self.failures = 0
        self.run_count = 1
        self.upstream: tuple[str, ...] = ()
        #: Where its graph stands, of a declared flow.
        self.walk: Any = None
        #: How many pauses block it now.
        self.pauses = 0
        if scope is not None:
            self.call = scope.identify(spec, bound)
        if spec.validate_parameters:
            self.bound = secrets_wrapped(spec, bound)

    def match_history(self) -> str:
        """Reuse a recorded subflow run (then the run is done), or take it up again; returns why it runs again."""
        session = self.session
        history = self.scope.history if self.scope is not None else None
        if history is None or self.call is None:
            self.take_id(session.next_id())
            return ""
        match = history.match(self.call, instead_of=self.scope.instead_of if self.scope is not None else ())
        self.instead_of = match.instead_of
        if match.reused is not None:
            take_outcomes((self.bound or {}).values())
            self.reuse(match.reused, match.value)
            return ""
        if match.adopted is None:
            self.take_id(session.next_id())
            return match.why
        self.name = match.adopted.name
        self.take_id(match.adopted.id)
        self.attempt = match.adopted.attempt + (0 if match.adopted.state_type is StateType.PAUSED else 1)
        if isinstance(match.adopted, FlowRunRecord) and history.was_for(match.adopted) is StateType.CRASHED:
            self.entered_before(match.adopted)
        return match.why

    def entered_before(self, record: FlowRunRecord) -> None:
        """Go on counting how often the function was entered: the retries that were spent before a crash stay spent."""
        self.run_count, self.failures = record.run_count, record.run_count - 1

    def begin(self, *, arguments: ResultRef | None = None, source: bytes = b"") -> None:
        """Say that the run runs."""
        session, spec = self.session, self.spec
        self.state_type = _RUNNING
        session.append(
            FlowRunBegun(
                session.root,
                session.token,
                session.now(),
                self.id,
                spec.name,
                self.name,
                self.attempt,
                _RUNNING,
                "Running",
                self.scope.flow_run if self.scope is not None else "",
                self.call,
                spec.version or getattr(spec.face, "version", ""),
                tuple(sorted(self.tags)),
                display(self.bound or {}),
                arguments,
                session.recorder.holder.encode(),
                source,
                spec.description,
            )
        )
        if self.run_count > 1:
            self.move(_RUNNING, "Running")  # beginning counts from one; this says how often it was entered

    def begin_again_because(self, why: str) -> None:
        """Begin a subflow run; says why when an earlier attempt had recorded it."""
        if why:
            self.log(logging.INFO, "Runs again: %s.", why)
        self.begin()

    def move(
        self,
        state: StateType,
        name: str,
        *,
        message: str = "",
        result: ResultRef | None = None,
        detail: str = "",
        released: bool = False,
    ) -> float:
        """Say that the run changed state; returns when. After `released` no process has it any more."""
        session = self.session
        was, self.state_type = self.state_type, state
        now = session.now()
        message = mask(message) if message else message
        if released:
            # Whoever claims the run from now on takes nothing away from this process.
            session.recorder.unwatch(session.root)
        session.append(
            FlowRunMoved(
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
                self.run_count,
                detail,
                self.name,
                released,
            )
        )
        return now

    def suspend(self, asked: SuspendAsked) -> None:
        """End what this process does for the run, without ending the run: whoever resumes it goes on."""
        if asked.asked is not None:
            self.session.append(asked.asked)
        self.log(logging.INFO, "Suspended: %s", asked.told)
        if self.scope is not None:
            # Only a root run has a process to be left by; who called this one leaves its own function.
            self.session.has_put_aside = True
            at = self.move(StateType.PAUSED, "Paused", message=asked.told)
            self._finish(State(type=StateType.PAUSED, message=asked.told, at=at, data=asked, has_data=True))
            return
        at = self.move(StateType.PAUSED, "Suspended", message=asked.told, released=True)
        command = f"nadi resume {told_for_shell(self.name, self.id)}{asked.given}"
        error = SuspendedRun(f"Run {self.name} is suspended: {asked.told} Continue it with: {command}")
        error.given = asked.given
        self._finish(
            State(type=StateType.PAUSED, name="Suspended", message=asked.told, at=at, data=error, has_data=True)
        )

    def complete(self, value: Any, scope: Scope) -> float | None:
        """End the run by what its function returned and by what became of what it submitted."""
        wait_for_children(scope)
        if self.session.has_put_aside:
            paused = [run.name for run in scope.children if run.state.is_paused()]
            if paused:
                self.suspend(SuspendAsked(f"{' and '.join(paused)} must be resumed."))
                return None
        state = state_of_flow(value, scope.children, self.spec.unobserved)
        if state.is_completed():
            self._end(state)
            return None
        return self.fail(state.error(), ended=state)

    def fail(self, error: BaseException, *, ended: State[Any] | None = None, retry: bool = True) -> float | None:
        """End the attempt with what it raised; returns the seconds to wait before the function is entered again."""
        if self.state is not None:
            return None
        if isinstance(error, Signal):
            answer = obey_in_flow(self, error)
            if not isinstance(answer, BaseException):
                return answer
            error = answer
        error = self._translated(error)
        self.failures += 1
        allowed = retry and (ended is None or ended.is_failed())
        step = after_failure(
            self.spec.retry,
            error,
            failures=self.failures,
            allowed=allowed and may_retry(self.spec.retry, error, failures=self.failures),
            chance=self.session.clock.random.random(),
        )
        if isinstance(step, RetryAfter) and self.session.stopped is None:
            return self.await_retry(error, step)
        end = step if isinstance(step, End) else classify(error)
        if ended is not None and end.name not in ("TimedOut",):
            self._end(ended)
        else:
            self._end(
                State(type=end.type, name=end.name, message=summarise(error), data=error, has_data=True),
                detail_of(error),
            )
        return None

    def await_retry(self, error: BaseException, step: RetryAfter) -> float:
        """Say that the function is entered again after a while; returns the seconds."""
        message = summarise(error)
        self.move(_SCHEDULED, "AwaitingRetry", message=message, detail=detail_of(error))
        self.log(logging.WARNING, "Failed and is retried in %.3g s: %s", step.delay, message)
        return step.delay

    def end_with(self, state: State[Any]) -> None:
        """End the run in a state that user code gave by a signal."""
        self._end(state)

    def _translated(self, error: BaseException) -> BaseException:
        if isinstance(error, TimeUp):
            return TimedOut(f"Flow run {self.name} took longer than its timeout of {self.spec.timeout:g} seconds.")
        if isinstance(error, CancelAsked):
            return self.session.stopped or CancelledRun(f"Flow run {self.name} was cancelled.")
        if isinstance(error, KeyboardInterrupt):
            return CancelledRun("Interrupted by Ctrl-C.")
        if isinstance(error, Interruption):
            return CrashedRun(str(error) or f"Flow run {self.name} was interrupted.")
        return error

    def _end(self, state: State[Any], detail: str = "") -> None:
        spec = self.spec
        if spec.state_handler is not None:
            state = asked(self, state)
        wanted = state.has_data and spec.persist_result is not False
        ref = self.session.keep(state.data, run=self.id, spec_format=spec.serializer, wanted=wanted)
        # Who ends paused has nobody who waits for the answer.
        released = state.is_paused() and self.scope is None
        at = self.move(state.type, state.name, message=state.message, result=ref, detail=detail, released=released)
        data = state.data
        if state.is_completed():
            self.session.remember(data, self.id, self.token)
            if state.has_data and not spec.cache_result_in_memory:
                data = KeptElsewhere(ref, self.session.recorder.fetch)
        else:
            self.log(logging.ERROR, "Ended %s.", str(state).rstrip("."), detail=detail)
        self._finish(
            State(type=state.type, name=state.name, message=state.message, at=at, data=data, has_data=state.has_data)
        )

    def complete_by_exit(self) -> None:
        """End the run whose function called sys.exit() without a status."""
        self._end(State(type=StateType.COMPLETED, message="The flow called sys.exit().", has_data=True))

    def enter_again(self, scope: Scope) -> None:
        """Enter the function again after a failure: finished children stand, as on a resume."""
        self.run_count += 1
        scope.begin_again()
        scope.children.clear()
        self.move(_RUNNING, "Retrying")
        scope.history = finished_so_far(self.session, self.name)

    def make_scope(self, bound: Mapping[str, Any]) -> Scope:
        """Return the scope of the calls that the flow makes."""
        caller, spec = self.scope, self.spec
        inherited = caller.log_prints if caller is not None else False
        scope = Scope(
            self.session,
            spec,
            id=self.id,
            name=self.name,
            flow_run=self.id,
            parent=caller,
            executor=self.executor,
            tags=self.tags,
            log_prints=inherited if spec.log_prints is None else spec.log_prints,
            parameters=bound,
            attempt=self.attempt,
            call=self.call,
            instead_of=self.instead_of,
        )
        scope.run = self
        return scope

    def prepare(self) -> tuple[Scope, tuple[Any, ...], dict[str, Any]]:
        """Validate the parameters and name the run.

        Raises:
            ParameterError: a parameter cannot be used.
        """
        bound = self.bound or {}
        if self.spec.validate_parameters:
            bound = self.spec.parameters.validate(bound)
            self.bound = bound
        scope = self.make_scope(bound)
        if not self.named:
            self.name = scope.name = within_scope(scope, lambda: templated(self.spec, bound))
            self.named = True
            self.move(_RUNNING, "Running")
        if self.spec.tells_start:
            self._tell_running()
        args, kwargs = self.spec.parameters.spread(bound)
        return scope, args, kwargs

    def _tell_running(self) -> None:
        state: State[Any] = State(type=_RUNNING, at=self.session.now())
        if self.spec.state_handler is not None:
            answer = asked(self, state)
            if not answer.is_running():
                raise ENDRUN(answer)
        hooks.call(self.spec.hooks.running, self, state)


def suspend_at_next_call(run: FlowRun, by: str) -> None:
    """Have a root run leave its function when that makes its next call: somebody asked to suspend it."""
    told = f"Suspended by {by}." if by else "Suspended."

    def before_a_call() -> None:
        scope = current.get()
        if scope is None or scope.run is not run:
            return
        # A thread that the flow's code started has no function of ours to leave.
        if run.spec.is_async or scope.thread == threading.get_ident():
            raise SuspendAsked(told)

    run.session.suspending = before_a_call


def secrets_wrapped(spec: FlowSpec, bound: dict[str, Any]) -> dict[str, Any]:
    """Wrap what is annotated as a secret before the parameters are recorded, which is before they are validated."""
    try:
        return spec.parameters.with_secrets_wrapped(bound)
    except Exception:  # an annotation that cannot be resolved: `prepare` meets it again and the run fails with it
        return bound


def within_scope(scope: Scope, fn: Any) -> Any:
    """Call `fn` with `scope` as the current one."""
    here = current.set(scope)
    try:
        return fn()
    finally:
        current.reset(here)


def display(bound: Mapping[str, Any]) -> bytes:
    """Return parameters as JSON for people: what JSON has no form for as text, shortened, secrets masked."""
    shown: dict[str, Any] = {}
    for name, value in bound.items():
        try:
            encoded = msgspec.json.encode(value)
        except Exception:
            encoded = b""
        if not encoded or len(encoded) > 2000:
            shown[name] = safe_repr(value)
        else:
            shown[name] = masker.mask_value(msgspec.json.decode(encoded))
    return msgspec.json.encode(shown)


def wait_for_children(scope: Scope) -> None:
    """Wait until everything that a flow submitted has ended; what they submit meanwhile too."""
    children = scope.children
    seen = 0
    while seen < len(children):
        children[seen].wait()
        seen += 1
