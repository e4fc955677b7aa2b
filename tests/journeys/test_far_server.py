"""Runs that are recorded at a server: as at a local file, and no worse when the server goes away."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nadi.model.runs import RunFilter
from nadi.model.states import StateType
from tests.journeys.far_servers import FarPlace, ServerProcess
from tests.journeys.places import DID, until
from tests.storage.stand_ins import Line

FLOW = (
    DID
    + """
from nadi import get_run_logger

@task
def step(n):
    did(str(n))
    get_run_logger().info("step %d", n)
    return n

@task
def large():
    return b"x" * 100_000

@flow
def pipeline(n: int = 5, wait_at: int = -1):
    import time
    for number in range(n):
        step(number)
        while number == wait_at and not os.path.exists("go"):
            open("waiting", "w").close()
            time.sleep(0.01)
    return len(large())

if __name__ == "__main__":
    print(pipeline(int(sys.argv[1]), int(sys.argv[2])))
"""
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    made = ServerProcess(tmp_path / "server")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def place(tmp_path: Path, server: ServerProcess) -> FarPlace:
    made = FarPlace(tmp_path / "client", server)
    made.script(FLOW)
    return made


def runs(place: FarPlace) -> Any:
    listed = place.nadi("runs", "--json")
    assert listed.returncode == 0, listed.stderr
    return json.loads(listed.stdout)


def steps_recorded(server: ServerProcess) -> int:
    """How many different steps the server's store has as completed."""
    store = server.place.store()
    try:
        roots = store.flow_runs(RunFilter(), limit=100)
        tasks = [task for root in roots for task in store.task_runs(root.id, limit=100_000)]
        done = [task for task in tasks if task.task == "step" and task.state_type is StateType.COMPLETED]
        assert len({task.id for task in done}) == len(done)
        return len(done)
    finally:
        store.close()


def files_of(server: ServerProcess) -> list[Path]:
    """The result files that the server has."""
    return [path for path in (server.place.home / "results").rglob("*") if path.is_file()]


def test_a_flow_and_the_commands_work_at_a_far_server_as_at_a_local_file(
    place: FarPlace, server: ServerProcess
) -> None:
    ran = place.run("pipeline.py", "5", "-1")
    (run,) = runs(place)
    shown = place.nadi("show", run["name"])
    logged = place.nadi("logs", run["name"], "-f")
    why = place.nadi("why", run["id"])

    assert ran.stdout == "100000\n", ran.stderr
    assert run["state"] == "COMPLETED"
    assert re.search(r"step ×5\s+all Completed", shown.stdout)
    assert [f"step {n}" in logged.stdout for n in range(5)] == [True] * 5
    assert "completed" in why.stdout
    assert steps_recorded(server) == 5
    assert len(files_of(server)) == 1
    assert sorted(path.name for path in place.home.iterdir()) == ["journals", "stores"]
    assert place.journals() == []


def test_on_the_servers_own_machine_no_key_is_needed(place: FarPlace, server: ServerProcess) -> None:
    ran = place.run("pipeline.py", "1", "-1", NADI_HOME=str(server.place.home), NADI_API_KEY="")

    assert ran.returncode == 0, ran.stderr
    assert [run["state"] for run in runs(place)] == ["COMPLETED"]


