"""Background tasks over processes: asked for in one, run in others, whoever is killed meanwhile."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from nadi.model.runs import FlowRun
from tests.journeys.places import DID, Place, until

JOBS = (
    DID
    + """
import time

@task
def step(label):
    did(label)
    return label

@task
def job(label, until_file="", delay=0.0):
    did(f"{label}:began")
    time.sleep(delay)
    step(f"{label}:step")
    deadline = time.monotonic() + 30
    while until_file and not os.path.exists(until_file):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    did(f"{label}:ended")
    return label.upper()

@task
def killer(label):
    did(label)
    os.kill(os.getpid(), 9)

if __name__ == "__main__":
    from nadi.task_worker import serve
    serve(job, killer)
"""
)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path)
    made.script(JOBS, "jobs.py")
    return made


def ask(place: Place, code: str) -> list[str]:
    """Run a line of Python beside jobs.py; returns what it printed."""
    done = place.run("-c", f"import jobs, nadi.futures; {code}")
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def stop(*workers: subprocess.Popen[str], number: int = signal.SIGTERM) -> None:
    for worker in workers:
        worker.send_signal(number)
    for worker in workers:
        _, err = worker.communicate(timeout=45)
        # One that had not begun to serve yet ends as any program does.
        assert worker.returncode in (0, -number), err


def runs(place: Place) -> list[FlowRun]:
    """The background runs, oldest first."""
    return [run for run in reversed(place.look()) if run.flow in ("job", "killer")]


def all_completed(place: Place, count: int) -> None:
    until(lambda: [run.state_name for run in runs(place)] == ["Completed"] * count)


def test_what_was_asked_for_before_a_worker_came_is_run_and_its_result_found_after_a_restart(place: Place) -> None:
    [id] = ask(place, "print(jobs.job.delay('a').task_run_id)")
    waiting = [run.state_name for run in runs(place)]

    worker = place.start("jobs.py")
    [result] = ask(place, f"print(nadi.futures.background_future('{id}').result(timeout=30))")
    stop(worker)

    assert waiting == ["Scheduled"]
    assert result == "A"
    assert place.did() == ["a:began", "a:step", "a:ended"]


def test_the_command_line_serves_the_tasks_of_a_file(place: Place) -> None:
    worker = place.start("-m", "nadi", "serve", "jobs.py:job", "--limit", "2")
    results = ask(place, "print(*[f.result(timeout=30) for f in [jobs.job.delay(n) for n in 'abc']])")
    stop(worker)
    wrong = place.run("-m", "nadi", "serve", "jobs.py:jobb")
    none = place.run("-m", "nadi", "serve", "nowhere.py")

    assert results == ["A", "B", "C"]
    assert (wrong.returncode, none.returncode) == (2, 2)
    assert "jobs.py has no task 'jobb'. Its tasks are: step, job, killer. Did you mean 'job'?" in wrong.stderr


def test_several_workers_share_the_runs_and_each_is_run_once(place: Place) -> None:
    ask(place, "[jobs.job.delay(f'j{n}') for n in range(20)]")

    workers = [place.start("jobs.py") for _ in range(3)]
    all_completed(place, 20)
    stop(*workers)

    assert sorted(place.did()) == sorted(f"j{n}:{what}" for n in range(20) for what in ("began", "step", "ended"))


def test_what_a_killed_worker_was_running_goes_on_in_the_next_from_its_last_finished_task(place: Place) -> None:
    go = place.folder / "go"
    ask(place, f"jobs.job.delay('a', {str(go)!r})")
    first = place.start("jobs.py")
    until(lambda: "a:step" in place.did())
    second = place.start("jobs.py")

    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    until(lambda: place.did().count("a:began") == 2)
    go.touch()
    all_completed(place, 1)
    stop(second)

    assert place.did() == ["a:began", "a:step", "a:began", "a:ended"]
    assert [run.attempt for run in runs(place)] == [2]


def test_a_run_that_kills_every_worker_ends_crashed_after_bounded_attempts(place: Place) -> None:
    ask(place, "jobs.killer.delay('bang')")

    for _ in range(5):
        worker = place.start("jobs.py")
        worker.communicate(timeout=45)
    last = place.start("jobs.py")
    [told] = ask(place, "print(type(jobs.job.delay('after').result(timeout=30)).__name__)")
    stop(last)

    assert place.did().count("bang") == 5
    assert told == "str"
    assert [run.state_name for run in runs(place)] == ["Crashed", "Completed"]


@pytest.mark.parametrize(("seed", "count"), [(1, 30), pytest.param(2, 400, marks=pytest.mark.soak)])
def test_every_run_ends_completed_however_workers_are_killed(place: Place, seed: int, count: int) -> None:
    chance = random.Random(seed)
    ask(place, f"[jobs.job.delay(f'j{{n}}', delay=0.05) for n in range({count})]")
    workers = [place.start("jobs.py") for _ in range(2)]

    while sum(one.endswith(":ended") for one in place.did()) < count // 2:
        time.sleep(0.2 + 0.3 * chance.random())
        victim = workers.pop(chance.randrange(2))
        os.killpg(victim.pid, signal.SIGKILL)
        victim.communicate()
        workers.append(place.start("jobs.py"))
    all_completed(place, count)
    stop(*workers)

    done = set(place.did())
    assert {f"j{n}:{what}" for n in range(count) for what in ("step", "ended")} <= done


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_is_asked_to_end_finishes_what_it_runs_and_takes_nothing_more(
    place: Place, number: signal.Signals
) -> None:
    go = place.folder / "go"
    ask(place, f"jobs.job.delay('a', {str(go)!r})")
    worker = place.start("jobs.py")
    until(lambda: "a:step" in place.did())

    worker.send_signal(number)
    ask(place, "jobs.job.delay('b')")
    go.touch()
    worker.communicate(timeout=45)

    assert worker.returncode == 0
    assert [run.state_name for run in runs(place)] == ["Completed", "Scheduled"]


def test_a_run_that_waits_can_be_cancelled_from_the_command_line(place: Place) -> None:
    [id] = ask(place, "print(jobs.job.delay('a').task_run_id)")

    why = place.run("-m", "nadi", "why", id)
    cancelled = place.run("-m", "nadi", "cancel", id)
    worker = place.start("jobs.py")
    ask(place, "jobs.job.delay('b').result(timeout=30)")
    stop(worker)

    assert "no worker that serves the task 'job' has claimed it" in why.stdout
    assert cancelled.returncode == 0, cancelled.stderr
    assert "ask for another one with job.delay()" in cancelled.stdout
    assert [run.state_name for run in runs(place)] == ["Cancelled", "Completed"]
