from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict, deque
from dataclasses import InitVar, dataclass, field
from typing import Any, NamedTuple

import pytest

from nadi import allow_failure, flow, opaque, quote, task
from nadi.exceptions import FailedRun, TimedOut
from nadi.executors import ThreadExecutor
from nadi.futures import (
    NadiFuture,
    as_completed,
    resolve_futures_to_results,
    resolve_futures_to_states,
    wait,
)
from tests.conftest import Recorded


@task
def give(value: Any) -> Any:
    return value


@task
def broken(message: str = "no") -> None:
    raise ValueError(message)


class Point(NamedTuple):
    x: Any
    y: Any


@dataclass(frozen=True)
class Box:
    inside: Any
    size: int = field(init=False, default=5)
    seed: InitVar[int] = 0


def passed(make: Any, **keywords: Any) -> Any:
    """What a task receives for what `make(future of 1)` gives."""

    @task
    def receive(value: Any) -> Any:
        return value

    @flow
    def run() -> Any:
        return receive.submit(make(give.submit(1))).result()

    return run()


@pytest.mark.parametrize(
    ("make", "received"),
    [
        (lambda future: [future, 2], [1, 2]),
        (lambda future: (future, [future]), (1, [1])),
        (lambda future: {"a": {"b": [future]}}, {"a": {"b": [1]}}),
        (lambda future: {future}, {1}),
        (lambda future: frozenset({future}), frozenset({1})),
        (lambda future: deque([future], maxlen=3), deque([1])),
        (lambda future: OrderedDict(a=future), OrderedDict(a=1)),
        (lambda future: Point(future, 2), Point(1, 2)),
        (lambda future: Box([future]), Box([1])),
        (lambda future: [[[[Box(Point(future, {"a": future}))]]]], [[[[Box(Point(1, {"a": 1}))]]]]),
    ],
)
def test_futures_inside_of_collections_and_dataclasses_become_values(
    make: Any, received: Any, recorded: Recorded
) -> None:
    value = passed(make)

    assert value == received
    assert type(value) is type(received)


def test_a_collection_that_holds_itself_and_a_future_is_resolved(recorded: Recorded) -> None:
    def circle(future: Any) -> list[Any]:
        round: list[Any] = [future]
        round.append(round)
        return round

    value = passed(circle)

    assert value[0] == 1
    assert value[1] is value


def test_arguments_without_futures_are_passed_as_they_are(recorded: Recorded) -> None:
    circle: list[Any] = []
    circle.append(circle)
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    received: list[Any] = []

    @task
    def take(value: Any) -> None:
        received.append(value)

    @flow
    def run() -> None:
        take(circle)
        take.submit(circle).result()
        take.submit(deep).result()

    run()

    assert [value is one for value, one in zip(received, (circle, circle, deep), strict=True)] == [True] * 3


def test_quote_passes_the_future_itself_and_opaque_resolves_one_level(recorded: Recorded) -> None:
    kinds: list[Any] = []

    @task
    def look(value: Any) -> None:
        kinds.append(value)

    @flow
    def run() -> None:
        future = give.submit(1)
        look(quote([future]))
        look(opaque(future))
        look(opaque([future]))
        look([quote(future)])

    run()

    assert [type(kinds[0][0]), kinds[1], type(kinds[2][0]), type(kinds[3][0])] == [
        NadiFuture,
        1,
        NadiFuture,
        NadiFuture,
    ]


def test_allow_failure_passes_the_exception_also_from_inside_of_collections(recorded: Recorded) -> None:
    @flow
    def run() -> Any:
        bad = broken.submit()
        return [
            give(allow_failure(bad)),
            give.submit(allow_failure([bad, 2])).result(),
            give.submit([allow_failure(bad)]).result(),
            give.submit(3, wait_for=[allow_failure(bad)]).result(),
        ]

    one, two, three, four = run()

    assert isinstance(one, ValueError)
    assert isinstance(two[0], ValueError)
    assert isinstance(three[0], ValueError)
    assert (two[1], four) == (2, 3)


