"""Keeping a SQLite database: how it stands, upgrades beside live runs, backups, putting one in its place."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from nadi.exceptions import CallError, StoreTooNew, StoreUnavailable
from nadi.model.holders import Holder
from nadi.model.runs import RunFilter
from nadi.storage.live_runs import HeldRun, live_runs
from nadi.storage.schema import SCHEMA_VERSION, Dialect, migration_names
from nadi.storage.sqlite import SqliteStore
from nadi.storage.sqlite.upkeep import SqliteUpkeep
from tests.journeys.places import until
from tests.storage.old_databases import old_database
from tests.storage.processes import first_line, holder_of, other_process
from tests.storage.telling import S, Writer, an_id, flow_begun, flow_moved, log_line

STAMP = "20271231-235959"


def untold(what: str, done: int, total: int) -> None:
    """Progress that nobody looks at."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "nadi.db"


def fill(path: Path, *runs: int, lines: int = 0) -> None:
    """Record finished runs."""
    store = SqliteStore(path)
    for n in runs:
        root = an_id(n)
        told = [log_line(root, f"line {i} {'x' * 200}") for i in range(lines)]
        Writer(store, f"writer-{n}").tell(flow_begun(root), *told, flow_moved(root, S.COMPLETED))
    store.close()


def held(path: Path) -> list[str]:
    store = SqliteStore(path)
    try:
        return sorted(run.id for run in store.flow_runs(RunFilter(), limit=100))
    finally:
        store.close()


# -- how it stands --


def test_looking_at_a_database_that_is_not_there_makes_none(path: Path) -> None:
    status = SqliteUpkeep(path).status()

    assert (status.is_there, status.url) == (False, f"sqlite:///{path}")
    assert list(path.parent.iterdir()) == []


def test_the_status_of_an_old_database_tells_what_is_pending_and_runs_none_of_it(path: Path) -> None:
    old_database(path, 5)

    status = [SqliteUpkeep(path).status() for _ in range(2)][1]

    assert (status.schema, status.program_schema, status.oldest_writer) == (5, SCHEMA_VERSION, 1)
    assert status.pending == migration_names(Dialect.SQLITE, after=5)
    assert status.rows["flow_run"] == 3
    assert status.size_bytes >= path.stat().st_size


# -- upgrades --


def test_an_old_database_with_runs_in_it_is_brought_up_to_date_by_whoever_opens_it(path: Path) -> None:
    old_database(path, 5)

    store = SqliteStore(path)

    assert [run.name for run in store.flow_runs(RunFilter(), limit=10)] == ["run-3", "run-2", "run-1"]
    assert (store.id, store.signing_key) == ("the-id", b"k" * 32)
    store.close()
    assert SqliteUpkeep(path).status().pending == ()


@pytest.mark.parametrize("schema", range(1, SCHEMA_VERSION))
def test_every_earlier_schema_with_runs_in_it_comes_to_what_a_new_database_is(path: Path, schema: int) -> None:
    old_database(path, schema)
    SqliteStore(path.with_name("new.db")).close()

    SqliteUpkeep(path).upgrade(now=False)

    assert layout(path) == layout(path.with_name("new.db"))
    assert len(held(path)) == 3


