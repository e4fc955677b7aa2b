"""Taking up a run of a dead process: what of it stands. Real processes, killed with -9."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

RESUME = """
import nadi
try:
    print("value", nadi.resume("it"))
except Exception as error:
    print(type(error).__name__)
"""

KILL = """
import os, signal
from nadi import flow, task

def die():
    if "die" in os.environ:
        os.kill(os.getpid(), signal.SIGKILL)

def told(text):
    print(text, flush=True)
"""

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs Python source text as `work.py`, or another file, in a folder and home of its own."""

    def run(source: str, *, file: str = "work.py", **environ: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / file).write_text(source, encoding="utf-8")
        found = {name: value for name, value in os.environ.items() if not name.startswith("NADI_")}
        found |= {"NADI_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT / "src"), **environ}
        return subprocess.run(
            [sys.executable, file], cwd=tmp_path, env=found, capture_output=True, text=True, timeout=30, check=False
        )

    return run


PROVENANCE = (
    KILL
    + """
class Model:
    def __init__(self):
        self.weights = bytes(3_000_000)

RATE = 1

@task
def fit():
    told("fit")
    return Model()

@task
def size(model):
    told("size")
    return len(model.weights)

@task
def report(n):
    told("report")
    return n * RATE

@flow(flow_run_name="it")
def work():
    n = size(fit())
    m = report(n)
    die()
    return m

if __name__ == "__main__":
    work()
"""
)


def test_a_large_object_that_was_read_back_is_known_as_the_one_that_was_returned(run: Run) -> None:
    killed = run(PROVENANCE, die="1")

    resumed = run(RESUME, file="again.py")

    assert killed.returncode == -signal.SIGKILL
    assert resumed.stdout.split() == ["value", "3000000"]


def test_a_change_in_one_task_leaves_those_alone_that_know_their_inputs_by_provenance(run: Run) -> None:
    run(PROVENANCE, die="1")
    changed = PROVENANCE.replace("RATE = 1", "RATE = 2")

    resumed = run(f"open('work.py', 'w').write({changed!r})\n{RESUME}", file="again.py")

    assert resumed.stdout.split() == ["report", "value", "6000000"]


def test_a_change_in_the_flow_ends_the_match_of_inputs_known_by_provenance(run: Run) -> None:
    run(PROVENANCE, die="1")
    changed = PROVENANCE.replace("return m", "return m + 1")

    resumed = run(f"open('work.py', 'w').write({changed!r})\n{RESUME}", file="again.py")

    assert resumed.stdout.split() == ["size", "value", "3000001"]


def test_the_rest_of_a_retry_delay_and_the_retries_spent_carry_over_a_crash(run: Run) -> None:
    source = (
        KILL
        + """
import threading
@task(retries=1, retry_delay_seconds=2)
def flaky():
    told("flaky")
    if "die" in os.environ:
        threading.Timer(0.3, die).start()
    raise ValueError("no")

@flow(flow_run_name="it")
def work():
    return flaky()

if __name__ == "__main__":
    work()
"""
    )
    killed = run(source, die="1")

    resumed = run(RESUME, file="again.py")

    assert killed.stdout.split() == ["flaky"]
    assert resumed.stdout.split() == ["flaky", "ValueError"]


def test_a_run_whose_process_lives_is_not_taken_over(run: Run, tmp_path: Path) -> None:
    source = (
        KILL
        + """
import subprocess, sys

@task
def ask():
    return subprocess.run([sys.executable, "again.py"], capture_output=True, text=True).stdout.strip()

@flow(flow_run_name="it")
def work():
    return ask()

if __name__ == "__main__":
    print(work())
"""
    )
    (tmp_path / "again.py").write_text(RESUME, encoding="utf-8")

    alive = run(source)

    assert alive.stdout.strip() == "RunTaken"


def test_whoever_looks_first_waits_for_what_the_same_process_is_delivering(run: Run) -> None:
    run(PROVENANCE, die="1")

    looked = run(
        """
from nadi.engine.recording import recorder
from nadi.model.runs import RunFilter

into = recorder()
into.look_for_leftovers()
print([found.state_name for found in into.store().flow_runs(RunFilter(), limit=9)])
""",
        file="look.py",
    )

    assert looked.stdout.strip() == "['Crashed']"
