"""Keeping a PostgreSQL database: how it stands, backups, putting one in its place, growing up from SQLite."""

from __future__ import annotations

import os
import random
import signal
import stat
from collections.abc import Callable
from pathlib import Path

import apsw
import psycopg
import pytest

from nadi.exceptions import CallError, StoreTooNew, StoreUnavailable
from nadi.model.assets import AssetProperties
from nadi.model.limits import SlotClaim
from nadi.model.records import InputAsked
from nadi.model.results import ResultRef
from nadi.model.runs import RunFilter, Variable
from nadi.storage.contract import Store
from nadi.storage.contracts.cache import CacheEntry
from nadi.storage.home import this_holder
from nadi.storage.postgres import PostgresStore
from nadi.storage.postgres.upkeep import PostgresUpkeep
from nadi.storage.schema import SCHEMA_VERSION, Dialect, migration_names, migrations, table_names
from nadi.storage.sqlite import SqliteStore
from nadi.storage.sqlite.upkeep import SqliteUpkeep
from nadi.storage.upkeep import copy_database
from tests.journeys.places import until
from tests.postgres import server
from tests.storage.processes import first_line, other_process
from tests.storage.telling import (
    T0,
    S,
    Writer,
    an_id,
    artifact_made,
    asset_described,
    asset_made,
    event_emitted,
    flow_begun,
    flow_moved,
    log_line,
    metric_logged,
    task_begun,
    task_moved,
)

STAMP = "20271231-235959"


