"""case, switch, ifelse, merge, FilterTask: which branch runs, what is skipped, and where branches meet."""

from __future__ import annotations

from typing import Any

import pytest

from nadi import FilterTask, Flow, Parameter, Task, apply_map, case, ifelse, merge, switch, task, unmapped
from nadi.declarative.control_flow import CompareValue
from nadi.declarative.states import State
from nadi.exceptions import DefinitionError
from nadi.signals import SKIP
from nadi.triggers import all_finished, always_run
from tests.conftest import Recorded


@task
def give(x: Any) -> Any:
    return x


@task
def add(x: Any, y: Any = 1) -> Any:
    return x + y


@task
def inc(x: Any) -> Any:
    return x + 1


@task
def broken(*args: Any) -> None:
    raise ValueError("broken")


def kinds(state: State, *tasks: Any) -> list[str]:
    """The classes of the states of some tasks."""
    return [type(state.result[each]).__name__ for each in tasks]


def results(state: State, node: Any) -> list[Any]:
    """What the children of a mapped task gave, `None` where they were skipped."""
    return [child.result for child in state.result[node].map_states]


# -- case --


@pytest.mark.parametrize(("given", "ran"), [("a", ["Success", "Skipped"]), ("b", ["Skipped", "Success"])])
def test_only_the_block_whose_value_is_the_result_of_the_task_runs(
    recorded: Recorded, given: str, ran: list[str]
) -> None:
    with Flow("cases") as flow:
        chosen = give(given)
        with case(chosen, "a"):
            first = give(1)
        with case(chosen, "b"):
            second = give(2)

    state = flow.run()

    assert state.is_successful()
    assert kinds(state, first, second) == ran


def test_what_follows_a_block_not_taken_is_skipped_up_to_a_task_that_does_not_skip(recorded: Recorded) -> None:
    with Flow("cases") as flow:
        with case(give(1), 2):
            inside = give("never")
        after = give(inside)
        tolerant = give(after, task_args={"skip_on_upstream_skip": False})

    state = flow.run()

    assert kinds(state, inside, after, tolerant) == ["Skipped", "Skipped", "Success"]
    assert state.result[tolerant].result is None


def test_a_block_has_one_comparison_which_comes_before_the_tasks_that_are_first_in_it() -> None:
    with Flow("cases") as flow:
        chosen, outside = give("a"), give(0)
        with case(chosen, "a"):
            first = inc(outside)
            beside = inc(1)
            later = add(first, beside)

    [compare] = flow.get_tasks(task_type=CompareValue)
    assert flow.upstream_tasks(compare) == {chosen}
    assert flow.upstream_tasks(first) == {outside, compare}
    assert flow.upstream_tasks(beside) == {compare}
    assert flow.upstream_tasks(later) == {first, beside}


def test_a_collection_made_for_an_argument_in_a_block_belongs_to_it(recorded: Recorded) -> None:
    with Flow("cases") as flow:
        outside = give(1)
        with case(outside, 2):
            total = give([outside, 3])

    state = flow.run()

    assert kinds(state, total) == ["Skipped"]
    assert kinds(state, *flow.upstream_tasks(total)) == ["Skipped"]


def test_an_empty_block_adds_nothing() -> None:
    with Flow("cases") as flow:
        chosen = give(1)
        with case(chosen, 1):
            pass

    assert flow.tasks == {chosen}


def test_a_parameter_that_is_first_named_in_a_block_is_no_part_of_it(recorded: Recorded) -> None:
    with Flow("cases") as flow:
        chosen = give("no")
        with case(chosen, "yes"):
            rows = Parameter("rows", default=3)
            inside = give(rows)

    state = flow.run()

    assert kinds(state, rows, inside) == ["Success", "Skipped"]


@pytest.mark.parametrize(
    ("outer", "inner", "ran"),
    [
        (1, 1, ["Success", "Success", "Success"]),
        (1, 2, ["Success", "Skipped", "Success"]),
        (2, 1, ["Skipped", "Skipped", "Skipped"]),
    ],
)
def test_the_conditions_of_nested_blocks_add_up(recorded: Recorded, outer: int, inner: int, ran: list[str]) -> None:
    with Flow("cases") as flow:
        one, two = give(outer), give(inner)
        with case(one, 1):
            before = give("before")
            with case(two, 1):
                inside = give("inside")
            after = give("after")

    state = flow.run()

    assert kinds(state, before, inside, after) == ran


