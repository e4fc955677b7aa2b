"""Failures grouped by error, so that a hundred runs that failed alike are one line.

Two runs failed alike if they are of one flow, ended in one state, and say the same but for what differs from run to
run: numbers, ids, quoted values. Grouping looks at nothing but the runs it is given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

import msgspec

from nadi.model.runs import FlowRun, RunFilter, when
from nadi.model.states import StateType
from nadi.model.text import shorten
from nadi.storage.contract import Store

#: The newest failed runs that are looked at.
MOST_RUNS = 1_000
#: Runs that a group names.
MOST_NAMED = 5
#: Characters of a message that count, and that a group shows.
_COMPARED = 500
_SHOWN = 500

_FAILED = (StateType.FAILED, StateType.CRASHED)

#: What differs from run to run, in the order in which it is folded: what is longer goes first. Each pattern looks at a
#: character a bounded number of times, since messages come from anywhere.
_QUOTED = re.compile(r"(?<!\w)(?:'[^'\n]*'|\"[^\"\n]*\"|`[^`\n]*`)(?!\w)")
_UUID = re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.IGNORECASE)
_HEX = re.compile(r"\b(?:0x[0-9a-f]+|(?=[a-f]*\d)[0-9a-f]{8,})\b", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(?:[.,:\-]\d+)*")
_SPACE = re.compile(r"\s+")


class NamedRun(msgspec.Struct, frozen=True):
    """A run that a group names."""

    id: str
    name: str


class FailureGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Runs of one flow that failed alike."""

    flow: str
    state: str
    #: What the newest of them says; the beginning of it.
    message: str
    count: int
    #: When the first and the last of them failed.
    first: datetime | None
    last: datetime | None
    #: When each failed, for drawing: Unix seconds, newest first.
    times: list[int]
    #: The newest ones.
    runs: list[NamedRun]


class Failures(msgspec.Struct, frozen=True, kw_only=True):
    """Root runs that failed or crashed, grouped by error."""

    #: The one that failed last is first.
    groups: list[FailureGroup]
    #: How many runs were grouped, and how many groups there are beyond those that are given.
    runs: int
    more_groups: int
    #: Only runs made since then were looked at, as there are too many; `null` when all of the time asked for were.
    looked_back_to: datetime | None


def failures(store: Store, *, since: float, until: float, flow: str, limit: int) -> Failures:
    """Return root runs that were made in a time and have failed or crashed, grouped by error.

    Args:
        store: Where they are.
        since: Unix seconds; 0 for no bound.
        until: Unix seconds, not included; 0 for no bound.
        flow: Only runs of this flow, unless empty.
        limit: The most groups to return.
    """
    which = RunFilter(flow=flow, states=_FAILED, since=since, until=until)
    # A page shares its window among the states, and there may be none in the other one.
    page = store.overview.page(which, limit=MOST_RUNS, window=len(_FAILED) * MOST_RUNS, brief=True)
    groups = grouped(page.runs)
    # Where the page stopped, which may be far behind the last one that fits.
    last = store.flow_run(page.next) if page.next else None
    looked_back_to = last.created if last is not None else page.runs[-1].created if page.runs and page.next else 0.0
    return Failures(
        groups=groups[:limit],
        runs=len(page.runs),
        more_groups=max(0, len(groups) - limit),
        looked_back_to=when(looked_back_to),
    )


def grouped(runs: Iterable[FlowRun]) -> list[FailureGroup]:
    """Return runs that failed, those that failed alike together; the group in which one failed last is first."""
    alike: dict[tuple[str, str, str], list[FlowRun]] = {}
    for run in runs:
        alike.setdefault((run.flow, run.state_type, normalised(run.message)), []).append(run)
    for group in alike.values():
        group.sort(key=_failed_at, reverse=True)
    return [_group(group) for group in sorted(alike.values(), key=lambda group: _failed_at(group[0]), reverse=True)]


def normalised(message: str) -> str:
    """Return a message without what differs from run to run: `row 812 has no price` as `row # has no price`."""
    text = _QUOTED.sub("'…'", message[:_COMPARED])
    for pattern in (_UUID, _HEX, _NUMBER):
        text = pattern.sub("#", text)
    return _SPACE.sub(" ", text).strip()


def _failed_at(run: FlowRun) -> float:
    return run.ended or run.state_at or run.created


def _group(runs: list[FlowRun]) -> FailureGroup:
    newest = runs[0]
    return FailureGroup(
        flow=newest.flow,
        state=newest.state_type,
        message=shorten(newest.message, _SHOWN),
        count=len(runs),
        first=when(_failed_at(runs[-1])),
        last=when(_failed_at(newest)),
        times=[int(_failed_at(run)) for run in runs],
        runs=[NamedRun(run.id, run.name) for run in runs[:MOST_NAMED]],
    )
