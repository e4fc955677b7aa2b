"""The reaper and real processes: killed, stopped, busy in C; seen from this machine and as if from another one."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nadi.model.holders import Holder
from nadi.model.runs import FlowRun, RunFilter
from nadi.model.states import StateType
from nadi.services.reaper import Reaper
from nadi.storage.contract import Store
from nadi.storage.home import Home, this_holder
from nadi.storage.opening import open_store
from tests.journeys.places import DID, Place
from tests.postgres import server
from tests.storage.telling import T0, Writer, an_id, flow_begun

S = StateType
#: Of the leases of these tests; 300 s in real life.
TERM = 2.0
#: Somebody on another machine, who cannot look up any process of this one.
ELSEWHERE = Holder(writer="elsewhere", host="elsewhere", pid=1, started=1, boot="another boot", namespace="pid:[1]")

#: Does a first task, waits until it is told to go on, and does a second one.
TWO_STEPS = """
    import time
    from pathlib import Path

    @task
    def step(label):
        did(label)

    @flow
    def two_steps():
        step("first")
        while not Path("go").exists():
            time.sleep(0.01)
        step("second")

    two_steps()
"""

#: The same, and between the two it holds the interpreter lock for some seconds, in which no other thread runs.
BUSY_IN_C = """
    import ctypes, time

    @task
    def step(label):
        did(label)

    @flow
    def busy_in_c(seconds):
        step("first")
        time.sleep(0.6)
        ctypes.PyDLL(None).usleep(ctypes.c_uint(int(seconds * 1e6)))
        step("second")

    busy_in_c(float(sys.argv[1]))
"""


class Scene:
    """A store, flows that record into it, and reapers here and elsewhere."""

    def __init__(self, folder: Path, url: str) -> None:
        self.place = Place(folder)
        Home(self.place.home).ensure(self.place.home)
        self.url = url
        self.store: Store = open_store(url, home=self.place.home)
        self.here = Reaper(self.store, Home(self.place.home), this_holder("here"), term=TERM)
        self.elsewhere = Reaper(self.store, Home(folder / "elsewhere"), ELSEWHERE, term=TERM)
        self._started: list[subprocess.Popen[str]] = []

    def start(self, text: str, *arguments: str) -> subprocess.Popen[str]:
        script = self.place.folder / "pipeline.py"
        self.place.script(DID)
        script.write_text(script.read_text() + "\n".join(line[4:] for line in text.splitlines()))
        more = {"NADI_DATABASE_URL": self.url} if self.url else {}
        process = self.place.start(script, *arguments, NADI_LEASE_TERM=str(TERM), **more)
        self._started.append(process)
        return process

    def go(self) -> None:
        (self.place.folder / "go").touch()

    @property
    def runs(self) -> list[FlowRun]:
        return self.store.flow_runs(RunFilter(), limit=100)

    def state(self) -> StateType | None:
        runs = self.runs
        return runs[0].state_type if runs else None

    def renewals(self) -> int:
        return sum(lease.renewals for lease in self.store.leases.leases())

    def look_until(self, reaper: Reaper, condition: Callable[[], bool], seconds: float = 40.0) -> None:
        """Let a reaper look as often as it asks for, until something is so."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"it did not happen in time; the run is {self.state()}"
            time.sleep(min(0.1, reaper.step(time.monotonic())))

    def look_for(self, reaper: Reaper, seconds: float) -> None:
        """Let a reaper look for a while."""
        end = time.monotonic() + seconds
        self.look_until(reaper, lambda: time.monotonic() >= end)

    def end(self) -> None:
        for process in self._started:
            if process.poll() is None:
                process.kill()
            if process.stderr is not None and not process.stderr.closed:
                process.communicate()
        self.store.close()


