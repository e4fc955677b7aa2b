"""Hooks and conditions: calling user functions whose errors must not change what happened."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

from nadi.engine.loops import finish
from nadi.model.specs import Hook, Hooks
from nadi.model.states import State, StateType
from nadi.model.tracebacks import format_exception


def chosen(hooks: Hooks, state: State[Any]) -> tuple[Hook, ...]:
    """Return the hooks for a final state."""
    if state.type is StateType.COMPLETED:
        return hooks.completion
    if state.type is StateType.FAILED:
        return hooks.failure
    if state.type is StateType.PAUSED:
        return ()  # it has not ended
    return hooks.cancellation if state.type is StateType.CANCELLED else hooks.crashed


def call(hooks: Iterable[Hook], run: Any, state: State[Any]) -> None:
    """Call each hook with (flow or task, run, state), in order; errors are logged and change nothing."""
    for hook in hooks:
        try:
            finish(hook(run.spec.face, run, state))
        except Exception as error:
            run.log(
                logging.ERROR,
                "The hook %s of %s failed; the state %s stays.",
                _name(hook),
                run.name,
                state.name,
                detail=format_exception(error),
            )


def ask(condition: Callable[[Any, Any, Any], Any], run: Any, state: State[Any]) -> bool:
    """Ask a retry condition; an error in it means no retry."""
    try:
        return bool(finish(condition(run.spec.face, run, state)))
    except Exception as error:
        run.log(
            logging.ERROR,
            "The retry condition %s of %s failed; it is not retried.",
            _name(condition),
            run.name,
            detail=format_exception(error),
        )
        return False


def _name(fn: Callable[..., Any]) -> str:
    return getattr(fn, "__qualname__", None) or repr(fn)
