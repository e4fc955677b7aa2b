"""Binding: which argument of a task each value of a call is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nadi.exceptions import DefinitionError, ParameterBindError
from nadi.tasks import Task

#: Keywords that a call inside of a `with Flow(...)` takes for itself.
RESERVED = ("mapped", "task_args", "upstream_tasks", "flow")


def named_arguments(task: Task[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call by name: those that were given, without defaults.

    What `**kwargs` takes stands under its own names, and what `*args` takes is one tuple. `Parameters.bind_named`
    makes a call of them again.

    Raises:
        ParameterBindError: one is missing, unknown or given twice, or can be given by position only.
        DefinitionError: the function has a parameter that a declared flow keeps for itself.
    """
    parameters = task.spec.parameters
    check_parameters(task)
    parameters.bind(args, dict(kwargs))
    names = parameters.names
    places = names.index(parameters.variadic) if parameters.variadic is not None else len(args)
    given = dict(zip(names[:places], args, strict=False))
    if len(args) > places and parameters.variadic is not None:
        given[parameters.variadic] = tuple(args[places:])
    return {**given, **kwargs}


def check_parameters(task: Task[..., Any]) -> None:
    """Refuse a function that cannot be a task of a declared flow.

    Raises:
        ParameterBindError: it has parameters that can be given by position only.
        DefinitionError: it has a parameter that a declared flow keeps for itself.
    """
    parameters = task.spec.parameters
    kept = [name for name in parameters.names if name in RESERVED]
    if kept:
        raise DefinitionError(
            f"The task {task.name} has a parameter named {kept[0]!r}, which calls inside of a `with Flow(...)` keep for"
            f" themselves ({', '.join(RESERVED)}). Rename the parameter."
        )
    if parameters.positional_only:
        raise ParameterBindError(
            f"The task {task.name} takes {', '.join(map(repr, parameters.positional_only))} by position only, and the"
            " edges of a declared flow pass arguments by name. Take the `/` out of its signature."
        )
