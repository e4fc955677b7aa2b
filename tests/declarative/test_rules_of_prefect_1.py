"""An audit: each of the twelve rules by which flows of Prefect 1 are built and run holds here."""

from __future__ import annotations

import datetime
import inspect
from pathlib import Path
from typing import Any

import pytest

from nadi import (
    Flow,
    Parameter,
    Task,
    case,
    flatten,
    mapped,
    merge,
    task,
    unmapped,
)
from nadi.declarative import results, states, validators
from nadi.declarative.clocks import DatesClock
from nadi.declarative.context import caches, context
from nadi.declarative.edges import Edge
from nadi.declarative.running import raise_on_exception
from nadi.declarative.schedules import Schedule
from nadi.declarative.states import State
from nadi.signals import SKIP
from nadi.triggers import (
    all_finished,
)
from tests.conftest import Recorded

NOW = datetime.timedelta(0)


@task
def give(x: Any = None) -> Any:
    return x


@task
def fail(x: Any = None) -> Any:
    raise ValueError("failed")


@task
def skip(x: Any = None) -> Any:
    raise SKIP("skipped")


def names(function: Any) -> list[str]:
    """The parameters of a function or method, without `self`."""
    return [name for name in inspect.signature(function).parameters if name != "self"]


def kinds(state: State, *nodes: Any) -> list[str]:
    return [type(state.result[each]).__name__ for each in nodes]


# -- 2b: the rules ------------------------------------------------------------------------------


def test_rule_1_a_call_inside_copies_binds_and_adds_and_a_task_named_upstream_is_added_itself() -> None:
    original = Task(name="original")

    with Flow("rule 1") as flow:
        data = give(1)
        after = give(upstream_tasks=[data, original])

    assert data is not give
    assert flow.edges_to(after) == {Edge(data, after), Edge(original, after)}
    assert after not in flow.constants


def test_rule_2_collections_with_tasks_become_tasks_and_constants_stay_constants() -> None:
    with Flow("rule 2") as flow:
        one = give(1)
        node = give({"all": [one, (2, one)], "set": {3}})
        plain = give([1, {"a": 2}])

    names_of = sorted(each.name for each in flow.tasks - {one, node, plain})
    assert names_of == ["Dict", "List", "List", "List", "Tuple"] or "Dict" in names_of
    assert flow.constants[plain] == {"x": [1, {"a": 2}]}


def test_rule_2_parameters_by_position_only_are_a_type_error() -> None:
    @task
    def positional(x: Any, /) -> Any:
        return x

    with Flow("rule 2"), pytest.raises(TypeError, match="by position only"):
        positional(1)


def test_rule_3_a_task_asks_for_skips_then_its_trigger_then_its_target_then_its_cache(
    recorded: Recorded, tmp_path: Path
) -> None:
    ran = []

    @task(target="kept.pkl", result=results.LocalResult(dir=str(tmp_path)))
    def once() -> int:
        ran.append("once")
        return 1

    with Flow("rule 3") as flow:
        both = give(upstream_tasks=[skip(), fail()])
        kept = once()
    with Flow("rule 3, again") as again:
        skipped = once(upstream_tasks=[skip()])
        refused = once(upstream_tasks=[fail()])
        found = once()

    first, second = flow.run(), again.run()

    assert kinds(first, both, kept) == ["Skipped", "Success"]  # skipped before its trigger was asked
    assert kinds(second, skipped, refused, found) == ["Skipped", "TriggerFailed", "Cached"]
    assert ran == ["once"]


def test_rule_4_a_failure_gives_trigger_failed_behind_it_and_escapes_from_no_run(recorded: Recorded) -> None:
    with Flow("rule 4") as flow:
        failed = fail()
        behind = give(failed)

    state = flow.run()

    assert kinds(state, failed, behind) == ["Failed", "TriggerFailed"]
    assert isinstance(state.result[failed].result, ValueError)
    with pytest.raises(ValueError, match="failed"), raise_on_exception():
        flow.run()


