"""Display names of runs: from a template, from a function, or made up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nadi.exceptions import DefinitionError
from nadi.model.names import render_name
from nadi.model.parameters import Parameters
from nadi.model.records import CallKey
from nadi.model.secrets import mask
from nadi.model.specs import Spec

#: Names are cut here; anything may stand in them, they are for people only.
LONGEST = 200


def task_run_name(spec: Spec, bound: Mapping[str, Any], call: CallKey, map_index: int) -> str:
    """Return the name of a task run: the task's name with its place in the map or among the calls of its scope."""
    if spec.run_name is not None:
        return templated(spec, bound)
    return f"{spec.name}-{map_index if map_index >= 0 else call.position}"


def templated(spec: Spec, bound: Mapping[str, Any]) -> str:
    """Return the name that `run_name` gives: a template over the parameters, or a function of none or of them.

    Raises:
        ParameterError: the template names something that the parameters do not have.
        DefinitionError: the function does not give text.
    """
    template = spec.run_name
    if isinstance(template, str):
        return mask(render_name(template, bound))[:LONGEST]
    assert template is not None
    name = template(dict(bound)) if Parameters.of(template).names else template()
    if not isinstance(name, str):
        raise DefinitionError(f"The run name function of {spec.name} must return text, not {type(name).__name__}.")
    return mask(name)[:LONGEST]
