"""Events that runs, and code outside of runs, emitted.

Those of runs arrive as records of the journal (`EventEmitted`) with `Store.apply`, and go when
their run is deleted. An event is known by its id: one that is there already stays as it is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import UTC, datetime

import msgspec

from nadi.model.events import Event
from nadi.model.records import EventEmitted


class EventTable(ABC):
    """What happened, in the order in which the store heard of it."""

    @abstractmethod
    def emit(self, event: Event) -> bool:
        """Keep an event that belongs to no run.

        Returns:
            `False` when an event of this id is there already; then nothing was changed.
        """

    @abstractmethod
    def newest(self, *, root: str = "", run: str = "", prefix: str = "", before: int = 0, limit: int) -> list[Event]:
        """Return events, the last that arrived first, at most `limit`.

        Args:
            root: Only those of this root run.
            run: Only those of this flow run, which may be a subflow run.
            prefix: Only those whose name begins so.
            before: Only those whose `seq` is smaller (keyset); 0 for all.
            limit: The most to return.
        """

    @abstractmethod
    def arrived(self, *, after: int, limit: int) -> list[Event]:
        """Return events in order of arrival, only `seq` greater than `after`: what a reader has not seen yet."""


def event_of(record: EventEmitted) -> Event:
    """Return the event that a record tells of."""
    return Event(
        id=record.id,
        event=record.event,
        occurred=datetime.fromtimestamp(record.occurred, UTC),
        resource=record.resource,
        related=record.related,
        payload=msgspec.json.decode(record.payload),
        follows=record.follows or None,
        root=record.root,
        flow_run_id=record.run,
        task_run_id=record.task,
    )