def test_a_task_as_the_value_of_a_case_is_an_error() -> None:
    with Flow("cases"):
        chosen, other = give(1), give(1)

        with pytest.raises(TypeError, match=r"case compares with a value, and 'give' is a task"):
            case(chosen, other)


def test_a_case_outside_of_a_flow_is_an_error() -> None:
    with Flow("cases"):
        chosen = give(1)

    with pytest.raises(DefinitionError, match="case groups tasks of a flow"), case(chosen, 1):
        pass


def test_an_exception_in_a_block_goes_through_and_adds_no_comparison() -> None:
    with Flow("cases") as flow:
        block = case(give(1), 1)
        block.__enter__()
        give(2)
        block.__exit__(KeyError, KeyError(), None)

    assert flow.get_tasks(task_type=CompareValue) == []


def test_a_condition_that_failed_fails_the_block_by_its_trigger(recorded: Recorded) -> None:
    with Flow("cases") as flow, case(broken(), 1):
        inside = give(1)

    state = flow.run()

    assert state.is_failed()
    assert kinds(state, inside) == ["TriggerFailed"]


def test_a_case_inside_of_apply_map_decides_for_each_item(recorded: Recorded) -> None:
    def each(x: Any) -> Any:
        with case(x > 1, True):
            large = inc(x)
        with case(x > 1, False):
            small = give(x)
        return merge(large, small)

    with Flow("cases") as flow:
        merged = apply_map(each, give([1, 2, 3]))

    state = flow.run()

    assert results(state, merged) == [1, 3, 4]


# -- switch and ifelse --


@pytest.mark.parametrize("given", ["a", "b", "neither"])
def test_switch_runs_the_task_whose_key_is_the_result_of_the_condition(recorded: Recorded, given: str) -> None:
    with Flow("switch") as flow:
        tasks = {"a": give(1), "b": give(2)}
        switch(give(given), tasks)
        after = {key: inc(each) for key, each in tasks.items()}

    state = flow.run()

    for key in tasks:
        assert kinds(state, tasks[key], after[key]) == ["Success" if key == given else "Skipped"] * 2


def test_a_mapped_switch_decides_for_each_item(recorded: Recorded) -> None:
    with Flow("switch") as flow:
        letters = give(["a", "b", "a"])
        tasks = {"a": inc.map([10, 20, 30]), "b": give.map([1, 2, 3])}
        switch(letters, tasks, mapped=True)
        merged = merge(tasks["a"], tasks["b"], mapped=True)

    state = flow.run()

    assert results(state, tasks["a"]) == [11, None, 31]
    assert results(state, tasks["b"]) == [None, 2, None]
    assert results(state, merged) == [11, 2, 31]


@pytest.mark.parametrize(("given", "ran"), [(5, ["Success", "Skipped"]), ("", ["Skipped", "Success"])])
def test_ifelse_runs_one_of_two_by_the_truth_of_the_condition(recorded: Recorded, given: Any, ran: list[str]) -> None:
    with Flow("ifelse") as flow:
        yes, no = give("yes"), give("no")
        ifelse(give(given), yes, no)

    state = flow.run()

    assert kinds(state, yes, no) == ran


def test_ifelse_may_leave_either_branch_empty(recorded: Recorded) -> None:
    with Flow("ifelse") as flow:
        yes, no = give("yes"), give("no")
        ifelse(give(False), yes, None)
        ifelse(give(False), None, no)

    state = flow.run()

    assert kinds(state, yes, no) == ["Skipped", "Success"]


def test_a_mapped_ifelse_decides_for_each_item(recorded: Recorded) -> None:
    with Flow("ifelse") as flow:
        yes, no = give.map(["y1", "y2"]), give.map(["n1", "n2"])
        ifelse(give([0, 1]), yes, no, mapped=True)

    state = flow.run()

    assert results(state, yes) == [None, "y2"]
    assert results(state, no) == ["n1", None]


def test_a_branch_may_be_a_constant_task_class(recorded: Recorded) -> None:
    class Shout(Task[..., str]):
        def run(self) -> str:
            return "yes!"

    with Flow("ifelse") as flow:
        shout = Shout()
        ifelse(give(True), shout, None)

    assert flow.run().result[shout].result == "yes!"


