from __future__ import annotations

import asyncio
import threading
import time
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

import nadi
from nadi import flow, runtime, task
from nadi.engine.interrupts import CancelAsked
from nadi.engine.recording import recorder
from nadi.exceptions import CancelledRun
from nadi.model.runs import Request
from nadi.storage.recorder import DirectRecorder
from nadi.testing import Records
from tests.public.runs import in_flow


def test_a_flow_can_ask_about_its_run(records: Records) -> None:
    @flow(name="my-flow", flow_run_name="run-{n}", tags=["b", "a"], version="7")
    def work(n: int) -> dict[str, Any]:
        return {name: getattr(runtime.flow_run, name) for name in dir(runtime.flow_run)}

    seen = work("3")  # type: ignore[call-overload]  # converted

    [run] = records.flow_runs()
    started = seen.pop("scheduled_start_time")
    assert seen == {
        "attempt": 1,
        "flow_name": "my-flow",
        "flow_version": "7",
        "id": run.id,
        "name": "run-3",
        "parameters": {"n": 3},
        "parent_flow_run_id": None,
        "root_flow_run_id": run.id,
        "root_id": run.id,
        "run_count": 1,
        "tags": ["a", "b"],
    }
    assert abs(started.timestamp() - run.created) < 1


def test_a_task_can_ask_about_its_run_and_about_its_flows(records: Records) -> None:
    @task(name="my-task", tags=["t"])
    def ask(n: int) -> tuple[Any, ...]:
        run = runtime.task_run
        return run.id, run.name, run.task_name, run.parameters, run.tags, run.run_count, runtime.flow_run.name

    @flow(flow_run_name="around", tags=["f"])
    def work() -> tuple[Any, ...]:
        assert runtime.task_run.id is None
        return ask.submit(5).result()

    seen = work()

    [run] = records.task_runs()
    assert seen == (run.id, run.name, "my-task", {"n": 5}, ["f", "t"], 1, "around")


@task
def ask_in_another_process(n: int) -> tuple[Any, ...]:
    run = runtime.flow_run
    own = runtime.task_run
    return run.id, run.name, run.flow_name, run.tags, run.root_id, own.name, own.parameters, own.idempotency_key


@task
def key_here(n: int) -> str | None:
    return runtime.task_run.idempotency_key


def test_a_task_in_another_process_gets_the_same_answers(records: Records) -> None:
    @flow(executor="process", flow_run_name="around", tags=["f"])
    def work() -> tuple[Any, ...]:
        return ask_in_another_process.submit(n=5).result()

    seen = work()

    run, own = records.flow_runs()[0], records.task_runs()[0]
    assert seen[:7] == (run.id, "around", "work", ["f"], run.id, own.name, {"n": 5})
    assert seen[7]


def test_a_subflow_names_its_parent_and_its_root(records: Records) -> None:
    @flow
    def inner() -> tuple[Any, ...]:
        return runtime.flow_run.id, runtime.flow_run.parent_flow_run_id, runtime.flow_run.root_id

    @flow
    def outer() -> tuple[Any, ...]:
        return inner()

    seen = outer()

    below, root = records.flow_runs("inner")[0], records.flow_runs("outer")[0]
    assert seen == (below.id, root.id, root.id)


def test_outside_of_runs_every_answer_is_none_or_empty() -> None:
    assert {name: getattr(runtime.flow_run, name) for name in dir(runtime.flow_run)} == {
        **dict.fromkeys(dir(runtime.flow_run)),
        "parameters": {},
        "tags": [],
        "run_count": 0,
    }
    assert (runtime.task_run.id, runtime.task_run.parameters, runtime.task_run.idempotency_key) == (None, {}, None)
    assert (runtime.deployment.id, runtime.deployment.name, runtime.deployment.parameters) == (None, None, {})
    assert not runtime.is_cancelled()
    runtime.raise_if_cancelled()


def test_an_unknown_attribute_is_an_error_that_lists_those_there_are() -> None:
    with pytest.raises(AttributeError, match=r"flow_run has no 'flow_id'; it has: attempt, flow_name"):
        runtime.flow_run.flow_id  # noqa: B018  # asking is what fails


def test_retries_count_up(records: Records) -> None:
    counts: list[tuple[int, int]] = []

    @task(retries=1)
    def fail() -> None:
        counts.append((runtime.flow_run.run_count, runtime.task_run.run_count))
        raise ValueError("always")

    @flow(retries=1)
    def work() -> None:
        fail()

    with pytest.raises(ValueError, match="always"):
        work()

    assert counts == [(1, 1), (1, 2), (2, 1), (2, 2)]


