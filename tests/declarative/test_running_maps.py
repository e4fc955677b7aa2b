"""How mapped tasks of a declared flow run."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest

from nadi import Flow, Parameter, context, flatten, mapped, task, unmapped
from nadi.declarative.states import Failed, Mapped, Skipped, State, Success, TriggerFailed
from nadi.declarative.triggers import parts_of
from nadi.signals import SKIP
from nadi.triggers import all_finished
from tests.conftest import Recorded

EXECUTORS = ["thread", "sequential", "process"]


@task
def numbers(n: Any) -> Any:
    return list(range(n))


@task
def add(x: Any, y: Any = 1) -> Any:
    return x + y


@task
def total(items: Any) -> Any:
    return sum(items)


@task
def as_is(items: Any) -> Any:
    return items


@task
def refuse_two(x: Any) -> Any:
    if x == 2:
        raise ValueError("two")
    return x


@task
def skip_two(x: Any) -> Any:
    if x == 2:
        raise SKIP("two")
    return x


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_map_runs_once_for_each_item(executor: str, recorded: Recorded) -> None:
    with Flow("mapping") as mapping:
        added = add.map(numbers(3), y=unmapped(10))
        summed = total(added)

    state = mapping.run(executor=executor)

    assert isinstance(state.result[added], Mapped)
    assert [child.result for child in state.result[added].map_states] == [10, 11, 12]
    assert (state.result[added].result, state.result[added].n_map_states) == ([10, 11, 12], 3)
    assert state.result[summed].result == 33
    assert sorted(run.map_index for run in recorded.task_runs) == [-1, -1, 0, 1, 2]


def test_a_map_zips_to_the_shortest(recorded: Recorded) -> None:
    with Flow("zipping") as zipping:
        added = add.map(numbers(4), y=[10, 20])

    assert zipping.run().result[added].result == [10, 21]


def test_a_map_over_nothing_has_no_children_and_is_successful(recorded: Recorded) -> None:
    with Flow("empty") as empty:
        added = add.map(numbers(0))
        again = add.map(added)
        summed = total(again)

    state = empty.run()

    assert [state.result[node].result for node in (added, again, summed)] == [[], [], 0]
    assert state.is_successful()


@pytest.mark.parametrize("result", [5, {1, 2}, iter([1])])
def test_what_is_mapped_over_needs_items_by_place(result: Any, recorded: Recorded) -> None:
    @task(persist_result=False)
    def wrong() -> Any:
        return result

    with Flow("wrong") as wrong_flow:
        added = add.map(wrong())

    state = wrong_flow.run().result[added]

    assert isinstance(state, Failed)
    assert "There is nothing to map over" in str(state.message)


def test_a_parameter_can_be_mapped_over(recorded: Recorded) -> None:
    with Flow("given") as given:
        added = add.map(Parameter("xs"))

    assert given.run(xs=[1, 2]).result[added].result == [2, 3]


def test_mapping_over_a_map_goes_depth_first_for_each_index(recorded: Recorded) -> None:
    second_of_zero_ran = threading.Event()

    @task
    def first(x: Any) -> Any:
        # The second level of item 0 runs while the first level of item 1 does.
        assert x == 0 or second_of_zero_ran.wait(30)
        return x

    @task
    def second(x: Any) -> Any:
        if x == 0:
            second_of_zero_ran.set()
        return x * 10

    with Flow("deep") as deep:
        out = second.map(first.map(numbers(2)))

    assert deep.run().result[out].result == [0, 10]


def test_a_failed_child_stops_its_own_line_only(recorded: Recorded) -> None:
    with Flow("lines") as lines:
        risky = refuse_two.map(numbers(4))
        after = add.map(risky)
        reduced = total(after)

    state = lines.run()

    assert [type(child) for child in state.result[after].map_states] == [Success, Success, TriggerFailed, Success]
    assert isinstance(state.result[reduced], TriggerFailed)
    assert state.is_failed()


def test_a_reduce_that_tolerates_failures_gets_exceptions_in_their_places(recorded: Recorded) -> None:
    @task(trigger=all_finished)
    def look(items: Any) -> list[str]:
        return [str(item) for item in items]

    with Flow("tolerant") as tolerant:
        seen = look(refuse_two.map(numbers(4)))

    assert tolerant.run().result[seen].result == ["0", "1", "two", "3"]


def test_a_skipped_child_skips_its_line_and_the_reduce(recorded: Recorded) -> None:
    with Flow("skips") as skips:
        after = add.map(skip_two.map(numbers(3)))
        reduced = total(after)

    state = skips.run()

    assert [type(child) for child in state.result[after].map_states] == [Success, Success, Skipped]
    assert isinstance(state.result[reduced], Skipped)


@pytest.mark.parametrize("executor", EXECUTORS)
def test_each_child_is_retried_by_itself(executor: str, recorded: Recorded) -> None:
    @task(max_retries=1, retry_delay=timedelta(0))
    def flaky(x: Any) -> Any:
        if x == 1 and context["task_run_count"] == 1:
            raise ValueError("not yet")
        return x

    with Flow("retrying") as retrying:
        node = flaky.map(numbers(3))

    assert retrying.run(executor=executor).result[node].result == [0, 1, 2]
    assert [run.attempt for run in recorded.task_runs if run.map_index >= 0] == [1, 2, 1]


def test_flatten_joins_lists_before_they_are_mapped_over_or_passed(recorded: Recorded) -> None:
    with Flow("flat") as flat:
        nested = numbers.map([2, 3])
        over = add.map(flatten(nested))
        whole = as_is(flatten(nested))

    state = flat.run()

    assert state.result[over].result == [1, 2, 1, 2, 3]
    assert state.result[whole].result == [0, 1, 0, 1, 2]


def test_mapped_marks_one_argument_of_a_call(recorded: Recorded) -> None:
    with Flow("marked") as marked:
        node = add(mapped(numbers(2)), y=[1, 2][1])

    assert marked.run().result[node].result == [2, 3]


def test_an_order_only_upstream_can_be_mapped(recorded: Recorded) -> None:
    with Flow("ordered") as ordered:
        checked = skip_two.map(numbers(3))
        node = add.map(numbers(3), upstream_tasks=[checked])

    states = ordered.run().result[node].map_states

    assert [type(state) for state in states] == [Success, Success, Skipped]


def test_a_mapped_task_whose_iterable_failed_is_trigger_failed(recorded: Recorded) -> None:
    @task
    def broken() -> list[int]:
        raise ValueError("no list")

    with Flow("broken") as broken_flow:
        node = add.map(broken())
        after = add.map(node)

    state = broken_flow.run()

    assert [type(state.result[one]) for one in (node, after)] == [TriggerFailed, TriggerFailed]


def test_a_map_over_what_failed_is_judged_only_when_its_other_upstream_children_are_over(recorded: Recorded) -> None:
    judged, seen = threading.Event(), list[bool]()

    def trigger(upstream_states: dict[Any, State]) -> bool:
        seen.extend(one.is_finished() for state in upstream_states.values() for one in parts_of(state))
        judged.set()
        return True

    @task
    def slow(x: Any) -> Any:
        judged.wait(0.3)  # only what is judged too early ends this before its time
        return x

    @task
    def broken() -> Any:
        raise ValueError("no list")

    with Flow("judged") as flow:
        add.map(slow.map([1, 2]), broken(), task_args={"trigger": trigger})

    flow.run(executor="thread")

    assert seen == [True, True, True]


def test_a_map_over_what_cannot_be_taken_by_its_place_fails_its_task_and_not_the_walk(recorded: Recorded) -> None:
    with Flow("keys") as keys:
        node = add.map(Parameter("of"))
        after = total(node)
        beside = as_is(1)

    state = keys.run(of={"a": 1})

    assert "There is nothing to map over: KeyError: 0" in state.result[node].message
    assert [type(state.result[one]) for one in (node, after, beside)] == [Failed, TriggerFailed, Success]


def test_each_child_judges_by_its_own_part_of_a_map_that_was_given(recorded: Recorded) -> None:
    with Flow("given") as flow:
        before = numbers(2)
        added = add.map(before)
        summed = total(before)
    given = Mapped(result=[1, 2], map_states=[Success(result=1), Failed(result=ValueError("two"))])

    states = flow.run(task_states={before: given}).result

    assert [type(one) for one in states[added].map_states] == [Success, TriggerFailed]
    assert isinstance(states[summed], TriggerFailed)


def test_a_mapped_task_whose_upstream_was_skipped_is_skipped_as_a_whole(recorded: Recorded) -> None:
    @task
    def nothing() -> list[int]:
        raise SKIP("none")

    with Flow("skipped") as skipped:
        node = add.map(nothing())
        beside = add.map([1, 2], upstream_tasks=[unmapped(nothing())])

    state = skipped.run()

    assert [type(state.result[one]) for one in (node, beside)] == [Skipped, Skipped]


def test_all_children_of_a_map_are_shown_one_state_of_another_map_that_they_take_whole(recorded: Recorded) -> None:
    shown: list[State] = []

    def trigger(upstream_states: dict[Any, State]) -> bool:
        shown.extend(state for edge, state in upstream_states.items() if edge.key == "y")
        return True

    with Flow("whole") as flow:
        before = refuse_two.map(numbers(4))
        add.map([0, 0, 0], y=unmapped(before), task_args={"trigger": trigger})

    came = flow.run(executor="thread").result[before]

    assert (len(shown), {id(one) for one in shown}) == (3, {id(came)})


def test_children_know_their_index(recorded: Recorded) -> None:
    @task
    def where(x: Any) -> Any:
        return x, context["map_index"]

    with Flow("where") as where_flow:
        node = where.map(["a", "b"])

    assert where_flow.run().result[node].result == [("a", 0), ("b", 1)]


def test_a_thousand_children_take_no_more_threads_than_the_pool_has(recorded: Recorded) -> None:
    names: set[str] = set()

    @task
    def note(x: Any) -> Any:
        names.add(threading.current_thread().name)
        return x

    with Flow("wide") as wide:
        summed = total(note.map(note.map(numbers(1000))))

    state = wide.run(executor="thread")

    assert state.result[summed].result == sum(range(1000))
    assert len(names) <= 33
