"""The far side: a task run in another process, which needs no access to store or server.

A parcel carries function and arguments, and who calls. Over there the same engine runs with a
recorder that sends its records back; here they are appended to the journal as if they had
been made here. So logs, artifacts, metrics and nested tasks work the same in every executor.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from nadi.engine import logs, tracing
from nadi.engine.assets import masked_asset
from nadi.engine.clock import Clock
from nadi.engine.drive import task_scope
from nadi.engine.events import masked_event
from nadi.engine.history import History
from nadi.engine.logs import show_relayed, turn_prints_into_logs
from nadi.engine.loops import finish
from nadi.engine.scope import Scope, current
from nadi.engine.session import LogOrigin, Session
from nadi.engine.task_runs import TaskRun
from nadi.exceptions import CrashedRun, NotKept, StoreUnavailable
from nadi.model.assets import TaskAssets
from nadi.model.holders import Holder
from nadi.model.parameters import Parameters
from nadi.model.records import (
    AnyRecord,
    ArtifactMade,
    AssetDescribed,
    AssetMaterialized,
    EventEmitted,
    FlowRunMoved,
    LogLine,
    Record,
    TaskRunMoved,
)
from nadi.model.results import ResultRef
from nadi.model.runs import TaskRun as TaskRunRecord
from nadi.model.secrets import mask, mask_value
from nadi.model.specs import FlowSpec, Style, TaskSpec
from nadi.model.states import StateType
from nadi.storage.contract import Store
from nadi.storage.delivery import Reach
from nadi.storage.opening import far_results
from nadi.storage.recorder import Recorder
from nadi.storage.results import Keeper, LocalResults, ResultStorage, fetch
from nadi.storage.serializers import dumps, loads
from nadi.storage.settings import read_settings

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(AnyRecord).decode

#: What the URL of a result storage behind a server begins with.
_FAR = ("http://", "https://")

#: Sends a message home: "told" with a record, "ended" with an outcome.
Send = Callable[[str, bytes], None]


class Parcel(msgspec.Struct):
    """One attempt of a task, packed for the way."""

    #: Pickle of (function, args, kwargs).
    call: bytes
    task: str
    style: Style
    name: str
    id: str
    attempt: int
    root: str
    token: int
    root_attempt: int
    flow_run: str
    flow: str
    flow_run_name: str
    flow_version: str
    flow_tags: tuple[str, ...]
    flow_attempt: int
    flow_run_count: int
    #: Digest of the calls that lead to this one; see `Scope.path`.
    path: bytes
    tags: tuple[str, ...]
    log_prints: bool
    log_level: str
    extra_loggers: str
    holder: str
    #: Folder where results are kept; "" when they are not kept in a folder.
    results: str
    store: str
    signing_key: bytes
    #: What an earlier attempt recorded below this task run.
    recorded: list[TaskRunRecord]
    was: StateType
    #: Ids of recorded task runs whose place it takes.
    instead_of: tuple[str, ...]
    #: What it makes and reads, where it said so.
    assets: TaskAssets | None = None
    #: Pickle of what `nadi.context` has there beside what the runs tell; empty for most.
    context: bytes = b""
    #: Why some of `recorded` are to run again, by id.
    asked: dict[str, str] = {}
    #: The span that it was sent from, as headers.
    trace: dict[str, str] = {}

    @classmethod
    def of(
        cls, run: TaskRun, args: tuple[Any, ...], kwargs: dict[str, Any], *, trace: dict[str, str] | None = None
    ) -> bytes:
        """Pack an attempt.

        Raises:
            NotKept: function or arguments cannot be pickled.
        """
        session, spec, flow = run.session, run.spec, run.scope.home
        keeper = session.keeper
        history = run.scope.history
        recorded = history.below(run.id, *run.instead_of) if history is not None else []
        try:
            call = dumps((spec.fn, args, kwargs), with_secrets=True)
        except NotKept as reason:
            given = {"function": spec.fn, **dict(zip(spec.parameters.names, args, strict=False)), **kwargs}
            raise _not_sendable(given, reason) from reason.__cause__
        parcel = cls(
            call=call,
            task=spec.name,
            style=spec.style,
            name=run.name,
            id=run.id,
            # It is packed before the far side says that it began, which is when a retry is counted.
            attempt=run.attempt + (run.state_type is StateType.SCHEDULED),
            root=session.root,
            token=session.token,
            root_attempt=session.attempt,
            flow_run=run.scope.flow_run,
            flow=flow.spec.name,
            flow_run_name=flow.name,
            flow_version=flow.spec.version,
            flow_tags=tuple(flow.tags),
            flow_attempt=flow.attempt,
            flow_run_count=flow.run_count,
            path=task_scope(run).path,
            tags=tuple(sorted(run.tags)),
            log_prints=run.scope.log_prints if spec.log_prints is None else spec.log_prints,
            log_level=logs.in_force.level,
            extra_loggers=logs.in_force.extra_loggers,
            holder=session.recorder.holder.encode(),
            results=_place_of(keeper.storage) if keeper is not None else "",
            store=keeper.store_id if keeper is not None else "",
            signing_key=keeper.signing_key if keeper is not None else b"",
            recorded=recorded,
            asked=history.asked_of(recorded) if history is not None else {},
            was=history.was if history is not None else StateType.PENDING,
            instead_of=run.instead_of,
            context=_context_of(run) if run.steering is not None else b"",
            assets=spec.assets,
            trace=trace or {},
        )
        return _encode(parcel)


class RemoteRecorder(Recorder):
    """Sends records to the process that runs the flow."""

    def __init__(self, parcel: Parcel, send: Send) -> None:
        self.holder = Holder.decode(parcel.holder)
        self._send = send
        self._parcel = parcel
        #: The store of the run, and where its results are; "" where they cannot be reached from another process.
        self.store_id, self.results_folder = parcel.store, parcel.results
        self._results = _results_at(parcel.results)

    def append(self, record: Record) -> int:
        self._send("told", _encode(record))
        return 0

    def barrier(self, timeout: float | None = None) -> Reach:
        return Reach.SPOOLED

    def store(self) -> Store:
        raise StoreUnavailable(
            "A task in another process has no store at hand. Let the flow read what it needs from there, such as a"
            " variable, and pass its value to the task as an argument."
        )

    def keeper(self, run: str, attempt: int) -> Keeper | None:
        if self._results is None:
            return None
        return Keeper(self._results, self._parcel.signing_key, self._parcel.store, run, attempt)

    def fetch(self, ref: ResultRef) -> Any:
        return fetch(ref, self._results or LocalResults("."), self._parcel.signing_key)


def _place_of(storage: ResultStorage) -> str:
    """Return where another process finds a result storage: its folder or its server; "" where it does not."""
    if isinstance(storage, LocalResults):
        return storage.folder
    return storage.url if storage.url.startswith(_FAR) else ""


def _results_at(place: str) -> ResultStorage | None:
    if not place.startswith(_FAR):
        return LocalResults(place) if place else None
    # Keys of servers travel in no parcel: the settings over here name the server too, or there is no way to it.
    settings = read_settings()
    found = far_results(settings) if settings.api_url else None
    return found if found is not None and found.url == place else None


def run_parcel(data: bytes, send: Send) -> None:
    """Run an attempt over here and send back what it tells and how it ended. Never raises."""
    try:
        parcel = msgspec.msgpack.decode(data, type=Parcel)
        outcome = _run(parcel, send)
    except BaseException as error:
        outcome = pack_outcome(None, error)
    send("ended", outcome)


def _run(parcel: Parcel, send: Send) -> bytes:
    fn, args, kwargs = loads(parcel.call)
    recorder = RemoteRecorder(parcel, send)
    history = None
    if parcel.recorded:
        history = History(parcel.recorded, was=parcel.was, fetch=recorder.fetch, asked=parcel.asked)
    session = Session(
        recorder, Clock(), root=parcel.root, token=parcel.token, attempt=parcel.root_attempt, history=history
    )
    parameters = Parameters.of(fn)
    spec = TaskSpec(fn=fn, name=parcel.task, style=parcel.style, parameters=parameters, assets=parcel.assets)
    caller = Scope(
        session,
        FlowSpec(fn=fn, name=parcel.flow, style=Style.SYNC, parameters=parameters, version=parcel.flow_version),
        id=parcel.flow_run,
        name=parcel.flow_run_name,
        flow_run=parcel.flow_run,
        parent=None,
        executor=None,
        tags=frozenset(parcel.flow_tags),
        log_prints=parcel.log_prints,
        parameters={},
        attempt=parcel.flow_attempt,
    )
    caller.run_count = parcel.flow_run_count
    if parcel.context:
        caller.context = loads(parcel.context)
    scope = Scope(
        session,
        spec,
        id=parcel.id,
        name=parcel.name,
        flow_run=parcel.flow_run,
        parent=caller,
        executor=None,
        tags=frozenset(parcel.tags),
        log_prints=parcel.log_prints,
        parameters=parameters.bind(args, kwargs),
        attempt=parcel.attempt,
        path=parcel.path,
        instead_of=parcel.instead_of,
    )
    logs.configure(parcel.log_level, console=False, extra_loggers=parcel.extra_loggers)
    turn_prints_into_logs()
    fn = tracing.continued(fn, parcel.trace, run=scope)
    here = current.set(scope)
    try:
        value = fn(*args, **kwargs)
        if parcel.style is Style.ASYNC_GENERATOR:
            value = finish(_collected(value))
        elif parcel.style is Style.GENERATOR:
            value = list(value)
        else:
            value = finish(value)
        for child in caller.children:
            child.wait()
    except BaseException as error:
        return pack_outcome(None, error)
    finally:
        current.reset(here)
        logs.run_handler.ended(scope.log_origin)
        session.leave_executors()
    return pack_outcome(value, None)


def _context_of(run: TaskRun) -> bytes:
    """Pack what `nadi.context` has for a task's code; what cannot be sent is left out."""
    steering, flow = run.steering, run.scope.home
    own = steering.told(run.map_index) if steering is not None else {}
    told = {"parameters": dict(flow.parameters), **(flow.context or {}), **own}
    try:
        return dumps(told, with_secrets=True)
    except NotKept:
        sendable = {name: value for name, value in told.items() if _refusal(value) is None}
        return dumps(sendable, with_secrets=True)


