"""What the code of a flow says of it before any run: its parameters, what it is for, and what it will call."""

from __future__ import annotations

import inspect
from typing import Any

import msgspec

from nadi.engine.flow_lookup import name_of
from nadi.engine.graphs import Graph
from nadi.exceptions import NadiError

#: In place of a schema that cannot be told.
NOT_TOLD = msgspec.Raw(b"null")


class FlowCode(msgspec.Struct, frozen=True, kw_only=True):
    """What the code of a flow says."""

    #: `path/to/file.py:flow` or `package.module:flow`; "" where nothing is known of it.
    entrypoint: str
    #: What its docstring says before it comes to the parameters; "" without one.
    description: str
    #: JSON Schema (2020-12) of an object with the parameters by name; `null` where they cannot be told.
    parameters: msgspec.Raw
    #: What it will call; `null` where that cannot be told.
    graph: Graph | None
    #: What else is not told, and why (the graph has a note of its own); "" where all is.
    note: str
    #: Why no run of it can be started from here, as a sentence; "" where one can.
    not_startable: str = ""


def code_of_flow(flow: Any, entrypoint: str, graph: Graph | None, *notes: str) -> FlowCode:
    """Return what a flow that is loaded says of itself.

    Args:
        flow: The flow, of either kind.
        entrypoint: What it was loaded by.
        graph: What it will call, where that could be drawn.
        notes: Sentences about what is missing; empty ones are left out.
    """
    parameters, why = schema_of(flow)
    function = getattr(flow, "fn", None)
    told = getattr(getattr(flow, "spec", None), "description", "")
    return FlowCode(
        entrypoint=entrypoint,
        description=description_of(getattr(function, "__doc__", None)) or told,
        parameters=parameters,
        graph=graph,
        note=" ".join(filter(None, (*notes, why))),
    )


def schema_of(flow: Any) -> tuple[msgspec.Raw, str]:
    """Return the JSON Schema of a flow's parameters, or `null` and a sentence that says why there is none."""
    spec = getattr(flow, "spec", None)
    if spec is None:
        return NOT_TOLD, f"The flow {name_of(flow)!r} does not tell its parameters."
    try:
        return msgspec.Raw(msgspec.json.encode(spec.parameters.schema())), ""
    # Annotations are the user's code and may raise anything when they are looked up.
    except Exception as error:
        told = str(error) if isinstance(error, NadiError) else f"{type(error).__name__}: {error}"
        return NOT_TOLD, f"The parameters of {name_of(flow)!r} cannot be described: {told}"


#: What begins the part of a docstring that is about something else than what the flow is for.
_SECTIONS = {
    *("args:", "arguments:", "parameters:", "params:", "returns:", "return:", "yields:", "raises:"),
    *("example:", "examples:", "note:", "notes:"),
}


def description_of(docstring: str | None) -> str:
    """Return what a docstring says before its first section (`Args:`, or one that is underlined)."""
    lines = inspect.cleandoc(docstring or "").splitlines()
    kept: list[str] = []
    for line in lines:
        text = line.strip()
        if text.lower() in _SECTIONS:
            break
        if len(text) >= 3 and set(text) == {"-"} and kept:
            kept.pop()
            break
        kept.append(line)
    # Half a character, as "\\ud800" writes it, has no form in JSON.
    return "\n".join(kept).strip().encode("utf-8", "replace").decode()
