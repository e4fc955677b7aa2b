"""Whole stories with real processes: run, fail, be killed, resume, be cancelled from elsewhere, be followed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from nadi.storage.home import process_start
from tests.journeys.places import Place, until

PIPELINE = """
import os, signal
from nadi import flow, task, get_run_logger

def did(label):
    with open(os.environ["LEDGER"], "a") as ledger:
        ledger.write(label + "\\n")

@task
def double(x):
    did(f"double-{x}")
    get_run_logger().info("doubling %s", x)
    return x * 2

@task
def total(xs):
    if os.environ.get("KILL"):
        os.kill(os.getpid(), signal.SIGKILL)
    if os.environ.get("FAIL"):
        raise ValueError("the total is wrong")
    return sum(xs)

@flow
def pipeline(count: int = 3):
    print("from the flow")
    return total(double.map(range(count)).result())
"""

WAITING = """
import os, subprocess, threading
from nadi import flow, task, get_run_logger

@task
def wait_for_ever():
    get_run_logger().info("waiting")
    while True:
        threading.Event().wait(0.05)

@flow
def waiting():
    wait_for_ever.submit().result()

@flow
def asks_to_go_on():
    get_run_logger().info("before")
    while not os.path.exists("go-on"):
        threading.Event().wait(0.01)
    get_run_logger().info("after")

@flow
def stubborn():
    # A cancel is a signal to the main thread, which is deaf here; and what it started outlives it.
    import signal
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGTERM, signal.SIGALRM])
    child = subprocess.Popen(["sleep", "600"])
    with open("child", "w") as file:
        file.write(str(child.pid))
    child.wait()
