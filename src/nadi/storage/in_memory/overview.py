"""Pages, counts, history and changes, in memory."""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from heapq import nsmallest
from itertools import islice
from typing import Protocol

from nadi.model.runs import FlowRun, RunFilter
from nadi.storage import paging
from nadi.storage.contracts.overview import (
    HOUR,
    WINDOW,
    Change,
    FlowSummary,
    HistoryBucket,
    Overview,
    RunPage,
    brief_run,
    bucket_of,
    summary_of,
)
from nadi.storage.paging import Bounds, Index, Look, Of
from nadi.storage.run_counts import RunCounts
from nadi.storage.terms import has_terms, wanted_terms

#: Runs, and microseconds that finished ones took.
_Entry = list[int]


class Runs(Protocol):
    """Flow runs by id, with their ids in order."""

    ids: list[str]

    def __getitem__(self, id: str) -> FlowRun: ...
    def __contains__(self, id: object) -> bool: ...
    def __iter__(self) -> Iterator[str]: ...


class MemoryOverview(Overview):
    """See the contract.

    Args:
        usable: Gives the lock of the store.
        runs: All flow runs of the store.
        buried: The deleted root runs that the store still knows.
    """

    def __init__(self, usable: Callable[[], threading.Lock], runs: Runs, buried: Mapping[str, float]) -> None:
        self._usable, self._runs, self._buried = usable, runs, buried
        self._by_hour: dict[tuple[str, int], dict[str, _Entry]] = {}
        self._by_flow: dict[str, dict[str, _Entry]] = {}
        #: Change number of each deletion.
        self._gone: dict[str, int] = {}

    def page(
        self,
        which: RunFilter,
        *,
        limit: int,
        before: str = "",
        after: str = "",
        window: int = WINDOW,
        brief: bool = False,
    ) -> RunPage:
        wanted = wanted_terms(which)

        def look(index: Index, bounds: Bounds, rows: int) -> Look:
            ids = self._runs.ids
            first = bisect_right(ids, bounds.after)
            last = bisect_left(ids, bounds.before) if bounds.before else len(ids)
            found = ids[max(first, last - rows) : last]
            return Look(len(found), found[0] if found else "", found)

        def read(ids: Sequence[str], most: int, brief: bool) -> list[FlowRun]:
            runs = (self._runs[id] for id in ids if id in self._runs)
            found = islice((run for run in runs if fits(run, which) and has_terms(run, wanted)), most)
            return list(map(brief_run, found) if brief else found)

        # There are no indexes to choose from, so it looks at all runs one by one.
        with self._usable():
            return paging.page(
                which,
                limit=limit,
                before=before,
                after=after,
                window=window,
                brief=brief,
                look=look,
                read=read,
                only=[Index(Of.ALL_RUNS)],
            )

    def flows(self, *, text: str = "", after: str = "", limit: int) -> list[FlowSummary]:
        with self._usable():
            names = (name for name in sorted(self._by_flow) if name > after and _lower(text) in _lower(name))
            return list(islice(filter(None, map(self._summary, names)), limit))

    def flow(self, name: str) -> FlowSummary | None:
        with self._usable():
            return self._summary(name)

    def history(self, *, since: float, until: float, step: int = HOUR, flow: str = "") -> list[HistoryBucket]:
        buckets: dict[int, dict[str, _Entry]] = {}
        with self._usable():
            for (of, hour), states in self._by_hour.items():
                start = hour // step * step
                if of == flow and int(since) // step * step <= start < until:
                    for state, entry in states.items():
                        _add(buckets.setdefault(start, {}), state, *entry)
        return [bucket for start in sorted(buckets) if (bucket := bucket_of(start, buckets[start])).runs]

    def changes(self, *, after: int, limit: int) -> list[Change]:
        with self._usable():
            changed = [run for run in map(self._runs.__getitem__, self._runs) if run.seq > after]
            newest = [Change(seq=run.seq, run=run.id, root=run.root) for run in changed]
            self._gone = {root: seq for root, seq in self._gone.items() if root in self._buried}
            newest += [
                Change(seq=seq, run=root, root=root, deleted=True) for root, seq in self._gone.items() if seq > after
            ]
            return nsmallest(limit, newest, key=lambda change: change.seq)

    # -- for the store, under its lock --

    def moved(self, was: FlowRun | None, run: FlowRun) -> None:
        """Count a root run where it is now."""
        if was is not None and (was.state_type, was.started, was.ended) == (run.state_type, run.started, run.ended):
            return
        counts = RunCounts()
        if was is not None:
            counts.went(was)
        counts.came(run)
        self._count(counts)

    def gone(self, run: FlowRun, seq: int) -> None:
        """Count a root run out; it was deleted."""
        counts = RunCounts()
        counts.went(run)
        self._count(counts)
        self._gone[run.id] = seq

    def _count(self, counts: RunCounts) -> None:
        for flow, hour, state, n, microseconds in counts.by_hour():
            _add(self._by_hour.setdefault((flow, hour), {}), state, n, microseconds)
        for flow, state, n, microseconds in counts.by_flow():
            _add(self._by_flow.setdefault(flow, {}), state, n, microseconds)

    def _summary(self, name: str) -> FlowSummary | None:
        ids = reversed(self._runs.ids)
        newest = next((run for id in ids if (run := self._runs[id]).flow == name and run.is_root), None)
        if newest is None:
            return None
        return summary_of(name, newest.id, newest.created, self._by_flow.get(name, {}))


def fits(run: FlowRun, which: RunFilter) -> bool:
    """Tell whether a run is one of those asked for, as far as that is not told by its terms."""
    text = _lower(which.text)
    return (
        (not which.roots_only or run.is_root)
        and which.flow in ("", run.flow)
        and which.holder in ("", run.holder)
        and (bool(run.holder) or not which.held)
        and (not which.states or run.state_type in which.states)
        and (not which.since or run.created >= which.since)
        and (not which.until or run.created < which.until)
        and any(text in _lower(place) for place in (run.name, run.flow, run.id))
    )


def _add(states: dict[str, _Entry], state: str, n: int, microseconds: int) -> None:
    entry = states.setdefault(str(state), [0, 0])
    entry[0] += n
    entry[1] += microseconds


def _lower(text: str) -> bytes:
    """Return text without capital letters, of which databases know those of ASCII."""
    return text.encode("utf-8", "surrogatepass").lower()
