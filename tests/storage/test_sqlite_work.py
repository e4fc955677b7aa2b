"""Work in SQLite: that nothing is half done, and that nobody reads rows for which there is an index."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from nadi.storage.named_queries import named_queries
from nadi.storage.sqlite import SqliteStore
from nadi.storage.sqlite.work import open_work_statement
from nadi.storage.work_rows import SCHEDULE_COLUMNS, WORK_COLUMNS
from tests.storage.deploying import NIGHTLY, a_run, a_tick, a_version, enqueue, every, firing, take, the_schedule
from tests.storage.telling import T0, an_id


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(tmp_path / "nadi.db")
    yield made
    made.close()


def plan(store: SqliteStore, sql: str) -> str:
    """Return how SQLite carries out a statement, whichever values it is given."""
    numbered = [int(n) for n in re.findall(r"\?([1-9])", sql)]
    values = [None] * max(numbered, default=sql.count("?"))
    connection = apsw.Connection(store.url.removeprefix("sqlite:///"))
    try:
        return "\n".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values))
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("line", "work_line (queue=? AND priority=? AND (due,run)>(?,?) AND due<?)"),
        ("under_way", "work_taken"),
        ("anything_due", "work_due (due<?)"),
        ("next_due", "work_due (due>?)"),
        ("taken_by", "work_taken (worker=?)"),
        ("waiting_in_queues", "work_line"),
        ("running_in_queues", "work_taken"),
    ],
)
def test_what_workers_ask_all_the_time_is_answered_from_an_index(store: SqliteStore, query: str, index: str) -> None:
    assert f"USING COVERING INDEX {index}" in plan(store, named_queries("work.sql")[query])


def test_the_next_queue_is_looked_up_and_what_waits_in_one_is_not_read(store: SqliteStore) -> None:
    told = plan(store, named_queries("work.sql")["lines"])

    assert "work_line (queue=? AND priority<?)" in told
    assert "work_line (queue>?)" in told


@pytest.mark.parametrize(
    ("which", "index"),
    [
        ({}, "SCAN work USING INDEX work_open"),
        ({"deployment": "d"}, "work_open (deployment=?)"),
        ({"deployment": "d", "waiting": True}, "work_open (deployment=?)"),
        ({"queue": "q", "waiting": True}, "work_line (queue=?)"),
        ({"waiting": False}, "SCAN work USING INDEX work_taken"),
        ({"worker": "w"}, "work_taken (worker=?)"),
    ],
)
def test_open_work_is_found_without_reading_what_has_ended(
    store: SqliteStore, which: dict[str, Any], index: str
) -> None:
    sql, _ = open_work_statement(**which)

    assert index in plan(store, sql)


@pytest.mark.parametrize(("file", "query"), [("schedules.sql", "is_at_work"), ("deployments.sql", "newest_at_work")])
def test_whether_a_deployment_has_open_work_is_found_without_reading_what_has_ended(
    store: SqliteStore, file: str, query: str
) -> None:
    assert "work_open (deployment=?)" in plan(store, named_queries(file)[query])


@pytest.mark.parametrize(
    ("where", "index"),
    [
        ("deployment = ? AND run < ? ORDER BY run DESC LIMIT ?", "work_deployment (deployment=? AND run<?)"),
        ("deployment = ? AND backfill <> '' AND backfill = ? ORDER BY run DESC LIMIT ?", "work_backfill (backfill=?)"),
        ("deployment = ? AND schedule <> '' AND schedule = ? ORDER BY run DESC LIMIT ?", "work_schedule (deployment=?"),
    ],
)
def test_the_runs_of_a_deployment_are_read_in_their_order(store: SqliteStore, where: str, index: str) -> None:
    sql = named_queries("work.sql")["work"].replace("{columns}", WORK_COLUMNS)

    told = plan(store, sql.replace("{index}", "").replace("{where}", where))

    assert index in told
    assert "B-TREE" not in told


def test_due_schedules_are_found_in_their_order_without_reading_the_others(store: SqliteStore) -> None:
    where = "active = 1 AND next > 0 AND next <= ? ORDER BY next, deployment, name LIMIT ?"
    sql = named_queries("schedules.sql")["schedules"].replace("{schedule}", SCHEDULE_COLUMNS)

    told = plan(store, sql.replace("{where}", where))

    assert "schedule_next (next>? AND next<?)" in told
    assert "B-TREE" not in told


def test_of_runs_asked_for_together_all_are_made_or_none(store: SqliteStore) -> None:
    with pytest.raises(OverflowError):
        store.work.enqueue([a_run(1), a_run(2, priority=1 << 70)])

    assert store.flow_run(an_id(1)) is None
    assert store.work.open_work() == []


def test_of_firings_in_one_call_all_are_carried_out_or_none(store: SqliteStore) -> None:
    store.deployments.deploy(a_version(NIGHTLY, every()), now=T0)

    with pytest.raises(OverflowError):
        store.schedules.fire([firing(store, a_tick(1, a_run(1)), a_tick(2, a_run(2, priority=1 << 70)))], now=T0)

    assert (the_schedule(store).cursor, store.schedules.ticks(NIGHTLY)) == (T0, [])
    assert store.flow_run(an_id(1)) is None


def test_two_who_opened_the_file_each_for_themselves_share_the_work(store: SqliteStore, tmp_path: Path) -> None:
    enqueue(store, a_run(1), a_run(2))
    other = SqliteStore(tmp_path / "nadi.db")

    shares = (take(other, "w2"), take(store, "w1"), take(other, "w2"))
    other.close()

    assert shares == ([an_id(1)], [an_id(2)], [])
