"""A batch on its way: cut into requests that a server takes, and what is too large for any of them made smaller."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import msgspec

from nadi.model.records import AnyRecord, ArtifactMade, Counted
from nadi.model.text import human_bytes
from nadi.storage.contract import Batch
from nadi.storage.http.calls import LARGEST_BODY, Delivery

#: Bytes of records in one request, unless a single one is larger: slow lines take them within the time allowed, and
#: proxies that allow no more than 1 MiB, as many do, let them pass.
PART = 512 * 1024
#: Bytes of the largest record; the rest of a request is its frame.
LARGEST_RECORD = LARGEST_BODY - 4096
#: Characters of a text, and bytes of data, that a record which is too large keeps of each of its fields.
KEPT = 64 * 1024

_log = logging.getLogger("nadi.storage")

_encode = msgspec.msgpack.Encoder().encode


def parts_of(batch: Batch) -> Iterator[Delivery]:
    """Yield a batch in parts that are small enough; a record that is too large for any of them is made smaller."""
    waiting: list[bytes] = []
    size, first = 0, batch.first
    for number, record in enumerate(batch.records, batch.first):
        encoded = _fitting(number, record)
        if waiting and size + len(encoded) > PART:
            yield Delivery(batch.writer, first, waiting)
            waiting, size, first = [], 0, number
        waiting.append(encoded)
        size += len(encoded)
    if waiting:
        yield Delivery(batch.writer, first, waiting)


def _fitting(number: int, record: AnyRecord) -> bytes:
    encoded = _encode(record)
    if len(encoded) <= LARGEST_RECORD:
        return encoded
    kind = str(record.__struct_config__.tag)
    _log.warning(
        "Record %d of run %s (%s) has %s, more than a server takes (%s); what is too long in it is left out.",
        *(number, record.root, kind, human_bytes(len(encoded)), human_bytes(LARGEST_RECORD)),
    )
    smaller = _encode(_shortened(record, len(encoded)))
    if len(smaller) <= LARGEST_RECORD:
        return smaller
    # Its parts are small and there are too many of them: something stands in its place, and says so in the run.
    run = getattr(record, "run", "") or getattr(record, "id", "") or record.root
    return _encode(Counted(root=record.root, token=record.token, at=record.at, run=run, what=kind, count=1))


def _shortened(record: AnyRecord, size: int) -> AnyRecord:
    if isinstance(record, ArtifactMade):
        told = f"This artifact ({record.kind}) has {human_bytes(size)}, more than a server takes, and was left out."
        return msgspec.structs.replace(record, kind="markdown", data=msgspec.json.encode(told))
    changed: dict[str, Any] = {}
    for field in msgspec.structs.fields(record):
        value = getattr(record, field.name)
        if isinstance(value, str) and len(value) > KEPT:
            changed[field.name] = f"{value[:KEPT]} ... ({len(value):,} characters in all; the rest was left out)"
        elif isinstance(value, bytes) and len(value) > KEPT:
            # JSON that is cut is no JSON any more.
            changed[field.name] = b"{}" if field.default is msgspec.NODEFAULT else field.default
    return msgspec.structs.replace(record, **changed)


def encoded(delivery: Delivery) -> bytes:
    """Return a delivery as it travels."""
    return _encode(delivery)


def last_of(delivery: Delivery) -> int:
    """Return the number of the last record of a delivery."""
    return delivery.first + len(delivery.records) - 1
