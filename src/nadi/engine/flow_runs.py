"""One flow run: its way from begun to final. The drivers at the end run it in a thread or on a loop."""

from __future__ import annotations

import logging
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import msgspec

from nadi.engine import hooks
from nadi.engine.aio import cancel_with_session
from nadi.engine.decisions import End, RetryAfter, after_failure, classify, may_retry
from nadi.engine.drive import PASSED_ON
from nadi.engine.history import History
from nadi.engine.interrupts import CancelAsked, Interruptible, Terminated, TimeUp, time_limit
from nadi.engine.logs import run_handler
from nadi.engine.names import templated
from nadi.engine.outcomes import state_of_flow
from nadi.engine.runs import Run
from nadi.engine.scope import Scope, current, current_tags
from nadi.engine.session import Session
from nadi.exceptions import CancelledRun, CrashedRun, FailedRun, StoreError, TimedOut
from nadi.executors.contract import Executor
from nadi.model.records import CallReused, FlowRunBegun, FlowRunMoved
from nadi.model.results import ResultRef
from nadi.model.secrets import masker
from nadi.model.specs import FlowSpec, Style
from nadi.model.states import State, StateType
from nadi.model.text import safe_repr
from nadi.model.tracebacks import detail_of, summarise

_log = logging.getLogger("nadi.runs")

