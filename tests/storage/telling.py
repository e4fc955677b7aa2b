"""Short ways to say what a run tells, for tests of stores."""

from __future__ import annotations

from typing import Any

from nadi.model.assets import AssetRef
from nadi.model.ids import uuid7
from nadi.model.records import (
    AnyRecord,
    ArtifactMade,
    AssetDescribed,
    AssetMaterialized,
    CallKey,
    EventEmitted,
    FlowRunBegun,
    FlowRunMoved,
    LogLine,
    MetricLogged,
    TaskRunBegun,
    TaskRunMoved,
)
from nadi.model.states import DEFAULT_NAMES, StateType
from nadi.storage.contract import Applied, Batch, Store

T0 = 1_800_000_000.0
S = StateType


def an_id(n: int) -> str:
    """Return the n-th id: they sort by n."""
    return uuid7(T0 + n, n)


class Writer:
    """One process that tells a store things, in order."""

    def __init__(self, store: Store, name: str = "writer-1") -> None:
        self.store, self.name, self.told = store, name, 0

    def tell(self, *records: AnyRecord) -> Applied:
        first = self.told + 1
        self.told += len(records)
        return self.store.apply(Batch(self.name, first, records))


def a_call(scope: str, position: int = 0) -> CallKey:
    return CallKey(scope, "clean:flow.py", b"code", b"inputs", 1, 2, position, {"x": b"digest"}, False)


def flow_begun(root: str, **given: Any) -> FlowRunBegun:
    fields: dict[str, Any] = {
        "token": 1,
        "at": T0,
        "id": root,
        "flow": "nightly",
        "name": "quiet-river",
        "attempt": 1,
        "state": S.RUNNING,
        "holder": "process-a",
    } | given
    fields.setdefault("state_name", DEFAULT_NAMES[fields["state"]])
    return FlowRunBegun(root=root, **fields)


def flow_moved(root: str, state: StateType, **given: Any) -> FlowRunMoved:
    fields: dict[str, Any] = {"token": 1, "at": T0 + 60, "id": root, "attempt": 1, "was": S.RUNNING} | given
    fields.setdefault("state_name", DEFAULT_NAMES[state])
    return FlowRunMoved(root=root, state=state, **fields)


def task_begun(root: str, id: str, **given: Any) -> TaskRunBegun:
    fields: dict[str, Any] = {
        "token": 1,
        "at": T0 + 1,
        "run": root,
        "task": "clean",
        "name": "clean-0",
        "attempt": 1,
        "state": S.RUNNING,
    } | given
    fields.setdefault("call", a_call(fields["run"]))
    return TaskRunBegun(root=root, id=id, **fields)


def task_moved(root: str, id: str, state: StateType, **given: Any) -> TaskRunMoved:
    fields: dict[str, Any] = {"token": 1, "at": T0 + 2, "attempt": 1, "was": S.RUNNING} | given
    return TaskRunMoved(root=root, id=id, state=state, **fields)


def log_line(root: str, text: str, **given: Any) -> LogLine:
    fields: dict[str, Any] = {"token": 1, "at": T0 + 3, "run": root, "task": "", "level": 20, "logger": "nadi"} | given
    return LogLine(root=root, text=text, **fields)


def artifact_made(root: str, id: str, **given: Any) -> ArtifactMade:
    fields: dict[str, Any] = {
        "token": 1,
        "at": T0 + 4,
        "run": root,
        "task": "",
        "key": "report",
        "kind": "markdown",
        "description": "",
        "data": b'"# Report"',
    } | given
    return ArtifactMade(root=root, id=id, **fields)


def metric_logged(root: str, key: str, value: float, **given: Any) -> MetricLogged:
    fields: dict[str, Any] = {"token": 1, "at": T0 + 5, "run": root, "task": "", "step": 0} | given
    return MetricLogged(root=root, key=key, value=value, **fields)


def event_emitted(root: str, id: str, event: str = "model.promoted", **given: Any) -> EventEmitted:
    fields: dict[str, Any] = {
        "token": 1,
        "at": T0 + 6,
        "run": root,
        "task": "",
        "occurred": T0 + 6,
        "resource": {"nadi.resource.id": "model.churn"},
    } | given
    return EventEmitted(root=root, id=id, event=event, **fields)


def asset_made(root: str, id: str, key: str, *upstream: str, **given: Any) -> AssetMaterialized:
    fields: dict[str, Any] = {"token": 1, "at": T0 + 7, "run": root, "task": an_id(10), "succeeded": True} | given
    return AssetMaterialized(root=root, id=id, key=key, upstream=tuple(AssetRef(one) for one in upstream), **fields)


def asset_described(root: str, key: str, metadata: bytes, **given: Any) -> AssetDescribed:
    fields: dict[str, Any] = {"token": 1, "at": T0 + 7, "run": root, "task": an_id(10)} | given
    return AssetDescribed(root=root, key=key, metadata=metadata, **fields)
