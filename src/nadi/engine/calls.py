"""Calls: what happens when user code calls, submits or maps a task or flow."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any

from nadi.engine.aio import drive_async, drive_items_async, on_this_loop, settled
from nadi.engine.annotations import Annotation
from nadi.engine.decisions import NOT_READY
from nadi.engine.drive import drive, drive_items, pause
from nadi.engine.flow_aio import drive_flow_async, drive_flow_items_async
from nadi.engine.flow_drive import drive_flow, drive_flow_items
from nadi.engine.flow_runs import FlowRun
from nadi.engine.flow_work import SubmittedFlowRun
from nadi.engine.futures import FutureList, NadiFuture
from nadi.engine.inputs import futures_in, has_marks, is_future, resolved, take_outcomes
from nadi.engine.late import caching
from nadi.engine.mapping import fill_variadics, split_mapped
from nadi.engine.roots import in_root, in_root_async, new_root, run_name
from nadi.engine.runs import Run, outcome_for
from nadi.engine.scope import Scope, current
from nadi.engine.stacks import check_depth, on_fresh_stack
from nadi.engine.task_runs import TaskRun
from nadi.engine.uncaught import show_without_our_frames
from nadi.engine.work import SubmittedTaskRun
from nadi.exceptions import ContextError, MappingLengthMismatch, UpstreamFailed
from nadi.executors.contract import Executor
from nadi.executors.naming import executor_for
from nadi.executors.threads import ThreadExecutor
from nadi.model.specs import FlowSpec, Spec, Style, TaskSpec
from nadi.model.states import State, StateType

_RUNNING = StateType.RUNNING


# -- tasks --


def call_task(
    spec: TaskSpec,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    wait_for: Iterable[Any] | None = None,
    return_state: bool = False,
) -> Any:
    """Run a task here and now; returns its value, an iterator or a coroutine, as its function does."""
    scope = current.get()
    if scope is None:
        return _call_task_alone(spec, args, kwargs, wait_for, return_state)
    scope.session.check()
    if scope.is_deep:
        check_depth(scope)
    waits = waits_of(wait_for) if wait_for is not None else ()
    run = TaskRun(spec, scope, spec.parameters.bind(args, kwargs))
    if spec.style is Style.SYNC:
        if _begin_here(run, waits):
            if scope.is_deep:
                on_fresh_stack(drive, run)
            else:
                drive(run)
        return _answer(run, return_state)
    if spec.style is Style.ASYNC:
        return _await_task(run, waits, return_state)
    return _iterate_task(run, waits) if spec.style is Style.GENERATOR else _iterate_task_async(run, waits)


def _begin_here(run: TaskRun, waits: tuple[Any, ...]) -> bool:
    """Reuse what is recorded or begin the run here; `False` when it is done already."""
    bound = run.bound
    taken, why = run.match_history()
    if run.done:
        if run.spec.is_transaction:
            caching().rejoin(run, bound or {})
        take_outcomes(waits)
        return False
    values = run.bound.values() if run.bound else ()
    if waits or has_marks(values):
        needed = [found for value in (*values, *waits) for found in futures_in(value)]
        run.upstream = tuple(dict.fromkeys(future.run.id for future, _ in needed))
        error = _first_failure(run, needed)
        if error is not None:
            run.begin(StateType.PENDING, taken, why)
            run.end(NOT_READY, error)
            return False
    if run.due and not pause(run, max(0.0, run.due - run.session.now())):
        return False
    run.begin(_RUNNING, taken, why)
    return run.tell_running() if run.spec.tells_start else True


def _first_failure(run: Run, needed: Iterable[tuple[Any, bool]]) -> UpstreamFailed | None:
    """Wait for futures; say which of them did not complete although its failure is not allowed."""
    for future, tolerant in needed:
        one = future.run
        one.wait()
        one.observed = True
        if not tolerant and not one.state.is_completed():
            return UpstreamFailed(run.name, one.name, state=one.state.name, reason=one.state.message)
    return None


def _answer(run: Run, return_state: bool) -> Any:
    if return_state:
        run.observed = True
        return run.state
    return run.value()


async def _await_task(run: TaskRun, waits: tuple[Any, ...], return_state: bool) -> Any:
    await settled((*(run.bound or {}).values(), *waits))
    if _begin_here(run, waits):
        await on_this_loop(run.scope, drive_async(run))
    return _answer(run, return_state)


def _iterate_task(run: TaskRun, waits: tuple[Any, ...]) -> Iterator[Any]:
    if _begin_here(run, waits):
        yield from drive_items(run)
    else:
        yield from run.value()


async def _iterate_task_async(run: TaskRun, waits: tuple[Any, ...]) -> AsyncIterator[Any]:
    await settled((*(run.bound or {}).values(), *waits))
    if _begin_here(run, waits):
        async for item in drive_items_async(run):
            yield item
    else:
        for item in run.value():
            yield item


def _call_task_alone(
    spec: TaskSpec, args: tuple[Any, ...], kwargs: dict[str, Any], wait_for: Iterable[Any] | None, return_state: bool
) -> Any:
    # Outside of a flow a task is the only call of a flow run of its own, so that it is recorded,
    # retried and shown like any other.
    def again(*args: Any, **kwargs: Any) -> Any:
        return call_task(spec, args, kwargs, wait_for=wait_for)

    return call_flow(flow_around(spec, again), args, kwargs, return_state=return_state)


def flow_around(spec: TaskSpec, again: Callable[..., Any]) -> FlowSpec:
    """Return the flow whose only call is that of a task, which `again` makes."""

    def items(*args: Any, **kwargs: Any) -> Iterator[Any]:
        yield from again(*args, **kwargs)

    async def items_async(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        async for item in again(*args, **kwargs):
            yield item

    return FlowSpec(
        fn={Style.GENERATOR: items, Style.ASYNC_GENERATOR: items_async}.get(spec.style, again),
        name=spec.name,
        style=spec.style,
        parameters=spec.parameters,
        tags=spec.tags,
        log_prints=spec.log_prints,
        validate_parameters=False,
        face=spec.face,
    )


def submit_task(
    spec: TaskSpec,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    wait_for: Iterable[Any] | None = None,
    return_state: bool = False,
) -> Any:
    """Hand a task to the flow's executor; returns a future, or the final state when asked for."""
    scope = scope_for("submit", spec)
    check_depth(scope)
    bound = spec.parameters.bind(args, kwargs)
    waits = waits_of(wait_for)
    future: NadiFuture[Any] = NadiFuture(_submit(spec, scope, bound, executor_of(scope), waits, -1))
    if return_state:
        future.wait()
        return future.state
    return future


