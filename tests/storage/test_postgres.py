"""What only the PostgreSQL store has to promise: opening, its schema, text, plans that use indexes, change numbers."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from nadi.exceptions import SettingError, StoreReadOnly, StoreTooNew, StoreUnavailable, ValueRefused
from nadi.model.runs import RunFilter, Variable
from nadi.storage import listing
from nadi.storage.contract import Applied, Refusal, Refused
from nadi.storage.named_queries import named_queries
from nadi.storage.opening import open_store, shown_url, store_url
from nadi.storage.postgres import PostgresStore, applying, database, ending
from nadi.storage.postgres.bulk import Bulk
from nadi.storage.postgres.database import Database, next_changes
from nadi.storage.postgres.listing import complete, with_marks
from nadi.storage.postgres.rows import LONGEST_INDEXED
from nadi.storage.schema import SCHEMA_VERSION
from nadi.storage.sqlite import SqliteStore
from tests.postgres import server
from tests.storage.telling import S, Writer, an_id, artifact_made, flow_begun, log_line, metric_logged, task_begun

ROOT, TASK = an_id(1), an_id(10)
CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return server().fresh(owner=tmp_path)


@pytest.fixture
def store(url: str) -> Iterator[PostgresStore]:
    with opened(url) as made:
        yield made


@contextlib.contextmanager
def opened(url: str, *, patience: float = 5.0) -> Iterator[PostgresStore]:
    made = PostgresStore(url, patience=patience)
    try:
        yield made
    finally:
        made.close()


def edit(url: str, sql: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(sql.encode())
        return cursor.fetchall() if cursor.description else []


# -- opening --


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_a_url_opens_the_database_that_it_names(url: str, scheme: str, tmp_path: Path) -> None:
    given = url.replace("postgresql", scheme)

    store = open_store(given, home=tmp_path)

    assert isinstance(store, PostgresStore)
    assert store.shared
    assert store.url == store_url(given, tmp_path) == shown_url(given)
    store.close()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ada:secret@db.example:5432/nadi", "postgresql://db.example:5432/nadi"),
        ("postgresql://ada:a@b@db.example/nadi?sslmode=require&password=secret", "postgresql://db.example/nadi"),
        ("postgresql:///nadi?host=/run/postgresql&password=secret", "postgresql:///nadi?host=/run/postgresql"),
        ("postgresql://one:5432,two:5432/nadi", "postgresql://one:5432,two:5432/nadi"),
    ],
)
def test_the_url_for_people_names_the_place_and_nobodys_password(url: str, shown: str) -> None:
    assert shown_url(url) == shown


def test_a_url_that_cannot_be_read_is_one_sentence_without_the_password() -> None:
    with pytest.raises(SettingError, match="cannot be read") as refused:
        PostgresStore("postgresql://ada:secret@host:port:wrong/nadi?what=1")

    assert "secret" not in str(refused.value)


def test_without_the_library_one_sentence_says_what_to_install(tmp_path: Path) -> None:
    code = """
import sys
sys.modules["psycopg"] = None
from nadi.storage.opening import open_store
try:
    open_store("postgresql://host/nadi", home=sys.argv[1])
except Exception as error:
    print(type(error).__name__, error)
