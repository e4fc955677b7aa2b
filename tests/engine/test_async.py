from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from nadi import flow, task
from nadi.engine.recording import recorder
from nadi.exceptions import CancelledRun, TimedOut
from nadi.model.runs import Request
from tests.conftest import Recorded


@task
def sync_add(a: int, b: int = 1) -> int:
    return a + b


@task
async def add(a: int, b: int = 1) -> int:
    await asyncio.sleep(0)
    return a + b


@flow
async def sub(n: int) -> int:
    return await add(n) + sync_add(n)


def test_a_sync_flow_submits_async_tasks(recorded: Recorded) -> None:
    @flow
    def run() -> list[int]:
        return [add.submit(add.submit(1)).result(), *add.map([1, 2]).result()]

    assert run() == [3, 2, 3]


def test_result_inside_of_an_async_flow_does_not_block_what_it_waits_for(recorded: Recorded) -> None:
    @flow
    async def run() -> list[int]:
        return [add.submit(1).result(), sync_add.submit(2).result(), *add.map([3, 4]).result()]

    assert asyncio.run(run()) == [2, 3, 4, 5]


def test_result_inside_of_nested_async_tasks_and_subflows_does_not_block_either(recorded: Recorded) -> None:
    @task
    async def outer(depth: int) -> int:
        return 0 if depth == 0 else 1 + outer.submit(depth - 1).result()

    @task
    def through_sync(depth: int) -> int:
        return 10 + add.submit(depth).result()

    @task
    async def crossing(depth: int) -> int:
        return through_sync.submit(depth).result()

    @flow
    async def child(depth: int) -> int:
        return outer.submit(depth).result() + crossing.submit(depth).result()

    @flow
    async def run() -> int:
        return child.submit(3).result()

    assert asyncio.run(run()) == 3 + 10 + 4


def test_async_tasks_submitted_together_run_at_the_same_time(recorded: Recorded) -> None:
    @flow
    async def run() -> list[int]:
        met = 0
        both = asyncio.Event()

        @task
        async def meet() -> int:
            nonlocal met
            met += 1
            if met == 2:
                both.set()
            await both.wait()
            return met

        return list(await asyncio.gather(meet(), meet()))

    assert asyncio.run(run()) == [2, 2]


def test_async_subflows_are_awaited_gathered_and_submitted(recorded: Recorded) -> None:
    @flow
    async def run() -> list[Any]:
        return [await sub(1), *await asyncio.gather(sub(2), sub(3)), await sub.submit(4)]

    assert asyncio.run(run()) == [4, 6, 8, 10]
    assert len(recorded.flow_runs) == 5


def test_a_sync_flow_runs_async_subflows_by_submit(recorded: Recorded) -> None:
    @flow
    def run() -> list[int]:
        return [future.result() for future in [sub.submit(1), sub.submit(2)]]

    assert run() == [4, 6]


def test_a_sync_subflow_runs_inside_of_an_async_flow(recorded: Recorded) -> None:
    @flow
    def plain(n: int) -> int:
        return add.submit(n).result() + sync_add.submit(n).result()

    @flow
    async def run() -> list[int]:
        return [plain(1), await plain.submit(2)]

    assert asyncio.run(run()) == [4, 6]


def test_an_async_task_that_awaits_futures_among_its_inputs_leaves_the_loop_free(recorded: Recorded) -> None:
    @flow
    async def run() -> int:
        opened = asyncio.Event()
        loop = asyncio.get_running_loop()

        @task
        def slow() -> int:
            # Ends only if the caller's loop goes on meanwhile.
            asyncio.run_coroutine_threadsafe(opened.wait(), loop).result()
            return 5

        async def open_soon() -> None:
            opened.set()

        added, _ = await asyncio.gather(add(slow.submit()), open_soon())  # type: ignore[call-overload]
        return int(added)

    assert asyncio.run(run()) == 6


def test_async_retries_wait_without_blocking_the_loop(recorded: Recorded) -> None:
    calls: list[int] = []

    @task(retries=2, retry_delay_seconds=0.01)
    async def flaky() -> int:
        calls.append(1)
        if len(calls) < 3:
            raise ValueError("not yet")
        return len(calls)

    @flow
    async def run() -> int:
        return await flaky()

    assert asyncio.run(run()) == 3