@pytest.fixture(params=["sqlite", "postgres"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path, "" if request.param == "sqlite" else server().fresh(owner=tmp_path))
    yield made
    made.end()


def ended(process: subprocess.Popen[str]) -> str:
    """Wait for the end of a process; returns what it wrote to standard error."""
    _, err = process.communicate(timeout=45)
    return err


def test_a_killed_process_is_found_at_the_next_look_from_its_own_machine(scene: Scene) -> None:
    process = scene.start(TWO_STEPS)
    scene.look_until(scene.here, lambda: scene.place.did() == ["first"] and scene.state() is S.RUNNING)

    process.kill()
    ended(process)
    scene.here.step(time.monotonic())

    assert scene.state() is S.CRASHED
    assert "Its process ended without finishing it" in scene.runs[0].message


def test_a_killed_process_is_found_from_elsewhere_when_its_term_is_over(scene: Scene) -> None:
    process = scene.start(TWO_STEPS)
    scene.look_until(scene.elsewhere, lambda: scene.renewals() >= 2)

    process.kill()
    ended(process)
    killed = time.monotonic()
    scene.look_until(scene.elsewhere, lambda: scene.state() is S.CRASHED)

    assert time.monotonic() - killed >= 0.5 * TERM
    assert "Nothing was heard of its process for 2 s" in scene.runs[0].message
    assert scene.store.leases.leases() == []


def test_a_process_busy_in_c_for_longer_than_a_term_is_seen_to_live_from_its_own_machine(scene: Scene) -> None:
    process = scene.start(BUSY_IN_C, str(2 * TERM))

    scene.look_until(scene.here, lambda: process.poll() is not None)

    assert process.returncode == 0, ended(process)
    assert scene.place.did() == ["first", "second"]
    assert scene.state() is S.COMPLETED


def test_a_process_busy_in_c_for_less_than_a_term_is_not_given_up_from_elsewhere(scene: Scene) -> None:
    process = scene.start(BUSY_IN_C, str(0.4 * TERM))

    scene.look_until(scene.elsewhere, lambda: process.poll() is not None)

    assert process.returncode == 0, ended(process)
    assert scene.state() is S.COMPLETED


def test_a_process_that_was_stopped_for_less_than_its_term_goes_on(scene: Scene) -> None:
    process = scene.start(TWO_STEPS)
    scene.look_until(scene.elsewhere, lambda: scene.renewals() >= 2)

    os.kill(process.pid, signal.SIGSTOP)
    scene.look_for(scene.elsewhere, 0.4 * TERM)
    os.kill(process.pid, signal.SIGCONT)
    scene.go()
    scene.look_until(scene.elsewhere, lambda: process.poll() is not None)

    assert process.returncode == 0, ended(process)
    assert scene.place.did() == ["first", "second"]
    assert scene.state() is S.COMPLETED


def test_a_process_that_was_stopped_for_longer_is_fenced_and_changes_nothing_when_it_wakes(scene: Scene) -> None:
    process = scene.start(TWO_STEPS)
    scene.look_until(scene.elsewhere, lambda: scene.renewals() >= 2)

    os.kill(process.pid, signal.SIGSTOP)
    scene.look_until(scene.elsewhere, lambda: scene.state() is S.CRASHED)
    crashed = scene.runs[0]
    scene.go()
    os.kill(process.pid, signal.SIGCONT)
    err = ended(process)

    assert process.returncode == 1
    assert "was given up: nothing was heard of its process" in err
    assert scene.place.did() == ["first"]
    assert len(scene.store.task_runs(crashed.id)) == 1
    assert (scene.state(), scene.runs[0].message, scene.runs[0].ended) == (S.CRASHED, crashed.message, crashed.ended)


def test_a_process_gives_its_lease_back_at_its_end(scene: Scene) -> None:
    process = scene.start(TWO_STEPS)
    scene.look_until(scene.elsewhere, lambda: scene.renewals() >= 2)

    scene.go()
    err = ended(process)

    assert process.returncode == 0, err
    assert scene.store.leases.leases() == []


@pytest.mark.parametrize("runs", [1_000, pytest.param(10_000, marks=pytest.mark.soak)])
def test_the_open_runs_of_dead_processes_are_recovered_by_one_look(scene: Scene, runs: int) -> None:
    dead = Holder("dead", ELSEWHERE.host, 1, 1, scene.here._observer.boot, scene.here._observer.namespace).encode()
    writer = Writer(scene.store)
    for first in range(0, runs, 1000):
        writer.tell(*(flow_begun(an_id(n), holder=dead, at=T0 + n) for n in range(first, first + 1000)))

    before = time.monotonic()
    scene.here.step(before)
    took = time.monotonic() - before

    print(f"\n{runs} open runs recovered in {took:.2f} s")
    assert scene.store.flow_runs(RunFilter(states=(S.RUNNING,)), limit=10) == []
