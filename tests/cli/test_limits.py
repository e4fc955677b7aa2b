"""`nadi limits`, and what `nadi why` says of limits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from nadi import flow, task
from nadi.cli.main import main
from nadi.concurrency import set_limit
from nadi.concurrency.sync import concurrency, rate_limit
from nadi.engine import recording
from nadi.engine.explaining import explain
from nadi.model.runs import RunFilter
from nadi.storage.home import this_holder
from tests.conftest import Recorded


@pytest.fixture(autouse=True)
def _recorder_of_its_own(home: Path) -> Iterator[None]:
    """Runs of these tests are made in this process, and recorded in the home of the test."""
    recording.close()
    yield
    assert recording.close() == ""


def test_limits_are_set_listed_and_removed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["limits", "ls"]) == 0
    assert "There is no limit" in capsys.readouterr().out
    assert main(["limits", "set", "database", "5"]) == 0
    assert main(["limits", "set", "api", "10", "--decay", "2"]) == 0
    capsys.readouterr()

    assert main(["limits", "ls", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    removed = main(["limits", "rm", "api"])
    again = main(["limits", "rm", "api"])

    assert [(one["name"], one["slots"], one["decay"], one["used"]) for one in listed] == [
        ("api", 10, 2.0, 0),
        ("database", 5, 0.0, 0),
    ]
    assert (removed, again) == (0, 2)


def test_the_list_says_who_holds_slots(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    set_limit("database", 2)
    set_limit("api", 4, slot_decay_per_second=0.001)
    rate_limit("api")

    @flow(flow_run_name="nightly")
    def pipeline() -> None:
        with concurrency("database"):
            recording.recorder().barrier()
            assert main(["limits", "ls"]) == 0

    pipeline()

    told = capsys.readouterr().out
    assert "1 of 2" in told
    assert "nightly (process" in told
    assert "0.001 a second, 1.0 used up" in told


def test_why_says_which_limit_is_waited_for_and_who_holds_it(recorded: Recorded) -> None:
    set_limit("database", 1)
    told: list[str] = []

    @task(task_run_name="load")
    def load() -> None:
        with concurrency("database"):
            pass

    @flow(flow_run_name="nightly")
    def pipeline() -> None:
        with concurrency("database", holder="the importer"):
            future = load.submit()
            store = recorded.store
            while sum(not one.held for one in store.limits.claims()) < 1:
                pass
            [run] = store.flow_runs(RunFilter(), limit=1)
            told.extend(explain(store, run, observer=this_holder("reader"), now=0.0).told)
        future.result()

    pipeline()

    assert any(
        "load has been waiting for 1 slot of the limit 'database' for" in line
        and "1 of 1 is taken, by the importer (process" in line
        for line in told
    ), told


def test_a_limit_that_cannot_be_is_one_sentence(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["limits", "set", "", "1"]) == 2
    assert main(["limits", "set", "a", "-1"]) == 2
