"""A completed task run that was undone, in every store; and results under names of the user's."""

from __future__ import annotations

from pathlib import Path

import pytest

from nadi.exceptions import CallError, MissingResult
from nadi.model.records import AnyRecord, TaskRunRolledBack
from nadi.model.results import ResultRef
from nadi.storage.contract import Refusal, Store
from nadi.storage.results import Keeper, LocalResults, MemoryResults, ResultStorage, fetch
from tests.storage.telling import T0, S, Writer, an_id, flow_begun, task_begun, task_moved

ROOT, TASK = an_id(1), an_id(10)
KEY = b"k" * 32


def rolled_back(token: int = 1) -> TaskRunRolledBack:
    return TaskRunRolledBack(ROOT, token, T0 + 5, TASK)


@pytest.mark.parametrize("in_one_batch", [True, False])
def test_a_task_run_that_was_undone_stays_completed_and_has_no_result(store: Store, in_one_batch: bool) -> None:
    writer = Writer(store)
    done = task_moved(ROOT, TASK, S.COMPLETED, result=ResultRef("inline", b"1"))
    records: list[AnyRecord] = [flow_begun(ROOT), task_begun(ROOT, TASK), done, rolled_back()]

    for batch in [records] if in_one_batch else [[record] for record in records]:
        assert not writer.tell(*batch).refused

    run = store.task_run(TASK)
    assert run is not None
    assert (run.state_type, run.state_name) == (S.COMPLETED, "RolledBack")
    assert run.message == "It was rolled back with its transaction."
    assert run.result == ResultRef("not_kept", note="it was rolled back with its transaction")
    assert run.ended == T0 + 2
    flow = store.flow_run(ROOT)
    assert flow is not None
    assert flow.task_counts == {"COMPLETED": 1}


def test_only_a_completed_task_run_can_be_undone(store: Store) -> None:
    writer = Writer(store)
    writer.tell(flow_begun(ROOT), task_begun(ROOT, TASK))

    refused = writer.tell(rolled_back()).refused

    assert [one.why for one in refused] == [Refusal.INVALID]


def test_an_older_claim_undoes_nothing(store: Store) -> None:
    writer = Writer(store)
    writer.tell(
        flow_begun(ROOT, token=2), task_begun(ROOT, TASK, token=2), task_moved(ROOT, TASK, S.COMPLETED, token=2)
    )

    refused = writer.tell(rolled_back(token=1)).refused

    run = store.task_run(TASK)
    assert run is not None
    assert run.state_name == "Completed"
    assert [one.why for one in refused] == [Refusal.FENCED]


@pytest.fixture(params=["folder", "memory"])
def results(request: pytest.FixtureRequest, tmp_path: Path) -> ResultStorage:
    return LocalResults(tmp_path / "results") if request.param == "folder" else MemoryResults()


def test_replacing_puts_other_bytes_under_a_key(results: ResultStorage) -> None:
    results.replace("reports/latest", b"one")
    results.replace("reports/latest", b"two")

    assert results.read("reports/latest") == b"two"


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../up", "a/../b", ".hidden", "a\\b"])
def test_no_key_of_the_users_leads_out_of_the_storage(results: ResultStorage, key: str) -> None:
    with pytest.raises(CallError):
        results.replace(key, b"x")


@pytest.mark.parametrize("value", [None, 1, "x" * 100_000])
def test_a_published_value_reads_back_and_leaves_what_it_was_copied_from(results: ResultStorage, value: object) -> None:
    keeper = Keeper(results, KEY, "store", "run", 1)
    kept = keeper.keep(value, task_run_id="task")

    named = keeper.publish(kept, "mine")
    keeper.publish(keeper.keep("another", task_run_id="task-2"), "mine")

    assert (named.kind, named.key) == ("file", "mine")
    assert fetch(kept, results, KEY) == value
    with pytest.raises(MissingResult, match="was not signed by this store, or was changed since"):
        fetch(named, results, KEY)


def test_a_name_among_those_of_the_store_is_not_published(results: ResultStorage) -> None:
    keeper = Keeper(results, KEY, "store", "run", 1)

    refused = keeper.publish(keeper.keep(1, task_run_id="task"), "store/run/1/task")

    assert refused.kind == "not_kept"
    assert "take another name" in refused.note
