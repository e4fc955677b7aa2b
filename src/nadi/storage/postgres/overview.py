"""Pages, counts, history and changes in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil
from typing import Any

import msgspec

from nadi.model.runs import FlowRun, RunFilter
from nadi.model.states import StateType
from nadi.storage import paging
from nadi.storage.contracts.overview import (
    HOUR,
    WINDOW,
    Change,
    FlowSummary,
    HistoryBucket,
    Overview,
    RunPage,
    bucket_of,
    summary_of,
)
from nadi.storage.fold import Changes, FlowRow
from nadi.storage.listing import Where, escape_like, fits, has_text
from nadi.storage.named_queries import named_queries
from nadi.storage.paging import Bounds, Index, Look, Of
from nadi.storage.postgres import rows
from nadi.storage.postgres.bulk import Bulk
from nadi.storage.postgres.database import COMPLETE_BEFORE, Connection, Database, execute, fetch
from nadi.storage.postgres.listing import with_marks
from nadi.storage.run_counts import RunCounts, took
from nadi.storage.terms import search_terms, wanted_terms

_SQL = named_queries("postgres/overview.sql")
_READING = named_queries("postgres/reading.sql")
#: Of given ids. They are read first (no condition crosses OFFSET 0): the planner takes `id = root` for rare, and
#: would rather read all runs of a flow.
_OF_IDS = "FROM (SELECT * FROM flow_run WHERE id = ANY(%s::text[]) OFFSET 0) AS flow_run WHERE"
_RUNS_OF_IDS = _READING["flow_runs"].replace("FROM flow_run WHERE", _OF_IDS)
_BRIEF_RUNS_OF_IDS = _READING["brief_flow_runs"].replace("FROM flow_run WHERE", _OF_IDS)
_CHANGES = _SQL["changes"].replace("{complete}", COMPLETE_BEFORE)
_add_run_counts = Bulk(_SQL["add_run_counts"], "titii")
_add_flow_counts = Bulk(_SQL["add_flow_counts"], "ttii")
_put_terms = Bulk(_SQL["put_terms"], "tt")
_forget_terms = Bulk(_SQL["forget_terms"], "tt")

_texts = msgspec.json.Decoder(tuple[str, ...]).decode

#: Condition of each index, and which statement looks at it.
_INDEXES = {
    Of.ALL_RUNS: ("true", "look_at_runs"),
    Of.ROOTS: ("id = root", "look_at_runs"),
    Of.FLOW: ("flow = %s", "look_at_ids"),
    Of.ROOTS_OF_FLOW: ("id = root AND flow = %s", "look_at_runs"),
    Of.TERM: ("term = %s", "look_at_terms"),
    # The first part says nothing new, but opens the index that leaves the many completed ones out.
    Of.STATE: ("state <> 'COMPLETED' AND state = %s", "look_at_ids"),
    Of.HOLDER: ("holder <> '' AND holder = %s", "look_at_ids"),
}


class PostgresOverview(Overview):
    """See the contract."""

    def __init__(self, database: Database) -> None:
        self._database = database

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
        with self._database.read() as connection:
            return paging.page(
                which,
                limit=limit,
                before=before,
                after=after,
                window=window,
                brief=brief,
                look=_looking(connection, which),
                read=_reading(connection, which),
            )

    def flows(self, *, text: str = "", after: str = "", limit: int) -> list[FlowSummary]:
        where, values = "flow > %s", [after]
        if text:
            where += " AND flow ILIKE %s ESCAPE '!'"
            values.append(f"%{escape_like(text)}%")
        with self._database.read() as connection:
            names = fetch(connection, _SQL["flow_names"].replace("{where}", where), [*values, limit])
            return _summaries(connection, [name for (name,) in names])

    def flow(self, name: str) -> FlowSummary | None:
        with self._database.read() as connection:
            found = _summaries(connection, [name])
            return found[0] if found else None

    def history(self, *, since: float, until: float, step: int = HOUR, flow: str = "") -> list[HistoryBucket]:
        buckets: dict[int, dict[str, tuple[int, int]]] = {}
        values = {"step": step, "flow": flow, "since": int(since) // step * step, "until": ceil(until)}
        with self._database.read() as connection:
            for start, state, n, microseconds in fetch(connection, _SQL["history"], values):
                buckets.setdefault(start, {})[state] = (n, microseconds)
        return [bucket_of(start, states) for start, states in buckets.items()]

    def changes(self, *, after: int, limit: int) -> list[Change]:
        with self._database.read() as connection:
            found = fetch(connection, _CHANGES, {"after": after, "limit": limit})
        return [Change(seq=seq, run=run, root=root, deleted=gone) for seq, run, root, gone in found]


# -- within the write transaction that is open, and with the root runs locked --


def note_changes(connection: Connection, changes: Changes) -> None:
    """Keep counts and terms in step with a batch; before its flow runs are written."""
    add_counts(connection, changes.run_counts)
    begun = [row for row in changes.flows if row.begun is not None and row.id == row.root]
    if begun:
        _note_terms(connection, begun)


def note_moved(connection: Connection, run: FlowRun, state: StateType) -> None:
    """Count a root run, given as it stood, in a state in which it has not ended."""
    counts = RunCounts()
    counts.went(run)
    counts.add(run.flow, run.created, state, 0)
    add_counts(connection, counts)


def forget_runs(connection: Connection, runs: Sequence[str]) -> None:
    """Forget counts and terms of root runs; before they are deleted."""
    counts, terms = _counts_and_terms(fetch(connection, _SQL["root_runs"], (list(runs),)), n=-1)
    add_counts(connection, counts)
    _forget_terms.run(connection, terms)


def fold_counts(connection: Connection, most: int) -> int:
    """Fold counts that no session adds to any more into one row each, at most so many; returns how many went."""
    folded = int(fetch(connection, _SQL["fold_run_counts"], (most,))[0][0])
    folded += int(fetch(connection, _SQL["fold_flow_counts"], (most,))[0][0])
    for query in ("forget_run_counts", "forget_flow_counts"):
        folded += execute(connection, _SQL[query], (most,))
    return folded


def fill(connection: Connection) -> None:
    """Make counts and terms of all runs that are there already: for a database that had none."""
    last = ""
    while page := fetch(connection, _SQL["all_root_runs"], (last,)):
        counts, terms = _counts_and_terms(page)
        add_counts(connection, counts)
        _put_terms.run(connection, terms)
        last = page[-1][0]


def add_counts(connection: Connection, counts: RunCounts) -> None:
    """Add differences to the counts, in rows that only this session writes."""
    if counts:
        _add_run_counts.run(connection, _summed(counts.by_hour()))
        _add_flow_counts.run(connection, _summed(counts.by_flow()))


def _counts_and_terms(found: Iterable[tuple[Any, ...]], n: int = 1) -> tuple[RunCounts, list[tuple[str, str]]]:
    """Return what rows of root runs count for, and their terms."""
    counts = RunCounts()
    terms: list[tuple[str, str]] = []
    for id, flow, created, state, started, ended, tags, parameters in found:
        counts.add(flow, created, StateType(state), took(StateType(state), started, ended), n)
        terms += [(term, id) for term in search_terms(_texts(tags), parameters)]
    return counts, terms


def _summed(counts: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Sum counts whose flows have one name once it is as short as rows bear it."""
    found: dict[tuple[Any, ...], list[int]] = {}
    for flow, *rest, n, microseconds in counts:
        entry = found.setdefault((rows.indexable(flow), *rest), [0, 0])
        entry[0] += n
        entry[1] += microseconds
    return [(*key, *entry) for key, entry in found.items()]


