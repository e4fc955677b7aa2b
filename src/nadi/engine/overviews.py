"""Flows and history as a server tells them in JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from nadi.engine.flow_pages import Outcome
from nadi.model.runs import when
from nadi.storage.contracts.overview import FlowSummary, HistoryBucket


class FlowShape(msgspec.Struct):
    """One flow, by what its root runs came to."""

    name: str
    #: Id of its newest run, and when that was made.
    newest: str
    newest_at: datetime | None
    #: How many of its runs are in which state now.
    runs: dict[str, int]
    #: Seconds that its finished runs took, all together, by their state.
    seconds: dict[str, float]
    #: Its newest runs, newest first, as many as were asked for.
    outcomes: list[Outcome] = []


class FlowPageShape(msgspec.Struct):
    """Some flows, by name."""

    flows: list[FlowShape]
    #: Give this as `after` for the next page; "" when there are no more.
    next: str


class BucketShape(msgspec.Struct):
    """What became of the root runs that were made within an hour or a day."""

    start: datetime
    #: How many are in which state now.
    runs: dict[str, int]
    #: Seconds that the finished ones took, all together.
    seconds: float


class HistoryShape(msgspec.Struct):
    """Root runs over time; buckets in which none was made are left out."""

    since: datetime | None
    until: datetime | None
    buckets: list[BucketShape]


def flow_shape(flow: FlowSummary, outcomes: Sequence[Outcome] = ()) -> FlowShape:
    """Return a flow as JSON tells it."""
    return FlowShape(
        name=flow.name,
        newest=flow.newest,
        newest_at=when(flow.newest_at),
        runs={state.lower(): n for state, n in flow.runs.items()},
        seconds={state.lower(): seconds for state, seconds in flow.seconds.items()},
        outcomes=list(outcomes),
    )


def history_shape(buckets: Sequence[HistoryBucket], *, since: float, until: float) -> HistoryShape:
    """Return history as JSON tells it."""
    return HistoryShape(
        since=when(since),
        until=when(until),
        buckets=[
            BucketShape(
                # The first of all hours is a time too.
                start=datetime.fromtimestamp(bucket.start, UTC),
                runs={state.lower(): n for state, n in bucket.runs.items()},
                seconds=bucket.seconds,
            )
            for bucket in buckets
        ],
    )