def layout(path: Path) -> list[tuple[str, str]]:
    connection = apsw.Connection(str(path))
    try:
        return sorted(connection.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL"))
    finally:
        connection.close()


def test_a_migration_waits_until_no_other_process_has_live_runs(path: Path) -> None:
    with other_process("input()") as process:
        old_database(path, 5, holder=holder_of(process).encode())

        with pytest.raises(StoreUnavailable, match=rf"5 to {SCHEMA_VERSION}.*run-3 \(process {process.pid} on "):
            SqliteStore(path)
        waiting = SqliteUpkeep(path).status()
    SqliteStore(path).close()

    assert (waiting.schema, len(waiting.live)) == (5, 1)
    assert SqliteUpkeep(path).status().pending == ()


def test_an_upgrade_can_be_had_beside_live_runs(path: Path) -> None:
    with other_process("input()") as process:
        old_database(path, 5, holder=holder_of(process).encode())

        with pytest.raises(StoreUnavailable, match="nadi db upgrade --now"):
            SqliteUpkeep(path).upgrade(now=False)
        done = SqliteUpkeep(path).upgrade(now=True)

    assert done == migration_names(Dialect.SQLITE, after=5)


HERE = Holder("me", "laptop", 7, 70, "boot-1", "pid-1")


@pytest.mark.parametrize(
    ("holder", "may_live", "surely_lives"),
    [
        (Holder("a", "laptop", 4194304, 1, "boot-1", "pid-1"), False, False),  # its pid is nobody's
        (Holder("a", "laptop", 12, 1, "boot-0", "pid-1"), False, False),  # before this machine was started again
        (Holder("a", "laptop", 12, 1, "boot-1", "pid-2"), True, False),  # another container
        (Holder("a", "elsewhere", 12, 1, "boot-9", "pid-1"), True, False),  # another machine
    ],
)
def test_who_cannot_be_looked_up_may_live_but_not_surely(holder: Holder, may_live: bool, surely_lives: bool) -> None:
    runs = [HeldRun("run", holder.encode())]

    assert bool(live_runs(runs, HERE)) is may_live
    assert bool(live_runs(runs, HERE, certain=True)) is surely_lives


def test_a_database_too_new_is_told_by_its_status_and_not_upgraded(path: Path) -> None:
    fill(path, 1)
    connection = apsw.Connection(str(path))
    connection.execute("UPDATE meta SET schema_version = 99, oldest_writer = 98")
    connection.close()

    status = SqliteUpkeep(path).status()

    assert (status.schema, status.oldest_writer, status.accepts_this_program) == (99, 98, False)
    with pytest.raises(StoreTooNew, match="pip install -U nadi"):
        SqliteUpkeep(path).upgrade(now=True)


# -- backups --


def test_a_backup_holds_what_the_database_held_and_only_its_user_may_read_it(path: Path) -> None:
    fill(path, 1, 2)
    file = path.with_name("backup.db")

    made = SqliteUpkeep(path).back_up(file, told=untold)

    assert (made.file, made.size_bytes, made.schema) == (str(file), file.stat().st_size, SCHEMA_VERSION)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sorted(each.name for each in path.parent.iterdir() if "backup" in each.name) == ["backup.db"]
    assert held(file) == [an_id(1), an_id(2)]


def test_a_backup_is_one_moment_of_a_database_that_others_write_to_and_blocks_none_of_them(path: Path) -> None:
    fill(path, 1, lines=60_000)
    store, stop = SqliteStore(path), threading.Event()
    written: list[int] = []

    def write() -> None:
        writer = Writer(store, "busy")
        writer.tell(flow_begun(an_id(2)))
        while not stop.is_set():
            writer.tell(log_line(an_id(2), f"line {len(written)}"))
            written.append(1)

    thread = threading.Thread(target=write)
    thread.start()
    until(lambda: len(written) > 3)
    steps: list[int] = []
    during: list[int] = []

    def told(what: str, done: int, total: int) -> None:
        steps.append(total)
        before = len(written)
        until(lambda: len(written) > before)  # somebody commits between any two steps
        during.append(before)

    SqliteUpkeep(path).back_up(path.with_name("backup.db"), told=told)
    stop.set()
    thread.join()

    copy = SqliteStore(path.with_name("backup.db"))
    lines = copy.logs(an_id(2), limit=100_000)
    assert len(set(steps)) == 1
    assert len(steps) > 1
    assert 3 < len(lines) <= during[0] + 1
    assert copy.watermark("busy") == 1 + len(lines)
    copy.close()
    store.close()


KILLED_BACKUP = """
import sys
from pathlib import Path
from nadi.storage.sqlite.upkeep import SqliteUpkeep

def told(what, done, total):
    print(done, total, flush=True)
    sys.stdin.readline()

SqliteUpkeep(Path(sys.argv[1])).back_up(Path(sys.argv[2]), told=told)
"""


def test_a_backup_killed_half_way_leaves_no_file_that_looks_like_one(path: Path) -> None:
    fill(path, 1, lines=60_000)
    file = path.with_name("backup.db")
    with other_process(KILLED_BACKUP, path, file) as process:
        done, total = map(int, first_line(process).split())

    assert 0 < done < total
    assert not file.exists()
    SqliteUpkeep(path).back_up(file, told=untold)
    assert held(file) == [an_id(1)]
    assert [each.name for each in path.parent.iterdir() if each.name.startswith(".backup")] == []


def test_two_backups_into_one_file_do_not_mix(path: Path) -> None:
    fill(path, 1)
    file = path.with_name("backup.db")
    with other_process(KILLED_BACKUP, path, file) as process:
        first_line(process)

        with pytest.raises(CallError, match="Another process is writing"):
            SqliteUpkeep(path).back_up(file, told=untold)


def test_a_backup_takes_the_place_of_no_file(path: Path) -> None:
    fill(path, 1)
    before = path.read_bytes()

    with pytest.raises(CallError, match="is there already"):
        SqliteUpkeep(path).back_up(path, told=untold)

    assert path.read_bytes() == before


def test_an_old_database_is_backed_up_as_it_is(path: Path) -> None:
    old_database(path, 3)

    made = SqliteUpkeep(path).back_up(path.with_name("backup.db"), told=untold)

    assert made.schema == 3
    assert SqliteUpkeep(path.with_name("backup.db")).status().schema == 3


# -- restoring --


@pytest.fixture
def backup(path: Path) -> Path:
    """A backup with one run; the database has a second one by now."""
    fill(path, 1)
    file = path.with_name("backup.db")
    SqliteUpkeep(path).back_up(file, told=untold)
    fill(path, 2)
    return file


def test_a_backup_is_restored_where_there_is_no_database(path: Path, backup: Path) -> None:
    new = path.with_name("new.db")

    done = SqliteUpkeep(new).restore(backup, replace=False, stamp=STAMP)

    assert (done.flow_runs, done.replaced, done.schema) == (1, "", SCHEMA_VERSION)
    assert held(new) == [an_id(1)]
    assert stat.S_IMODE(new.stat().st_mode) == 0o600


def test_a_database_with_runs_is_replaced_only_when_that_is_said_and_kept_beside(path: Path, backup: Path) -> None:
    with pytest.raises(CallError, match=r"holds 2 flow runs. With --replace"):
        SqliteUpkeep(path).restore(backup, replace=False, stamp=STAMP)
    assert held(path) == [an_id(1), an_id(2)]

    done = SqliteUpkeep(path).restore(backup, replace=True, stamp=STAMP)

    assert held(path) == [an_id(1)]
    assert done.replaced == f"{path}.replaced-{STAMP}"
    assert held(Path(done.replaced)) == [an_id(1), an_id(2)]


def test_what_was_put_aside_can_be_restored_again(path: Path, backup: Path) -> None:
    done = SqliteUpkeep(path).restore(backup, replace=True, stamp=STAMP)

    SqliteUpkeep(path).restore(Path(done.replaced), replace=True, stamp="later")

    assert held(path) == [an_id(1), an_id(2)]
    fill(path, 3)
    connection = apsw.Connection(str(path))
    assert connection.execute("PRAGMA journal_mode").fetchall() == [("wal",)]
    connection.close()


READER = """
import sys
from nadi.storage.sqlite import SqliteStore
store = SqliteStore(sys.argv[1])
print(store.last_change(), flush=True)
input()
"""


def test_a_database_is_not_replaced_while_a_process_uses_it(path: Path, backup: Path) -> None:
    with other_process(READER, path) as process:
        first_line(process)

        with pytest.raises(StoreUnavailable, match=rf"in use by process {process.pid}\. End that first"):
            SqliteUpkeep(path).restore(backup, replace=True, stamp=STAMP)

    assert held(path) == [an_id(1), an_id(2)]
    connection = apsw.Connection(str(path))
    assert connection.execute("PRAGMA journal_mode").fetchall() == [("wal",)]
    connection.close()


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def garble(file: Path) -> None:
    whole = bytearray(file.read_bytes())
    whole[8192 : 3 * 8192] = os.urandom(2 * 8192)
    file.write_bytes(whole)


def write_garbage(file: Path) -> None:
    file.write_bytes(b"garbage" * 1000)


def make_foreign(file: Path) -> None:
    file.unlink()
    connection = apsw.Connection(str(file))
    connection.execute("CREATE TABLE theirs (n)")
    connection.close()


def make_postgresql(file: Path) -> None:
    file.write_bytes(b"PGDMP" + bytes(1000))


def remove(file: Path) -> None:
    file.unlink()


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (cut, "is damaged"),
        (garble, "is damaged"),
        (write_garbage, "is no backup"),
        (make_foreign, "none of Nadi's"),
        (make_postgresql, "backup of a PostgreSQL database"),
        (remove, "cannot be read"),
    ],
)
def test_what_is_no_good_backup_changes_nothing(
    path: Path, backup: Path, spoil: Callable[[Path], None], told: str
) -> None:
    spoil(backup)

    with pytest.raises(CallError, match=told):
        SqliteUpkeep(path).restore(backup, replace=True, stamp=STAMP)

    assert held(path) == [an_id(1), an_id(2)]
    assert sorted(each.name for each in path.parent.glob("nadi.db.r*")) == []