def test_rule_5_reference_tasks_decide_the_state_of_the_flow_and_terminal_ones_are_the_default(
    recorded: Recorded,
) -> None:
    with Flow("rule 5") as flow:
        failed = fail()
        give(upstream_tasks=[failed], task_args={"trigger": all_finished})

    terminal_succeeded = flow.run()
    flow.set_reference_tasks([failed])
    reference_failed = flow.run()

    assert terminal_succeeded.is_successful()
    assert reference_failed.is_failed()
    assert (reference_failed.message or "").startswith("Some reference tasks failed")


def test_rule_5_a_child_of_a_map_that_failed_fails_the_flow(recorded: Recorded) -> None:
    @task
    def picky(x: int) -> int:
        if x == 2:
            raise ValueError(x)
        return x

    with Flow("rule 5") as flow:
        picky.map([1, 2, 3])

    assert flow.run().is_failed()


def test_rule_5_the_terminal_state_handler_may_answer_another_final_state(recorded: Recorded) -> None:
    def forgive(flow: Any, state: State, reference_states: set[State]) -> State | None:
        assert [type(each).__name__ for each in reference_states] == ["Failed"]
        return states.Success("forgiven")

    with Flow("rule 5", terminal_state_handler=forgive) as flow:
        fail()

    state = flow.run()

    assert (state.is_successful(), state.message) == (True, "forgiven")


def test_rule_6_run_returns_a_state_whose_result_has_the_state_of_every_task(recorded: Recorded) -> None:
    with Flow("rule 6") as flow:
        x = Parameter("x")
        y = Parameter("y", default=2)
        total = x + y

    state = flow.run(x=1)

    assert isinstance(state, State)
    assert set(state.result) == flow.tasks
    assert state.result[total].result == 3
    assert flow.run({"x": 5}).result[total].result == 7
    assert flow.run(parameters={"x": 5}, y=1).result[total].result == 6


@pytest.mark.parametrize(("given", "told"), [({}, "x"), ({"parameters": {"x": 1, "z": 2}}, "z")])
def test_rule_6_missing_and_unknown_parameters_are_value_errors(
    recorded: Recorded, given: dict[str, Any], told: str
) -> None:
    with Flow("rule 6") as flow:
        give(Parameter("x"))

    with pytest.raises(ValueError, match=told):
        flow.run(**given)


def test_rule_6_other_keywords_go_to_the_runner(recorded: Recorded) -> None:
    with Flow("rule 6") as flow:
        known = give(1)
        told = give(known)

    assert flow.run(executor="sequential").result[told].result == 1
    assert flow.run(task_states={known: states.Success(result=9)}).result[told].result == 9
    assert flow.run(state=states.Failed("so be it")).is_failed()
    with pytest.raises(TypeError, match="colour"):
        flow.run(colour="red")


def test_rule_6_run_inside_of_the_block_is_a_runtime_error() -> None:
    with Flow("rule 6") as flow:
        give(1)
        with pytest.raises(RuntimeError, match="inside of"):
            flow.run()


def test_rule_7_with_a_schedule_run_waits_for_each_time_unless_told_not_to(recorded: Recorded) -> None:
    ran = []

    @task
    def note() -> None:
        ran.append(context["scheduled_start_time"])

    now = datetime.datetime.now(datetime.UTC)
    times = [now + datetime.timedelta(milliseconds=200 * number) for number in (1, 2)]
    with Flow("rule 7", schedule=Schedule([DatesClock(times)])) as flow:
        note()

    once = flow.run(run_on_schedule=False)
    ran.clear()
    last = flow.run()

    assert (once.is_successful(), last.is_successful()) == (True, True)
    assert ran == times
    assert datetime.datetime.now(datetime.UTC) >= times[-1]


