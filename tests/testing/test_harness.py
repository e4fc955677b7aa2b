from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import nadi
from nadi import flow, runtime, task
from nadi.testing import Records, TestClock, nadi_test_harness

SRC = str(Path(__file__).parents[2] / "src")


@task
def double(n: int) -> int:
    return 2 * n


@task
def process_id(n: int) -> int:
    return os.getpid()


def test_everything_works_and_is_recorded_in_memory() -> None:
    @flow
    def inner(n: int) -> int:
        return double(n)

    @flow
    async def beside(n: int) -> int:
        return double.submit(n).result()

    @flow
    def work() -> list[Any]:
        submitted = inner.submit(4)
        return [double.map([1, 2]).result(), inner(3), submitted.result()]

    with nadi_test_harness() as records:
        assert work() == [[2, 4], 6, 8]
        assert asyncio.run(beside(5)) == 10

    assert sorted(run.flow for run in records.flow_runs()) == ["beside", "inner", "inner", "work"]
    assert {run.state_name for run in [*records.flow_runs(), *records.task_runs("double")]} == {"Completed"}
    assert len(records.task_runs()) == 5


def test_tasks_run_in_other_processes_too() -> None:
    @flow(executor="process")
    def work() -> int:
        return process_id.submit(1).result()

    with nadi_test_harness() as records:
        assert work() != os.getpid()

    assert [run.state_name for run in records.task_runs()] == ["Completed"]


def test_a_failed_run_can_be_resumed() -> None:
    ran: list[str] = []

    @task
    def first() -> None:
        ran.append("first")

    @flow
    def work() -> str:
        first()
        ran.append("flow")
        if ran.count("flow") == 1:
            raise ValueError("half-way")
        return "done"

    with nadi_test_harness() as records:
        with pytest.raises(ValueError, match="half-way"):
            work()
        assert nadi.resume(records.flow_runs()[0].id, flow=work) == "done"

    assert ran == ["first", "flow", "flow"]


def test_of_nested_harnesses_the_innermost_records() -> None:
    with nadi_test_harness() as outer:
        with nadi_test_harness() as inner:
            flow(name="a")(lambda: None)()
        flow(name="b")(lambda: None)()

    assert [run.flow for run in inner.flow_runs()] == ["a"]
    assert [run.flow for run in outer.flow_runs()] == ["b"]


def run_with_clock() -> tuple[list[Any], Records]:
    @flow
    def work() -> Any:
        return double.submit(1).result(), runtime.now(), runtime.uuid()

    with nadi_test_harness(clock=TestClock(datetime(2031, 5, 1, tzinfo=UTC), tick=0.01)) as records:
        value = work()
    return [value, [(run.id, run.name, run.created) for run in records.flow_runs()]], records


def test_time_ids_and_chance_may_be_given() -> None:
    first, records = run_with_clock()
    second, _ = run_with_clock()

    assert first == second
    created = datetime.fromtimestamp(records.flow_runs()[0].created, UTC)
    assert created.replace(second=0, microsecond=0) == datetime(2031, 5, 1, tzinfo=UTC)
    with nadi_test_harness() as later:
        flow(name="work")(lambda: None)()
    assert abs(later.flow_runs()[0].created - time.time()) < 60


def test_a_test_clock_is_moved_by_hand() -> None:
    clock = TestClock(datetime(2031, 5, 1, tzinfo=UTC), tick=0.0)

    before = clock.now()
    clock.advance(3600)

    assert clock.now() - before == 3600


def test_a_harness_costs_less_than_5_ms() -> None:
    def cost() -> float:
        began = time.perf_counter()
        with nadi_test_harness():
            pass
        return time.perf_counter() - began

    assert min(cost() for _ in range(20)) < 0.005


WATCHED = """
import json, os, sys
seen = []
HARMLESS = ("/proc/", "/dev/", "/sys/")

def watch(event, arguments):
    if not watching:
        return
    if event == "open" and isinstance(arguments[0], (str, bytes)):
        path = os.fsdecode(arguments[0])
        writes = isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if writes or not path.endswith((".py", ".pyc", ".so")) and not path.startswith(HARMLESS):
            seen.append(f"{event} {path}")
    elif event.startswith(("socket.", "subprocess.", "os.mkdir", "os.rename", "os.remove", "os.fork", "os.posix_spawn",
                           "os.link", "os.listdir", "sqlite3.", "tempfile.", "shutil.")):
        seen.append(f"{event} {arguments}")

watching = False
sys.addaudithook(watch)
from nadi import flow, task, log_metric, get_run_logger
from nadi.artifacts import create_table_artifact
from nadi.testing import nadi_test_harness
from nadi.variables import Variable

@task(retries=1)
def double(n, box=[]):
    box.append(n)
    if len(box) == 1:
        raise ValueError("once")
    get_run_logger().info("doubling")
    log_metric("n", n)
    return bytes(50_000) if n == 1 else 2 * n

@flow
def inner():
    create_table_artifact([{"a": 1}])
    return double(5)

@flow
def work():
    Variable.set("a", 1)
    return double.map([1, 2]).result(), inner()

watching = True
with nadi_test_harness() as records:
    work()
watching = False
print(json.dumps([seen, len(records.task_runs())]))
"""


def test_a_harness_touches_no_disk_socket_process_or_home_folder(tmp_path: Path) -> None:
    script = tmp_path / "watched.py"
    script.write_text(WATCHED, encoding="utf-8")
    home = tmp_path / "home"
    environ = {**os.environ, "HOME": str(home), "NADI_HOME": str(home / ".nadi"), "PYTHONPATH": SRC}

    done = subprocess.run(
        [sys.executable, str(script)], env=environ, capture_output=True, text=True, check=False, cwd=tmp_path
    )

    assert done.returncode == 0, done.stderr
    seen, tasks = json.loads(done.stdout)
    assert seen == []
    assert tasks == 3
    assert not home.exists()
