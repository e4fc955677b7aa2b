"""Gates: what becomes of a task of a declared flow once all that comes before it is over.

Asked in this order: was something before it put aside? Then it waits too. Was something skipped? Then it is skipped,
unless it says otherwise. Does its trigger let it run?
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nadi.declarative.context import context
from nadi.declarative.edges import Edge
from nadi.declarative.states import State
from nadi.declarative.triggers import Trigger, all_successful, parts_of
from nadi.engine.decisions import Pause, after_signal
from nadi.engine.scope import Scope, current
from nadi.exceptions import FailedRun
from nadi.model.signals import Signal
from nadi.model.states import State as EngineState
from nadi.model.states import StateType
from nadi.model.tracebacks import summarise


def held_back(task: Any, upstream: Mapping[Edge, State]) -> EngineState[Any] | None:
    """Return the state that a task is to have because something before it was put aside or skipped, or `None`."""
    waiting = [edge for edge, state in upstream.items() if not _is_over(edge, state)]
    if waiting:
        return EngineState(type=StateType.PENDING, message=told_to_wait([edge.upstream_task.name for edge in waiting]))
    skipped = [edge for edge, state in upstream.items() if _is_skipped(edge, state)]
    if not skipped or not task.skip_on_upstream_skip:
        return None
    names = list(dict.fromkeys(edge.upstream_task.name for edge in skipped))
    message = f"{' and '.join(names)} {'was' if len(names) == 1 else 'were'} skipped."
    return EngineState(type=StateType.COMPLETED, name="Skipped", message=message, has_data=True)


def refused(
    task: Any, upstream: Mapping[Edge, State], scope: Scope, told: Mapping[str, Any], now: float
) -> EngineState[Any] | None:
    """Return the state that a task is to have because its trigger does not let it run, or `None`. Never raises.

    Args:
        task: The task.
        upstream: What came of what is before it, by edge.
        scope: The scope of its flow run.
        told: What its trigger finds in `nadi.context`.
        now: Unix seconds.
    """
    trigger: Trigger = task.trigger or all_successful
    here = current.set(scope)
    try:
        with context(told):
            runs = trigger(dict(upstream))
        return None if runs else _refused(f"Its trigger {_name(trigger)} said no.", None)
    except Signal as signal:
        step = after_signal(signal, now=now)
        if isinstance(step, Pause):
            return EngineState(type=StateType.PAUSED, message=step.message)
        if isinstance(step, EngineState):
            return step
        if isinstance(step, BaseException):
            state = getattr(signal, "state_name", "") or "Failed"
            return EngineState(type=StateType.FAILED, name=state, message=str(step), data=step, has_data=True)
        return _refused(f"Its trigger {_name(trigger)} raised {type(signal).__name__}, which no trigger can.", None)
    except Exception as error:
        return _refused(f"Its trigger {_name(trigger)} failed: {summarise(error)}", error)
    finally:
        current.reset(here)


def _is_over(edge: Edge, state: State) -> bool:
    return state.is_finished() and (edge.mapped or all(one.is_finished() for one in parts_of(state)))


def _is_skipped(edge: Edge, state: State) -> bool:
    # Each child of a map over a map judges by its own upstream child alone.
    return any(one.is_skipped() for one in ([state] if edge.mapped else parts_of(state)))


def _refused(message: str, cause: BaseException | None) -> EngineState[Any]:
    error = FailedRun(message)
    error.__cause__ = cause
    return EngineState(type=StateType.FAILED, name="TriggerFailed", message=message, data=error, has_data=True)


def told_to_wait(names: list[str]) -> str:
    """Return the sentence that says which tasks wait for somebody."""
    each = list(dict.fromkeys(names))
    return f"{' and '.join(each)} {'waits' if len(each) == 1 else 'wait'} for somebody to resume the run."


def _name(trigger: Trigger) -> str:
    return getattr(trigger, "__name__", repr(trigger))