def test_rule_7_retries_run_while_others_go_on_and_no_more_than_max_retries_times(recorded: Recorded) -> None:
    tries = []

    @task(max_retries=2, retry_delay=datetime.timedelta(milliseconds=20))
    def flaky() -> None:
        tries.append("flaky")
        raise ConnectionError

    @task
    def other() -> None:
        tries.append("other")

    with Flow("rule 7") as flow:
        node = flaky()
        other()

    state = flow.run(executor="thread")

    assert kinds(state, node) == ["Failed"]
    assert tries.count("flaky") == 3
    assert tries.index("other") < 2  # it did not wait for the retries


def test_rule_7_retry_on_tells_which_errors_are_retried(recorded: Recorded) -> None:
    tries = []

    @task(max_retries=2, retry_delay=NOW, retry_on=KeyError)
    def picky(error: type[BaseException]) -> None:
        tries.append(error)
        raise error

    with Flow("rule 7") as flow:
        picky(KeyError)
        picky(ValueError)

    flow.run()

    assert (tries.count(KeyError), tries.count(ValueError)) == (3, 1)


def test_rule_8_a_map_is_as_long_as_its_shortest_input(recorded: Recorded) -> None:
    with Flow("rule 8") as flow:
        node = merge(give([1, 2, 3]), give([4, 5]), mapped=True)

    assert len(flow.run().result[node].map_states) == 2


def test_rule_8_a_map_over_nothing_is_mapped_without_children(recorded: Recorded) -> None:
    with Flow("rule 8") as flow:
        node = give.map([])

    state = flow.run()

    assert kinds(state, node) == ["Mapped"]
    assert state.result[node].map_states == []


def test_rule_8_what_has_no_items_cannot_be_mapped_over(recorded: Recorded) -> None:
    with Flow("rule 8") as flow:
        node = give.map(give({1, 2}))

    assert kinds(flow.run(), node) == ["Failed"]


def test_rule_8_a_task_over_a_map_gets_the_list_of_results_with_failures_in_their_place(recorded: Recorded) -> None:
    @task
    def half(x: int) -> float:
        return 1 / x

    with Flow("rule 8") as flow:
        halves = half.map([1, 0])
        stopped = give(halves)
        all_of_them = give(halves, task_args={"trigger": all_finished})

    state = flow.run()

    assert kinds(state, stopped, all_of_them) == ["TriggerFailed", "Success"]
    first, second = state.result[all_of_them].result
    assert (first, type(second)) == (1.0, ZeroDivisionError)


def test_rule_8_a_map_over_a_map_goes_on_item_by_item_without_waiting_for_the_others(recorded: Recorded) -> None:
    order = []

    @task
    def first(x: int) -> int:
        order.append(f"first {x}")
        return x

    @task
    def second(x: int) -> int:
        order.append(f"second {x}")
        return x

    with Flow("rule 8") as flow:
        second.map(first.map([1, 2, 3]))

    flow.run(executor="sequential")

    assert all(order.index(f"first {x}") < order.index(f"second {x}") for x in (1, 2, 3))
    assert len(order) == 6


def test_rule_8_order_only_upstream_tasks_may_be_mapped_too(recorded: Recorded) -> None:
    @task
    def even(x: int) -> None:
        if x % 2:
            raise SKIP("odd")

    with Flow("rule 8") as flow:
        checked = even.map([1, 2])
        node = give.map([10, 20], upstream_tasks=[checked])

    assert [child.result for child in flow.run().result[node].map_states] == [None, 20]


def test_rule_8_retries_and_skips_are_those_of_each_child(recorded: Recorded) -> None:
    tries = []

    @task(max_retries=1, retry_delay=NOW)
    def picky(x: int) -> int:
        tries.append(x)
        if x == 1:
            raise SKIP("one")
        if x == 2 and tries.count(2) == 1:
            raise ValueError("two")
        return x

    with Flow("rule 8") as flow:
        node = picky.map([1, 2, 3])
        behind = give.map(node)

    state = flow.run()

    assert [type(child).__name__ for child in state.result[node].map_states] == ["Skipped", "Success", "Success"]
    assert [type(child).__name__ for child in state.result[behind].map_states] == ["Skipped", "Success", "Success"]
    assert sorted(tries) == [1, 2, 2, 3]


