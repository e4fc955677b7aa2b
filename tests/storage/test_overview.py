"""The overview in databases: plans of its queries, databases of before it, and writers of PostgreSQL side by side."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import apsw
import psycopg
import pytest

from nadi.model.runs import RunFilter
from nadi.storage.contract import Refusal
from nadi.storage.contracts.overview import HOUR
from nadi.storage.fold import Before, fold
from nadi.storage.paging import Bounds, Index, Of, bounds_of
from nadi.storage.postgres import PostgresStore
from nadi.storage.postgres.overview import fill
from nadi.storage.sqlite import SqliteStore
from nadi.storage.sqlite.overview import look_statement
from nadi.storage.terms import search_terms, wanted_terms
from tests.postgres import server
from tests.storage.old_databases import old_database
from tests.storage.telling import T0, S, Writer, an_id, flow_begun, flow_moved, log_line

# -- terms and bounds --


def test_terms_of_parameters_are_the_same_however_their_json_is_written() -> None:
    terms = search_terms((), b'{"grid": {"b": [1, 2], "a": "x"}}')

    assert terms == set(wanted_terms(RunFilter(parameters=(("grid", ' {"a":"x","b":[1,2]} '),))))


@pytest.mark.parametrize("parameters", [b"no json", b"[1]", b"", b"[" * 100_000])
def test_parameters_that_are_no_json_object_give_no_terms(parameters: bytes) -> None:
    assert search_terms((), parameters) == set()


def test_a_tag_is_no_parameter_of_the_same_text() -> None:
    assert search_terms(("a=1",), b"{}").isdisjoint(wanted_terms(RunFilter(parameters=(("a", "1"),))))


def test_a_range_of_times_is_a_range_of_ids_with_a_minute_to_spare() -> None:
    bounds = bounds_of(RunFilter(since=T0 + 3600, until=T0 + 7200), "", "")

    assert an_id(3600 - 61) < bounds.after < an_id(3600 - 59)
    assert an_id(7200 + 59) < bounds.before < an_id(7200 + 61)


@pytest.mark.parametrize("at", [-1.0, float("inf"), float("-inf"), float("nan"), 1e12])
def test_a_record_of_a_time_that_is_none_is_refused(at: float) -> None:
    changes = fold([flow_begun(an_id(1), at=at), flow_begun(an_id(2))], 1, Before({}, {}))

    assert [(refused.root, refused.why) for refused in changes.refused] == [(an_id(1), Refusal.INVALID)]
    assert [row.id for row in changes.flows] == [an_id(2)]


# -- plans --

PLANS = {
    Of.ALL_RUNS: "SEARCH flow_run USING INDEX sqlite_autoindex_flow_run_1 (id<?)",
    Of.ROOTS: "SEARCH flow_run USING COVERING INDEX flow_run_roots (id<?)",
    Of.FLOW: "SEARCH flow_run USING COVERING INDEX flow_run_flow (flow=? AND id<?)",
    Of.ROOTS_OF_FLOW: "SEARCH flow_run USING COVERING INDEX flow_run_roots_of_flow (flow=? AND id<?)",
    Of.TERM: "SEARCH run_term USING PRIMARY KEY (term=? AND id<?)",
    Of.STATE: "SEARCH flow_run USING COVERING INDEX flow_run_state (state=? AND id<?)",
    Of.HOLDER: "SEARCH flow_run USING COVERING INDEX flow_run_holder (holder=? AND id<?)",
}


@pytest.mark.parametrize("of", Of)
def test_each_way_to_a_page_is_read_from_its_index_alone_and_in_order(tmp_path: Path, of: Of) -> None:
    path = tmp_path / "nadi.db"
    SqliteStore(path).close()
    sql, values = look_statement(Index(of, "x"), Bounds("", an_id(1)), 100, text="y")

    plan = [row[3] for row in apsw.Connection(str(path)).execute(f"EXPLAIN QUERY PLAN {sql}", values)]

    assert PLANS[of] in plan
    assert not [step for step in plan if "TEMP B-TREE" in step]


# -- databases of before --


def test_the_runs_of_a_database_of_before_are_counted_and_found_when_it_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "nadi.db"
    old_database(path, 5, runs=3)
    edited = apsw.Connection(str(path))
    edited.execute("UPDATE flow_run SET tags = ?, parameters = ? WHERE id = ?", ('["prod"]', b'{"x": 1}', an_id(2)))
    edited.close()

    store = SqliteStore(path)

    flow = store.overview.flow("nightly")
    assert flow is not None
    assert (flow.newest, flow.runs) == (an_id(3), {"COMPLETED": 3})
    assert [bucket.runs for bucket in store.overview.history(since=T0, until=T0 + HOUR)] == [{"COMPLETED": 3}]
    for which in (RunFilter(tags=("prod",)), RunFilter(parameters=(("x", "1"),))):
        assert [run.id for run in store.overview.page(which, limit=5).runs] == [an_id(2)]
    store.close()


# -- PostgreSQL --


@pytest.fixture
def url(tmp_path: Path) -> str:
    return server().fresh(owner=tmp_path)


@pytest.fixture
def postgres(url: str) -> Iterator[PostgresStore]:
    store = PostgresStore(url)
    yield store
    store.close()


def test_writers_of_one_flow_do_not_wait_for_each_other(postgres: PostgresStore, url: str) -> None:
    Writer(postgres, "first").tell(flow_begun(an_id(1)))
    done = threading.Event()

    def tell() -> None:
        Writer(postgres, "second").tell(flow_begun(an_id(2)), flow_moved(an_id(2), S.COMPLETED))
        done.set()

    # Another session has counted a run of the same flow and hour, and has not committed.
    with psycopg.connect(url) as slow:
        for table, key in (("run_count", "flow, hour, state"), ("flow_count", "flow, state")):
            slow.execute(
                f"INSERT INTO {table} ({key}, part, n, microseconds) SELECT {key}, pg_backend_pid(), 1, 0"
                f" FROM {table} WHERE flow = 'nightly'".encode()
            )
        thread = threading.Thread(target=tell)
        thread.start()
        arrived = done.wait(3.0)
        thread.join()
        slow.rollback()

    assert arrived
    flow = postgres.overview.flow("nightly")
    assert flow is not None
    assert flow.runs == {"COMPLETED": 1, "RUNNING": 1}


def test_no_reader_of_changes_goes_past_a_transaction_that_is_open(postgres: PostgresStore, url: str) -> None:
    Writer(postgres, "first").tell(flow_begun(an_id(1)))
    before = postgres.last_change()

    with psycopg.connect(url) as slow:
        slow.execute("SELECT pg_current_xact_id()")
        Writer(postgres, "second").tell(log_line(an_id(1), "later"))
        meanwhile = postgres.overview.changes(after=before, limit=10)
        slow.commit()

    assert meanwhile == []
    assert [change.run for change in postgres.overview.changes(after=before, limit=10)] == [an_id(1)]


def test_counts_of_many_sessions_are_folded_into_one_row_each_and_stay_what_they_are(tmp_path: Path, url: str) -> None:
    for n in range(4):
        store = PostgresStore(url)
        writer = Writer(store, f"writer-{n}")
        writer.tell(flow_begun(an_id(n)), flow_moved(an_id(n), S.COMPLETED, at=T0 + 5))
        store.close()
    store = PostgresStore(url)
    before = store.overview.flow("nightly"), store.overview.history(since=T0, until=T0 + HOUR)

    deadline = time.monotonic() + 10
    with psycopg.connect(url) as connection:
        while time.monotonic() < deadline:  # a session that was closed takes a moment to go
            store.retention.fold_counts(rows=100)
            (parts,) = connection.execute("SELECT count(DISTINCT part) FROM flow_count").fetchone() or (0,)
            if parts == 1:
                break

    assert parts == 1
    assert (store.overview.flow("nightly"), store.overview.history(since=T0, until=T0 + HOUR)) == before
    assert before[0] is not None
    assert before[0].runs == {"COMPLETED": 4}
    store.close()


def test_the_runs_of_an_older_postgresql_database_are_counted(tmp_path: Path, url: str) -> None:
    store = PostgresStore(url)
    Writer(store, "w").tell(flow_begun(an_id(1), tags=("a",), at=T0), flow_moved(an_id(1), S.FAILED, at=T0 + 2))
    told = store.overview.flow("nightly"), store.overview.history(since=T0, until=T0 + HOUR)
    with psycopg.connect(url) as connection:
        connection.execute("TRUNCATE run_count, flow_count, run_term")

    store._database.transact(fill)

    assert (store.overview.flow("nightly"), store.overview.history(since=T0, until=T0 + HOUR)) == told
    assert [run.id for run in store.overview.page(RunFilter(tags=("a",)), limit=5).runs] == [an_id(1)]
    store.close()
