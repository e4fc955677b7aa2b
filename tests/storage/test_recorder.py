from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nadi.exceptions import MissingResult, SettingError, StoreUnavailable
from nadi.model.results import ResultRef
from nadi.model.runs import Request
from nadi.storage import journal as journals
from nadi.storage.delivery import Reach
from nadi.storage.memory import MemoryStore
from nadi.storage.recorder import DirectRecorder, JournalRecorder
from nadi.storage.settings import Settings
from tests.storage.telling import S, an_id, artifact_made, flow_begun, flow_moved, log_line, task_begun

ROOT, TASK = an_id(1), an_id(10)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=str(tmp_path / "home"), wait_for_store=0.0)


@pytest.fixture
def recorder(settings: Settings) -> Iterator[JournalRecorder]:
    made = JournalRecorder(settings, "writer-1")
    made.append(flow_begun(ROOT))
    yield made
    made.close(0.0)


def test_closing_delivers_everything_and_leaves_no_journal_and_no_watermark(
    recorder: JournalRecorder, settings: Settings
) -> None:
    recorder.append(flow_moved(ROOT, S.COMPLETED))

    message = recorder.close()

    again = JournalRecorder(settings, "writer-2")
    run = again.store().flow_run(ROOT)
    assert message == ""
    assert run is not None
    assert run.state_type is S.COMPLETED
    assert [folder.name for folder in recorder.home.journals.iterdir()] == ["writer-2"]
    assert again.store().counts()["writers"] == 0
    again.close()


def test_a_barrier_makes_visible_to_others_what_was_appended(recorder: JournalRecorder, settings: Settings) -> None:
    recorder.append(task_begun(ROOT, TASK))

    reach = recorder.barrier()

    other = JournalRecorder(settings, "writer-2")
    assert reach is Reach.COMMITTED
    assert other.store().task_run(TASK) is not None
    other.close()


def test_folder_and_files_of_the_journal_are_for_their_owner_only(recorder: JournalRecorder) -> None:
    folder = recorder.journal.folder

    assert folder is not None
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_a_result_kept_by_one_process_is_read_by_another(recorder: JournalRecorder, settings: Settings) -> None:
    keeper = recorder.keeper(ROOT, 1)
    assert keeper is not None
    small, large = (keeper.keep(value, task_run_id=f"t{len(value)}") for value in (b"x", b"x" * 100_000))

    other = JournalRecorder(settings, "writer-2")

    assert other.fetch(small) == b"x"
    assert other.fetch(large) == b"x" * 100_000
    with pytest.raises(MissingResult):
        other.fetch(ResultRef("inline", small.data, "", small.format, small.size_bytes, b"forged" * 3))
    other.close()


def test_results_are_kept_while_a_store_that_was_seen_before_is_away(
    recorder: JournalRecorder, settings: Settings
) -> None:
    recorder.close()
    database = recorder.home.database
    database.rename(database.with_suffix(".away"))
    database.mkdir()

    away = JournalRecorder(settings, "writer-2")
    keeper = away.keeper(ROOT, 1)
    message = away.close()
    database.rmdir()
    database.with_suffix(".away").rename(database)

    assert keeper is not None
    assert message == ""
    back = JournalRecorder(settings, "writer-3")
    assert back.fetch(keeper.keep("value", task_run_id="t")) == "value"
    back.close()


def test_nothing_can_be_kept_for_a_store_that_was_never_seen(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "home" / "nadi.db").mkdir(parents=True)

    recorder = JournalRecorder(settings, "writer-1")

    assert recorder.keeper(ROOT, 1) is None
    with pytest.raises(StoreUnavailable):
        recorder.store()
    recorder.close()


def test_the_last_message_says_what_is_undelivered_and_where_it_lies(
    recorder: JournalRecorder, settings: Settings
) -> None:
    recorder.barrier()
    database = recorder.home.database
    database.rename(database.with_suffix(".away"))
    recorder.append(log_line(ROOT, "waiting"))

    message = recorder.close()
    database.with_suffix(".away").rename(database)

    assert message.startswith("1 records are not in the store yet")
    assert str(recorder.journal.folder) in message
    back = JournalRecorder(settings, "writer-2")
    assert back.look_for_leftovers().delivered == 1
    back.close()


def test_what_neither_store_nor_journal_took_is_counted_in_the_last_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "OVERFLOW_LIMIT", 5)
    (tmp_path / "home").write_text("not a folder")
    recorder = JournalRecorder(Settings(home=str(tmp_path / "home")), "writer-1")
    recorder.append(flow_begun(ROOT))
    for n in range(7):
        recorder.append(log_line(ROOT, str(n)))
    for n in range(7):
        recorder.append(artifact_made(ROOT, f"a-{n}"))

    message = recorder.close(0.0)

    assert message.startswith("10 records, and 2 artifacts and 3 log lines, are lost: neither the store")


def test_what_was_dropped_is_said_even_when_the_rest_arrived(
    recorder: JournalRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "OVERFLOW_LIMIT", 5)
    recorder.barrier()
    with recorder.courier._step:  # nothing is delivered meanwhile
        recorder.journal.trouble = "no space left on device"
        recorder.journal._back_to_file = lambda: False  # type: ignore[method-assign]
        for n in range(8):
            recorder.append(log_line(ROOT, str(n)))

    message = recorder.close()

    assert message == "3 log lines were left out while neither the store nor the journal could be written."


def test_a_process_that_starts_while_another_looks_never_loses_its_journal(settings: Settings) -> None:
    looker = JournalRecorder(settings, "looker")
    for n in range(20):
        looker.look_for_leftovers()
        writer = JournalRecorder(settings, f"writer-{n}")
        looker.look_for_leftovers()
        writer.append(flow_begun(an_id(100 + n)))

        assert writer.journal.trouble == ""
        assert writer.close() == ""
    assert looker.store().counts()["flow_runs"] == 20
    looker.close()


def test_results_elsewhere_than_in_folders_are_refused_with_what_serves(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"file:///"):
        JournalRecorder(Settings(home=str(tmp_path), results_url="s3://bucket"), "writer-1")


def test_a_memory_store_takes_each_record_at_once() -> None:
    store = MemoryStore()
    recorder = DirectRecorder(store, "writer-1")

    recorder.append(flow_begun(ROOT))

    assert store.flow_run(ROOT) is not None
    assert recorder.barrier() is Reach.COMMITTED


def test_a_fenced_run_on_a_memory_store_is_told_so() -> None:
    store = MemoryStore()
    recorder = DirectRecorder(store, "writer-1")
    told: list[Request | None] = []
    recorder.append(flow_begun(ROOT))
    recorder.watch(ROOT, 1, told.append)
    store.claim(ROOT, holder="somebody else", now=1.0, expected_token=1)

    recorder.append(task_begun(ROOT, TASK))

    assert told == [None]