def test_rule_8_flatten_joins_lists_and_marks_choose_what_is_mapped(recorded: Recorded) -> None:
    @task
    def upto(x: int) -> list[int]:
        return list(range(x))

    @task
    def pair(x: Any, y: Any) -> Any:
        return x, y

    with Flow("rule 8") as flow:
        lists = upto.map([1, 2])
        flat = give.map(flatten(lists))
        whole = pair.map(unmapped([1, 2]), give([3, 4]))
        chosen = pair(mapped([1, 2]), [3, 4])

    state = flow.run()

    def of(node: Any) -> list[Any]:
        return [child.result for child in state.result[node].map_states]

    assert of(flat) == [0, 0, 1]
    assert of(whole) == [([1, 2], 3), ([1, 2], 4)]
    assert of(chosen) == [(1, [3, 4]), (2, [3, 4])]


def test_rule_9_a_case_adds_a_comparison_that_skips_and_a_merge_brings_branches_together(recorded: Recorded) -> None:
    with Flow("rule 9") as flow:
        chosen = give("b")
        with case(chosen, "a"):
            first = give("from a")
        with case(chosen, "b"):
            second = give("from b")
        merged = merge(first, second)

    state = flow.run()

    assert kinds(state, first, second, merged) == ["Skipped", "Success", "Success"]
    assert state.result[merged].result == "from b"


def test_rule_10_a_target_that_exists_gives_cached_and_names_may_be_templates(
    recorded: Recorded, tmp_path: Path
) -> None:
    @task(target="{task_name}-{date:%Y}-{x}.pkl", task_run_name="made of {x}")
    def made(x: int) -> int:
        return x * 2

    with Flow("rule 10", result=results.LocalResult(dir=str(tmp_path))) as flow:
        node = made(3)

    first, second = flow.run(), flow.run()

    assert kinds(first, node) + kinds(second, node) == ["Success", "Cached"]
    assert second.result[node].result == 6
    assert [path.name for path in tmp_path.iterdir()] == [f"made-{datetime.datetime.now():%Y}-3.pkl"]
    assert recorded.task_runs[0].name == "made of 3"


def test_rule_10_cached_states_stay_over_runs_of_the_process(recorded: Recorded) -> None:
    ran = []

    @task(cache_for=datetime.timedelta(hours=1), cache_validator=validators.all_inputs)
    def slow(x: Any) -> Any:
        ran.append(x)
        return x

    with Flow("rule 10") as flow:
        node = slow(Parameter("x"))

    caches.clear()
    came = [kinds(flow.run(x=x), node)[0] for x in (1, 1, 2)]

    assert came[1] == "Cached"
    assert ran == [1, 2]


def test_rule_11_visualize_needs_the_graph_alone() -> None:
    with Flow("rule 11") as flow:
        give.map(Parameter("rows"))

    drawn = flow.visualize()

    assert "give &lt;map&gt;" in drawn
    assert 'class="edge mapped"' in drawn
    assert ">x</text>" in drawn


def test_rule_12_context_tells_about_the_run_and_has_its_logger(recorded: Recorded) -> None:
    told: dict[str, Any] = {}

    @task
    def ask(x: int) -> None:
        context["logger"].info("logged by context")
        for name in [
            "flow_run_id",
            "task_run_id",
            "task_name",
            "map_index",
            "task_run_count",
            "parameters",
            "date",
            "today",
        ]:
            told[name] = context.get(name)
        told["by attribute"] = context.task_name

    with Flow("rule 12") as flow:
        ask.map([Parameter("x", default=4)])

    flow.run()

    assert told["flow_run_id"] == recorded.root.id
    assert (told["task_name"], told["by attribute"], told["map_index"]) == ("ask", "ask", 0)
    assert (told["parameters"], told["task_run_count"]) == ({"x": 4}, 1)
    assert told["today"] == f"{told['date']:%Y-%m-%d}"
    assert "logged by context" in recorded.logged()
