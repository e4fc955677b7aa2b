"""Reading a definition: what kind of function it is, and whether its keywords can work."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from nadi.exceptions import DefinitionError
from nadi.model.specs import FlowSpec, Spec, Style

# Flags of code objects (the data model's "co_flags"); `inspect` would tell the same and costs 10 ms to import.
_GENERATOR, _COROUTINE, _ASYNC_GENERATOR = 0x20, 0x80, 0x200


def style_of(fn: Callable[..., Any]) -> Style:
    """Return how a function is written."""
    inner: Any = fn
    while isinstance(inner, functools.partial):
        inner = inner.func
    inner = getattr(inner, "__func__", inner)
    code = getattr(inner, "__code__", None) or getattr(getattr(type(inner), "__call__", None), "__code__", None)  # noqa: B004
    flags = code.co_flags if code is not None else 0
    if flags & _ASYNC_GENERATOR:
        return Style.ASYNC_GENERATOR
    if flags & _COROUTINE:
        return Style.ASYNC
    return Style.GENERATOR if flags & _GENERATOR else Style.SYNC


def unwrap_method(fn: Any, mark: str) -> Callable[..., Any]:
    """Return the function behind a static method or class method; anything else as it is.

    Raises:
        DefinitionError: it is a flow or a task already.
    """
    function: Callable[..., Any] = fn.__func__ if isinstance(fn, classmethod | staticmethod) else fn
    spec = getattr(function, "spec", None)
    if isinstance(spec, Spec):
        kind = "flow" if isinstance(spec, FlowSpec) else "task"
        raise DefinitionError(
            f"{mark} marks a function, and {spec.name} is a {kind} already. Keep one of the two marks."
        )
    return function


def sentence_of(fn: Callable[..., Any]) -> str:
    """Return the first line of a docstring."""
    text = (getattr(fn, "__doc__", None) or "").strip()
    return text.splitlines()[0] if text else ""


def timeout_of(seconds: Any, owner: str) -> float | None:
    """Return a time limit as given to a keyword.

    Raises:
        DefinitionError: it is no number greater than 0.
    """
    if seconds is None:
        return None
    if not isinstance(seconds, int | float) or not seconds > 0:
        raise DefinitionError(f"{owner}: timeout_seconds must be a number of seconds greater than 0, not {seconds!r}.")
    return float(seconds)


def hook_list(
    hooks: Sequence[Any] | None, owner: str, keyword: str, takes: str = "(object, run, state)"
) -> tuple[Callable[..., Any], ...]:
    """Return hooks as given to a keyword; `takes` is what messages say that they are called with.

    Raises:
        DefinitionError: it is no list of callables.
    """
    if hooks is None:
        return ()
    if callable(hooks) or not all(callable(hook) for hook in hooks):
        raise DefinitionError(f"{owner}: {keyword} must be a list of functions {takes}, not {hooks!r}.")
    return tuple(hooks)
