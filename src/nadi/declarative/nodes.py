"""Nodes: a task of a declared flow on its way through one flow run.

A node becomes a task run, or, where an edge to it is mapped, one for each item. Parameters, and tasks whose state is
given from outside, become none: what they came to is known.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import msgspec

from nadi.declarative.context import context
from nadi.declarative.edges import Edge
from nadi.declarative.gates import held_back, refused
from nadi.declarative.keeping import Keeping, keeping_of
from nadi.declarative.questions import AnyTask
from nadi.declarative.triggers import all_successful, parts_of
from nadi.engine.annotations import allow_failure
from nadi.engine.declared_work import Plan, PlannedTaskRun
from nadi.engine.futures import NadiFuture
from nadi.engine.names import LONGEST
from nadi.engine.runs import Run
from nadi.engine.scope import Scope, current
from nadi.executors.contract import Executor
from nadi.model.digests import blake2b
from nadi.model.secrets import mask
from nadi.model.specs import TaskSpec
from nadi.model.state_views import Mapped, Pending, State, Success
from nadi.model.state_views import view_of as view_of_state
from nadi.model.states import State as EngineState
from nadi.model.states import StateType
from nadi.model.tracebacks import summarise

_log = logging.getLogger("nadi.engine")

_COMPLETED = StateType.COMPLETED


class Verdict(Plan):
    """The plan of a run that does not run: what becomes of it was found out before."""

    def __init__(self, state: EngineState[Any]) -> None:
        self._state = state

    def verdict(self, run: PlannedTaskRun) -> EngineState[Any]:
        return self._state

    def known(self, run: PlannedTaskRun) -> None:
        return None

    def made(self, run: PlannedTaskRun, value: Any) -> None:
        return None

    def prepared(self, bound: dict[str, Any]) -> dict[str, Any]:
        return bound


class Node(Plan):
    """A task of the graph in one flow run; the plan of its task runs."""

    def __init__(
        self,
        task: AnyTask,
        slug: str,
        edges: list[Edge],
        constants: Mapping[str, Any],
        upstream: dict[AnyTask, Node],
        *,
        scope: Scope,
        executor: Executor,
        flow: Any,
        told: Mapping[str, Any],
        given: State | None = None,
    ) -> None:
        self.task = task
        self.slug = slug
        self.edges = edges
        self.constants = constants
        self.upstream = upstream
        self.scope = scope
        self.executor = executor
        self.told = {"task_slug": slug, **told}
        self.is_map = any(edge.mapped for edge in edges)
        #: The state that is known without a run.
        self.given = given
        self.keeping: Keeping | None = keeping_of(task, flow) if given is None else None
        self.spec: TaskSpec = _spec_of(task, scope) if given is None else task.spec
        #: Its task runs: one, or one for each item.
        self.runs: list[PlannedTaskRun] = []
        #: Whether a mapped task became one run all the same, because there was nothing to map over.
        self.is_one = not self.is_map
        self.is_placed = given is not None
        #: The state of its children once they are over.
        self._final: State | None = None

    # -- what came of it --------------------------------------------------------------------

    @property
    def has_children(self) -> bool:
        """Whether it became one run for each item."""
        return not self.is_one and self.given is None

    def state(self) -> State:
        """Return the state that it is in."""
        if self.given is not None:
            return self.given
        if not self.is_placed or (self.is_one and not self.runs):
            return Pending("It has not begun.")
        if self.is_one:
            return view_of(self.runs[0])
        if self._final is not None:
            return self._final
        # Before the views are made: a run that ends meanwhile may be seen as it was.
        is_over = all(run.done for run in self.runs)
        children = [view_of(run) for run in self.runs]
        state = Mapped(
            f"It ran for {len(children)} items." if children else "There was nothing to map over.",
            [child.result for child in children],
            children,
        )
        if is_over and self.spec.cache_result_in_memory:
            # Whatever follows a map of thousands asks again, each of another map once for each of its runs.
            self._final = state
        return state

    @cached_property
    def futures(self) -> list[NadiFuture[Any]]:
        """One for each of its runs; asked once all of them are made, and shared by what follows."""
        return [NadiFuture(run) for run in self.runs]

    @cached_property
    def origin(self) -> bytes:
        """What the values of its runs are known by as a whole; asked once all of them are made."""
        return blake2b(b"".join(run.origin for run in self.runs), digest_size=16).digest()

    @cached_property
    def is_plainly_good(self) -> bool:
        """Whether its runs stop nothing that comes after them; asked once all of them are over."""
        return all(_is_plainly_good(run) for run in self.runs)

    def given_part(self, edge: Edge, index: int) -> State:
        """Return, of the state that was given, what an edge brings to the run of an index: one child's of a map."""
        given = self.given
        assert given is not None
        if isinstance(given, Mapped) and edge.mapped and not edge.flattened and 0 <= index < len(given.map_states):
            return given.map_states[index]
        return given

    # -- its way ----------------------------------------------------------------------------

    def unfinished(self) -> list[Run]:
        """Return the runs that must be over before it is known for which items it runs; none if it is not mapped."""
        if not self.is_map:
            return []
        # Over the children of a map it runs one by one, each as soon as its own upstream child is over.
        by_child = {edge for edge in self.edges if edge.mapped and self._before(edge).has_children}
        whole = [edge for edge in self.edges if edge not in by_child or edge.flattened]
        missing: list[Run] = [run for edge in whole for run in self._before(edge).runs if not run.done]
        if missing or all(self._before(edge).state().is_successful() for edge in whole if edge.mapped):
            return missing
        # What it maps over failed, so that its trigger judges all children before it at once.
        return [run for edge in by_child for run in self._before(edge).runs if not run.done]

    def place(self) -> None:
        """Make its runs and send them on their way."""
        self.is_placed = True
        if not self.is_map:
            self._submit(-1, dict.fromkeys(self.edges))
            return
        refusal = self._refusal()
        if refusal is not None:
            self._submit_refused(refusal)
            return
        try:
            items = {edge: self._items(edge) for edge in self.edges if edge.mapped}
            count = min(_length(found) for found in items.values())
            items = {edge: _first(found, count) for edge, found in items.items()}
        except Exception as error:
            self._submit_refused(_cannot_map(error))
            return
        self.is_one = False
        for index in range(count):
            self._submit(index, {edge: items.get(edge) for edge in self.edges})

    def _refusal(self) -> EngineState[Any] | None:
        """Say what becomes of a mapped task as a whole, before any of its children; `None` when it is mapped."""
        states = {edge: self._before(edge).state() for edge in self.edges}
        held = held_back(self.task, states)
        failed = [edge for edge, state in states.items() if edge.mapped and not state.is_successful()]
        if held is not None or not failed:
            return held
        told = ", ".join(edge.upstream_task.name for edge in failed)
        return self._refused(states, self._told(-1)) or _cannot_map(ValueError(f"{told} did not succeed"))

    def _items(self, edge: Edge) -> Any:
        """Return what an edge is mapped over: the runs of a mapped task, or the items of a result."""
        before = self._before(edge)
        if before.has_children and not edge.flattened:
            return before.runs
        value = before.state().result
        return [item for part in value for item in part] if edge.flattened else value

    def _submit_refused(self, state: EngineState[Any]) -> None:
        self.is_one = True
        before = tuple(run for edge in self.edges for run in self._before(edge).runs)
        self._begin({}, {}, before, Verdict(state), -1)

    def _submit(self, index: int, items: Mapping[Edge, Any]) -> None:
        values: dict[str, Any] = dict(self.constants)
        known_by: dict[str, Any] = dict(self.constants)
        before: list[Run] = []
        for edge in self.edges:
            value, identity, runs = self._passed(edge, index, items[edge])
            if edge.key is not None:
                values[edge.key] = value
            # What comes before without giving anything counts too: data flows past the engine there.
            known_by[edge.key if edge.key is not None else f"after {self._before(edge).slug}"] = identity
            before += runs
        try:
            bound = self.spec.parameters.bind_named(values)
        except Exception as error:
            unfit: EngineState[Any] = EngineState(type=StateType.FAILED, message=str(error), data=error, has_data=True)
            self._begin({}, {}, tuple(before), Verdict(unfit), index)
            return
        self._begin(bound, known_by, tuple(dict.fromkeys(before)), self, index)

    def _passed(self, edge: Edge, index: int, items: Any) -> tuple[Any, Any, Iterable[Run]]:
        """Return what an edge gives to the run of an index: the value, what it is known by, and the runs before."""
        before = self._before(edge)
        runs = before.runs
        if not edge.mapped:
            if before.given is not None:
                return before.given.result, before.given.result, ()
            if before.is_one:
                only: NadiFuture[Any] = NadiFuture(runs[0])
                return allow_failure(only), only, runs
            # All children are over before a map is made of them: they are named once, not for each of its runs.
            return allow_failure(before.futures), before.origin, runs if index <= 0 else ()
        if before.has_children and not edge.flattened:
            future: NadiFuture[Any] = NadiFuture(runs[index])
            return allow_failure(future), future, (runs[index],)
        value = items[index]
        if before.given is not None:
            return value, value, ()
        return value, (before.origin, index), runs if before.is_one or index == 0 else ()

    def _begin(
        self, bound: dict[str, Any], known_by: dict[str, Any], before: tuple[Run, ...], plan: Plan, index: int
    ) -> None:
        run = PlannedTaskRun(
            self.spec,
            self.scope,
            bound,
            self.executor,
            before=before,
            inputs=known_by,
            plan=plan,
            context=self.told,
            name=self._name(bound, index),
            map_index=index,
        )
        self.runs.append(run)
        # First a child of the flow, which waits for it, then on its way: an interruption may strike between the two.
        self.scope.home.children.append(run)
        try:
            run.go()
        except BaseException as error:
            run.take_back(error)
            raise
        finally:
            run.observed = True

    def _told(self, index: int, **more: Any) -> dict[str, Any]:
        return {**self.told, **({"map_index": index} if index >= 0 else {}), **more}

    def _name(self, bound: Mapping[str, Any], index: int) -> str:
        """Return the display name of a run: by the task's own template, as far as its values are known by now."""
        plain = f"{self.slug}[{index}]" if index >= 0 else self.slug
        template = self.task.task_run_name
        if template is None:
            return plain
        here = current.set(self.scope)
        try:
            known = {**context.to_dict(), **self._told(index), "task_name": self.spec.name}
        finally:
            current.reset(here)
        names = {**self.scope.parameters, **known}
        for key, value in bound.items():
            inner = value.value if isinstance(value, allow_failure) else value
            if not isinstance(inner, NadiFuture):
                names[key] = value
            elif inner.run.done:
                names[key] = view_of(inner.run).result
        try:
            name = template(**names) if callable(template) else template.format(**names)
        except Exception as error:
            _log.debug("The run name of the task %s is not known yet: %s", self.slug, error)
            return plain
        return mask(str(name))[:LONGEST]

    def _before(self, edge: Edge) -> Node:
        return self.upstream[edge.upstream_task]

    # -- what its runs ask ------------------------------------------------------------------

    def verdict(self, run: PlannedTaskRun) -> EngineState[Any] | None:
        if self.task.trigger in (None, all_successful) and all(
            self._is_plainly_good_before(edge, run.map_index) for edge in self.edges
        ):
            return None
        states = {edge: self._state_before(edge, run.map_index) for edge in self.edges}
        steering = run.steering
        told = self._told(run.map_index, resume=steering is not None and steering.resumed)
        return held_back(self.task, states) or self._refused(states, told)

    def _is_plainly_good_before(self, edge: Edge, index: int) -> bool:
        before = self._before(edge)
        if before.given is not None:
            return all(one.is_successful() and not one.is_skipped() for one in parts_of(before.given_part(edge, index)))
        if edge.mapped and before.has_children and not edge.flattened:
            return _is_plainly_good(before.runs[index])
        return before.is_plainly_good

    def _state_before(self, edge: Edge, index: int) -> State:
        before = self._before(edge)
        if edge.mapped and before.has_children and not edge.flattened and index >= 0:
            return view_of(before.runs[index])
        return before.state() if before.given is None else before.given_part(edge, index)

    def _refused(self, states: Mapping[Edge, State], told: Mapping[str, Any]) -> EngineState[Any] | None:
        return refused(self.task, states, self.scope, told, self.scope.session.now())

    def known(self, run: PlannedTaskRun) -> EngineState[Any] | None:
        return self.keeping.found(run) if self.keeping is not None else None

    def made(self, run: PlannedTaskRun, value: Any) -> None:
        if self.keeping is not None:
            self.keeping.put_away(run, value)

    def prepared(self, bound: dict[str, Any]) -> dict[str, Any]:
        for edge in self.edges:
            if edge.flattened and not edge.mapped and edge.key is not None:
                bound[edge.key] = [item for part in bound[edge.key] for item in part]
        return bound


