"""What stands on the page of a flow: its newest runs, and how long they took.

Every answer looks at a bounded number of the newest runs, and says whether there are more.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from nadi.model.runs import FlowRun, RunFilter, when
from nadi.model.states import StateType
from nadi.storage.contract import Store

#: Runs that one answer looks at, and how many are read at a time.
MOST_RUNS = 2_000
PIECE = 200
#: Buckets that a range of time is divided into, at most, and how many seconds one may be.
MOST_BUCKETS = 60
STEPS = (1, 5, 15, 60, 300, 900, 3_600, 3 * 3_600, 6 * 3_600, 12 * 3_600, 86_400, 7 * 86_400, 28 * 86_400)

#: States of what went wrong.
FAILURES = (StateType.FAILED, StateType.CRASHED)


class Outcome(msgspec.Struct, frozen=True, array_like=True):
    """One run in a strip of the newest ones: id, state, name of the state, when made, started and ended, change."""

    id: str
    state: str
    state_name: str
    #: Unix seconds; 0 for not yet.
    created: float
    started: float
    ended: float
    change: int


class DurationBucket(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the runs of a flow that were made within some time and have ended."""

    start: datetime
    #: How many ended, how many of these FAILED or CRASHED, and how many are in which state.
    count: int
    failures: int
    states: dict[str, int]
    #: Seconds that those took that completed: half of them no longer than `p50`, 19 of 20 no longer than `p95`. `null`
    #: where none completed.
    p50: float | None
    p95: float | None


class FlowDurations(msgspec.Struct, frozen=True, kw_only=True):
    """How long the runs of a flow took, over time; buckets in which none was made are left out."""

    since: datetime | None
    until: datetime | None
    #: Seconds a bucket.
    step: int
    buckets: list[DurationBucket]
    #: Over all of them.
    p50: float | None
    p95: float | None
    #: How many runs were looked at, and whether there are older ones in this time that were not.
    runs: int
    more: bool


# -- the newest runs --


def outcome(run: FlowRun) -> Outcome:
    """Return one run of a strip."""
    return Outcome(run.id, run.state_type, run.state_name, run.created, run.started, run.ended, run.seq)


def newest_outcomes(store: Store, flow: str, *, limit: int) -> list[Outcome]:
    """Return the newest root runs of a flow, newest first."""
    page = store.overview.page(RunFilter(flow=flow, roots_only=True), limit=limit, brief=True)
    return [outcome(run) for run in page.runs]


class Newest(msgspec.Struct, frozen=True):
    """The newest runs of a flow that have ended, newest first; told briefly."""

    runs: list[FlowRun]
    #: How many were looked at for them, and whether older ones were not.
    looked: int
    more: bool


def newest_ended(store: Store, which: RunFilter, *, most: int) -> Newest:
    """Return the newest runs that have ended, at most so many, and no more than one answer looks at."""
    found: list[FlowRun] = []
    before, looked = "", 0
    while True:
        page = store.overview.page(which, limit=min(PIECE, most, MOST_RUNS - looked), before=before, brief=True)
        looked, before = looked + len(page.runs), page.next
        found += (run for run in page.runs if run.is_final)
        if not before or looked >= MOST_RUNS or len(found) >= most:
            return Newest(found[:most], looked, bool(before) or len(found) > most)


# -- durations --


def flow_durations(store: Store, flow: str, *, since: float, until: float, now: float) -> FlowDurations:
    """Return how long the newest runs of a flow took.

    Args:
        store: The store.
        flow: Name of the flow.
        since: Only runs made from here on, Unix seconds; 0 for as far back as the newest ones reach.
        until: Only runs made before; 0 for up to now, or up to the newest run where `since` is not given either.
        now: Unix seconds.
    """
    which = RunFilter(flow=flow, since=since, until=until, roots_only=True)
    newest = newest_ended(store, which, most=MOST_RUNS)
    made = [run.created for run in newest.runs]
    last = until or (now if since else max(made, default=now))
    # Of a range that was not looked at as a whole only that part is told: before it nothing is known.
    first = since if since and not newest.more else min(made, default=since or last)
    step = step_for(last - first)
    took = _durations(newest.runs)
    return FlowDurations(
        since=when(first),
        until=when(last),
        step=step,
        buckets=duration_buckets(newest.runs, step),
        p50=quantile(took, 0.5),
        p95=quantile(took, 0.95),
        runs=newest.looked,
        more=newest.more,
    )


def step_for(seconds: float) -> int:
    """Return how long a bucket is, so that a range of so many seconds has not too many of them."""
    return next((step for step in STEPS if seconds / step <= MOST_BUCKETS), STEPS[-1])


def duration_buckets(runs: Iterable[FlowRun], step: int) -> list[DurationBucket]:
    """Return runs that have ended by the time they were made; buckets begin at multiples of `step`."""
    by_start: dict[int, list[FlowRun]] = {}
    for run in runs:
        by_start.setdefault(int(run.created // step) * step, []).append(run)
    return [_bucket(start, found) for start, found in sorted(by_start.items())]


def _bucket(start: int, runs: Sequence[FlowRun]) -> DurationBucket:
    took = _durations(runs)
    states = Counter(run.state_type.lower() for run in runs)
    return DurationBucket(
        start=datetime.fromtimestamp(start, UTC),
        count=len(runs),
        failures=sum(run.state_type in FAILURES for run in runs),
        states=dict(states),
        p50=quantile(took, 0.5),
        p95=quantile(took, 0.95),
    )


def _durations(runs: Iterable[FlowRun]) -> list[float]:
    return sorted(run.duration(0.0) for run in runs if run.state_type is StateType.COMPLETED and run.started)


def quantile(ordered: Sequence[float], part: float) -> float | None:
    """Return the value that this part of some values does not exceed; between two of them, what lies between.

    Args:
        ordered: The values, smallest first.
        part: From 0 to 1.
    """
    if not ordered:
        return None
    place = part * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