def test_what_depends_on_a_failure_does_not_run_and_says_on_which(recorded: Recorded) -> None:
    ran: list[str] = []
    states: list[Any] = []

    @task(on_running=[lambda task, run, state: ran.append(run.name)])
    def after(value: Any = None) -> None:
        ran.append("ran")

    @flow
    def run() -> None:
        bad = broken.submit("disk full")
        for future in [after.submit(bad), after.submit([{"x": bad}]), after.submit(wait_for=[bad])]:
            future.wait()
            states.append(future.state)
        states.extend([after(bad, return_state=True), after(wait_for=[bad], return_state=True)])

    run()

    assert ran == []
    assert [state.name for state in states] == ["NotReady"] * 5
    assert {str(state.type) for state in states} == {"FAILED"}
    assert "did not run because its upstream broken-0 ended Failed: ValueError: disk full" in states[0].message


def test_a_failure_runs_down_a_chain_of_any_length(recorded: Recorded) -> None:
    gate = threading.Event()

    @task
    def fail_late() -> None:
        gate.wait()
        raise ValueError("no")

    @flow
    def run() -> Any:
        last = fail_late.submit()
        for _ in range(1500):
            last = give.submit(last)
        gate.set()
        return last.result(raise_on_failure=False)

    assert "did not run because its upstream" in str(run())
    assert [task_run.state_name for task_run in recorded.task_runs].count("NotReady") == 1500


def test_result_raises_what_the_task_raised_or_returns_it(recorded: Recorded) -> None:
    @flow
    def run() -> Any:
        future = broken.submit()
        with pytest.raises(ValueError, match="no"):
            future.result()
        return future.result(raise_on_failure=False), future.state.name, future.done

    error, name, done = run()

    assert (str(error), name, done) == ("no", "Failed", True)


def test_waiting_with_a_timeout_leaves_the_task_running(recorded: Recorded) -> None:
    gate = threading.Event()

    @task
    def slow() -> str:
        gate.wait()
        return "there"

    @flow
    def run() -> Any:
        future = slow.submit()
        future.wait(timeout=0.01)
        assert not future.done
        assert future.state.is_pending() or future.state.is_running()
        with pytest.raises(TimedOut, match=r"slow-0 has not ended within 0.01 seconds; it goes on"):
            future.result(timeout=0.01)
        with pytest.raises(TimeoutError, match=r"1 of 1 futures have not ended within 0.01 seconds"):
            list(as_completed([future], timeout=0.01))
        assert wait([future], timeout=0.01).not_done == {future}
        gate.set()
        return future.result(timeout=30)

    assert run() == "there"


def test_asking_again_and_again_with_a_short_timeout_leaves_nothing_behind(recorded: Recorded) -> None:
    gate = threading.Event()

    @task
    def slow() -> None:
        gate.wait()

    @flow
    def run() -> Any:
        future = slow.submit()
        for _ in range(10):
            future.wait(timeout=0.001)
        left = list(future.run._waiters or ())
        gate.set()
        return left

    assert run() == []


def test_as_completed_yields_each_future_once_in_the_order_they_end(recorded: Recorded) -> None:
    gates = [threading.Event() for _ in range(3)]

    @task
    def slow(number: int) -> int:
        gates[number].wait()
        return number

    @flow(executor=ThreadExecutor(4))
    def run() -> list[int]:
        futures = slow.map(range(3))
        found: list[int] = []
        gates[2].set()
        for future in as_completed([*futures, futures[2]]):
            found.append(future.result())
            if len(found) < 3:
                gates[2 - len(found)].set()
        return found

    assert run() == [2, 1, 0]


def test_wait_parts_what_is_done_from_what_is_not_and_raises_nothing(recorded: Recorded) -> None:
    @flow(unobserved="ignore")
    def run() -> Any:
        futures = [give.submit(1), broken.submit()]
        done, left = wait(futures)
        return len(done), len(left)

    assert run() == (2, 0)


