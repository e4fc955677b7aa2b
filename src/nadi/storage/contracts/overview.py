"""What people look at first: pages of runs, flows with their counts, history, and what changed.

Every answer is bounded by what is asked for, not by how much the store holds: pages look at a bounded number of
rows and say where to go on, and counts are kept when they change and never scanned.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import msgspec

from nadi.model.runs import FlowRun, RunFilter

#: Rows that one page looks at, at most, to find those that fit.
WINDOW = 1_000
#: Seconds that counts are kept by.
HOUR = 3_600
#: What a brief page tells of a run; all else is as in a run that recorded nothing of it.
BRIEF = (
    *("id", "root", "parent", "flow", "name", "attempt", "token", "state_type", "state_name", "message", "state_at"),
    *("created", "started", "ended", "tags", "version", "holder", "seq"),
)


class RunPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some runs, newest first, and where to go on."""

    runs: list[FlowRun]
    #: Give this as `before` for the next page; "" when there is nothing older. A page may have fewer runs than asked
    #: for, or none, and go on: then it looked at as many rows as one page may.
    next: str = ""


class FlowSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One flow, by what its root runs came to."""

    name: str
    #: Id of its newest root run, and when that was made.
    newest: str
    newest_at: float
    #: How many of its root runs are in which state now, by type name; only states with some.
    runs: dict[str, int]
    #: Seconds that its finished root runs took, all together, by the type name of their state.
    seconds: dict[str, float]


class HistoryBucket(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the root runs that were made within some hours."""

    #: Unix seconds; a whole multiple of the step that was asked for.
    start: int
    #: How many are in which state now, by type name; only states with some.
    runs: dict[str, int]
    #: Seconds that the finished ones took, all together.
    seconds: float = 0.0


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Something about one flow run is new, in the order in which the store came to know it."""

    seq: int
    #: The flow run and its root; what belongs to it (task runs, logs, counts) may be what is new.
    run: str
    root: str
    #: Whether the run was deleted.
    deleted: bool = False


class Overview(ABC):
    """Part of a store; as thread-safe as that, with the same errors."""

    @abstractmethod
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
        """Return a page of flow runs, newest first.

        Args:
            which: Which ones.
            limit: The most to return.
            before: Only ids smaller than this (keyset: the `next` of the page before).
            after: Only ids greater than this.
            window: How many rows to look at, at most. Which ones is the choice of the index that reaches furthest
                back with so many: of all runs, of a flow, of a tag, of a parameter's value, of states but COMPLETED.
            brief: Tell of each run no more than `BRIEF`: a run has tens of kilobytes of source text, and who only
                looks at states and times should not read it.
        """

    @abstractmethod
    def flows(self, *, text: str = "", after: str = "", limit: int) -> list[FlowSummary]:
        """Return flows that have root runs, by name, only names greater than `after` and that contain `text`."""

    @abstractmethod
    def flow(self, name: str) -> FlowSummary | None:
        """Return the flow with exactly this name."""

    @abstractmethod
    def history(self, *, since: float, until: float, step: int = HOUR, flow: str = "") -> list[HistoryBucket]:
        """Return buckets of root runs by the time they were made, oldest first, only those that have some.

        Args:
            since: Unix seconds; the bucket that it lies in is the first.
            until: Unix seconds; buckets that begin at or after it are left out.
            step: Seconds a bucket: whole hours. Buckets begin at multiples of it, so days are those of UTC.
            flow: Only runs of this flow; all flows together when empty.
        """

    @abstractmethod
    def changes(self, *, after: int, limit: int) -> list[Change]:
        """Return what changed after this change number, oldest first, each flow run once, where it changed last.

        Complete up to the last one returned: no change with a smaller number will ever come to light. Runs that were
        deleted are told for as long as their tombstones last.
        """


def brief_run(run: FlowRun) -> FlowRun:
    """Return a run as a brief page tells it."""
    return FlowRun(**{field: getattr(run, field) for field in BRIEF})


def summary_of(name: str, newest: str, newest_at: float, states: Mapping[str, Sequence[int]]) -> FlowSummary:
    """Return a flow from its runs and microseconds by state."""
    return FlowSummary(
        name=name,
        newest=newest,
        newest_at=newest_at,
        runs={state: n for state, (n, _) in sorted(states.items()) if n},
        seconds={state: micro / 1_000_000 for state, (n, micro) in sorted(states.items()) if n and micro},
    )


def bucket_of(start: int, states: Mapping[str, Sequence[int]]) -> HistoryBucket:
    """Return a bucket from its runs and microseconds by state."""
    return HistoryBucket(
        start=start,
        runs={state: n for state, (n, _) in sorted(states.items()) if n},
        seconds=sum(micro for _, micro in states.values()) / 1_000_000,
    )