def test_an_async_task_out_of_time_is_cancelled_at_its_await(recorded: Recorded) -> None:
    cleaned: list[bool] = []

    @task(timeout_seconds=0.02)
    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append(True)

    @flow
    async def run() -> list[str]:
        direct = await slow(return_state=True)
        submitted = slow.submit()
        with pytest.raises(TimedOut, match=r"slow-1 took longer than its timeout of 0.02 seconds"):
            await submitted
        return [direct.name, submitted.state.name]

    assert asyncio.run(run()) == ["TimedOut", "TimedOut"]
    assert cleaned == [True, True]


def test_an_async_flow_out_of_time_fails_and_stops_what_it_submitted(recorded: Recorded) -> None:
    @task
    async def endless() -> None:
        await asyncio.Event().wait()

    @flow(timeout_seconds=0.05)
    async def run() -> None:
        endless.submit()
        await asyncio.Event().wait()

    with pytest.raises(TimedOut):
        asyncio.run(run())
    assert recorded.root.state_name == "TimedOut"
    assert recorded.states() == {"endless-0": "Cancelled"}


def test_a_cancelled_coroutine_is_recorded_as_cancelled(recorded: Recorded) -> None:
    @task
    async def endless() -> None:
        await asyncio.Event().wait()

    @flow
    async def run() -> None:
        await endless()

    async def main() -> None:
        running = asyncio.create_task(run())
        await asyncio.sleep(0.02)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(main())

    assert recorded.root.state_name == "Cancelled"
    assert recorded.states() == {"endless-0": "Cancelled"}


async def failing() -> None:
    raise ValueError("not now")


async def failing_items() -> AsyncIterator[int]:
    if True:
        raise ValueError("not now")
    yield 1


async def awaited_task() -> None:
    await task(retries=1, retry_delay_seconds=3600)(failing)()


async def generator_task() -> None:
    async for _ in task(retries=1, retry_delay_seconds=3600)(failing_items)():
        pass


async def generator_flow() -> None:
    async for _ in flow(retries=1, retry_delay_seconds=3600)(failing_items)():
        pass


BETWEEN_ATTEMPTS = [
    pytest.param(flow(awaited_task), id="task"),
    pytest.param(flow(generator_task), id="generator task"),
    pytest.param(flow(retries=1, retry_delay_seconds=3600)(failing), id="flow"),
    pytest.param(generator_flow, id="generator flow"),
]


async def awaits_retry(recorded: Recorded) -> None:
    """Look again and again until the run, or its task run, waits for its next attempt."""
    while not recorded.flow_runs or "AwaitingRetry" not in {recorded.root.state_name, *recorded.states().values()}:
        await asyncio.sleep(0.001)


@pytest.mark.parametrize("run", BETWEEN_ATTEMPTS)
def test_a_coroutine_cancelled_between_its_attempts_is_recorded_as_cancelled(run: Any, recorded: Recorded) -> None:
    async def main() -> None:
        running = asyncio.create_task(run())
        await awaits_retry(recorded)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(main())

    assert recorded.root.state_name == "Cancelled"
    assert set(recorded.states().values()) <= {"Cancelled"}


@pytest.mark.parametrize("run", BETWEEN_ATTEMPTS)
def test_a_cancel_does_not_wait_for_the_next_attempt_of_a_coroutine(run: Any, recorded: Recorded) -> None:
    async def main() -> None:
        running = asyncio.create_task(run())
        await awaits_retry(recorded)
        _, listener = recorder()._listeners[recorded.root.id]  # type: ignore[attr-defined]
        listener(Request(run=recorded.root.id, kind="cancel", at=0.0, by="ann"))
        with pytest.raises(CancelledRun, match="Cancelled by ann"):
            await running

    asyncio.run(main())

    assert recorded.root.state_name == "Cancelled"
    assert set(recorded.states().values()) <= {"Cancelled"}


def test_deep_async_recursion_is_no_recursion_error(recorded: Recorded) -> None:
    @flow
    async def deep(n: int) -> int:
        return 0 if n == 0 else 1 + await deep(n - 1)

    assert asyncio.run(deep(300)) == 300