def test_callbacks_are_called_once_with_the_future_and_their_errors_are_only_logged(recorded: Recorded) -> None:
    seen: list[tuple[str, Any]] = []
    gate, called = threading.Event(), threading.Event()

    @task
    def slow() -> int:
        gate.wait()
        return 1

    @flow
    def run() -> int:
        future = slow.submit()
        future.add_done_callback(lambda _: 1 / 0)
        future.add_done_callback(lambda ended: seen.append(("before", ended.result())))
        future.add_done_callback(lambda _: called.set())
        gate.set()
        called.wait()
        future.add_done_callback(lambda ended: seen.append(("after", ended.result())))
        return int(give.submit(future).result())

    assert run() == 1
    assert seen == [("before", 1), ("after", 1)]
    assert "A callback of slow-0 failed" in recorded.logged()


def test_a_plain_thread_may_wait_for_a_future(recorded: Recorded) -> None:
    found: list[int] = []

    @flow
    def run() -> None:
        future = give.submit(4)
        thread = threading.Thread(target=lambda: found.append(future.result()))
        thread.start()
        thread.join()

    run()

    assert found == [4]


def test_futures_are_awaitable(recorded: Recorded) -> None:
    @task
    async def fetch(value: int) -> int:
        await asyncio.sleep(0)
        return value

    @flow
    async def run() -> Any:
        bad = broken.submit()
        with pytest.raises(ValueError, match="no"):
            await bad
        return await asyncio.gather(give.submit(1), fetch.submit(2), fetch.submit(give.submit(3)))

    assert asyncio.run(run()) == [1, 2, 3]


def test_futures_in_a_value_are_resolved_on_demand(recorded: Recorded) -> None:
    @flow
    def run() -> Any:
        value = {"a": [give.submit(1)], "b": (give.submit(2), 3)}
        states = resolve_futures_to_states(value)
        return resolve_futures_to_results(value), states["a"][0].name

    assert run() == ({"a": [1], "b": (2, 3)}, "Completed")


def test_who_asks_for_a_whole_list_has_looked_at_every_failure(recorded: Recorded) -> None:
    @flow
    def run() -> str:
        try:
            broken.map(["a", "b", "c"]).result()
        except ValueError as error:
            return str(error)
        return ""

    assert run() == "a"
    assert recorded.root.state_name == "Completed"


# -- a failed task that nobody looked at --


def test_a_failed_task_that_nobody_looked_at_fails_the_flow(recorded: Recorded) -> None:
    @flow
    def run() -> int:
        broken.submit("first")
        broken.submit("second")
        return 1

    with pytest.raises(FailedRun, match=r"broken-0 and 1 other failed and nobody took the outcome: ValueError: first"):
        run()
    assert recorded.root.state_name == "Failed"


def test_a_failed_task_that_nobody_looked_at_can_be_ignored(recorded: Recorded) -> None:
    @flow(unobserved="ignore")
    def run() -> int:
        broken.submit()
        return 1

    assert run() == 1


@pytest.mark.parametrize(
    "look",
    [
        lambda future: future.result(raise_on_failure=False),
        lambda future: future.wait() or future.state,
        lambda future: give(allow_failure(future)),
        lambda future: give.submit(1, wait_for=[allow_failure(future)]).result(),
    ],
)
def test_whoever_takes_the_outcome_has_looked(look: Any, recorded: Recorded) -> None:
    @flow
    def run() -> int:
        look(broken.submit())
        return 1

    assert run() == 1


def test_a_flow_waits_for_all_it_submitted(recorded: Recorded) -> None:
    gate = threading.Event()

    @task
    def slow() -> None:
        gate.wait()

    @task
    def release() -> None:
        gate.set()

    @flow
    def run() -> None:
        slow.submit()
        release.submit()

    run()

    assert set(recorded.states().values()) == {"Completed"}
