"""Left-over journals: what a dead process appended is delivered by the next one that looks, once."""

from __future__ import annotations

import threading
from pathlib import Path

import msgspec
import pytest

from nadi.model.holders import Holder
from nadi.model.records import AnyRecord
from nadi.model.states import StateType
from nadi.storage.contract import Batch
from nadi.storage.home import Home, this_holder
from nadi.storage.journal import Header, Journal, segments
from nadi.storage.leftovers import Found, deliver_leftovers
from nadi.storage.locks import FileLock
from nadi.storage.memory import MemoryStore
from nadi.storage.opening import store_url
from nadi.storage.sqlite import SqliteStore
from tests.storage.telling import S, an_id, flow_begun, flow_moved, log_line, task_begun

ROOT, TASK = an_id(1), an_id(10)
ME = this_holder("looker")
DEAD = msgspec.structs.replace(ME, writer="dead-1", started=ME.started - 1)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.ensure(made.journals)
    return made


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def a_journal(
    home: Home,
    store: MemoryStore,
    *records: AnyRecord,
    holder: Holder = DEAD,
    store_id: str | None = None,
    url: str = "",
) -> Path:
    """Leave a journal as a process that died leaves it: the lock file is there and nobody holds it."""
    folder = home.ensure(home.journals / holder.writer)
    (folder / "lock").touch()
    journal = Journal(folder, Header(holder.writer, store.id if store_id is None else store_id, url, holder.encode()))
    for record in records:
        journal.append(record)
    journal.close()
    return folder


def look(home: Home, store: MemoryStore) -> Found:
    return deliver_leftovers(home, store, ME, now=2e9)


def begun(root: str = ROOT, holder: Holder = DEAD) -> AnyRecord:
    return flow_begun(root, holder=holder.encode())


def test_the_journal_of_a_dead_process_is_delivered_and_removed(home: Home, store: MemoryStore) -> None:
    folder = a_journal(home, store, begun(), log_line(ROOT, "last words"))

    found = look(home, store)

    assert found.delivered == 2
    assert [log.text for log in store.logs(ROOT)] == ["last words"]
    assert not folder.exists()
    assert store.watermark("dead-1") == 0


def test_runs_that_the_dead_left_open_are_crashed_with_their_tasks(home: Home, store: MemoryStore) -> None:
    a_journal(home, store, begun(), task_begun(ROOT, TASK))

    found = look(home, store)

    run, task = store.flow_run(ROOT), store.task_run(TASK)
    assert found.crashed == [ROOT]
    assert run is not None
    assert task is not None
    assert (run.state_type, task.state_type) == (S.CRASHED, S.CRASHED)
    assert f"process {DEAD.pid}" in run.message


def test_runs_that_the_dead_had_ended_stay_as_they_ended(home: Home, store: MemoryStore) -> None:
    a_journal(home, store, begun(), flow_moved(ROOT, S.COMPLETED))

    found = look(home, store)

    run = store.flow_run(ROOT)
    assert found.crashed == []
    assert run is not None
    assert run.state_type is S.COMPLETED


def test_a_run_that_was_being_cancelled_when_its_process_died_was_cancelled(home: Home, store: MemoryStore) -> None:
    a_journal(home, store, begun(), flow_moved(ROOT, S.CANCELLING))

    look(home, store)

    run = store.flow_run(ROOT)
    assert run is not None
    assert run.state_type is S.CANCELLED


def test_what_is_known_already_is_not_delivered_twice(home: Home, store: MemoryStore) -> None:
    records = [begun(), *(log_line(ROOT, str(n)) for n in range(10))]
    a_journal(home, store, *records)
    store.apply(Batch("dead-1", 1, records))

    found = look(home, store)

    assert found.delivered == 0
    assert [log.text for log in store.logs(ROOT)] == [str(n) for n in range(10)]


