"""What every store promises. Each test runs on each store; see `nadi/storage/contract.py`."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from msgspec.structs import replace

from nadi.exceptions import RunAlreadyFinished, RunNotFound, RunTaken, StoreUnavailable
from nadi.model.records import AnyRecord, CallReused, Counted, FlowRunSource, TaskRunBegun, TaskRunMoved
from nadi.model.results import ResultRef
from nadi.model.runs import FlowRun, Request, RunFilter, TaskRun, Variable
from nadi.storage.contract import Applied, Batch, Ending, Refusal, Refused, Store
from tests.storage.telling import (
    T0,
    S,
    Writer,
    a_call,
    an_id,
    artifact_made,
    flow_begun,
    flow_moved,
    log_line,
    metric_logged,
    task_begun,
    task_moved,
)

ROOT, OTHER, CHILD = an_id(1), an_id(2), an_id(3)
TASK, TASK_2, TASK_3 = an_id(10), an_id(11), an_id(12)


# -- batches and watermarks --


def test_a_batch_moves_the_watermark_of_its_writer(store: Store) -> None:
    applied = store.apply(Batch("w", 1, [flow_begun(ROOT), log_line(ROOT, "hello")]))

    assert applied == Applied(2)
    assert store.watermark("w") == 2
    assert store.watermark("another") == 0


def test_a_batch_that_arrives_twice_changes_nothing(store: Store) -> None:
    batch = Batch("w", 1, [flow_begun(ROOT), task_begun(ROOT, TASK), log_line(ROOT, "hello")])
    store.apply(batch)
    before = store.last_change()

    again = store.apply(batch)

    assert again == Applied(3)
    assert store.last_change() == before
    assert len(store.logs(ROOT)) == 1
    assert _run(store).task_counts == {"RUNNING": 1}


def test_of_a_batch_that_overlaps_only_the_new_records_are_applied(store: Store) -> None:
    store.apply(Batch("w", 1, [flow_begun(ROOT), log_line(ROOT, "one")]))

    applied = store.apply(Batch("w", 2, [log_line(ROOT, "one"), log_line(ROOT, "two")]))

    assert applied == Applied(3)
    assert [log.text for log in store.logs(ROOT)] == ["one", "two"]


def test_a_batch_that_leaves_a_gap_is_not_applied(store: Store) -> None:
    store.apply(Batch("w", 1, [flow_begun(ROOT)]))

    applied = store.apply(Batch("w", 3, [log_line(ROOT, "too early")]))

    assert applied == Applied(1)
    assert store.logs(ROOT) == []


def test_a_forgotten_writer_has_no_watermark(store: Store) -> None:
    store.apply(Batch("w", 1, [flow_begun(ROOT)]))

    store.forget_writer("w")

    assert store.watermark("w") == 0


def test_refused_records_do_not_stop_the_others(store: Store) -> None:
    applied = store.apply(
        Batch(
            "w",
            1,
            [flow_begun(ROOT), log_line(OTHER, "whose?"), task_moved(ROOT, TASK, S.COMPLETED), log_line(ROOT, "a")],
        )
    )

    assert applied.watermark == 4
    assert applied.refused == (
        Refused(2, OTHER, 1, Refusal.DELETED),
        Refused(3, ROOT, 1, Refusal.INVALID),
    )
    assert [log.text for log in store.logs(ROOT)] == ["a"]


def test_threads_may_apply_at_the_same_time(store: Store) -> None:
    Writer(store).tell(flow_begun(ROOT))

    def tell_much(k: int) -> None:
        writer = Writer(store, f"thread-{k}")
        for i in range(20):
            writer.tell(task_begun(ROOT, an_id(1000 * k + i)), log_line(ROOT, "x"))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(tell_much, range(1, 5)))

    assert _run(store).task_counts == {"RUNNING": 80}
    assert len(store.logs(ROOT)) == 80
    assert len({task.seq for task in store.task_runs(ROOT)}) == 80


# -- what a flow run tells --


def test_a_flow_run_reads_back_as_it_was_told(store: Store) -> None:
    arguments = ResultRef("inline", b"args", "", "pickle", 4, b"sign")
    Writer(store).tell(
        flow_begun(
            ROOT,
            tags=("a", "b"),
            version="7",
            parameters=b'{"x":1}',
            arguments=arguments,
            source=b"{}",
            description="d",
        )
    )

    run = _run(store)

    assert (run.id, run.root, run.flow, run.name, run.attempt, run.token) == (
        ROOT,
        ROOT,
        "nightly",
        "quiet-river",
        1,
        1,
    )
    assert (run.state_type, run.state_name, run.created, run.started, run.ended) == (S.RUNNING, "Running", T0, T0, 0.0)
    assert (run.tags, run.version, run.description) == (("a", "b"), "7", "d")
    assert (run.parameters, run.arguments, run.source, run.holder) == (b'{"x":1}', arguments, b"{}", "process-a")
    assert run.is_root


def test_a_flow_run_that_ends_keeps_result_message_detail_and_times(store: Store) -> None:
    writer = Writer(store)
    writer.tell(flow_begun(ROOT))
    result = ResultRef("file", key="store/run/1/x", format="pickle", size_bytes=9)

    writer.tell(
        flow_moved(ROOT, S.FAILED, message="boom", detail="Traceback ...", result=result, run_count=3, name="new")
    )

    run = _run(store)
    assert (run.state_type, run.message, run.detail, run.result) == (S.FAILED, "boom", "Traceback ...", result)
    assert (run.started, run.ended, run.run_count, run.name) == (T0, T0 + 60, 3, "new")


def test_times_keep_their_microseconds_through_a_later_change(store: Store) -> None:
    writer = Writer(store)
    exact = 1_800_000_000.123457
    writer.tell(flow_begun(ROOT, at=exact), task_begun(ROOT, TASK, at=exact))

    writer.tell(task_moved(ROOT, TASK, S.COMPLETED), flow_moved(ROOT, S.COMPLETED))

    assert _run(store).started == exact
    assert _task(store).started == exact


def test_where_the_code_came_from_may_be_told_later(store: Store) -> None:
    writer = Writer(store)
    writer.tell(flow_begun(ROOT))

    writer.tell(FlowRunSource(ROOT, 1, T0, ROOT, b'{"commit":"abc"}'))

    assert _run(store).source == b'{"commit":"abc"}'


def test_what_was_left_out_is_added_up_by_kind(store: Store) -> None:
    writer = Writer(store)
    writer.tell(flow_begun(ROOT), Counted(ROOT, 1, T0, ROOT, "log", 5), Counted(ROOT, 1, T0, ROOT, "log", 2))

    writer.tell(Counted(ROOT, 1, T0, ROOT, "log", 1), Counted(ROOT, 1, T0, ROOT, "metric", 4))

    assert _run(store).dropped == {"log": 8, "metric": 4}


def test_subflow_runs_are_listed_below_their_root_in_the_order_made(store: Store) -> None:
    Writer(store).tell(
        flow_begun(ROOT),
        flow_begun(ROOT, id=an_id(6), parent=an_id(5), name="second"),
        flow_begun(ROOT, id=an_id(5), parent=ROOT, name="first", call=a_call(ROOT, 4)),
    )

    below = store.subflow_runs(ROOT)

    assert [run.name for run in below] == ["first", "second"]
    assert (below[0].parent, below[0].root, below[0].is_root) == (ROOT, ROOT, False)
    assert (below[0].scope, below[0].position, below[0].own_thread) == (ROOT, 4, False)


def test_subflow_runs_are_read_page_by_page(store: Store) -> None:
    Writer(store).tell(flow_begun(ROOT), *(flow_begun(ROOT, id=an_id(n), parent=ROOT) for n in (4, 5, 6)))

    first = store.subflow_runs(ROOT, limit=2)
    rest = store.subflow_runs(ROOT, after=first[-1].id, limit=2)

    assert [run.id for run in (*first, *rest)] == [an_id(4), an_id(5), an_id(6)]
    assert len(first) == 2


# -- what a task run tells --


def test_a_task_that_starts_and_ends_within_one_batch_is_one_row(store: Store) -> None:
    result = ResultRef("inline", b"42", "", "pickle", 2, b"sign")
    Writer(store).tell(
        flow_begun(ROOT),
        task_begun(ROOT, TASK, tags=("t",), upstream=(TASK_2,), map_index=7, reason="code changed"),
        task_moved(ROOT, TASK, S.COMPLETED, state_name="Cached", message="from before", result=result),
    )

    task = _task(store)

    assert (task.id, task.root, task.run, task.task, task.name) == (TASK, ROOT, ROOT, "clean", "clean-0")
    assert (task.state_type, task.state_name, task.message) == (S.COMPLETED, "Cached", "from before")
    assert (task.created, task.started, task.state_at, task.ended) == (T0 + 1, T0 + 1, T0 + 2, T0 + 2)
    assert (task.tags, task.upstream, task.map_index, task.reason) == (("t",), (TASK_2,), 7, "code changed")
    assert (task.scope, task.function, task.code, task.inputs) == (ROOT, "clean:flow.py", b"code", b"inputs")
    assert (task.certainty, task.occurrence, task.each, task.own_thread) == (1, 2, {"x": b"digest"}, False)
    assert task.result == result
    assert store.task_runs(ROOT) == [task]


def test_a_task_reads_the_same_whether_told_in_one_batch_or_in_many(store: Store) -> None:
    records: list[TaskRunBegun | TaskRunMoved] = [
        task_begun(ROOT, TASK, state=S.PENDING),
        task_moved(ROOT, TASK, S.RUNNING, was=S.PENDING, at=T0 + 5),
        task_moved(ROOT, TASK, S.SCHEDULED, state_name="AwaitingRetry", message="flaky", due=T0 + 9, at=T0 + 6),
        task_moved(ROOT, TASK, S.RUNNING, was=S.SCHEDULED, attempt=2, at=T0 + 9),
        task_moved(ROOT, TASK, S.FAILED, attempt=2, message="boom", detail="Traceback", at=T0 + 10),
    ]
    whole = Writer(store, "whole")
    whole.tell(flow_begun(ROOT), *records)
    at_once, attempts_at_once = _task(store), store.attempts(TASK)
    single = Writer(store, "single")
    single.tell(flow_begun(OTHER))

    for record in records:
        single.tell(_of_root(record, OTHER, an_id(20)))

    one_by_one = store.task_run(an_id(20))
    assert one_by_one is not None
    same = {"id": TASK, "root": ROOT, "run": ROOT, "seq": at_once.seq, "scope": ROOT}
    assert {f: getattr(one_by_one, f) for f in one_by_one.__struct_fields__} | same == {
        f: getattr(at_once, f) for f in at_once.__struct_fields__
    }
    one_by_one_attempts = store.attempts(an_id(20))
    assert [(a.attempt, a.state_type, a.message, a.started, a.ended) for a in one_by_one_attempts] == [
        (a.attempt, a.state_type, a.message, a.started, a.ended) for a in attempts_at_once
    ]


def test_each_retry_adds_an_attempt_and_the_failed_one_keeps_its_message(store: Store) -> None:
    writer = Writer(store)
    writer.tell(flow_begun(ROOT), task_begun(ROOT, TASK))
    writer.tell(
        task_moved(ROOT, TASK, S.SCHEDULED, state_name="AwaitingRetry", message="timed out", due=T0 + 30, at=T0 + 5)
    )
    waiting, attempts_while_waiting = _task(store), store.attempts(TASK)

    writer.tell(task_moved(ROOT, TASK, S.RUNNING, was=S.SCHEDULED, attempt=2, at=T0 + 30))
    writer.tell(task_moved(ROOT, TASK, S.COMPLETED, attempt=2, at=T0 + 31))

    assert (waiting.state_name, waiting.due, waiting.attempt) == ("AwaitingRetry", T0 + 30, 1)
    assert [(a.attempt, a.state_type) for a in attempts_while_waiting] == [(1, S.FAILED)]
    assert [(a.attempt, a.state_type, a.state_name, a.message, a.started, a.ended) for a in store.attempts(TASK)] == [
        (1, S.FAILED, "Failed", "timed out", T0 + 1, T0 + 5),
        (2, S.COMPLETED, "Completed", "", T0 + 30, T0 + 31),
    ]
    assert _task(store).due == 0.0


def test_earlier_attempts_of_all_task_runs_are_read_in_order_and_page_by_page(store: Store) -> None:
    writer = Writer(store)
    writer.tell(flow_begun(ROOT), flow_begun(ROOT, id=CHILD, parent=ROOT, call=a_call(ROOT, 1)), flow_begun(OTHER))
    for root, run, task in ((ROOT, CHILD, an_id(22)), (ROOT, ROOT, an_id(21)), (OTHER, OTHER, an_id(23))):
        writer.tell(
            task_begun(root, task, run=run, at=T0 + 1),
            task_moved(root, task, S.RUNNING, attempt=2, message="first", at=T0 + 2),
            task_moved(root, task, S.RUNNING, attempt=3, message="second", at=T0 + 3),
        )
    writer.tell(task_begun(ROOT, TASK))

    everything = store.earlier_attempts(ROOT)
    pages = [store.earlier_attempts(ROOT, limit=3), store.earlier_attempts(ROOT, after=(an_id(22), 1), limit=3)]

    assert [(a.run, a.attempt, a.state_type, a.message, a.started, a.ended) for a in everything] == [
        (an_id(21), 1, S.FAILED, "first", T0 + 1, T0 + 2),
        (an_id(21), 2, S.FAILED, "second", T0 + 2, T0 + 3),
        (an_id(22), 1, S.FAILED, "first", T0 + 1, T0 + 2),
        (an_id(22), 2, S.FAILED, "second", T0 + 2, T0 + 3),
    ]
    assert pages == [everything[:3], everything[3:]]
    assert store.earlier_attempts(ROOT, run=CHILD) == everything[2:]
    assert store.earlier_attempts(ROOT, run=ROOT) == everything[:2]
    assert store.earlier_attempts(ROOT, after=(an_id(22), 2)) == store.earlier_attempts(an_id(99)) == []


def test_a_task_run_that_waits_to_be_tried_again_has_its_attempt_among_the_earlier_ones(store: Store) -> None:
    writer = Writer(store)
    writer.tell(flow_begun(ROOT), task_begun(ROOT, TASK))

    writer.tell(task_moved(ROOT, TASK, S.SCHEDULED, state_name="AwaitingRetry", message="no", due=T0 + 9, at=T0 + 5))

    assert [(a.attempt, a.state_type, a.ended) for a in store.earlier_attempts(ROOT)] == [(1, S.FAILED, T0 + 5)]


def test_earlier_attempts_of_flow_runs_are_not_among_those_of_tasks(store: Store) -> None:
    writer = Writer(store)
    writer.tell(flow_begun(ROOT), flow_moved(ROOT, S.FAILED))

    store.claim(ROOT, holder="another", now=T0 + 60)

    assert (len(store.attempts(ROOT)), store.earlier_attempts(ROOT)) == (2, [])


def test_a_retry_without_waiting_closes_the_attempt_before_as_failed(store: Store) -> None:
    writer = Writer(store)
    writer.tell(flow_begun(ROOT), task_begun(ROOT, TASK))

    writer.tell(task_moved(ROOT, TASK, S.RUNNING, state_name="Retrying", attempt=2, message="boom"))

    assert [(a.attempt, a.state_type, a.message) for a in store.attempts(TASK)] == [
        (1, S.FAILED, "boom"),
        (2, S.RUNNING, "boom"),
    ]


def test_counts_of_task_states_follow_every_change_of_each_flow_run(store: Store) -> None:
    writer = Writer(store)
    writer.tell(flow_begun(ROOT), flow_begun(ROOT, id=CHILD, parent=ROOT))
    writer.tell(task_begun(ROOT, TASK), task_begun(ROOT, TASK_2), task_begun(ROOT, TASK_3, run=CHILD))

    writer.tell(task_moved(ROOT, TASK, S.COMPLETED), task_moved(ROOT, TASK_3, S.FAILED))

    assert _run(store).task_counts == {"COMPLETED": 1, "RUNNING": 1}
    assert _run(store, CHILD).task_counts == {"FAILED": 1}


# -- states that may not follow --


@pytest.mark.parametrize("final", [S.COMPLETED, S.FAILED, S.CRASHED, S.CANCELLED])
def test_a_final_state_never_changes_within_an_attempt(store: Store, final: S) -> None:
    writer = Writer(store)
    writer.tell(flow_begun(ROOT), task_begun(ROOT, TASK), task_moved(ROOT, TASK, final))

    applied = writer.tell(task_moved(ROOT, TASK, S.RUNNING), task_moved(ROOT, TASK, S.CANCELLED, state_name="Other"))

    assert [refused.why for refused in applied.refused] == [Refusal.INVALID, Refusal.INVALID]
    assert _task(store).state_type is final


def test_saying_the_same_final_state_again_is_harmless(store: Store) -> None:
    writer = Writer(store)
    writer.tell(flow_begun(ROOT), task_begun(ROOT, TASK), task_moved(ROOT, TASK, S.COMPLETED))
    writer.tell(flow_moved(ROOT, S.COMPLETED))

    applied = writer.tell(task_moved(ROOT, TASK, S.COMPLETED, at=T0 + 99), flow_moved(ROOT, S.COMPLETED, at=T0 + 99))

    assert applied.refused == ()
    assert _task(store).ended == T0 + 2
    assert _run(store).ended == T0 + 60


def test_a_completed_task_run_never_begins_again(store: Store) -> None:
    writer = Writer(store)
    writer.tell(
        flow_begun(ROOT), task_begun(ROOT, TASK), task_moved(ROOT, TASK, S.COMPLETED), flow_moved(ROOT, S.FAILED)
    )
    claim = store.claim(ROOT, holder="process-b", now=T0 + 70)

    applied = writer.tell(task_begun(ROOT, TASK, was=S.COMPLETED, token=claim.token, attempt=2))

    assert [refused.why for refused in applied.refused] == [Refusal.INVALID]
    assert _task(store).state_type is S.COMPLETED


def test_a_task_of_an_earlier_attempt_changes_nothing(store: Store) -> None:
    writer = Writer(store)
    writer.tell(flow_begun(ROOT), task_begun(ROOT, TASK), task_moved(ROOT, TASK, S.RUNNING, attempt=2))

    applied = writer.tell(task_moved(ROOT, TASK, S.FAILED, attempt=1))

    assert [refused.why for refused in applied.refused] == [Refusal.INVALID]
    assert _task(store).state_type is S.RUNNING


def test_a_record_may_not_reach_into_another_root(store: Store) -> None:
    writer = Writer(store)
    writer.tell(flow_begun(ROOT), task_begun(ROOT, TASK), artifact_made(ROOT, an_id(30)), flow_begun(OTHER))

    applied = writer.tell(
        task_moved(OTHER, TASK, S.FAILED),
        flow_moved(OTHER, S.FAILED, id=ROOT),
        FlowRunSource(OTHER, 1, T0, ROOT, b"x"),
        artifact_made(OTHER, an_id(30), data=b'"mine"'),
    )

    assert [refused.why for refused in applied.refused] == [Refusal.INVALID] * 3
    assert _task(store).state_type is S.RUNNING
    assert _run(store).state_type is S.RUNNING
    artifact = store.artifact(an_id(30))
    assert artifact is not None
    assert (artifact.root, artifact.data) == (ROOT, b'"# Report"')


# -- claims and tokens --


def test_a_record_of_an_older_token_changes_nothing_and_is_kept_as_superseded(store: Store) -> None:
    old = Writer(store, "old")
    old.tell(flow_begun(ROOT), task_begun(ROOT, TASK))
    store.claim(ROOT, holder="process-b", now=T0 + 70, expected_token=1)

    applied = old.tell(task_moved(ROOT, TASK, S.FAILED, message="late"), log_line(ROOT, "late"))

    assert [(refused.n, refused.token, refused.why) for refused in applied.refused] == [
        (3, 1, Refusal.FENCED),
        (4, 1, Refusal.FENCED),
    ]
    assert _task(store).state_type is S.RUNNING
    assert store.logs(ROOT) == []
    kept = store.superseded(ROOT)
    assert [(s.run, s.token, s.attempt, s.state_type, s.message) for s in kept] == [(TASK, 1, 1, S.FAILED, "late")]


def test_what_is_kept_as_superseded_is_bounded(store: Store) -> None:
    old = Writer(store, "old")
    old.tell(flow_begun(ROOT), task_begun(ROOT, TASK))
    store.claim(ROOT, holder="process-b", now=T0 + 70, expected_token=1)

    for _ in range(12):
        old.tell(*[task_moved(ROOT, TASK, S.FAILED)] * 100)

    assert len(store.superseded(ROOT, limit=5000)) <= 1100


def test_a_record_of_a_run_that_never_came_is_refused_as_deleted(store: Store) -> None:
    applied = Writer(store).tell(task_begun(ROOT, TASK), flow_begun(ROOT, attempt=2, token=2))

    assert [refused.why for refused in applied.refused] == [Refusal.DELETED, Refusal.DELETED]
    assert store.flow_run(ROOT) is None


def test_a_claim_makes_a_new_attempt_with_a_greater_token_and_the_run_is_pending(store: Store) -> None:
    writer = Writer(store)
    writer.tell(flow_begun(ROOT), flow_moved(ROOT, S.FAILED, message="boom", detail="Traceback"))

    claim = store.claim(ROOT, holder="process-b", now=T0 + 70)

    assert (claim.run, claim.token, claim.attempt, claim.was) == (ROOT, 2, 2, S.FAILED)
    run = _run(store)
    assert (run.state_type, run.attempt, run.token, run.holder) == (S.PENDING, 2, 2, "process-b")
    assert (run.message, run.detail, run.started, run.ended, run.state_at) == ("", "", 0.0, 0.0, T0 + 70)
    assert [(a.attempt, a.token, a.state_type, a.message, a.holder) for a in store.attempts(ROOT)] == [
        (1, 1, S.FAILED, "boom", "process-a"),
        (2, 2, S.PENDING, "", "process-b"),
    ]


def test_the_claimer_says_the_rest_when_it_begins(store: Store) -> None:
    arguments = ResultRef("inline", b"args")
    writer = Writer(store)
    writer.tell(flow_begun(ROOT, arguments=arguments, source=b'{"host":"a"}'), flow_moved(ROOT, S.FAILED))
    claim = store.claim(ROOT, holder="process-b", now=T0 + 70)

    applied = writer.tell(
        flow_begun(ROOT, token=claim.token, attempt=2, state=S.RUNNING, holder="process-b", version="8", at=T0 + 71)
    )

    run = _run(store)
    assert applied.refused == ()
    assert (run.state_type, run.version, run.holder, run.started, run.created) == (
        S.RUNNING,
        "8",
        "process-b",
        T0 + 71,
        T0,
    )
    assert (run.arguments, run.source) == (arguments, b'{"host":"a"}')


def test_a_run_that_waits_and_never_started_keeps_its_attempt_when_claimed(store: Store) -> None:
    Writer(store).tell(flow_begun(ROOT, state=S.SCHEDULED))

    claim = store.claim(ROOT, holder="process-b", now=T0 + 70)

    assert (claim.token, claim.attempt, claim.was) == (2, 1, S.SCHEDULED)
    assert [a.attempt for a in store.attempts(ROOT)] == [1]


def test_a_claim_of_a_run_that_is_claimed_and_not_ended_is_refused(store: Store) -> None:
    Writer(store).tell(flow_begun(ROOT))

    with pytest.raises(RunTaken, match="process-a"):
        store.claim(ROOT, holder="process-b", now=T0 + 70)
    with pytest.raises(RunTaken):
        store.claim(ROOT, holder="process-b", now=T0 + 70, expected_token=7)

    assert _run(store).token == 1


def test_a_claim_by_the_token_seen_takes_a_dead_holders_run_over_and_closes_its_attempt_as_crashed(
    store: Store,
) -> None:
    Writer(store).tell(flow_begun(ROOT))

    claim = store.claim(ROOT, holder="process-b", now=T0 + 70, expected_token=1)

    assert (claim.token, claim.attempt, claim.was) == (2, 2, S.RUNNING)
    assert [(a.state_type, a.ended) for a in store.attempts(ROOT)] == [(S.CRASHED, T0 + 70), (S.PENDING, 0.0)]


def test_of_many_claimers_of_one_run_exactly_one_wins(store: Store) -> None:
    Writer(store).tell(flow_begun(ROOT), flow_moved(ROOT, S.CRASHED))
    gate = threading.Barrier(8)

    def try_to_claim(k: int) -> bool:
        gate.wait()
        try:
            store.claim(ROOT, holder=f"process-{k}", now=T0 + 70)
        except RunTaken:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(try_to_claim, range(8)))

    assert won.count(True) == 1
    assert _run(store).holder == f"process-{won.index(True)}"


def test_a_completed_run_cannot_be_claimed(store: Store) -> None:
    Writer(store).tell(flow_begun(ROOT), flow_moved(ROOT, S.COMPLETED))

    with pytest.raises(RunAlreadyFinished):
        store.claim(ROOT, holder="process-b", now=T0 + 70)
    with pytest.raises(RunAlreadyFinished):
        store.claim(ROOT, holder="process-b", now=T0 + 70, expected_token=1)


def test_only_a_root_run_can_be_claimed(store: Store) -> None:
    Writer(store).tell(flow_begun(ROOT), flow_begun(ROOT, id=CHILD, parent=ROOT))

    with pytest.raises(RunNotFound):
        store.claim(CHILD, holder="process-b", now=T0 + 70)
    with pytest.raises(RunNotFound):
        store.claim(OTHER, holder="process-b", now=T0 + 70)


def test_a_task_run_taken_up_again_under_a_new_claim_is_a_new_attempt(store: Store) -> None:
    writer = Writer(store)
    writer.tell(flow_begun(ROOT), task_begun(ROOT, TASK), task_moved(ROOT, TASK, S.FAILED, message="boom"))
    writer.tell(flow_moved(ROOT, S.FAILED))
    claim = store.claim(ROOT, holder="process-b", now=T0 + 70)

    applied = writer.tell(
        task_begun(ROOT, TASK, was=S.FAILED, token=claim.token, attempt=2, at=T0 + 80, reason="it failed before")
    )

    assert applied.refused == ()
    task = _task(store)
    assert (task.state_type, task.attempt, task.token, task.reason) == (S.RUNNING, 2, 2, "it failed before")
    assert (task.created, task.started, task.ended, task.message) == (T0 + 1, T0 + 80, 0.0, "")
    assert [(a.attempt, a.state_type, a.message) for a in store.attempts(TASK)] == [
        (1, S.FAILED, "boom"),
        (2, S.RUNNING, ""),
    ]
    assert _run(store).task_counts == {"RUNNING": 1}


def test_what_stood_in_for_a_call_belongs_to_the_new_claim_and_keeps_its_token(store: Store) -> None:
    writer = Writer(store)
    writer.tell(flow_begun(ROOT), flow_begun(ROOT, id=CHILD, parent=ROOT), flow_moved(ROOT, S.COMPLETED, id=CHILD))
    writer.tell(task_begun(ROOT, TASK), task_moved(ROOT, TASK, S.COMPLETED), task_begun(ROOT, TASK_2))
    seen_before = [_task(store).seen, _task(store, TASK_2).seen, _run(store, CHILD).seen, _run(store).seen]
    token = store.claim(ROOT, holder="process-b", now=T0 + 70, expected_token=1).token
    before = store.last_change()

    writer.tell(CallReused(ROOT, token, T0 + 71, TASK), CallReused(ROOT, token, T0 + 71, CHILD))

    assert seen_before == [1, 1, 1, 1]
    assert [_task(store).seen, _task(store, TASK_2).seen, _run(store, CHILD).seen] == [2, 1, 2]
    assert (_task(store).token, _run(store, CHILD).token) == (1, 1)
    assert [task.id for task in store.task_runs(ROOT, changed_after=before)] == [TASK]


def test_a_task_that_had_not_started_goes_on_in_the_same_attempt_under_a_new_claim(store: Store) -> None:
    writer = Writer(store)
    writer.tell(flow_begun(ROOT), task_begun(ROOT, TASK, state=S.PENDING))
    token = store.claim(ROOT, holder="process-b", now=T0 + 70, expected_token=1).token

    applied = writer.tell(task_begun(ROOT, TASK, state=S.PENDING, was=S.PENDING, token=token))

    assert applied.refused == ()
    assert [(a.attempt, a.token) for a in store.attempts(TASK)] == [(1, 2)]


def test_a_subflow_run_taken_up_again_under_a_new_claim_is_a_new_attempt(store: Store) -> None:
    writer = Writer(store)
    writer.tell(flow_begun(ROOT), flow_begun(ROOT, id=CHILD, parent=ROOT))
    claim = store.claim(ROOT, holder="process-b", now=T0 + 70, expected_token=1)

    applied = writer.tell(flow_begun(ROOT, id=CHILD, parent=ROOT, token=claim.token, attempt=2, at=T0 + 80))

    assert applied.refused == ()
    assert [(a.attempt, a.token, a.state_type) for a in store.attempts(CHILD)] == [(1, 1, S.CRASHED), (2, 2, S.RUNNING)]


# -- ending from outside --


def test_ending_an_attempt_ends_the_run_its_open_subflows_and_its_task_runs(store: Store) -> None:
    Writer(store).tell(
        flow_begun(ROOT),
        flow_begun(ROOT, id=CHILD, parent=ROOT),
        flow_begun(ROOT, id=an_id(4), parent=ROOT),
        flow_moved(ROOT, S.COMPLETED, id=an_id(4)),
        task_begun(ROOT, TASK, run=CHILD),
        task_begun(ROOT, TASK_2, state=S.PENDING),
        task_begun(ROOT, TASK_3),
        task_moved(ROOT, TASK_3, S.COMPLETED),
    )
    before = store.last_change()

    changed = store.end_attempt(ROOT, token=1, state=S.CRASHED, name="", message="It was killed.", now=T0 + 70)

    assert changed
    assert (_run(store).state_type, _run(store).message, _run(store).ended) == (S.CRASHED, "It was killed.", T0 + 70)
    assert _run(store, CHILD).state_type is S.CRASHED
    assert _run(store, an_id(4)).state_type is S.COMPLETED
    assert [t.state_type for t in store.task_runs(ROOT)] == [S.CRASHED, S.CANCELLED, S.COMPLETED]
    assert _run(store).task_counts == {"CANCELLED": 1, "COMPLETED": 1}
    assert _run(store, CHILD).task_counts == {"CRASHED": 1}
    changes = store.task_runs(ROOT, changed_after=before)
    assert {t.id for t in changes} == {TASK, TASK_2}
    assert _run(store).seq == store.last_change() > max(t.seq for t in changes)


def test_a_retry_that_was_waited_for_is_cancelled_with_the_attempt_and_keeps_its_due_time(store: Store) -> None:
    Writer(store).tell(
        flow_begun(ROOT),
        task_begun(ROOT, TASK),
        task_moved(ROOT, TASK, S.SCHEDULED, state_name="AwaitingRetry", message="flaky", due=T0 + 90),
    )

    store.end_attempt(ROOT, token=1, state=S.CRASHED, name="", message="killed", now=T0 + 70)

    assert (_task(store).state_type, _task(store).due) == (S.CANCELLED, T0 + 90)
    assert [(a.attempt, a.state_type, a.message) for a in store.attempts(TASK)] == [(1, S.FAILED, "flaky")]


def test_an_attempt_is_ended_only_under_the_newest_token(store: Store) -> None:
    Writer(store).tell(flow_begun(ROOT))
    store.claim(ROOT, holder="process-b", now=T0 + 70, expected_token=1)

    changed = store.end_attempt(ROOT, token=1, state=S.CRASHED, name="Crashed", message="", now=T0 + 80)

    assert not changed
    assert _run(store).state_type is S.PENDING


def test_a_final_run_is_not_ended_again(store: Store) -> None:
    Writer(store).tell(flow_begun(ROOT), flow_moved(ROOT, S.COMPLETED))

    changed = store.end_attempt(ROOT, token=1, state=S.CRASHED, name="Crashed", message="", now=T0 + 80)

    assert not changed
    assert _run(store).state_type is S.COMPLETED


def test_of_many_attempts_ended_together_each_goes_by_its_own_token_and_state(store: Store) -> None:
    killed, finished, taken = ROOT, an_id(901), an_id(902)
    for root in (killed, finished, taken):
        Writer(store, f"writer of {root}").tell(flow_begun(root))
    store.end_attempt(finished, token=1, state=S.CANCELLED, name="", message="", now=T0 + 60)
    store.claim(taken, holder="process-b", now=T0 + 70, expected_token=1)

    changed = store.end_attempts(
        [Ending(root, 1, S.CRASHED, "lost") for root in (finished, taken, killed)], now=T0 + 80
    )

    assert changed == [False, False, True]
    assert [_run(store, root).state_type for root in (finished, taken, killed)] == [S.CANCELLED, S.PENDING, S.CRASHED]
    assert _run(store, killed).message == "lost"


def test_what_an_ended_holder_still_says_is_refused(store: Store) -> None:
    writer = Writer(store)
    writer.tell(flow_begun(ROOT), task_begun(ROOT, TASK))
    store.end_attempt(ROOT, token=1, state=S.CRASHED, name="Crashed", message="", now=T0 + 70)

    applied = writer.tell(task_moved(ROOT, TASK, S.COMPLETED), flow_moved(ROOT, S.COMPLETED))

    assert [refused.why for refused in applied.refused] == [Refusal.INVALID, Refusal.INVALID]
    assert _run(store).state_type is S.CRASHED


# -- requests --


def test_a_request_is_read_until_the_run_ends(store: Store) -> None:
    writer = Writer(store)
    writer.tell(flow_begun(ROOT), flow_begun(OTHER))
    cancel = Request(run=ROOT, kind="cancel", at=T0 + 1, by="ann")
    store.ask(cancel)

    asked, of_others = store.requests([ROOT, OTHER]), store.requests([OTHER])
    writer.tell(flow_moved(ROOT, S.CANCELLED))

    assert (asked, of_others) == ([cancel], [])
    assert store.requests([ROOT]) == []


def test_asking_twice_is_asking_once(store: Store) -> None:
    Writer(store).tell(flow_begun(ROOT))
    store.ask(Request(run=ROOT, kind="cancel", at=T0 + 1, by="ann"))

    store.ask(Request(run=ROOT, kind="cancel", at=T0 + 2, by="bob"))

    assert [request.by for request in store.requests([ROOT])] == ["ann"]


def test_nothing_can_be_asked_of_a_finished_run(store: Store) -> None:
    Writer(store).tell(flow_begun(ROOT), flow_moved(ROOT, S.FAILED))

    store.ask(Request(run=ROOT, kind="cancel", at=T0 + 61, by="ann"))
    store.claim(ROOT, holder="process-b", now=T0 + 70)

    assert store.requests([ROOT]) == []


def test_ending_an_attempt_ends_its_requests(store: Store) -> None:
    Writer(store).tell(flow_begun(ROOT))
    store.ask(Request(run=ROOT, kind="cancel", at=T0 + 1, by="ann"))

    store.end_attempt(ROOT, token=1, state=S.CANCELLED, name="Cancelled", message="", now=T0 + 70)

    assert store.requests([ROOT]) == []


# -- deleting --


def test_a_deleted_run_leaves_nothing_but_a_tombstone_that_refuses_what_comes_late(store: Store) -> None:
    writer = Writer(store)
    writer.tell(flow_begun(ROOT), flow_begun(ROOT, id=CHILD, parent=ROOT), task_begun(ROOT, TASK), log_line(ROOT, "x"))
    writer.tell(artifact_made(ROOT, an_id(30)), metric_logged(ROOT, "loss", 0.5), flow_moved(ROOT, S.FAILED))
    before = store.last_change()

    deleted = store.delete_run(ROOT, now=T0 + 100)
    late = writer.tell(flow_begun(ROOT), log_line(ROOT, "late"))

    assert deleted
    assert store.last_change() > before
    assert (store.flow_run(ROOT), store.flow_run(CHILD), store.task_run(TASK)) == (None, None, None)
    assert (store.logs(ROOT), store.artifact(an_id(30)), store.metrics(ROOT)) == ([], None, [])
    assert store.flow_runs(RunFilter(), limit=10) == []
    assert [refused.why for refused in late.refused] == [Refusal.DELETED, Refusal.DELETED]
    assert store.counts()["deleted_runs"] == 1


def test_a_run_that_is_not_finished_is_not_deleted(store: Store) -> None:
    Writer(store).tell(flow_begun(ROOT))

    with pytest.raises(RunTaken):
        store.delete_run(ROOT, now=T0 + 100)

    assert store.flow_run(ROOT) is not None


def test_deleting_what_is_not_there_says_so(store: Store) -> None:
    assert not store.delete_run(ROOT, now=T0)


# -- finding and listing --


def test_runs_are_found_by_the_beginning_of_their_id_or_else_by_their_name(store: Store) -> None:
    Writer(store).tell(flow_begun(ROOT, name="one"), flow_begun(OTHER, name="two"), flow_begun(an_id(5), name="two"))

    assert [run.id for run in store.find_flow_runs(ROOT[:13])] == [an_id(5), OTHER, ROOT][-1:]
    assert [run.id for run in store.find_flow_runs("two")] == [an_id(5), OTHER]
    assert [run.id for run in store.find_flow_runs("two", limit=1)] == [an_id(5)]
    assert store.find_flow_runs("nothing") == []


def test_runs_are_listed_newest_first_by_keyset(store: Store) -> None:
    Writer(store).tell(*[flow_begun(an_id(n)) for n in range(1, 6)])

    first = store.flow_runs(RunFilter(), limit=2)
    second = store.flow_runs(RunFilter(), limit=2, before=first[-1].id)

    assert [run.id for run in first + second] == [an_id(5), an_id(4), an_id(3), an_id(2)]


def test_subflow_runs_are_listed_only_when_asked_for(store: Store) -> None:
    Writer(store).tell(flow_begun(ROOT), flow_begun(ROOT, id=CHILD, parent=ROOT))

    assert [run.id for run in store.flow_runs(RunFilter(), limit=9)] == [ROOT]
    assert [run.id for run in store.flow_runs(RunFilter(roots_only=False), limit=9)] == [CHILD, ROOT]


@pytest.mark.parametrize(
    ("which", "found"),
    [
        (RunFilter(flow="nightly"), [3, 1]),
        (RunFilter(states=(S.FAILED,)), [3]),
        (RunFilter(states=(S.FAILED, S.COMPLETED)), [3, 2]),
        (RunFilter(tags=("a",)), [2, 1]),
        (RunFilter(tags=("a", "b")), [2]),
        (RunFilter(tags=("%",)), []),
        (RunFilter(since=T0 + 2), [3, 2]),
        (RunFilter(until=T0 + 2), [1]),
        (RunFilter(since=T0 + 2, until=T0 + 3), [2]),
        (RunFilter(text="RIVER"), [2]),
        (RunFilter(text="_"), [3]),
        (RunFilter(text="%"), []),
        (RunFilter(text="!"), [1]),
        (RunFilter(text="' OR 1=1 --"), []),
        (RunFilter(holder="process-z"), [2]),
        (RunFilter(flow="nightly", states=(S.FAILED,), since=T0 + 1), [3]),
    ],
)
def test_filters_choose_runs(store: Store, which: RunFilter, found: list[int]) -> None:
    Writer(store).tell(
        flow_begun(an_id(1), name="hey!", tags=("a",), at=T0 + 1),
        flow_begun(an_id(2), name="quiet-river", flow="weekly", tags=("a", "b"), at=T0 + 2, holder="process-z"),
        flow_moved(an_id(2), S.COMPLETED),
        flow_begun(an_id(3), name="snake_case", at=T0 + 3),
        flow_moved(an_id(3), S.FAILED),
    )

    assert [run.id for run in store.flow_runs(which, limit=10)] == [an_id(n) for n in found]


def test_task_runs_are_paged_by_id_and_chosen_by_run_and_state(store: Store) -> None:
    ids = [an_id(n) for n in range(10, 16)]
    Writer(store).tell(
        flow_begun(ROOT),
        flow_begun(ROOT, id=CHILD, parent=ROOT),
        *[task_begun(ROOT, id, run=CHILD if n % 2 else ROOT) for n, id in enumerate(ids)],
        task_moved(ROOT, ids[0], S.COMPLETED),
        task_moved(ROOT, ids[1], S.FAILED),
    )

    def listed(**asked: object) -> list[int]:
        return [ids.index(task.id) for task in store.task_runs(ROOT, **asked)]  # type: ignore[arg-type]  # keywords vary

    assert listed(limit=2) == [0, 1]
    assert listed(after=ids[1], limit=2) == [2, 3]
    assert listed(run=CHILD) == [1, 3, 5]
    assert listed(run=ROOT) == [0, 2, 4]
    assert listed(run=CHILD, after=ids[1], limit=1) == [3]
    assert listed(states=[S.FAILED]) == [1]
    assert listed(states=[S.FAILED, S.COMPLETED]) == [0, 1]
    assert listed(run=ROOT, states=[S.RUNNING]) == [2, 4]
    assert store.task_runs(OTHER) == []


def test_readers_follow_changes_by_sequence(store: Store) -> None:
    writer = Writer(store)
    writer.tell(flow_begun(ROOT), *[task_begun(ROOT, an_id(n)) for n in range(10, 14)])
    seen = store.last_change()
    writer.tell(task_moved(ROOT, an_id(12), S.COMPLETED))
    writer.tell(task_moved(ROOT, an_id(10), S.COMPLETED))

    changed = store.task_runs(ROOT, changed_after=seen)
    page = store.task_runs(ROOT, changed_after=0, limit=3)
    rest = store.task_runs(ROOT, changed_after=page[-1].seq)

    assert [task.id for task in changed] == [an_id(12), an_id(10)]
    assert [task.id for task in page + rest] == [an_id(11), an_id(13), an_id(12), an_id(10)]


@pytest.mark.parametrize("touch", ["log", "metric", "artifact", "task", "count", "subflow"])
def test_whatever_touches_a_root_gives_it_a_new_sequence(store: Store, touch: str) -> None:
    writer = Writer(store)
    writer.tell(flow_begun(ROOT))
    before = _run(store).seq

    records: dict[str, AnyRecord] = {
        "log": log_line(ROOT, "x"),
        "metric": metric_logged(ROOT, "loss", 1.0),
        "artifact": artifact_made(ROOT, an_id(30)),
        "task": task_begun(ROOT, TASK),
        "count": Counted(ROOT, 1, T0, ROOT, "log", 1),
        "subflow": flow_begun(ROOT, id=CHILD, parent=ROOT),
    }
    writer.tell(records[touch])

    assert before < _run(store).seq <= store.last_change()


def test_nothing_changes_without_a_change(store: Store) -> None:
    Writer(store).tell(flow_begun(ROOT))
    before = store.last_change()

    store.flow_runs(RunFilter(), limit=5)
    store.apply(Batch("late", 7, [log_line(ROOT, "gap")]))

    assert store.last_change() == before


def test_recorded_calls_come_in_the_order_made_subflows_among_them(store: Store) -> None:
    Writer(store).tell(
        flow_begun(ROOT),
        flow_begun(OTHER),
        task_begun(ROOT, an_id(10)),
        flow_begun(ROOT, id=an_id(11), parent=ROOT),
        task_begun(ROOT, an_id(12), run=an_id(11)),
        task_begun(OTHER, an_id(13)),
        flow_begun(ROOT, id=an_id(14), parent=ROOT),
    )

    calls = list(store.recorded_calls(ROOT))

    assert [(type(call), call.id) for call in calls] == [
        (TaskRun, an_id(10)),
        (FlowRun, an_id(11)),
        (TaskRun, an_id(12)),
        (FlowRun, an_id(14)),
    ]


def test_recorded_calls_come_whole_however_many(store: Store) -> None:
    Writer(store).tell(flow_begun(ROOT), *[task_begun(ROOT, an_id(n)) for n in range(10, 2510)])

    calls = [call.id for call in store.recorded_calls(ROOT)]

    assert calls == [an_id(n) for n in range(10, 2510)]


def test_what_is_not_there_is_none_or_empty(store: Store) -> None:
    assert (store.flow_run(ROOT), store.task_run(TASK), store.artifact(TASK)) == (None, None, None)
    assert (store.attempts(ROOT), store.logs(ROOT), store.last_logs(ROOT), store.superseded(ROOT)) == ([], [], [], [])
    assert (list(store.recorded_calls(ROOT)), store.subflow_runs(ROOT), store.requests([ROOT])) == ([], [], [])


# -- logs, artifacts, metrics, variables --


def test_logs_come_in_order_of_arrival_by_cursor_and_filter(store: Store) -> None:
    writer = Writer(store)
    writer.tell(flow_begun(ROOT), flow_begun(ROOT, id=CHILD, parent=ROOT), flow_begun(OTHER))
    writer.tell(log_line(ROOT, "a"), log_line(OTHER, "other"), log_line(ROOT, "b", task=TASK, level=40))
    writer.tell(log_line(ROOT, "c", run=CHILD, level=10), log_line(ROOT, "d", run=CHILD, task=TASK_2, logger="x"))

    def texts(**asked: object) -> str:
        return "".join(log.text for log in store.logs(ROOT, **asked))  # type: ignore[arg-type]  # keywords vary

    page = store.logs(ROOT, limit=2)
    assert [log.text for log in page] == ["a", "b"]
    assert texts(after=page[-1].seq) == "cd"
    assert texts(run=CHILD) == "cd"
    assert texts(run=ROOT) == "ab"
    assert texts(task=TASK) == "b"
    assert texts(run=CHILD, task=TASK_2) == "d"
    assert texts(run=CHILD, task=TASK) == ""
    assert texts(level=20) == "abd"
    assert texts(level=35) == "b"
    last = store.logs(ROOT)[-1]
    assert (last.root, last.run, last.task, last.at, last.level, last.logger) == (ROOT, CHILD, TASK_2, T0 + 3, 20, "x")


def test_the_last_logs_come_oldest_first(store: Store) -> None:
    Writer(store).tell(flow_begun(ROOT), *[log_line(ROOT, str(n), level=10 * (n % 5)) for n in range(10)])

    assert [log.text for log in store.last_logs(ROOT, limit=3)] == ["7", "8", "9"]
    assert [log.text for log in store.last_logs(ROOT, level=40, limit=3)] == ["4", "9"]


def test_the_lines_before_a_line_are_read_backwards_by_cursor_and_filter(store: Store) -> None:
    writer = Writer(store)
    writer.tell(flow_begun(ROOT), flow_begun(ROOT, id=CHILD, parent=ROOT))
    writer.tell(*[log_line(ROOT, str(n), run=CHILD if n % 2 else ROOT, task=TASK if n > 5 else "") for n in range(10)])
    newest = store.last_logs(ROOT, limit=3)

    def texts(**asked: object) -> str:
        found = store.last_logs(ROOT, before=newest[0].seq, limit=3, **asked)  # type: ignore[arg-type]  # keywords vary
        return "".join(log.text for log in found)

    assert [log.text for log in newest] == ["7", "8", "9"]
    assert texts() == "456"
    assert texts(run=CHILD) == "135"
    assert texts(task=TASK) == "6"


def test_an_artifact_made_again_replaces_what_was_there(store: Store) -> None:
    writer = Writer(store)
    writer.tell(flow_begun(ROOT), artifact_made(ROOT, an_id(30), kind="progress", data=b"0.1", task=TASK))

    writer.tell(artifact_made(ROOT, an_id(30), kind="progress", data=b"0.5", at=T0 + 9, description="half"))

    artifact = store.artifact(an_id(30))
    assert artifact is not None
    assert (artifact.data, artifact.description, artifact.created, artifact.updated) == (b"0.5", "half", T0 + 4, T0 + 9)
    assert artifact.task == TASK


def test_artifacts_are_listed_by_root_and_by_key_in_the_order_made(store: Store) -> None:
    Writer(store).tell(
        flow_begun(ROOT),
        flow_begun(OTHER),
        artifact_made(ROOT, an_id(31), key="b"),
        artifact_made(ROOT, an_id(30), key="a"),
        artifact_made(OTHER, an_id(32), key="a"),
    )

    assert [a.id for a in store.artifacts(root=ROOT)] == [an_id(30), an_id(31)]
    assert [a.id for a in store.artifacts(key="a")] == [an_id(30), an_id(32)]
    assert [a.id for a in store.artifacts(root=ROOT, key="a")] == [an_id(30)]
    assert [a.id for a in store.artifacts(limit=2)] == [an_id(30), an_id(31)]
    assert [a.id for a in store.artifacts(after=an_id(30), limit=1)] == [an_id(31)]
    assert [a.id for a in store.artifacts(key="a", after=an_id(30))] == [an_id(32)]


def test_metrics_come_in_order_of_arrival(store: Store) -> None:
    writer = Writer(store)
    writer.tell(flow_begun(ROOT), *[metric_logged(ROOT, "loss", 1.0 / n, step=n) for n in (1, 2, 3)])
    writer.tell(metric_logged(ROOT, "accuracy", float("inf")), metric_logged(ROOT, "loss", 0.1, step=4, task=TASK))

    loss = store.metrics(ROOT, key="loss", limit=3)

    assert [(m.value, m.step) for m in loss] == [(1.0, 1), (0.5, 2), (1 / 3, 3)]
    assert [(m.key, m.step, m.task) for m in store.metrics(ROOT, after=loss[-1].seq)] == [
        ("accuracy", 0, ""),
        ("loss", 4, TASK),
    ]


def test_a_metric_may_be_not_a_number(store: Store) -> None:
    Writer(store).tell(flow_begun(ROOT), metric_logged(ROOT, "loss", float("nan")))

    (metric,) = store.metrics(ROOT)

    assert metric.value != metric.value


def test_a_number_that_no_database_can_keep_is_refused_and_stops_nothing(store: Store) -> None:
    applied = Writer(store).tell(flow_begun(ROOT), metric_logged(ROOT, "loss", 1.0, step=1 << 63), log_line(ROOT, "x"))

    assert [refused.why for refused in applied.refused] == [Refusal.INVALID]
    assert len(store.logs(ROOT)) == 1


def test_a_variable_is_kept_replaced_only_when_asked_and_forgotten(store: Store) -> None:
    one = Variable(name="limit", value=b"1", tags=("a",), updated=T0)
    two = Variable(name="limit", value=b"2", updated=T0 + 1)

    assert store.set_variable(one, overwrite=False)
    assert not store.set_variable(two, overwrite=False)
    assert store.variable("limit") == one
    assert store.set_variable(two, overwrite=True)
    assert store.variables() == [two]
    assert store.unset_variable("limit")
    assert not store.unset_variable("limit")
    assert store.variable("limit") is None


# -- the store itself --


def test_a_store_knows_itself_and_what_it_holds(store: Store) -> None:
    Writer(store).tell(flow_begun(ROOT), task_begun(ROOT, TASK), log_line(ROOT, "x"), metric_logged(ROOT, "m", 1.0))

    assert len(store.signing_key) == 32
    assert store.id
    assert store.counts() == {
        "flow_runs": 1,
        "task_runs": 1,
        "logs": 1,
        "artifacts": 0,
        "metrics": 1,
        "variables": 0,
        "superseded": 0,
        "deleted_runs": 0,
        "writers": 1,
    }


def test_text_of_any_script_and_size_is_kept(store: Store) -> None:
    long, odd = "ä" * 100_000, "नदी 🌊 \x00 '\"; --"
    Writer(store).tell(flow_begun(ROOT, name=odd, parameters='{"ü": 1}'.encode()), log_line(ROOT, long))

    # PostgreSQL has no NUL in text: its symbol stands for it.
    assert _run(store).name in (odd, odd.replace("\x00", "␀"))
    assert store.logs(ROOT)[0].text == long
    assert [run.id for run in store.find_flow_runs(odd)] == [ROOT]


def test_a_closed_store_says_so_and_may_be_closed_twice(store: Store) -> None:
    store.close()

    store.close()

    with pytest.raises(StoreUnavailable, match="closed"):
        store.flow_run(ROOT)
    with pytest.raises(StoreUnavailable, match="closed"):
        Writer(store).tell(flow_begun(ROOT))


def _run(store: Store, id: str = ROOT) -> FlowRun:
    run = store.flow_run(id)
    assert run is not None
    return run


def _task(store: Store, id: str = TASK) -> TaskRun:
    task = store.task_run(id)
    assert task is not None
    return task


def _of_root(record: TaskRunBegun | TaskRunMoved, root: str, id: str) -> TaskRunBegun | TaskRunMoved:
    """Return the same record, told of another root run and task run."""
    if isinstance(record, TaskRunBegun):
        return replace(record, root=root, id=id, run=root, call=a_call(root))
    return replace(record, root=root, id=id)


def test_artifacts_are_listed_by_what_was_last_said_of_them(store: Store) -> None:
    first, second = an_id(50), an_id(51)
    writer = Writer(store)
    writer.tell(flow_begun(ROOT), artifact_made(ROOT, first), artifact_made(ROOT, second))
    before = max(artifact.seq for artifact in store.artifacts(root=ROOT))

    writer.tell(artifact_made(ROOT, first, data=b'"# Newer"'))

    assert [one.id for one in store.artifacts(root=ROOT, changed_after=0)] == [second, first]
    assert [(one.id, one.data) for one in store.artifacts(root=ROOT, changed_after=before)] == [(first, b'"# Newer"')]
    assert store.artifacts(root=ROOT, changed_after=store.last_change()) == []
