"""Events that runs emitted, in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from msgspec.structs import replace

from nadi.model.events import Event
from nadi.model.records import EventEmitted
from nadi.storage.contracts.events import EventTable, event_of


class MemoryEventTable(EventTable):
    """See the contract."""

    def __init__(self, usable: Callable[[], threading.Lock], next_seq: Callable[[], int]) -> None:
        """Be a table of the store whose lock and change numbers these give."""
        self._usable = usable
        self._next_seq = next_seq
        #: By id, in order of arrival.
        self._events: dict[str, Event] = {}

    def emit(self, event: Event) -> bool:
        with self._usable():
            return self._add(event)

    def newest(self, *, root: str = "", run: str = "", prefix: str = "", before: int = 0, limit: int) -> list[Event]:
        def wanted() -> Iterator[Event]:
            for event in reversed(self._events.values()):
                if (
                    root in ("", event.root)
                    and run in ("", event.flow_run_id)
                    and event.event.startswith(prefix)
                    and (not before or event.seq < before)
                ):
                    yield event

        with self._usable():
            return list(islice(wanted(), limit))

    def arrived(self, *, after: int, limit: int) -> list[Event]:
        with self._usable():
            return list(islice((event for event in self._events.values() if event.seq > after), limit))

    # -- for the store, under its lock --

    def take(self, records: Iterable[EventEmitted]) -> None:
        """Keep what a batch tells."""
        for record in records:
            self._add(event_of(record))

    def forget(self, root: str) -> None:
        """Forget the events of a root run."""
        self._events = {id: event for id, event in self._events.items() if event.root != root}

    def _add(self, event: Event) -> bool:
        if event.id in self._events:
            return False
        self._events[event.id] = replace(event, seq=self._next_seq())
        return True
