"""History: how many runs were made when, and what became of them."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from nadi.engine.overviews import HistoryShape, history_shape
from nadi.exceptions import RequestRefused
from nadi.model.access import Permission
from nadi.server.fields import Moment, Text, seconds
from nadi.server.routing import Call, Routes
from nadi.storage.contracts.overview import HOUR

routes = Routes("history")

#: The most buckets of one answer: a month by the hour, two years by the day.
MOST_BUCKETS = 750


class Bucket(StrEnum):
    """How long a bucket is."""

    HOUR = "hour"
    DAY = "day"


class HistoryQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of history."""

    #: Only runs of this flow.
    flow: Text = ""
    #: Runs made from here on; without it the last 24 buckets before `until`.
    since: Moment | None = None
    #: Runs made before this; without it up to now.
    until: Moment | None = None
    #: Days are those of UTC.
    bucket: Bucket = Bucket.HOUR


@routes.add("GET", "/api/history", Permission.READ)
def show_history(call: Call, query: HistoryQuery) -> HistoryShape:
    """Show root runs by the hour or day in which they were made.

    The runs of all flows together are given unless one is named.
    """
    step = HOUR if query.bucket is Bucket.HOUR else 24 * HOUR
    until = seconds(query.until) if query.until is not None else call.now
    since = max(0.0, seconds(query.since) if query.since is not None else until - 24 * step)
    if (until - since) / step > MOST_BUCKETS:
        raise RequestRefused(
            f"That is more than {MOST_BUCKETS} buckets of one {query.bucket}. Ask for a shorter time"
            + (" or for days." if query.bucket is Bucket.HOUR else "."),
            status=422,
        )
    found = call.context.store.overview.history(since=since, until=until, step=step, flow=query.flow)
    return history_shape(found, since=since, until=until)
