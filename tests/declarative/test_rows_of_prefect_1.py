"""An audit: the public names of Prefect 1 have their keywords here, and its triggers, signals and handlers work.

What a keyword does in detail is tested beside its subject; here stands one test for each row of its documentation.
"""

from __future__ import annotations

import datetime
import inspect
from pathlib import Path
from typing import Any

import pytest

import nadi
from nadi import (
    DateTimeParameter,
    FilterTask,
    Flow,
    Parameter,
    Task,
    apply_map,
    case,
    ifelse,
    merge,
    resource_manager,
    switch,
    task,
)
from nadi.declarative import adjustments, clocks, filters, results, schedules, states, validators
from nadi.declarative.context import context
from nadi.declarative.edges import Edge
from nadi.declarative.handlers import callback_factory
from nadi.declarative.states import State
from nadi.exceptions import DefinitionError, FailedRun
from nadi.executors import DaskExecutor, LocalDaskExecutor, LocalExecutor
from nadi.signals import ENDRUN, FAIL, LOOP, PAUSE, RETRY, SKIP, SUCCESS, TRIGGERFAIL, VALIDATIONFAIL
from nadi.triggers import (
    all_failed,
    all_finished,
    all_successful,
    always_run,
    any_failed,
    any_successful,
    manual_only,
    not_all_skipped,
    some_failed,
    some_successful,
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


# -- 2a: names and keywords ---------------------------------------------------------------------

FLOW = {
    "__init__": "name schedule executor run_config storage tasks edges reference_tasks state_handlers on_failure"
    " validate result terminal_state_handler",
    "add_task": "task",
    "add_edge": "upstream_task downstream_task key mapped flattened validate",
    "chain": "tasks validate",
    "set_dependencies": "task upstream_tasks downstream_tasks keyword_tasks mapped validate",
    "set_reference_tasks": "tasks",
    "reference_tasks": "",
    "root_tasks": "",
    "terminal_tasks": "",
    "parameters": "",
    "upstream_tasks": "task",
    "downstream_tasks": "task",
    "edges_to": "task",
    "edges_from": "task",
    "all_upstream_edges": "",
    "all_downstream_edges": "",
    "sorted_tasks": "root_tasks",
    "get_tasks": "name slug tags task_type",
    "replace": "old new validate",
    "update": "flow merge_parameters validate merge_reference_tasks",
    "copy": "",
    "validate": "",
    "run": "parameters run_on_schedule runner_cls kwargs",
    "visualize": "flow_state filename format horizontal",
    "serialize": "build",
    "save": "fpath",
    "load": "fpath",
}


@pytest.mark.parametrize("method", FLOW)
def test_a_method_of_flow_takes_the_arguments_that_prefect_1_has(method: str) -> None:
    assert names(getattr(Flow, method)) == FLOW[method].split()


def test_a_flow_has_tasks_edges_slugs_and_constants() -> None:
    with Flow("attributes") as flow:
        node = give(1)
        after = give(node)

    assert flow.tasks == {node, after}
    assert flow.edges == {Edge(node, after, key="x")}
    assert flow.slugs == {node: "give-1", after: "give-2"}
    assert flow.constants == {node: {"x": 1}}


TASK = (
    "name slug tags max_retries retry_delay retry_on timeout trigger skip_on_upstream_skip cache_for cache_validator"
    " cache_key checkpoint state_handlers on_failure log_stdout result target task_run_name nout"
)


def test_a_task_takes_the_keywords_of_prefect_1_by_decorator_and_class() -> None:
    assert set(TASK.split()) <= set(names(Task.__init__))
    assert set(TASK.split()) <= set(names(task)) | {"keywords"} or "keywords" in names(task)


TASK_METHODS = {
    "bind": "mapped upstream_tasks flow",
    "set_upstream": "task flow key mapped",
    "set_downstream": "task flow key mapped",
    "set_dependencies": "flow upstream_tasks downstream_tasks keyword_tasks mapped validate",
    "copy": "",
    "pipe": "task",
    "is_equal": "other",
    "is_not_equal": "other",
    "not_": "",
    "or_": "other",
    "inputs": "",
    "outputs": "",
}


@pytest.mark.parametrize("method", TASK_METHODS)
def test_a_method_of_task_takes_the_arguments_that_prefect_1_has(method: str) -> None:
    assert set(TASK_METHODS[method].split()) <= set(names(getattr(Task, method)))


SIGNATURES = {
    Parameter: "name default required tags",
    DateTimeParameter: "name required tags",
    apply_map: "func args flow kwargs",
    case: "task value",
    switch: "condition cases mapped",
    ifelse: "condition true_task false_task mapped",
    merge: "tasks flow mapped keywords",
    FilterTask: "filter_func log_func keywords",
    some_failed: "at_least at_most",
    some_successful: "at_least at_most",
    validators.partial_inputs_only: "validate_on",
    validators.partial_parameters_only: "validate_on",
    callback_factory: "fn check",
}


@pytest.mark.parametrize("function", SIGNATURES, ids=lambda function: function.__name__)
def test_a_function_takes_the_arguments_that_prefect_1_has(function: Any) -> None:
    assert names(function) == SIGNATURES[function].split()


def test_the_top_level_has_the_names_of_prefect_1() -> None:
    wanted = "Flow Task Parameter task tags case mapped unmapped flatten apply_map resource_manager context"

    assert set(wanted.split()) <= set(nadi.__all__)


def test_signals_take_a_message_anything_else_and_keywords_of_the_state() -> None:
    for kind in (FAIL, TRIGGERFAIL, VALIDATIONFAIL, SUCCESS, RETRY, SKIP, PAUSE, LOOP):
        signal = kind("told", 1, result=2)
        assert (str(signal), signal.result, isinstance(signal, Exception)) == ("told", 2, False)
    assert str(ENDRUN(states.Success("fine"))) == "fine"


def test_states_form_the_tree_of_prefect_1() -> None:
    tree: dict[type, list[type]] = {
        states.Pending: [states.Scheduled],
        states.Scheduled: [states.Paused, states.Resume, states.Retrying],
        states.Running: [states.Cancelling],
        states.Finished: [states.Success, states.Failed, states.Looped, states.Cancelled],
        states.Success: [states.Cached, states.Mapped, states.Skipped],
        states.Failed: [states.TimedOut, states.TriggerFailed, states.ValidationFailed],
        State: [states.Submitted, states.Queued, states.ClientFailed],
    }

    assert [(base, one) for base, below in tree.items() for one in below if not issubclass(one, base)] == []


def test_states_have_a_message_result_context_and_cached_inputs_and_answer_what_they_are() -> None:
    state = states.Skipped("told", 1, {"a": 1}, {"b": 2})
    predicates = [
        "pending",
        "running",
        "finished",
        "successful",
        "failed",
        "skipped",
        "mapped",
        "cached",
        "retrying",
        "scheduled",
        "looped",
    ]

    assert (state.message, state.result, state.context, state.cached_inputs) == ("told", 1, {"a": 1}, {"b": 2})
    assert [name for name in predicates if getattr(state, f"is_{name}")()] == ["finished", "successful", "skipped"]
    assert states.Mapped(map_states=[state]).n_map_states == 1
    assert (states.Retrying(run_count=3).run_count, states.Retrying().start_time) == (3, None)


@pytest.mark.parametrize("given", [{"retry_delay": NOW}, {"max_retries": 2}])
def test_retries_without_a_delay_and_a_delay_without_retries_are_an_error(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="max_retries"):
        task(lambda: None, **given)


def test_results_read_write_exist_and_format(tmp_path: Path) -> None:
    place = results.LocalResult(dir=str(tmp_path), location="{name}.pkl")

    written = place.write([1], name="rows")

    assert written.location == "rows.pkl"
    assert place.exists("{name}.pkl", name="rows")
    assert not place.exists("other.pkl")
    assert place.read("rows.pkl").value == [1]
    assert place.format(name="x").location == "x.pkl"
    for kind in (results.PrefectResult, results.ConstantResult):
        assert issubclass(kind, results.Result)


def test_cache_validators_have_their_names() -> None:
    named = "never_use duration_only all_inputs all_parameters partial_inputs_only partial_parameters_only"

    assert all(callable(getattr(validators, name)) for name in named.split())


# -- 2a: triggers -------------------------------------------------------------------------------

#: By trigger: of which upstream tasks it runs. S succeeds, F fails, K is skipped.
RUNS: list[tuple[Any, str, str]] = [
    (all_successful, "SS SK", "SF FF"),
    (all_failed, "FF", "SF KF SS"),
    (any_successful, "SS SF KF", "FF"),
    (any_failed, "SF FF", "SS SK"),
    (all_finished, "SS SF FF KK", ""),
    (always_run, "SS SF FF KK", ""),
    (not_all_skipped, "SS SK", "SF KF"),
    (some_failed(at_least=1), "SF FF", "SS"),
    (some_failed(at_most=1), "SS SF", "FF"),
    (some_failed(at_least=0.6), "FF", "SF SS"),
    (some_successful(at_least=2), "SS SK", "SF FF"),
    (some_successful(at_most=0.5), "SF FF", "SS"),
]


@pytest.mark.parametrize(("trigger", "runs", "fails"), RUNS)
def test_a_trigger_decides_by_what_became_of_the_upstream_tasks(
    recorded: Recorded, trigger: Any, runs: str, fails: str
) -> None:
    made = {"S": give, "F": fail, "K": skip}
    with Flow("triggers") as flow:
        options = {"trigger": trigger, "skip_on_upstream_skip": False}
        each = {
            letters: give(upstream_tasks=[made[letter]() for letter in letters], task_args=options)
            for letters in f"{runs} {fails}".split()
        }

    state = flow.run()

    came = {letters: kinds(state, node)[0] for letters, node in each.items()}
    assert came == dict.fromkeys(runs.split(), "Success") | dict.fromkeys(fails.split(), "TriggerFailed")


def test_not_all_skipped_is_skipped_where_all_were(recorded: Recorded) -> None:
    with Flow("triggers") as flow:
        node = give(upstream_tasks=[skip()], task_args={"trigger": not_all_skipped, "skip_on_upstream_skip": False})

    assert kinds(flow.run(), node) == ["Skipped"]


def test_trigger_failed_counts_as_a_failure_and_a_mapped_upstream_by_its_children(recorded: Recorded) -> None:
    with Flow("triggers") as flow:
        behind = give(fail())
        after = give(upstream_tasks=[behind], task_args={"trigger": all_failed})
        children = give.map([1, 2]), fail.map([1, 2])
        one = give(upstream_tasks=list(children), task_args={"trigger": some_failed(at_least=2, at_most=2)})

    assert kinds(flow.run(), behind, after, one) == ["TriggerFailed", "Success", "Success"]


def test_manual_only_waits_for_somebody_to_resume(recorded: Recorded) -> None:
    with Flow("triggers") as flow:
        node = give(1, task_args={"trigger": manual_only})

    state = flow.run()

    assert not state.is_finished()
    assert kinds(state, node) == ["Paused"]


# -- 2a: signals and handlers -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("signal", "kind"),
    [
        (FAIL("told"), "Failed"),
        (TRIGGERFAIL("told"), "TriggerFailed"),
        (VALIDATIONFAIL("told"), "ValidationFailed"),
        (SUCCESS("told", result=7), "Success"),
        (SKIP("told"), "Skipped"),
        (PAUSE("told"), "Paused"),
        (ENDRUN(states.TimedOut("told")), "TimedOut"),
    ],
)
def test_a_signal_ends_a_task_in_its_state(recorded: Recorded, signal: Any, kind: str) -> None:
    @task
    def raises() -> None:
        raise signal

    with Flow("signals") as flow:
        node = raises()

    came = flow.run().result[node]

    assert (type(came).__name__, came.message) == (kind, "told")
    if kind == "Success":
        assert came.result == 7


