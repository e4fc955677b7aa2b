"""Failures, grouped by error."""

from __future__ import annotations

import msgspec

from nadi.engine.failures import Failures, failures
from nadi.model.access import Permission
from nadi.server.fields import Moment, Text, UpTo200, seconds
from nadi.server.routing import Call, Routes

routes = Routes("failures")


class FailuresQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which failures."""

    #: Only runs of this flow.
    flow: Text = ""
    #: Runs made at or after, and before.
    since: Moment | None = None
    until: Moment | None = None
    #: The most groups.
    limit: UpTo200 = 20


@routes.add("GET", "/api/failures", Permission.READ)
def list_failures(call: Call, query: FailuresQuery) -> Failures:
    """List outermost runs that failed or crashed, those that failed alike as one group.

    They failed alike if they are of one flow, ended in one state, and say the same but for numbers, ids and quoted
    values. The newest 1,000 that failed are looked at; the answer says if there are more.
    """
    return failures(
        call.context.store,
        since=seconds(query.since),
        until=seconds(query.until),
        flow=query.flow,
        limit=query.limit,
    )
