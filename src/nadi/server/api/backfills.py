"""Backfills: runs for the instants of a schedule in a range of time."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from nadi.engine.backfilling import (
    MOST_INSTANTS,
    Wanted,
    cancel_backfill,
    change_backfill,
    make_backfill,
    the_backfill,
)
from nadi.engine.clock import Clock
from nadi.engine.deployment_shapes import BackfillShape, backfill_shape
from nadi.exceptions import NotFound, ValueRefused
from nadi.model.access import Permission
from nadi.model.ticks import BackfillState
from nadi.server.auditing import tell
from nadi.server.fields import Id, Moment, Text, UpTo200
from nadi.server.routing import Call, Routes

routes = Routes("backfills")

_clock = Clock()


class BackfillsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which backfills."""

    #: Only those of this deployment.
    deployment: Text = ""
    #: Only smaller ids: the last of the page before.
    before: Id = ""
    limit: UpTo200 = 50


class NewBackfill(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be filled."""

    deployment: Text
    #: Instants from `since` on and before `until`.
    since: Moment
    until: Moment
    #: Which of the deployment's schedules; "" for its only one.
    schedule: Text = ""
    #: Instants of its own instead: so many seconds apart; 0 for none.
    every: Annotated[float, Meta(ge=0, le=100 * 366 * 86400)] = 0.0
    #: Leave out instants that have a run that has not failed.
    only_missing: bool = False
    #: How many of its runs are open at once.
    most_at_once: Annotated[int, Meta(ge=1, le=MOST_INSTANTS)] = 1
    #: The latest instant first.
    reverse: bool = False
    #: Over those of deployment and schedule.
    parameters: dict[str, Any] = {}


@routes.add("GET", "/api/backfills", Permission.READ)
def list_backfills(call: Call, query: BackfillsQuery) -> list[BackfillShape]:
    """List backfills, newest first."""
    found = call.context.store.schedules.backfills(deployment=query.deployment, before=query.before, limit=query.limit)
    return [backfill_shape(one) for one in found]


@routes.add("GET", "/api/backfills/{backfill}", Permission.READ, errors=(NotFound,))
def show_backfill(call: Call, backfill: str) -> BackfillShape:
    """Show one backfill, and how far it has come."""
    return backfill_shape(the_backfill(call.context.store, backfill))


@routes.add(
    "POST", "/api/backfills", Permission.OPERATE, status=201, errors=(NotFound, ValueRefused), audit="make_backfill"
)
def start_backfill(call: Call, body: NewBackfill) -> BackfillShape:
    """Ask for runs for the instants of a schedule in a range of time; they are made as others of it end."""
    tell(call.request, subject=body.deployment)
    wanted = Wanted(
        deployment=body.deployment,
        since=body.since,
        until=body.until,
        schedule=body.schedule,
        every=body.every,
        only_missing=body.only_missing,
        most_at_once=body.most_at_once,
        reverse=body.reverse,
        parameters=body.parameters,
    )
    made = make_backfill(call.context.store, wanted, id=_clock.new_id(), now=call.now, by=call.principal.name)
    return backfill_shape(made)


@routes.add(
    "POST",
    "/api/backfills/{backfill}/pause",
    Permission.OPERATE,
    errors=(NotFound, ValueRefused),
    audit="pause_backfill",
)
def pause_backfill(call: Call, backfill: str) -> BackfillShape:
    """Pause a backfill: it asks for no more runs until it goes on."""
    return _change(call, backfill, BackfillState.PAUSED)


@routes.add(
    "POST",
    "/api/backfills/{backfill}/resume",
    Permission.OPERATE,
    errors=(NotFound, ValueRefused),
    audit="resume_backfill",
)
def resume_backfill(call: Call, backfill: str) -> BackfillShape:
    """Let a backfill go on."""
    return _change(call, backfill, BackfillState.RUNNING)


@routes.add(
    "POST",
    "/api/backfills/{backfill}/cancel",
    Permission.OPERATE,
    errors=(NotFound, ValueRefused),
    audit="cancel_backfill",
)
def stop_backfill(call: Call, backfill: str) -> BackfillShape:
    """End a backfill: what waits of it is cancelled, and its runs that are under way are asked to."""
    context = call.context
    found = the_backfill(context.store, backfill)
    tell(call.request, subject=found.id, deployment=found.deployment)
    ended = cancel_backfill(context.store, found.id, by=call.principal.name, observer=context.holder, clock=_clock)
    return backfill_shape(ended)


def _change(call: Call, backfill: str, state: BackfillState) -> BackfillShape:
    store = call.context.store
    found = the_backfill(store, backfill)
    tell(call.request, subject=found.id, deployment=found.deployment)
    return backfill_shape(change_backfill(store, found.id, state, now=call.now))
