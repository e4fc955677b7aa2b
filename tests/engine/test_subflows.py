from __future__ import annotations

import sys
import threading
from typing import Any

import pytest

from nadi import flow, task
from nadi.exceptions import FailedRun
from nadi.executors import SequentialExecutor, ThreadExecutor
from nadi.states import Cancelled, Completed, Failed, Running
from tests.conftest import Recorded


@task
def add(a: int, b: int = 1) -> int:
    return a + b


@task
def broken() -> None:
    raise ValueError("no")


def test_a_flow_called_in_a_flow_is_a_run_of_its_own_below_it(recorded: Recorded) -> None:
    @flow
    def child(n: int) -> int:
        return add(n)

    @flow
    def parent() -> int:
        return child(1)

    assert parent() == 2
    child_run, parent_run = recorded.flow_runs
    assert (child_run.parent, child_run.root) == (parent_run.id, parent_run.id)
    assert recorded.task_runs[0].run == child_run.id


def test_subflows_submitted_together_run_at_the_same_time(recorded: Recorded) -> None:
    both = threading.Barrier(2, timeout=30)

    @flow
    def child(n: int) -> int:
        both.wait()
        return add.submit(n).result()

    @flow
    def parent() -> list[int]:
        futures = [child.submit(1), child.submit(add.submit(1))]
        return [future.result(timeout=30) for future in futures]

    assert parent() == [2, 3]


def test_a_submitted_subflow_takes_its_upstreams_and_fails_with_them(recorded: Recorded) -> None:
    @flow
    def child(n: Any) -> Any:
        return n

    @flow
    def parent() -> Any:
        return child.submit(broken.submit()).result(raise_on_failure=False), child.submit(1, return_state=True).name

    error, name = parent()

    assert "did not run because its upstream broken-0 ended Failed" in str(error)
    assert name == "Completed"


def test_a_failing_subflow_raises_in_its_parent_and_can_be_caught(recorded: Recorded) -> None:
    @flow
    def child() -> None:
        broken()

    @flow
    def parent() -> Any:
        try:
            child()
        except ValueError:
            return child(return_state=True).name
        return ""

    assert parent() == "Failed"


def test_tasks_call_tasks_and_flows(recorded: Recorded) -> None:
    @flow
    def child(n: int) -> int:
        return add(n)

    @task
    def outer(n: int) -> int:
        return add(n) + add.submit(n).result() + child(n)

    @flow
    def run() -> list[int]:
        return [outer(1), outer.submit(1).result(), *outer.map([2]).result()]

    assert run() == [6, 6, 9]


def test_a_task_may_call_itself(recorded: Recorded) -> None:
    @task
    def factorial(n: int) -> int:
        return 1 if n == 0 else n * factorial(n - 1)

    @flow
    def run() -> int:
        return factorial(100)

    assert run() == __import__("math").factorial(100)


@pytest.mark.parametrize("timeout", [None, 30])
def test_nested_submits_on_a_pool_of_one_do_not_deadlock(timeout: float | None, recorded: Recorded) -> None:
    @task
    def nested(n: int) -> int:
        if n == 0:
            return 0
        return 1 + sum(future.result(timeout) for future in [nested.submit(n - 1)])

    @flow(executor=ThreadExecutor(1))
    def run() -> int:
        return nested.submit(60).result(timeout)

    assert run() == 60


def test_a_thousand_nested_subflows_work(recorded: Recorded) -> None:
    @flow
    def deep(n: int) -> int:
        return 0 if n == 0 else 1 + deep(n - 1)

    assert deep(1000) == 1000
    assert len(recorded.flow_runs) == 1001


