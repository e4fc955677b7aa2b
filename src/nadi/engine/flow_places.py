"""Where a flow object can be found again: by which folder and entrypoint another process loads it."""

from __future__ import annotations

import os
from typing import Any

import msgspec

from nadi.engine.flow_lookup import name_of
from nadi.engine.provenance import describe_source
from nadi.exceptions import DefinitionError
from nadi.storage.home import working_folder


class FlowPlace(msgspec.Struct, frozen=True):
    """Where the code of a flow lies."""

    #: What `source` of a deployment takes: an absolute folder, or a table.
    source: Any
    #: From there on.
    entrypoint: str


def place_of(flow: Any) -> FlowPlace:
    """Return where a flow lies: where it was loaded from by `from_source`, else in a file or module of this machine.

    A file below the working folder is told from there, so that what it imports from there is found; any other from its
    own folder.

    Raises:
        DefinitionError: it was made in a notebook, by `python -c` or in a function, where nobody finds it again.
    """
    known = vars(flow).get("_place")
    if isinstance(known, FlowPlace):
        return known
    found = describe_source(flow, with_commit=False)
    if found.entrypoint is None:
        raise DefinitionError(f"The flow {name_of(flow)!r} cannot be deployed: {found.not_loadable}")
    folder = os.path.realpath(working_folder())
    target, _, name = found.entrypoint.rpartition(":")
    if not os.path.isabs(target):
        return FlowPlace(folder, found.entrypoint)
    real = os.path.realpath(target)
    if not real.startswith(folder.rstrip(os.sep) + os.sep):
        folder = os.path.dirname(real)
    return FlowPlace(folder, f"{os.path.relpath(real, folder)}:{name}")