_RUNNING, _SCHEDULED = StateType.RUNNING, StateType.SCHEDULED


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
        if scope is not None:
            self.call = scope.identify(spec, bound)

    def match_history(self) -> str:
        """Reuse a recorded subflow run (then the run is done), or take it up again; returns why it runs again."""
        session = self.session
        if session.history is None or self.call is None:
            self.take_id(session.next_id())
            return ""
        match = session.history.match(self.call)
        if match.reused is not None:
            record = match.reused
            self.name, self.attempt = record.name, record.attempt
            self.take_id(record.id, record.token)
            session.append(CallReused(session.root, session.token, session.now(), self.id))
            self._finish(
                State(
                    type=record.state_type,
                    name=record.state_name,
                    message=record.message,
                    at=record.state_at,
                    data=match.value,
                    has_data=True,
                )
            )
            return ""
        if match.adopted is None:
            self.take_id(session.next_id())
            return match.why
        self.name = match.adopted.name
        self.take_id(match.adopted.id)
        self.attempt = match.adopted.attempt + 1
        return match.why

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
                spec.version,
                tuple(sorted(self.tags)),
                display(self.bound or {}),
                arguments,
                session.recorder.holder.encode(),
                source,
                spec.description,
            )
        )

    def begin_again_because(self, why: str) -> None:
        """Begin a subflow run; says why when an earlier attempt had recorded it."""
        if why:
            self.log(logging.INFO, "Runs again: %s.", why)
        self.begin()

    def move(
        self, state: StateType, name: str, *, message: str = "", result: ResultRef | None = None, detail: str = ""
    ) -> float:
        """Say that the run changed state; returns when."""
        session = self.session
        was, self.state_type = self.state_type, state
        now = session.now()
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
            )
        )
        return now

    def complete(self, value: Any, scope: Scope) -> float | None:
        """End the run by what its function returned and by what became of what it submitted."""
        wait_for_children(scope)
        state = state_of_flow(value, scope.children, self.spec.unobserved)
        if state.is_completed():
            self._end(state)
            return None
        return self.fail(state.error(), ended=state)

    def fail(self, error: BaseException, *, ended: State[Any] | None = None) -> float | None:
        """End the attempt with what it raised; returns the seconds to wait before the function is entered again."""
        error = self._translated(error)
        self.failures += 1
        allowed = ended is None or ended.is_failed()
        step = after_failure(
            self.spec.retry,
            error,
            failures=self.failures,
            allowed=allowed and may_retry(self.spec.retry, error, failures=self.failures),
            chance=self.session.clock.random.random(),
        )
        if isinstance(step, RetryAfter) and self.session.stopped is None:
            message = summarise(error)
            self.move(_SCHEDULED, "AwaitingRetry", message=message, detail=detail_of(error))
            self.log(logging.WARNING, "Failed and is retried in %.3g s: %s", step.delay, message)
            return step.delay
        end = step if isinstance(step, End) else classify(error)
        if ended is not None and end.name not in ("TimedOut",):
            self._end(ended)
        else:
            self._end(
                State(type=end.type, name=end.name, message=summarise(error), data=error, has_data=True),
                detail_of(error),
            )
        return None

    def _translated(self, error: BaseException) -> BaseException:
        if isinstance(error, TimeUp):
            return TimedOut(f"Flow run {self.name} took longer than its timeout of {self.spec.timeout:g} seconds.")
        if isinstance(error, CancelAsked):
            return self.session.stopped or CancelledRun(f"Flow run {self.name} was cancelled.")
        if isinstance(error, KeyboardInterrupt):
            return CancelledRun("Interrupted by Ctrl-C.")
        if isinstance(error, Terminated):
            return CrashedRun(str(error))
        return error

    def _end(self, state: State[Any], detail: str = "") -> None:
        spec = self.spec
        wanted = state.has_data and spec.persist_result is not False
        ref = self.session.keep(state.data, run=self.id, spec_format=spec.serializer, wanted=wanted)
        at = self.move(state.type, state.name, message=state.message, result=ref, detail=detail)
        if state.is_completed():
            self.session.remember(state.data, self.origin)
        else:
            self.log(logging.ERROR, "Ended %s.", str(state).rstrip("."), detail=detail)
        self._finish(
            State(
                type=state.type, name=state.name, message=state.message, at=at, data=state.data, has_data=state.has_data
            )
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
        session = self.session
        session.recorder.barrier()
        try:
            records = list(session.recorder.store().recorded_calls(session.root))
        except StoreError as error:
            _log.warning("What %s finished before cannot be looked up, so all of it runs again. %s", self.name, error)
            return
        session.history = History(records, was=StateType.FAILED, fetch=session.recorder.fetch, adopting=False)

    def make_scope(self, bound: Mapping[str, Any]) -> Scope:
        """Return the scope of the calls that the flow makes."""
        caller, spec = self.scope, self.spec
        inherited = caller.log_prints if caller is not None else False
        return Scope(
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
        )

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
        if self.spec.hooks.running:
            hooks.call(self.spec.hooks.running, self, State(type=_RUNNING, at=self.session.now()))
        args, kwargs = self.spec.parameters.spread(bound)
        return scope, args, kwargs


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


def drive_flow(run: FlowRun) -> None:
    """Run a flow here to its end, waiting here between attempts; interruptions are recorded and raised."""
    try:
        scope, args, kwargs = run.prepare()
    except BaseException as error:
        run.failures = run.spec.retry.retries  # arguments that cannot be used now cannot be used later
        run.fail(error)
        if isinstance(error, PASSED_ON):
            raise
        return
    while True:
        delay = _attempt(run, scope, args, kwargs)
        if delay is None:
            run_handler.scope_ended(scope)
            return
        run.session.stop_event.wait(delay)
        run.enter_again(scope)


def _attempt(run: FlowRun, scope: Scope, args: tuple[Any, ...], kwargs: dict[str, Any]) -> float | None:
    session = run.session
    here = current.set(scope)
    stretch = None
    if threading.current_thread() is not threading.main_thread():
        stretch = Interruptible()
        session.enter(stretch)
    own_alarm: TimeUp | None = None
    try:
        session.check()
        with time_limit(run.spec.timeout) as own_alarm:
            value = run.spec.fn(*args, **kwargs)
            if run.spec.style is Style.GENERATOR:
                value = list(value)
            return run.complete(value, scope)
    except SystemExit as error:
        wait_for_children(scope)
        _end_by_exit(run, error)
        raise
    except BaseException as error:
        if isinstance(error, TimeUp) and error is not own_alarm:
            run.fail(CancelledRun("Its caller ran out of time."))
            raise
        interrupted = isinstance(error, PASSED_ON)
        if interrupted:
            stop_children(scope, error)
        else:
            wait_for_children(scope)
        if run.done:
            raise
        delay = run.fail(error)
        if interrupted and not isinstance(error, TimeUp):
            raise
        return delay
    finally:
        current.reset(here)
        if stretch is not None:
            session.leave(stretch)


def _end_by_exit(run: FlowRun, error: SystemExit) -> None:
    if error.code in (None, 0):
        run.complete_by_exit()
    else:
        run.failures = run.spec.retry.retries
        run.fail(FailedRun(f"The flow called sys.exit({error.code!r})."))


def stop_children(scope: Scope, error: BaseException) -> None:
    """End what was submitted: what has not begun is cancelled, what runs is interrupted and waited for briefly."""
    reason = CancelledRun("Its flow run ran out of time.") if isinstance(error, TimeUp) else CancelledRun("Its flow run was interrupted.")
    session = scope.session
    if scope.parent is None and not isinstance(error, TimeUp):
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


#: Seconds that interrupted tasks get to end.
STOP_GRACE = 2.0


def drive_flow_items(run: FlowRun) -> Iterator[Any]:
    """Run a generator flow here, handing its items on as they come; the run ends when it is exhausted."""
    try:
        scope, args, kwargs = run.prepare()
    except BaseException as error:
        run.fail(error)
        raise
    items: list[Any] = []
    generator = within_scope(scope, lambda: run.spec.fn(*args, **kwargs))
    try:
        while True:
            try:
                item = within_scope(scope, lambda: next(generator))
            except StopIteration:
                break
            items.append(item)
            yield item
    except BaseException as error:
        if isinstance(error, GeneratorExit):
            generator.close()
            error = CancelledRun("Closed before it was exhausted.")
        stop_children(scope, error)
        run.failures = run.spec.retry.retries
        run.fail(error)
        raise
    run.complete(items, scope)


async def drive_flow_async(run: FlowRun) -> None:
    """Run an async flow on the running loop; see `drive_flow`."""
    import asyncio

    try:
        scope, args, kwargs = run.prepare()
    except BaseException as error:
        run.failures = run.spec.retry.retries
        run.fail(error)
        if isinstance(error, PASSED_ON):
            raise
        return
    while True:
        delay = await _attempt_async(run, scope, args, kwargs)
        if delay is None:
            run_handler.scope_ended(scope)
            return
        await asyncio.sleep(delay)
        run.enter_again(scope)


async def _attempt_async(run: FlowRun, scope: Scope, args: tuple[Any, ...], kwargs: dict[str, Any]) -> float | None:
    import asyncio

    here = current.set(scope)
    detach = cancel_with_session(run)
    try:
        run.session.check()
        async with asyncio.timeout(run.spec.timeout) as limit:
            if run.spec.style is Style.ASYNC_GENERATOR:
                value: Any = [item async for item in run.spec.fn(*args, **kwargs)]
            else:
                value = await run.spec.fn(*args, **kwargs)
        await asyncio.to_thread(wait_for_children, scope)
        return run.complete(value, scope)
    except TimeoutError as error:
        expired = run.spec.timeout is not None and limit.expired()
        await asyncio.to_thread(stop_children if expired else _wait_only, scope, TimeUp() if expired else error)
        return run.fail(TimeUp() if expired else error)
    except asyncio.CancelledError as error:
        stop_children(scope, error)
        run.fail(run.session.stopped or CancelledRun("The coroutine of the flow was cancelled."))
        raise
    except PASSED_ON as error:
        stop_children(scope, error)
        run.fail(error)
        raise
    except BaseException as error:
        await asyncio.to_thread(wait_for_children, scope)
        if run.done:
            raise
        return run.fail(error)
    finally:
        current.reset(here)
        detach()


def _wait_only(scope: Scope, error: BaseException) -> None:
    wait_for_children(scope)


async def drive_flow_items_async(run: FlowRun) -> AsyncIterator[Any]:
    """Run an async generator flow, handing its items on as they come."""
    import asyncio

    try:
        scope, args, kwargs = run.prepare()
    except BaseException as error:
        run.fail(error)
        raise
    items: list[Any] = []
    generator = within_scope(scope, lambda: run.spec.fn(*args, **kwargs))
    try:
        while True:
            here = current.set(scope)
            try:
                item = await generator.__anext__()
            except StopAsyncIteration:
                break
            finally:
                current.reset(here)
            items.append(item)
            yield item
    except BaseException as error:
        if isinstance(error, GeneratorExit | asyncio.CancelledError):
            error = CancelledRun("Closed before it was exhausted.")
        stop_children(scope, error)
        run.failures = run.spec.retry.retries
        run.fail(error)
        raise
    await asyncio.to_thread(wait_for_children, scope)
    run.complete(items, scope)

