"""What signals do to a task that raises them, in flows of either kind."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from nadi import context, flow, states, task
from nadi.exceptions import FailedRun
from nadi.model.retries import RetryPolicy
from nadi.model.signals import seconds_until
from nadi.model.states import State
from nadi.signals import ENDRUN, FAIL, LOOP, RETRY, SKIP, SUCCESS, TRIGGERFAIL, VALIDATIONFAIL, Signal
from tests.conftest import Recorded


def state_of(raised: Callable[[], BaseException], executor: str = "thread", **keywords: Any) -> State[Any]:
    @task(name="steered", **keywords)
    def steered() -> None:
        raise raised()

    @flow(executor=executor)
    def run() -> Any:
        # What a flow returns as a state decides its own; in a list with data it is data.
        return [steered.submit(return_state=True), "data"]

    found: State[Any] = run()[0]
    return found


@pytest.mark.parametrize("executor", ["thread", "sequential", "process"])
@pytest.mark.parametrize(
    ("signal", "name", "value"),
    [
        (SKIP("nothing new"), "Skipped", None),
        (SUCCESS("enough", result=3), "Completed", 3),
        (ENDRUN(states.Completed(data=4, name="Halfway")), "Halfway", 4),
    ],
)
def test_a_signal_ends_a_run_well_with_its_result(
    signal: Signal, name: str, value: Any, executor: str, recorded: Recorded
) -> None:
    state = state_of(lambda: signal, executor)

    assert (state.type, state.name, state.result()) == (states.StateType.COMPLETED, name, value)
    assert state.message == signal.message
    assert recorded.states() == {"steered-0": name}


@pytest.mark.parametrize("executor", ["thread", "sequential", "process"])
@pytest.mark.parametrize(
    ("signal", "name"),
    [(FAIL("bad"), "Failed"), (TRIGGERFAIL("bad"), "TriggerFailed"), (VALIDATIONFAIL("bad"), "ValidationFailed")],
)
def test_a_signal_ends_a_run_as_failed(signal: Signal, name: str, executor: str, recorded: Recorded) -> None:
    state = state_of(lambda: signal, executor)

    assert (state.type, state.name, state.message) == (states.StateType.FAILED, name, "bad")


def test_callers_catch_what_a_failing_signal_becomes(recorded: Recorded) -> None:
    @task
    def refuse() -> None:
        raise FAIL("no rows")

    @flow
    def run() -> str:
        try:
            refuse()
        except FailedRun as error:
            return f"{error} because of {type(error.__cause__).__name__}"
        return "never"

    assert run() == "no rows because of FAIL"


def test_a_task_that_catches_exceptions_does_not_catch_signals(recorded: Recorded) -> None:
    @task
    def careful() -> str:
        try:
            raise SKIP("not today")
        except Exception:
            return "swallowed"

    @flow
    def run() -> Any:
        return careful()

    assert run() is None
    assert recorded.states() == {"careful-0": "Skipped"}


def test_fail_is_retried_like_any_failure(recorded: Recorded) -> None:
    state = state_of(lambda: FAIL("flaky"), retries=2)

    assert state.is_failed()
    assert recorded.task_runs[0].attempt == 3


@pytest.mark.parametrize("executor", ["thread", "sequential"])
def test_retry_ignores_how_many_retries_are_left(executor: str, recorded: Recorded) -> None:
    tries: list[float] = []

    @task
    def wait_for_it() -> int:
        tries.append(datetime.now(UTC).timestamp())
        if len(tries) < 3:
            raise RETRY("not there yet", start_time=datetime.now(UTC) + timedelta(seconds=0.05))
        return len(tries)

    @flow(executor=executor)
    def run() -> Any:
        return wait_for_it.submit().result()

    assert run() == 3
    assert wait_for_it.spec.retry == RetryPolicy()
    assert tries[2] - tries[0] >= 0.1


@pytest.mark.parametrize("executor", ["thread", "sequential", "process"])
def test_loop_runs_again_with_count_and_result_in_the_context(executor: str, recorded: Recorded) -> None:
    @task
    def factorial(n: int) -> Any:
        done, product = context.get("task_loop_result", (0, 1))
        if done == n:
            return int(product * context.get("task_loop_count", 1) / (n + 1))
        raise LOOP(f"{done} of {n}", result=(done + 1, product * (done + 1)))

    @flow(executor=executor)
    def run() -> Any:
        return factorial.submit(4).result()

    assert run() == 24
    assert recorded.task_runs[0].attempt == 1


def test_each_turn_of_a_loop_makes_its_calls_anew(recorded: Recorded) -> None:
    rolled: list[int] = []

    @task
    def roll() -> int:
        rolled.append(len(rolled))
        return rolled[-1]

    @task
    def until_two() -> Any:
        number = roll()
        if number < 2:
            raise LOOP(result=number)
        return number

    @flow
    def run() -> Any:
        return until_two()

    assert run() == 2


def test_each_turn_of_a_loop_has_fresh_retries(recorded: Recorded) -> None:
    failed: set[int] = set()

    @task(retries=1)
    def flaky_twice() -> Any:
        turn = context.get("task_loop_count", 1)
        if turn not in failed:
            failed.add(turn)
            raise ValueError("first try of a turn")
        if turn == 3:
            return turn
        raise LOOP(result=turn)

    @flow
    def run() -> Any:
        return flaky_twice()

    assert run() == 3


def test_a_generator_task_can_be_steered_before_its_first_item(recorded: Recorded) -> None:
    @task
    def rows() -> Any:
        raise SKIP("none today")
        yield 1

    @flow
    def run() -> Any:
        return list(rows())

    assert run() == []


async def _skip() -> None:
    raise SKIP("asleep")


def test_async_tasks_can_be_steered(recorded: Recorded) -> None:
    asleep = task(_skip)

    @flow
    def run() -> Any:
        return asleep.submit().result()

    assert run() is None
    assert list(recorded.states().values()) == ["Skipped"]


def test_a_signal_of_a_flow_function_ends_its_run(recorded: Recorded) -> None:
    @flow
    def early() -> None:
        raise SUCCESS("all there", result=7)

    @flow
    def bad() -> None:
        raise FAIL("no")

    @flow
    def lost() -> None:
        raise LOOP("again")

    assert early() == 7
    with pytest.raises(FailedRun, match=r"^no$"):
        bad()
    with pytest.raises(FailedRun, match="a flow cannot raise LOOP"):
        lost()


def test_a_start_time_without_a_zone_is_one_of_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()

    try:
        assert seconds_until(datetime(2026, 1, 1, 0, 0, 5), datetime(2026, 1, 1, tzinfo=UTC).timestamp()) == 5
    finally:
        monkeypatch.undo()
        time.tzset()