def test_a_failing_signal_gives_its_result_to_those_who_look_and_to_those_who_follow(recorded: Recorded) -> None:
    @task
    def check() -> None:
        raise VALIDATIONFAIL("two rows are bad", result=[3, 7])

    with Flow("checked") as flow:
        bad = check()
        followed = give(bad, task_args={"trigger": all_finished})
    flow.set_reference_tasks([bad])

    state = flow.run()

    assert (state.result[bad].result, state.result[followed].result) == ([3, 7], [3, 7])
    with pytest.raises(FailedRun) as told:
        flow()
    assert str(told.value.__cause__) == "two rows are bad"


def test_loop_runs_again_with_the_count_and_the_result_of_the_turn_before(recorded: Recorded) -> None:
    @task
    def climb() -> int:
        count, so_far = context.get("task_loop_count", 1), context.get("task_loop_result", 0)
        if count < 4:
            raise LOOP(f"turn {count}", result=so_far + count)
        return int(so_far)

    with Flow("signals") as flow:
        node = climb()

    assert flow.run().result[node].result == 1 + 2 + 3


def test_retry_runs_again_however_many_retries_are_left(recorded: Recorded) -> None:
    @task
    def twice() -> int:
        count: int = context["task_run_count"]
        if count < 3:
            raise RETRY("again")
        return count

    with Flow("signals") as flow:
        node = twice()

    assert flow.run().result[node].result == 3


