"""Ctrl-C, SIGTERM and forks, with real processes and the journal and store of a home."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from nadi.engine.interrupts import CancelAsked, Interruptible, TimeUp, time_limit
from nadi.model.runs import RunFilter
from nadi.storage.opening import open_store

SYNC = """
import sys, threading, time
from nadi import flow, task
@task
def quick(): return 1
@task
def endless():
    while True: sum(range(100))
@flow(retries=2, on_cancellation=[lambda f, r, s: print("hook", s.name, flush=True)])
def run():
    quick()
    endless.submit()
    print("ready", flush=True)
    while True:  # a signal that comes just before a sleep is seen only after it
        time.sleep(0.01)
run()
"""

ASYNC = """
import asyncio, sys
from nadi import flow, task
@task
async def quick(): return 1
@task
async def endless(): await asyncio.Event().wait()
@flow(retries=2, on_cancellation=[lambda f, r, s: print("hook", s.name, flush=True)])
async def run():
    await quick()
    endless.submit()
    print("ready", flush=True)
    await endless()
asyncio.run(run())
"""

FORKING = """
import os, sys
from nadi import flow, task
@task
def split():
    if os.fork() == 0:
        return "the child"
    os.wait()
    return "the parent"
@task
def split_badly():
    child = os.fork()
    if child == 0:
        raise ValueError("in the child")
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
@flow
def run():
    return [split(), split.submit().result(), split_badly()]
print(run(), flush=True)
"""


def start(folder: Path, text: str) -> subprocess.Popen[str]:
    script = folder / "script.py"
    script.write_text(text)
    environment = {**os.environ, "NADI_HOME": str(folder / "home"), "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        [sys.executable, str(script)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def states(folder: Path) -> tuple[str, dict[str, str]]:
    """How the newest run of a home ended, and its task runs, from the store alone: no journal was left behind."""
    store = open_store("", home=folder / "home")
    try:
        [run] = store.flow_runs(RunFilter(), limit=2)
        return run.state_name, {one.name: one.state_name for one in store.task_runs(run.id)}
    finally:
        store.close()


@pytest.mark.parametrize("text", [SYNC, ASYNC], ids=["sync", "async"])
def test_ctrl_c_cancels_the_run_with_everything_delivered(text: str, tmp_path: Path) -> None:
    process = start(tmp_path, text)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"

    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=50)

    assert out == "hook Cancelled\n", err
    assert process.returncode != 0
    assert "left behind" not in err
    name, tasks = states(tmp_path)
    assert name == "Cancelled"
    assert tasks["quick-0"] == "Completed"
    assert set(tasks.values()) == {"Completed", "Cancelled"}


@pytest.mark.parametrize("text", [SYNC, ASYNC], ids=["sync", "async"])
def test_sigterm_ends_the_run_as_crashed_with_everything_delivered(text: str, tmp_path: Path) -> None:
    process = start(tmp_path, text)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"

    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=50)

    assert out == "", err
    assert process.returncode != 0
    name, tasks = states(tmp_path)
    assert name == "Crashed"
    assert tasks["quick-0"] == "Completed"
    assert "Running" not in tasks.values()


def test_a_process_that_a_task_forks_ends_where_the_task_ends_and_records_nothing(tmp_path: Path) -> None:
    process = start(tmp_path, FORKING)

    out, err = process.communicate(timeout=50)

    assert out == "['the parent', 'the parent', 1]\n", err
    assert "ValueError: in the child" in err
    name, tasks = states(tmp_path)
    assert name == "Completed"
    assert set(tasks.values()) == {"Completed"}


def test_time_limits_nest_and_each_knows_its_own() -> None:
    with time_limit(30) as outer:
        with pytest.raises(TimeUp) as struck, time_limit(0.02) as inner:
            time.sleep(30)
        assert struck.value is inner
        assert struck.value is not outer


def test_an_outer_limit_that_is_over_strikes_through_an_inner_one() -> None:
    with pytest.raises(TimeUp) as struck, time_limit(0.02) as outer, time_limit(30):
        time.sleep(30)

    assert struck.value is outer


def test_limits_hold_in_threads_between_bytecodes() -> None:
    caught: list[bool] = []

    def body() -> None:
        try:
            with time_limit(0.02) as own:
                while True:
                    sum(range(100))
        except TimeUp as error:
            caught.append(error is own)

    thread = threading.Thread(target=body)
    thread.start()
    thread.join(timeout=30)

    assert caught == [True]


def test_a_stretch_that_is_over_is_not_interrupted_any_more() -> None:
    stretch = Interruptible()
    stretch.leave()
    stretch.interrupt(CancelAsked)

    for _ in range(1000):
        sum(range(10))
