"""Runs that wait, and why."""

from __future__ import annotations

from typing import Annotated

import msgspec

from nadi.engine.waiting import WaitingRuns, waiting_runs
from nadi.model.access import Permission
from nadi.server.routing import Call, Routes

routes = Routes("waiting")

#: A reason takes a few questions to the store.
UpTo50 = Annotated[int, msgspec.Meta(ge=1, le=50)]


class WaitingQuery(msgspec.Struct, frozen=True, kw_only=True):
    """How many."""

    limit: UpTo50 = 20


@routes.add("GET", "/api/waiting", Permission.READ)
def list_waiting(call: Call, query: WaitingQuery) -> WaitingRuns:
    """List outermost runs that wait, each with the reason; those that are late first.

    A run waits if it has not begun, is paused or has a subflow run that is, is to be entered again after a delay, or
    stands in line for a limit. The newest 1,000 are looked at; the answer says if there are more.
    """
    context = call.context
    return waiting_runs(context.store, observer=context.holder, limit=query.limit, now=call.now)