def test_a_run_with_a_wrong_key_does_its_work_and_says_what_is_wrong(place: FarPlace) -> None:
    ran = place.run("pipeline.py", "2", "-1", NADI_API_KEY="nadi_install_wrong", NADI_WAIT_FOR_STORE="0.1")

    assert ran.returncode == 0
    assert ran.stdout == "100000\n"
    assert "does not take the API key" in ran.stderr
    assert "records are not in the store yet" in ran.stderr


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the command openssl makes the certificate")
def test_a_server_with_a_certificate_of_its_own_is_trusted_where_that_is_said_and_nowhere_else(tmp_path: Path) -> None:
    made = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    files = ("-keyout", "key.pem", "-out", "own.pem", "-days", "2", "-subj", "/CN=nadi")
    name = ("-addext", "subjectAltName=IP:127.0.0.1")
    subprocess.run([*made, *files, *name], cwd=tmp_path, check=True, capture_output=True)
    own = str(tmp_path / "own.pem")
    server = ServerProcess(tmp_path / "server", "--certificate", own, "--certificate-key", str(tmp_path / "key.pem"))
    server.start()
    place = FarPlace(tmp_path / "client", server)
    place.script(FLOW)

    told = place.run("pipeline.py", "1", "-1", SSL_CERT_FILE=own)
    untold = place.run("pipeline.py", "1", "-1", NADI_WAIT_FOR_STORE="0.1")
    listed = place.nadi("runs", "--json", SSL_CERT_FILE=own)
    server.stop()

    assert told.stdout == untold.stdout == "100000\n"
    assert told.stderr.count("WARNING") == 0
    assert "is not trusted: self-signed certificate" in untold.stderr
    assert [run["state"] for run in json.loads(listed.stdout)] == ["COMPLETED", "COMPLETED"]  # delivered by the command


def test_a_run_that_was_killed_is_resumed_from_what_the_server_has(place: FarPlace, server: ServerProcess) -> None:
    killed = place.start("pipeline.py", "6", "3")
    until((place.folder / "waiting").exists)  # then the fourth step is finished, and that is appended
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    (run,) = runs(place)
    (place.folder / "go").touch()

    resumed = place.nadi("resume", run["id"])

    assert run["state"] == "CRASHED"
    assert resumed.returncode == 0, resumed.stderr
    assert [run["state"] for run in runs(place)] == ["COMPLETED"]
    assert place.did() == ["0", "1", "2", "3", "4", "5"]
    assert steps_recorded(server) == 6


def test_a_run_is_cancelled_through_the_server(place: FarPlace) -> None:
    running = place.start("pipeline.py", "6", "1")
    until(lambda: len(place.did()) == 2)
    (run,) = runs(place)

    cancelled = place.nadi("cancel", run["name"])

    running.communicate(timeout=30)
    assert cancelled.returncode == 0, cancelled.stderr
    assert [run["state"] for run in runs(place)] == ["CANCELLED"]


@pytest.mark.soak
def test_a_server_that_is_killed_while_eight_flows_report_to_it_loses_and_doubles_nothing(
    place: FarPlace, server: ServerProcess
) -> None:
    flows = [place.start("pipeline.py", "50", "30") for _ in range(8)]
    until(lambda: len(place.did()) >= 150)
    server.kill()
    until(lambda: len(place.did()) == 8 * 31)  # all have come to where they wait, some without a server
    (place.folder / "go").touch()
    until(lambda: len(place.did()) == 8 * 50)
    server.start()

    ended = [process.communicate(timeout=45) for process in flows]

    assert [out for out, _ in ended] == ["100000\n"] * 8, ended
    assert [run["state"] for run in runs(place)] == ["COMPLETED"] * 8
    assert steps_recorded(server) == len(place.did()) == 400
    assert len(files_of(server)) == 8
    assert place.journals() == []


@pytest.mark.parametrize("in_a_row", [pytest.param(1, marks=pytest.mark.soak), 3])
def test_answers_that_are_lost_after_their_commit_lose_and_double_nothing(
    place: FarPlace, server: ServerProcess, in_a_row: int
) -> None:
    line = Line(server.port)
    line.pattern = [*[True] * in_a_row, False]

    ran = place.run("pipeline.py", "60", "-1", NADI_API_URL=line.url)

    line.close()
    assert ran.stdout == "100000\n", ran.stderr
    assert line.lost >= 3
    assert [run["state"] for run in runs(place)] == ["COMPLETED"]
    assert steps_recorded(server) == len(place.did()) == 60


