"""Emitting events: inside of a run through its journal, outside of any run straight to the store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from nadi.engine.recording import clock, recorder
from nadi.engine.scope import Scope, current
from nadi.engine.shown import shown_as_json
from nadi.exceptions import ValueRefused
from nadi.model.events import ID_LABELS, Event, id_of
from nadi.model.records import EventEmitted
from nadi.model.secrets import mask
from nadi.model.text import safe_repr

#: The most characters of an event's name, or of an id.
LONGEST_NAME = 1024
#: The most bytes of JSON that resource, related resources and payload of one event have together.
LARGEST = 1024 * 1024


def emit_event(
    event: str,
    resource: Mapping[str, str],
    occurred: datetime | None = None,
    related: Iterable[Mapping[str, str]] | None = None,
    payload: Mapping[str, Any] | None = None,
    id: UUID | str | None = None,
    follows: Event | UUID | str | None = None,
) -> Event:
    """Record that something happened, and return the event.

    Inside of a flow or task it is recorded with the run, as durably as anything that the run tells; outside it
    is in the store when this returns. An id that was used before names the event that is there already: nothing is
    added. Secrets are masked in everything that is given.

    Args:
        event: What happened, such as `"model.promoted"`.
        resource: Labels of what it happened to, all text; `"nadi.resource.id"` (or `"prefect.resource.id"`) is
            one of them.
        occurred: When it happened, default is now; a time without zone is UTC.
        related: Labels of what else takes part in it, each with its id as above.
        payload: What else is to be known of it; what JSON has no form for becomes text.
        id: Id of the event; default is a new one.
        follows: The event that this one follows, or its id.

    Raises:
        ValueRefused: a value cannot be recorded, or there is more than 1 MiB of it.
        StoreUnavailable: outside of any run, where the store cannot be reached.
    """
    scope = current.get()
    time = clock if scope is None else scope.session.clock
    made = Event(
        id=_checked_id(id) if id is not None else time.new_id(),
        event=_checked_name(event),
        occurred=_utc(occurred) if occurred is not None else datetime.fromtimestamp(time.now(), UTC),
        resource=_labels("resource", resource),
        related=tuple(_labels("each of related", one) for one in related or ()),
        payload=_checked_payload(payload),
        follows=_checked_id(getattr(follows, "id", follows)) if follows is not None else None,
        root=scope.session.root if scope is not None else "",
        flow_run_id=scope.flow_run if scope is not None else "",
        task_run_id=scope.id if scope is not None and not scope.is_flow else "",
    )
    size = sum(len(msgspec.json.encode(part)) for part in (made.resource, made.related, made.payload))
    if size > LARGEST:
        raise ValueRefused(
            f"The event {made.event!r} has {size:,} bytes; an event has at most {LARGEST:,}."
            " Put what is large into a result or an artifact, and name it in the event."
        )
    if scope is None:
        recorder().store().events.emit(made)
    else:
        _append(scope, made)
    return made


def _append(scope: Scope, event: Event) -> None:
    session = scope.session
    session.append(
        EventEmitted(
            session.root,
            session.token,
            session.now(),
            event.id,
            event.flow_run_id,
            event.task_run_id,
            event.event,
            event.occurred.timestamp(),
            event.resource,
            event.related,
            msgspec.json.encode(event.payload),
            event.follows or "",
        )
    )


def masked_event(record: EventEmitted) -> EventEmitted:
    """Hide in a record of another process what is secret here."""
    return msgspec.structs.replace(
        record,
        event=mask(record.event),
        resource=msgspec.json.decode(shown_as_json(record.resource)),
        related=tuple(msgspec.json.decode(shown_as_json(record.related))),
        payload=shown_as_json(msgspec.json.decode(record.payload)),
    )


def _checked_name(event: object) -> str:
    if not isinstance(event, str) or not event.strip() or len(event) > LONGEST_NAME or not event.isprintable():
        raise ValueRefused(
            f"An event's name is text of 1 to {LONGEST_NAME} printable characters, such as 'model.promoted',"
            f" not {safe_repr(event)}."
        )
    return mask(event)


def _checked_id(id: object) -> str:
    text = str(id) if isinstance(id, str | UUID) else ""
    if not text or len(text) > LONGEST_NAME or not text.isprintable():
        raise ValueRefused(f"The id of an event is a UUID or text, not {safe_repr(id)}.")
    return text


def _utc(occurred: object) -> datetime:
    if not isinstance(occurred, datetime):
        raise ValueRefused(f"occurred is a datetime, not {safe_repr(occurred)}.")
    return occurred.replace(tzinfo=UTC) if occurred.tzinfo is None else occurred.astimezone(UTC)


def _labels(what: str, labels: object) -> dict[str, str]:
    if isinstance(labels, Mapping) and all(isinstance(text, str) for pair in labels.items() for text in pair):
        # Through JSON, which masks secrets and keeps only what can be stored.
        masked: dict[str, str] = msgspec.json.decode(shown_as_json(dict(labels)))
        if id_of(masked):
            return masked
    raise ValueRefused(
        f"{what} is a dict of text to text that has the label {ID_LABELS[0]!r}, not {safe_repr(labels)}."
    )


def _checked_payload(payload: object) -> dict[str, Any]:
    if payload is None:
        return {}
    if not isinstance(payload, Mapping):
        raise ValueRefused(f"The payload of an event is a dict, not {safe_repr(payload)}.")
    plain: dict[str, Any] = msgspec.json.decode(shown_as_json(dict(payload)))
    return plain