"""
    environ = os.environ | {"PYTHONPATH": str(CHECKOUT / "src")}

    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], env=environ, text=True, capture_output=True, check=True
    )

    assert done.stdout.startswith("SettingError")
    assert "pip install 'nadi[postgres]'" in done.stdout


def test_those_who_open_an_empty_database_at_once_make_one(tmp_path: Path) -> None:
    url = server().empty(owner=tmp_path)

    def open_it(_: int) -> tuple[str, bytes]:
        with opened(url) as store:
            return store.id, store.signing_key

    with ThreadPoolExecutor(6) as pool:
        identities = set(pool.map(open_it, range(6)))

    assert len(identities) == 1
    assert edit(url, "SELECT number FROM migration ORDER BY number") == [(n + 1,) for n in range(SCHEMA_VERSION)]


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    url = server().empty(owner=tmp_path)
    edit(url, "CREATE TABLE meta (version INTEGER)")

    with pytest.raises(StoreUnavailable, match="belongs to another program"):
        PostgresStore(url)

    assert edit(url, "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace") == [("meta",)]


def test_a_database_of_a_newer_nadi_that_does_not_accept_this_one_says_to_upgrade(url: str) -> None:
    edit(url, f"UPDATE meta SET schema_version = {SCHEMA_VERSION + 2}, oldest_writer = {SCHEMA_VERSION + 1}")

    with pytest.raises(StoreTooNew, match="pip install -U nadi"):
        PostgresStore(url)


def test_a_database_of_a_newer_nadi_that_accepts_this_one_is_written_to_and_stays_newer(url: str) -> None:
    edit(url, f"UPDATE meta SET schema_version = {SCHEMA_VERSION + 1}")

    with opened(url) as store:
        Writer(store).tell(flow_begun(ROOT))

    assert edit(url, "SELECT schema_version FROM meta") == [(SCHEMA_VERSION + 1,)]


def test_a_database_that_keeps_other_text_is_one_sentence(tmp_path: Path) -> None:
    url = server().empty(owner=tmp_path)
    name = url.rpartition("/")[2]
    edit(server().url("postgres"), f"DROP DATABASE {name}")
    edit(server().url("postgres"), f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'")

    with pytest.raises(StoreUnavailable, match="keeps text as SQL_ASCII"):
        PostgresStore(url)


@pytest.mark.parametrize(("part", "other"), [("nadi:secret", "nobody:secret"), ("/test_", "/no_test_")])
def test_a_refused_connection_is_told_at_once_and_without_the_password(url: str, part: str, other: str) -> None:
    began = time.monotonic()

    with pytest.raises(StoreUnavailable, match=r"does not exist\. Check NADI_DATABASE_URL") as refused:
        PostgresStore(url.replace(part, other), patience=30.0)

    assert "secret" not in str(refused.value)
    assert time.monotonic() - began < 20


def test_a_copy_that_is_read_only_can_be_read(url: str, store: PostgresStore) -> None:
    Writer(store).tell(flow_begun(ROOT))

    with opened(url + "?options=-cdefault_transaction_read_only%3Don") as copy:
        found = copy.flow_run(ROOT)

        assert found is not None
        with pytest.raises(StoreReadOnly, match="read-only"):
            Writer(copy, "writer-2").tell(flow_begun(an_id(2)))


# -- text and numbers --


def test_a_nul_character_comes_back_as_its_symbol_and_is_found_by_itself(store: PostgresStore) -> None:
    Writer(store).tell(flow_begun(ROOT, name="a\x00b", tags=("t\x00", 'q"\\')), log_line(ROOT, "c\x00d"))
    store.set_variable(Variable(name="v\x00", value=b"1", tags=(), updated=0.0), overwrite=False)

    found = store.find_flow_runs("a\x00b")

    assert [(run.name, run.tags) for run in found] == [("a␀b", ("t\x00", 'q"\\'))]
    assert store.logs(ROOT)[0].text == "c␀d"
    assert store.variable("v\x00") is not None


def test_text_that_no_encoding_has_is_refused_as_sqlite_refuses_it(store: PostgresStore, tmp_path: Path) -> None:
    record = flow_begun(ROOT, name="\ud800")

    applied = Writer(store).tell(record)

    assert applied == Applied(1, (Refused(1, ROOT, 1, Refusal.INVALID),))
    assert applied == Writer(SqliteStore(tmp_path / "nadi.db")).tell(record)


def test_numbers_come_back_as_they_were(store: PostgresStore) -> None:
    values = [0.1 + 0.2, -0.0, 1e-320, 1.7976931348623157e308, float("inf"), float("nan")]

    Writer(store).tell(flow_begun(ROOT), *(metric_logged(ROOT, "loss", value) for value in values))

    assert [repr(found.value) for found in store.metrics(ROOT)] == [repr(value) for value in values]


def test_a_name_too_long_for_an_index_is_cut(store: PostgresStore) -> None:
    # Random enough not to be pressed into less.
    name = "".join(chr(0x4E00 + (n * n * 7919) % 20_000) for n in range(10_000))

    Writer(store).tell(
        flow_begun(ROOT, name=name, flow=name), artifact_made(ROOT, TASK, key=name), metric_logged(ROOT, name, 1.0)
    )

    (found,) = store.flow_runs(RunFilter(), limit=10)
    assert found.name == found.flow == store.metrics(ROOT)[0].key == name[:LONGEST_INDEXED]


def test_a_variable_whose_name_no_index_takes_is_refused_with_one_sentence(store: PostgresStore) -> None:
    long = Variable(name="n" * (LONGEST_INDEXED + 1), value=b"1", tags=(), updated=0.0)

    with pytest.raises(ValueRefused, match="301 characters, and in PostgreSQL 300 are allowed"):
        store.set_variable(long, overwrite=True)


# -- plans --


@pytest.mark.parametrize("query", sorted(set(named_queries("postgres/apply.sql")) - {"await_turn", "stand"}))
def test_no_statement_that_writes_a_batch_scans_a_table_of_runs(store: PostgresStore, query: str) -> None:
    sql = named_queries("postgres/apply.sql")[query]
    for name, bulk in (vars(ending) | vars(applying)).items():
        if isinstance(bulk, Bulk) and name == f"_{query}":
            sql = bulk.sql
    values: list[object] = ["w", 1] if query == "set_watermark" else ["{}"] * sql.count("%s")

    plan = explained(store, sql, values)

    assert scans(plan) == []


@pytest.mark.parametrize(
    "which",
    [
        ("flow_runs", listing.runs_by_id("01", limit=10)),
        ("flow_runs", ("name = ? ORDER BY id DESC LIMIT ?", ["n", 10])),
        ("flow_runs", listing.waiting_runs(["f"], state=S.SCHEDULED, after="", limit=10)),
        ("task_runs", listing.task_runs("r", run="", states=(), after="a", changed_after=-1, limit=10)),
        ("task_runs", complete(listing.task_runs("r", run="", states=(), after="", changed_after=0, limit=1))),
        ("task_runs", listing.task_runs("r", run="", states=(S.FAILED,), after="", changed_after=-1, limit=10)),
        ("logs", listing.logs("r", run="", task="", level=0, after=1, limit=10)),
        ("logs", listing.logs("r", run="", task="", level=40, limit=10, newest=True)),
        ("artifacts", listing.artifacts(root="", key="k", limit=10)),
        ("metrics", listing.metrics("r", key="k", after=0, limit=10)),
    ],
)
def test_lists_use_an_index_and_do_not_grow_with_history(
    store: PostgresStore, which: tuple[str, listing.Where]
) -> None:
    query, (where, values) = which
    sql = named_queries("postgres/reading.sql")[query].replace("{where}", with_marks(where))

    plan = explained(store, sql, values)

    assert scans(plan) == []


def explained(store: PostgresStore, sql: str, values: list[object]) -> str:
    with store._database.read() as connection:
        lines = database.fetch(connection, "EXPLAIN " + sql, values)
    return "\n".join(line for (line,) in lines)


def scans(plan: str) -> list[str]:
    return re.findall(r"Seq Scan on (?:flow_run|task_run|log|metric|artifact|attempt|writer|superseded)\b", plan)


# -- change numbers --


def test_no_reader_passes_a_transaction_that_is_still_open(url: str, store: PostgresStore) -> None:
    early, late = an_id(11), an_id(12)
    writer = Writer(store)
    writer.tell(flow_begun(ROOT))
    before = store.last_change()
    slow = Database(url, patience=5.0)

    with slow.write() as connection:
        (number,) = next_changes(connection)
        writer.tell(task_begun(ROOT, early), task_begun(ROOT, late))
        meanwhile = (
            store.last_change(),
            store.task_runs(ROOT, changed_after=before),
            store.overview.changes(after=before, limit=10),
        )
        seen_anyhow = [run.id for run in store.task_runs(ROOT)]
    after = store.last_change()
    slow.close()

    assert meanwhile == (before, [], [])
    assert seen_anyhow == [early, late]
    assert number < after
    assert [run.id for run in store.task_runs(ROOT, changed_after=before)] == [early, late]
    assert [change.run for change in store.overview.changes(after=before, limit=10)] == [ROOT]


def test_a_transaction_of_another_database_changes_no_number(url: str, store: PostgresStore, tmp_path: Path) -> None:
    Writer(store).tell(flow_begun(ROOT))
    before = store.last_change()

    edit(server().empty(owner=tmp_path), "CREATE TABLE other (a INTEGER)")

    assert store.last_change() == before


def test_change_numbers_go_on_growing_after_the_database_moved_to_a_server_with_fewer_transactions(url: str) -> None:
    newest = 1 << 60
    edit(url, f"INSERT INTO change (seq) VALUES ({newest})")

    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(lambda _: PostgresStore(url), range(4)))
    seen_first = stores[0].last_change()
    Writer(stores[1]).tell(flow_begun(ROOT))
    seen_then = stores[0].last_change()
    for store in stores:
        store.close()

    assert newest <= seen_first < seen_then < newest + (1 << 32)


def test_numbers_that_nobody_needs_any_more_are_removed(
    store: PostgresStore, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_TIDY_EVERY", 1)
    monkeypatch.setattr(database, "_SPARED", 0)
    for n in range(30):
        store.set_variable(Variable(name="v", value=str(n).encode(), tags=(), updated=0.0), overwrite=True)

    assert edit(url, "SELECT count(*) <= 3, max(seq) FROM change") == [(True, store.last_change())]


def test_who_waits_is_told_of_a_change(url: str, store: PostgresStore) -> None:
    before = store.last_change()
    with opened(url) as other, ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(store.wait_for_change, before, 30.0) for _ in range(3)]
        until(lambda: edit(url, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'") == [(1,)])

        began = time.monotonic()
        Writer(other).tell(flow_begun(ROOT))
        seen = {each.result(timeout=30) for each in waiting}

        assert seen == {other.last_change()}
        assert min(seen) > before
        assert time.monotonic() - began < 5


def test_who_waits_sees_a_change_that_counts_only_when_an_older_transaction_has_ended(
    url: str, store: PostgresStore
) -> None:
    before, slow = store.last_change(), Database(url, patience=5.0)
    with ThreadPoolExecutor(1) as pool:
        with contextlib.suppress(KeyError), slow.write() as connection:
            next_changes(connection)
            waiting = pool.submit(store.wait_for_change, before, 30.0)
            Writer(store).tell(flow_begun(ROOT))
            # Rolled back: nobody is told.
            raise KeyError

        assert waiting.result(timeout=30) > before
    slow.close()


def test_who_waits_in_vain_is_told_the_number_that_stands(store: PostgresStore) -> None:
    before = store.last_change()

    assert store.wait_for_change(before, 0.05) == before
    assert store.wait_for_change(before - 1, 30.0) == before


def test_of_many_claimers_exactly_one_wins(url: str) -> None:
    with opened(url) as store:
        Writer(store).tell(flow_begun(ROOT, state=S.SCHEDULED, holder=""))
    ready = threading.Barrier(6)

    def claim(n: int) -> bool:
        with opened(url) as one:
            ready.wait()
            try:
                one.claim(ROOT, holder=f"process-{n}", now=1.0)
            except Exception:
                return False
            return True

    with ThreadPoolExecutor(6) as pool:
        won = list(pool.map(claim, range(6)))

    assert won.count(True) == 1


def until(is_so: object, *, seconds: float = 20.0) -> None:
    assert callable(is_so)
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.01)
