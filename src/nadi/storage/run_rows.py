"""Between rows of the database and values of the model."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import Any

import msgspec

from nadi.model.records import CallKey
from nadi.model.results import ResultRef
from nadi.model.runs import Artifact, Attempt, FlowRun, Log, Metric, Request, Superseded, TaskRun, Variable
from nadi.model.states import StateType
from nadi.storage.fold import FlowRow, TaskRow

#: A row of a result, or of parameters.
Values = tuple[Any, ...]

_pack = msgspec.msgpack.Encoder().encode
_unpack_result = msgspec.msgpack.Decoder(ResultRef).decode
_unpack_call = msgspec.msgpack.Decoder(CallKey).decode
_json = msgspec.json.Encoder().encode
_texts = msgspec.json.Decoder(tuple[str, ...]).decode
_numbers = msgspec.json.Decoder(dict[str, int]).decode
#: Read from JSON that `stand` writes; times arrive as text.
unpack_flow_rows = msgspec.json.Decoder(list[FlowRow], strict=False).decode
unpack_task_rows = msgspec.json.Decoder(list[TaskRow], strict=False).decode
unpack_texts = _texts

#: The state of each text that a column may hold: looking one up beats calling the enum.
STATES = {state.value: state for state in StateType}


def pack_texts(texts: tuple[str, ...] | list[str]) -> str:
    """Return texts as a JSON array."""
    return _json(texts).decode() if texts else "[]"


def pack_values(values: Sequence[Values]) -> str:
    """Return rows of values as a JSON array of arrays."""
    return _json(values).decode()


def pack_result(result: ResultRef | None) -> bytes | None:
    """Return a result reference as it is kept."""
    return None if result is None else _pack(result)


# -- parameters of writing statements --


def new_task_run(row: TaskRow, seq: int) -> Values:
    """Return the parameters of `put_task_runs`."""
    begun = row.begun
    assert begun is not None
    tags, upstream, result = begun.tags, begun.upstream, row.result
    return (
        row.id,
        row.root,
        row.run,
        begun.task,
        begun.name,
        row.attempt,
        row.token,
        row.state,
        row.state_name,
        row.message,
        row.detail,
        row.at,
        begun.at,
        row.started,
        row.ended,
        row.due,
        begun.map_index,
        pack_texts(tags) if tags else "[]",
        pack_texts(upstream) if upstream else "[]",
        begun.reason,
        None if result is None else _pack(result),
        _pack(begun.call),
        begun.token,
        seq,
    )


def moved_task_run(row: TaskRow, seq: int) -> Values:
    """Return the parameters of `move_task_runs`."""
    return (*_moved(row), row.due, pack_result(row.result), seq)


def new_flow_run(row: FlowRow, seq: int) -> Values:
    """Return the parameters of `put_flow_runs`."""
    begun = row.begun
    assert begun is not None
    return (
        row.id,
        row.root,
        begun.parent,
        row.flow,
        row.name,
        row.attempt,
        row.token,
        row.state,
        row.state_name,
        row.message,
        row.detail,
        row.at,
        row.created,
        row.started,
        row.ended,
        pack_texts(begun.tags),
        begun.version,
        begun.description,
        begun.parameters,
        pack_result(begun.arguments),
        row.holder,
        begun.source,
        row.run_count,
        pack_result(row.result),
        None if begun.call is None else _pack(begun.call),
        begun.token,
        seq,
    )


def moved_flow_run(row: FlowRow, seq: int) -> Values:
    """Return the parameters of `move_flow_runs`."""
    return (*_moved(row), row.run_count, row.name, pack_result(row.result), row.holder, seq)


def _moved(row: FlowRow | TaskRow) -> Values:
    return (
        row.id,
        row.attempt,
        row.token,
        row.state,
        row.state_name,
        row.message,
        row.detail,
        row.at,
        row.started,
        row.ended,
    )


def closed_attempt(attempt: Attempt, root: str) -> Values:
    """Return the parameters of `close_attempts`."""
    return (
        attempt.run,
        attempt.attempt,
        root,
        attempt.token,
        attempt.state_type,
        attempt.state_name,
        attempt.message,
        attempt.started,
        attempt.ended,
        attempt.holder,
    )


# -- values from rows --


def _call(packed: bytes | None) -> dict[str, Any]:
    if packed is None:
        return {}
    call = _unpack_call(packed)
    return {
        "scope": call.scope,
        "function": call.function,
        "code": call.code,
        "inputs": call.inputs,
        "certainty": call.certainty,
        "occurrence": call.occurrence,
        "position": call.position,
        "each": call.each,
        "own_thread": call.own_thread,
    }


def flow_run(row: Values) -> FlowRun:
    """Return the flow run of a row of `flow_runs`."""
    return FlowRun(
        id=row[0],
        root=row[1],
        parent=row[2],
        flow=row[3],
        name=row[4],
        attempt=row[5],
        token=row[6],
        state_type=STATES[row[7]],
        state_name=row[8],
        message=row[9],
        detail=row[10],
        state_at=row[11],
        created=row[12],
        started=row[13],
        ended=row[14],
        tags=_texts(row[15]),
        version=row[16],
        description=row[17],
        parameters=row[18],
        arguments=None if row[19] is None else _unpack_result(row[19]),
        holder=row[20],
        source=row[21],
        run_count=row[22],
        result=None if row[23] is None else _unpack_result(row[23]),
        seen=row[25],
        seq=row[26],
        task_counts=_numbers(row[27]),
        dropped=_numbers(row[28]),
        **_call(row[24]),
    )


def brief_flow_run(row: Values) -> FlowRun:
    """Return the flow run of a row of `brief_flow_runs`."""
    return FlowRun(
        id=row[0],
        root=row[1],
        parent=row[2],
        flow=row[3],
        name=row[4],
        attempt=row[5],
        token=row[6],
        state_type=STATES[row[7]],
        state_name=row[8],
        message=row[9],
        state_at=row[10],
        created=row[11],
        started=row[12],
        ended=row[13],
        tags=_texts(row[14]),
        version=row[15],
        holder=row[16],
        seq=row[17],
    )


def task_run(row: Values) -> TaskRun:
    """Return the task run of a row of `task_runs`."""
    return TaskRun(
        id=row[0],
        root=row[1],
        run=row[2],
        task=row[3],
        name=row[4],
        attempt=row[5],
        token=row[6],
        state_type=STATES[row[7]],
        state_name=row[8],
        message=row[9],
        detail=row[10],
        state_at=row[11],
        created=row[12],
        started=row[13],
        ended=row[14],
        due=row[15],
        map_index=row[16],
        tags=_texts(row[17]) if row[17] != "[]" else (),
        upstream=_texts(row[18]) if row[18] != "[]" else (),
        reason=row[19],
        result=None if row[20] is None else _unpack_result(row[20]),
        seen=row[22],
        seq=row[23],
        **_call(row[21]),
    )


def attempt(row: Values) -> Attempt:
    """Return the attempt of a row of `attempts`."""
    return Attempt(
        run=row[0],
        attempt=row[1],
        token=row[2],
        state_type=STATES[row[3]],
        state_name=row[4],
        message=row[5],
        started=row[6],
        ended=row[7],
        holder=row[8],
    )


def superseded(row: Values) -> Superseded:
    """Return the value of a row of `superseded`."""
    return Superseded(
        root=row[0],
        run=row[1],
        token=row[2],
        attempt=row[3],
        state_type=STATES[row[4]],
        state_name=row[5],
        message=row[6],
        at=row[7],
    )


def log(row: Values) -> Log:
    """Return the log line of a row of `logs`."""
    return Log(seq=row[0], root=row[1], run=row[2], task=row[3], at=row[4], level=row[5], logger=row[6], text=row[7])


def artifact(row: Values) -> Artifact:
    """Return the artifact of a row of `artifacts`."""
    return Artifact(
        id=row[0],
        root=row[1],
        run=row[2],
        task=row[3],
        key=row[4],
        kind=row[5],
        description=row[6],
        data=row[7],
        created=row[8],
        updated=row[9],
        seq=row[10],
    )


def metric(row: Values) -> Metric:
    """Return the metric value of a row of `metrics`."""
    return Metric(
        seq=row[0],
        root=row[1],
        run=row[2],
        task=row[3],
        key=row[4],
        value=nan if row[5] is None else row[5],
        step=row[6],
        at=row[7],
    )


def variable(row: Values) -> Variable:
    """Return the variable of a row of `variables`."""
    return Variable(name=row[0], value=row[1], tags=_texts(row[2]), updated=row[3])


def request(row: Values) -> Request:
    """Return the request of a row of `requests`."""
    return Request(run=row[0], kind=row[1], at=row[2], by=row[3])
