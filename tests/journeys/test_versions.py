"""Several versions of Nadi share one home: who may write, who waits, and that nothing is lost meanwhile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import apsw
import pytest

from nadi.storage.schema import SCHEMA_VERSION
from tests.journeys.places import Place
from tests.storage.old_databases import old_database
from tests.storage.processes import holder_of, other_process

SCRIPT = """
from nadi import flow, task

@task
def double(x):
    return 2 * x

@flow
def pipeline():
    return sum(double(x) for x in range(5))

print(pipeline())
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.home.mkdir()
    return place


def alter(place: Place, *statements: str) -> None:
    connection = apsw.Connection(str(place.home / "nadi.db"))
    for statement in statements:
        connection.execute(statement)
    connection.close()


def runs(place: Place) -> list[dict[str, Any]]:
    listed = place.run("-m", "nadi", "runs", "--json")
    assert listed.returncode == 0, listed.stderr
    found: list[dict[str, Any]] = json.loads(listed.stdout)
    return found


def test_an_older_program_goes_on_writing_to_a_database_of_a_newer_one(place: Place) -> None:
    script = place.script(SCRIPT)
    place.run(script)
    alter(
        place,
        "UPDATE meta SET schema_version = 99",
        "ALTER TABLE task_run ADD COLUMN later TEXT NOT NULL DEFAULT ''",
        "CREATE TABLE later (n INTEGER)",
    )

    done = place.run(script)

    assert (done.returncode, done.stdout) == (0, "20\n")
    assert [run["tasks"] for run in runs(place)] == [{"completed": 5}] * 2


def test_a_program_too_old_runs_its_flow_keeps_its_journal_and_says_what_to_upgrade(place: Place) -> None:
    script = place.script(SCRIPT)
    place.run(script)
    alter(place, f"UPDATE meta SET schema_version = 99, oldest_writer = {SCHEMA_VERSION + 1}")

    done = place.run(script, NADI_WAIT_FOR_STORE="0.1")
    listed = place.run("-m", "nadi", "runs")

    assert (done.returncode, done.stdout) == (0, "20\n")
    assert "Upgrade with `pip install -U nadi`" in done.stderr
    assert "records are not in the store yet" in done.stderr
    assert (listed.returncode, "Upgrade with" in listed.stderr) == (3, True)
    # Somebody with a newer program looks: here the same one, which the database accepts again.
    alter(place, "UPDATE meta SET oldest_writer = 1")
    assert [run["tasks"] for run in runs(place)] == [{"completed": 5}] * 2


def test_a_flow_that_finds_a_database_to_upgrade_in_use_runs_and_is_recorded_afterwards(place: Place) -> None:
    script = place.script(SCRIPT)
    with other_process("input()") as older:
        old_database(place.home / "nadi.db", 5, holder=holder_of(older).encode())

        done = place.run(script, NADI_WAIT_FOR_STORE="0.1")

    assert (done.returncode, done.stdout) == (0, "20\n")
    assert f"brought from schema 5 to {SCHEMA_VERSION}, but there are live runs: run-3 (process" in done.stderr
    assert "the next nadi command delivers them" in done.stderr
    found = {run["name"]: run["state"] for run in runs(place)}
    assert len(found) == 4
    assert found.pop("run-3") == "CRASHED"
    assert set(found.values()) == {"COMPLETED"}