# -- merge --


def test_merge_gives_the_first_result_in_the_order_of_its_arguments_that_is_not_none(recorded: Recorded) -> None:
    with Flow("merge") as flow:
        first = merge(give(None), give(2), give(3))
        many = merge(*(give(n if n > 9 else None) for n in range(12)))
        nothing = merge(give(None), give(None))

    state = flow.run()

    assert [state.result[each].result for each in (first, many, nothing)] == [2, 10, None]


def test_merge_takes_a_constant_in_its_place(recorded: Recorded) -> None:
    with Flow("merge") as flow:
        found: Any = merge(give(1), "else")
        missing: Any = merge(give(None), "else")

    state = flow.run()

    assert (state.result[found].result, state.result[missing].result) == (1, "else")


def test_merge_runs_unless_all_its_branches_were_skipped(recorded: Recorded) -> None:
    with Flow("merge") as flow:
        chosen = give("a")
        with case(chosen, "a"):
            taken = give(1)
        with case(chosen, "b"):
            left = give(2)
        with case(chosen, "c"):
            out = give(3)
        one, none = merge(left, taken), merge(left, out)

    state = flow.run()

    assert kinds(state, one, none) == ["Success", "Skipped"]
    assert state.result[one].result == 1


def test_merge_of_a_branch_that_failed_is_trigger_failed(recorded: Recorded) -> None:
    with Flow("merge") as flow:
        merged = merge(give(1), broken())

    assert kinds(flow.run(), merged) == ["TriggerFailed"]


def test_merge_takes_keywords_of_its_task_and_a_flow(recorded: Recorded) -> None:
    flow = Flow("merge")
    flow.add_task(left := give.copy(name="left"))
    left.bind(1, flow=flow)

    merged = merge(left, flow=flow, name="both", trigger=all_finished)

    assert merged.name == "both"
    assert merged.trigger is all_finished
    assert flow.upstream_tasks(merged) == {left}


# -- FilterTask --


@task
def odd(x: Any) -> Any:
    if x == 4:
        raise SKIP("four")
    if x == 6:
        raise ValueError("six")
    return x if x % 2 else None


def test_a_filter_drops_none_skips_and_failures_of_a_map(recorded: Recorded) -> None:
    with Flow("filter") as flow:
        kept = FilterTask()(odd.map([1, 2, 3, 4, 5, 6]))

    state = flow.run()

    assert state.is_successful()
    assert state.result[kept].result == [1, 3, 5]


def test_a_filter_keeps_what_its_function_says_and_logs_what_it_drops(recorded: Recorded) -> None:
    large = FilterTask(filter_func=lambda x: x > 2, log_func=lambda x: f"dropped {x}", name="large")
    with Flow("filter") as flow:
        kept = large(give([1, 2, 3, 4]))

    state = flow.run()

    assert state.result[kept].result == [3, 4]
    assert kept.name == "large"
    assert [line for line in recorded.logged().splitlines() if line.startswith("dropped")] == ["dropped 1", "dropped 2"]


def test_a_filter_runs_whatever_became_of_what_comes_before_unless_it_says_otherwise() -> None:
    usual, strict = FilterTask(), FilterTask(trigger=always_run, skip_on_upstream_skip=True)

    assert (usual.trigger, usual.skip_on_upstream_skip) == (all_finished, False)
    assert (strict.trigger, strict.skip_on_upstream_skip) == (always_run, True)


def test_two_filters_with_other_functions_differ_on_every_executor(recorded: Recorded) -> None:
    with Flow("filter", executor="process") as flow:
        numbers = give([1, 2, 3])
        low = FilterTask(filter_func=lambda x: x < 2)(numbers)
        high = FilterTask(filter_func=lambda x: x > 2)(numbers)

    state = flow.run()

    assert (state.result[low].result, state.result[high].result) == ([1], [3])


def test_unmapped_branches_can_be_merged_item_by_item(recorded: Recorded) -> None:
    with Flow("merge") as flow:
        merged = merge(give.map([None, 2]), unmapped(give(9)), mapped=True)

    assert results(flow.run(), merged) == [9, 2]
