"""Events: what happened."""

from __future__ import annotations

import msgspec

from nadi.engine.run_pages import the_run
from nadi.engine.shapes import EventShape, event_shape
from nadi.exceptions import RunNotFound
from nadi.model.access import Permission
from nadi.server.fields import Id, Number, Text, UpTo200
from nadi.server.routing import Call, Routes

routes = Routes("events")


class EventsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which events."""

    #: Only those whose name begins so.
    prefix: Text = ""
    #: Only those of this flow run; of an outermost run, those of its subflows too.
    run: Id = ""
    #: Only those that arrived before the one with this number; 0 for the newest.
    before: Number = 0
    limit: UpTo200 = 50


class EventPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some events, the last that arrived first."""

    events: list[EventShape]
    #: Give this as `before` for the next page; 0 when there are no more.
    next: int


@routes.add("GET", "/api/events", Permission.READ, errors=(RunNotFound,))
def list_events(call: Call, query: EventsQuery) -> EventPage:
    """List events, the last that arrived first."""
    store = call.context.store
    run = the_run(store, query.run) if query.run else None
    root, own = ("", "") if run is None else (run.root, "" if run.is_root else run.id)
    found = store.events.newest(root=root, run=own, prefix=query.prefix, before=query.before, limit=query.limit)
    following = found[-1].seq if len(found) == query.limit else 0
    return EventPage(events=[event_shape(event) for event in found], next=following)
