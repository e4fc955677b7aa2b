"""The live stream: what happens now, as server-sent events."""

from __future__ import annotations

import msgspec
from starlette.responses import Response

from nadi.exceptions import RequestRefused, RunNotFound
from nadi.model.access import Permission
from nadi.model.states import StateType
from nadi.server.api.logs import NUMBERS, Level
from nadi.server.fields import Id, Number, Text
from nadi.server.news import View
from nadi.server.routing import Call, Routes
from nadi.server.streaming import EventStream, Reader

routes = Routes("stream")


class StreamQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What to follow."""

    #: Id of a root run: its state, task runs, artifacts, metrics, and its log lines when `logs` is given. Without,
    #: all root runs that fit.
    run: Id = ""
    flow: Text = ""
    #: In one of these states.
    state: tuple[StateType, ...] = ()
    #: With all of these tags.
    tag: tuple[Text, ...] = ()
    #: Whether the log lines of `run` are told, too.
    logs: bool = False
    #: Only lines of this level and above.
    level: Level | None = None
    #: Begin after this change number, which answers about runs bear; else it begins now. The header `Last-Event-ID`
    #: counts more.
    after: Number | None = None


@routes.add(
    "GET",
    "/api/stream",
    Permission.READ,
    gives="text/event-stream",
    errors=(RunNotFound, RequestRefused),
    also=(429,),
)
async def stream(call: Call, query: StreamQuery) -> Response:
    """Follow what happens.

    Each event has an id to come back with (`Last-Event-ID`), a type, and as data `{"change": ..., "items": [...]}`.
    Types are `flow-runs`, `task-runs`, `artifacts`, `metrics` and `logs`, with the shapes that they have elsewhere;
    `gone`, with ids of runs that do not fit any more, and `deleted`. The first event is `open`; or `reset`, when the
    id is unknown or too old: then load anew what you show.
    """
    context = call.context
    if context.feed.is_full:
        raise RequestRefused("As many streams as this server allows are open. Try again later.", status=429)
    view = View(
        run=query.run,
        flow=query.flow,
        states=query.state,
        tags=query.tag,
        logs=query.logs,
        level=NUMBERS[query.level] if query.level else 0,
    )
    reader = Reader(call, Permission.READ, view)
    first = await reader.begin(last=call.request.headers.get("last-event-id", "")[:200], after=query.after)
    return EventStream(context.feed, first, reader.texts())
