"""Background runs: asked for with delay(), run by workers, their futures known by id."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import nadi
from nadi import Secret, Task, flow, task
from nadi.engine.cancelling import cancel_run
from nadi.engine.recording import clock, recorder
from nadi.engine.serving import Worker
from nadi.exceptions import (
    CallError,
    ContextError,
    CrashedRun,
    DefinitionError,
    RunNotFound,
    StoreUnavailable,
    TimedOut,
    UpstreamFailed,
    ValueRefused,
)
from nadi.futures import BackgroundFuture, background_future
from nadi.model.runs import FlowRun, RunFilter
from nadi.model.states import StateType
from nadi.storage.home import Home, this_holder
from nadi.task_worker import serve
from tests.conftest import Recorded
from tests.engine.resuming import a_home

did: list[Any] = []
gate = threading.Event()


@task
def double(number: int) -> int:
    did.append(number)
    return number * 2


@task
def add(numbers: list[int], more: int = 0) -> int:
    return sum(numbers) + more


@task(retries=1)
def fails_once(label: str) -> str:
    did.append(label)
    if len(did) < 2:
        raise ValueError("not yet")
    return label


@task
def fails() -> None:
    raise KeyError("gone")


@task
async def double_async(number: int) -> int:
    await asyncio.sleep(0.001)
    return number * 2


@task
def waits_at_gate(number: int) -> int:
    did.append(number)
    assert gate.wait(20)
    return number


@task
def sleeps() -> None:
    did.append("asleep")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        time.sleep(0.002)


@task
async def sleeps_async() -> None:
    did.append("asleep")
    await asyncio.sleep(20)


@pytest.fixture(autouse=True)
def _afresh() -> None:
    did.clear()
    gate.clear()


@pytest.fixture(params=["memory", "sqlite"])
def somewhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    """Runs are recorded in memory, and then in a home."""
    if request.param == "memory":
        request.getfixturevalue("recorded")
        yield
    else:
        with a_home(tmp_path / "home"):
            yield


@contextmanager
def serving(*tasks: Task[..., Any], limit: int = 10, grace: float = 10.0) -> Iterator[Worker]:
    """A worker in a thread."""
    worker = Worker([one.spec for one in tasks], limit=limit, grace=grace)
    thread = threading.Thread(target=worker.serve)
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join(20)
        assert not thread.is_alive()


def run_of(future: BackgroundFuture[Any]) -> FlowRun:
    found = recorder().store().flow_run(future.task_run_id)
    assert found is not None
    return found


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.002)


def test_a_run_that_is_asked_for_waits_in_the_store_until_a_worker_comes(somewhere: None) -> None:
    future = double.delay(21)

    assert (future.done, future.state.type) == (False, StateType.SCHEDULED)
    assert did == []
    with serving(double):
        assert future.result(timeout=20) == 42
    assert future.state.is_completed()
    assert did == [21]


def test_every_run_is_run_once_however_many_workers_serve(somewhere: None) -> None:
    futures = [double.delay(number) for number in range(30)]

    with serving(double, limit=3), serving(double, limit=3), serving(double, limit=3):
        results = [future.result(timeout=20) for future in futures]

    assert results == [2 * number for number in range(30)]
    assert sorted(did) == list(range(30))


def test_runs_start_in_the_order_they_were_asked_for(somewhere: None) -> None:
    futures = [double.delay(number) for number in range(8)]

    with serving(double, limit=1):
        for future in futures:
            future.wait(20)

    assert did == list(range(8))


def test_no_more_than_the_limit_run_at_once(somewhere: None) -> None:
    futures = [waits_at_gate.delay(number) for number in range(3)]

    with serving(waits_at_gate, limit=2):
        until(lambda: len(did) == 2)
        time.sleep(0.1)  # would be enough for a third
        at_once = len(did)
        gate.set()
        assert [future.result(timeout=20) for future in futures] == [0, 1, 2]

    assert at_once == 2


def test_a_background_run_is_retried_as_its_task_says(somewhere: None) -> None:
    future = fails_once.apply_async(kwargs={"label": "x"})

    with serving(fails_once):
        assert future.result(timeout=20) == "x"

    assert did == ["x", "x"]


def test_a_failure_is_raised_where_the_result_is_asked_for(somewhere: None) -> None:
    future = fails.delay()

    with serving(fails):
        with pytest.raises(KeyError, match="gone"):
            future.result(timeout=20)
        error: Any = future.result(raise_on_failure=False)

    assert isinstance(error, KeyError)
    assert future.state.is_failed()


def test_async_tasks_are_served_too_and_futures_can_be_awaited(somewhere: None) -> None:
    futures = [double_async.delay(number) for number in range(5)]

    async def results() -> list[int]:
        return [await future for future in futures]

    with serving(double_async):
        assert asyncio.run(results()) == [0, 2, 4, 6, 8]


def test_a_run_waits_for_the_background_runs_that_it_takes(somewhere: None) -> None:
    first = waits_at_gate.delay(1)
    total = add.delay([first, 10], more=double.delay(2))
    behind = double.apply_async((7,), wait_for=[first])

    with serving(waits_at_gate, add, double, limit=1):
        gate.set()
        assert total.result(timeout=20) == 15
        assert behind.result(timeout=20) == 14

    assert did == [1, 2, 7]


def test_a_run_whose_upstream_failed_fails_without_running(somewhere: None) -> None:
    future = double.apply_async((1,), wait_for=[fails.delay()])

    with serving(fails, double), pytest.raises(UpstreamFailed):
        future.result(timeout=20)

    assert did == []


def test_futures_of_submitted_tasks_are_waited_for_by_the_caller(somewhere: None) -> None:
    @flow
    def asks() -> str:
        return double.delay(double.submit(4)).task_run_id

    future = background_future(asks())

    with serving(double):
        assert future.result(timeout=20) == 16


def test_the_future_is_found_again_by_the_id_of_the_run(somewhere: None) -> None:
    asked = double.delay(3)

    again = background_future(asked.task_run_id)

    assert again == asked
    with serving(double):
        assert again.result(timeout=20) == 6
    with pytest.raises(RunNotFound):
        background_future("nowhere")


def test_a_run_that_was_not_asked_for_in_the_background_has_no_such_future(recorded: Recorded) -> None:
    double(1)

    with pytest.raises(ValueRefused, match="is no background run"):
        background_future(recorded.root.id)


def test_a_result_that_does_not_come_in_time_is_an_error_and_the_run_goes_on(recorded: Recorded) -> None:
    future = double.delay(1)

    future.wait(0.01)
    with pytest.raises(TimedOut, match=r"has not ended within 0\.01 seconds; it goes on"):
        future.result(timeout=0.01)


def test_a_task_that_cannot_be_found_again_is_refused(recorded: Recorded) -> None:
    @task
    def local() -> None: ...

    with pytest.raises(DefinitionError, match="a worker can find again by its name"):
        local.delay()

    assert recorded.store.flow_runs(RunFilter(), limit=9) == []


def test_arguments_that_cannot_be_kept_are_refused(recorded: Recorded) -> None:
    with pytest.raises(ValueRefused, match="holds a Secret"):
        add.delay([Secret("swordfish")])
    with pytest.raises(ValueRefused, match="cannot be stored"):
        add.delay([threading.Lock()])

    assert recorded.store.flow_runs(RunFilter(), limit=9) == []


def test_a_variant_with_other_options_is_run_as_the_task_is_defined(recorded: Recorded) -> None:
    future = double.with_options(tags=["urgent"]).delay(5)

    with serving(double):
        assert future.result(timeout=20) == 10
    assert run_of(future).function == double.spec.key


def test_a_task_of_the_same_name_from_another_file_is_left_waiting_with_a_sentence(
    recorded: Recorded, caplog: pytest.LogCaptureFixture
) -> None:
    future = double.delay(1)
    other = double.with_options()
    other.spec.__dict__["key"] = "double@script:elsewhere"

    with serving(other):
        until(lambda: "left waiting" in caplog.text)

    assert not future.done
    assert f"Runs of {double.spec.key} are left waiting: this worker serves double@script:elsewhere" in caplog.text


def test_other_code_than_was_asked_for_is_told(recorded: Recorded, caplog: pytest.LogCaptureFixture) -> None:
    future = double.delay(1)
    other = double.with_options()
    other.spec.__dict__["code"] = b"changed"

    with serving(other):
        assert future.result(timeout=20) == 2

    assert "were asked for with other code; they run with the code here" in caplog.text


def test_a_resumed_flow_does_not_ask_a_second_time(tmp_path: Path) -> None:
    with a_home(tmp_path / "home") as here:
        asked: list[str] = []

        @flow
        def pipeline() -> None:
            asked.append(double.delay(1).task_run_id)
            asked.append(double.delay(1).task_run_id)
            here.crash_once()

        here.begin(pipeline)
        [parent] = [run for run in here.store.flow_runs(RunFilter(), limit=9) if run.flow == "pipeline"]
        nadi.resume(parent.id, flow=pipeline)

        assert asked[:2] == asked[2:]
        assert len(set(asked)) == 2
        assert len([run for run in here.store.flow_runs(RunFilter(), limit=9) if run.flow == "double"]) == 2


def test_a_retried_flow_does_not_ask_a_second_time(recorded: Recorded) -> None:
    asked: list[str] = []

    @flow(retries=1)
    def pipeline() -> None:
        asked.append(double.delay(1).task_run_id)
        if len(asked) == 1:
            raise ValueError("once more")

    pipeline()

    assert len(set(asked)) == 1
    assert len(asked) == 2
    assert [run.flow for run in recorded.flow_runs] == ["double", "pipeline"]


def test_a_retried_flow_that_asks_for_something_else_gets_what_it_asks_for(recorded: Recorded) -> None:
    asked: list[str] = []

    @flow(retries=1)
    def pipeline() -> None:
        first_time = not asked
        asked.append((double if first_time else add).delay(1 if first_time else [1]).task_run_id)
        asked.append(double.delay(2 if first_time else 3).task_run_id)
        if first_time:
            raise ValueError("once more")

    pipeline()

    assert len(set(asked)) == 4
    with serving(double, add):
        assert [background_future(id).result(timeout=20) for id in asked] == [2, 4, 1, 6]


def test_a_worker_is_stopped_from_a_signal_handler_that_interrupts_its_looking(recorded: Recorded) -> None:
    worker = Worker([double.spec])
    stopping = threading.Thread(target=worker.stop, daemon=True)
    wake: Any = worker._wake

    with wake._cond:  # where the handler may strike
        stopping.start()
        stopping.join(5)

    assert not stopping.is_alive()


def test_a_store_that_is_away_for_a_moment_costs_no_run(recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    future = double.delay(1)
    outages = [StoreUnavailable("Away."), StoreUnavailable("Away.")]

    def away_at_first(ask: Callable[..., Any]) -> Callable[..., Any]:
        def answer(*args: Any, **kwargs: Any) -> Any:
            if outages:
                raise outages.pop()
            return ask(*args, **kwargs)

        return answer

    # Once before the run is claimed, and once right after it.
    for name in ("waiting_runs", "recorded_calls"):
        monkeypatch.setattr(recorded.store, name, away_at_first(getattr(recorded.store, name)))

    with serving(double):
        assert future.result(timeout=20) == 2


def test_a_run_that_lost_its_worker_can_be_cancelled_before_another_takes_it_up(home: Path) -> None:
    future = double.delay(1)
    store = recorder().store()
    claim = store.claim(future.task_run_id, holder="w", now=1.0, expected_token=run_of(future).token)
    store.end_attempt(
        future.task_run_id, token=claim.token, state=StateType.CRASHED, name="", message="Killed.", now=2.0
    )
    awaiting = future.state.name

    cancelled = cancel_run(
        store,
        Home(home),
        run_of(future),
        by="Ada",
        grace=0.0,
        observer=this_holder("reader"),
        clock=clock,
        pause=time.sleep,
    )

    assert (awaiting, cancelled.run.state_name, future.done) == ("AwaitingResume", "Cancelled", True)
    assert [one.state_name for one in store.attempts(future.task_run_id)] == ["Crashed", "Cancelled"]
    with serving(double):
        assert double.delay(2).result(timeout=20) == 4
    assert did == [2]


def test_arguments_that_do_not_fit_the_task_of_the_worker_fail_the_run_and_not_the_worker(recorded: Recorded) -> None:
    @task(name="double")
    def other(numbers: int) -> int:
        return numbers

    other.spec.__dict__["key"] = double.spec.key
    future = double.delay(1)

    with serving(other), pytest.raises(Exception, match="numbers"):
        future.result(timeout=20)

    assert future.state.is_failed()


def test_a_task_of_another_process_can_ask_for_background_runs(tmp_path: Path) -> None:
    with a_home(tmp_path / "home"):

        @flow(executor="process")
        def asks() -> str:
            return asks_over_there.submit().result()

        future = background_future(asks())

        with serving(double):
            assert future.result(timeout=20) == 8


@task
def asks_over_there() -> str:
    return double.delay(4).task_run_id


def test_a_waiting_run_can_be_cancelled(recorded: Recorded) -> None:
    future = double.delay(1)
    store = recorded.store
    store.end_attempt(future.task_run_id, token=1, state=StateType.CANCELLED, name="", message="No.", now=1.0)

    with serving(double):
        assert double.delay(2).result(timeout=20) == 4

    assert future.state.is_cancelled()
    assert did == [2]


def test_a_worker_that_is_stopped_lets_its_runs_finish(somewhere: None) -> None:
    future = waits_at_gate.delay(1)
    with serving(waits_at_gate) as worker:
        until(lambda: did == [1])

        worker.stop()
        gate.set()

    assert future.state.is_completed()


@pytest.mark.parametrize("sleeper", [sleeps, sleeps_async])
def test_what_does_not_finish_within_the_grace_is_handed_back(somewhere: None, sleeper: Task[[], Any]) -> None:
    future = sleeper.delay()
    with serving(sleeper, grace=0.05) as worker:
        until(lambda: did == ["asleep"])
        worker.stop()

    assert not future.done
    assert future.state.name == "AwaitingResume"
    with serving(sleeper, grace=0.05):
        until(lambda: did == ["asleep", "asleep"])


def test_a_run_that_takes_its_workers_down_is_given_up_after_five_attempts(recorded: Recorded) -> None:
    future = double.delay(1)
    store = recorded.store
    for _ in range(5):
        claim = store.claim(future.task_run_id, holder="w", now=1.0, expected_token=run_of(future).token)
        store.end_attempt(
            future.task_run_id, token=claim.token, state=StateType.CRASHED, name="", message="Killed.", now=2.0
        )

    with serving(double), pytest.raises(CrashedRun, match="Killed"):
        future.result(timeout=20)

    assert did == []


def test_serve_takes_tasks_and_no_port(recorded: Recorded) -> None:
    with pytest.raises(CallError, match="at least one task"):
        serve()
    with pytest.raises(CallError, match="takes tasks, not"):
        serve(print)  # type: ignore[arg-type]
    with pytest.raises(CallError, match="opens no port"):
        double.serve(status_server_port=80)
    with pytest.raises(CallError, match="limit takes a whole number"):
        double.serve(limit=0)

    @flow
    def serves() -> None:
        double.serve()

    with pytest.raises(ContextError):
        serves()


def test_a_run_starts_within_a_tenth_of_a_second_on_a_worker_that_waits(home: Path) -> None:
    delays = []
    with serving(double):
        assert double.delay(0).result(timeout=20) == 0
        for number in range(5):
            asked = time.time()
            future = double.delay(number)
            future.wait(20)
            delays.append(run_of(future).started - asked)

    assert min(delays) < 0.1, delays