# -- generators --


@task
def count(n: int) -> Iterator[int]:
    yield from range(n)


@task
async def count_async(n: int) -> AsyncIterator[int]:
    for number in range(n):
        await asyncio.sleep(0)
        yield number


@flow
def counting(n: int) -> Iterator[int]:
    for number in count(n):
        yield number + sync_add(0)


@flow
async def counting_async(n: int) -> AsyncIterator[int]:
    async for number in count_async(n):
        yield number + await add(0)


def test_generator_tasks_and_flows_hand_on_their_items_as_they_come(recorded: Recorded) -> None:
    seen: list[str] = []

    @task
    def talk() -> Iterator[int]:
        for number in range(2):
            seen.append(f"made {number}")
            yield number

    @flow
    def run() -> list[int]:
        for number in talk():
            seen.append(f"took {number}")
        return list(count(3))

    assert run() == [0, 1, 2]
    assert seen == ["made 0", "took 0", "made 1", "took 1"]
    assert list(counting(3)) == [1, 2, 3]
    assert recorded.root.state_name == "Completed"


def test_async_generator_tasks_and_flows_do_too(recorded: Recorded) -> None:
    async def main() -> list[int]:
        return [number async for number in counting_async(3)]

    assert asyncio.run(main()) == [1, 2, 3]
    assert recorded.root.state_name == "Completed"


def test_a_submitted_generator_gives_the_list_of_its_items(recorded: Recorded) -> None:
    @flow
    def run() -> list[Any]:
        return [count.submit(2).result(), count_async.submit(3).result(), counting.submit(1).result()]

    assert run() == [[0, 1], [0, 1, 2], [1]]


def test_generators_called_outside_of_flows_are_recorded_too(recorded: Recorded) -> None:
    async def main() -> list[int]:
        return [number async for number in count_async(2)]

    assert list(count(2)) == [0, 1]
    assert asyncio.run(main()) == [0, 1]
    assert recorded.states() == {"count_async-0": "Completed"}


def test_a_generator_closed_early_is_recorded_as_cancelled(recorded: Recorded) -> None:
    closed: list[bool] = []

    @task
    def endless() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.append(True)

    @flow
    def run() -> int:
        items = iter(endless())
        first = next(items)
        items.close()  # type: ignore[attr-defined]
        return first

    assert run() == 1
    assert closed == [True]
    assert recorded.states() == {"endless-0": "Cancelled"}


def test_a_generator_is_retried_only_while_it_has_handed_out_nothing(recorded: Recorded) -> None:
    tries: list[str] = []

    @task(retries=1)
    def early() -> Iterator[int]:
        tries.append("early")
        if len(tries) == 1:
            raise ValueError("before the first")
        yield 1

    @task(retries=1)
    def late() -> Iterator[int]:
        tries.append("late")
        yield 1
        raise ValueError("after the first")

    @flow
    def run() -> list[int]:
        got = list(early())
        with pytest.raises(ValueError, match="after the first"):
            list(late())
        return got

    assert run() == [1]
    assert tries == ["early", "early", "late"]


def test_only_the_time_in_a_generator_counts_for_its_timeout(recorded: Recorded) -> None:
    never = threading.Event()

    @task(timeout_seconds=0.2)
    def fast() -> Iterator[int]:
        yield 1
        yield 2

    @task(timeout_seconds=0.05)
    def slow() -> Iterator[int]:
        yield 1
        never.wait(30)
        yield 2

    @flow
    def run() -> list[int]:
        got: list[int] = []
        for number in fast():
            never.wait(0.25)
            got.append(number)
        with pytest.raises(TimedOut):
            got.extend(slow())
        return got

    assert run() == [1, 2, 1]


def test_a_failing_generator_flow_raises_what_its_function_raised(recorded: Recorded) -> None:
    @flow
    def run() -> Iterator[int]:
        yield 1
        raise ValueError("half way")

    items = iter(run())

    assert next(items) == 1
    with pytest.raises(ValueError, match="half way"):
        next(items)
    assert recorded.root.state_name == "Failed"
