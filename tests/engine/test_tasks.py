"""Tasks and flows as they are declared and called."""

from __future__ import annotations

import asyncio
import functools
import inspect
import pickle
from typing import Any

import pytest

from nadi import Flow, Task, flow, task
from nadi.exceptions import DefinitionError, ParameterBindError
from nadi.executors.contract import Work
from nadi.executors.threads import ThreadExecutor
from nadi.states import State
from tests.conftest import Recorded


@task
def double(number: int, *, offset: int = 0) -> int:
    """Twice the number.

    And more about it.
    """
    return 2 * number + offset


@flow
def twice(number: int) -> int:
    """Doubles in a flow."""
    return double(number)


def test_decorators_work_with_and_without_parentheses(recorded: Recorded) -> None:
    @task
    def bare() -> int:
        return 1

    @task()
    def empty() -> int:
        return 2

    @task(name="third")
    def named() -> int:
        return 3

    @flow()
    def total() -> int:
        return bare() + empty() + named()

    assert total() == 6
    assert [run.task for run in recorded.task_runs] == ["bare", "empty", "third"]


def test_name_docstring_signature_and_annotations_of_the_function_are_kept() -> None:
    assert (double.__name__, double.__qualname__, double.__module__) == ("double", "double", __name__)
    assert double.__doc__ is not None
    assert double.__doc__.startswith("Twice the number.")
    assert str(inspect.signature(double)) == "(number: 'int', *, offset: 'int' = 0) -> 'int'"
    assert inspect.unwrap(twice) is twice.fn
    assert double.description == "Twice the number."


def test_a_flow_is_called_after_its_function_with_hyphens_and_a_task_with_its_own_name() -> None:
    @flow
    def nightly_load() -> None: ...

    @task
    def load_rows() -> None: ...

    assert (nightly_load.name, load_rows.name) == ("nightly-load", "load_rows")


def test_fn_is_the_plain_function_and_records_nothing(recorded: Recorded) -> None:
    assert double.fn(4) == 8
    assert twice.fn.__name__ == "twice"
    assert recorded.flow_runs == []


def test_a_task_called_outside_of_flows_is_recorded_as_the_one_call_of_a_run(recorded: Recorded) -> None:
    value = double(3, offset=1)

    assert value == 7
    assert recorded.root.state_name == "Completed"
    assert [run.task for run in recorded.task_runs] == ["double"]


def test_a_task_called_outside_of_flows_gives_its_state_when_asked(recorded: Recorded) -> None:
    @task
    def broken() -> None:
        raise ValueError("no")

    good = double(3, return_state=True)
    bad = broken(return_state=True)

    assert (good.name, good.result()) == ("Completed", 6)
    assert (bad.name, str(bad.result(raise_on_failure=False))) == ("Failed", "no")


def test_return_state_raises_nothing_and_holds_the_outcome(recorded: Recorded) -> None:
    @task
    def broken() -> None:
        raise ValueError("no")

    @flow
    def both() -> list[Any]:
        states: list[State[Any]] = [double(1, return_state=True), broken(return_state=True)]
        states += [double.submit(2, return_state=True), *double.map([3], return_state=True)]
        return [state.name if state.is_failed() else state.result() for state in states]

    state = both(return_state=True)

    assert state.result() == [2, "Failed", 4, 6]


def test_options_change_a_copy_and_leave_the_original_alone() -> None:
    patient = double.with_options(retries=3, name="patient", tags=["slow"])
    other = twice.with_options(executor="sequential", name="other")

    assert isinstance(patient, Task)
    assert isinstance(other, Flow)
    assert (patient.retries, patient.name, patient.tags, patient.fn) == (3, "patient", frozenset({"slow"}), double.fn)
    assert (double.retries, double.name) == (0, "double")
    assert (other.name, twice.name) == ("other", "twice")