"""


def nadi(place: Place, *args: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return place.run("-m", "nadi", *args, **environ)


def asked(place: Place, *args: str) -> Any:
    told = nadi(place, *args, "--json")
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)


def state_of(place: Place, name: str) -> str:
    return next((run["state_name"] for run in asked(place, "runs") if run["name"] == name), "")


@pytest.fixture
def waiting(place: Place) -> Iterator[Place]:
    """A place with flows that do not end by themselves; what still runs at the end is ended."""
    place.script(WAITING)
    yield place
    (place.folder / "go-on").touch()
    if (place.folder / "child").exists():
        pid = int((place.folder / "child").read_text())
        if process_start(pid):
            os.kill(pid, signal.SIGKILL)


def test_a_run_is_told_in_one_line_and_found_by_its_name(place: Place) -> None:
    place.script(PIPELINE)

    ran = nadi(place, "run", "pipeline.py:pipeline", "-p", "count=4", "--name", "brisk-otter", "--tag", "nightly")

    assert ran.returncode == 0
    first, line, *_ = ran.stdout.splitlines()
    assert first == "from the flow"
    assert line.startswith("Completed  brisk-otter in ")
    assert line.endswith(": 5 tasks")
    [run] = asked(place, "runs", "--tag", "nightly")
    assert (run["name"], run["parameters"], run["tasks"]) == ("brisk-otter", {"count": 4}, {"completed": 5})
    assert "double-3: doubling 3" in nadi(place, "logs", "brisk-otter").stdout


def test_a_flow_of_a_module_runs_with_another_executor_and_answers_json(place: Place) -> None:
    place.script(PIPELINE)

    ran = nadi(place, "run", "pipeline:pipeline", "--executor", "sequential", "--json")

    told = json.loads(ran.stdout)
    assert (told["state"], told["flow"], told["tasks"]) == ("COMPLETED", "pipeline", {"completed": 4})
    assert "from the flow" in ran.stderr


def test_quiet_shows_what_the_flow_prints_and_nothing_else(place: Place) -> None:
    place.script(PIPELINE)

    ran = nadi(place, "run", "pipeline.py", "--quiet")

    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "from the flow\n", "")


@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
def test_a_failing_run_has_status_1_and_shows_the_users_frames_only(place: Place, quiet: list[str]) -> None:
    place.script(PIPELINE)

    ran = nadi(place, "run", "pipeline.py", *quiet, FAIL="1")

    assert ran.returncode == 1
    assert 'raise ValueError("the total is wrong")' in ran.stderr
    assert "nadi/engine" not in ran.stderr
    assert quiet or ran.stdout.splitlines()[1].startswith("Failed  ")


def test_an_async_flow_runs_and_fails_like_any_other(place: Place) -> None:
    place.script("from nadi import flow\n\n@flow\nasync def later(fail: bool = False):\n    assert not fail\n")

    assert nadi(place, "run", "pipeline.py", "-q").returncode == 0
    assert nadi(place, "run", "pipeline.py", "-q", "-p", "fail=yes").returncode == 1


def test_a_killed_run_is_crashed_explained_and_continued_with_what_it_had_finished(place: Place) -> None:
    place.script(PIPELINE)
    killed = nadi(place, "run", "pipeline.py", "--name", "brisk-otter", KILL="1")

    state = state_of(place, "brisk-otter")
    why = nadi(place, "why", "brisk-otter").stdout
    resumed = nadi(place, "resume", "brisk-otter")
    again = nadi(place, "resume", "brisk-otter")

    assert killed.returncode == -signal.SIGKILL
    assert state == "Crashed"
    assert "nadi resume brisk-otter continues it" in why
    assert resumed.returncode == 0
    assert "Kept 3 finished calls of earlier attempts; ran 1 task." in resumed.stdout
    assert "1 task ran again: it had not completed (Crashed)." in resumed.stdout
    assert sorted(place.did()) == ["double-0", "double-1", "double-2"]
    assert again.returncode == 2
    assert "finished as Completed" in again.stderr


def test_a_run_is_resumed_with_another_parameter_and_says_what_ran_again(place: Place) -> None:
    place.script(PIPELINE)
    nadi(place, "run", "pipeline.py", "--name", "brisk-otter", FAIL="1")

    resumed = nadi(place, "resume", "brisk-otter", "-p", "count=5", "--json")

    assert json.loads(resumed.stdout)["parameters"] == {"count": 5}
    assert sorted(place.did()) == [f"double-{i}" for i in range(5)]


def test_a_run_is_cancelled_from_another_process_and_says_by_whom(waiting: Place) -> None:
    process = waiting.start("-m", "nadi", "run", "pipeline.py:waiting", "--name", "brisk-otter")
    until(lambda: "waiting" in nadi(waiting, "logs", "brisk-otter").stdout)

    cancelled = nadi(waiting, "cancel", "brisk-otter", "--grace", "40")
    out, _ = process.communicate(timeout=30)

    assert cancelled.returncode == 0
    assert cancelled.stdout.splitlines()[0] == "brisk-otter  Cancelled"
    assert process.returncode == 1
    assert "Cancelled by " in out


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="processes are told apart by /proc")
def test_after_the_grace_the_process_of_a_run_is_ended_with_what_it_started(waiting: Place) -> None:
    process = waiting.start("-m", "nadi", "run", "pipeline.py:stubborn", "--name", "brisk-otter")
    until(lambda: (waiting.folder / "child").exists() and bool((waiting.folder / "child").read_text()))
    child = int((waiting.folder / "child").read_text())
    until(lambda: state_of(waiting, "brisk-otter") == "Running")

    cancelled = nadi(waiting, "cancel", "brisk-otter", "--grace", "0")
    process.communicate(timeout=30)

    assert cancelled.returncode == 0
    assert f"process {process.pid} on" in cancelled.stdout
    assert process.returncode == -signal.SIGKILL
    assert process_start(child) == 0
    assert state_of(waiting, "brisk-otter") == "Cancelled"


def test_followed_logs_come_while_the_run_runs_and_end_with_it(waiting: Place) -> None:
    process = waiting.start("-m", "nadi", "run", "pipeline.py:asks_to_go_on", "--name", "brisk-otter")
    until(lambda: state_of(waiting, "brisk-otter") == "Running")
    follower = waiting.start("-m", "nadi", "logs", "brisk-otter", "-f")
    assert follower.stdout is not None
    seen = [follower.stdout.readline()]
    while "before" not in seen[-1]:
        seen.append(follower.stdout.readline())

    (waiting.folder / "go-on").touch()
    rest, err = follower.communicate(timeout=30)
    process.communicate(timeout=30)

    assert "after" in rest
    assert (follower.returncode, err) == (0, "brisk-otter ended Completed.\n")


@pytest.mark.skipif(os.name != "posix", reason="signals are for POSIX")
def test_ctrl_c_ends_a_run_as_cancelled_and_says_how_to_continue(waiting: Place) -> None:
    process = waiting.start("-m", "nadi", "run", "pipeline.py:waiting", "--name", "brisk-otter")
    until(lambda: "waiting" in nadi(waiting, "logs", "brisk-otter").stdout)

    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)

    assert process.returncode == 1
    assert out.startswith("Cancelled  brisk-otter in ")
    assert "nadi resume brisk-otter" in out
    assert "KeyboardInterrupt" not in err


def test_a_run_that_a_living_process_has_is_not_resumed(waiting: Place) -> None:
    process = waiting.start("-m", "nadi", "run", "pipeline.py:asks_to_go_on", "--name", "brisk-otter")
    until(lambda: state_of(waiting, "brisk-otter") == "Running")

    resumed = nadi(waiting, "resume", "brisk-otter")
    (waiting.folder / "go-on").touch()
    process.communicate(timeout=30)

    assert resumed.returncode == 2
    assert f"process {process.pid} on" in resumed.stderr
    assert process.returncode == 0


@pytest.mark.skipif(os.name != "posix", reason="signals are for POSIX")
def test_sigterm_ends_an_async_run_as_crashed_with_everything_recorded(place: Place) -> None:
    place.script("import asyncio\nfrom nadi import flow\n\n@flow\nasync def later(): await asyncio.sleep(600)\n")
    process = place.start("-m", "nadi", "run", "pipeline.py", "--name", "brisk-otter")
    until(lambda: state_of(place, "brisk-otter") == "Running")

    process.terminate()
    out, _ = process.communicate(timeout=30)

    assert process.returncode == 1
    assert out.startswith("Crashed  brisk-otter in ")
    assert "asked to end (SIGTERM)" in out
