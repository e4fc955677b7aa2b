"""Outermost runs that wait, each with its reason: what stands still, for whom, and what is late.

Which runs wait follows from their states; why one waits is computed as `nadi why` does, for those that are shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice

import msgspec

from nadi.engine.explaining import about_pauses, about_run
from nadi.engine.limit_reasons import Lines
from nadi.engine.shapes import RunShape, run_shape
from nadi.engine.work_reasons import WorkReasons, is_for_workers
from nadi.model.holders import Holder
from nadi.model.runs import FlowRun, RunFilter, when
from nadi.model.states import StateType
from nadi.model.work import Work
from nadi.storage.contract import Store

#: The newest runs that are looked at, of those that wait and of those that run.
MOST_WAITING = 1_000
MOST_RUNNING = 1_000
#: Older ones that run and wait all the same, such as in line for a limit, that are looked up one by one.
MOST_LOOKED_UP = 50
#: The most sentences about one run, of which any number of tasks may wait.
MOST_REASONS = 20
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
    #: Told briefly.
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
    which = RunFilter(states=_WAITING, roots_only=False)
    page = store.overview.page(which, limit=MOST_WAITING, window=len(_WAITING) * MOST_WAITING, brief=True)
    lines = Lines(store, observer=observer, now=now)
    running, is_whole = _running(store, {**_paused_below(page.runs), **lines.since()}, page.runs)
    works = store.work.work([run.id for run in page.runs if run.is_root and run.state_type is StateType.SCHEDULED])
    waiting = [_Found(run, run.state_at, _late_from(run, works.get(run.id))) for run in page.runs if run.is_root]
    found = {one.run.id: one for one in (*waiting, *running)}
    _note_deadlines(store, found, page.runs)
    inorder = sorted(found.values(), key=lambda one: one.order(now))
    shown = inorder[:limit]
    return WaitingRuns(
        waiting=list(_told(store, shown, lines, observer, now)),
        more=len(inorder) - len(shown),
        is_cut=bool(page.next) or not is_whole,
    )


def _paused_below(runs: Sequence[FlowRun]) -> dict[str, float]:
    """Return root runs of which a subflow run is paused, with the moment from which on one has been."""
    found: dict[str, float] = {}
    for run in runs:
        if not run.is_root and run.state_type is StateType.PAUSED:
            found[run.root] = min(run.state_at, found.get(run.root, run.state_at))
    return found


def _running(store: Store, since: dict[str, float], waiting: Sequence[FlowRun]) -> tuple[list[_Found], bool]:
    """Return those of some root runs that run, and whether none of them was left out.

    Args:
        store: The store.
        since: The root runs, and since when each waits in spite of it.
        waiting: Runs of which it is known that they do not run.
    """
    wanted = since.keys() - {run.id for run in waiting}
    if not wanted:
        return [], True
    # Those that are asked for one by one are asked for in full; most are among the newest.
    page = store.overview.page(
        RunFilter(states=(StateType.RUNNING,)), limit=MOST_RUNNING, window=MOST_RUNNING, brief=True
    )
    there = {run.id: run for run in page.runs if run.id in wanted}
    others = sorted(wanted - there.keys(), key=lambda id: since[id])
    for id in others[:MOST_LOOKED_UP]:
        run = store.flow_run(id)
        if run is not None and not run.is_final:
            there[id] = run
    return [_Found(run, since[id]) for id, run in there.items()], len(others) <= MOST_LOOKED_UP


def _note_deadlines(store: Store, found: dict[str, _Found], runs: Sequence[FlowRun]) -> None:
    """Note by when answers are due, also of those that will not be shown: what is late is shown before the rest."""
    paused = {run.id: run for run in runs if run.state_type is StateType.PAUSED}
    roots = sorted({run.root for run in paused.values()} & found.keys())
    for pause in store.inputs.open_pauses(roots) if roots else ():
        asker, one = paused.get(pause.run), found[pause.root]
        # What was asked before the run last began is not what it waits for.
        if pause.deadline and asker is not None and pause.at >= asker.started:
            one.late_from = min(one.late_from or pause.deadline, pause.deadline)


def _late_from(run: FlowRun, work: Work | None) -> float:
    if work is not None and is_for_workers(run, work):
        return work.due + LATE
    # What is entered again after a delay has been begun, and how long the delay is nobody has recorded.
    return run.state_at + LATE if run.state_type in _NOT_BEGUN and run.state_name != "AwaitingRetry" else 0.0


def _told(store: Store, shown: Sequence[_Found], lines: Lines, observer: Holder, now: float) -> Iterator[WaitingRun]:
    works = store.work.work([one.run.id for one in shown])
    reasons = WorkReasons(store, now=now) if works else None
    for one in shown:
        run = store.flow_run(one.run.id)
        if run is None or run.state_type is not one.run.state_type:  # it has gone on, or away, since it was found
            continue
        work = works.get(run.id)
        for_workers: list[str] = []
        if reasons is not None and work is not None and is_for_workers(run, work):
            for_workers = list(reasons.reasons(run, work))
        yield WaitingRun(
            run=run_shape(run, now=now),
            since=when(one.since),
            late_from=when(one.late_from),
            why=list(islice(_why(store, run, lines, observer, now, for_workers), MOST_REASONS)),
        )


def _why(
    store: Store, run: FlowRun, lines: Lines, observer: Holder, now: float, for_workers: Sequence[str]
) -> Iterator[str]:
    if run.state_type is not StateType.RUNNING:
        yield from about_run(store, run, run, observer, now, for_workers=for_workers)
    else:  # that it runs is no reason
        yield from about_pauses(store, run, now)
    yield from lines.reasons(run)
