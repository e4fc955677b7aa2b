"""Retention: what is due goes, in small steps, and nothing else."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from nadi.exceptions import RunTaken
from nadi.model.access import AuditEntry
from nadi.model.retention import RetentionRule
from nadi.services.retention import AUDIT_TERM, PAUSE, Removed, Retention, delete_run, due_runs, remove_due, steps
from nadi.storage.collecting import LONGEST_SPOOL_AGE
from nadi.storage.contract import Store
from nadi.storage.memory import MemoryStore
from nadi.storage.results import LocalResults, MemoryResults
from nadi.storage.sqlite import SqliteStore
from tests.storage.telling import T0, S, Writer, an_id, flow_begun, log_line
from tests.storage.test_retention_contract import everything_below, tell_finished

DAY = 24 * 3600.0


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "nadi.db")


def test_without_a_rule_nothing_is_due(store: Store) -> None:
    tell_finished(store)

    assert list(due_runs(store, now=T0 + 1000 * DAY)) == []


def test_what_is_due_goes_with_all_that_belongs_to_it_and_nothing_else(store: Store) -> None:
    old, failed, young = (
        tell_finished(store, 1, ended=T0),
        tell_finished(store, 2, state=S.FAILED, ended=T0),
        tell_finished(store, 3, ended=T0 + 8 * DAY),
    )
    audited = tell_finished(store, 4, flow="audited", ended=T0)
    open_run = an_id(5)
    Writer(store, "open").tell(flow_begun(open_run, at=T0))
    store.retention.set_rule(RetentionRule(age=7 * DAY))
    store.retention.set_rule(RetentionRule(state=S.FAILED, age=30 * DAY))
    store.retention.set_rule(RetentionRule(flow="audited"))

    removed = remove_due(store, MemoryResults(), now=T0 + 10 * DAY)

    assert removed.runs == 1
    assert store.flow_run(old) is None
    assert everything_below(store, old) == []
    assert all(store.flow_run(run) is not None for run in (failed, young, audited, open_run))


def test_result_files_go_when_no_journal_can_name_them_any_more(store: Store, tmp_path: Path) -> None:
    results = LocalResults(tmp_path / "results")
    root = tell_finished(store, ended=T0)
    key = f"{store.id}/{root}/1/abc"
    results.write(key, b"large")
    store.retention.set_rule(RetentionRule(age=DAY))

    remove_due(store, results, now=T0 + 2 * DAY)
    kept_at_first = results.exists(key)
    removed = remove_due(store, results, now=T0 + 2 * DAY + LONGEST_SPOOL_AGE + 1)

    assert kept_at_first
    assert removed.files == 1
    assert not results.exists(key)


def test_a_round_that_was_cut_off_is_finished_by_the_next(store: Store) -> None:
    runs = [tell_finished(store, n, ended=T0) for n in range(1, 4)]
    store.retention.set_rule(RetentionRule(age=DAY))

    cut_off = steps(store, MemoryResults(), Removed(), now=T0 + 2 * DAY)
    next(cut_off)
    cut_off.close()  # type: ignore[attr-defined]  # a generator
    remove_due(store, MemoryResults(), now=T0 + 2 * DAY)

    assert [everything_below(store, run) for run in runs] == [[], [], []]
    assert store.retention.sweep(rows=10) == 0


def test_the_service_takes_one_step_at_a_time_and_rests_after_a_round(store: Store) -> None:
    tell_finished(store, ended=T0)
    store.retention.set_rule(RetentionRule(age=DAY))
    service = Retention(store, MemoryResults(), now=lambda: T0 + 2 * DAY)

    waits = [service.step(0.0)]
    while waits[-1] != PAUSE:
        waits.append(service.step(0.0))

    assert len(waits) > 2
    assert max(waits[:-1]) < 0.1
    assert store.flow_run(an_id(1)) is None


def test_a_run_that_has_not_ended_is_not_deleted(store: Store) -> None:
    Writer(store).tell(flow_begun(an_id(1)))

    with pytest.raises(RunTaken):
        delete_run(store, an_id(1), now=T0)

    assert not delete_run(store, an_id(2), now=T0)


def test_writers_go_on_while_a_large_run_is_removed(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "nadi.db")
    root = tell_finished(store, 1)
    Writer(store, "logs-of-1").tell(*(log_line(root, "x" * 200) for _ in range(20_000)))
    writing, stop, longest = threading.Event(), threading.Event(), [0]

    def write() -> None:
        writer, written = Writer(store, "busy"), 0
        writer.tell(flow_begun(an_id(2)))
        while not stop.is_set():
            writer.tell(log_line(an_id(2), "on"))
            written += 1
            longest[0] = written
            writing.set()

    thread = threading.Thread(target=write)
    thread.start()
    writing.wait(10)

    before = longest[0]
    assert delete_run(store, root, now=T0 + 1)
    between = longest[0] - before
    stop.set()
    thread.join()

    assert store.logs(root) == []
    assert between >= 5, "the writer had its turn between the steps"
    store.close()


def test_entries_of_the_audit_log_are_kept_for_more_than_a_year_and_no_longer(store: Store) -> None:
    for at in (T0, T0 + 1):
        store.access.note(AuditEntry(at=at, who="ada", how="", origin="cli", action="set_limit"))

    remove_due(store, MemoryResults(), now=T0 + AUDIT_TERM + 1)

    assert [entry.at for entry in store.access.audit()] == [T0 + 1]
