"""One flow run: its way from begun to final. The drivers at the end run it in a thread or on a loop."""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import msgspec

from nadi.engine import hooks
from nadi.engine.again import finished_so_far
from nadi.engine.aio import StepsAsync, cancel_with_session
from nadi.engine.decisions import End, RetryAfter, after_failure, classify, may_retry
from nadi.engine.drive import PASSED_ON, Steps
from nadi.engine.forks import end_if_forked, process
from nadi.engine.inputs import take_outcomes
from nadi.engine.interrupts import CancelAsked, Interruptible, Interruption, TimeUp, interrupted_loop, time_limit
from nadi.engine.names import templated
from nadi.engine.outcomes import state_of_flow
from nadi.engine.runs import Run
from nadi.engine.scope import Scope, current, current_tags
from nadi.engine.session import Session
from nadi.exceptions import CancelledRun, CrashedRun, FailedRun, TimedOut
from nadi.executors.contract import Executor
from nadi.executors.threads import place_lent
from nadi.model.records import CallReused, FlowRunBegun, FlowRunMoved
from nadi.model.results import ResultRef
from nadi.model.runs import FlowRun as FlowRunRecord
from nadi.model.secrets import mask, masker
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
            record = match.reused
            self.name, self.attempt = record.name, record.attempt
            self.take_id(record.id, record.token)
            take_outcomes((self.bound or {}).values())
            session.append(CallReused(session.root, session.token, session.now(), self.id))
            session.remember(match.value, self.id, self.token)
            self._finish(
                State(
                    type=record.state_type,
                    name=record.state_name,
                    message=record.message,
                    at=record.state_at,
                    data=match.value,
                    has_data=True,
                ),
                reused=True,
            )
            return ""
        if match.adopted is None:
            self.take_id(session.next_id())
            return match.why
        self.name = match.adopted.name
        self.take_id(match.adopted.id)
        self.attempt = match.adopted.attempt + 1
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
        self, state: StateType, name: str, *, message: str = "", result: ResultRef | None = None, detail: str = ""
    ) -> float:
        """Say that the run changed state; returns when."""
        session = self.session
        was, self.state_type = self.state_type, state
        now = session.now()
        message = mask(message) if message else message
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

    def fail(self, error: BaseException, *, ended: State[Any] | None = None, retry: bool = True) -> float | None:
        """End the attempt with what it raised; returns the seconds to wait before the function is entered again."""
        if self.state is not None:
            return None
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
        if isinstance(error, Interruption):
            return CrashedRun(str(error) or f"Flow run {self.name} was interrupted.")
        return error

    def _end(self, state: State[Any], detail: str = "") -> None:
        spec = self.spec
        wanted = state.has_data and spec.persist_result is not False
        ref = self.session.keep(state.data, run=self.id, spec_format=spec.serializer, wanted=wanted)
        at = self.move(state.type, state.name, message=state.message, result=ref, detail=detail)
        if state.is_completed():
            self.session.remember(state.data, self.id, self.token)
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
        scope.history = finished_so_far(self.session, self.name)

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
            call=self.call,
            instead_of=self.instead_of,
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


def drive_flow(run: FlowRun) -> None:
    """Run a flow here to its end, waiting here between attempts; interruptions are recorded and raised."""
    prepared = _prepared(run)
    if prepared is None:
        return
    scope, args, kwargs = prepared
    while True:
        delay = _attempt(run, scope, args, kwargs)
        if delay is None:
            return
        _pause(run, delay)
        run.enter_again(scope)


def _prepared(run: FlowRun) -> tuple[Scope, tuple[Any, ...], dict[str, Any]] | None:
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
                    value = run.spec.fn(*args, **kwargs)
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
        return _interrupted(run, scope, error, own_alarm)
    return _ended(run, scope, value, failure)


def _interrupted(run: FlowRun, scope: Scope, error: BaseException, own_alarm: TimeUp | None) -> float | None:
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


def _ended(run: FlowRun, scope: Scope, value: Any, failure: BaseException | None) -> float | None:
    """End an attempt whose function returned or raised and whose children have ended."""
    if isinstance(failure, SystemExit):
        _end_by_exit(run, failure)
        raise failure
    if failure is not None:
        return run.fail(failure)
    try:
        return run.complete(value, scope)
    except Exception as error:  # a value that breaks whoever looks at it
        return run.fail(error, retry=False)


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


#: Seconds that interrupted tasks get to end.
STOP_GRACE = 2.0