# -- idempotency keys --


def test_the_idempotency_key_is_the_same_over_retries(records: Records) -> None:
    keys: list[str | None] = []

    @task(retries=2)
    def pay() -> None:
        keys.append(runtime.task_run.idempotency_key)
        raise ValueError("declined")

    with pytest.raises(ValueError, match="declined"):
        in_flow(lambda: pay())

    assert len(keys) == 3
    assert len(set(keys)) == 1


def test_the_idempotency_key_is_the_same_when_the_run_is_resumed(records: Records) -> None:
    keys: list[str | None] = []

    @task
    def pay(amount: int) -> None:
        keys.append(runtime.task_run.idempotency_key)
        if len(keys) < 2:
            raise ValueError("declined")

    @task
    def order() -> None:
        pay(5)

    @flow
    def work() -> None:
        order()

    with pytest.raises(ValueError, match="declined"):
        work()
    nadi.resume(records.flow_runs()[0].id, flow=work)

    assert len(keys) == 2
    assert keys[0] == keys[1]


def test_the_idempotency_key_differs_for_every_other_call(records: Records) -> None:
    @flow
    def work() -> list[str | None]:
        return [key_here(1), key_here(1), key_here(2), *key_here.map([1, 2]).result()]

    keys = [*work(), *work()]

    assert len(set(keys)) == 10


# -- recorded values --


def test_recorded_values_are_of_their_kind_outside_and_inside_of_runs(records: Records) -> None:
    @flow
    def work() -> tuple[datetime, UUID, float]:
        return runtime.now(), runtime.uuid(), runtime.random()

    for now, uuid, random in (work(), (runtime.now(), runtime.uuid(), runtime.random())):
        assert now.tzinfo is UTC
        assert abs(now.timestamp() - time.time()) < 60
        assert uuid.version == 4
        assert 0 <= random < 1


def test_a_resumed_run_gets_the_values_that_it_got_before_in_the_same_order(records: Records) -> None:
    seen: list[list[Any]] = []

    @task
    def inside() -> float:
        return runtime.random()

    @flow
    def work() -> None:
        seen.append([runtime.now(), runtime.uuid(), runtime.random(), runtime.random(), inside()])
        if len(seen) == 1:
            raise ValueError("once")

    with pytest.raises(ValueError, match="once"):
        work()
    nadi.resume(records.flow_runs()[0].id, flow=work)

    assert seen[0] == seen[1]
    assert seen[0][2] != seen[0][3]


def test_a_retried_flow_gets_the_values_that_it_got_before(records: Records) -> None:
    seen: list[UUID] = []

    @flow(retries=1)
    def work() -> None:
        seen.append(runtime.uuid())
        if len(seen) == 1:
            raise ValueError("once")

    work()

    assert seen[0] == seen[1]


def test_a_task_that_takes_a_recorded_value_does_not_run_again_on_resume(records: Records) -> None:
    ran: list[datetime] = []
    tries: list[int] = []

    @task
    def load(since: datetime) -> None:
        ran.append(since)

    @flow
    def work() -> None:
        load(runtime.now())
        tries.append(1)
        if len(tries) == 1:
            raise ValueError("once")

    with pytest.raises(ValueError, match="once"):
        work()
    nadi.resume(records.flow_runs()[0].id, flow=work)

    assert len(ran) == 1


def test_recorded_values_work_in_coroutines(records: Records) -> None:
    @flow
    async def work() -> tuple[datetime, float]:
        return runtime.now(), runtime.random()

    now, random = asyncio.run(work())

    assert now.tzinfo is UTC
    assert 0 <= random < 1


# -- cancelling --


def test_a_long_loop_in_a_thread_can_see_that_its_run_is_cancelled(records: Records) -> None:
    running = threading.Event()
    saw: list[bool] = []

    @task
    def spin() -> None:
        saw.append(runtime.is_cancelled())
        running.set()
        deadline = time.monotonic() + 20
        try:
            while time.monotonic() < deadline:
                runtime.raise_if_cancelled()
        finally:
            saw.append(runtime.is_cancelled())

    @flow
    def work() -> None:
        future = spin.submit()
        running.wait(20)
        root = runtime.flow_run.root_id
        assert root is not None
        session_listener(root)
        future.result()

    with pytest.raises((CancelledRun, CancelAsked)):
        work()

    assert saw == [False, True]


def session_listener(root: str) -> None:
    """Do what the courier does when it finds a request to cancel."""
    into = recorder()
    assert isinstance(into, DirectRecorder)
    _, listener = into._listeners[root]
    listener(Request(run=root, kind="cancel", at=time.time(), by="a test"))
