from __future__ import annotations

import threading
from typing import Any

import pytest

from nadi import exponential_backoff, flow, task
from nadi.executors import ThreadExecutor
from tests.conftest import Recorded


class Flaky:
    """Fails until it was called so many times."""

    def __init__(self, succeed_at: int) -> None:
        self.succeed_at = succeed_at
        self.calls = 0

    def __call__(self) -> int:
        self.calls += 1
        if self.calls < self.succeed_at:
            raise ValueError(f"call {self.calls}")
        return self.calls


@pytest.mark.parametrize(
    "delay", [None, 0, 0.001, [0.001, 0.002], lambda count: [0.001] * count, exponential_backoff(0.001)]
)
def test_a_task_is_tried_again_as_often_as_it_says(delay: Any, recorded: Recorded) -> None:
    flaky = Flaky(3)

    @task(retries=2, retry_delay_seconds=delay)
    def work() -> int:
        return flaky()

    @flow
    def run() -> int:
        return work()

    assert run() == 3
    [task_run] = recorded.task_runs
    assert (task_run.attempt, task_run.state_name) == (3, "Completed")


def test_a_submitted_task_is_tried_again_after_its_delay_also_while_somebody_waits_for_it(recorded: Recorded) -> None:
    flaky = Flaky(2)
    waiting: list[float] = []

    @task(retries=1, retry_delay_seconds=0.2)
    def work() -> int:
        waiting.append(threading.get_ident())
        return flaky()

    @flow
    def run() -> int:
        return work.submit().result()

    assert run() == 2
    attempts = recorded.store.attempts(recorded.task_runs[0].id)
    assert [attempt.state_name for attempt in attempts][-1] == "Completed"
    assert attempts[-1].started - attempts[0].started >= 0.2


def test_a_task_that_waits_for_its_retry_holds_no_place(recorded: Recorded) -> None:
    order: list[str] = []
    flaky = Flaky(2)

    @task(retries=1, retry_delay_seconds=0.1)
    def first() -> None:
        try:
            flaky()
        finally:
            order.append("first")

    @task
    def second() -> None:
        order.append("second")

    @flow(executor=ThreadExecutor(1))
    def run() -> None:
        first.submit()
        second.submit()

    run()

    assert order == ["first", "second", "first"]


def test_the_last_failure_is_raised_when_retries_are_used_up(recorded: Recorded) -> None:
    flaky = Flaky(10)

    @task(retries=2)
    def work() -> int:
        return flaky()

    @flow
    def run() -> int:
        return work.submit().result()

    with pytest.raises(ValueError, match="call 3"):
        run()
    assert flaky.calls == 3


def test_a_condition_decides_whether_to_try_again(recorded: Recorded) -> None:
    asked: list[Any] = []

    def only_calls(task: Any, run: Any, state: Any) -> bool:
        asked.append((task.name, run.name, run.parameters, str(state.result(raise_on_failure=False))))
        return len(asked) < 2

    flaky = Flaky(10)

    @task(retries=5, retry_condition_fn=only_calls)
    def work(rows: int) -> int:
        return flaky() + rows

    @flow
    def run() -> int:
        return work(7)

    with pytest.raises(ValueError, match="call 2"):
        run()
    assert asked == [("work", "work-0", {"rows": 7}, "call 1"), ("work", "work-0", {"rows": 7}, "call 2")]


def test_an_async_condition_is_awaited(recorded: Recorded) -> None:
    async def never(task: Any, run: Any, state: Any) -> bool:
        return False

    flaky = Flaky(3)

    @task(retries=5, retry_condition_fn=never)
    async def work() -> int:
        return flaky()

    @flow
    def run() -> int:
        return work.submit().result()

    with pytest.raises(ValueError, match="call 1"):
        run()


def test_an_error_in_the_condition_means_no_retry_and_is_logged(recorded: Recorded) -> None:
    def broken(task: Any, run: Any, state: Any) -> bool:
        raise KeyError("oops")

    flaky = Flaky(3)

    @task(retries=5, retry_condition_fn=broken)
    def work() -> int:
        return flaky()

    @flow
    def run() -> int:
        return work()

    with pytest.raises(ValueError, match="call 1"):
        run()
    assert "The retry condition" in recorded.logged()


def test_a_flow_is_tried_again_and_keeps_its_finished_tasks(recorded: Recorded) -> None:
    ran: list[str] = []
    flaky = Flaky(3)

    @task
    def kept(number: int) -> int:
        ran.append(f"kept {number}")
        return number

    @task(rerun_on_retry=True)
    def again() -> None:
        ran.append("again")

    @task
    def fails() -> int:
        ran.append("fails")
        return flaky()

    @flow(retries=2, retry_delay_seconds=[0.001, 0.001])
    def run() -> list[int]:
        again()
        return [*kept.map([1, 2]).result(), kept(3), fails()]

    assert run() == [1, 2, 3, 3]
    assert sorted(one for one in ran if one.startswith("kept")) == ["kept 1", "kept 2", "kept 3"]
    assert (ran.count("again"), ran.count("fails")) == (3, 3)
    assert recorded.root.run_count == 3


def test_a_subflow_is_tried_again_by_itself(recorded: Recorded) -> None:
    flaky = Flaky(2)

    @flow(retries=1)
    def child() -> int:
        return flaky()

    @flow
    def run() -> list[int]:
        return [child(), child.submit().result()]

    assert run() == [2, 3]


def test_cancellations_and_upstream_failures_are_not_tried_again(recorded: Recorded) -> None:
    tries: list[int] = []

    @task
    def broken() -> None:
        raise ValueError("no")

    @task(retries=3)
    def after(value: Any) -> None:
        tries.append(1)

    @task(retries=3)
    def interrupted() -> None:
        tries.append(1)
        raise KeyboardInterrupt

    @flow(unobserved="ignore")
    def run() -> list[str]:
        names = []
        for future in (after.submit(broken.submit()), interrupted.submit()):
            future.wait()
            names.append(future.state.name)
        return names

    # Not in the main thread, which may run the task itself while it waits for it, and is then interrupted with it.
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()

    assert recorded.states()["after-1"] == "NotReady"
    assert recorded.states()["interrupted-2"] == "Cancelled"
    assert len(tries) == 1