def _submit(
    spec: TaskSpec, scope: Scope, bound: dict[str, Any], executor: Executor, wait_for: tuple[Any, ...], map_index: int
) -> SubmittedTaskRun:
    scope.session.check()
    run = SubmittedTaskRun(spec, scope, bound, executor, map_index=map_index)
    # First a child of the flow, which waits for it, then on its way: an interruption may strike between the two.
    scope.home.children.append(run)
    try:
        run.go(wait_for)
    except BaseException as error:
        run.take_back(error)
        raise
    return run


def map_task(
    spec: TaskSpec,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    wait_for: Iterable[Any] | None = None,
    return_state: bool = False,
) -> Any:
    """Submit a task once for each item of its iterable arguments, paired item by item."""
    scope = scope_for("map", spec)
    executor = executor_of(scope)
    waits = waits_of(wait_for)
    futures: FutureList[Any] = FutureList()
    for index, child in enumerate(_children(spec, args, kwargs)):
        futures.append(NadiFuture(_submit(spec, scope, child, executor, waits, index)))
    return _states_of(futures) if return_state else futures


def _children(spec: Spec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the arguments of each child of a map, by name.

    Raises:
        MappingLengthMismatch: the iterables have different lengths; nothing was yielded.
        MappingMissingIterable: there is none.
    """
    bound = spec.parameters.bind(args, kwargs)
    mapped, whole = split_mapped(spec, bound)
    lengths = {name: len(items) for name, items in mapped.items()}
    if len(set(lengths.values())) != 1:
        raise MappingLengthMismatch(spec.name, lengths)
    for index in range(next(iter(lengths.values()))):
        child = {name: mapped[name][index] if name in mapped else whole.get(name) for name in bound}
        fill_variadics(spec, child, mapped, whole, index)
        yield child


def _states_of(futures: FutureList[Any]) -> list[State[Any]]:
    futures.wait()
    return [future.state for future in futures]


# -- flows --


def call_flow(
    spec: FlowSpec,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    wait_for: Iterable[Any] | None = None,
    return_state: bool = False,
) -> Any:
    """Run a flow: a root run where nothing runs yet, a subflow run inside of a flow or task."""
    scope = current.get()
    if scope is None:
        show_without_our_frames()  # arguments that do not fit are the caller's error
    bound = spec.parameters.bind(args, kwargs)
    waits = waits_of(wait_for)
    if scope is None:
        run = new_root(spec, bound)
        if spec.style is Style.SYNC:
            with in_root(run):
                drive_flow(run)
            return _answer(run, return_state)
        if spec.style is Style.ASYNC:
            return _await_root(run, return_state)
        return _iterate_root(run) if spec.style is Style.GENERATOR else _iterate_root_async(run)
    scope.session.check()
    if scope.is_deep:
        check_depth(scope)
    if spec.style is Style.SYNC:
        run = begin_subflow(spec, scope, bound, waits)
        if not run.done:
            if scope.is_deep:
                on_fresh_stack(drive_flow, run)
            else:
                drive_flow(run)
        return _answer(run, return_state)
    if spec.style is Style.ASYNC:
        return _await_subflow(spec, scope, bound, waits, return_state)
    iterate = _iterate_subflow if spec.style is Style.GENERATOR else _iterate_subflow_async
    return iterate(spec, scope, bound, waits)


def begin_subflow(spec: FlowSpec, scope: Scope, bound: dict[str, Any], waits: tuple[Any, ...] = ()) -> FlowRun:
    """Reuse what is recorded of a subflow run (then it is done), or begin it here, to be driven."""
    bound = _resolved_inputs(spec, bound, waits)
    run = FlowRun(spec, scope.session, scope, bound, executor=own_executor(spec, scope), name=run_name(spec))
    why = run.match_history()
    if not run.done:
        run.begin_again_because(why)
    return run


def _resolved_inputs(spec: FlowSpec, bound: dict[str, Any], waits: tuple[Any, ...]) -> dict[str, Any]:
    """Wait for the futures among a subflow's arguments, which its function receives as values."""
    outcome = outcome_for(spec.name)
    for value in waits:
        resolved(value, outcome)
    return {name: resolved(value, outcome) for name, value in bound.items()}


async def _await_root(run: FlowRun, return_state: bool) -> Any:
    async with in_root_async(run):
        await drive_flow_async(run)
    return _answer(run, return_state)


async def _await_subflow(
    spec: FlowSpec, scope: Scope, bound: dict[str, Any], waits: tuple[Any, ...], return_state: bool
) -> Any:
    await settled((*bound.values(), *waits))
    run = begin_subflow(spec, scope, bound, waits)
    if not run.done:
        await on_this_loop(scope, drive_flow_async(run))
    return _answer(run, return_state)


def _iterate_root(run: FlowRun) -> Iterator[Any]:
    with in_root(run):
        yield from drive_flow_items(run)


async def _iterate_root_async(run: FlowRun) -> AsyncIterator[Any]:
    async with in_root_async(run):
        async for item in drive_flow_items_async(run):
            yield item


def _iterate_subflow(spec: FlowSpec, scope: Scope, bound: dict[str, Any], waits: tuple[Any, ...]) -> Iterator[Any]:
    run = begin_subflow(spec, scope, bound, waits)
    yield from run.value() if run.done else drive_flow_items(run)


async def _iterate_subflow_async(
    spec: FlowSpec, scope: Scope, bound: dict[str, Any], waits: tuple[Any, ...]
) -> AsyncIterator[Any]:
    await settled((*bound.values(), *waits))
    run = begin_subflow(spec, scope, bound, waits)
    if run.done:
        for item in run.value():
            yield item
    else:
        async for item in drive_flow_items_async(run):
            yield item


def submit_flow(
    spec: FlowSpec,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    wait_for: Iterable[Any] | None = None,
    return_state: bool = False,
) -> Any:
    """Run a subflow beside the caller; returns a future, or the final state when asked for."""
    scope = scope_for("submit", spec)
    check_depth(scope)
    future = _submit_flow(spec, scope, spec.parameters.bind(args, kwargs), waits_of(wait_for))
    if return_state:
        future.wait()
        return future.state
    return future


def _submit_flow(spec: FlowSpec, scope: Scope, bound: dict[str, Any], waits: tuple[Any, ...]) -> NadiFuture[Any]:
    scope.session.check()
    run = SubmittedFlowRun(spec, scope.session, scope, bound, executor=own_executor(spec, scope), name=run_name(spec))
    run.waits_for = waits
    run.go(_flow_executor(scope))
    scope.home.children.append(run)
    return NadiFuture(run)


def map_flow(
    spec: FlowSpec,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    wait_for: Iterable[Any] | None = None,
    return_state: bool = False,
) -> Any:
    """Run a subflow beside the caller once for each item of its iterable arguments, paired item by item."""
    scope = scope_for("map", spec)
    check_depth(scope)
    waits = waits_of(wait_for)
    futures: FutureList[Any] = FutureList(
        _submit_flow(spec, scope, child, waits) for child in _children(spec, args, kwargs)
    )
    return _states_of(futures) if return_state else futures


def _flow_executor(scope: Scope) -> Executor:
    # Subflows run in threads of their own pool: what they wait for runs in the flow's executor.
    executors = scope.session.executors
    if "flows" not in executors:
        pool = ThreadExecutor()
        if executors.setdefault("flows", pool) is pool:
            pool.join()
    return executors["flows"]


# -- what both need --


def own_keywords(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Take the engine's own keywords out of those of a call."""
    return {name: kwargs.pop(name) for name in ("wait_for", "return_state") if name in kwargs} if kwargs else {}


def waits_of(wait_for: Any) -> tuple[Any, ...]:
    """Return what `wait_for=` names: futures, in any collection, or one alone."""
    if wait_for is None:
        return ()
    return (wait_for,) if is_future(wait_for) or isinstance(wait_for, Annotation) else tuple(wait_for)


def scope_for(what: str, spec: Spec) -> Scope:
    """Return the current scope.

    Raises:
        ContextError: there is none.
    """
    scope = current.get()
    if scope is None:
        kind = "flow" if isinstance(spec, FlowSpec) else "task"
        raise ContextError(
            f"{spec.name}.{what}() needs a flow around it, which waits for what was submitted."
            f" Call {what}() inside of a function marked @flow, or call the {kind} directly: {spec.name}(...)."
        )
    return scope


def own_executor(spec: FlowSpec, scope: Scope) -> Executor | None:
    """Return the executor that a subflow brings, or the one it inherits."""
    if spec.executor is None:
        return scope.executor
    return executor_for(spec.executor, scope.session.executors)


def executor_of(scope: Scope) -> Executor:
    """Return where tasks submitted in a scope run."""
    if scope.executor is None:
        scope.executor = executor_for(None, scope.session.executors)
        above = scope.parent
        while above is not None and above.executor is None:
            above.executor = scope.executor
            above = above.parent
    return scope.executor
