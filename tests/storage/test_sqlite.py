"""What only the SQLite store has to promise: many processes on one file, locks, bad disks, plans that use indexes."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from nadi.exceptions import StoreTooNew, StoreUnavailable
from nadi.model.runs import RunFilter, Variable
from nadi.storage import listing
from nadi.storage.contract import Batch
from nadi.storage.named_queries import named_queries
from nadi.storage.schema import SCHEMA_VERSION
from nadi.storage.sqlite import SqliteStore
from nadi.storage.sqlite.database import MOST_IDLE
from tests.storage.telling import S, Writer, an_id, flow_begun, flow_moved, log_line, task_begun, task_moved

ROOT, TASK = an_id(1), an_id(10)
CHECKOUT = Path(__file__).parents[2]


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Start another Python with `code`, which sees this checkout and `sys.argv[1:]`."""
    environ = os.environ | {"PYTHONPATH": os.pathsep.join([str(CHECKOUT / "src"), str(CHECKOUT)])}
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=environ,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finish(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "nadi.db"


@contextlib.contextmanager
def opened(path: Path, *, patience: float = 5.0) -> Iterator[SqliteStore]:
    store = SqliteStore(path, patience=patience)
    try:
        yield store
    finally:
        store.close()


# -- many processes --

WRITE_MUCH = """
import sys
from nadi.storage.sqlite import SqliteStore
from tests.storage.telling import *
path, k, batches = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
store = SqliteStore(path, patience=30.0)
writer, root = Writer(store, f"process-{k}"), an_id(k)
writer.tell(flow_begun(root))
for i in range(batches):
    task = an_id(1000 * k + i)
    refused = writer.tell(task_begun(root, task), task_moved(root, task, S.COMPLETED), log_line(root, str(i))).refused
    assert not refused, refused
store.close()
"""


@pytest.mark.parametrize(("writers", "tasks"), [(8, 250), pytest.param(20, 500, marks=pytest.mark.soak)])
def test_many_processes_write_to_one_file_and_nothing_is_lost(path: Path, writers: int, tasks: int) -> None:
    processes = [python(WRITE_MUCH, path, k, tasks) for k in range(1, writers + 1)]

    for process in processes:
        finish(process)

    with opened(path) as store:
        runs = store.flow_runs(RunFilter(), limit=50)
        assert len(runs) == writers
        assert all(run.task_counts == {"COMPLETED": tasks} for run in runs)
        assert all(len(store.logs(run.id)) == tasks for run in runs)
        assert store.counts()["task_runs"] == writers * tasks
        assert store.watermark("process-7") == 3 * tasks + 1


def test_processes_that_open_a_new_database_at_once_make_one(path: Path) -> None:
    code = "import sys; from nadi.storage.sqlite import SqliteStore; print(SqliteStore(sys.argv[1]).id)"

    ids = {finish(process) for process in [python(code, path) for _ in range(6)]}

    assert len(ids) == 1


KILLED = """
import os, sys
from nadi.storage.sqlite import SqliteStore
from tests.storage.telling import *
store = SqliteStore(sys.argv[1])
root = an_id(int(sys.argv[2]))
writer = Writer(store, root)
writer.tell(flow_begun(root))
print("begun", flush=True)
for i in range(100_000):
    tasks = [an_id(10_000_000 * int(sys.argv[2]) + 100 * i + n) for n in range(50)]
    writer.tell(*[task_begun(root, t) for t in tasks], *[task_moved(root, t, S.COMPLETED) for t in tasks])
"""


def test_a_process_killed_while_it_applies_leaves_batches_whole(path: Path) -> None:
    for k in range(1, 9):
        process = python(KILLED, path, k)
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        # Not for luck: the place of the kill within a batch is meant to be another one each time.
        time.sleep(0.02 + 0.011 * k)
        process.send_signal(signal.SIGKILL)
        process.communicate()

        with opened(path) as store:
            run = store.flow_run(an_id(k))
            assert run is not None
            written = store.watermark(run.id) - 1
            assert written % 100 == 0
            assert run.task_counts.get("COMPLETED", 0) == written / 2
            assert len(store.task_runs(run.id, limit=1_000_000)) == written / 2


# -- locks --


def test_a_database_locked_by_a_foreign_program_is_one_sentence_and_works_again_after(path: Path) -> None:
    with opened(path, patience=0.05) as store:
        writer = Writer(store)
        writer.tell(flow_begun(ROOT))
        browser = apsw.Connection(str(path))
        browser.execute("BEGIN IMMEDIATE")

        with pytest.raises(StoreUnavailable, match=r"nadi\.db has been locked for 0\.05 s by another program"):
            store.apply(Batch("writer-1", 2, [log_line(ROOT, "x")]))
        readable = store.flow_run(ROOT)
        browser.execute("ROLLBACK")
        browser.close()

        assert readable is not None
        assert store.apply(Batch("writer-1", 2, [log_line(ROOT, "x")])).watermark == 2


def test_a_foreign_lock_shorter_than_the_patience_is_waited_for(path: Path) -> None:
    code = """
import apsw, sys, time
browser = apsw.Connection(sys.argv[1]); browser.execute("BEGIN IMMEDIATE"); print("locked", flush=True)
time.sleep(0.3)
browser.execute("ROLLBACK")
"""
    with opened(path) as store:
        process = python(code, path)
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"

        applied = Writer(store).tell(flow_begun(ROOT))

        assert applied.watermark == 1
        finish(process)


def test_a_writer_that_waits_its_turn_in_vain_says_so(path: Path) -> None:
    code = """
import sys
from pathlib import Path
from nadi.storage.locks import FileLock
lock = FileLock(Path(sys.argv[1])); assert lock.try_acquire(); print("held", flush=True); sys.stdin.read()
"""
    with opened(path, patience=0.05) as store:
        process = subprocess.Popen(
            [sys.executable, "-c", code, f"{path}.line"],
            env=os.environ | {"PYTHONPATH": str(CHECKOUT / "src")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"

        with pytest.raises(StoreUnavailable, match="locked"):
            Writer(store).tell(flow_begun(ROOT))
        process.communicate()

        assert Writer(store).tell(flow_begun(ROOT)).watermark == 1


# -- disks --


def test_a_full_disk_is_one_sentence_and_the_store_works_again_once_there_is_room(path: Path) -> None:
    code = """
import resource, sys
from nadi.exceptions import StoreUnavailable
from nadi.storage.contract import Batch
from nadi.storage.sqlite import SqliteStore
from tests.storage.telling import *
store = SqliteStore(sys.argv[1])
store.apply(Batch("w", 1, [flow_begun(an_id(1))]))
room = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, room[1]))
big = Batch("w", 2, [log_line(an_id(1), "x" * 60_000) for _ in range(20)])
for _ in range(3):
    try:
        store.apply(big)
    except StoreUnavailable as error:
        print(error)
    else:
        raise SystemExit("it did not fail")
assert store.logs(an_id(1)) == [] and store.watermark("w") == 1
resource.setrlimit(resource.RLIMIT_FSIZE, room)
assert store.apply(big).watermark == 21
assert len(store.logs(an_id(1))) == 20
store.close()
"""
    out = finish(python(code, path))

    assert len(out.splitlines()) == 3
    assert all(f"The database {path}" in line or f"the database {path}" in line for line in out.splitlines())


def test_a_full_file_system_is_one_sentence_and_nothing_is_lost(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        with opened(folder / "nadi.db") as store:
            Writer(store).tell(flow_begun(ROOT))
            (folder / "ballast").write_bytes(b"x" * (shutil.disk_usage(folder).free - 300_000))
            big = Batch("w", 1, [log_line(ROOT, "x" * 60_000) for _ in range(8)])
            for _ in range(3):
                with pytest.raises(StoreUnavailable, match="no room left for the database"):
                    store.apply(big)
            (folder / "ballast").unlink()

            applied = store.apply(big)

            assert applied.watermark == 8
            assert len(store.logs(ROOT)) == 8
    finally:
        subprocess.run(["umount", folder], check=True)


READ_ONLY = """
import os, sys
from nadi.exceptions import StoreReadOnly, StoreUnavailable
from nadi.storage.sqlite import SqliteStore
from tests.storage.telling import *
if os.getuid() == 0:  # whom no mode stops; after the imports, since others may not be able to read them
    os.setgid(65534)
    os.setuid(65534)
try:
    store = SqliteStore(sys.argv[1])
    assert store.flow_run(an_id(1)) is not None
    print("read")
    Writer(store, "w").tell(log_line(an_id(1), "x"))
except StoreUnavailable as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize("writer_is_there", [True, False])
def test_a_read_only_database_can_be_read_as_long_as_it_is_open_elsewhere_and_says_what_to_do(
    writer_is_there: bool,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        path = Path(folder) / "nadi.db"
        store = SqliteStore(path)
        Writer(store).tell(flow_begun(ROOT))
        if not writer_is_there:
            store.close()
        for file in Path(folder).iterdir():
            file.chmod(0o444)
        os.chmod(folder, 0o555)

        out = finish(python(READ_ONLY, path)).splitlines()

        store.close()
        os.chmod(folder, 0o755)
    assert out[-1].startswith("StoreReadOnly ")
    assert f"{path}" in out[-1]
    assert "NADI_DATABASE_URL" in out[-1]
    assert (out[0] == "read") is writer_is_there


def test_a_folder_that_is_missing_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match=r"folder of the database .*missing/nadi\.db does not exist"):
        SqliteStore(tmp_path / "missing" / "nadi.db")


def test_a_file_that_is_no_database_is_one_sentence_and_stays_as_it_is(path: Path) -> None:
    path.write_bytes(b"hello, this is text\n" * 500)

    with pytest.raises(StoreUnavailable, match="is not a SQLite database"):
        SqliteStore(path)

    assert path.read_bytes().startswith(b"hello")


def test_a_damaged_database_is_one_sentence(path: Path) -> None:
    with opened(path) as store:
        writer = Writer(store)
        writer.tell(flow_begun(ROOT), *[task_begun(ROOT, an_id(n)) for n in range(10, 2000)])
    size = path.stat().st_size
    with open(path, "r+b") as file:
        file.seek(8192 * 3)
        file.write(b"\xff" * (size - 8192 * 3))

    with pytest.raises(StoreUnavailable, match="is damaged"), opened(path) as store:
        store.task_runs(ROOT)


def test_a_database_of_another_program_is_left_alone(path: Path) -> None:
    other = apsw.Connection(str(path))
    other.execute("CREATE TABLE notes (text)")
    other.close()

    with pytest.raises(StoreUnavailable, match="belongs to another program"):
        SqliteStore(path)


@pytest.mark.parametrize("replaced", [True, False])
def test_a_database_removed_or_replaced_under_an_open_store_is_not_written_to(
    path: Path, tmp_path: Path, replaced: bool
) -> None:
    with opened(path) as store:
        Writer(store).tell(flow_begun(ROOT))
        path.rename(tmp_path / "moved")
        if replaced:
            path.write_bytes(b"")

        with pytest.raises(StoreUnavailable, match="was removed or replaced"):
            store.apply(Batch("writer-1", 2, [log_line(ROOT, "lost")]))
        path.unlink(missing_ok=True)
        (tmp_path / "moved").rename(path)

        assert store.apply(Batch("writer-1", 2, [log_line(ROOT, "kept")])).watermark == 2


# -- identity and versions --


def test_a_database_keeps_its_identity_and_its_key(path: Path) -> None:
    with opened(path) as first:
        identity = first.id, first.signing_key

    with opened(path) as second:
        assert (second.id, second.signing_key) == identity


def test_files_are_for_this_user_only(path: Path, tmp_path: Path) -> None:
    with opened(path) as store:
        Writer(store).tell(flow_begun(ROOT))

        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}

    assert set(modes.values()) == {0o600}, modes
    assert {"nadi.db", "nadi.db-wal", "nadi.db-shm"} <= set(modes)


def test_a_database_of_a_newer_nadi_that_does_not_accept_this_one_says_to_upgrade(path: Path) -> None:
    SqliteStore(path).close()
    _edit(path, f"UPDATE meta SET schema_version = {SCHEMA_VERSION + 2}, oldest_writer = {SCHEMA_VERSION + 1}")

    with pytest.raises(StoreTooNew, match=r"made by a newer Nadi .* Upgrade with `pip install -U nadi`"):
        SqliteStore(path)


def test_a_database_of_a_newer_nadi_that_accepts_this_one_is_written_to_and_stays_newer(path: Path) -> None:
    SqliteStore(path).close()
    _edit(path, f"UPDATE meta SET schema_version = {SCHEMA_VERSION + 1}")

    with opened(path) as store:
        Writer(store).tell(flow_begun(ROOT))

    assert _edit(path, "SELECT schema_version FROM meta") == [(SCHEMA_VERSION + 1,)]


def test_the_schema_version_is_the_number_of_the_newest_migration(path: Path) -> None:
    SqliteStore(path).close()

    assert _edit(path, "SELECT number FROM migration ORDER BY number") == [(n + 1,) for n in range(SCHEMA_VERSION)]


# -- forks --


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_child_may_not_use_the_store_and_does_the_parent_no_harm(path: Path) -> None:
    code = """
import os, sys
from nadi.exceptions import StoreUnavailable
from nadi.storage.sqlite import SqliteStore
from tests.storage.telling import *
store = SqliteStore(sys.argv[1])
writer = Writer(store)
writer.tell(flow_begun(an_id(1)))
with store._database.write() as connection:
    connection.execute("INSERT INTO tombstone (root, at) VALUES ('x', 1)")
    child = os.fork()
    if child == 0:
        try:
            for use in (lambda: store.flow_run(an_id(1)), lambda: writer.tell(log_line(an_id(1), "child"))):
                try:
                    use()
                except StoreUnavailable as error:
                    print(error, flush=True)
            own = SqliteStore(sys.argv[1], patience=0.05)
            print(own.flow_run(an_id(1)).name, flush=True)
            store.close()
        finally:
            sys.stdout.flush()
            os._exit(0)
    os.waitpid(child, 0)
writer.tell(log_line(an_id(1), "parent"))
assert [log.text for log in store.logs(an_id(1))] == ["parent"]
assert store.counts()["deleted_runs"] == 1
"""
    out = finish(python(code, path)).splitlines()

    assert len(out) == 3
    assert all("was forked from one that uses the database" in line for line in out[:2])
    assert out[2] == "quiet-river"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_that_ends_normally_leaves_the_parents_transaction_whole(path: Path) -> None:
    code = """
import os, sys
from nadi.storage.sqlite import SqliteStore
store = SqliteStore(sys.argv[1])
with store._database.write() as connection:
    connection.execute("INSERT INTO tombstone (root, at) VALUES ('x', 1)")
    child = os.fork()
    if child == 0:
        sys.exit(0)
    assert os.waitpid(child, 0)[1] == 0
print(store.counts()["deleted_runs"])
"""
    assert finish(python(code, path)).splitlines()[-1] == "1"


# -- plans and sizes --

QUERIES = {
    "find by id": ("flow_runs", listing.runs_by_id("0190", limit=10)),
    "find by name": ("flow_runs", ("name = ? ORDER BY id DESC LIMIT ?", ["x", 10])),
    "the task page": ("task_runs", listing.task_runs(ROOT, run="", states=(), after="", changed_after=-1, limit=100)),
    "its next page, tasks": (
        "task_runs",
        listing.task_runs(ROOT, run="", states=(), after=TASK, changed_after=-1, limit=100),
    ),
    "tasks of a subflow": (
        "task_runs",
        listing.task_runs(ROOT, run=TASK, states=(), after="", changed_after=-1, limit=9),
    ),
    "failed tasks": (
        "task_runs",
        listing.task_runs(ROOT, run="", states=(S.FAILED,), after="", changed_after=-1, limit=9),
    ),
    "changed tasks": ("task_runs", listing.task_runs(ROOT, run="", states=(), after="", changed_after=5, limit=9)),
    "one task": ("task_runs", ("id = ?", [TASK])),
    "logs": ("logs", listing.logs(ROOT, run="", task="", level=0, after=5, limit=100)),
    "logs of a task": ("logs", listing.logs(ROOT, run="", task=TASK, level=0, after=5, limit=100)),
    "logs of a subflow": ("logs", listing.logs(ROOT, run=TASK, task="", level=0, after=5, limit=100)),
    "warnings": ("logs", listing.logs(ROOT, run="", task="", level=30, after=0, limit=100)),
    "last logs": ("logs", listing.logs(ROOT, run="", task="", level=0, after=0, limit=100, newest=True)),
    "last errors": ("logs", listing.logs(ROOT, run="", task="", level=40, after=0, limit=100, newest=True)),
    "metrics": ("metrics", listing.metrics(ROOT, key="", after=3, limit=100)),
    "one metric": ("metrics", listing.metrics(ROOT, key="loss", after=3, limit=100)),
    "artifacts of a run": ("artifacts", listing.artifacts(root=ROOT, key="", limit=100)),
    "artifacts of a key": ("artifacts", listing.artifacts(root="", key="k", limit=100)),
}
EXPECTED = {
    "find by id": "SEARCH flow_run USING INDEX sqlite_autoindex_flow_run_1 (id>? AND id<?)",
    "find by name": "SEARCH flow_run USING INDEX flow_run_name (name=?)",
    "the task page": "SEARCH task_run USING INDEX task_run_root (root=?)",
    "its next page, tasks": "SEARCH task_run USING INDEX task_run_root (root=? AND id>?)",
    "tasks of a subflow": "SEARCH task_run USING INDEX task_run_below (run=?)",
    "failed tasks": "SEARCH task_run USING INDEX task_run_state (root=? AND state=?)",
    "changed tasks": "SEARCH task_run USING INDEX task_run_seq (root=? AND seq>?)",
    "one task": "SEARCH task_run USING INDEX sqlite_autoindex_task_run_1 (id=?)",
    "logs": "SEARCH log USING INDEX log_root (root=? AND seq>?)",
    "logs of a task": "SEARCH log USING INDEX log_task (root=? AND task=? AND seq>?)",
    "logs of a subflow": "SEARCH log USING INDEX log_below (root=? AND run=? AND seq>?)",
    "warnings": "SEARCH log USING INDEX log_warnings (root=?)",
    "last logs": "SEARCH log USING INDEX log_root (root=?)",
    "last errors": "SEARCH log USING INDEX log_warnings (root=?)",
    "metrics": "SEARCH metric USING INDEX metric_root (root=? AND seq>?)",
    "one metric": "SEARCH metric USING INDEX metric_key (root=? AND key=? AND seq>?)",
    "artifacts of a run": "SEARCH artifact USING INDEX artifact_root (root=?)",
    "artifacts of a key": "SEARCH artifact USING INDEX artifact_key (key=?)",
}


@pytest.mark.parametrize("query", QUERIES)
def test_lists_use_an_index_and_do_not_grow_with_history(path: Path, query: str) -> None:
    name, (where, values) = QUERIES[query]
    SqliteStore(path).close()

    plan = _plan(path, named_queries("reading.sql")[name].replace("{where}", where), values)

    assert plan[0] == EXPECTED[query]
    assert not [step for step in plan[1:] if step.startswith("SCAN") and "json" not in step]


def test_no_statement_that_writes_a_batch_scans_a_table_of_runs(path: Path) -> None:
    SqliteStore(path).close()

    for name, sql in named_queries("apply.sql").items():
        columns = sql.partition("(")[2].partition(")")[0].count(",") + 1
        row = f"({','.join('?' * columns)})"
        bindings = sql.replace("{rows}", f"{row},{row}")
        plan = _plan(path, bindings, [])
        assert not [
            step for step in plan if step.startswith("SCAN") and any(t in step for t in ("flow_run", "task_run", "log"))
        ], (name, plan)


@pytest.mark.parametrize("query", ["requests", "attempts", "superseded", "watermark"])
def test_small_questions_use_an_index(path: Path, query: str) -> None:
    SqliteStore(path).close()

    plan = _plan(path, named_queries("reading.sql")[query], [])

    assert not [step for step in plan if step.startswith("SCAN") and "json_each" not in step]


@pytest.mark.parametrize(
    "query",
    ["open_task_runs", "count_open_flow_runs", "end_task_runs", "end_subflow_runs", "end_root_runs", "end_requests"],
)
def test_ending_an_attempt_reads_only_what_is_open(path: Path, query: str) -> None:
    SqliteStore(path).close()

    plan = _plan(path, named_queries("claims.sql")[query], [])

    assert not [step for step in plan if step.startswith("SCAN") and "_run" in step], plan


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_a_batch_costs_the_same_beside_a_million_task_runs(path: Path) -> None:
    with opened(path) as store:
        writer = Writer(store)
        writer.tell(flow_begun(ROOT))
        costs = []
        for block in range(1000):
            ids = [an_id(10_000 + 1000 * block + n) for n in range(1000)]
            records = [r for id in ids for r in (task_begun(ROOT, id), task_moved(ROOT, id, S.COMPLETED))]
            started = time.perf_counter()
            writer.tell(*records)
            costs.append(time.perf_counter() - started)

        started = time.perf_counter()
        page = store.task_runs(ROOT, after=an_id(500_000), limit=100)
        store.flow_runs(RunFilter(), limit=50)
        reading = time.perf_counter() - started

    first, last = sorted(costs[20:120])[50], sorted(costs[-100:])[50]
    print(f"first {1e3 * first:.1f} us a task, last {1e3 * last:.1f} us a task, reading {1e3 * reading:.1f} ms")
    assert len(page) == 100
    assert last < 2 * first
    assert reading < 0.05


def test_a_claim_of_a_deleted_run_is_not_confused_by_what_is_left(path: Path) -> None:
    with opened(path) as store:
        writer = Writer(store)
        writer.tell(flow_begun(ROOT), task_begun(ROOT, TASK), flow_moved(ROOT, S.FAILED))
        store.set_variable(Variable(name="kept", value=b"1"), overwrite=False)

        store.delete_run(ROOT, now=1.0)

    left = {
        table: _edit(path, f"SELECT count(*) FROM {table}")[0][0]
        for (table,) in _edit(path, "SELECT name FROM sqlite_schema WHERE type = 'table'")
    }
    assert {table for table, n in left.items() if n} == {
        "migration",
        "meta",
        "change",
        "writer",
        "tombstone",
        "uncollected_run",
        "slot_version",
        "variable",
    }


def _edit(path: Path, sql: str) -> list[tuple[object, ...]]:
    connection = apsw.Connection(str(path))
    try:
        return list(connection.execute(sql))
    finally:
        connection.close()


def _plan(path: Path, sql: str, values: list[object]) -> list[str]:
    connection = apsw.Connection(str(path))
    try:
        numbered = [int(number) for number in re.findall(r"\?(\d+)", sql)]
        values = values or [None] * (max(numbered) if numbered else sql.count("?"))
        return [str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
    finally:
        connection.close()


def test_many_readers_at_once_leave_a_few_connections(path: Path) -> None:
    with opened(path) as store:
        together = threading.Barrier(4 * MOST_IDLE)

        def read() -> None:
            with store._database.read():
                together.wait(30)

        threads = [threading.Thread(target=read) for _ in range(4 * MOST_IDLE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert store.counts()["flow_runs"] == 0
        assert len(store._database._connections) <= MOST_IDLE + 1