def drive_flow_items(run: FlowRun) -> Iterator[Any]:
    """Run a generator flow here, handing its items on as they come; the run ends when it is exhausted.

    It is retried only while it has handed out nothing; only the time spent in it counts for its timeout.
    """
    prepared = _prepared(run)
    if prepared is None:
        run.value()  # raises
        return
    scope, args, kwargs = prepared
    while True:
        items: list[Any] = []
        steps = Steps(run.spec.timeout)
        generator = run.spec.fn(*args, **kwargs)
        failure: BaseException | None = None
        try:
            try:
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
            _closed(run, scope, error)
            raise
        except PASSED_ON as error:
            delay = _interrupted(run, scope, error, steps.own_alarm)
        else:
            delay = _ended_items(run, scope, items, failure)
        if delay is None:
            run.value()  # raises where the run failed
            return
        _pause(run, delay)
        run.enter_again(scope)


def _closed(run: FlowRun, scope: Scope, error: BaseException) -> None:
    stop_children(scope, error)
    run.fail(CancelledRun("Closed before it was exhausted."))


def _ended_items(run: FlowRun, scope: Scope, items: list[Any], failure: BaseException | None) -> float | None:
    if items and failure is not None and not isinstance(failure, SystemExit):
        return run.fail(failure, retry=False)
    return _ended(run, scope, items, failure)


async def drive_flow_async(run: FlowRun) -> None:
    """Run an async flow on the running loop; see `drive_flow`."""
    import asyncio

    prepared = _prepared(run)
    if prepared is None:
        return
    scope, args, kwargs = prepared
    while True:
        delay = await _attempt_async(run, scope, args, kwargs)
        if delay is None:
            return
        await asyncio.sleep(delay)
        run.enter_again(scope)


async def _attempt_async(run: FlowRun, scope: Scope, args: tuple[Any, ...], kwargs: dict[str, Any]) -> float | None:
    import asyncio

    here = current.set(scope)
    detach = cancel_with_session(run)
    value, failure = None, None
    try:
        async with asyncio.timeout(run.spec.timeout):
            try:
                run.session.check()
                if run.spec.style is Style.ASYNC_GENERATOR:
                    value = [item async for item in run.spec.fn(*args, **kwargs)]
                else:
                    value = await run.spec.fn(*args, **kwargs)
            except (*PASSED_ON, asyncio.CancelledError):
                raise
            except BaseException as error:
                failure = error
            await asyncio.to_thread(wait_for_children, scope)
    except TimeoutError:
        alarm = TimeUp()
        await asyncio.to_thread(stop_children, scope, alarm)
        return run.fail(alarm)
    except asyncio.CancelledError as error:
        return _cancelled(run, scope, error)
    except PASSED_ON as error:
        return _interrupted(run, scope, error, None)
    finally:
        current.reset(here)
        detach()
    return _ended(run, scope, value, failure)


def _cancelled(run: FlowRun, scope: Scope, error: BaseException) -> float | None:
    """End a flow run whose asyncio task was cancelled: by a stop of its session, or by whoever awaits it."""
    import asyncio

    stopped = run.session.stopped
    try:
        stop_children(scope, error)
    finally:
        why = "Interrupted by Ctrl-C." if interrupted_loop() else "The coroutine of the flow was cancelled."
        run.fail(stopped or CancelledRun(why), retry=False)
    if stopped is None:
        raise error
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()
    return None


async def drive_flow_items_async(run: FlowRun) -> AsyncIterator[Any]:
    """Run an async generator flow, handing its items on as they come; see `drive_flow_items`."""
    import asyncio

    prepared = _prepared(run)
    if prepared is None:
        run.value()  # raises
        return
    scope, args, kwargs = prepared
    while True:
        items: list[Any] = []
        steps = StepsAsync(run.spec.timeout)
        generator = run.spec.fn(*args, **kwargs)
        failure: BaseException | None = None
        try:
            try:
                while True:
                    here = current.set(scope)
                    try:
                        item = await steps.next(generator)
                    finally:
                        current.reset(here)
                    if item is steps:
                        break
                    items.append(item)
                    yield item
            except (*PASSED_ON, asyncio.CancelledError):
                raise
            except BaseException as error:
                failure = error
            await asyncio.to_thread(wait_for_children, scope)
        except (GeneratorExit, asyncio.CancelledError) as error:
            _closed(run, scope, error)
            raise
        except PASSED_ON as error:
            delay = _interrupted(run, scope, error, steps.own_alarm)
        else:
            delay = _ended_items(run, scope, items, failure)
        if delay is None:
            run.value()  # raises where the run failed
            return
        await asyncio.sleep(delay)
        run.enter_again(scope)