async def _collected(items: Any) -> list[Any]:
    return [item async for item in items]


def pack_outcome(value: Any, error: BaseException | None) -> bytes:
    """Return an outcome for the way home; a value that cannot be pickled becomes a failure that says so."""
    try:
        return dumps((value, error), with_secrets=True)
    except NotKept as reason:
        if error is not None:
            return dumps((None, CrashedRun(f"It failed in another process with {type(error).__name__}: {error}")))
        told = f"What it returned cannot be sent back from its process: {_refusal(value) or reason}"
        return dumps((None, NotKept(told)))


def _refusal(value: Any) -> NotKept | None:
    """Return why a value cannot be pickled; `None` when it can."""
    try:
        dumps(value, with_secrets=True)
    except NotKept as reason:
        return reason
    return None


def _not_sendable(given: Mapping[str, Any], reason: NotKept) -> NotKept:
    """Return the error that says which of the things given to a call cannot be sent to another process."""
    for name, value in given.items():
        refusal = _refusal(value)
        if refusal is not None:
            return NotKept(f"Its {name!r} cannot be sent to another process: {refusal}")
    return NotKept(f"It cannot be sent to another process: {reason}")


def read_outcome(data: bytes) -> tuple[Any, BaseException | None]:
    """Read an outcome: the value, or the exception."""
    try:
        value, error = loads(data)
    except Exception as reason:
        return None, CrashedRun(f"What it returned cannot be read here: {reason}")
    return value, error