def _is_plainly_good(run: Run) -> bool:
    """Tell quickly whether a run stops nothing that comes after it."""
    state = run.state
    return state is not None and state.type is _COMPLETED and state.name != "Skipped"


def view_of(run: Run) -> State:
    """Return the state that a run is in."""
    state = run.state
    if state is None:
        return view_of_state(EngineState(type=run.state_type))
    if state.type is _COMPLETED and run.done and not run.spec.cache_result_in_memory:
        state = msgspec.structs.replace(state, data=run.value())
    return view_of_state(state)


def _length(items: Any) -> int:
    if not hasattr(items, "__getitem__"):
        raise TypeError(f"{type(items).__name__} has no items to take by their place")
    return len(items)


def _first(items: Any, count: int) -> Any:
    # Of anything else the items are taken here, where one that cannot be had fails this task and not the flow.
    return items if isinstance(items, list | tuple) else [items[place] for place in range(count)]


def _cannot_map(error: Exception) -> EngineState[Any]:
    message = f"There is nothing to map over: {summarise(error) if isinstance(error, LookupError) else error}."
    told = ValueError(message)
    told.__cause__ = error
    return EngineState(type=StateType.FAILED, message=message, data=told, has_data=True)


def _spec_of(task: AnyTask, scope: Scope) -> TaskSpec:
    """Return the spec of a node: that of its task, whose runs it names itself, by more than their arguments."""
    spec = task.spec
    again = _runs_again(task, scope)
    if spec.run_name is None and not again:
        return spec
    changed = msgspec.structs.replace(spec, run_name=None, rerun_on_retry=spec.rerun_on_retry or again)
    # Digests of code are made once for a task, not for each copy.
    changed.__dict__.update(code=spec.code, calling_code=spec.calling_code)
    return changed


def _runs_again(task: AnyTask, scope: Scope) -> bool:
    # What a resource is, its recorded value cannot tell: it may be gone by now.
    asked, history = getattr(task, "runs_again", None), scope.history
    return asked is not None and history is not None and bool(asked(history.below(scope.id), history.was))


def given_value(value: Any) -> State:
    """Return the state of a task whose value is known."""
    return Success("It was given.", value)


__all__ = ["Node", "given_value", "view_of"]
