"""Calls: what happens when user code calls, submits or maps a task or flow."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import Any

from nadi.engine.aio import drive_async, drive_items_async
from nadi.engine.annotations import Annotation, unmapped
from nadi.engine.decisions import NOT_READY
from nadi.engine.drive import drive, drive_items, pause
from nadi.engine.flow_runs import FlowRun, drive_flow, drive_flow_async, drive_flow_items, drive_flow_items_async
from nadi.engine.flow_work import SubmittedFlowRun
from nadi.engine.futures import FutureList, NadiFuture
from nadi.engine.inputs import futures_in, has_marks, is_future, resolved
from nadi.engine.roots import in_root, in_root_async, new_root, run_name
from nadi.engine.runs import Run
from nadi.engine.scope import Scope, current
from nadi.engine.task_runs import TaskRun
from nadi.engine.work import SubmittedTaskRun
from nadi.exceptions import ContextError, MappingLengthMismatch, MappingMissingIterable, UpstreamFailed
from nadi.executors.contract import Executor
from nadi.executors.naming import executor_for
from nadi.executors.threads import ThreadExecutor
from nadi.model.specs import FlowSpec, Spec, Style, TaskSpec
from nadi.model.states import StateType

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
    bound = spec.parameters.bind(args, kwargs)
    if spec.style is Style.SYNC:
        run = TaskRun(spec, scope, bound)
        if _begin_here(run, wait_for):
            drive(run)
        return _answer(run, return_state)
    run = TaskRun(spec, scope, bound)
    if spec.style is Style.ASYNC:
        return _await_task(run, wait_for, return_state)
    if spec.style is Style.GENERATOR:
        return _iterate_task(run, wait_for)
    return _iterate_task_async(run, wait_for)


def _begin_here(run: TaskRun, wait_for: Iterable[Any] | None) -> bool:
    """Reuse what is recorded or begin the run here; `False` when it is done already."""
    taken, why = run.match_history()
    if run.done:
        return False
    if wait_for is not None or has_marks(run.bound.values() if run.bound else ()):
        _note_upstream(run, wait_for or ())
        error = _failed_among(run, wait_for or ())
        if error is not None:
            run.begin(StateType.PENDING, taken, why)
            run.end(NOT_READY, error)
            return False
    if run.due:
        pause(run, max(0.0, run.due - run.session.now()))
    run.begin(_RUNNING, taken, why)
    if run.spec.hooks.running:
        run.tell_running()
    return True


def _note_upstream(run: TaskRun, wait_for: Iterable[Any]) -> None:
    upstream = [future.run for value in (*(run.bound or {}).values(), *wait_for) for future, _ in futures_in(value)]
    run.upstream = tuple(dict.fromkeys(one.id for one in upstream))


def _failed_among(run: Run, wait_for: Iterable[Any]) -> UpstreamFailed | None:
    for value in wait_for:
        for future, tolerant in futures_in(value):
            one = future.run
            one.wait()
            one.observed = True
            if not one.state.is_completed() and not tolerant:
                return UpstreamFailed(run.name, one.name, state=one.state.name, reason=one.state.message)
    return None


def _answer(run: Run, return_state: bool) -> Any:
    if return_state:
        run.observed = True
        return run.state
    return run.value()


async def _await_task(run: TaskRun, wait_for: Iterable[Any] | None, return_state: bool) -> Any:
    if _begin_here(run, wait_for):
        await drive_async(run)
    return _answer(run, return_state)


def _iterate_task(run: TaskRun, wait_for: Iterable[Any] | None) -> Iterator[Any]:
    if _begin_here(run, wait_for):
        yield from drive_items(run)
    else:
        yield from run.value()


async def _iterate_task_async(run: TaskRun, wait_for: Iterable[Any] | None) -> AsyncIterator[Any]:
    if _begin_here(run, wait_for):
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
        return call_task(spec, args, kwargs, wait_for=wait_for, return_state=return_state)

    around = FlowSpec(
        fn=again,
        name=spec.name,
        style=Style.ASYNC if spec.style is Style.ASYNC else Style.SYNC,
        parameters=spec.parameters,
        tags=spec.tags,
        log_prints=spec.log_prints,
        validate_parameters=False,
    )
    if spec.style in (Style.GENERATOR, Style.ASYNC_GENERATOR):
        around = FlowSpec(fn=spec.fn, name=spec.name, style=spec.style, parameters=spec.parameters, tags=spec.tags)
    return call_flow(around, args, kwargs)


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
    bound = spec.parameters.bind(args, kwargs)
    future: NadiFuture[Any] = NadiFuture(_submit(spec, scope, bound, executor_of(scope), tuple(wait_for or ()), -1))
    if return_state:
        future.wait()
        return future.state
    return future


def _submit(
    spec: TaskSpec, scope: Scope, bound: dict[str, Any], executor: Executor, wait_for: tuple[Any, ...], map_index: int
) -> SubmittedTaskRun:
    scope.session.check()
    run = SubmittedTaskRun(spec, scope, bound, executor, map_index=map_index, wait_for=wait_for)
    scope.home.children.append(run)
    run.go()
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
    bound = spec.parameters.bind(args, kwargs)
    mapped, whole = split_mapped(spec, bound)
    lengths = {name: len(items) for name, items in mapped.items()}
    if len(set(lengths.values())) != 1:
        raise MappingLengthMismatch(spec.name, lengths)
    executor = executor_of(scope)
    waits = tuple(wait_for or ())
    names = list(bound)
    count = next(iter(lengths.values()))
    variadic = spec.parameters.variadic_keyword
    futures: FutureList[Any] = FutureList()
    for index in range(count):
        child = {name: mapped[name][index] if name in mapped else whole.get(name) for name in names}
        if variadic is not None and variadic in bound:
            child[variadic] = {
                key: mapped[f"**{key}"][index] if f"**{key}" in mapped else value
                for key, value in whole[variadic].items()
            }
        futures.append(NadiFuture(_submit(spec, scope, child, executor, waits, index)))
    if return_state:
        futures.wait()
        return [future.state for future in futures]
    return futures


def split_mapped(spec: Spec, bound: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Part the arguments of a map into those to iterate, as sequences, and those to pass whole.

    Raises:
        MappingMissingIterable: none can be iterated.
    """
    mapped: dict[str, Any] = {}
    whole: dict[str, Any] = {}
    defaults = spec.parameters.defaults
    variadic = spec.parameters.variadic_keyword
    for name, value in bound.items():
        if name == variadic:
            whole[name] = {}
            for key, item in value.items():
                items = _items_to_map(item)
                whole[name][key] = _whole(item)
                if items is not None:
                    mapped[f"**{key}"] = items
            continue
        # A default that nobody passed is one value for all, even when it is a list.
        passed_default = name in defaults and value is defaults[name]
        items = None if passed_default else _items_to_map(value)
        if items is None:
            whole[name] = _whole(value)
        else:
            mapped[name] = items
    if not mapped:
        raise MappingMissingIterable(spec.name, {name: type(value).__name__ for name, value in bound.items()})
    return mapped, whole