def untold(what: str, done: int, total: int) -> None:
    """Progress that nobody looks at."""


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The URL of a database of this schema with no runs."""
    return server().fresh(tmp_path)


@pytest.fixture
def sqlite(tmp_path: Path) -> Path:
    """A SQLite database with something in it."""
    path = tmp_path / "nadi.db"
    store = SqliteStore(path)
    fill(store, 1, 2)
    store.close()
    return path


def fill(store: Store, *runs: int) -> None:
    """Record something of every kind."""
    for n in runs:
        root, task = an_id(n), an_id(1000 * n)
        Writer(store, f"writer-{n}").tell(
            flow_begun(root, name=f"run-{n}", tags=("nightly",), parameters=b'{"rows": 3}'),
            task_begun(root, task),
            log_line(root, "a line\x00 with ü, \t, \\N and \n a break"),
            metric_logged(root, "loss", float("nan")),
            metric_logged(root, "loss", 0.1 + n),
            artifact_made(root, an_id(2000 * n)),
            event_emitted(root, an_id(3000 * n)),
            asset_made(root, an_id(4000 * n), "s3://clean", "s3://raw", properties=AssetProperties(name="Clean")),
            asset_described(root, "s3://clean", b'{"rows": 3}'),
            task_moved(root, task, S.COMPLETED),
            flow_moved(root, S.COMPLETED),
        )
        result = ResultRef("inline", data=bytes(range(256)))
        entry = CacheEntry(
            key=f"k{n}", task="clean", result=result, root=root, token=1, run=root, task_run=task, name="x", created=T0
        )
        assert store.cache.put([entry]) == []
    store.set_variable(Variable(name="threshold", value=b"0.5", tags=("a", "b"), updated=T0), overwrite=True)
    store.limits.set_limit("db", slots=3, decay=0.5, now=T0)
    store.limits.claim_slots(
        SlotClaim(id=f"claim-{runs[0]}", names=("db",), slots=1, holder="x", term=9.0, at=T0), wait=False
    )


def told_by(store: Store) -> dict[str, object]:
    """What a store says of all that `fill` recorded, but for change numbers of its own."""
    runs = store.flow_runs(RunFilter(), limit=100)
    return {
        "identity": (store.id, store.signing_key),
        "runs": runs,
        "tasks": [store.task_runs(run.id) for run in runs],
        "logs": [store.logs(run.id) for run in runs],
        "metrics": [repr(store.metrics(run.id)) for run in runs],
        "artifacts": [store.artifacts(root=run.id) for run in runs],
        "attempts": [store.attempts(run.id) for run in runs],
        "cache": store.cache.entries(),
        "events": store.events.newest(limit=100),
        "assets": store.assets.assets(limit=10),
        "made": store.assets.materializations("s3://clean"),
        "lineage": store.assets.lineage("s3://clean", up=True),
        "variables": store.variables(),
        "limits": store.limits.limits(),
        "claims": store.limits.claims(),
        "watermarks": [store.watermark(f"writer-{n}") for n in range(1, 5)],
        "counts": store.counts(),
    }


def told_at(url: str) -> dict[str, object]:
    store = PostgresStore(url)
    try:
        return told_by(store)
    finally:
        store.close()


# -- how it stands --


def test_the_status_tells_schema_rows_and_size_but_no_password(url: str) -> None:
    store = PostgresStore(url)
    fill(store, 1)
    store.close()

    status = PostgresUpkeep(url).status()

    assert (status.schema, status.pending, status.is_there) == (SCHEMA_VERSION, (), True)
    assert (status.rows["flow_run"], status.rows["log"]) == (1, 1)
    assert status.size_bytes > 100_000
    assert "secret" in url
    assert "secret" not in status.url


def test_an_empty_database_is_told_and_left_empty(tmp_path: Path) -> None:
    url = server().empty(tmp_path)

    assert not PostgresUpkeep(url).status().is_there
    assert not PostgresUpkeep(url).status().is_there


def test_a_server_that_is_away_is_one_sentence_without_the_password(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="cannot be reached") as caught:
        PostgresUpkeep("postgresql://nadi:secret@127.0.0.1:1/nadi", patience=0.1).status()

    assert "secret" not in str(caught.value)


def old_database(tmp_path: Path, schema: int, *, holder: str = "") -> str:
    """Return the URL of a database that has only the first migrations, with one run."""
    url = server().empty(tmp_path)
    state, ended = ("RUNNING", 0.0) if holder else ("COMPLETED", T0)
    texts = dict.fromkeys(("parent", "message", "detail", "version", "description"), "")
    values: dict[str, object] = {
        **{name: an_id(1) for name in ("id", "root")},
        "flow": "nightly",
        "name": "run-1",
        "state": state,
        "state_name": state.capitalize(),
        "tags": "[]",
        **dict.fromkeys(("attempt", "token", "run_count", "seen", "seq"), 1),
        **dict.fromkeys(("state_at", "created", "started"), T0),
        "ended": ended,
        "parameters": b"{}",
        "source": b"{}",
        "holder": holder,
        **texts,
    }
    with psycopg.connect(url) as connection:
        for number, name, script in migrations(Dialect.POSTGRES)[:schema]:
            connection.execute(script.encode())
            connection.execute("INSERT INTO migration VALUES (%s, %s)", (number, name))
        connection.execute("INSERT INTO meta VALUES ('the-id', %s, %s, 1)", (b"k" * 32, schema))
        connection.execute("INSERT INTO change VALUES (1)")
        marks = ", ".join(["%s"] * len(values))
        connection.execute(
            f"INSERT INTO flow_run ({', '.join(values)}) VALUES ({marks})".encode(), list(values.values())
        )
    return url


def test_an_old_database_with_runs_in_it_is_brought_up_to_date(tmp_path: Path) -> None:
    url = old_database(tmp_path, 5)
    pending = PostgresUpkeep(url).status().pending

    done = PostgresUpkeep(url).upgrade(now=False)

    assert pending == done == migration_names(Dialect.POSTGRES, after=5)
    store = PostgresStore(url)
    assert [run.name for run in store.flow_runs(RunFilter(), limit=10)] == ["run-1"]
    store.close()


def test_a_migration_waits_for_live_runs_of_other_machines_unless_it_is_wanted_now(tmp_path: Path) -> None:
    url = old_database(tmp_path, 5, holder="w|elsewhere|12|1|another-boot|pid-1")

    with pytest.raises(StoreUnavailable, match=r"live runs: run-1 \(process 12 on elsewhere\)"):
        PostgresStore(url)
    waiting = PostgresUpkeep(url).status()
    done = PostgresUpkeep(url).upgrade(now=True)

    assert (waiting.schema, len(waiting.live)) == (5, 1)
    assert done == migration_names(Dialect.POSTGRES, after=5)


# -- backup and restore --


@pytest.fixture
def backup(url: str, tmp_path: Path) -> Path:
    """A backup with runs 1 and 2; the database has a third one by now."""
    store = PostgresStore(url)
    fill(store, 1, 2)
    file = tmp_path / "backup.dump"
    PostgresUpkeep(url).back_up(file, told=untold)
    fill(store, 3)
    store.close()
    return file


def test_a_backup_is_restored_into_an_empty_database_as_it_was(url: str, tmp_path: Path) -> None:
    store = PostgresStore(url)
    fill(store, 1, 2)
    before = told_by(store)
    store.close()
    file, new = tmp_path / "backup.dump", server().empty(tmp_path)

    made = PostgresUpkeep(url).back_up(file, told=untold)
    done = PostgresUpkeep(new).restore(file, replace=False, stamp=STAMP)

    assert told_at(new) == before
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (made.size_bytes, made.schema) == (file.stat().st_size, SCHEMA_VERSION)
    assert (done.flow_runs, done.replaced, done.schema) == (2, "", SCHEMA_VERSION)
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []


def test_a_restored_database_goes_on_writing(url: str, backup: Path, tmp_path: Path) -> None:
    new = server().empty(tmp_path)
    PostgresUpkeep(new).restore(backup, replace=False, stamp=STAMP)

    store = PostgresStore(new)
    fill(store, 4)

    assert len(store.flow_runs(RunFilter(), limit=10)) == 3
    assert [claim.id for claim in store.limits.claims()] == ["claim-1", "claim-4"]
    store.close()


def test_a_database_with_runs_is_replaced_only_when_that_is_said_and_kept_in_a_schema(url: str, backup: Path) -> None:
    with pytest.raises(CallError, match=r"holds 3 flow runs\. With --replace"):
        PostgresUpkeep(url).restore(backup, replace=False, stamp=STAMP)

    done = PostgresUpkeep(url).restore(backup, replace=True, stamp=STAMP)

    assert (done.flow_runs, done.replaced) == (2, f"schema nadi_replaced_20271231_235959 of {PostgresUpkeep(url).url}")
    with psycopg.connect(url) as connection:
        kept = connection.execute("SELECT count(*) FROM nadi_replaced_20271231_235959.flow_run").fetchall()
    assert kept == [(3,)]


def test_change_numbers_never_go_back_where_a_database_was_replaced(url: str, backup: Path) -> None:
    store = PostgresStore(url)
    before = store.last_change()
    store.close()

    PostgresUpkeep(url).restore(backup, replace=True, stamp=STAMP)

    store = PostgresStore(url)
    assert store.last_change() >= before
    fill(store, 5)
    assert min(run.seq for run in store.flow_runs(RunFilter(text=""), limit=1)) > before
    store.close()


def test_change_numbers_never_go_back_on_a_server_that_counts_from_the_beginning(url: str, tmp_path: Path) -> None:
    store = PostgresStore(url)
    fill(store, 1)
    store.close()
    far = 1 << 60
    with psycopg.connect(url) as connection:
        connection.execute("INSERT INTO change (seq) VALUES (%s)", (far,))
    PostgresUpkeep(url).back_up(tmp_path / "backup.dump", told=untold)
    new = server().empty(tmp_path)

    PostgresUpkeep(new).restore(tmp_path / "backup.dump", replace=False, stamp=STAMP)

    store = PostgresStore(new)
    fill(store, 2)
    assert store.flow_runs(RunFilter(), limit=1)[0].seq > far
    store.close()


def test_a_database_is_not_replaced_while_nadi_is_connected_to_it(url: str, backup: Path) -> None:
    store = PostgresStore(url)
    store.last_change()

    with pytest.raises(StoreUnavailable, match="Nadi has 1 other connection to it"):
        PostgresUpkeep(url).restore(backup, replace=True, stamp=STAMP)

    assert len(store.flow_runs(RunFilter(), limit=10)) == 3
    store.close()


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size - 2000)


def write_garbage(file: Path) -> None:
    file.write_bytes(b"garbage" * 1000)


def make_sqlite(file: Path) -> None:
    file.unlink()
    SqliteStore(file).close()


def remove(file: Path) -> None:
    file.unlink()


@pytest.mark.parametrize(
    ("spoil", "told"),
    [(cut, "is damaged"), (write_garbage, "is no backup"), (make_sqlite, "nadi db copy"), (remove, "cannot be read")],
)
def test_what_is_no_good_backup_changes_nothing(
    url: str, backup: Path, spoil: Callable[[Path], None], told: str
) -> None:
    before = told_at(url)
    spoil(backup)

    with pytest.raises(CallError, match=told):
        PostgresUpkeep(url).restore(backup, replace=True, stamp=STAMP)

    assert told_at(url) == before


def test_a_backup_of_a_newer_program_is_not_restored(url: str, tmp_path: Path) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE meta SET schema_version = 99")
    PostgresUpkeep(url).back_up(tmp_path / "backup.dump", told=untold)

    with pytest.raises(StoreTooNew, match="schema 99"):
        PostgresUpkeep(server().empty(tmp_path)).restore(tmp_path / "backup.dump", replace=False, stamp=STAMP)


def test_without_the_programs_of_postgresql_one_sentence_says_what_to_install(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(CallError, match=r"no program pg_dump on this machine.*Install"):
        PostgresUpkeep(url).back_up(tmp_path / "backup.dump", told=untold)

    assert not (tmp_path / "backup.dump").exists()


SLOW_DUMP = """
import sys
from pathlib import Path
from nadi.storage.postgres.upkeep import PostgresUpkeep
PostgresUpkeep(sys.argv[1]).back_up(Path(sys.argv[2]), told=lambda *told: None)
"""


def test_a_backup_killed_half_way_leaves_no_file_that_looks_like_one(url: str, tmp_path: Path) -> None:
    store = PostgresStore(url)
    fill(store, 1)
    store.close()
    file = tmp_path / "backup.dump"
    # pg_dump waits for a table that somebody has locked, so that the backup is caught in the middle.
    with psycopg.connect(url) as locking:
        locking.execute("LOCK TABLE log IN ACCESS EXCLUSIVE MODE")
        with other_process(SLOW_DUMP, url, file) as process:
            waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'log'::regclass"
            until(lambda: locking.execute(waits).fetchall() == [(1,)])
            process.send_signal(signal.SIGKILL)
            process.wait()

    assert not file.exists()
    PostgresUpkeep(url).back_up(file, told=untold)
    assert PostgresUpkeep(server().empty(tmp_path)).restore(file, replace=False, stamp=STAMP).flow_runs == 1


# -- growing up --


def test_both_kinds_of_database_have_the_same_tables() -> None:
    assert table_names(Dialect.POSTGRES) - table_names(Dialect.SQLITE) == {"change_offset"}
    assert table_names(Dialect.SQLITE) - table_names(Dialect.POSTGRES) == set()


def test_a_copied_database_says_what_the_first_one_said(sqlite: Path, tmp_path: Path) -> None:
    store = SqliteStore(sqlite)
    before = told_by(store)
    store.close()
    new = server().empty(tmp_path)

    done = copy_database(SqliteUpkeep(sqlite), PostgresUpkeep(new), told=untold)

    assert kept_text(told_at(new)) == kept_text(before)
    assert (done.source, done.target) == (f"sqlite:///{sqlite}", PostgresUpkeep(new).url)
    assert done.rows == sum(SqliteUpkeep(sqlite).status().rows[table] for table in copied_tables())


def copied_tables() -> set[str]:
    return set(table_names(Dialect.SQLITE)) - {"meta", "migration", "change"}


def kept_text(told: dict[str, object]) -> str:
    # A NUL character, which PostgreSQL cannot keep, becomes its symbol.
    return repr(told).replace("\\x00", "\u2400")


def test_what_is_too_long_for_an_index_of_postgresql_is_copied_as_it_would_be_recorded(
    sqlite: Path, tmp_path: Path
) -> None:
    store = SqliteStore(sqlite)
    long = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz", k=10_000))
    writer = Writer(store, "long")
    writer.tell(flow_begun(an_id(9)))
    for name in (f"{long}-1", f"{long}-2"):
        writer.tell(InputAsked(root=an_id(9), token=1, at=T0, id=an_id(9), key=name, schema=b"{}", description=name))
    writer.tell(flow_moved(an_id(9), S.COMPLETED))
    store.close()
    new = server().empty(tmp_path)

    copy_database(SqliteUpkeep(sqlite), PostgresUpkeep(new), told=untold)

    grown = PostgresStore(new)
    pauses = [grown.inputs.pause(an_id(9), name) for name in (f"{long}-1", f"{long}-2")]
    assert [one.description[-1] for one in pauses if one is not None] == ["1", "2"]
    grown.close()


def test_a_copied_database_goes_on_writing_with_greater_change_numbers(sqlite: Path, url: str) -> None:
    store = SqliteStore(sqlite)
    before = store.last_change()
    store.close()
    copy_database(SqliteUpkeep(sqlite), PostgresUpkeep(url), told=untold)

    grown = PostgresStore(url)
    fill(grown, 3)

    assert grown.flow_runs(RunFilter(), limit=1)[0].seq > before
    assert [claim.id for claim in grown.limits.claims()] == ["claim-1", "claim-3"]
    grown.close()


def test_change_numbers_of_a_much_used_database_are_not_gone_below(sqlite: Path, url: str) -> None:
    connection = apsw.Connection(str(sqlite))
    connection.execute("UPDATE change SET seq = ?", (1 << 61,))
    connection.close()
    copy_database(SqliteUpkeep(sqlite), PostgresUpkeep(url), told=untold)

    grown = PostgresStore(url)
    assert grown.last_change() == 1 << 61
    fill(grown, 3)

    assert grown.flow_runs(RunFilter(), limit=1)[0].seq > 1 << 61
    grown.close()


def test_a_database_is_copied_only_into_an_empty_one(sqlite: Path, url: str) -> None:
    store = PostgresStore(url)
    store.set_variable(Variable(name="theirs", value=b"1", updated=T0), overwrite=True)
    store.close()

    with pytest.raises(CallError, match="not empty: variable has rows"):
        copy_database(SqliteUpkeep(sqlite), PostgresUpkeep(url), told=untold)

    assert PostgresUpkeep(url).status().rows["flow_run"] == 0


def test_a_database_is_copied_once(sqlite: Path, url: str) -> None:
    copy_database(SqliteUpkeep(sqlite), PostgresUpkeep(url), told=untold)

    with pytest.raises(CallError, match=r"has been copied to .* already"):
        copy_database(SqliteUpkeep(sqlite), PostgresUpkeep(url), told=untold)


def test_a_database_is_not_copied_into_one_that_is_in_use(sqlite: Path, url: str) -> None:
    store = PostgresStore(url)
    store.last_change()

    with pytest.raises(StoreUnavailable, match="in use: Nadi has 1 other connection"):
        copy_database(SqliteUpkeep(sqlite), PostgresUpkeep(url), told=untold)

    store.close()


def test_a_database_with_live_runs_is_not_copied(sqlite: Path, url: str) -> None:
    store = SqliteStore(sqlite)
    Writer(store, "live").tell(flow_begun(an_id(9), name="live-one", holder=this_holder("live").encode()))
    store.close()

    with pytest.raises(StoreUnavailable, match=r"has live runs: live-one \(process"):
        copy_database(SqliteUpkeep(sqlite), PostgresUpkeep(url), told=untold)

    assert PostgresUpkeep(url).status().rows["flow_run"] == 0


def test_nothing_is_copied_of_a_database_that_is_written_to_meanwhile(sqlite: Path, url: str) -> None:
    store = SqliteStore(sqlite)

    def told(what: str, done: int, total: int) -> None:
        store.set_variable(Variable(name="late", value=b"1", updated=T0), overwrite=True)

    with pytest.raises(StoreUnavailable, match=r"Something was recorded in .* while it was copied"):
        copy_database(SqliteUpkeep(sqlite), PostgresUpkeep(url), told=told)

    store.close()
    assert PostgresUpkeep(url).status().rows["flow_run"] == 0


COPY = """
import sys
from pathlib import Path
from nadi.storage.postgres.upkeep import PostgresUpkeep
from nadi.storage.sqlite.upkeep import SqliteUpkeep
from nadi.storage.upkeep import copy_database

