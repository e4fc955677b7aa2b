"""How a declared flow runs: order, failures, skips, retries, states, parameters. Maps are in test_running_maps.py."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from nadi import Flow, Parameter, context, flow, get_run_logger, task
from nadi.declarative.running import raise_on_exception
from nadi.declarative.states import (
    Failed,
    Finished,
    Pending,
    Retrying,
    Running,
    Skipped,
    State,
    Success,
    TimedOut,
    TriggerFailed,
)
from nadi.exceptions import DefinitionError, FailedRun
from nadi.executors import DaskExecutor, LocalDaskExecutor, LocalExecutor
from nadi.model.states import StateType
from nadi.signals import FAIL, SKIP
from nadi.triggers import all_finished
from tests.conftest import Recorded

EXECUTORS = ["thread", "sequential", "process"]


@task
def one() -> Any:
    return 1


@task
def inc(x: Any) -> Any:
    return x + 1


@task
def add(x: Any, y: Any) -> Any:
    return x + y


@task
def fail() -> Any:
    raise ValueError("disk full")


@task
def skip() -> Any:
    raise SKIP("nothing new")


def log_of(order: list[str], name: str, does: Callable[[], Any] = lambda: None) -> Any:
    @task(name=name)
    def logged() -> Any:
        order.append(name)
        return does()

    return logged


# -- order and data -------------------------------------------------------------------------


def test_tasks_run_in_topological_order_and_data_goes_along_the_edges(recorded: Recorded) -> None:
    with Flow("sums") as sums:
        first = one()
        second = inc(first)
        third = add(first, y=second)

    state = sums.run()

    assert isinstance(state, Success)
    assert [state.result[node].result for node in (first, second, third)] == [1, 2, 3]
    assert recorded.root.flow == "sums"
    assert recorded.states() == {"one-1": "Completed", "inc-1": "Completed", "add-1": "Completed"}


@pytest.mark.parametrize("executor", ["thread", "sequential"])
def test_an_order_only_edge_makes_a_task_wait_and_passes_nothing(executor: str, recorded: Recorded) -> None:
    order: list[str] = []
    with Flow("ordered") as ordered:
        late = log_of(order, "late")()
        early = log_of(order, "early", lambda: time.sleep(0.02))()
        ordered.add_edge(early, late)

    ordered.run(executor=executor)

    assert order == ["early", "late"]
    runs = {run.task: run for run in recorded.task_runs}
    assert runs["late"].upstream == (runs["early"].id,)


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_flow_runs_with_every_executor(executor: str, recorded: Recorded) -> None:
    with Flow("any") as anywhere:
        total = add(inc(one()), [one(), inc(5)][0])

    state = anywhere.run(executor=executor)

    assert state.result[total].result == 3


def test_tasks_that_depend_on_nothing_run_beside_each_other(recorded: Recorded) -> None:
    both_here = threading.Barrier(2, timeout=30)

    @task
    def meet() -> int:
        return both_here.wait()

    with Flow("beside") as beside:
        here, there = meet(), meet()

    state = beside.run()

    assert sorted(state.result[node].result for node in (here, there)) == [0, 1]


def test_async_tasks_and_generators_run_in_declared_flows(recorded: Recorded) -> None:
    @task
    async def later(x: Any) -> Any:
        return x * 2

    @task
    def count(n: Any) -> Any:
        yield from range(n)

    with Flow("kinds") as kinds:
        doubled = later(one())
        counted = count(doubled)

    state = kinds.run()

    assert (state.result[doubled].result, state.result[counted].result) == (2, [0, 1])


def test_a_task_that_is_called_elsewhere_runs_at_once_all_the_same(recorded: Recorded) -> None:
    @flow
    def imperative() -> Any:
        return inc(one())

    with Flow("declared"):
        pass

    assert imperative() == 2


# -- failures and skips ---------------------------------------------------------------------


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_failed_upstream_gives_trigger_failed_downstream_and_no_exception_escapes(
    executor: str, recorded: Recorded
) -> None:
    with Flow("broken") as broken:
        bad = fail()
        after = inc(bad)
        later = inc(after)

    state = broken.run(executor=executor)

    assert isinstance(state, Failed)
    assert isinstance(state.result[bad], Failed)
    assert isinstance(state.result[bad].result, ValueError)
    assert [type(state.result[node]) for node in (after, later)] == [TriggerFailed, TriggerFailed]
    assert "fail did not" in str(state.result[after].message)


def test_a_task_with_a_tolerant_trigger_receives_the_exception_as_the_value(recorded: Recorded) -> None:
    @task(trigger=all_finished)
    def look(error: Any) -> str:
        return f"saw {error}"

    with Flow("tolerant") as tolerant:
        seen = look(fail())

    state = tolerant.run()

    assert state.result[seen].result == "saw disk full"
    assert state.is_successful()


def test_what_follows_a_skipped_task_is_skipped_too(recorded: Recorded) -> None:
    with Flow("skipping") as skipping:
        first = skip()
        second = inc(first)
        third = one(upstream_tasks=[second])

    state = skipping.run()

    assert [type(state.result[node]) for node in (first, second, third)] == [Skipped, Skipped, Skipped]
    assert state.is_successful()


def test_a_task_with_skip_on_upstream_skip_off_runs_and_gets_none(recorded: Recorded) -> None:
    @task(skip_on_upstream_skip=False)
    def stubborn(x: Any) -> str:
        return f"got {x}"

    with Flow("stubborn") as stubborn_flow:
        kept = stubborn(skip())

    assert stubborn_flow.run().result[kept].result == "got None"


def test_the_signal_that_a_task_raised_is_its_result(recorded: Recorded) -> None:
    @task
    def refuse() -> None:
        raise FAIL("no rows")

    with Flow("refusing") as refusing:
        refused = refuse()

    state = refusing.run().result[refused]

    assert isinstance(state.result, FAIL)
    assert state.message == "no rows"


def test_a_timeout_is_a_state_of_its_own(recorded: Recorded) -> None:
    @task(timeout=1)
    def slow() -> None:
        while True:
            time.sleep(0.01)

    with Flow("slow") as slow_flow:
        waited = slow()

    state = slow_flow.run().result[waited]

    assert isinstance(state, TimedOut)
    assert isinstance(state.result, TimeoutError)


def test_raise_on_exception_raises_what_the_first_task_failed_with(recorded: Recorded) -> None:
    with Flow("broken") as broken:
        inc(fail())

    with raise_on_exception(), pytest.raises(ValueError, match="disk full"):
        broken.run()


# -- retries --------------------------------------------------------------------------------


def flaky(times: int, raises: type[Exception] = ValueError, **keywords: Any) -> Any:
    tries: list[int] = []

    @task(**keywords)
    def sometimes() -> int:
        tries.append(1)
        if len(tries) <= times:
            raise raises("not yet")
        return len(tries)

    return sometimes


def test_a_task_is_retried_up_to_max_retries(recorded: Recorded) -> None:
    with Flow("retrying") as retrying:
        good = flaky(2, max_retries=2, retry_delay=timedelta(seconds=0.01))()
        bad = flaky(9, max_retries=1, retry_delay=timedelta(0))()

    state = retrying.run()

    assert state.result[good].result == 3
    assert state.result[bad].is_failed()
    assert sorted(run.attempt for run in recorded.task_runs) == [2, 3]


def test_retry_on_names_the_errors_that_are_retried(recorded: Recorded) -> None:
    with Flow("choosy") as choosy:
        bad = flaky(1, KeyError, max_retries=3, retry_delay=timedelta(0), retry_on=ValueError)()
        good = flaky(1, max_retries=3, retry_delay=timedelta(0), retry_on=[ValueError, OSError])()

    state = choosy.run()

    assert state.result[bad].is_failed()
    assert state.result[good].result == 2


def test_a_retry_waits_while_all_other_tasks_have_their_chance(recorded: Recorded) -> None:
    order: list[str] = []

    def first_try_fails() -> None:
        if order.count("flaky") == 1:
            raise ValueError("not yet")

    with Flow("patient") as patient:
        again = log_of(order, "flaky", first_try_fails)
        patient.add_task(again.copy(max_retries=1, retry_delay=timedelta(seconds=0.2)))
        last = None
        for number in range(5):
            last = log_of(order, f"other {number}")(upstream_tasks=[last] if last is not None else [])

    assert patient.run().is_successful()
    assert order[-1] == "flaky"
    assert order.count("flaky") == 2


# -- the state of the flow ------------------------------------------------------------------


def test_the_terminal_tasks_decide_the_state_of_the_flow(recorded: Recorded) -> None:
    @task(trigger=all_finished)
    def clean() -> None:
        return None

    with Flow("cleaned") as cleaned:
        clean(upstream_tasks=[fail()])

    assert cleaned.run().message == "All reference tasks succeeded."


def test_any_reference_task_that_failed_fails_the_flow(recorded: Recorded) -> None:
    @task(trigger=all_finished)
    def clean() -> None:
        return None

    with Flow("cleaned") as cleaned:
        bad = fail()
        clean(upstream_tasks=[bad])
    cleaned.set_reference_tasks([bad])

    state = cleaned.run()

    assert isinstance(state, Failed)
    assert state.message == "Some reference tasks failed: fail."
    assert recorded.root.state_type is StateType.FAILED


def test_a_terminal_state_handler_may_replace_the_state(recorded: Recorded) -> None:
    seen: list[Any] = []

    def forgive(flow: Any, state: State, references: set[State]) -> State:
        seen.append((flow.name, type(state), {type(one) for one in references}))
        return Success("It does not matter.")

    with Flow("forgiven", terminal_state_handler=forgive) as forgiven:
        bad = fail()

    state = forgiven.run()

    assert seen == [("forgiven", Failed, {Failed})]
    assert isinstance(state, Success)
    assert state.message == "It does not matter."
    assert state.result[bad].is_failed()
    assert recorded.root.state_type is StateType.COMPLETED


def test_a_task_that_never_ran_is_pending(recorded: Recorded) -> None:
    def stop(flow: Any, old: State, new: State) -> State | None:
        return Failed("not today") if new.is_running() else None

    with Flow("stopped", state_handlers=[stop]) as stopped:
        never = one()

    state = stopped.run()

    assert isinstance(state, Failed)
    assert type(state.result[never]) is Pending


# -- state handlers -------------------------------------------------------------------------


def test_state_handlers_of_a_task_see_every_transition_in_order(recorded: Recorded) -> None:
    seen: list[str] = []

    def watch(task: Any, old: State, new: State) -> State:
        seen.append(f"{task.name}: {type(old).__name__} to {type(new).__name__}")
        return new

    @task(max_retries=1, retry_delay=timedelta(0), state_handlers=[watch])
    def flaky_once() -> int:
        if context["task_run_count"] == 1:
            raise ValueError("first")
        return 1

    with Flow("watched") as watched:
        flaky_once()

    watched.run()

    assert [one.removeprefix("flaky_once: ") for one in seen] == [
        "Pending to Running",
        "Running to Failed",
        "Failed to Retrying",
        "Retrying to Running",
        "Running to Success",
    ]


def test_state_handlers_are_chained_and_may_replace_the_state(recorded: Recorded) -> None:
    def doubt(task: Any, old: State, new: State) -> State | None:
        return Failed("too good", result=ValueError("too good")) if new.is_successful() else None

    def forgive(task: Any, old: State, new: State) -> State | None:
        return Success("forgiven", result=0) if new.is_failed() else None

    @task(state_handlers=[doubt, forgive])
    def handled() -> int:
        return 1

    with Flow("chained") as chained:
        node = handled()
        after = inc(node)

    state = chained.run()

    assert (state.result[node].message, state.result[after].result) == ("forgiven", 1)


def test_a_state_handler_that_raises_fails_the_run_with_a_sentence(recorded: Recorded) -> None:
    def broken(task: Any, old: State, new: State) -> State:
        raise KeyError("webhook")

    @task(state_handlers=[broken])
    def handled() -> int:
        return 1

    with Flow("unlucky") as unlucky:
        node = handled()

    state = unlucky.run().result[node]

    assert state.is_failed()
    assert "The state handler of handled-1 failed: KeyError: 'webhook'" in state.message
    assert "it was asked about Running" in state.message


def test_a_success_that_a_handler_makes_a_failure_of_is_retried(recorded: Recorded) -> None:
    def at_least_two(task: Any, old: State, new: State) -> State | None:
        return Failed("too small") if new.is_successful() and new.result < 2 else None

    tries: list[int] = []

    @task(max_retries=3, retry_delay=timedelta(0), state_handlers=[at_least_two])
    def growing() -> int:
        tries.append(1)
        return len(tries)

    with Flow("growing") as grow:
        node = growing()

    assert grow.run().result[node].result == 2


def test_a_state_handler_may_have_a_task_run_again_whatever_its_retries(recorded: Recorded) -> None:
    def again(task: Any, old: State, new: State) -> State | None:
        wanted = new.is_failed() or (new.is_successful() and new.result < 3)
        return Retrying("not yet", start_time=datetime.now(UTC)) if wanted else None

    tries: list[int] = []

    @task(state_handlers=[again])
    def growing() -> int:
        tries.append(1)
        if len(tries) == 1:
            raise ValueError("first")
        return len(tries)

    with Flow("again") as flow:
        node = growing()

    assert flow.run().result[node].result == 3


def test_a_state_handler_may_say_when_a_retry_begins(recorded: Recorded) -> None:
    def sooner(task: Any, old: State, new: State) -> State | None:
        return Retrying("sooner", start_time=datetime.now(UTC)) if new.is_retrying() else None

    @task(max_retries=1, retry_delay=timedelta(days=1), state_handlers=[sooner])
    def second_time() -> int:
        if context["task_run_count"] == 1:
            raise ValueError("first")
        return 2

    with Flow("sooner") as flow:
        node = second_time()

    assert flow.run().result[node].result == 2


@pytest.mark.parametrize("executor", EXECUTORS)
def test_on_failure_is_called_for_tasks_and_flows_that_failed(executor: str, recorded: Recorded) -> None:
    told: list[str] = []
    bad = fail.copy(on_failure=lambda task, state: told.append(f"{task.name}: {state.result}"))
    with Flow("failing", on_failure=lambda flow, state: told.append(f"{flow.name}: {state.message}")) as failing:
        failing.add_task(bad)
        one()

    failing.run(executor=executor)

    assert told == ["fail: disk full", "failing: Some reference tasks failed: fail."]


def test_state_handlers_of_a_flow_see_the_states_of_its_tasks(recorded: Recorded) -> None:
    seen: list[Any] = []

    def watch(flow: Any, old: State, new: State) -> None:
        seen.append((type(old), type(new), [type(state) for state in new.result.values()]))

    with Flow("watched", state_handlers=[watch]) as watched:
        one()

    watched.run()

    assert seen == [(Pending, Running, []), (Running, Success, [Success])]


# -- flow.run() -----------------------------------------------------------------------------


def test_parameters_are_given_by_name_or_in_a_dict_and_defaults_stand(recorded: Recorded) -> None:
    with Flow("given") as given:
        x, y = Parameter("x"), Parameter("y", default=10)
        total = add(x, y)

    assert given.run(x=1).result[total].result == 11
    assert given.run(parameters={"x": 1, "y": 2}).result[total].result == 3
    assert given.run({"x": 1}, y=3).result[x].result == 1


@pytest.mark.parametrize("given", [{}, {"x": 1, "z": 2}])
def test_a_missing_or_unknown_parameter_is_a_value_error(given: dict[str, int], recorded: Recorded) -> None:
    with Flow("strict") as strict:
        inc(Parameter("x"))

    with pytest.raises(ValueError, match="strict"):
        strict.run(parameters=given)
    assert recorded.flow_runs == []


def test_an_unknown_keyword_of_run_is_a_type_error_that_names_what_there_is(recorded: Recorded) -> None:
    with Flow("strict") as strict:
        inc(Parameter("x"))

    with pytest.raises(TypeError, match=r"does not know rows: .* \(it has x\)"):
        strict.run(x=1, rows=2)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"executor": "dask"}, r"strict.run\(\): executor must be 'thread', .* not 'dask'"),
        ({"parameters": [1]}, r"takes parameters as a dict, not \[1\]"),
        ({"task_states": 3}, "takes task_states as a dict, not 3"),
        ({"context": "debug"}, "takes context as a dict, not 'debug'"),
    ],
)
def test_a_keyword_of_run_that_cannot_work_is_refused_before_anything_runs(
    given: dict[str, Any], words: str, recorded: Recorded
) -> None:
    with Flow("strict") as strict:
        one()

    with pytest.raises((TypeError, DefinitionError), match=words):
        strict.run(**given)
    assert recorded.flow_runs == []


def test_run_inside_of_the_with_block_is_a_runtime_error(recorded: Recorded) -> None:
    with Flow("early") as early, pytest.raises(RuntimeError, match=r"early.run\(\) would run something"):
        early.run()


def test_a_task_whose_state_is_given_does_not_run(recorded: Recorded) -> None:
    with Flow("resumed") as resumed:
        bad = fail()
        after = inc(bad)

    state = resumed.run(task_states={bad: Success("by hand", result=41)})

    assert state.result[after].result == 42
    assert [run.task for run in recorded.task_runs] == ["inc"]


def test_a_finished_state_is_returned_at_once(recorded: Recorded) -> None:
    with Flow("done") as done:
        one()
    finished = Success("yesterday")

    assert done.run(state=finished) is finished
    assert recorded.flow_runs == []


@pytest.mark.parametrize(
    ("executor", "name"),
    [
        (LocalExecutor(), "sequential"),
        (LocalDaskExecutor(), "thread"),
        (LocalDaskExecutor(scheduler="threads", num_workers=2), "thread"),
        (LocalDaskExecutor(scheduler="processes", num_workers=1), "process"),
        (LocalDaskExecutor(scheduler="sync"), "sequential"),
    ],
)
def test_the_executors_of_prefect_1_are_known_by_their_names(executor: Any, name: str, recorded: Recorded) -> None:
    with Flow("placed", executor=executor) as placed:
        node = inc(one())

    assert executor.name == name
    assert placed.run().result[node].result == 2


def test_an_executor_for_clusters_is_refused_with_a_sentence() -> None:
    with pytest.raises(DefinitionError, match="no executor for Dask clusters yet"):
        DaskExecutor(address="tcp://localhost:8786")
    with pytest.raises(DefinitionError, match="'threads', 'processes' or 'sync', not 'dask'"):
        LocalDaskExecutor(scheduler="dask")


# -- called like any flow -------------------------------------------------------------------

with Flow("doubling") as doubling:
    doubled = add(Parameter("x"), Parameter("y", default=1))

with Flow("two ends") as two_ends:
    inc(Parameter("x"))
    inc.copy(name="again")(two_ends.get_tasks("x")[0])


def test_calling_a_declared_flow_gives_the_result_of_its_terminal_task(recorded: Recorded) -> None:
    assert doubling(x=3) == 4
    assert recorded.root.flow == "doubling"


def test_calling_a_flow_with_several_terminal_tasks_gives_their_results_by_name(recorded: Recorded) -> None:
    assert two_ends(x=1) == {"inc": 2, "again": 2}


def test_a_declared_flow_is_a_subflow_of_an_imperative_one(recorded: Recorded) -> None:
    @flow
    def outer() -> Any:
        later = doubling.submit(x=5)
        return doubling(x=inc.submit(1)), later.result(), doubling.map(x=[1, 2], y=[10, 20]).result()

    assert outer() == (3, 6, [11, 22])
    assert sorted(run.flow for run in recorded.flow_runs) == ["doubling"] * 4 + ["outer"]


def test_a_subflow_that_failed_raises_like_any_subflow(recorded: Recorded) -> None:
    with Flow("broken") as broken:
        fail()

    @flow
    def outer() -> str:
        try:
            broken()
        except FailedRun as error:
            return f"{error} {error.__cause__}"
        return "never"

    assert outer() == "Some reference tasks failed: fail. disk full"


def test_run_inside_of_an_imperative_flow_makes_a_subflow_run_and_returns_the_state(recorded: Recorded) -> None:
    with Flow("broken") as broken:
        bad = fail()

    @flow
    def outer() -> State:
        state = broken.run()
        assert state.result[bad].is_failed()
        return state

    assert isinstance(outer(), Finished)
    assert {run.flow: run.state_name for run in recorded.flow_runs} == {"broken": "Failed", "outer": "Completed"}


def test_flows_of_functions_can_be_mapped_too(recorded: Recorded) -> None:
    @flow
    def square(x: int, by: int = 1) -> int:
        return x * x * by

    @flow
    def outer() -> list[int]:
        return square.map([1, 2, 3], by=2).result()

    assert outer() == [2, 8, 18]


# -- what tasks say -------------------------------------------------------------------------


def test_log_stdout_makes_log_lines_of_prints(recorded: Recorded) -> None:
    @task(log_stdout=True)
    def talk() -> None:
        print("printed")
        get_run_logger().info("logged")
        context["logger"].info("by the idiom of Prefect 1")

    with Flow("talking") as talking:
        talk()

    talking.run()

    assert "printed\nlogged\nby the idiom of Prefect 1" in recorded.logged()


def test_task_run_name_is_a_template_or_a_function_of_what_is_known(recorded: Recorded) -> None:
    with Flow("named") as named:
        x = Parameter("x")
        inc.copy(task_run_name="inc of {x}")(x)
        inc.copy(task_run_name=lambda **known: f"{known['flow_name']}/{known['task_slug']}")(x)

    named.run(x=5)

    assert set(recorded.states()) == {"inc of 5", "named/inc-2"}


def test_state_handlers_work_in_tasks_of_imperative_flows_and_cost_others_nothing(recorded: Recorded) -> None:
    seen: list[str] = []

    @task(state_handlers=[lambda task, old, new: seen.append(type(new).__name__)])
    def handled(x: int) -> int:
        return x

    @flow
    def run() -> Any:
        return handled(1), inc(1)

    assert run() == (1, 2)
    assert seen == ["Running", "Success"]
    assert inc.spec.state_handler is None