def _whole(value: Any) -> Any:
    return value.value if isinstance(value, unmapped) else value


def _items_to_map(value: Any) -> Any:
    if isinstance(value, unmapped) or isinstance(value, str | bytes | bytearray | Mapping):
        return None
    if is_future(value):
        value = value.result()  # how many there are is only known once it is there
        return _items_to_map(value) if not is_future(value) else None
    if isinstance(value, Annotation):
        items = _items_to_map(value.value)
        return None if items is None else [type(value)(item) for item in items]
    if isinstance(value, list | tuple | range):
        return value
    if hasattr(value, "__iter__"):
        return list(value)
    return None


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
    bound = spec.parameters.bind(args, kwargs)
    scope = current.get()
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
    bound = _resolved_inputs(spec, bound, wait_for)
    run = FlowRun(spec, scope.session, scope, bound, executor=own_executor(spec, scope), name=run_name(spec))
    why = run.match_history()
    if not run.done:
        run.begin_again_because(why)
    if spec.style is Style.SYNC:
        if not run.done:
            drive_flow(run)
        return _answer(run, return_state)
    if spec.style is Style.ASYNC:
        return _await_subflow(run, return_state)
    return _iterate_subflow(run) if spec.style is Style.GENERATOR else _iterate_subflow_async(run)


def _resolved_inputs(spec: FlowSpec, bound: dict[str, Any], wait_for: Iterable[Any] | None) -> dict[str, Any]:
    """Wait for the futures among a subflow's arguments, which its function receives as values."""

    def outcome(future: Any, tolerant: bool) -> Any:
        run = future.run
        run.wait()
        run.observed = True
        if run.state.is_completed():
            return run.value()
        if tolerant:
            return run.state.error()
        raise UpstreamFailed(spec.name, run.name, state=run.state.name, reason=run.state.message)

    for value in wait_for or ():
        resolved(value, outcome)
    return {name: resolved(value, outcome) for name, value in bound.items()}


async def _await_root(run: FlowRun, return_state: bool) -> Any:
    async with in_root_async(run):
        await drive_flow_async(run)
    return _answer(run, return_state)


async def _await_subflow(run: FlowRun, return_state: bool) -> Any:
    if not run.done:
        await drive_flow_async(run)
    return _answer(run, return_state)


def _iterate_root(run: FlowRun) -> Iterator[Any]:
    with in_root(run):
        yield from drive_flow_items(run)


async def _iterate_root_async(run: FlowRun) -> AsyncIterator[Any]:
    async with in_root_async(run):
        async for item in drive_flow_items_async(run):
            yield item


def _iterate_subflow(run: FlowRun) -> Iterator[Any]:
    yield from run.value() if run.done else drive_flow_items(run)


async def _iterate_subflow_async(run: FlowRun) -> AsyncIterator[Any]:
    if run.done:
        for item in run.value():
            yield item
    else:
        async for item in drive_flow_items_async(run):
            yield item


def submit_flow(
    spec: FlowSpec, args: tuple[Any, ...], kwargs: dict[str, Any], *, wait_for: Iterable[Any] | None = None
) -> NadiFuture[Any]:
    """Run a subflow beside the caller; returns a future."""
    scope = scope_for("submit", spec)
    scope.session.check()
    bound = spec.parameters.bind(args, kwargs)
    run = SubmittedFlowRun(
        spec, scope.session, scope, bound, executor=own_executor(spec, scope), name=run_name(spec)
    )
    run.waits_for = tuple(wait_for or ())
    scope.home.children.append(run)
    run.go(_flow_executor(scope))
    return NadiFuture(run)


def _flow_executor(scope: Scope) -> Executor:
    # Subflows run in threads of their own pool: what they wait for runs in the flow's executor.
    executors = scope.session.executors
    if "flows" not in executors:
        executors["flows"] = ThreadExecutor()
    return executors["flows"]


# -- what both need --


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