def told(what, done, total):
    print(what, flush=True)
    if what == "task_run":
        sys.stdin.readline()

copy_database(SqliteUpkeep(Path(sys.argv[1])), PostgresUpkeep(sys.argv[2]), told=told)
"""


def test_a_copy_killed_half_way_leaves_an_empty_database_and_can_be_begun_again(sqlite: Path, url: str) -> None:
    with other_process(COPY, sqlite, url) as process:
        while "task_run" not in first_line(process):
            continue
        process.send_signal(signal.SIGKILL)
        process.wait()
    until(lambda: nobody_connected(url))

    assert sum(PostgresUpkeep(url).status().rows[table] for table in ("flow_run", "log", "cache_entry")) == 0
    copy_database(SqliteUpkeep(sqlite), PostgresUpkeep(url), told=untold)
    assert len(told_at(url)["runs"]) == 2  # type: ignore[arg-type]  # a list


def nobody_connected(url: str) -> bool:
    with psycopg.connect(url, application_name="looker") as connection:
        others = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'nadi'"
        )
        return connection.execute(others).fetchall() == [(0,)]


def test_only_sqlite_is_copied_and_only_into_postgresql(sqlite: Path, url: str, tmp_path: Path) -> None:
    with pytest.raises(CallError, match="no SQLite database"):
        copy_database(PostgresUpkeep(url), PostgresUpkeep(url), told=untold)
    with pytest.raises(CallError, match="no PostgreSQL database"):
        copy_database(SqliteUpkeep(sqlite), SqliteUpkeep(tmp_path / "other.db"), told=untold)