def test_a_run_that_begins_and_ends_while_the_server_is_away_is_delivered_by_the_next_command(
    place: FarPlace, server: ServerProcess
) -> None:
    place.run("pipeline.py", "1", "-1")
    key = server.key
    server.stop()

    away = place.run("pipeline.py", "7", "-1", NADI_WAIT_FOR_STORE="0.1", NADI_API_KEY=key)
    waiting = place.journals()
    unseen = place.nadi("runs")
    server.start()

    assert away.stdout == "100000\n"
    assert "cannot be reached" in away.stderr
    assert "the next nadi command delivers them" in away.stderr
    assert len(waiting) == 1
    assert unseen.returncode == 3
    assert [run["state"] for run in runs(place)] == ["COMPLETED", "COMPLETED"]
    assert steps_recorded(server) == 8
    assert len(files_of(server)) == 2
    assert [path for path in place.home.rglob("unsent/*") if path.is_file()] == []
    assert place.journals() == []


def test_a_home_that_never_saw_the_server_delivers_to_it_once_it_is_there(
    place: FarPlace, server: ServerProcess
) -> None:
    key = server.key
    server.stop()

    away = place.run("pipeline.py", "3", "-1", NADI_WAIT_FOR_STORE="0.1", NADI_API_KEY=key)
    server.start()

    assert away.returncode == 0
    assert [run["state"] for run in runs(place)] == ["COMPLETED"]
    assert steps_recorded(server) == 3


def test_tasks_of_other_processes_keep_their_results_at_the_server(place: FarPlace, server: ServerProcess) -> None:
    place.script(
        """
        from nadi import flow, task

        @task
        def inner():
            return b"y" * 50_000

        @task
        def outer():
            return len(inner())

        @flow(executor="process")
        def nested():
            return outer.submit().result()

        if __name__ == "__main__":
            print(nested())
        """,
        "nested.py",
    )

    ran = place.run("nested.py")

    assert ran.stdout == "50000\n", ran.stderr
    store = server.place.store()
    (root,) = store.flow_runs(RunFilter(), limit=10)
    kept = {task.task: task.result.kind for task in store.task_runs(root.id) if task.result is not None}
    store.close()
    assert kept == {"outer": "inline", "inner": "file"}


ASKING = (
    DID
    + """
@task
def double(n):
    return n * 2

if __name__ == "__main__":
    asked = double.delay(21)
    did("asked")
    print(asked.result(timeout=40))
"""
)


def test_who_waits_for_a_background_run_waits_on_while_the_server_is_away(
    place: FarPlace, server: ServerProcess
) -> None:
    script = place.script(ASKING, "asking.py")
    asking = place.start(script)
    until(lambda: place.did() == ["asked"])

    server.kill()
    server.start()
    worker = place.start("-m", "nadi", "serve", script)
    told, said = asking.communicate(timeout=45)
    worker.terminate()
    worker.communicate(timeout=30)

    assert told == "42\n", said
    assert "cannot be looked up now" in said


def test_limits_cache_and_pauses_hold_through_the_server(place: FarPlace, server: ServerProcess) -> None:
    place.script(
        DID
        + """
from nadi.cache_policies import INPUTS
from nadi.concurrency.sync import concurrency
from nadi.flow_runs import suspend_flow_run

@task(cache_policy=INPUTS)
def cached(n):
    did("computed")
    return b"z" * 50_000

@task
def limited(n):
    with concurrency("database"):
        did("in")
        did("out")
    return n

@flow
def asks():
    for future in [limited.submit(n) for n in range(6)]:
        future.result()
    return len(cached(1)) + suspend_flow_run(wait_for_input=int, timeout=600)

if __name__ == "__main__":
    print(asks())
""",
        "asks.py",
    )
    place.nadi("limits", "set", "database", "1")

    suspended = place.run("asks.py")
    answered = place.nadi("resume", runs(place)[0]["id"], "--input", "value=41", "--json")
    again = place.run("asks.py")

    assert suspended.returncode == 0, suspended.stderr
    assert json.loads(answered.stdout)["state"] == "COMPLETED", answered.stderr
    assert [run["state"] for run in runs(place)] == ["PAUSED", "COMPLETED"], again.stderr
    assert place.did() == [*["in", "out"] * 6, "computed", *["in", "out"] * 6]
    assert [limit["used"] for limit in json.loads(place.nadi("limits", "ls", "--json").stdout)] == [0]