def test_state_handlers_are_chained_and_may_answer_another_state(recorded: Recorded) -> None:
    seen = []

    def watch(tracked: Any, old: State, new: State) -> State:
        seen.append((tracked.name, type(old).__name__, type(new).__name__))
        return new

    def forgive(tracked: Any, old: State, new: State) -> State | None:
        return states.Success("forgiven", 5) if new.is_failed() else None

    with Flow("handlers", state_handlers=[watch]) as flow:
        node = fail(task_args={"state_handlers": [watch, forgive], "name": "fail"})

    state = flow.run()

    assert state.is_successful()
    assert (state.result[node].message, state.result[node].result) == ("forgiven", 5)
    assert ("fail", "Pending", "Running") in seen
    assert ("fail", "Running", "Failed") in seen
    assert seen[-1] == ("handlers", "Running", "Success")


def test_on_failure_is_called_with_the_task_or_flow_and_its_state(recorded: Recorded) -> None:
    told = []

    def tell(tracked: Any, state: State) -> None:
        told.append((tracked.name, type(state).__name__))

    with Flow("handlers", on_failure=tell) as flow:
        fail(task_args={"on_failure": tell, "name": "fails"})
        give(1)

    flow.run()

    assert told == [("fails", "Failed"), ("handlers", "Failed")]


