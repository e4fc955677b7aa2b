"""What every executor promises, run on each of them through flows."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from nadi import allow_failure, flow, get_run_logger, runtime, tags, task
from nadi.exceptions import DefinitionError
from nadi.executors import Executor, ProcessExecutor, SequentialExecutor, ThreadExecutor
from tests.conftest import Recorded

#: One line for each executor: its name, and how to make one with two places.
EXECUTORS: dict[str, Callable[[], Executor]] = {
    "thread": lambda: ThreadExecutor(2),
    "sequential": SequentialExecutor,
    "process": lambda: ProcessExecutor(2),
}


@pytest.fixture(params=EXECUTORS)
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    made = EXECUTORS[request.param]()
    # Joined once more than the flows of the test do, so that its processes serve all of them.
    made.join()
    yield made
    made.leave()


@task
def add(a: Any, b: Any = 1) -> Any:
    return a + b


@task
async def add_async(a: int, b: int = 1) -> int:
    return a + b


@task
def count(n: int) -> Iterator[int]:
    yield from range(n)


@task
async def count_async(n: int) -> AsyncIterator[int]:
    for number in range(n):
        yield number


@task
def fail(message: str) -> None:
    raise ValueError(message)


@task(retries=2, retry_delay_seconds=0.01)
def flaky(folder: str) -> int:
    path = os.path.join(folder, "tries")
    with open(path, "a") as file:
        file.write("x")
    if os.path.getsize(path) < 3:
        raise ValueError("not yet")
    return os.path.getsize(path)


@task(timeout_seconds=0.2)
def loop_for_ever() -> None:
    while True:
        sum(range(100))


@task(log_prints=True)
def talk() -> None:
    print("printed by the task")
    get_run_logger().info("logged by the task")
    get_run_logger().log(logging.WARNING, "and %s", "warned")


@task
def nested(n: int) -> Any:
    return add(n) + add.submit(n).result()


@task
def leave() -> None:
    raise SystemExit(4)


def on(executor: Executor, body: Callable[[], Any], **keywords: Any) -> Any:
    @flow(executor=executor, **keywords)
    def run() -> Any:
        return body()

    return run()


def test_values_of_all_kinds_of_tasks_come_back(executor: Executor, recorded: Recorded) -> None:
    def body() -> Any:
        return [
            add.submit(1, b=2).result(),
            add_async.submit(1).result(),
            count.submit(2).result(),
            count_async.submit(3).result(),
            add.map([1, 2], [3, 4]).result(),
        ]

    assert on(executor, body) == [3, 2, [0, 1], [0, 1, 2], [4, 6]]
    assert set(recorded.states().values()) == {"Completed"}


def test_futures_are_inputs(executor: Executor, recorded: Recorded) -> None:
    def body() -> Any:
        first = add.submit(1)
        return add.submit([first], [add.submit(first)]).result()

    assert on(executor, body) == [2, 3]


def test_exceptions_come_back_and_stop_what_depends_on_them(executor: Executor, recorded: Recorded) -> None:
    def body() -> Any:
        bad = fail.submit("disk full")
        after, kept = add.submit(bad), add.submit([1], b=[allow_failure(bad)])
        return [future.result(raise_on_failure=False) for future in (bad, after, kept)]

    bad, after, kept = on(executor, body)

    assert (type(bad), str(bad)) == (ValueError, "disk full")
    assert "did not run because its upstream fail-0 ended Failed" in str(after)
    assert str(kept[1]) == "disk full"
    assert recorded.states() == {"fail-0": "Failed", "add-1": "NotReady", "add-2": "Completed"}


def test_a_failed_task_is_tried_again(executor: Executor, recorded: Recorded, tmp_path: Any) -> None:
    assert on(executor, lambda: flaky.submit(str(tmp_path)).result()) == 3
    assert recorded.task_runs[0].attempt == 3


@task(retries=2, retry_delay_seconds=0)
def third_time() -> int:
    if runtime.task_run.run_count < 3:
        raise ValueError("not yet")
    return runtime.task_run.run_count


def test_a_task_that_is_tried_again_knows_which_attempt_it_is(executor: Executor, recorded: Recorded) -> None:
    assert on(executor, lambda: third_time.submit().result()) == 3


def test_a_task_that_loops_for_ever_is_ended_by_its_timeout(executor: Executor, recorded: Recorded) -> None:
    assert on(executor, lambda: loop_for_ever.submit(return_state=True).name) == "TimedOut"


def test_logs_and_prints_belong_to_the_task_run(executor: Executor, recorded: Recorded) -> None:
    on(executor, lambda: talk.submit().result())

    [run] = recorded.task_runs
    lines = recorded.store.logs(recorded.root.id, task=run.id)
    assert [line.text for line in lines] == ["printed by the task", "logged by the task", "and warned"]


def test_tasks_in_tasks_are_recorded_below_the_flow(executor: Executor, recorded: Recorded) -> None:
    assert on(executor, lambda: nested.submit(1).result()) == 4
    runs = recorded.task_runs
    assert sorted(run.task for run in runs) == ["add", "add", "nested"]
    assert {run.scope for run in runs if run.task == "add"} == {run.id for run in runs if run.task == "nested"}


def test_tags_reach_the_task_run(executor: Executor, recorded: Recorded) -> None:
    def body() -> Any:
        with tags("inner"):
            return add.submit(1).result()

    on(executor, body, tags=["outer"])

    assert set(recorded.task_runs[0].tags) == {"inner", "outer"}


def test_sys_exit_in_a_task_is_a_failure(executor: Executor, recorded: Recorded) -> None:
    message = on(executor, lambda: leave.submit(return_state=True).message)

    assert "called sys.exit(4)" in message


def test_more_tasks_than_places_all_run(executor: Executor, recorded: Recorded) -> None:
    assert on(executor, lambda: sum(add.map(range(40)).result())) == sum(range(1, 41))


def test_one_object_serves_one_run_after_the_other(executor: Executor, recorded: Recorded) -> None:
    alone = EXECUTORS[executor.name]()

    assert [on(alone, lambda: add.submit(1).result()) for _ in range(2)] == [2, 2]


def test_work_handed_in_after_closing_starts_it_again(executor: Executor, recorded: Recorded) -> None:
    def body() -> Any:
        first = add.submit(1).result(timeout=30)
        executor.close(wait=True)
        return first, add.submit(2).result(timeout=30)

    assert on(executor, body) == (2, 3)


def test_nobody_occupies_it_when_all_is_done(executor: Executor, recorded: Recorded) -> None:
    on(executor, lambda: add.submit(1).result(timeout=30))
    executor.close(wait=True)

    assert executor.occupancy()[0] == 0


@pytest.mark.parametrize("kind", [ThreadExecutor, ProcessExecutor])
@pytest.mark.parametrize("count", [0, -1, 1.5])
def test_a_number_of_places_that_cannot_be_is_refused(kind: Any, count: Any) -> None:
    with pytest.raises(DefinitionError, match="max_workers must be a whole number of at least 1"):
        kind(count)


def test_a_pool_of_threads_runs_as_many_at_once_as_it_has_places(recorded: Recorded) -> None:
    all_here = threading.Barrier(4, timeout=30)

    @task
    def meet() -> int:
        return all_here.wait()

    def body() -> Any:
        futures = [meet.submit() for _ in range(4)]
        return sorted(future.result(timeout=30) for future in futures)

    assert on(ThreadExecutor(4), body) == [0, 1, 2, 3]
