"""Running a declared flow: as a flow of the engine whose body walks the graph."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from typing import Any

import msgspec

from nadi._declaring import refuse_to_run
from nadi.declarative.gates import told_to_wait
from nadi.declarative.outcomes import ended, handled_at_the_end, seen_by_user
from nadi.declarative.questions import AnyTask
from nadi.declarative.triggers import parts_of
from nadi.declarative.walking import Walk
from nadi.engine.calls import begin_subflow
from nadi.engine.flow_drive import drive_flow
from nadi.engine.flow_runs import FlowRun, SuspendAsked
from nadi.engine.loading import stop_if_loading
from nadi.engine.roots import in_root, new_root
from nadi.engine.scope import current
from nadi.engine.state_handlers import handler_of
from nadi.exceptions import DefinitionError, ParameterBindError
from nadi.executors.naming import check_executor
from nadi.model.digests import blake2b
from nadi.model.fingerprints import content_digest
from nadi.model.specs import FlowSpec, Style
from nadi.model.state_views import Finished, Paused, Pending, State
from nadi.model.states import State as EngineState
from nadi.model.states import StateType


class Body:
    """What stands for the function of a declared flow: called with its parameters, it walks the graph."""

    def __init__(self, flow: Any) -> None:
        # Only weakly: a flow that nobody has any more must not be kept by what stands for it.
        self._flow = weakref.ref(flow)
        self.__module__ = flow.__module__
        self.__name__ = self.__qualname__ = flow.name

    def __call__(self, **parameters: Any) -> EngineState[Any]:
        flow, scope = self._flow(), current.get()
        assert flow is not None
        assert scope is not None
        given = _given.get()
        walk = Walk(flow, parameters, scope, given=given.states, told=given.contexts)
        if given.context is not None:
            scope.context = given.context
        if scope.run is not None:
            scope.run.walk = walk
        walk.go()
        states = walk.states()
        paused = [
            task.name for task, state in states.items() if any(isinstance(one, Paused) for one in parts_of(state))
        ]
        if paused:
            raise SuspendAsked(told_to_wait(paused))
        state = ended(flow, states)
        if flow.terminal_state_handler is not None:
            state = handled_at_the_end(flow, flow.terminal_state_handler, state, states)
        return state


class DeclaredSpec(FlowSpec, frozen=True, eq=False, kw_only=True, dict=True):
    """What a declared flow is: its code is the graph and the code of the tasks in it."""

    graph: Any = None

    @cached_property
    def code(self) -> bytes:
        told = [self.calling_code, *(task.spec.code for task in self.graph.sorted_tasks())]
        return blake2b(b"".join(told), digest_size=16).digest()

    @cached_property
    def calling_code(self) -> bytes:
        slugs, constants = self.graph.slugs, self.graph.constants
        told = []
        for task in self.graph.sorted_tasks():
            edges = [
                (slugs[edge.upstream_task], edge.key, edge.mapped, edge.flattened) for edge in self.graph.incoming(task)
            ]
            known = {name: content_digest(value) for name, value in sorted(constants.get(task, {}).items())}
            trigger = getattr(task.trigger, "__qualname__", "")
            told.append((slugs[task], task.spec.key, edges, known, trigger, task.skip_on_upstream_skip))
        return blake2b(repr(told).encode(), digest_size=16).digest()


#: The bodies of flows: the same one for each time that its spec is asked for, as it is what a flow is found again by.
_bodies: weakref.WeakKeyDictionary[Any, Body] = weakref.WeakKeyDictionary()


def spec_of(flow: Any) -> FlowSpec:
    """Return what the engine takes for a declared flow, as its graph is now.

    Raises:
        ValueError: the graph has a cycle, or its executor cannot be one.
    """
    flow.validate()
    check_executor(flow.executor, owner=f"The flow {flow.name!r}")
    body = _bodies.get(flow)
    if body is None:
        body = _bodies[flow] = Body(flow)
    return DeclaredSpec(
        fn=body,
        name=flow.name,
        style=Style.SYNC,
        parameters=flow.signature(),
        tags=flow.tags,
        hooks=flow.hooks,
        face=flow,
        state_handler=_handler_of(flow),
        executor=flow.executor,
        graph=flow,
    )


def _handler_of(flow: Any) -> Any:
    def seen(state: EngineState[Any], run: Any) -> State:
        return seen_by_user(state, run.walk.states() if run.walk is not None else {})

    return handler_of(flow, flow.state_handlers, flow.failure_callback, seen)


# -- flow.run() -----------------------------------------------------------------------------


class UnfitParameters(ParameterBindError, ValueError):
    """A declared flow was given parameters that it does not take, or not all that it needs."""


class _Given(msgspec.Struct, frozen=True):
    """What a caller of `flow.run()` gave beside parameters."""

    states: Mapping[AnyTask, State] = {}
    contexts: Mapping[AnyTask, Mapping[str, Any]] = {}
    context: Mapping[str, Any] | None = None


_NOTHING = _Given()

_given: ContextVar[_Given] = ContextVar("nadi_given", default=_NOTHING)

#: Keywords of `flow.run()` that are no parameters of the flow.
_OPTIONS = ("executor", "task_states", "context", "state", "task_contexts")

#: Those of them that are dicts.
_BY_KEY = ("task_states", "context", "task_contexts")


def run_flow(
    flow: Any,
    parameters: Mapping[str, Any] | None = None,
    run_on_schedule: bool | None = None,
    runner_cls: Any = None,
    **more: Any,
) -> State:
    """Run a declared flow here and return its state; what its tasks raise is in their states and does not escape.

    Args:
        flow: The flow.
        parameters: Its parameters by name.
        run_on_schedule: Whether to wait for each time of its schedule and run then; so unless it is `False`.
        runner_cls: Of Prefect 1, and refused: there is one engine.
        more: A name of a parameter gives that parameter. Others: `executor`, `context` (what tasks find in
            `nadi.context`), `task_contexts` (the same for one task each), `task_states` (states that are known: a
            finished one stands, and its task does not run), `state` (one that is finished is returned at once).

    Raises:
        ValueError: a parameter is missing or unknown.
        TypeError: there is no such keyword.
        RuntimeError: it is called inside of the `with` block of a flow.
    """
    stop_if_loading(flow)
    refuse_to_run(f"{flow.name}.run()")
    if runner_cls is not None:
        raise TypeError(f"{flow.name}.run() takes no runner_cls: one engine runs all flows. Leave it out.")
    for keyword, given in (("parameters", parameters), *((name, more.get(name)) for name in _BY_KEY)):
        if given is not None and not isinstance(given, Mapping):
            raise TypeError(f"{flow.name}.run() takes {keyword} as a dict, not {given!r}.")
    names = flow.signature().names
    values = {**(parameters or {}), **{name: value for name, value in more.items() if name in names}}
    options = {name: value for name, value in more.items() if name not in names}
    unknown = options.keys() - set(_OPTIONS)
    if unknown:
        raise TypeError(
            f"{flow.name}.run() does not know {', '.join(sorted(unknown))}: the flow has no parameter of that name"
            f" (it has {', '.join(names) or 'none'}), and the keywords are {', '.join(_OPTIONS)}."
        )
    check_executor(options.get("executor"), owner=f"{flow.name}.run()")
    known = options.pop("state", None)
    if isinstance(known, Finished):
        return known
    if flow.schedule is None or run_on_schedule is False:
        return _run_once(flow, values, **options)
    if not hasattr(flow.schedule, "as_they_come"):
        raise DefinitionError(
            f"The flow {flow.name!r}: schedule must be one of nadi.declarative.schedules, not {flow.schedule!r}."
        )
    return _run_on_schedule(flow, values, options)


def _run_on_schedule(flow: Any, values: Mapping[str, Any], options: Mapping[str, Any]) -> State:
    state: State = Pending("Its schedule has no time left.")
    for event in flow.schedule.as_they_come():
        told = {**(options.get("context") or {}), "scheduled_start_time": event.start_time}
        given = {**event.parameter_defaults, **values}
        state = _run_once(flow, given, **{**options, "context": told})
    return state


def _run_once(
    flow: Any,
    values: Mapping[str, Any],
    *,
    executor: Any = None,
    task_states: Mapping[AnyTask, State] | None = None,
    context: Mapping[str, Any] | None = None,
    task_contexts: Mapping[AnyTask, Mapping[str, Any]] | None = None,
) -> State:
    spec = spec_of(flow)
    bound = _bound(spec, values)
    token = _given.set(_Given(task_states or {}, task_contexts or {}, context))
    try:
        run = _driven(spec, bound, executor)
    finally:
        _given.reset(token)
    state = run.state
    assert state is not None
    run.observed = True
    states = run.walk.states() if run.walk is not None else {task: Pending() for task in flow.tasks}
    if _raising.get():
        _raise_first(state, states)
    return seen_by_user(state, states)


def _bound(spec: FlowSpec, values: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return spec.parameters.bind_named(values)
    except ParameterBindError as error:
        raise UnfitParameters(str(error)) from None


def _driven(spec: FlowSpec, bound: dict[str, Any], executor: Any) -> FlowRun:
    scope = current.get()
    if scope is not None:
        if executor is not None:
            spec = msgspec.structs.replace(spec, executor=executor)
        run = begin_subflow(spec, scope, bound)
        return _quietly(run, lambda: None if run.done else drive_flow(run))
    run = new_root(spec, bound, executor=executor)

    def drive() -> None:
        with in_root(run):
            drive_flow(run)

    return _quietly(run, drive)


def _quietly(run: FlowRun, drive: Any) -> FlowRun:
    try:
        drive()
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:
        # How the run ended stands in its state, and is told from there.
        if run.state is None:
            raise
    return run


# -- looking for a fault --------------------------------------------------------------------

_raising: ContextVar[bool] = ContextVar("nadi_raising", default=False)


@contextmanager
def raise_on_exception() -> Iterator[None]:
    """In the body, `flow.run()` raises what the first failed task raised, instead of returning the state alone."""
    token = _raising.set(True)
    try:
        yield
    finally:
        _raising.reset(token)


def _raise_first(state: EngineState[Any], states: Mapping[AnyTask, State]) -> None:
    for one in states.values():
        for part in parts_of(one):
            if part.is_failed() and isinstance(part.result, BaseException):
                raise part.result
    if state.type in (StateType.FAILED, StateType.CRASHED):
        raise state.error()
