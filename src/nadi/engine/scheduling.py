"""Runs that are asked for and not begun yet: of flows that this store has seen before, for a process to take up.

What is asked for is recorded first, as a run in state SCHEDULED that nobody holds; whoever claims it begins it. So
nothing is lost between asking and beginning, and what goes wrong in between is told in the run's own state.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from nadi.engine.background_futures import is_background, told_background
from nadi.engine.flow_runs import display
from nadi.engine.launched import check_near
from nadi.engine.resuming import source_of
from nadi.exceptions import NotFound, NotResumable, RunAlreadyFinished, RunNotFound, RunTaken, ValueRefused
from nadi.model.names import LONGEST_NAME, told_for_shell
from nadi.model.records import FlowRunBegun
from nadi.model.results import ResultRef
from nadi.model.runs import FlowRun, RunFilter
from nadi.model.secrets import Secret, mask
from nadi.model.sources import RunSource
from nadi.model.states import StateType
from nadi.model.text import one_line, shorten
from nadi.storage.claiming import is_free, told_holder
from nadi.storage.contract import Batch, Store
from nadi.storage.results import Keeper, ResultStorage

#: How many of a flow's newest runs are looked at for one whose code is at hand.
LOOK_BACK = 20
#: What the file of a Python interpreter is called.
_PYTHON = re.compile(r"(python|pypy)[0-9.]*t?(\.exe)?", re.IGNORECASE)


def newest_run_here(store: Store, flow: str, *, host: str) -> FlowRun:
    """Return the newest run of a flow whose code can be run on this host.

    Raises:
        NotFound: no flow of this name has run.
        NotResumable: its code is not here.
    """
    runs = store.overview.page(RunFilter(flow=flow), limit=LOOK_BACK).runs if flow else []
    if not runs:
        raise NotFound(
            f"No flow {shorten(one_line(flow), 80)!r} has run in {store.url}. Only flows that have run before can be"
            " started from here: run it once with `nadi run`."
        )
    why: NotResumable | None = None
    for run in runs:
        try:
            source_here(store, run, host=host)
        except NotResumable as error:
            why = why or error
        else:
            return run
    assert why is not None
    raise why


def source_here(store: Store, run: FlowRun, *, host: str) -> RunSource:
    """Return where the code of a run lies, if it can be run on this host as it was recorded, by nobody from afar.

    Raises:
        NotResumable: it cannot; the sentence says why, and where to type what.
    """
    name = told_for_shell(run.name, run.id)
    source = source_of(run)
    if is_background(run):
        raise NotResumable(f"Run {name} cannot be continued from here. {told_background(run)}")
    if source is None or source.entrypoint is None:
        why = source.not_loadable if source is not None else "The run recorded no source."
        raise NotResumable(
            f"Run {name} cannot be continued from here: {why} Where the flow is defined, call nadi.resume(...)."
        )
    missing = _missing(source, host)
    if missing:
        raise NotResumable(
            f"Run {name} cannot be continued from here: {missing} On {one_line(source.host, 80) or 'its machine'}, in"
            f" {one_line(source.working_folder, 200) or 'its folder'}, type: nadi resume {name}"
        )
    check_near(store, run)
    return source


def check_free(run: FlowRun) -> None:
    """Raise unless a root run could be taken up now.

    Raises:
        RunAlreadyFinished: it is COMPLETED.
        RunTaken: a process has it.
    """
    if run.state_type is StateType.COMPLETED:
        raise RunAlreadyFinished(run.name, state=run.state_name, proposed="RUNNING again")
    if is_held(run):
        raise RunTaken(run.id, holder=told_holder(run))


def is_held(run: FlowRun) -> bool:
    """Tell whether a process has a root run, or has not been found dead yet."""
    return not is_free(run)


def _missing(source: RunSource, host: str) -> str:
    """Say what is not here of what a run needs; "" when all is."""
    if source.host != host:
        return f"its code is on {one_line(source.host, 80) or 'another machine'}, and this is {host}."
    if not os.path.isabs(source.working_folder) or not os.path.isdir(source.working_folder):
        return f"its working folder {one_line(source.working_folder, 200)} is not there any more."
    interpreter = source.interpreter
    is_python = os.path.isabs(interpreter) and _PYTHON.fullmatch(os.path.basename(interpreter)) is not None
    if not is_python or not os.access(interpreter, os.X_OK) or not os.path.isfile(interpreter):
        return f"its interpreter {one_line(interpreter, 200)} is not there any more."
    return ""


def _secrets_of(run: FlowRun) -> set[str]:
    """Return the names of the parameters that were secrets when a run began."""
    try:
        shown = msgspec.json.decode(run.parameters or b"{}", type=dict[str, Any])
    except msgspec.DecodeError:
        return set()
    return {name for name, value in shown.items() if value == repr(Secret(""))}


def schedule_run(
    store: Store,
    results: ResultStorage,
    like: FlowRun,
    parameters: Mapping[str, Any] | None,
    *,
    id: str,
    name: str,
    tags: Sequence[str],
    now: float,
) -> FlowRun:
    """Record a run of the same flow as another, SCHEDULED, for a process to take up.

    Args:
        store: Where.
        results: Where its parameters are kept when they are large.
        like: A run of the flow.
        parameters: By name, as JSON has them; the flow converts and checks them as it begins. `None` for what `like`
            was given, as that was kept.
        id: Id of the new run.
        name: Its display name.
        tags: Tags beside those of the flow.
        now: Unix seconds.

    Raises:
        ValueRefused: the parameters cannot be kept, or one of them is a secret, which no store gets.
    """
    shown, kept = _given_again(like) if parameters is None else _kept(store, results, like, parameters, id)
    begun = FlowRunBegun(
        id,
        1,
        now,
        id,
        like.flow,
        shorten(mask(name), LONGEST_NAME),
        1,
        StateType.SCHEDULED,
        "Scheduled",
        version=like.version,
        tags=tuple(sorted(set(tags))),
        parameters=shown,
        arguments=kept,
        source=like.source,
        description=like.description,
    )
    store.apply(Batch(id, 1, [begun]))
    store.forget_writer(id)
    made = store.flow_run(id)
    if made is None:
        raise RunNotFound(id, where=store.url)
    return made


def _kept(
    store: Store, results: ResultStorage, like: FlowRun, parameters: Mapping[str, Any], id: str
) -> tuple[bytes, ResultRef]:
    """Keep parameters for a run, and return them for people too."""
    for secret in sorted(_secrets_of(like) & parameters.keys()):
        raise ValueRefused(
            f"Parameter {secret!r} of flow {like.flow!r} is a secret, and no store keeps one until the run begins."
            " Leave it out, and let the flow read it where it runs, from its environment for instance."
        )
    kept = Keeper(results, store.signing_key, store.id, id, 1).keep(
        dict(parameters), task_run_id="arguments", format="json"
    )
    if kept.kind == "not_kept":
        raise ValueRefused(f"The parameters cannot be kept for the run: {kept.note}")
    return display(parameters), kept


def _given_again(like: FlowRun) -> tuple[bytes, ResultRef]:
    """Return what a run was given. It is read by whoever begins the new run, and kept there anew."""
    ref = like.arguments
    if ref is None or ref.kind == "not_kept":
        why = ref.note if ref is not None and ref.note else "they were not recorded."
        raise ValueRefused(f"The parameters of run {told_for_shell(like.name, like.id)} cannot be given again: {why}")
    return like.parameters, ref
