"""Flows that record into a real PostgreSQL: many processes at once, a restart, a run killed and resumed."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from nadi.model.runs import FlowRun, RunFilter
from nadi.model.states import StateType
from nadi.storage.postgres import PostgresStore
from tests.journeys.places import DID, Place, until
from tests.postgres import server

TASKS = 200

#: Half of the tasks, a wait for somebody to say "go", and the other half.
HALVES = (
    DID
    + """
import time
from nadi import get_run_logger

@task
def work(label, n):
    get_run_logger().info("working on %d", n)
    did(f"{label}-{n}")
    return n

@task
def wait_for(path):
    did("waiting")
    deadline = time.monotonic() + 40
    while not os.path.exists(path):
        assert time.monotonic() < deadline
        time.sleep(0.01)

@flow
def pipeline(label, tasks):
    done = [work(label, n) for n in range(tasks // 2)]
    wait_for("go")
    return sum(done) + sum(work(label, n) for n in range(tasks // 2, tasks))

if __name__ == "__main__":
    print(pipeline(sys.argv[1], int(sys.argv[2])))
"""
)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return server().fresh(tmp_path)


@pytest.fixture
def place(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("NADI_DATABASE_URL", url)
    monkeypatch.setenv("NADI_WAIT_FOR_STORE", "40")
    return Place(tmp_path)


@pytest.fixture
def store(url: str) -> Iterator[PostgresStore]:
    made = PostgresStore(url)
    yield made
    made.close()


@pytest.fixture
def running_again() -> Iterator[None]:
    """However a test ends, the server runs afterwards."""
    yield
    server().restart()


def newest(place: Place) -> str:
    """The id of the newest run, when what killed processes left is delivered."""
    listed = place.run("-m", "nadi", "runs", "--json")
    assert listed.returncode == 0, listed.stderr
    return str(json.loads(listed.stdout)[0]["id"])


def whole(store: PostgresStore, run: FlowRun) -> tuple[Counter[str], list[str]]:
    """What is recorded of a run's tasks named `work`: states, and the log lines in order."""
    tasks = [task for task in store.task_runs(run.id, limit=10_000) if task.task == "work"]
    lines = [line.text for line in store.logs(run.id, limit=10_000) if line.text.startswith("working on")]
    return Counter(task.state_type.value for task in tasks), lines


@pytest.mark.usefixtures("running_again")
@pytest.mark.parametrize("crash", [pytest.param(False, marks=pytest.mark.soak), True], ids=["stopped", "crashed"])
def test_a_database_that_is_away_in_the_middle_costs_no_run_anything(place: Place, url: str, crash: bool) -> None:
    script = place.script(HALVES)
    labels = ["a", "b", "c", "d"]
    flows = [place.start(script, label, str(TASKS)) for label in labels]
    until(lambda: place.did().count("waiting") == 4)

    server().stop(crash=crash)
    (place.folder / "go").touch()
    until(lambda: len(place.did()) > 4 + 4 * TASKS * 3 / 4)
    server().start()
    ended = [flow.communicate(timeout=50) for flow in flows]

    assert [flow.returncode for flow in flows] == [0] * 4, ended
    assert {out for out, _ in ended} == {f"{sum(range(TASKS))}\n"}
    store = PostgresStore(url)
    runs = store.flow_runs(RunFilter(), limit=10)
    assert [run.state_type for run in runs] == [StateType.COMPLETED] * 4
    for run in runs:
        states, lines = whole(store, run)
        assert states == {"COMPLETED": TASKS}
        assert lines == [f"working on {n}" for n in range(TASKS)]
        assert run.task_counts == {"COMPLETED": TASKS + 1}
    store.close()
    assert Counter(place.did()) == Counter([f"{label}-{n}" for label in labels for n in range(TASKS)] + 4 * ["waiting"])
    assert place.journals() == []


def test_a_flow_that_was_killed_is_resumed_where_it_stopped(place: Place, store: PostgresStore) -> None:
    script = place.script(HALVES)
    flow = place.start(script, "a", str(TASKS))
    until(lambda: "waiting" in place.did())

    os.killpg(flow.pid, signal.SIGKILL)
    flow.communicate()
    (place.folder / "go").touch()
    resumed = place.run("-m", "nadi", "resume", newest(place))

    (run,) = store.flow_runs(RunFilter(), limit=10)
    states, lines = whole(store, run)
    assert resumed.returncode == 0, resumed.stderr
    assert (run.state_type, run.attempt, run.token) == (StateType.COMPLETED, 2, 2)
    assert states == {"COMPLETED": TASKS}
    assert lines == [f"working on {n}" for n in range(TASKS)]
    # The task in flight when the process was killed is the only one that ran twice.
    assert Counter(place.did()) == Counter([f"a-{n}" for n in range(TASKS)] + 2 * ["waiting"])
    assert place.journals() == []


def test_of_two_who_resume_one_run_at_once_one_does(place: Place, store: PostgresStore) -> None:
    script = place.script(HALVES)
    flow = place.start(script, "a", "20")
    until(lambda: "waiting" in place.did())
    os.killpg(flow.pid, signal.SIGKILL)
    flow.communicate()
    (place.folder / "go").touch()
    run = newest(place)

    both = [place.start("-m", "nadi", "resume", run) for _ in range(2)]
    told = [one.communicate(timeout=45) for one in both]

    assert sorted(one.returncode for one in both)[0] == 0, told
    assert Counter(place.did()) == Counter([f"a-{n}" for n in range(20)] + 2 * ["waiting"])
    found = store.flow_run(run)
    assert found is not None
    assert (found.state_type, found.attempt, found.token) == (StateType.COMPLETED, 2, 2)
