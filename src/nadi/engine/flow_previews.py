"""What the source text of a flow that has run says: of its file as it is now, or as a run recorded it."""

from __future__ import annotations

import os
from collections.abc import Callable

import msgspec

from nadi.engine.flow_code import NOT_TOLD, FlowCode
from nadi.engine.provenance import MOST_SOURCE_BYTES
from nadi.engine.resuming import source_of
from nadi.engine.scheduling import LOOK_BACK, newest_run_here
from nadi.engine.source_previews import ReadModule, preview_of_source
from nadi.exceptions import NotFound, NotResumable
from nadi.model.runs import FlowRun, RunFilter
from nadi.model.sources import RunSource
from nadi.model.text import one_line, shorten
from nadi.storage.contract import Store

_NO_SOURCE = "Its runs recorded no source text, as those of a notebook or of `python -c`."


def preview_flow(store: Store, flow: str, *, host: str, check: Callable[[FlowRun], object]) -> FlowCode:
    """Return what the source text of a flow says; nothing of it is loaded or run.

    The text is that of its file as it is now, where its newest run could be started on this host; else what the newest
    run recorded of it.

    Args:
        store: The store.
        flow: Name of the flow.
        host: Name of this machine.
        check: Raises NotResumable where no process could be launched for a run.

    Raises:
        NotFound: no flow of this name has run.
    """
    try:
        run = newest_run_here(store, flow, host=host)
        check(run)
    except NotResumable as error:
        return _recorded_preview(store, flow, str(error))
    source = source_of(run)
    assert source is not None
    text = _read(source.source_file or "")
    if text is None:
        return _recorded_preview(store, flow, "")
    return preview_of_source(text, source.entrypoint or "", read=modules_beside(source))


def _recorded_preview(store: Store, flow: str, not_startable: str) -> FlowCode:
    runs = store.overview.page(RunFilter(flow=flow), limit=LOOK_BACK).runs
    if not runs:
        raise NotFound(f"There is no flow {shorten(one_line(flow), 80)!r} with runs.")
    for run in runs:
        source = source_of(run)
        if source is None or source.source is None or source.source_cut:
            continue
        code = preview_of_source(source.source, source.entrypoint or f":{flow}")
        told = f"Read from what run {one_line(run.name, 80)} recorded of its code."
        note = " ".join(filter(None, (told, code.note)))
        return msgspec.structs.replace(code, note=note, not_startable=not_startable)
    return FlowCode(
        entrypoint="",
        description=runs[0].description,
        parameters=NOT_TOLD,
        graph=None,
        note=_NO_SOURCE,
        not_startable=not_startable,
    )


def modules_beside(source: RunSource) -> ReadModule:
    """Return what reads modules that lie beside the file of a flow, or in the folder that it was started in."""
    here = os.path.dirname(source.source_file or "")

    def read(name: str) -> str | None:
        inner = name.lstrip(".")
        dots = len(name) - len(inner)
        above = os.path.normpath(os.path.join(here, *[os.pardir] * (dots - 1))) if dots else here
        parts = inner.split(".") if inner else []
        for folder in [above] if dots else [here, source.working_folder]:
            base = os.path.join(folder, *parts)
            for path in (f"{base}.py", os.path.join(base, "__init__.py")):
                text = _read(path)
                if text is not None:
                    return text
        return None

    return read


def _read(path: str) -> str | None:
    """Return the text of a file that is no larger than what a run would record of it."""
    if not os.path.isfile(path):  # a pipe that nobody writes to could be read for ever
        return None
    try:
        with open(path, "rb") as file:
            data = file.read(MOST_SOURCE_BYTES + 1)
    except OSError:
        return None
    return data.decode("utf-8", "replace") if len(data) <= MOST_SOURCE_BYTES else None