def test_recursion_without_end_is_one_clear_sentence(recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nadi.engine.stacks.DEEPEST", 100)

    @task
    def endless(n: int) -> int:
        return endless(n + 1)

    @flow
    def run() -> int:
        return endless(0)

    with pytest.raises(RecursionError, match=r"calls of flows and tasks deep, and 100 are allowed; probably"):
        run()
    assert {one.state_name for one in recorded.task_runs} == {"Failed"}


def test_a_flow_called_in_a_thread_is_a_run_of_its_own(recorded: Recorded) -> None:
    @flow
    def other() -> int:
        return add.submit(1).result()

    found: list[int] = []

    @flow
    def run() -> None:
        thread = threading.Thread(target=lambda: found.append(other()))
        thread.start()
        thread.join()

    run()

    assert found == [2]
    assert [one.parent for one in recorded.flow_runs] == ["", ""]


def test_two_flows_in_two_threads_share_an_executor(recorded: Recorded) -> None:
    pool = ThreadExecutor(2)
    both = threading.Barrier(2, timeout=30)

    @task
    def meet() -> None:
        both.wait()

    @flow(executor=pool)
    def run() -> int:
        meet.submit().result()
        return sum(add.map(range(50)).result())

    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(run())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert found == [sum(range(1, 51))] * 2


def test_a_subflow_inherits_the_executor_or_brings_its_own(recorded: Recorded) -> None:
    @task
    def where() -> str:
        return threading.current_thread().name

    @flow
    def child() -> str:
        return where.submit().result()

    @flow(executor="sequential")
    def parent() -> list[bool]:
        here = threading.current_thread().name
        own = child.with_options(executor=ThreadExecutor(1))
        future = own.submit()
        return [child() == here, future.result(timeout=30) == here]

    assert parent() == [True, False]


@pytest.mark.parametrize("executor", ["thread", "sequential", ThreadExecutor, SequentialExecutor, ThreadExecutor(2)])
def test_an_executor_is_a_name_a_class_or_an_object_and_task_runner_is_its_synonym(
    executor: Any, recorded: Recorded
) -> None:
    @flow(executor=executor)
    def one() -> int:
        return add.submit(1).result()

    @flow(task_runner=executor)
    def two() -> int:
        return add.submit(2).result()

    assert [one(), two(), one()] == [2, 3, 2]


def test_an_executor_that_cannot_be_is_refused_where_it_stands() -> None:
    with pytest.raises(ValueError, match="executor must be 'thread', 'sequential', 'process', or an executor object"):
        flow(executor="threads")(lambda: None)
    with pytest.raises(ValueError, match="executor and task_runner mean the same"):
        flow(executor="thread", task_runner="process")(lambda: None)


# -- how a flow ends --


def test_a_returned_state_is_the_outcome(recorded: Recorded) -> None:
    @flow
    def run(state: Any) -> Any:
        return state

    assert run(Completed(data=5, message="fine")) == 5
    assert (recorded.root.state_name, recorded.root.message) == ("Completed", "fine")
    failed = run(Failed(message="by hand"), return_state=True)
    assert (failed.name, failed.message) == ("Failed", "by hand")
    assert run(Cancelled(message="enough"), return_state=True).is_cancelled()
    with pytest.raises(FailedRun, match="by hand"):
        run(Failed(message="by hand"))


def test_returned_futures_and_states_are_aggregated(recorded: Recorded) -> None:
    @flow
    def good() -> Any:
        return add.submit(1)

    @flow
    def both() -> Any:
        return [add.submit(1), Completed(data=7)]

    @flow
    def bad() -> Any:
        return [add.submit(1), broken.submit()]

    @flow
    def mixed() -> Any:
        return [Failed(), Cancelled()]

    assert good() == 2
    assert both() == [2, 7]
    assert bad(return_state=True).message.startswith("1 of 2 returned states did not complete")
    assert mixed(return_state=True).is_cancelled()


def test_any_other_value_none_included_completes_the_run(recorded: Recorded) -> None:
    @flow
    def run(value: Any) -> Any:
        return value

    assert run(None) is None
    assert run([]) == []
    assert run([1, Failed()])[0] == 1
    assert recorded.root.state_name == "Completed"


def test_a_task_that_returns_a_state_ends_in_it(recorded: Recorded) -> None:
    @task(retries=3)
    def give(state: Any) -> Any:
        return state

    @flow
    def run() -> Any:
        return [
            give(Completed(data=1, name="Skipped"), return_state=True).name,
            give.submit(Failed(message="by hand"), return_state=True).message,
            give(Running(), return_state=True).message,
        ]

    assert run(return_state=True).result()[:2] == ["Skipped", "by hand"]
    assert recorded.task_runs[1].attempt == 1


@pytest.mark.parametrize(("status", "name"), [(0, "Completed"), (None, "Completed"), (3, "Failed"), ("bye", "Failed")])
def test_sys_exit_in_a_flow_ends_the_run_and_the_program(status: Any, name: str, recorded: Recorded) -> None:
    @flow(retries=2)
    def run() -> None:
        add.submit(1)
        sys.exit(status)

    with pytest.raises(SystemExit) as left:
        run()
    assert left.value.code == status
    assert recorded.root.state_name == name
    assert recorded.states() == {"add-0": "Completed"}


def test_sys_exit_in_a_task_fails_the_task_and_not_the_program(recorded: Recorded) -> None:
    @task
    def leave() -> None:
        sys.exit(3)

    @flow
    def run() -> list[str]:
        return [leave(return_state=True).message, leave.submit(return_state=True).message]

    assert all("called sys.exit(3); a task ends by returning or raising" in message for message in run())


def test_ctrl_c_in_a_flow_cancels_it_and_its_tasks_and_goes_on_up(recorded: Recorded) -> None:
    begun = threading.Event()

    @task
    def endless() -> None:
        begun.set()
        while True:
            sum(range(100))

    @flow(executor=ThreadExecutor(1))
    def run() -> None:
        endless.submit()
        endless.submit()
        begun.wait()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run()
    assert recorded.root.state_name == "Cancelled"
    assert set(recorded.states().values()) == {"Cancelled"}