def test_an_option_that_does_not_exist_is_named() -> None:
    with pytest.raises(DefinitionError, match=r"double.with_options\(\) does not know retrys"):
        double.with_options(retrys=3)


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"retries": -1}, "retries must be a whole number of at least 0, not -1"),
        ({"retry_delay_seconds": [1, -2]}, "retry_delay_seconds must be seconds of at least 0"),
        ({"retry_jitter_factor": -0.5}, "retry_jitter_factor must be a number of at least 0"),
        ({"timeout_seconds": 0}, "timeout_seconds must be a number of seconds greater than 0, not 0"),
        ({"timeout_seconds": "3"}, "timeout_seconds must be a number of seconds greater than 0, not '3'"),
        ({"on_failure": ["print"]}, "on_failure must be a list of functions"),
        ({"name": ""}, "must not be empty"),
    ],
)
def test_a_keyword_that_cannot_work_is_refused_where_it_stands(keywords: dict[str, Any], words: str) -> None:
    with pytest.raises(DefinitionError, match=words):
        task(**keywords)(lambda: None)


def test_a_positional_name_is_refused_with_the_way_to_write_it() -> None:
    with pytest.raises(DefinitionError, match=r"Keywords go by name: @task\(name=\.\.\.\)"):
        task("train")  # type: ignore[call-overload]


def test_a_function_is_either_a_task_or_a_flow() -> None:
    with pytest.raises(DefinitionError, match="@flow marks a function, and double is a task already"):
        flow(double)
    with pytest.raises(DefinitionError, match="@task marks a function, and other is a flow already"):
        task(flow(name="other")(lambda: None))


def test_a_call_that_does_not_fit_the_signature_is_a_type_error(recorded: Recorded) -> None:
    with pytest.raises(ParameterBindError, match="number"):
        twice()  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="lots"):
        twice(1, lots=2)  # type: ignore[call-overload]
    assert recorded.flow_runs == []


def test_lambdas_partials_and_callable_objects_can_be_tasks(recorded: Recorded) -> None:
    class Adder:
        def __call__(self, a: int, b: int = 1) -> int:
            return a + b

    @flow
    def run() -> list[Any]:
        short = task(name="short")(lambda number: number + 1)
        third = task(name="third")(functools.partial(divmod, 9))
        added = task(Adder())
        return [short(1), third(4), added(1, b=5), task(lambda: 7)()]

    assert run() == [2, (2, 1), 6, 7]


def test_tasks_and_flows_pickle_by_name() -> None:
    assert pickle.loads(pickle.dumps(double)) is double
    assert pickle.loads(pickle.dumps(twice)) is twice


def test_wait_for_is_taken_by_every_way_to_call(recorded: Recorded) -> None:
    @task
    def first() -> str:
        return "done"

    @flow
    def later(number: int) -> int:
        return number

    @flow
    def run() -> list[int]:
        waited = first.submit()
        return [
            double(1, wait_for=[waited]),  # type: ignore[call-overload]
            double.submit(2, wait_for=[waited]).result(),
            *double.map([3], wait_for=(waited,)).result(),
            later(4, wait_for=[waited]),  # type: ignore[call-overload]
            later.submit(5, wait_for=waited).result(),
        ]

    assert run() == [2, 4, 6, 4, 5]
    assert all(len(task_run.upstream) == 1 for task_run in recorded.task_runs if task_run.task == "double")


def test_async_functions_stay_async_and_are_gathered_on_the_callers_loop(recorded: Recorded) -> None:
    loops = set()

    @task
    async def add(number: int) -> int:
        loops.add(asyncio.get_running_loop())
        await asyncio.sleep(0)
        return number + 1

    @flow
    async def run() -> list[int]:
        loops.add(asyncio.get_running_loop())
        return await asyncio.gather(*(add(number) for number in range(5)))

    assert run.is_async
    assert add.is_async
    assert asyncio.run(run()) == [1, 2, 3, 4, 5]
    assert len(loops) == 1
    assert recorded.root.state_name == "Completed"


def test_a_task_that_its_executor_cannot_take_ends_and_its_flow_does_not_wait_for_it(recorded: Recorded) -> None:
    class Full(ThreadExecutor):
        def submit(self, work: Work) -> None:
            raise RuntimeError("can't start new thread")

    @task
    def one() -> int:
        return 1

    @flow(executor=Full())
    def whole() -> int:
        one.submit()
        return 1

    state = whole(return_state=True)

    assert state.is_failed()
    assert "can't start new thread" in state.message
    assert [run.state_name for run in recorded.task_runs] == ["Cancelled"]
