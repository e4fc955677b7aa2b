"""What only the process executor can do, and what happens to its children."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nadi import flow, task
from nadi.exceptions import CrashedRun, NotKept, TimedOut
from nadi.executors import ProcessExecutor
from nadi.executors.child import Start, write_frame
from nadi.executors.processes import RUNNER
from tests.conftest import Recorded


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessExecutor]:
    made = ProcessExecutor(1)
    made.join()
    yield made
    made.leave()


@task
def number() -> int:
    return 1


@task
def process_id() -> int:
    return os.getpid()


@task
def exit_hard(status: int) -> None:
    os._exit(status)


@task(timeout_seconds=0.3)
def block() -> None:
    time.sleep(60)


@task
def fork_and_return() -> int:
    os.fork()
    return os.getpid()


@task
def leak_a_thread() -> int:
    threading.Thread(target=threading.Event().wait).start()
    return 5


@task
def give(value: Any) -> Any:
    return value


@task(retries=3)
def make_lock() -> Any:
    return threading.Lock()


class Odd(Exception):
    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")
        self.lock = threading.Lock()


@task
def raise_odd() -> None:
    raise Odd(1, 2)


@task(retries=1)
def die_once(folder: str) -> str:
    path = Path(folder, "died")
    if not path.exists():
        path.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "alive"


@task
def wait_for_ever(folder: str) -> None:
    Path(folder, "begun").touch()
    time.sleep(60)


def outcome(pool: ProcessExecutor, call: Any) -> Any:
    @flow(executor=pool)
    def run() -> Any:
        return call().result(raise_on_failure=False)

    return run()


def test_a_task_runs_in_another_process_and_the_next_one_in_the_same(pool: ProcessExecutor, recorded: Recorded) -> None:
    first, second = outcome(pool, process_id.submit), outcome(pool, process_id.submit)

    assert first == second != os.getpid()


def test_a_process_that_ends_itself_costs_one_task(pool: ProcessExecutor, recorded: Recorded) -> None:
    error = outcome(pool, lambda: exit_hard.submit(7))

    assert isinstance(error, CrashedRun)
    assert str(error) == "Its process ended without an answer (exit status 7)."
    assert recorded.states() == {"exit_hard-0": "Crashed"}
    assert outcome(pool, number.submit) == 1


def test_a_task_whose_process_was_killed_is_tried_again(
    pool: ProcessExecutor, recorded: Recorded, tmp_path: Any
) -> None:
    assert outcome(pool, lambda: die_once.submit(str(tmp_path))) == "alive"
    assert recorded.task_runs[0].attempt == 2


def test_a_timeout_kills_also_what_blocks(pool: ProcessExecutor, recorded: Recorded) -> None:
    error = outcome(pool, block.submit)

    assert isinstance(error, TimedOut)
    assert "took longer than its timeout of 0.3 seconds" in str(error)


def test_a_copy_that_the_task_forked_gives_no_second_answer(pool: ProcessExecutor, recorded: Recorded) -> None:
    assert outcome(pool, fork_and_return.submit) != os.getpid()
    assert [outcome(pool, number.submit) for _ in range(3)] == [1, 1, 1]


def test_a_thread_that_a_task_leaves_behind_holds_up_nobody(recorded: Recorded) -> None:
    alone = ProcessExecutor(1)

    assert outcome(alone, leak_a_thread.submit) == 5
    assert alone.occupancy() == (0, 1)


def test_an_argument_that_cannot_be_sent_fails_the_task_with_one_sentence(
    pool: ProcessExecutor, recorded: Recorded
) -> None:
    error = outcome(pool, lambda: give.submit(threading.Lock()))

    assert isinstance(error, NotKept)
    assert str(error).startswith("Its 'value' cannot be sent to another process: A value of type _thread.lock cannot")


def test_a_result_that_cannot_be_sent_back_fails_the_task_and_is_not_tried_again(
    pool: ProcessExecutor, recorded: Recorded
) -> None:
    error = outcome(pool, make_lock.submit)

    assert "What it returned cannot be sent back from its process" in str(error)
    assert recorded.task_runs[0].attempt == 1


def test_an_exception_that_cannot_be_sent_back_is_told_in_words(pool: ProcessExecutor, recorded: Recorded) -> None:
    error = outcome(pool, raise_odd.submit)

    assert isinstance(error, Exception)
    assert "Odd" in f"{type(error).__name__} {error}"
    assert "1 and 2" in str(error)


def test_lambdas_and_closures_are_sent(pool: ProcessExecutor, recorded: Recorded) -> None:
    offset = 10

    @task
    def closure(value: int) -> int:
        return value + offset

    assert outcome(pool, lambda: closure.submit(1)) == 11
    assert outcome(pool, lambda: task(lambda value: value * offset).submit(2)) == 20


def test_large_values_go_both_ways(pool: ProcessExecutor, recorded: Recorded) -> None:
    data = b"x" * (20 * 1024 * 1024)

    assert outcome(pool, lambda: give.submit(data)) == data


def test_what_a_stopped_flow_has_running_is_killed(recorded: Recorded, tmp_path: Any) -> None:
    @flow(executor=ProcessExecutor(1), timeout_seconds=30)
    def run() -> None:
        wait_for_ever.submit(str(tmp_path))
        wait_for_ever.submit(str(tmp_path))
        while not (tmp_path / "begun").exists():
            time.sleep(0.01)
        raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run()
    assert recorded.states() == {"wait_for_ever-0": "Cancelled", "wait_for_ever-1": "Cancelled"}
    assert time.monotonic() - began < 30


def test_a_script_without_a_main_guard_sends_its_functions(tmp_path: Any) -> None:
    script = tmp_path / "pipeline.py"
    script.write_text(
        "import os\n"
        "from dataclasses import dataclass\n"
        "from nadi import flow, task\n"
        "@dataclass\n"
        "class Row:\n    n: int\n"
        "@task\n"
        "def double(row): return Row(row.n * 2), os.getpid()\n"
        "@flow(executor='process')\n"
        "def run(): return double.submit(Row(4)).result()\n"
        "row, pid = run()\n"
        "print(row, type(row) is Row, pid != os.getpid())\n"
    )
    environment = {**os.environ, "NADI_HOME": str(tmp_path / "home"), "PYTHONPATH": os.pathsep.join(sys.path)}

    done = subprocess.run(
        [sys.executable, str(script)], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=50
    )

    assert done.stdout == "Row(n=8) True True\n", done.stderr
    assert done.returncode == 0


def test_a_process_whose_parent_is_gone_before_it_is_ready_ends_without_a_word(tmp_path: Path) -> None:
    commands, command = os.pipe()
    answer, answers = os.pipe()
    os.close(answer)  # nobody will read
    write_frame(command, msgspec.msgpack.encode(Start(RUNNER, list(sys.path), str(tmp_path))))

    code = f"from nadi.executors.child import serve; serve({commands}, {answers})"
    done = subprocess.run(
        [sys.executable, "-c", code], pass_fds=(commands, answers), capture_output=True, timeout=30, check=False
    )

    for descriptor in (commands, command, answers):
        os.close(descriptor)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
