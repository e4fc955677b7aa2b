"""Prefect 3's decorators, keyword by keyword, its calling forms and its annotations: each does here what it is for.

Each test is named by the keyword or form. Where Nadi differs on purpose, docs/how-to/from-prefect.md says so.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from nadi import allow_failure, exponential_backoff, flow, opaque, quote, runtime, tags, task, unmapped
from nadi.assets import materialize
from nadi.cache_policies import DEFAULT, INPUTS, NO_CACHE, TASK_SOURCE
from nadi.exceptions import (
    DefinitionError,
    MappingLengthMismatch,
    MappingMissingIterable,
    MissingResult,
    ParameterTypeError,
    TimedOut,
)
from nadi.executors import ProcessExecutor
from nadi.flows import Flow
from nadi.states import State
from nadi.task_runners import SequentialTaskRunner, ThreadPoolTaskRunner
from nadi.tasks import Task
from nadi.transactions import transaction
from tests.conftest import Recorded
from tests.public.runs import in_flow

pytestmark = pytest.mark.usefixtures("recorded")

#: What the functions of a test did, in order.
did: list[Any] = []


@pytest.fixture(autouse=True)
def _nothing_done() -> None:
    did.clear()


@task
def add(x: int, y: int = 1) -> int:
    did.append((x, y))
    return x + y


#: Every keyword of the two decorators of Prefect 3.8.
FLOW_KEYWORDS = (
    "name version description flow_run_name retries retry_delay_seconds task_runner timeout_seconds validate_parameters"
    " persist_result result_serializer cache_result_in_memory log_prints"
    " on_completion on_failure on_cancellation on_crashed on_running result_storage"
)
TASK_KEYWORDS = (
    "name description tags version cache_policy cache_key_fn cache_expiration task_run_name retries retry_delay_seconds"
    " retry_jitter_factor retry_condition_fn persist_result result_storage result_storage_key result_serializer"
    " cache_result_in_memory timeout_seconds log_prints refresh_cache on_completion on_failure on_running on_rollback"
    " on_commit viz_return_value asset_deps"
)


@pytest.mark.parametrize(("kind", "keywords"), [(Flow, FLOW_KEYWORDS), (Task, TASK_KEYWORDS)])
def test_every_keyword_of_prefect_3_is_a_keyword_here(kind: Any, keywords: str) -> None:
    assert set(keywords.split()) - set(inspect.signature(kind.__init__).parameters) == set()


# -- @flow --


def test_flow_name_names_the_flow_and_refuses_what_cannot_be_part_of_a_path(recorded: Recorded) -> None:
    @flow(name="Nightly load")
    def load() -> None: ...

    load()

    assert recorded.root.flow == "Nightly load"
    with pytest.raises(DefinitionError):
        flow(name="nightly/load")(lambda: None)


def test_flow_version_is_recorded(recorded: Recorded) -> None:
    flow(name="f", version="7.1")(lambda: None)()

    assert recorded.root.version == "7.1"


def test_flow_description_is_recorded_and_is_the_docstring_otherwise(recorded: Recorded) -> None:
    @flow
    def told() -> None:
        """Loads what came in."""

    told()
    flow(name="f", description="By keyword")(told.fn)()

    assert [run.description for run in recorded.flow_runs] == ["By keyword", "Loads what came in."]


def test_flow_flow_run_name_is_a_template_over_parameters_or_a_function(recorded: Recorded) -> None:
    @flow(flow_run_name="{x}-{y[k]}")
    def templated(x: int, y: dict[str, int]) -> None: ...

    templated(1, {"k": 2})
    flow(name="g", flow_run_name=lambda: "called")(lambda: None)()

    assert [run.name for run in recorded.flow_runs] == ["called", "1-2"]


def test_flow_retries_enters_the_function_again_after_retry_delay_seconds() -> None:
    @flow(retries=2, retry_delay_seconds=0)
    def flaky() -> int:
        did.append("entered")
        if len(did) < 3:
            raise ValueError("not yet")
        return len(did)

    assert flaky() == 3


def test_flow_task_runner_is_a_class_or_an_instance() -> None:
    def both() -> int:
        return sum(future.result() for future in (add.submit(1), add.submit(2)))

    by_instance = flow(name="a", task_runner=ThreadPoolTaskRunner(max_workers=1))(both)()
    by_class = flow(name="b", task_runner=SequentialTaskRunner)(both)()

    assert (by_instance, by_class) == (5, 5)
    with pytest.raises(DefinitionError):
        flow(name="c", task_runner="no such")(both)


def test_flow_timeout_seconds_fails_the_run_as_timed_out() -> None:
    @flow(timeout_seconds=0.05)
    def slow() -> None:
        time.sleep(30)

    state: Any = slow(return_state=True)

    assert (state.is_failed(), state.name) == (True, "TimedOut")
    with pytest.raises(TimedOut):
        state.result()


def test_flow_validate_parameters_converts_by_annotation_unless_it_is_off() -> None:
    def give(x: int) -> Any:
        return x

    text: Any = "5"

    assert flow(name="a")(give)(text) == 5
    assert flow(name="b", validate_parameters=False)(give)(text) == "5"
    with pytest.raises(ParameterTypeError):
        flow(name="c")(give)(text + "five")


def test_flow_persist_result_and_result_serializer_say_whether_and_how_results_are_kept(recorded: Recorded) -> None:
    flow(name="a", persist_result=False)(lambda: 1)()
    flow(name="b", result_serializer="json")(lambda: {"a": 1})()

    as_json, not_kept = recorded.flow_runs
    assert as_json.result is not None
    assert not_kept.result is not None
    assert (as_json.result.format, as_json.result.data, not_kept.result.kind) == ("json", b'{"a":1}', "not_kept")


def test_flow_cache_result_in_memory_false_drops_the_value_and_reads_it_again() -> None:
    give = flow(name="give", cache_result_in_memory=False)(lambda: [1])

    kept: Any = give(return_state=True)
    dropped: Any = give.with_options(persist_result=False)(return_state=True)

    assert not isinstance(kept.data, list)
    assert (kept.result(), give()) == ([1], [1])
    with pytest.raises(MissingResult):
        dropped.result()


def test_flow_log_prints_makes_prints_log_lines_of_tasks_too(recorded: Recorded) -> None:
    @task
    def inner() -> None:
        print("from the task")

    @flow(log_prints=True)
    def outer() -> None:
        print("from the flow")
        inner()

    outer()

    assert "from the flow" in recorded.logged()
    assert "from the task" in recorded.logged()


def test_flow_hooks_are_called_with_flow_run_and_state_and_their_errors_change_nothing() -> None:
    def told(kind: str) -> Any:
        def hook(the_flow: Any, run: Any, state: State[Any]) -> None:
            did.append((kind, the_flow.name, state.name))
            raise RuntimeError("a hook's error")

        return hook

    @flow(
        name="f",
        on_running=[told("running")],
        on_completion=[told("completion")],
        on_failure=[told("failure")],
        on_cancellation=[told("cancellation")],
        on_crashed=[told("crashed")],
    )
    def f(fail: bool) -> None:
        if fail:
            raise ValueError

    @f.on_failure
    def by_decorator(the_flow: Any, run: Any, state: State[Any]) -> None:
        did.append("by decorator")

    f(False)
    f(True, return_state=True)

    assert did == [
        ("running", "f", "Running"),
        ("completion", "f", "Completed"),
        ("running", "f", "Running"),
        ("failure", "f", "Failed"),
        "by decorator",
    ]


# -- @task --


def test_task_name_description_and_version_describe_it(recorded: Recorded) -> None:
    made = task(name="loading", description="Loads", version="2")(lambda: 1)

    made()

    assert (made.name, made.description, made.version) == ("loading", "Loads", "2")
    assert [run.task for run in recorded.task_runs] == ["loading"]


def test_task_tags_are_merged_with_those_of_the_surroundings(recorded: Recorded) -> None:
    tagged = task(tags={"io"})(lambda: 1)

    @flow
    def f() -> None:
        with tags("etl"):
            tagged()

    f()

    assert set(recorded.task_runs[0].tags) == {"io", "etl"}


def test_task_cache_policy_composes_and_a_second_call_is_cached(recorded: Recorded) -> None:
    @task(cache_policy=INPUTS + TASK_SOURCE - "verbose")
    def dear(x: int, verbose: bool) -> int:
        did.append(x)
        return x * 2

    first = in_flow(lambda: dear(1, True))
    second = in_flow(lambda: dear(1, False))

    assert (first, second, did) == (2, 2, [1])
    assert recorded.states() == {"dear-0": "Cached"}


def test_task_cache_policy_no_cache_never_caches_and_default_is_bound_to_the_run() -> None:
    never = task(name="never", cache_policy=NO_CACHE)(lambda: did.append("never"))
    default = task(name="default", cache_policy=DEFAULT)(lambda: did.append("default"))

    for _ in range(2):
        in_flow(lambda: (never(), never(), default()))

    assert did.count("never") == 4
    assert did.count("default") == 2


def test_task_cache_key_fn_gives_the_key_from_context_and_parameters() -> None:
    @task(cache_key_fn=lambda context, parameters: f"key-{parameters['x'] % 2}")
    def dear(x: int) -> int:
        did.append(x)
        return x

    assert in_flow(lambda: [dear(1), dear(3), dear(2)]) == [1, 1, 2]
    assert did == [1, 2]


def test_task_cache_expiration_ends_what_is_cached() -> None:
    @task(cache_policy=INPUTS, cache_expiration=timedelta(microseconds=1))
    def dear(x: int) -> int:
        did.append(x)
        return x

    in_flow(lambda: (dear(1), dear(1)))

    assert did == [1, 1]


def test_task_refresh_cache_ignores_and_overwrites() -> None:
    @task(cache_policy=INPUTS)
    def dear(x: int) -> int:
        did.append(x)
        return len(did)

    in_flow(lambda: dear(1))
    refreshed = in_flow(lambda: dear.with_options(refresh_cache=True)(1))
    after = in_flow(lambda: dear(1))

    assert (refreshed, after) == (2, 2)


def test_task_task_run_name_is_a_template_or_a_function_with_or_without_parameters(recorded: Recorded) -> None:
    def f(name: str) -> None: ...

    def by_parameters(parameters: dict[str, Any]) -> str:
        return f"given {parameters['name']}"

    @flow
    def all_three() -> None:
        task(name="a", task_run_name="load {name}")(f)("x")
        task(name="b", task_run_name=lambda: "called")(f)("x")
        task(name="c", task_run_name=by_parameters)(f)("x")

    all_three()

    assert [run.name for run in recorded.task_runs] == ["load x", "called", "given x"]


def test_task_retries_wait_a_number_a_list_or_a_backoff() -> None:
    def flaky() -> int:
        did.append(1)
        if len(did) % 3:
            raise ValueError("not yet")
        return len(did)

    delays: list[Any] = [0, [0, 0], lambda retries: [0.0] * retries, exponential_backoff(0)]

    def with_delay(delay: Any) -> int:
        return in_flow(lambda: task(retries=2, retry_delay_seconds=delay)(flaky)())

    assert [with_delay(delay) for delay in delays] == [3, 6, 9, 12]


def test_task_retry_jitter_factor_spreads_delays_and_is_not_negative() -> None:
    assert task(retries=1, retry_delay_seconds=1, retry_jitter_factor=0.5)(lambda: 1).spec.retry.jitter_factor == 0.5
    with pytest.raises(DefinitionError):
        task(retries=1, retry_jitter_factor=-1)(lambda: 1)


def test_task_retry_condition_fn_decides_and_an_error_in_it_is_no_retry() -> None:
    def fail() -> None:
        did.append(1)
        raise ValueError("no")

    def broken(the_task: Any, run: Any, state: State[Any]) -> bool:
        raise RuntimeError("a condition's error")

    async def only_values(the_task: Any, run: Any, state: State[Any]) -> bool:
        return isinstance(await_nothing(state), ValueError)

    def await_nothing(state: State[Any]) -> Any:
        return state.result(raise_on_failure=False)

    def calls(condition: Any) -> int:
        did.clear()
        in_flow(lambda: task(retries=2, retry_condition_fn=condition)(fail)(return_state=True).name)
        return len(did)

    assert [calls(broken), calls(only_values), calls(lambda *_: False)] == [1, 3, 1]


def test_task_persist_result_and_its_kin_work_as_for_flows(recorded: Recorded) -> None:
    in_flow(lambda: task(name="a", persist_result=False)(lambda: 1)())

    result = recorded.task_runs[0].result
    assert result is not None
    assert result.kind == "not_kept"


def test_task_cache_result_in_memory_false_reads_the_value_again() -> None:
    @flow
    def f() -> Any:
        future = task(name="a", cache_result_in_memory=False)(lambda: [1, 2]).submit()
        return future.result()

    assert f() == [1, 2]


def test_task_timeout_seconds_interrupts_the_main_thread_a_coroutine_and_a_process() -> None:
    @task(timeout_seconds=0.05)
    def slow() -> None:
        time.sleep(30)

    @task(timeout_seconds=0.05)
    async def slow_async() -> None:
        await asyncio.sleep(30)

    @flow
    def in_main() -> str:
        return slow(return_state=True).name  # type: ignore[no-any-return]  # a State

    @flow
    async def in_loop() -> str:
        state = await slow_async(return_state=True)
        return str(state.name)

    @flow(executor=ProcessExecutor(1))
    def in_process() -> str:
        return slow_in_a_process.submit(return_state=True).name

    assert in_main() == "TimedOut"
    assert asyncio.run(in_loop()) == "TimedOut"
    assert in_process() == "TimedOut"


@task(timeout_seconds=0.2)
def slow_in_a_process() -> None:
    time.sleep(30)


def test_task_log_prints_makes_prints_log_lines(recorded: Recorded) -> None:
    in_flow(lambda: task(name="a", log_prints=True)(lambda: print("printed"))())

    assert "printed" in recorded.logged()


def test_task_result_storage_key_is_a_template_that_names_what_is_cached() -> None:
    @task(result_storage_key="{parameters[x]}-of-{flow_run.flow_name}", cache_policy=None)
    def dear(x: int) -> int:
        did.append(x)
        return x

    got = in_flow(lambda: [dear(1), dear(2)])
    again = in_flow(lambda: dear(1))

    assert (got, again, did) == ([1, 2], 1, [1, 2])


def test_task_hooks_are_called_with_task_run_and_state() -> None:
    def told(kind: str) -> Any:
        return lambda the_task, run, state: did.append((kind, the_task.name, run.name, state.name))

    @task(
        name="t",
        on_running=[told("running")],
        on_completion=[told("completion")],
        on_failure=[told("failure")],
    )
    def t(fail: bool) -> None:
        if fail:
            raise ValueError

    in_flow(lambda: (t(False), t(True, return_state=True)))

    assert did == [
        ("running", "t", "t-0", "Running"),
        ("completion", "t", "t-0", "Completed"),
        ("running", "t", "t-1", "Running"),
        ("failure", "t", "t-1", "Failed"),
    ]


def test_task_on_commit_and_on_rollback_are_called_with_the_transaction() -> None:
    @task(on_commit=[lambda txn: did.append("commit")], on_rollback=[lambda txn: did.append("rollback")])
    def write(name: str) -> None: ...

    @flow
    def f(fail: bool) -> None:
        with transaction():
            write("a")
            if fail:
                raise ValueError("after it")

    f(False)
    f(True, return_state=True)

    assert did == ["commit", "rollback"]


def test_task_viz_return_value_is_accepted_and_nothing_runs_to_draw() -> None:
    made = task(viz_return_value=7)(lambda: did.append("ran"))

    assert made.with_options(name="drawn").name == "drawn"
    assert did == []


def test_task_asset_deps_are_the_upstream_of_what_is_made(recorded: Recorded) -> None:
    materialize("s3://lake/clean", asset_deps=["s3://lake/raw"])(lambda: None)()

    (made,) = recorded.store.assets.materializations("s3://lake/clean")
    assert made.upstream == ("s3://lake/raw",)


# -- calling forms --


def test_calling_a_task_runs_it_now_in_the_callers_thread() -> None:
    where = task(lambda: threading.current_thread())

    assert in_flow(lambda: where() is threading.current_thread())


def test_submit_gives_a_future_and_takes_wait_for_and_return_state() -> None:
    @flow
    def f() -> tuple[int, bool, list[Any]]:
        first = add.submit(1)
        state = add.submit(first, return_state=True, wait_for=[first])
        return state.result(), state.is_completed(), list(did)

    assert f() == (3, True, [(1, 1), (2, 1)])


def test_map_pairs_its_iterables_and_passes_strings_and_unmapped_values_whole() -> None:
    join = task(lambda a, b, c: f"{a}{b}{c}")

    @flow
    def f() -> list[str]:
        return join.map([1, 2], "xy", unmapped([3])).result()

    assert f() == ["1xy[3]", "2xy[3]"]


def test_map_refuses_unequal_lengths_and_nothing_to_iterate() -> None:
    with pytest.raises(MappingLengthMismatch):
        in_flow(lambda: add.map([1, 2], [1]))
    with pytest.raises(MappingMissingIterable):
        in_flow(lambda: add.map(1, 2))


def test_map_takes_deferred_and_return_state() -> None:
    @flow
    def f() -> list[int]:
        return [state.result() for state in add.map([1, 2], deferred=False, return_state=True)]

    assert f() == [2, 3]


def test_with_options_varies_a_task_or_flow_and_leaves_the_original() -> None:
    varied = add.with_options(name="plus", retries=3)
    other = flow(name="a")(lambda: 1).with_options(name="b")

    assert (varied.name, varied.retries, add.name, add.retries, other.name) == ("plus", 3, "add", 0, "b")


def test_return_state_gives_the_state_of_a_flow_and_raises_nothing() -> None:
    @flow
    def f() -> None:
        raise ValueError("no")

    state: Any = f(return_state=True)

    assert state.is_failed()
    with pytest.raises(ValueError, match="no"):
        state.result()


def test_methods_class_methods_and_static_methods_are_flows_and_tasks() -> None:
    class Loader:
        factor = 2

        def __init__(self, base: int) -> None:
            self.base = base

        @task
        def bound(self, x: int) -> int:
            return self.base + x

        @task
        @classmethod
        def of_class(cls, x: int) -> int:
            return cls.factor * x

        @task
        @staticmethod
        def plain(x: int) -> int:
            return x

        @flow
        def run(self) -> list[int]:
            plain: Any = self.plain  # mypy binds what is no method
            return [self.bound(1), self.of_class(2), plain(3), self.bound.submit(4).result()]

    assert Loader(10).run() == [11, 4, 3, 14]


def test_generators_and_async_generators_are_tasks_and_flows() -> None:
    @task
    def items() -> Iterator[int]:
        yield from (1, 2)

    @task
    async def items_async() -> AsyncIterator[int]:
        yield 3

    @flow
    def numbers() -> Iterator[int]:
        yield from items()

    @flow
    async def numbers_async() -> AsyncIterator[int]:
        async for item in items_async():
            yield item

    async def collected() -> list[int]:
        return [item async for item in numbers_async()]

    assert list(numbers()) == [1, 2]
    assert asyncio.run(collected()) == [3]


def test_async_flows_and_tasks_are_awaited() -> None:
    @task
    async def double(x: int) -> int:
        await asyncio.sleep(0)
        return x * 2

    @flow
    async def f() -> list[int]:
        return [await double(1), *[await future for future in double.map([2, 3])]]

    assert asyncio.run(f()) == [2, 4, 6]


def test_tasks_call_tasks_and_flows(recorded: Recorded) -> None:
    @flow
    def inner() -> int:
        return add(1)

    @task
    def outer() -> int:
        return add(10) + inner()

    assert in_flow(lambda: outer()) == 13
    assert sorted(run.flow for run in recorded.flow_runs) == ["around", "inner"]


def test_delay_and_apply_async_leave_a_run_to_a_worker(home: Path) -> None:
    by_delay = add.delay(1, y=2)
    by_apply = add.apply_async(args=(3,), kwargs={"y": 4})

    assert by_delay.task_run_id != by_apply.task_run_id
    assert not by_delay.state.is_final()
    assert callable(add.serve)


# -- annotations --


def test_unmapped_passes_a_value_whole_to_every_child() -> None:
    assert in_flow(lambda: add.map([1, 2], unmapped(10)).result()) == [11, 12]


def test_allow_failure_hands_the_exception_on() -> None:
    @task
    def broken() -> int:
        raise ValueError("no")

    kind = task(lambda error: type(error).__name__)

    assert in_flow(lambda: kind.submit(allow_failure(broken.submit())).result()) == "ValueError"


def test_quote_makes_no_dependency_and_looks_into_nothing(recorded: Recorded) -> None:
    has_future = task(name="look")(lambda inside: type(inside[0]).__name__)

    assert in_flow(lambda: has_future(quote([add.submit(1)]))) == "NadiFuture"
    assert [run.upstream for run in recorded.task_runs if run.task == "look"] == [()]


def test_opaque_resolves_a_future_and_does_not_look_inside() -> None:
    kinds = task(lambda value, inside: (value, type(inside[0]).__name__))

    @flow
    def f() -> Any:
        return kinds(opaque(add.submit(1)), opaque([add.submit(2)]))

    assert f() == (2, "NadiFuture")


# -- and what runs can ask --


def test_runtime_tells_of_the_run_that_asks() -> None:
    ask = task(lambda: (runtime.flow_run.flow_name, runtime.task_run.task_name, runtime.deployment.id))

    @flow(name="asking")
    def f() -> Any:
        return ask.with_options(name="asker")()

    assert f() == ("asking", "asker", None)