def _masked(record: AnyRecord) -> AnyRecord:
    """Hide what is secret here: the far side knows only the secrets that reached it as such."""
    if isinstance(record, LogLine):
        return msgspec.structs.replace(record, text=mask(record.text))
    if isinstance(record, TaskRunMoved | FlowRunMoved) and (record.message or record.detail):
        return msgspec.structs.replace(record, message=mask(record.message), detail=mask(record.detail))
    if isinstance(record, ArtifactMade):
        data = msgspec.json.encode(mask_value(msgspec.json.decode(record.data)))
        return msgspec.structs.replace(record, description=mask(record.description), data=data)
    if isinstance(record, EventEmitted):
        return masked_event(record)
    if isinstance(record, AssetDescribed | AssetMaterialized):
        return masked_asset(record)
    return record


def relay(session: Session, data: bytes, *, name: str) -> None:
    """Append a record that the far side sent, if it belongs to this session; `name` is for the console."""
    try:
        record = _decode(data)
    except msgspec.DecodeError as error:
        logging.getLogger("nadi.engine").warning("A record from another process cannot be read: %s", error)
        return
    if record.root == session.root and record.token == session.token:
        record = _masked(record)
        session.append(record)
        if isinstance(record, LogLine):
            show_relayed(record, LogOrigin(session, record.run, record.task, name))
