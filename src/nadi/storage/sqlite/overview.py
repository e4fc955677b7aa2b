"""Pages, counts, history and changes in SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import apsw
import msgspec

from nadi.model.runs import FlowRun, RunFilter
from nadi.model.states import StateType
from nadi.storage import listing, paging
from nadi.storage import run_rows as rows
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
from nadi.storage.named_queries import named_queries
from nadi.storage.paging import Bounds, Index, Look, Of
from nadi.storage.run_counts import RunCounts, hour_of, took
from nadi.storage.sqlite.bulk import Bulk
from nadi.storage.sqlite.database import Database, fetch
from nadi.storage.terms import search_terms, wanted_terms

_SQL = named_queries("overview.sql")
_READING = named_queries("reading.sql")
_add_run_counts = Bulk(_SQL["add_run_counts"], 6)
_add_flow_counts = Bulk(_SQL["add_flow_counts"], 5)
_put_terms = Bulk(_SQL["put_terms"], 2)

#: Here one writer at a time counts, so all is one part.
_PART = 0
_read_texts = msgspec.json.Decoder(list[str]).decode

#: Condition of each index, and which statement looks at it.
_INDEXES = {
    Of.ALL_RUNS: ("true", "look_at_runs"),
    Of.ROOTS: ("id = root", "look_at_runs"),
    Of.FLOW: ("flow = ?", "look_at_ids"),
    Of.ROOTS_OF_FLOW: ("id = root AND flow = ?", "look_at_runs"),
    Of.TERM: ("term = ?", "look_at_terms"),
    # The first part says nothing new, but opens the index that leaves the many completed ones out.
    Of.STATE: ("state <> 'COMPLETED' AND state = ?", "look_at_ids"),
    Of.HOLDER: ("holder <> '' AND holder = ?", "look_at_ids"),
}


class SqliteOverview(Overview):
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
        where, values = "flow > ?", [after]
        if text:
            where += " AND flow LIKE ? ESCAPE '!'"
            values.append(f"%{listing.escape_like(text)}%")
        with self._database.read() as connection:
            names = fetch(connection, _SQL["flow_names"].replace("{where}", where), [*values, limit])
            return _summaries(connection, [name for (name,) in names])

    def flow(self, name: str) -> FlowSummary | None:
        with self._database.read() as connection:
            found = _summaries(connection, [name])
            return found[0] if found else None

    def history(self, *, since: float, until: float, step: int = HOUR, flow: str = "") -> list[HistoryBucket]:
        buckets: dict[int, dict[str, tuple[int, int]]] = {}
        with self._database.read() as connection:
            values = (step, flow, int(since) // step * step, until)
            for start, state, n, microseconds in fetch(connection, _SQL["history"], values):
                buckets.setdefault(start, {})[state] = (n, microseconds)
        return [bucket_of(start, states) for start, states in buckets.items()]

    def changes(self, *, after: int, limit: int) -> list[Change]:
        with self._database.read() as connection:
            found = fetch(connection, _SQL["changes"], (after, limit))
        return [Change(seq=seq, run=run, root=root, deleted=bool(gone)) for seq, run, root, gone in found]


# -- within the write transaction that is open --


def note_changes(connection: apsw.Connection, changes: Changes) -> None:
    """Keep counts and terms in step with a batch; before its flow runs are written."""
    add_counts(connection, changes.run_counts)
    begun = [row for row in changes.flows if row.begun is not None and row.id == row.root]
    if begun:
        _note_terms(connection, begun)


def note_moved(connection: apsw.Connection, run: FlowRun, state: StateType) -> None:
    """Count a root run, given as it stood, in a state in which it has not ended."""
    counts = RunCounts()
    counts.went(run)
    counts.add(run.flow, run.created, state, 0)
    add_counts(connection, counts)


def forget_run(connection: apsw.Connection, run: str) -> None:
    """Forget counts and terms of a root run; before it is deleted."""
    for flow, created, state, started, ended, tags, parameters in fetch(connection, _SQL["root_run"], (run,)):
        counts = RunCounts()
        counts.add(flow, created, StateType(state), took(StateType(state), started, ended), -1)
        add_counts(connection, counts)
        terms = search_terms(rows.unpack_texts(tags), parameters)
        connection.execute(_SQL["forget_terms"], (run, rows.pack_texts(list(terms))))
        connection.execute(_SQL["forget_run_counts"], (flow, hour_of(created)))
        connection.execute(_SQL["forget_flow_counts"], (flow,))


def fold_counts(connection: apsw.Connection, most: int) -> int:
    """Remove counts of nothing, at most so many; returns how many went."""
    connection.execute(_SQL["fold_run_counts"], (most,))
    return connection.changes()


def fill(connection: apsw.Connection) -> None:
    """Make counts and terms of all runs that are there already: for a database that had none."""
    last = ""
    while page := fetch(connection, _SQL["all_root_runs"], (last,)):
        counts, terms = RunCounts(), []
        for id, flow, created, state, started, ended, tags, parameters in page:
            counts.add(flow, created, StateType(state), took(StateType(state), started, ended))
            terms += [(term, id) for term in search_terms(rows.unpack_texts(tags), parameters)]
        add_counts(connection, counts)
        _put_terms.run(connection, terms)
        last = page[-1][0]


def add_counts(connection: apsw.Connection, counts: RunCounts) -> None:
    """Add differences to the counts."""
    if counts:
        _add_run_counts.run(connection, [(*key, _PART, n, took) for *key, n, took in counts.by_hour()])
        _add_flow_counts.run(connection, [(*key, _PART, n, took) for *key, n, took in counts.by_flow()])


def _note_terms(connection: apsw.Connection, begun: Sequence[FlowRow]) -> None:
    again = [row.id for row in begun if row.was is not None]
    standing: dict[str, set[str]] = {}
    if again:
        for id, tags, parameters in fetch(connection, _SQL["standing_terms"], (rows.pack_texts(again),)):
            standing[id] = search_terms(rows.unpack_texts(tags), parameters)
    new: list[tuple[str, str]] = []
    for row in begun:
        assert row.begun is not None
        terms, there = search_terms(row.begun.tags, row.begun.parameters), standing.get(row.id, set())
        new += [(term, row.id) for term in terms - there]
        if there - terms:
            connection.execute(_SQL["forget_terms"], (row.id, rows.pack_texts(list(there - terms))))
    _put_terms.run(connection, new)


# -- reading, in detail --


def _looking(connection: apsw.Connection, which: RunFilter) -> paging.LookAt:
    def look(index: Index, bounds: Bounds, most: int) -> Look:
        count, oldest, ids = fetch(connection, *look_statement(index, bounds, most, text=which.text))[0]
        return Look(count, oldest or "", _read_texts(ids))

    return look


def look_statement(index: Index, bounds: Bounds, most: int, *, text: str = "") -> tuple[str, list[Any]]:
    """Return the statement that looks at an index, and its parameters."""
    condition, query = _INDEXES[index.of]
    where, values = [condition], [index.value] if "?" in condition else []
    for bound, value in (("id > ?", bounds.after), ("id < ?", bounds.before)):
        if value:
            where.append(bound)
            values.append(value)
    narrow, narrow_values = listing.has_text(text) if text and query == "look_at_runs" else ("true", [])
    sql = _SQL[query].replace("{where}", " AND ".join(where)).replace("{narrow}", narrow)
    return sql, [*narrow_values, *values, most]


def _reading(connection: apsw.Connection, which: RunFilter) -> paging.Read:
    where, values = listing.fits(which, wanted_terms(which) if which.roots_only else [])
    of_ids = f"id IN (SELECT value FROM json_each(?)) AND {where} ORDER BY id DESC LIMIT ?"

    def read(ids: Sequence[str], most: int, brief: bool) -> list[FlowRun]:
        sql = _READING["brief_flow_runs" if brief else "flow_runs"].replace("{where}", of_ids)
        found = fetch(connection, sql, [rows.pack_texts(list(ids)), *values, most])
        return list(map(rows.brief_flow_run if brief else rows.flow_run, found))

    return read


def _summaries(connection: apsw.Connection, names: Sequence[str]) -> list[FlowSummary]:
    packed = rows.pack_texts(list(names))
    newest = {name: (id, created) for name, id, created in fetch(connection, _SQL["newest_runs"], (packed,))}
    states: dict[str, dict[str, tuple[int, int]]] = {}
    for name, state, n, microseconds in fetch(connection, _SQL["flows"], (packed,)):
        states.setdefault(name, {})[state] = (n, microseconds)
    return [summary_of(name, *newest[name], states.get(name, {})) for name in names if name in newest]