def test_a_journal_far_ahead_of_which_the_store_knows_the_beginning_is_delivered_to_its_end(
    home: Home, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nadi.storage.delivery.BATCH_BYTES", 4096)
    records = [begun(), *(log_line(ROOT, str(n)) for n in range(1000))]
    a_journal(home, store, *records)
    store.apply(Batch("dead-1", 1, records[:950]))

    found = look(home, store)

    assert found.delivered == 51
    assert [log.text for log in store.logs(ROOT, limit=2000)] == [str(n) for n in range(1000)]


def test_the_journal_of_a_living_process_is_left_alone(home: Home, store: MemoryStore) -> None:
    living = msgspec.structs.replace(ME, writer="living-1")
    folder = a_journal(home, store, begun(holder=living), holder=living)
    lock = FileLock(folder / "lock")
    lock.try_acquire()

    found = look(home, store)

    assert found.delivered == 0
    assert folder.exists()
    assert store.flow_run(ROOT) is None


def test_a_folder_that_a_process_is_just_making_is_left_alone(home: Home, store: MemoryStore) -> None:
    folder = home.ensure(home.journals / "new-1")

    look(home, store)

    assert folder.is_dir()


def test_who_looks_while_another_delivers_waits_until_it_is_there(home: Home, store: MemoryStore) -> None:
    folder = a_journal(home, store, begun())
    lock = FileLock(folder / "lock")
    lock.try_acquire()
    found: list[Found] = []
    thread = threading.Thread(target=lambda: found.append(look(home, store)))

    thread.start()
    thread.join(0.1)
    waited = thread.is_alive()
    lock.release()
    thread.join(10)

    assert waited
    assert found[0].crashed == [ROOT]


def test_a_journal_for_another_store_is_left_alone(home: Home, store: MemoryStore) -> None:
    folder = a_journal(home, store, begun(), store_id="another-store")

    found = look(home, store)

    assert found.delivered == 0
    assert folder.exists()


def test_a_journal_whose_writer_never_saw_its_store_goes_to_the_one_it_was_meant_for(home: Home) -> None:
    store = SqliteStore(home.path / "nadi.db")
    memory = MemoryStore()
    url = store_url("", home.path)
    a_journal(home, memory, begun(), store_id="", url=url)

    elsewhere = deliver_leftovers(home, memory, ME, now=2e9)
    here = deliver_leftovers(home, store, ME, now=2e9)

    assert elsewhere.delivered == 0
    assert here.crashed == [ROOT]
    store.close()


def test_a_journal_after_a_gap_is_kept_and_said_to_be_stuck(
    home: Home, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nadi.storage.journal.SEGMENT_BYTES", 1000)
    folder = a_journal(home, store, begun(), *(log_line(ROOT, str(n)) for n in range(50)))
    segments(folder)[0][1].unlink()

    found = look(home, store)

    assert "gap" in found.stuck[folder]
    assert folder.exists()


def test_a_half_written_end_is_left_out_and_said(
    home: Home, store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    folder = a_journal(home, store, begun(), log_line(ROOT, "whole"))
    with segments(folder)[0][1].open("ab") as file:
        file.write(b"\x40\x00\x00\x00half")

    look(home, store)

    assert [log.text for log in store.logs(ROOT)] == ["whole"]
    assert "no whole record" in caplog.text


def test_an_empty_journal_is_removed(home: Home, store: MemoryStore) -> None:
    folder = a_journal(home, store)

    look(home, store)

    assert not folder.exists()


def test_a_run_whose_process_is_gone_without_a_journal_is_crashed(home: Home, store: MemoryStore) -> None:
    store.apply(Batch("dead-1", 1, [begun()]))

    found = look(home, store)

    assert found.crashed == [ROOT]


def test_a_run_of_another_machine_is_not_called_dead(home: Home, store: MemoryStore) -> None:
    far = msgspec.structs.replace(DEAD, boot="another-boot", host="far")
    store.apply(Batch("far-1", 1, [begun(holder=far)]))

    found = look(home, store)

    run = store.flow_run(ROOT)
    assert found.crashed == []
    assert run is not None
    assert run.state_type is StateType.RUNNING


def test_a_run_that_somebody_else_has_resumed_is_not_crashed_by_the_journal_of_its_first_process(
    home: Home, store: MemoryStore
) -> None:
    store.apply(Batch("dead-1", 1, [begun()]))
    store.claim(ROOT, holder=ME.encode(), now=1.9e9, expected_token=1)
    a_journal(home, store, begun(), log_line(ROOT, "late"), task_begun(ROOT, TASK))

    found = look(home, store)

    run = store.flow_run(ROOT)
    assert found.crashed == []
    assert run is not None
    assert (run.state_type, run.token) == (S.PENDING, 2)
    assert store.task_run(TASK) is None
    assert [one.run for one in store.superseded(ROOT)] == [TASK]
