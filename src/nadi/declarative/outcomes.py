"""How a declared flow ends: by the states of its reference tasks, and with the results of its terminal tasks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from nadi.declarative.graph import Graph
from nadi.declarative.questions import AnyTask
from nadi.declarative.triggers import parts_of
from nadi.exceptions import FailedRun
from nadi.model.state_views import Failed, State, Success, view_of
from nadi.model.states import State as EngineState
from nadi.model.states import StateType


def deciding_tasks(graph: Graph) -> list[AnyTask]:
    """Return the tasks whose states decide that of the flow, in the order of adding."""
    chosen = graph.reference_tasks()
    return [task for task in graph.in_order_of_adding() if task in chosen]


def giving_tasks(graph: Graph) -> list[AnyTask]:
    """Return the tasks whose results the flow gives, in the order of adding.

    The terminal ones, and instead of one that only cleans up what comes right before it.
    """
    waiting, chosen, seen = list(graph.terminal_tasks()), set[AnyTask](), set[AnyTask]()
    while waiting:
        task = waiting.pop()
        if task in seen:
            continue
        seen.add(task)
        before = [edge.upstream_task for edge in graph.incoming(task) if edge.key is None]
        if getattr(task, "is_cleanup", False) and before:
            waiting += before
        else:
            chosen.add(task)
    return [task for task in graph.in_order_of_adding() if task in chosen]


def ended(graph: Graph, states: Mapping[AnyTask, State]) -> EngineState[Any]:
    """Return the state that a flow run ends in when all its tasks are over."""
    deciding = deciding_tasks(graph)
    result = dict(states)
    bad = [task for task in deciding if any(not one.is_successful() for one in parts_of(states[task]))]
    if bad:
        return seen_by_engine(graph, Failed(_sentence(bad), result), states)
    return seen_by_engine(graph, Success("All reference tasks succeeded.", result), states)


def handled_at_the_end(
    graph: Graph, handler: Any, state: EngineState[Any], states: Mapping[AnyTask, State]
) -> EngineState[Any]:
    """Return the state that a flow's `terminal_state_handler` makes of its final one."""
    view = seen_by_user(state, states)
    answer = handler(graph, view, {states[task] for task in deciding_tasks(graph)})
    if answer is None:
        return state
    if not isinstance(answer, State) or not answer.is_finished():
        raise FailedRun(
            f"The terminal_state_handler of {graph.name} must return a finished state or None, not {answer!r}."
        )
    known = answer.known_to_engine()
    return state if known is state else seen_by_engine(graph, answer, states)


def seen_by_engine(graph: Graph, state: State, states: Mapping[AnyTask, State]) -> EngineState[Any]:
    """Return the engine's state for that of a flow, whose result is the states of its tasks.

    What the run gives to whoever calls the flow is the result of its one terminal task, or those of several by name.
    """
    if state.is_successful():
        return EngineState(
            type=StateType.COMPLETED,
            name=state.engine_name,
            message=state.message or "",
            data=value_of(graph, states),
            has_data=True,
        )
    known = state.known_to_engine()
    error = FailedRun(state.message or f"The flow ended {type(state).__name__}.")
    error.__cause__ = next(_errors(states[task] for task in deciding_tasks(graph)), None)
    return EngineState(type=known.type, name=known.name, message=str(error), data=error, has_data=True)


def seen_by_user(state: EngineState[Any], states: Mapping[AnyTask, State]) -> State:
    """Return the view of a flow's state: its result is the states of its tasks."""
    view = view_of(state)
    view.result = dict(states)
    view.stands_for(state)
    return view


def value_of(graph: Graph, states: Mapping[AnyTask, State]) -> Any:
    """Return what a flow gives: the result of its one terminal task, or those of several by name.

    Where two bear one name, they are told apart by their slugs.
    """
    tasks = giving_tasks(graph)
    if len(tasks) == 1:
        return states[tasks[0]].result
    names = [task.name for task in tasks]
    slugs = graph.slugs
    return {task.name if names.count(task.name) == 1 else slugs[task]: states[task].result for task in tasks}


def _sentence(bad: list[AnyTask]) -> str:
    names = ", ".join(task.name for task in bad[:5]) + (f" and {len(bad) - 5} more" if len(bad) > 5 else "")
    return f"Some reference tasks failed: {names}."


def _errors(states: Iterable[State]) -> Iterator[BaseException]:
    for state in states:
        for one in parts_of(state):
            if one.is_failed():
                yield one.known_to_engine().error()


__all__ = [
    "deciding_tasks",
    "ended",
    "giving_tasks",
    "handled_at_the_end",
    "seen_by_engine",
    "seen_by_user",
    "value_of",
]