def test_a_backup_of_a_newer_program_is_not_restored(path: Path, backup: Path) -> None:
    connection = apsw.Connection(str(backup))
    connection.execute("UPDATE meta SET schema_version = 99")
    connection.close()

    with pytest.raises(StoreTooNew, match=rf"schema 99; this one is {SCHEMA_VERSION}"):
        SqliteUpkeep(path).restore(backup, replace=True, stamp=STAMP)

    assert held(path) == [an_id(1), an_id(2)]


def test_a_damaged_database_is_replaced_and_kept(path: Path, backup: Path) -> None:
    path.write_bytes(b"garbage" * 1000)

    with pytest.raises(CallError, match=r"cannot be read\. With --replace"):
        SqliteUpkeep(path).restore(backup, replace=False, stamp=STAMP)
    done = SqliteUpkeep(path).restore(backup, replace=True, stamp=STAMP)

    assert held(path) == [an_id(1)]
    assert Path(done.replaced).read_bytes() == b"garbage" * 1000


def test_a_plain_copy_with_its_log_beside_it_is_restored_too(path: Path, tmp_path: Path) -> None:
    store = SqliteStore(path)
    Writer(store).tell(flow_begun(an_id(1)), flow_moved(an_id(1), S.COMPLETED))
    copy = tmp_path / "copy.db"
    copy.write_bytes(path.read_bytes())
    copy.with_name("copy.db-wal").write_bytes(path.with_name("nadi.db-wal").read_bytes())
    store.close()

    SqliteUpkeep(tmp_path / "new.db").restore(copy, replace=False, stamp=STAMP)

    assert held(tmp_path / "new.db") == [an_id(1)]


RESTORE = """
import sys
from pathlib import Path
from nadi.storage.sqlite.upkeep import SqliteUpkeep
SqliteUpkeep(Path(sys.argv[1])).restore(Path(sys.argv[2]), replace=True, stamp="late")
"""


def test_a_restore_killed_before_its_end_leaves_the_database_as_it_was(path: Path, backup: Path) -> None:
    # It waits for a reader that has the database open, and has checked its copy of the backup by then.
    store = SqliteStore(path)
    store.last_change()
    with other_process(RESTORE, path, backup) as process:
        until(path.with_name("nadi.db.restoring").exists)
        process.kill()
        process.wait()
    store.close()

    assert held(path) == [an_id(1), an_id(2)]
    SqliteUpkeep(path).restore(backup, replace=True, stamp=STAMP)
    assert held(path) == [an_id(1)]
    assert not path.with_name("nadi.db.restoring").exists()
