"""Is it alive? Who may call a run dead, and when."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from nadi.model.holders import Holder
from nadi.model.states import StateType
from tests.journeys.places import DID, Place, until

WAITING = (
    DID
    + """
import time

@flow
def pipeline():
    did("begun")
    time.sleep(60)

if __name__ == "__main__":
    pipeline()
"""
)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_run_whose_process_lives_is_not_called_dead_even_when_it_is_frozen(place: Place) -> None:
    process = place.start(place.script(WAITING))
    until(lambda: bool(place.did()) and bool(place.look()))
    process.send_signal(signal.SIGSTOP)

    [run] = place.look()
    refused = place.resume(run.id)

    process.kill()
    process.communicate()
    assert run.state_type is StateType.RUNNING
    assert refused.returncode == 1
    assert f"process {process.pid}" in refused.stderr.strip().splitlines()[-1]


def test_a_run_whose_process_died_is_called_crashed_by_the_next_one_that_looks(place: Place) -> None:
    process = place.start(place.script(WAITING))
    until(lambda: bool(place.did()))

    process.kill()
    process.communicate()
    [run] = place.look()

    assert run.state_type is StateType.CRASHED
    assert Holder.decode(run.holder).pid == process.pid


def test_a_run_whose_journal_could_not_be_written_is_called_crashed_by_its_pid(place: Place) -> None:
    place.home.mkdir()
    (place.home / "journals").write_text("not a folder")
    process = place.start(place.script(WAITING))
    until(lambda: bool(place.did()) and (place.home / "nadi.db").exists() and bool(runs(place)))

    process.kill()
    process.communicate()
    (place.home / "journals").unlink()
    [run] = place.look()

    assert run.state_type is StateType.CRASHED


def runs(place: Place) -> int:
    store = place.store()
    try:
        return store.counts()["flow_runs"]
    finally:
        store.close()
