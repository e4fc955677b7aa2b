"""The child process of an inspection: `python -m nadi.services.inspected ENTRYPOINT`, begun in the flow's folder.

It loads the code of one flow, runs neither flow nor task, writes one JSON object to standard output and ends. What the
code prints while it is loaded goes to standard error.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import msgspec

from nadi.declarative.drawing import graph_of_flow
from nadi.declarative.graph import Graph as DeclaredGraph
from nadi.engine.flow_code import FlowCode, code_of_flow
from nadi.engine.graphs import Graph
from nadi.engine.loading import load_flow
from nadi.engine.previews import graph_of_code
from nadi.exceptions import NadiError


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a child process writes."""

    #: `None` where the flow could not be loaded.
    code: FlowCode | None = None
    #: Why not, as a sentence.
    error: str = ""


def inspected(entrypoint: str) -> FlowCode:
    """Return what the code of a flow says; loads it.

    Raises:
        LoadError: it cannot be loaded.
    """
    flow = load_flow(entrypoint)
    try:
        return code_of_flow(flow, entrypoint, _graph_of(flow))
    except (NadiError, ValueError) as error:  # a cycle, or source text that is not there
        return code_of_flow(flow, entrypoint, None, str(error))


def _graph_of(flow: Any) -> Graph:
    # By its real classes: `nadi.Flow` says of imperative flows too that they are its instances.
    return graph_of_flow(flow) if DeclaredGraph in type(flow).__mro__ else graph_of_code(flow)


def main(entrypoint: str) -> None:
    """Load a flow and write what its code says."""
    # Whatever prints, also what is written in C, must not come between: the answer has the only way out.
    answer_to = os.dup(1)
    os.dup2(2, 1)
    try:
        answer = Answer(code=inspected(entrypoint))
    except NadiError as error:
        answer = Answer(error=str(error))
    with open(answer_to, "wb") as out:
        out.write(msgspec.json.encode(answer))


if __name__ == "__main__":
    main(sys.argv[1])
