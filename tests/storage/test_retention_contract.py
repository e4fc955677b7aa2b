"""What every store promises of retention. Each test runs on each store; see `nadi/storage/contracts/retention.py`."""

from __future__ import annotations

import pytest

from nadi.model.retention import RetentionRule, rule_for
from nadi.model.runs import RunFilter
from nadi.storage.contract import Batch, Refusal, Store
from tests.storage.telling import (
    T0,
    S,
    Writer,
    an_id,
    artifact_made,
    flow_begun,
    flow_moved,
    log_line,
    metric_logged,
    task_begun,
    task_moved,
)

ROOT, CHILD = an_id(1), an_id(500)


def tell_finished(store: Store, n: int = 1, *, flow: str = "nightly", state: S = S.COMPLETED, ended: float = T0) -> str:
    """Tell of a root run that has ended, with some of everything."""
    root, task = an_id(n), an_id(1000 + n)
    Writer(store, f"writer-of-{n}").tell(
        flow_begun(root, flow=flow),
        task_begun(root, task),
        task_moved(root, task, S.COMPLETED),
        log_line(root, "one"),
        log_line(root, "two"),
        metric_logged(root, "rows", 1.0),
        artifact_made(root, an_id(2000 + n)),
        flow_moved(root, state, at=ended),
    )
    return root


def everything_below(store: Store, root: str) -> list[object]:
    return [
        *store.task_runs(root),
        *store.logs(root),
        *store.metrics(root),
        *store.artifacts(root=root),
        *store.attempts(root),
    ]


def test_a_rule_replaces_the_one_for_the_same_flow_and_state(store: Store) -> None:
    store.retention.set_rule(RetentionRule(age=10.0))
    store.retention.set_rule(RetentionRule(flow="nightly", state=S.FAILED))

    store.retention.set_rule(RetentionRule(age=20.0))

    assert store.retention.rules() == [RetentionRule(age=20.0), RetentionRule(flow="nightly", state=S.FAILED)]


def test_a_removed_rule_is_gone(store: Store) -> None:
    store.retention.set_rule(RetentionRule(state=S.FAILED, age=10.0))

    assert store.retention.remove_rule("", S.FAILED)
    assert not store.retention.remove_rule("", S.FAILED)
    assert store.retention.rules() == []


@pytest.mark.parametrize(
    ("flow", "state", "age"),
    [
        ("nightly", S.FAILED, 4.0),
        ("nightly", S.COMPLETED, 3.0),
        ("hourly", S.FAILED, 2.0),
        ("hourly", S.COMPLETED, 1.0),
    ],
)
def test_the_most_particular_rule_holds(flow: str, state: S, age: float) -> None:
    rules = [
        RetentionRule(age=1.0),
        RetentionRule(state=S.FAILED, age=2.0),
        RetentionRule(flow="nightly", age=3.0),
        RetentionRule(flow="nightly", state=S.FAILED, age=4.0),
    ]

    found = rule_for(rules, flow, state)

    assert found is not None
    assert found.age == age


def test_ended_runs_of_a_flow_and_state_come_with_the_first_to_end_first(store: Store) -> None:
    late = tell_finished(store, 1, ended=T0 + 30)
    early = tell_finished(store, 2, ended=T0 + 20)
    tell_finished(store, 3, ended=T0 + 50)
    tell_finished(store, 4, flow="hourly", ended=T0 + 20)
    tell_finished(store, 5, state=S.FAILED, ended=T0 + 20)
    Writer(store, "writer-of-6").tell(flow_begun(an_id(6)))

    assert store.retention.ended_runs("nightly", S.COMPLETED, before=T0 + 40, limit=10) == [early, late]
    assert store.retention.ended_runs("nightly", S.COMPLETED, before=T0 + 40, limit=1) == [early]


def test_a_buried_run_is_gone_at_once_with_its_subflow_runs(store: Store) -> None:
    root = tell_finished(store)
    kept = tell_finished(store, 2)
    before = store.last_change()

    buried = store.retention.bury([root, root], now=T0 + 60)

    assert buried == [root]
    assert store.flow_run(root) is None
    assert [run.id for run in store.flow_runs(RunFilter(roots_only=False), limit=10)] == [kept]
    assert store.last_change() > before


def test_sweeping_removes_what_buried_runs_left_in_small_steps(store: Store) -> None:
    root = tell_finished(store)
    kept = tell_finished(store, 2)
    store.retention.bury([root], now=T0 + 60)

    steps = 0
    while store.retention.sweep(rows=2):
        steps += 1

    assert steps < 20
    assert everything_below(store, root) == []
    assert len(everything_below(store, kept)) == 6


def test_a_run_that_has_not_ended_is_not_buried(store: Store) -> None:
    Writer(store).tell(flow_begun(ROOT))

    assert store.retention.bury([ROOT, an_id(7)], now=T0) == []
    assert store.flow_run(ROOT) is not None


def test_a_subflow_run_is_not_buried_by_itself(store: Store) -> None:
    Writer(store).tell(
        flow_begun(ROOT),
        flow_begun(ROOT, id=CHILD, parent=ROOT),
        flow_moved(ROOT, S.COMPLETED, id=CHILD),
    )

    assert store.retention.bury([CHILD], now=T0) == []


def test_a_late_record_of_a_buried_run_is_refused_while_its_tombstone_lasts(store: Store) -> None:
    root = tell_finished(store)
    store.retention.bury([root], now=T0 + 60)

    applied = store.apply(Batch("late", 1, [flow_begun(root)]))

    assert [refused.why for refused in applied.refused] == [Refusal.DELETED]


def test_a_tombstone_is_forgotten_only_when_the_files_are_collected_and_all_is_swept(store: Store) -> None:
    root = tell_finished(store)
    store.retention.bury([root], now=T0 + 60)

    too_early = store.retention.forget_tombstones(before=T0 + 100, limit=10)
    store.result_files.mark_collected(root)
    while store.retention.sweep(rows=100):
        pass
    too_young = store.retention.forget_tombstones(before=T0 + 60, limit=10)
    in_time = store.retention.forget_tombstones(before=T0 + 100, limit=10)

    assert (too_early, too_young, in_time) == (0, 0, 1)


def test_who_recorded_a_run_from_afar_is_known_as_long_as_the_run_could_be_told_of_again(store: Store) -> None:
    root = tell_finished(store)
    store.access.note_far([root, an_id(2)], who="ada", at=T0)
    store.retention.bury([root], now=T0 + 60)
    while store.retention.sweep(rows=100):
        pass
    store.result_files.mark_collected(root)
    store.access.note_far([root], who="bob", at=T0 + 200)  # late, and in vain

    assert store.retention.forget_tombstones(before=T0 + 100, limit=10) == 0
    assert store.access.far_recorder(root) == "ada"
    assert store.retention.forget_tombstones(before=T0 + 300, limit=10) == 1
    assert [store.access.far_recorder(each) for each in (root, an_id(2))] == ["", "ada"]


def test_sizes_tell_of_every_kind_of_record(store: Store) -> None:
    tell_finished(store)

    sizes = {size.kind: size for size in store.retention.sizes()}

    assert any("log" in kind and size.rows == 2 for kind, size in sizes.items())
    assert [size.size_bytes for size in store.retention.sizes()] == sorted(
        (size.size_bytes for size in store.retention.sizes()), reverse=True
    )
