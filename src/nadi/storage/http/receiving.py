"""Taking a batch that a far writer sends: what cannot be read is refused in its place, and the rest goes on."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from nadi.exceptions import ValueRefused
from nadi.model.records import (
    AnyRecord,
    ArtifactMade,
    AssetDescribed,
    Counted,
    EventEmitted,
    FlowRunBegun,
    FlowRunSource,
    InputAsked,
    TaskRunBegun,
    TaskRunMoved,
)
from nadi.storage.contract import Applied, Batch, Refusal, Refused, Store
from nadi.storage.http.calls import LATEST, Delivery
from nadi.storage.journal import decode
from nadi.storage.setting_aside import apply_what_fits

#: Characters of a writer's id at the most.
LONGEST_WRITER = 200

_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,63}")

_OBJECT = dict[str, msgspec.Raw]
#: Fields that hold JSON and of what kind, and whether they may be empty.
_JSON: dict[type, tuple[tuple[str, Any, bool], ...]] = {
    FlowRunBegun: (("parameters", _OBJECT, False), ("source", _OBJECT, True)),
    FlowRunSource: (("source", _OBJECT, True),),
    InputAsked: (("schema", _OBJECT, True), ("initial", msgspec.Raw, True)),
    ArtifactMade: (("data", msgspec.Raw, False),),
    EventEmitted: (("payload", _OBJECT, False),),
    AssetDescribed: (("metadata", _OBJECT, False),),
}
#: Fields that hold a time, beside `at`, which every record has.
_TIMES: dict[type, str] = {TaskRunMoved: "due", InputAsked: "deadline", EventEmitted: "occurred"}

_log = logging.getLogger("nadi.storage")


def receive(store: Store, delivery: Delivery, *, note: Callable[[Iterable[str]], None] | None = None) -> Applied:
    """Apply a delivery, and tell of each record that was refused why.

    A record that this version cannot read, from a newer program or damaged, is refused as invalid; nothing of it is
    kept. One that the store chokes on is found and refused likewise.

    Args:
        store: Where.
        delivery: What was sent.
        note: Told of the root runs that it is about, before anything of it is applied.

    Raises:
        ValueRefused: it does not say whose records it brings.
        StoreUnavailable: nothing of it was applied, or not all: the sender tries again from the watermark on.
    """
    if not 0 < len(delivery.writer) <= LONGEST_WRITER or not delivery.writer.isprintable() or delivery.first < 1:
        raise ValueRefused("A delivery needs the id of its writer, and the number of its first record, from 1 on.")
    unreadable: set[int] = set()
    records: list[AnyRecord] = []
    for number, payload in enumerate(delivery.records, delivery.first):
        try:
            records.append(checked_record(decode(payload)))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueRefused) as error:
            _log.warning("Record %d of writer %s cannot be read and is refused: %s", number, delivery.writer, error)
            records.append(_nothing())
            unreadable.add(number)
    if note is not None:
        note({record.root for record in records if record.root})
    applied = apply_what_fits(Batch(delivery.writer, delivery.first, records), store.apply)
    return _as_invalid(applied, unreadable)


def check_json(data: bytes, kind: Any = msgspec.Raw) -> None:
    """Refuse what is no JSON. It would be sent on as it is, and no page that has it could be read.

    Raises:
        ValueRefused: it is none, or of another kind.
    """
    try:
        msgspec.json.decode(data, type=kind)
        data.decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueRefused(f"What should be JSON is not: {error}.") from None


def checked_record(record: AnyRecord) -> AnyRecord:
    """Return a record that pages can show: with JSON where that belongs, and times that a calendar has.

    Its run has an id that may stand in paths, URLs and commands, as those that engines make.

    Raises:
        ValueRefused: it is not so.
    """
    kind = type(record)
    for name, of, may_be_empty in _JSON.get(kind, ()):
        data = getattr(record, name)
        if data or not may_be_empty:
            check_json(data, of)
    if not (0.0 <= record.at <= LATEST and 0.0 <= getattr(record, _TIMES.get(kind, "at")) <= LATEST):
        raise ValueRefused("A time in it is none in Unix seconds.")
    ids = (record.root, record.id) if isinstance(record, FlowRunBegun | TaskRunBegun) else (record.root,)
    for id in ids:
        if not _ID.fullmatch(id):
            raise ValueRefused(f"{id[:100]!r} is no id of a run.")
    return record


def _nothing() -> Counted:
    # Of no run: every store refuses it, and keeps its number.
    return Counted(root="", token=0, at=0.0, run="", what="unreadable", count=1)


def _as_invalid(applied: Applied, unreadable: set[int]) -> Applied:
    if not unreadable:
        return applied
    told = (
        Refused(one.n, one.root, one.token, Refusal.INVALID) if one.n in unreadable else one for one in applied.refused
    )
    return Applied(applied.watermark, tuple(told))
