"""Retention: finished runs whose time is over are removed, in small steps."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator

import msgspec

from nadi.model.retention import FINAL_STATES, RetentionRule, rule_for
from nadi.model.states import StateType
from nadi.model.text import plural
from nadi.storage.collecting import LONGEST_SPOOL_AGE, collect
from nadi.storage.contract import Store
from nadi.storage.results import ResultStorage

#: Runs that are buried in one transaction, and rows that are swept in one: each keeps writers waiting for a few
#: milliseconds.
BURIED_AT_ONCE = 20
SWEPT_AT_ONCE = 2_000
#: Seconds between two steps, for writers that wait in line.
BREATH = 0.01
#: Seconds between two rounds.
PAUSE = 600.0
#: Seconds that entries of the audit log are kept.
AUDIT_TERM = 400 * 86400.0
#: Flows read at a time.
_PAGE = 200
_OVER = object()

_log = logging.getLogger("nadi.services")


class Removed(msgspec.Struct):
    """What a round of retention removed."""

    runs: int = 0
    rows: int = 0
    #: Result files.
    files: int = 0


class DueRuns(msgspec.Struct, frozen=True):
    """Runs of a flow in a state whose time is over."""

    flow: str
    state: StateType
    rule: RetentionRule
    #: At most as many ids as are asked for.
    runs: list[str]


def due_runs(store: Store, *, now: float, limit: int = BURIED_AT_ONCE) -> Iterator[DueRuns]:
    """Yield what the rules say is to go, flow by flow and state by state; nothing where no rule holds.

    Raises:
        StoreError: the store cannot be used.
    """
    rules = store.retention.rules()
    if not any(rule.age is not None for rule in rules):
        return
    for flow in _flows(store):
        for state in FINAL_STATES:
            rule = rule_for(rules, flow, state)
            if rule is not None and rule.age is not None:
                runs = store.retention.ended_runs(flow, state, before=now - rule.age, limit=limit)
                if runs:
                    yield DueRuns(flow, state, rule, runs)


def _flows(store: Store) -> Iterator[str]:
    after = ""
    while page := store.overview.flows(after=after, limit=_PAGE):
        yield from (flow.name for flow in page)
        after = page[-1].name


def steps(store: Store, results: ResultStorage, removed: Removed, *, now: float) -> Iterator[None]:
    """Remove every run whose time is over, with its rows, and the result files that nothing names any more.

    Yields after each small step, so that others have their turn and whoever drives it may stop there: what is left is
    found again. Result files of a deleted run go when a journal that might still name them cannot be there any more.

    Args:
        store: Where the runs are.
        results: Where their result files are.
        removed: What was removed so far, added to here.
        now: Unix seconds.

    Raises:
        StoreError: the store cannot be used.
        OSError: the result storage cannot be used.
    """
    yield from _sweeping(store, removed)
    for due in due_runs(store, now=now):
        assert due.rule.age is not None
        runs = due.runs
        # Where none could be buried somebody else was faster, and the next round sees what is left.
        while runs and (buried := store.retention.bury(runs, now=now)):
            removed.runs += len(buried)
            yield
            yield from _sweeping(store, removed)
            runs = store.retention.ended_runs(due.flow, due.state, before=now - due.rule.age, limit=BURIED_AT_ONCE)
    removed.files += collect(store, results, now).files
    yield
    while store.retention.forget_tombstones(before=now - 2 * LONGEST_SPOOL_AGE, limit=1000):
        yield
    while store.retention.fold_counts(rows=1000):
        yield
    while store.access.forget_audit(before=now - AUDIT_TERM, limit=1000):
        yield


def _sweeping(store: Store, removed: Removed) -> Iterator[None]:
    while rows := store.retention.sweep(rows=SWEPT_AT_ONCE):
        removed.rows += rows
        yield


def remove_due(store: Store, results: ResultStorage, *, now: float) -> Removed:
    """Take all `steps` now, with a breath after each.

    Raises:
        StoreError: the store cannot be used.
        OSError: the result storage cannot be used.
    """
    removed = Removed()
    for _ in steps(store, results, removed, now=now):
        time.sleep(BREATH)
    return removed


class Retention:
    """The service that keeps stores small: a round now and then, of one step at a time."""

    name = "retention"

    def __init__(self, store: Store, results: ResultStorage, *, now: Callable[[], float] = time.time) -> None:
        self._store, self._results, self._now = store, results, now
        self._steps: Iterator[None] | None = None
        self._removed = Removed()

    def step(self, now_monotonic: float) -> float:
        """Take one step; returns the seconds until the next."""
        if self._steps is None:
            self._removed = Removed()
            self._steps = steps(self._store, self._results, self._removed, now=self._now())
        going_on, self._steps = self._steps, None
        if next(going_on, _OVER) is not _OVER:
            self._steps = going_on
            return BREATH
        if self._removed.runs or self._removed.files:
            runs, files = plural(self._removed.runs, "run"), plural(self._removed.files, "result file")
            _log.info("Removed %s and %s whose time was over.", runs, files)
        return PAUSE


def delete_run(store: Store, run: str, *, now: float) -> bool:
    """Delete one finished root run, however large, without keeping writers waiting; `False` when it was not there.

    Raises:
        RunTaken: the run is not finished.
    """
    if not store.retention.bury([run], now=now):
        return store.delete_run(run, now=now)
    for _ in _sweeping(store, Removed()):
        time.sleep(BREATH)
    return True
