"""Rows of what is kept beside runs (cache, pauses, limits, events, assets), the same in every database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from nadi.model.assets import AssetProperties, AssetRecord, AssetRef, Materialization
from nadi.model.events import Event
from nadi.model.limits import Limit, SlotClaim
from nadi.model.pauses import Message, Pause
from nadi.model.records import AssetMaterialized, EventEmitted, InputAsked
from nadi.model.results import ResultRef
from nadi.storage.contracts.assets import merged
from nadi.storage.contracts.cache import CacheEntry
from nadi.storage.contracts.result_files import owner_of_file

#: A row of a result, or of parameters.
Values = tuple[Any, ...]

_json = msgspec.json.encode
_pack = msgspec.msgpack.Encoder().encode
_unpack_result = msgspec.msgpack.Decoder(ResultRef).decode
_texts = msgspec.json.Decoder(tuple[str, ...]).decode
_labels = msgspec.json.Decoder(dict[str, str]).decode
_related = msgspec.json.Decoder(tuple[dict[str, str], ...]).decode
_objects = msgspec.json.Decoder(list[dict[str, Any]]).decode
#: Properties of an asset as they are kept.
unpack_properties = msgspec.json.Decoder(AssetProperties).decode


def pack_properties(properties: AssetProperties) -> str:
    """Return the properties of an asset as they are kept."""
    return _json(properties).decode()


# -- the cache --


def entry_values(entry: CacheEntry, seq: int) -> Values:
    """Return the row of a cache entry."""
    file = entry.result.key if entry.result.kind == "file" else ""
    return (
        entry.key,
        seq,
        entry.task,
        _pack(entry.result),
        file,
        owner_of_file(file),
        entry.root,
        entry.token,
        entry.run,
        entry.task_run,
        entry.name,
        entry.created,
        entry.expires,
    )


def entry_of(row: Sequence[Any]) -> CacheEntry:
    """Return the cache entry of a row of `entries`."""
    return CacheEntry(
        key=row[0],
        task=row[1],
        result=_unpack_result(row[2]),
        root=row[3],
        token=row[4],
        run=row[5],
        task_run=row[6],
        name=row[7],
        created=row[8],
        expires=row[9],
        seq=row[10],
    )


# -- pauses and messages --


def asked_values(one: InputAsked) -> Values:
    """Return the row of what a run asks, without an answer."""
    return (
        one.id,
        one.key,
        one.root,
        one.at,
        one.deadline,
        one.schema,
        one.description,
        one.initial,
        None,
        "",
        0.0,
        "",
        int(one.over),
    )


def pause_of(row: Sequence[Any]) -> Pause:
    """Return the pause of a row of `pauses`."""
    return Pause(
        run=row[0],
        key=row[1],
        root=row[2],
        at=row[3],
        deadline=row[4],
        schema=row[5],
        description=row[6],
        initial=row[7],
        answer=row[8],
        by=row[9],
        answered=row[10],
        refused=row[11],
        over=bool(row[12]),
    )


def message_values(message: Message, seq: int) -> Values:
    """Return the row of a message."""
    return (seq, message.root, message.run, message.keyset, message.value, message.sender, message.at)


def message_of(row: Sequence[Any]) -> Message:
    """Return the message of a row of `messages`."""
    return Message(seq=row[0], root=row[1], run=row[2], keyset=row[3], value=row[4], sender=row[5], at=row[6])


# -- limits --


def limit_of(row: Sequence[Any]) -> Limit:
    """Return the limit of a row of `limits`."""
    return Limit(name=row[0], slots=row[1], decay=row[2], level=row[3], level_at=row[4])


def limit_values(limit: Limit) -> Values:
    """Return the row of a limit."""
    return (limit.name, limit.slots, limit.decay, limit.level, limit.level_at)


def claim_values(claim: SlotClaim) -> Values:
    """Return the row of a claim that does not hold yet."""
    return (
        claim.id,
        pack_names(claim.names),
        claim.slots,
        claim.holder,
        claim.label,
        claim.root,
        claim.run,
        claim.task,
        claim.term,
        claim.at,
    )


def claim_of(row: Sequence[Any]) -> SlotClaim:
    """Return the claim of a row of `claims`."""
    return SlotClaim(
        id=row[0],
        names=unpack_names(row[1]),
        slots=row[2],
        held=bool(row[3]),
        holder=row[4],
        label=row[5],
        root=row[6],
        run=row[7],
        task=row[8],
        term=row[9],
        renewals=row[10],
        at=row[11],
    )


def pack_names(names: Sequence[str]) -> str:
    """Return the names of limits as they are kept."""
    return _json(names).decode()


def unpack_names(text: str) -> tuple[str, ...]:
    """Return the names of limits."""
    return _texts(text)


# -- events --


def told_event_values(record: EventEmitted, seq: int) -> Values:
    """Return the row of an event that a record tells of."""
    return (
        seq,
        record.id,
        record.root,
        record.run,
        record.task,
        record.event,
        record.occurred,
        _json(record.resource).decode(),
        _json(record.related).decode(),
        record.payload,
        record.follows,
    )


def event_values(event: Event) -> Values:
    """Return the row of an event, without its place in the order of arrival."""
    return (
        event.id,
        event.root,
        event.flow_run_id,
        event.task_run_id,
        event.event,
        event.occurred.timestamp(),
        _json(event.resource).decode(),
        _json(event.related).decode(),
        _json(event.payload),
        event.follows or "",
    )


def event_of(row: Sequence[Any]) -> Event:
    """Return the event of a row of `events`."""
    return Event(
        seq=row[0],
        id=row[1],
        root=row[2],
        flow_run_id=row[3],
        task_run_id=row[4],
        event=row[5],
        occurred=datetime.fromtimestamp(row[6], UTC),
        resource=_labels(row[7]),
        related=_related(row[8]),
        payload=msgspec.json.decode(row[9]),
        follows=row[10] or None,
    )


# -- assets --


def materialization_values(record: AssetMaterialized, seq: int) -> Values:
    """Return the row of a materialisation."""
    return (
        seq,
        record.id,
        record.key,
        record.at,
        int(record.succeeded),
        record.root,
        record.run,
        record.task,
        record.tool,
        record.message,
        _json(upstream_keys(record.upstream)).decode(),
    )


def upstream_keys(upstream: Sequence[AssetRef]) -> tuple[str, ...]:
    """Return the keys of what an asset was made from, each once."""
    return tuple(dict.fromkeys(asset.key for asset in upstream))


def asset_of(row: Sequence[Any]) -> AssetRecord:
    """Return the asset of a row of `assets`."""
    return AssetRecord(key=row[0], properties=unpack_properties(row[1]), materialized=row[2], failed=row[3], seq=row[4])


def materialization_of(row: Sequence[Any]) -> Materialization:
    """Return the materialisation of a row of `materializations`, whose last column is a JSON array of metadata."""
    return Materialization(
        seq=row[0],
        id=row[1],
        key=row[2],
        at=row[3],
        succeeded=bool(row[4]),
        root=row[5],
        run=row[6],
        task=row[7],
        tool=row[8],
        message=row[9],
        upstream=_texts(row[10]),
        metadata=merged(_objects(row[11])),
    )
