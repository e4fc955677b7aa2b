"""Timeouts: what is interrupted where. Each waits on something that never comes, so no test can pass by luck."""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from nadi import flow, task
from nadi.engine import work
from nadi.exceptions import TimedOut
from nadi.executors import ThreadExecutor
from tests.conftest import Recorded


def loop_for_ever() -> None:
    while True:
        sum(range(100))


def block_in_c() -> None:
    time.sleep(60)


@pytest.mark.parametrize("body", [loop_for_ever, block_in_c])
def test_in_the_main_thread_also_blocking_calls_are_interrupted(body: Callable[[], None], recorded: Recorded) -> None:
    @task(timeout_seconds=0.05)
    def slow() -> None:
        body()

    @flow
    def run() -> None:
        slow()

    with pytest.raises(TimedOut, match=r"Task run slow-0 took longer than its timeout of 0.05 seconds"):
        run()
    assert recorded.states() == {"slow-0": "TimedOut"}


def test_in_a_worker_thread_python_code_is_interrupted_and_tried_again(recorded: Recorded) -> None:
    tries: list[int] = []

    @task(timeout_seconds=0.05, retries=1)
    def slow() -> int:
        tries.append(1)
        if len(tries) == 1:
            loop_for_ever()
        return 7

    @flow(executor=ThreadExecutor(2))
    def run() -> int:
        future = slow.submit()
        while not future.done:
            future.wait(timeout=5)
        return future.result()

    assert run() == 7


def test_a_blocking_call_in_a_worker_thread_is_left_behind_and_not_tried_again(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "GRACE", 0.05)
    reading, writing = os.pipe()
    tries: list[int] = []

    @task(timeout_seconds=0.05, retries=3)
    def stuck() -> None:
        tries.append(1)
        select.select([reading], [], [])

    @task
    def other() -> str:
        return "has the place"

    @flow(executor=ThreadExecutor(1))
    def run() -> tuple[Any, str]:
        future = stuck.submit()
        waiting = other.submit()
        future.wait(timeout=10)
        return future.result(raise_on_failure=False), waiting.result(timeout=10)

    error, text = run()
    os.write(writing, b"x")

    assert isinstance(error, TimedOut)
    assert "blocks in a call that cannot be interrupted; it is left behind and not retried" in str(error)
    assert "executor='process'" in str(error)
    assert (text, tries) == ("has the place", [1])
    os.close(reading)
    os.close(writing)


def test_of_two_nested_timeouts_the_inner_one_ends_the_inner_task_only(recorded: Recorded) -> None:
    @task(timeout_seconds=0.05)
    def inner() -> None:
        block_in_c()

    @task(timeout_seconds=30)
    def outer() -> Any:
        return inner(return_state=True).name

    @flow
    def run() -> Any:
        return outer()

    assert run() == "TimedOut"


@pytest.mark.parametrize("submitted", [False, True])
def test_of_two_nested_timeouts_the_outer_one_ends_both(submitted: bool, recorded: Recorded) -> None:
    @task(timeout_seconds=30, retries=2)
    def inner() -> None:
        loop_for_ever()

    @task(timeout_seconds=0.1)
    def outer() -> None:
        inner()

    @flow(unobserved="ignore")
    def run() -> Any:
        if not submitted:
            return outer(return_state=True).name
        future = outer.submit()
        future.wait(timeout=30)
        return future.state.name

    assert run() == "TimedOut"
    assert recorded.states() == {"outer-0": "TimedOut", "inner-0": "Cancelled"}


def test_a_flow_out_of_time_stops_what_it_submitted(recorded: Recorded) -> None:
    @task
    def endless() -> None:
        loop_for_ever()

    @flow(timeout_seconds=0.1, executor=ThreadExecutor(1))
    def run() -> None:
        endless.submit()
        endless.submit()
        block_in_c()

    began = time.monotonic()
    with pytest.raises(TimedOut, match=r"took longer than its timeout of 0.1 seconds"):
        run()
    assert set(recorded.states().values()) == {"Cancelled"}
    assert time.monotonic() - began < 10


def test_a_flow_in_another_thread_is_interrupted_also_while_it_waits_for_its_tasks(recorded: Recorded) -> None:
    gate = threading.Event()

    @task
    def slow() -> None:
        while not gate.wait(0.01):
            pass

    @flow(timeout_seconds=0.1)
    def run() -> None:
        slow.submit().result(timeout=60)

    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(run(return_state=True)))
    thread.start()
    thread.join(timeout=20)
    gate.set()

    assert [state.name for state in found] == ["TimedOut"]


def test_a_flow_may_be_tried_again_after_its_timeout(recorded: Recorded) -> None:
    tries: list[int] = []

    @flow(timeout_seconds=0.1, retries=1)
    def run() -> int:
        tries.append(1)
        if len(tries) == 1:
            block_in_c()
        return 3

    assert run() == 3


def test_code_that_swallows_its_interruption_is_interrupted_again(recorded: Recorded) -> None:
    swallowed: list[str] = []

    @task(timeout_seconds=0.05)
    def stubborn() -> None:
        try:
            block_in_c()
        except BaseException as error:
            swallowed.append(type(error).__name__)
        block_in_c()

    @flow
    def run() -> Any:
        return stubborn(return_state=True).name

    assert run() == "TimedOut"
    assert len(swallowed) == 1


def test_a_thread_that_swallows_its_interruptions_is_left_behind(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "GRACE", 0.05)
    enough = threading.Event()

    @task(timeout_seconds=0.05, retries=2)
    def stubborn() -> None:
        while not enough.is_set():
            try:
                loop_for_ever()
            except BaseException:
                continue

    @flow(executor=ThreadExecutor(1))
    def run() -> Any:
        future = stubborn.submit()
        future.wait(timeout=30)
        return future.result(raise_on_failure=False)

    error = run()
    enough.set()

    assert isinstance(error, TimedOut)
    assert "left behind and not retried" in str(error)
    assert recorded.task_runs[0].attempt == 1


def test_a_task_cleans_up_when_its_time_is_over(recorded: Recorded) -> None:
    cleaned: list[bool] = []

    @task(timeout_seconds=0.05)
    def slow() -> None:
        try:
            block_in_c()
        finally:
            time.sleep(0.2)
            cleaned.append(True)

    @flow
    def run() -> Any:
        return slow(return_state=True).name

    assert run() == "TimedOut"
    assert cleaned == [True]


def test_a_task_in_time_leaves_no_alarm_behind(recorded: Recorded) -> None:
    @task(timeout_seconds=0.05)
    def quick() -> int:
        return 1

    @flow
    def run() -> list[int]:
        return [quick(), quick.submit().result()]

    assert run() == [1, 1]
    assert not threading.Event().wait(0.12)