def _note_terms(connection: Connection, begun: Sequence[FlowRow]) -> None:
    again = [row.id for row in begun if row.was is not None]
    standing: dict[str, set[str]] = {}
    if again:
        for id, tags, parameters in fetch(connection, _SQL["standing_terms"], (again,)):
            standing[id] = search_terms(_texts(tags), parameters)
    new: list[tuple[str, str]] = []
    gone: list[tuple[str, str]] = []
    for row in begun:
        assert row.begun is not None
        terms, there = search_terms(row.begun.tags, row.begun.parameters), standing.get(row.id, set())
        new += [(term, row.id) for term in terms - there]
        gone += [(term, row.id) for term in there - terms]
    _put_terms.run(connection, new)
    _forget_terms.run(connection, gone)


# -- reading, in detail --


def _looking(connection: Connection, which: RunFilter) -> paging.LookAt:
    def look(index: Index, bounds: Bounds, most: int) -> Look:
        count, oldest, ids = fetch(connection, *look_statement(index, bounds, most, text=which.text))[0]
        return Look(count, oldest or "", ids)

    return look


def look_statement(index: Index, bounds: Bounds, most: int, *, text: str = "") -> tuple[str, list[Any]]:
    """Return the statement that looks at an index, and its parameters."""
    condition, query = _INDEXES[index.of]
    where, values = [condition], [index.value] if "%s" in condition else []
    for bound, value in (("id > %s", bounds.after), ("id < %s", bounds.before)):
        if value:
            where.append(bound)
            values.append(value)
    narrow, narrow_values = _in_postgres(has_text(text)) if text and query == "look_at_runs" else ("true", [])
    sql = _SQL[query].replace("{where}", " AND ".join(where)).replace("{narrow}", narrow)
    return sql, [*narrow_values, *values, most]


def _reading(connection: Connection, which: RunFilter) -> paging.Read:
    where, values = _in_postgres(fits(which, wanted_terms(which) if which.roots_only else []))

    def read(ids: Sequence[str], most: int, brief: bool) -> list[FlowRun]:
        sql = (_BRIEF_RUNS_OF_IDS if brief else _RUNS_OF_IDS).replace("{where}", f"{where} ORDER BY id DESC LIMIT %s")
        found = fetch(connection, sql, [list(ids), *values, most])
        return list(map(rows.brief_flow_run if brief else rows.flow_run, found))

    return read


def _in_postgres(which: Where) -> Where:
    where, values = which
    # LIKE of SQLite does not tell small letters from capital ones.
    return with_marks(where).replace(" LIKE ", " ILIKE "), values


def _summaries(connection: Connection, names: Sequence[str]) -> list[FlowSummary]:
    newest = {name: (id, at) for name, id, at in fetch(connection, _SQL["newest_runs"], (list(names),))}
    states: dict[str, dict[str, tuple[int, int]]] = {}
    for name, state, n, microseconds in fetch(connection, _SQL["flows"], (list(names),)):
        states.setdefault(name, {})[state] = (n, microseconds)
    return [summary_of(name, *newest[name], states.get(name, {})) for name in names if name in newest]
