"""The rules of a batch that only `fold` itself can show; the others run on every store in test_store_contract.py."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from nadi.model.records import AnyRecord
from nadi.storage.contract import Refusal
from nadi.storage.fold import Before, FlowRow, fold, named
from nadi.storage.memory import MemoryStore
from tests.storage.telling import (
    T0,
    S,
    Writer,
    an_id,
    flow_begun,
    flow_moved,
    log_line,
    task_begun,
    task_moved,
)

ROOT, TASK = an_id(1), an_id(10)


def nothing() -> Before:
    return Before({}, {})


def standing(token: int = 1) -> Before:
    row = FlowRow(ROOT, ROOT, "", 1, token, S.RUNNING, "Running", "", "process-a", T0, 0.0)
    return Before({ROOT: row}, {})


def test_what_starts_and_ends_within_one_batch_is_one_row_to_write() -> None:
    records: list[AnyRecord] = [task_begun(ROOT, TASK), task_moved(ROOT, TASK, S.COMPLETED)]

    changes = fold(records, 1, standing())

    assert [(row.id, row.was, row.state) for row in changes.tasks] == [(TASK, None, S.COMPLETED)]
    assert changes.task_counts == {(ROOT, ROOT, S.COMPLETED): 1}
    assert changes.flows == []
    assert changes.stirred == [ROOT]


def test_counts_that_come_and_go_within_one_batch_are_not_written() -> None:
    changes = fold([flow_begun(ROOT), task_begun(ROOT, TASK), task_moved(ROOT, TASK, S.FAILED)], 1, nothing())

    assert changes.task_counts == {(ROOT, ROOT, S.FAILED): 1}
    assert changes.stirred == []


def test_a_batch_that_changes_nothing_writes_nothing() -> None:
    changes = fold([log_line(ROOT, "late")], 5, standing(token=2))

    assert [(refused.n, refused.why) for refused in changes.refused] == [(5, Refusal.FENCED)]
    assert (changes.flows, changes.tasks, changes.logs, changes.stirred) == ([], [], [], [])


def test_a_root_named_in_no_row_is_known_from_its_first_record_on() -> None:
    changes = fold([log_line(ROOT, "early"), flow_begun(ROOT), log_line(ROOT, "in time")], 1, nothing())

    assert [(refused.n, refused.why) for refused in changes.refused] == [(1, Refusal.DELETED)]
    assert [log.text for log in changes.logs] == ["in time"]


def test_named_tells_every_row_that_fold_looks_at() -> None:
    child = an_id(3)
    records: list[AnyRecord] = [
        flow_begun(ROOT, id=child),
        task_begun(ROOT, TASK),
        log_line(an_id(2), "x"),
        flow_moved(ROOT, S.FAILED),
    ]

    assert named(records) == ({ROOT, child, an_id(2)}, {TASK})


_states = st.sampled_from(list(S))
_attempts = st.integers(1, 3)
_tokens = st.integers(1, 2)
_ids = st.sampled_from([an_id(10), an_id(11)])
_records = st.one_of(
    st.builds(lambda s, a, t: flow_begun(ROOT, state=s, attempt=a, token=t), _states, _attempts, _tokens),
    st.builds(lambda s, a, t: flow_moved(ROOT, s, attempt=a, token=t), _states, _attempts, _tokens),
    st.builds(
        lambda i, s, a, t, w: task_begun(ROOT, i, state=s, attempt=a, token=t, was=w),
        _ids,
        _states,
        _attempts,
        _tokens,
        st.none() | _states,
    ),
    st.builds(lambda i, s, a, t: task_moved(ROOT, i, s, attempt=a, token=t), _ids, _states, _attempts, _tokens),
)


@given(st.lists(_records, max_size=12), st.data())
@settings(max_examples=60, deadline=None)
def test_any_records_give_the_same_store_however_they_are_cut_into_batches(
    records: list[AnyRecord], data: st.DataObject
) -> None:
    whole, cut = MemoryStore(), MemoryStore()
    together, apart = Writer(whole), Writer(cut)
    refused_together = [(r.n, r.why) for r in together.tell(flow_begun(ROOT), *records).refused]
    refused_apart = [(r.n, r.why) for r in apart.tell(flow_begun(ROOT)).refused]
    left = list(records)

    while left:
        size = data.draw(st.integers(1, len(left)))
        refused_apart += [(r.n, r.why) for r in apart.tell(*left[:size]).refused]
        left = left[size:]

    assert refused_apart == refused_together
    assert _view(cut) == _view(whole)


def _view(store: MemoryStore) -> object:
    runs = [store.flow_run(ROOT), *store.task_runs(ROOT)]
    rows = [{field: getattr(run, field) for field in run.__struct_fields__ if field != "seq"} for run in runs if run]
    return rows, [store.attempts(run.id) for run in runs if run], len(store.superseded(ROOT))


@given(st.lists(_records, max_size=12))
@settings(max_examples=40, deadline=None)
def test_whatever_comes_a_completed_run_stays_completed_and_counts_add_up(records: list[AnyRecord]) -> None:
    store = MemoryStore()
    writer = Writer(store)
    writer.tell(flow_begun(ROOT), task_begun(ROOT, TASK), task_moved(ROOT, TASK, S.COMPLETED))

    for record in records:
        writer.tell(record)

    task, run = store.task_run(TASK), store.flow_run(ROOT)
    assert task is not None
    assert task.state_type is S.COMPLETED
    assert run is not None
    assert sum(run.task_counts.values()) == len(store.task_runs(ROOT))
