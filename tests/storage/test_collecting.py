"""Result files that nothing names any more go, all others stay, wherever a collection is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from nadi.model.results import ResultRef
from nadi.model.states import StateType
from nadi.storage.collecting import LONGEST_SPOOL_AGE, Collected, collect
from nadi.storage.contract import Store
from nadi.storage.contracts.cache import CacheEntry
from nadi.storage.results import LocalResults, MemoryResults, ResultStorage
from nadi.storage.sqlite import SqliteStore
from tests.storage.telling import T0, Writer, an_id, flow_begun, flow_moved, task_begun, task_moved

RUN, OTHER, KEPT, CACHED, LOST, TAKEN = (an_id(n) for n in range(1, 7))
DELETED_AT = T0 + 100
LATER = DELETED_AT + LONGEST_SPOOL_AGE + 1


@pytest.fixture(params=["memory", "folder"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> ResultStorage:
    return MemoryResults() if request.param == "memory" else LocalResults(tmp_path / "results")


def tell_of_runs(store: Store, storage: ResultStorage) -> dict[str, str]:
    """Two runs with result files: of the first one is cached, one was taken by the other run, one has no record."""
    writer = Writer(store)
    files = {name: f"{store.id}/{RUN}/1/{name}" for name in (KEPT, CACHED, LOST, TAKEN)} | {
        OTHER: f"{store.id}/{OTHER}/1/{an_id(9)}",
        "named": "models/best.pkl",
    }
    for file in files.values():
        storage.write(file, file.encode())
    writer.tell(flow_begun(RUN), flow_begun(OTHER))
    for name in (KEPT, CACHED, TAKEN):
        writer.tell(task_begun(RUN, name), done(RUN, name, files[name]))
    writer.tell(task_begun(OTHER, an_id(9)), done(OTHER, an_id(9), files[OTHER]))
    writer.tell(task_begun(OTHER, an_id(10)), done(OTHER, an_id(10), files[TAKEN], state_name="Cached"))
    store.cache.put([an_entry("cached", files[CACHED]), an_entry("named", files["named"])])
    writer.tell(flow_moved(RUN, StateType.COMPLETED), flow_moved(OTHER, StateType.COMPLETED))
    return files


def done(run: str, task: str, file: str, **given: Any) -> Any:
    return task_moved(run, task, StateType.COMPLETED, result=a_ref(file), **given)


def a_ref(file: str) -> ResultRef:
    return ResultRef("file", key=file, format="pickle", size_bytes=20_000, signature=b"signed")


def an_entry(key: str, file: str) -> CacheEntry:
    return CacheEntry(
        key=key, task="t", result=a_ref(file), root=RUN, token=1, run=RUN, task_run=CACHED, name="t-0", created=T0 + 50
    )


def there(storage: ResultStorage, files: dict[str, str]) -> set[str]:
    return {name for name, file in files.items() if storage.exists(file)}


def test_files_of_a_deleted_run_go_and_those_that_something_names_stay(store: Store, storage: ResultStorage) -> None:
    files = tell_of_runs(store, storage)
    store.delete_run(RUN, now=DELETED_AT)

    collected = collect(store, storage, LATER)

    assert collected == Collected(files=2, runs=1)
    assert there(storage, files) == {CACHED, TAKEN, OTHER, "named"}


def test_nothing_goes_before_the_longest_spool_age_is_over(store: Store, storage: ResultStorage) -> None:
    files = tell_of_runs(store, storage)
    store.delete_run(RUN, now=DELETED_AT)
    store.cache.remove(now=DELETED_AT)

    collected = collect(store, storage, DELETED_AT + LONGEST_SPOOL_AGE)

    assert collected == Collected()
    assert there(storage, files) == set(files)
    assert collect(store, storage, DELETED_AT + 1, age=0.0).files == 4


def test_without_a_deleted_run_nothing_goes_whatever_lies_in_the_storage(store: Store, storage: ResultStorage) -> None:
    files = tell_of_runs(store, storage)
    files["unknown"] = f"{store.id}/{an_id(77)}/1/{an_id(78)}"
    storage.write(files["unknown"], b"of a run whose records are on the way")

    collected = collect(store, storage, LATER)

    assert collected == Collected()
    assert there(storage, files) == set(files)


def test_a_cached_file_of_a_deleted_run_goes_after_its_entry_was_removed(store: Store, storage: ResultStorage) -> None:
    files = tell_of_runs(store, storage)
    store.delete_run(RUN, now=DELETED_AT)
    collect(store, storage, LATER)

    store.cache.remove(now=LATER, keys=["cached"])
    too_early = collect(store, storage, LATER + LONGEST_SPOOL_AGE)
    in_time = collect(store, storage, LATER + LONGEST_SPOOL_AGE + 1)

    assert (too_early.files, in_time.files) == (0, 1)
    assert there(storage, files) == {TAKEN, OTHER, "named"}


def test_a_file_that_a_run_took_from_the_cache_goes_with_that_run(store: Store, storage: ResultStorage) -> None:
    files = tell_of_runs(store, storage)
    store.delete_run(RUN, now=DELETED_AT)
    collect(store, storage, LATER)

    store.delete_run(OTHER, now=LATER)
    collect(store, storage, LATER + LONGEST_SPOOL_AGE + 1)

    assert there(storage, files) == {CACHED, "named"}


def test_a_file_under_a_name_of_the_users_goes_when_nothing_names_it(store: Store, storage: ResultStorage) -> None:
    files = tell_of_runs(store, storage)

    store.cache.remove(now=DELETED_AT)
    collect(store, storage, LATER)

    assert there(storage, files) == set(files) - {"named"}


def test_what_a_killed_writer_left_unfinished_goes(store: Store, tmp_path: Path) -> None:
    storage = LocalResults(tmp_path / "results")
    storage.write("a/b", b"1")
    left = tmp_path / "results" / ".unfinished" / "left"
    left.write_bytes(b"half of")
    written = left.stat().st_mtime

    collect(store, storage, written + LONGEST_SPOOL_AGE)
    too_early = left.exists()
    collect(store, storage, written + LONGEST_SPOOL_AGE + 1)

    assert too_early
    assert not left.exists()
    assert storage.exists("a/b")


def test_a_result_is_written_whatever_folders_a_collection_removes_meanwhile(tmp_path: Path) -> None:
    storage = LocalResults(tmp_path / "results")

    def write_and_remove(name: str) -> None:
        for n in range(200):
            storage.write(f"store/{name}{n}/1/task", b"value")
            storage.delete(f"store/{name}{n}/1/task")

    with ThreadPoolExecutor(2) as pool:
        outcomes = [pool.submit(write_and_remove, name) for name in "ab"]

    assert [outcome.exception() for outcome in outcomes] == [None, None]


def test_folders_of_a_deleted_run_go_with_its_last_file(tmp_path: Path, store: Store) -> None:
    storage = LocalResults(tmp_path / "results")
    tell_of_runs(store, storage)
    store.cache.remove(now=DELETED_AT)
    for run in (RUN, OTHER):
        store.delete_run(run, now=DELETED_AT)

    collect(store, storage, LATER)

    assert [path.name for path in (tmp_path / "results").iterdir()] == [".unfinished"]


# -- killed in the middle ---------------------------------------------------------------------

#: Collects, and ends itself by SIGKILL at the step whose number it is given: before or after anything is changed.
KILLED = """
import os, signal, sys
from nadi.storage.collecting import collect
from nadi.storage.results import LocalResults
from nadi.storage.sqlite import SqliteStore

