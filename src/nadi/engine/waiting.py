"""Outermost runs that wait, each with its reason: what stands still, for whom, and what is late.

Which runs wait follows from their states; why one waits is computed as `nadi why` does, for those that are shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec

from nadi.engine.explaining import about_pauses, about_run
from nadi.engine.limit_reasons import reasons_of_limits
from nadi.engine.run_inputs import open_pauses
from nadi.engine.shapes import RunShape, run_shape
from nadi.model.holders import Holder
from nadi.model.runs import FlowRun, RunFilter, when
from nadi.model.states import StateType
from nadi.storage.contract import Store

#: The newest runs that are looked at, of those that wait and of those that run.
MOST_WAITING = 1_000
MOST_RUNNING = 200
#: Runs of which a subflow run is paused that are looked up.
MOST_SUBFLOWS = 50
#: Seconds after which a run that nobody has begun is late.
LATE = 60.0

_NOT_BEGUN = (StateType.SCHEDULED, StateType.PENDING)
_WAITING = (*_NOT_BEGUN, StateType.PAUSED)


class WaitingRun(msgspec.Struct, frozen=True, kw_only=True):
    """An outermost run that waits."""

    run: RunShape
    #: Since when.
    since: datetime | None
    #: From when on it is late, which may be to come; `null` where nothing says by when it should go on.
    late_from: datetime | None
    #: Sentences that say what it waits for.
    why: list[str]


class WaitingRuns(msgspec.Struct, frozen=True, kw_only=True):
    """Outermost runs that wait."""

    #: Those that are late first, then the one that has waited longest.
    waiting: list[WaitingRun]
    #: How many wait besides those that are given.
    more: int
    #: Whether there are more runs than were looked at; then `more` counts those that were.
    is_cut: bool


class _Found(msgspec.Struct):
    run: FlowRun
    since: float
    late_from: float = 0.0

    def order(self, now: float) -> tuple[bool, float, str]:
        return not 0 < self.late_from <= now, self.since, self.run.id


def waiting_runs(store: Store, *, observer: Holder, limit: int, now: float) -> WaitingRuns:
    """Return outermost runs that wait, with what each waits for.

    A run waits if it has not begun, is paused or has a subflow run that is, is to be entered again after a delay, or
    stands in line for a limit itself. One that runs and of which tasks wait is not among them.

    Args:
        store: Where they are.
        observer: The process that looks: it can tell whether processes of its machine live.
        limit: The most to return.
        now: Unix seconds.
    """
    page = store.overview.page(
        RunFilter(states=_WAITING, roots_only=False), limit=MOST_WAITING, window=len(_WAITING) * MOST_WAITING
    )
    found = {one.run.id: one for one in (*_in_line(store), *_with_paused_subflows(store, page.runs))}
    found |= {run.id: _Found(run, run.state_at, _late_from(run)) for run in page.runs if run.is_root}
    inorder = sorted(found.values(), key=lambda one: one.order(now))
    shown = inorder[:limit]
    for one in shown:
        deadlines = [pause.deadline for pause in open_pauses(store, one.run) if pause.deadline]
        one.late_from = min([one.late_from, *deadlines] if one.late_from else deadlines, default=0.0)
    return WaitingRuns(
        waiting=[
            WaitingRun(
                run=run_shape(one.run, now=now),
                since=when(one.since),
                late_from=when(one.late_from),
                why=list(_why(store, one.run, observer, now)),
            )
            for one in sorted(shown, key=lambda one: one.order(now))
        ],
        more=len(inorder) - len(shown),
        is_cut=bool(page.next),
    )


def _in_line(store: Store) -> Iterator[_Found]:
    """Yield runs that are RUNNING and wait all the same: by the name of their state, or for a limit."""
    claims = store.limits.claims() if store.limits.limits() else []
    lines = {one.root: one.at for one in claims if one.root and not one.task and not one.held}
    page = store.overview.page(RunFilter(states=(StateType.RUNNING,)), limit=MOST_RUNNING, window=MOST_RUNNING)
    for run in page.runs:
        if run.id in lines or run.state_name.startswith("Awaiting"):
            yield _Found(run, lines.get(run.id, run.state_at))


def _with_paused_subflows(store: Store, runs: list[FlowRun]) -> Iterator[_Found]:
    paused = {run.root: run.state_at for run in runs if not run.is_root and run.state_type is StateType.PAUSED}
    for id, since in list(paused.items())[:MOST_SUBFLOWS]:
        root = store.flow_run(id)
        if root is not None and not root.is_final:
            yield _Found(root, since)


def _late_from(run: FlowRun) -> float:
    # What is entered again after a delay has been begun, and how long the delay is nobody has recorded.
    return run.state_at + LATE if run.state_type in _NOT_BEGUN and run.state_name != "AwaitingRetry" else 0.0


def _why(store: Store, run: FlowRun, observer: Holder, now: float) -> Iterator[str]:
    if run.state_type is not StateType.RUNNING:
        yield from about_run(store, run, run, observer, now)
    else:  # that it runs is no reason
        yield from about_pauses(store, run, now)
    yield from reasons_of_limits(store, run, observer=observer, now=now)
