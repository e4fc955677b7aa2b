"""Resuming: a run that was killed, interrupted or failed goes on from what it had finished."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from nadi.engine.answering import is_blocked, settle
from nadi.engine.background_futures import is_background, told_background
from nadi.engine.flow_aio import drive_flow_async
from nadi.engine.flow_drive import drive_flow
from nadi.engine.flow_lookup import is_flow
from nadi.engine.flow_runs import FlowRun
from nadi.engine.launched import check_loadable
from nadi.engine.loading import load_flow
from nadi.engine.lookup import find_root
from nadi.engine.recording import recorder
from nadi.engine.roots import in_root, in_root_async, recorded_arguments, resumed_root
from nadi.engine.runs import Run
from nadi.engine.scope import current
from nadi.exceptions import ContextError, LoadError, NotResumable, RunAlreadyFinished, RunTaken
from nadi.model.runs import FlowRun as FlowRunRecord
from nadi.model.sources import RunSource
from nadi.model.specs import FlowSpec, Style
from nadi.model.states import StateType
from nadi.storage.claiming import told_holder
from nadi.storage.recorder import JournalRecorder


def resume(
    run: str,
    *,
    flow: Any = None,
    parameters: Mapping[str, Any] | None = None,
    run_input: Any = None,
    again_from: str = "",
    return_state: bool = False,
) -> Any:
    """Continue a run that ended without completing or is suspended; what is finished and unchanged is not repeated.

    Args:
        run: Id of the run, a unique prefix of it, or its name; of a subflow run, the root run is resumed.
        flow: The flow, for runs whose flow cannot be loaded again (notebooks, `python -c`).
        parameters: Parameters in place of the recorded ones, by name; unnamed ones stay.
        run_input: The answer to what the run asks, when it was suspended or killed in a pause.
        again_from: A task whose calls run again, and with them what depends on them, although they are finished: its
            name, or the name or id of one task run.
        return_state: Return the final State instead of the value.

    Returns:
        What the flow returns; for an async flow a coroutine that does.

    Raises:
        RunNotFound, AmbiguousRun: no run, or several, match.
        NotResumable: its flow cannot be loaded here, its parameters were not kept, or it needs an input.
        InputRefused: the input is not what it asks for.
        CallError: it has no such task to run again from.
        RunTaken: a living process has it, or another resumer was faster.
        RunAlreadyFinished: it is COMPLETED.
        BaseException: whatever the run fails with.
    """
    if current.get() is not None:
        raise ContextError("nadi.resume() continues a root run; call it outside of flows and tasks.")
    spec, record = find_resumable(run, flow=flow)
    if is_blocked(record):
        raise RunTaken(record.id, holder=told_holder(record))
    into = recorder()
    settle(into.store(), record, run_input, by=str(into.holder))
    resumed = take_up(spec, record, parameters=parameters, again_from=again_from)
    if spec.style in (Style.ASYNC, Style.ASYNC_GENERATOR):
        return _drive_async(resumed, return_state)
    with in_root(resumed):
        drive_flow(resumed)
    return _answer(resumed, return_state)


def find_resumable(run: str, *, flow: Any = None) -> tuple[FlowSpec, FlowRunRecord]:
    """Return the flow and the record of a run to continue; nothing is claimed yet. See `resume` for what it raises."""
    into = recorder()
    if isinstance(into, JournalRecorder):
        into.look_for_leftovers()
    record = find_root(into.store(), run)
    check_loadable(into.store(), record)
    return (_spec_of(flow) if flow is not None else _load_spec(record)), record


def take_up(
    spec: FlowSpec, record: FlowRunRecord, *, parameters: Mapping[str, Any] | None = None, again_from: str = ""
) -> FlowRun:
    """Claim a run and make its next attempt, not begun yet. See `resume` for what it raises."""
    changed = _with_changes(spec, record, parameters) if parameters else None
    return resumed_root(spec, record, parameters=changed, again_from=again_from)


async def _drive_async(run: Any, return_state: bool) -> Any:
    async with in_root_async(run):
        await drive_flow_async(run)
    return _answer(run, return_state)


def _answer(run: Run, return_state: bool) -> Any:
    return run.state if return_state else run.value()


def _spec_of(flow: Any) -> FlowSpec:
    spec = getattr(flow, "spec", None)
    if not is_flow(flow) or not isinstance(spec, FlowSpec):
        raise NotResumable(f"flow= takes a function marked @flow, not {flow!r}.")
    return spec


def source_of(record: FlowRunRecord) -> RunSource | None:
    """Return what a run recorded about its code; `None` when it recorded nothing."""
    try:
        return msgspec.json.decode(record.source, type=RunSource) if record.source else None
    except msgspec.DecodeError:
        return None


def _load_spec(record: FlowRunRecord) -> FlowSpec:
    if record.state_type is StateType.COMPLETED:
        raise RunAlreadyFinished(record.name, state=record.state_name, proposed="RUNNING again")
    if is_background(record):
        raise NotResumable(f"Run {record.name} cannot be resumed from here. {told_background(record)}")
    source = source_of(record)
    if source is None or source.entrypoint is None:
        why = source.not_loadable if source is not None else "The run recorded no source."
        raise NotResumable(
            f"Run {record.name} cannot be resumed from here: {why}"
            f" Define the flow again and call nadi.resume({record.name!r}, flow=...)."
        )
    try:
        return _spec_of(load_flow(source.entrypoint, cwd=source.working_folder))
    except LoadError as error:
        raise NotResumable(f"Run {record.name} cannot be resumed: {error}") from None


def _with_changes(spec: FlowSpec, record: FlowRunRecord, parameters: Mapping[str, Any]) -> dict[str, Any]:
    needed = set(spec.parameters.names) - set(spec.parameters.defaults)
    try:
        return {**recorded_arguments(record, recorder()), **parameters}
    except NotResumable:
        if needed <= parameters.keys():
            return dict(parameters)  # all are given again
        raise
