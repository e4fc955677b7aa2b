"""State handlers as Prefect 1 has them, for the engine: a list of functions `(object, old_state, new_state)`.

Each is given the state that the one before it made of it; what the last one gives is the state. `None` changes nothing.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from typing import Any

from nadi.model.runs import when
from nadi.model.state_views import Retrying, State, view_of
from nadi.model.states import State as EngineState

#: `handler(task or flow, old_state, new_state)`.
Handler = Callable[[Any, State, State], State | None]

#: What the engine asks; see `Spec.state_handler`.
EngineHandler = Callable[[Any, EngineState[Any], EngineState[Any]], EngineState[Any] | None]


def callback_factory(fn: Callable[[Any, State], Any], check: Callable[[State], bool]) -> Handler:
    """Return a state handler that calls `fn(object, state)` whenever `check(state)` is true, and changes nothing."""

    def handler(tracked: Any, old_state: State, new_state: State) -> State:
        if check(new_state):
            fn(tracked, new_state)
        return new_state

    return handler


def handler_of(
    tracked: Any,
    handlers: Sequence[Handler] | None,
    on_failure: Any,
    seen: Callable[[EngineState[Any], Any], State] | None = None,
) -> EngineHandler | None:
    """Return the one handler that the engine asks, for a list of handlers; `None` where there are none.

    Args:
        tracked: The task or flow that they are called with.
        handlers: The handlers.
        on_failure: A function `(object, state)` to call when it has failed, or anything else for none.
        seen: Makes the view of an engine's state of a run, where it is not the usual one.
    """
    chain = list(handlers or ())
    if callable(on_failure):
        chain.append(callback_factory(on_failure, State.is_failed))
    if not chain:
        return None

    def ask(run: Any, old: EngineState[Any], new: EngineState[Any]) -> EngineState[Any] | None:
        view = seen if seen is not None else _viewed
        before, state = view(old, run), view(new, run)
        _complete(state, run)
        for handler in chain:
            answer = handler(tracked, before, state)
            if answer is not None and not isinstance(answer, State):
                raise TypeError(f"{getattr(handler, '__name__', handler)!s} returned {answer!r}, which is no state")
            state = answer if answer is not None else state
        return state.known_to_engine()

    return ask


def _viewed(state: EngineState[Any], run: Any) -> State:
    return view_of(state)


def _complete(state: State, run: Any) -> None:
    if isinstance(state, Retrying):
        state.run_count = run.attempt
        due: datetime.datetime | None = when(getattr(run, "due", 0.0))
        state.start_time = due


__all__ = ["EngineHandler", "Handler", "callback_factory", "handler_of"]