folder, now, steps = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])

def step():
    global steps
    steps -= 1
    if steps < 0:
        os.kill(os.getpid(), signal.SIGKILL)

def watched(change):
    def with_steps(*arguments):
        step()
        done = change(*arguments)
        step()
        return done
    return with_steps

store, storage = SqliteStore(folder + "/nadi.db"), LocalResults(folder + "/results")
storage.delete = watched(storage.delete)
store.result_files.mark_collected = watched(store.result_files.mark_collected)
store.result_files.forget_files = watched(store.result_files.forget_files)
collect(store, storage, now)
"""


def killed_at(step: int, folder: Path) -> bool:
    """Collect in another process that is killed at a step; False when it ended before it came there."""
    command = [sys.executable, "-c", KILLED, str(folder), str(LATER), str(step)]
    status = subprocess.run(command, check=False).returncode
    assert status in (0, -signal.SIGKILL)
    return status != 0


def test_a_collection_that_is_killed_at_any_step_loses_nothing_and_the_next_one_goes_on(tmp_path: Path) -> None:
    step = 0
    while True:
        folder = tmp_path / str(step)
        folder.mkdir()
        store, storage = SqliteStore(folder / "nadi.db"), LocalResults(folder / "results")
        files = tell_of_runs(store, storage)
        store.delete_run(RUN, now=DELETED_AT)
        store.cache.remove(now=DELETED_AT, keys=["named"])

        was_killed = killed_at(step, folder)
        after_kill = there(storage, files)
        collect(store, storage, LATER)

        assert after_kill >= {CACHED, TAKEN, OTHER}
        assert there(storage, files) == {CACHED, TAKEN, OTHER}
        assert store.result_files.deleted_runs(before=LATER) == []
        assert store.result_files.released_files(before=LATER) == []
        store.close()
        if not was_killed:
            break
        step += 1
    assert step == 10


def test_a_name_that_leads_elsewhere_is_passed_over(store: Store, storage: ResultStorage) -> None:
    writer, strange = Writer(store), "../.."
    writer.tell(flow_begun(strange), flow_moved(strange, StateType.COMPLETED))
    store.delete_run(strange, now=DELETED_AT)
    store.cache.put([an_entry("elsewhere", "../../etc/passwd"), an_entry("named", "models/best.pkl")])
    storage.write("models/best.pkl", b"model")
    store.cache.remove(now=DELETED_AT)

    collected = collect(store, storage, LATER)

    assert collected.files == 1
    assert store.result_files.released_files(before=LATER) == []