def test_a_callback_factory_makes_a_handler(recorded: Recorded) -> None:
    told: list[str] = []
    handler = callback_factory(lambda tracked, state: told.append(tracked.name), lambda state: state.is_skipped())

    with Flow("handlers") as flow:
        skip(task_args={"state_handlers": [handler], "name": "skips"})

    flow.run()

    assert told == ["skips"]


# -- 2a: schedules ------------------------------------------------------------------------------

T0 = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC)  # a Monday
SATURDAY = T0 + datetime.timedelta(days=5)
JULY_1 = T0.replace(month=7, day=1)
JULY_31 = T0.replace(month=7, day=31)

FILTERS: list[tuple[Any, datetime.datetime, datetime.datetime]] = [
    (filters.is_weekday, T0, SATURDAY),
    (filters.is_weekend, SATURDAY, T0),
    (filters.is_month_start, JULY_1, T0),
    (filters.is_month_end, JULY_31, T0),
    (filters.on_datetime(T0), T0, SATURDAY),
    (filters.on_date(7, 1), JULY_1, T0),
    (filters.between_datetimes(JULY_1, JULY_31), T0.replace(month=7), T0),
    (filters.between_dates(12, 1, 7, 15), JULY_1, T0),
    (filters.at_time(datetime.time(12)), T0, T0.replace(hour=13)),
    (filters.between_times(datetime.time(11), datetime.time(12)), T0, T0.replace(hour=13)),
    (filters.is_day_of_week(0, 1), T0, SATURDAY),
]


@pytest.mark.parametrize(("passes", "good", "bad"), FILTERS)
def test_a_filter_lets_its_times_pass_and_no_others(
    passes: Any, good: datetime.datetime, bad: datetime.datetime
) -> None:
    assert (passes(good), passes(bad)) == (True, False)


def test_a_schedule_gives_the_times_of_its_clocks_that_pass_its_filters_adjusted() -> None:
    hours = datetime.timedelta(hours=1)
    schedule = schedules.Schedule(
        [clocks.IntervalClock(12 * hours, start_date=T0), clocks.DatesClock([T0 + hours], parameter_defaults={"x": 1})],
        filters=[filters.is_weekday],
        not_filters=[filters.at_time(datetime.time(0))],
        or_filters=[filters.is_day_of_week(0), filters.is_day_of_week(4)],
        adjustments=[adjustments.add(hours)],
    )

    events = schedule.next(3, after=T0, return_events=True)

    friday = T0 + datetime.timedelta(days=4)
    assert [event.start_time - hours for event in events] == [T0 + hours, friday, friday + 72 * hours]
    assert [event.parameter_defaults for event in events] == [{"x": 1}, {}, {}]
    assert schedule.next(1, after=T0) == [T0 + 2 * hours]
    assert adjustments.next_weekday(SATURDAY) == SATURDAY + datetime.timedelta(days=2)


def test_the_short_forms_of_schedules_have_one_clock_each() -> None:
    interval = schedules.IntervalSchedule(start_date=T0, interval=datetime.timedelta(days=1), end_date=SATURDAY)

    assert len(interval.next(10, after=T0)) == 5
    assert names(schedules.CronSchedule) == ["cron", "start_date", "end_date", "day_or"]
    assert names(schedules.RRuleSchedule) == ["rrule_obj", "start_date", "end_date"]
    assert [type(one) for one in schedules.CronSchedule("0 0 * * *").clocks] == [clocks.CronClock]


# -- 2a: executors ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "executor",
    [
        LocalExecutor(),
        LocalDaskExecutor(),
        LocalDaskExecutor(scheduler="sync"),
        LocalDaskExecutor("processes", num_workers=1),
    ],
    ids=["local", "threads", "sync", "processes"],
)
def test_executors_of_prefect_1_run_a_flow(recorded: Recorded, executor: Any) -> None:
    with Flow("executors", executor=executor) as flow:
        node = give.map(give([1, 2]))

    assert [child.result for child in flow.run().result[node].map_states] == [1, 2]


def test_dask_clusters_are_refused_with_what_serves_here() -> None:
    with pytest.raises(DefinitionError, match="LocalDaskExecutor"):
        DaskExecutor("tcp://cluster:8786")


# -- 2a: the rest -------------------------------------------------------------------------------


def test_a_resource_manager_is_a_class_with_setup_and_cleanup() -> None:
    assert names(resource_manager) == ["resource_class", "keywords"]
