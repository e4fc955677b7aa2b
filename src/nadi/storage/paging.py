"""How a page of runs is found: through the index that reaches furthest back, looking at a bounded number of rows.

Every store asks its indexes in the same way. Each is a list of ids in order, of the runs that have one thing: a flow, a
tag, a state. Of those that a filter could go through, the one whose newest `window` entries reach furthest back is
the one that leaves out most; where they all end, so does the page, and says where to go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import NamedTuple

import msgspec

from nadi.model.ids import uuid7
from nadi.model.runs import FlowRun, RunFilter
from nadi.model.states import StateType
from nadi.storage.contracts.overview import RunPage, brief_run
from nadi.storage.terms import has_terms, wanted_terms

#: Ids bear the time at which they were made, which may differ a little from the one that is recorded.
_SLACK = 60.0


class Of(Enum):
    """What an index holds the ids of."""

    ALL_RUNS = "all runs"
    ROOTS = "root runs"
    FLOW = "runs of a flow"
    ROOTS_OF_FLOW = "root runs of a flow"
    TERM = "root runs with a term"
    STATE = "runs in a state that is not COMPLETED"
    HOLDER = "runs of a holder"


class Index(NamedTuple):
    """One way to the runs of a filter."""

    of: Of
    #: The flow, term, state or holder.
    value: str = ""


class Look(NamedTuple):
    """What the newest entries of an index are."""

    #: How many there were, at most as many as were asked for.
    rows: int
    #: The smallest id among them; "" when there were none.
    oldest: str
    #: The ids that fit as far as the index itself can tell, in any order.
    ids: Sequence[str]


class Bounds(NamedTuple):
    """Ids that come into question: greater than `after`, and smaller than `before` unless that is ""."""

    after: str
    before: str


#: Looks at the newest so many entries of an index within bounds.
LookAt = Callable[[Index, Bounds, int], Look]
#: Reads those of the runs with these ids that fit, at most so many, newest first, briefly or whole. Terms count for
#: root runs only.
Read = Callable[[Sequence[str], int, bool], list[FlowRun]]


class _Reach(msgspec.Struct):
    """How far one index, or several that stand side by side, reach back."""

    ids: set[str]
    #: Nothing older was looked at; "" when there is nothing older.
    floor: str


def page(
    which: RunFilter,
    *,
    limit: int,
    before: str,
    after: str,
    window: int,
    brief: bool,
    look: LookAt,
    read: Read,
    only: Sequence[Index] = (),
) -> RunPage:
    """Return a page; see `Overview.page`.

    Args:
        which: Which runs.
        limit: The most to return.
        before: Only ids smaller than this.
        after: Only ids greater than this.
        window: How many rows to look at.
        brief: Whether the runs are told briefly.
        look: Looks at an index of the store.
        read: Reads runs from the store.
        only: The ways that the store knows, where it does not know all.
    """
    bounds = bounds_of(which, before, after)
    ways = [[index] for index in only] or ways_to(which)
    rows = limit + 1 if len(ways) == 1 and _says_all(ways[0], which) else max(window, 1)
    reaches = [_reach(way, bounds, rows, look) for way in ways]
    chosen = min(reaches, key=lambda reach: reach.floor)
    ids = [id for id in chosen.ids if all(id in other.ids or id < other.floor for other in reaches)]
    runs = _fitting(sorted(ids, reverse=True), which, limit + 1, read, brief=brief)
    if len(runs) > limit:
        return RunPage(runs=runs[:limit], next=runs[limit - 1].id if limit else before)
    return RunPage(runs=runs, next=chosen.floor)


def ways_to(which: RunFilter) -> list[list[Index]]:
    """Return the ways to the runs of a filter, the narrowest guess first; each is one or more indexes side by side."""
    ways: list[list[Index]] = []
    if which.holder:
        ways.append([Index(Of.HOLDER, which.holder)])
    if which.roots_only:
        ways += [[Index(Of.TERM, term)] for term in wanted_terms(which)]
    if which.states and StateType.COMPLETED not in which.states:
        ways.append([Index(Of.STATE, state) for state in dict.fromkeys(which.states)])
    if which.flow:
        ways.append([Index(Of.ROOTS_OF_FLOW if which.roots_only else Of.FLOW, which.flow)])
    return ways or [[Index(Of.ROOTS if which.roots_only else Of.ALL_RUNS)]]


def bounds_of(which: RunFilter, before: str, after: str) -> Bounds:
    """Return the ids between which the runs of a filter lie: nothing outside of its time range is ever looked at."""
    if 0.0 < which.since < _LAST_TIME:
        after = max(after, uuid7(max(0.0, which.since - _SLACK), 0))
    if 0.0 < which.until < _LAST_TIME:
        until = uuid7(which.until + _SLACK, 0)
        before = min(before, until) if before else until
    return Bounds(after, before)


#: What an id can bear: 48 bits of milliseconds, with some room.
_LAST_TIME = float(1 << 47) / 1000.0


def _says_all(way: list[Index], which: RunFilter) -> bool:
    """Tell whether every run of a way fits the filter, so that nobody has to look further than the page is long."""
    index = way[0]
    shown = RunFilter(roots_only=which.roots_only)
    if index.of in (Of.ROOTS_OF_FLOW, Of.FLOW):
        shown = RunFilter(roots_only=which.roots_only, flow=which.flow)
    elif index.of is Of.TERM:
        shown = RunFilter(tags=which.tags, parameters=which.parameters)
    elif index.of not in (Of.ROOTS, Of.ALL_RUNS):
        return False
    return shown == which


def _reach(way: list[Index], bounds: Bounds, rows: int, look: LookAt) -> _Reach:
    each = max(1, rows // len(way))
    found = [look(index, bounds, each) for index in way]
    floor = max((one.oldest for one in found if one.rows >= each), default="")
    return _Reach({id for one in found for id in one.ids if id >= floor}, floor)


def _fitting(ids: Sequence[str], which: RunFilter, wanted: int, read: Read, *, brief: bool) -> list[FlowRun]:
    """Read the runs that fit, newest first, in growing steps: mostly the first few are enough."""
    terms = [] if which.roots_only else wanted_terms(which)
    found: list[FlowRun] = []
    for chunk in _growing(ids, wanted):
        if terms:  # parameters are terms, and no brief run has any
            whole = (run for run in read(chunk, len(chunk), False) if has_terms(run, terms))
            found += map(brief_run, whole) if brief else whole
        else:
            found += read(chunk, wanted - len(found), brief)
        if len(found) >= wanted:
            break
    return found[:wanted]


def _growing(ids: Sequence[str], first: int) -> Iterable[Sequence[str]]:
    done, size = 0, first
    while done < len(ids):
        yield ids[done : done + size]
        done, size = done + size, 2 * size
