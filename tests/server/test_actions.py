"""What is done to runs through the API: started, cancelled, answered, resumed, run again from a task, deleted.

The runs are real: each is made by a process of its own, in the home of the server.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nadi.model.ids import uuid7
from nadi.model.sources import RunSource
from nadi.storage.contract import Store
from nadi.storage.home import process_start
from nadi.storage.locks import lock_while_open
from nadi.storage.postgres.store import PostgresStore
from nadi.storage.printed import MOST_PRINTED, MOST_SHOWN
from nadi.storage.sqlite import SqliteStore
from tests import postgres
from tests.server.conftest import Serve
from tests.server.serving import Answer, Client, Served, wait_until
from tests.storage.telling import S, Writer, an_id, flow_begun, flow_moved, task_begun

SCRIPT = '''
import signal
import time
from pathlib import Path

from nadi import Secret, flow, pause_flow_run, suspend_flow_run, task

HERE = Path(__file__).parent


def did(what):
    with (HERE / "did.txt").open("a") as file:
        file.write(what + "\\n")


@task
def load(rows: int) -> list[int]:
    did(f"load {rows}")
    return list(range(rows))


@task
def train(rows: list[int]) -> int:
    did("train")
    if not (HERE / "disk").exists():
        raise OSError("no disk")
    return sum(rows)


@flow
def pipeline(rows: int = 3) -> int:
    return train(load(rows))


@flow
def waiting(stubborn: bool = False) -> None:
    """Runs until it is told to go on; stubborn, it cannot be interrupted either."""
    if stubborn:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGTERM])
    did("waiting")
    deadline = time.monotonic() + 50
    while not (HERE / "go").exists() and time.monotonic() < deadline:
        time.sleep(0.02)


@flow
def asking() -> str:
    did("asking")
    return pause_flow_run(wait_for_input=str, timeout=50)


@flow
def entering(token: Secret[str] = "") -> None:
    did("entering")


@flow
def reading(file: Path = HERE / "here.txt") -> str:
    did(f"reading {file.name}")
    return file.name


@flow
def suspending() -> str:
    return suspend_flow_run(wait_for_input=str)
'''


#: Put before it: code that takes long to load.
LOADS_SLOWLY = """
import time
from pathlib import Path

(Path(__file__).parent / "loading").touch()
deadline = time.monotonic() + 50
while not (Path(__file__).parent / "go").exists() and time.monotonic() < deadline:
    time.sleep(0.02)
"""


@dataclass
class Place:
    """A server over the default database of its home, and a script beside it."""

    served: Served
    folder: Path
    environment: dict[str, str]

    @property
    def client(self) -> Client:
        return self.served.client

    @property
    def script(self) -> Path:
        return self.folder / "flows.py"

    def did(self) -> list[str]:
        file = self.folder / "did.txt"
        return file.read_text().splitlines() if file.exists() else []

    def run(self, flow: str, *options: str) -> dict[str, Any]:
        """Run a flow as a person does, and return the finished run."""
        words = [sys.executable, "-m", "nadi", "run", *options, "--json", f"flows.py:{flow}"]
        done = subprocess.run(
            words, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=50, check=False
        )
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def state(self, run: str) -> str:
        return str(self.client.get(f"/api/flow-runs/{run}").json()["state"])

    def wait_for(self, run: str, *states: str) -> dict[str, Any]:
        """Wait until a run is in one of these states, and return it."""
        wait_until(lambda: self.state(run) in states)
        found: dict[str, Any] = self.client.get(f"/api/flow-runs/{run}").json()
        return found

    def act(self, run: str, action: str, body: Any = None) -> Answer:
        return self.client.post(f"/api/flow-runs/{run}/{action}", body if body is not None else {})

    def start(self, flow: str, **body: Any) -> str:
        answer = self.client.post("/api/flow-runs", {"flow": flow, **body})
        assert answer.status == 202, answer.body
        return str(answer.json()["id"])


@pytest.fixture(params=["sqlite"])
def place(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Place]:
    home, folder = tmp_path / "server-home", tmp_path / "work"
    home.mkdir(mode=0o700)
    folder.mkdir()
    (folder / "flows.py").write_text(SCRIPT)
    monkeypatch.setenv("NADI_LOG_TO_CONSOLE", "false")
    store: Store = SqliteStore(home / "nadi.db")
    if request.param == "postgres":
        url = postgres.server().fresh(tmp_path)
        monkeypatch.setenv("NADI_DATABASE_URL", url)
        store = PostgresStore(url)
    served = serve(store)
    yield Place(served, folder, {**os.environ, "NADI_HOME": str(home)})
    (folder / "go").touch()
    wait_until(lambda: not served.context.launcher.running())
    served.stop()
    store.close()


def refused(answer: Answer, status: int, error: str) -> str:
    assert (answer.status, answer.json()["error"]) == (status, error), answer.body
    return str(answer.json()["detail"])


# -- start --


@pytest.mark.parametrize("place", ["sqlite", "postgres"], indirect=True)
def test_a_flow_that_ran_before_is_started_with_parameters_name_and_tags(place: Place) -> None:
    (place.folder / "disk").touch()
    place.run("pipeline")

    answer = place.client.post(
        "/api/flow-runs", {"flow": "pipeline", "parameters": {"rows": 5}, "name": "by-hand", "tags": ["api"]}
    )
    run = place.wait_for(answer.json()["id"], "COMPLETED", "FAILED", "CRASHED")

    assert answer.status == 202
    assert answer.json()["state"] == "SCHEDULED"
    assert (run["state"], run["name"], run["tags"], run["attempt"]) == ("COMPLETED", "by-hand", ["api"], 1)
    assert run["parameters"] == {"rows": 5}
    assert place.did() == ["load 3", "train", "load 5", "train"]


def test_a_flow_is_started_again_with_what_a_run_was_given_also_where_json_cannot_hold_it(place: Place) -> None:
    first = place.run("reading", "-p", "file=/data/there.txt")["id"]

    answer = place.client.post("/api/flow-runs", {"flow": "reading", "again": first})
    run = place.wait_for(answer.json()["id"], "COMPLETED", "FAILED", "CRASHED")

    assert answer.status == 202
    assert run["state"] == "COMPLETED"
    assert run["parameters"] == place.client.get(f"/api/flow-runs/{first}").json()["parameters"]
    assert place.did() == ["reading there.txt", "reading there.txt"]


def test_a_flow_is_started_with_parameters_or_with_those_of_a_run_of_it(place: Place) -> None:
    first = place.run("reading")["id"]
    place.run("entering")

    both = place.client.post("/api/flow-runs", {"flow": "reading", "again": first, "parameters": {"file": "/x"}})
    other = place.client.post("/api/flow-runs", {"flow": "entering", "again": first})

    assert "not both" in refused(both, 422, "ValueRefused")
    assert f"Run {first} is no outermost run of flow 'entering'" in refused(other, 422, "ValueRefused")
    refused(place.client.post("/api/flow-runs", {"flow": "reading", "again": "0199"}), 404, "RunNotFound")


def test_what_a_launched_process_printed_and_how_it_ended_is_told(place: Place) -> None:
    (place.folder / "disk").touch()
    place.run("pipeline")
    run = place.start("pipeline")
    place.wait_for(run, "COMPLETED")

    wait_until(lambda: place.client.get(f"/api/flow-runs/{run}/launch").json()["status"] is not None)
    launch = place.client.get(f"/api/flow-runs/{run}/launch").json()

    assert launch["status"] == 0
    assert launch["command"][1:] == ["-m", "nadi", "resume", "--if-state=SCHEDULED", "--", run]
    assert "Completed" in launch["output"]
    assert process_start(launch["pid"]) == 0  # no zombie either
    file = place.served.context.home.path / "launched" / f"{run}.log"
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/flow-runs", {"flow": "pipeline", "params": {"rows": 5}}),
        ("POST", "/api/flow-runs/x/cancel", {"forced": True}),
        ("POST", "/api/flow-runs/x/resume", {"inputs": 1}),
        ("POST", "/api/flow-runs/x/retry", {"task_run": "x", "all": True}),
        ("PUT", "/api/concurrency-limits/x", {"slots": 1, "rate": 2}),
        ("PUT", "/api/variables/x", {"value": 1, "tag": "a"}),
        ("PUT", "/api/retention/rules", {"age": 1, "flows": "x"}),
    ],
)
def test_a_field_that_an_action_does_not_know_is_refused(server: Served, method: str, path: str, body: Any) -> None:
    answer = server.client.request(method, path, json=body)

    assert "unknown field" in refused(answer, 422, "RequestRefused")


def test_a_parameter_that_the_flow_does_not_take_fails_the_run_with_a_sentence(place: Place) -> None:
    place.run("pipeline")

    wrong = place.wait_for(place.start("pipeline", parameters={"rows": "many"}), "FAILED", "CRASHED")
    unknown = place.wait_for(place.start("pipeline", parameters={"nosuch": 1}), "FAILED", "CRASHED")

    assert "rows" in wrong["message"]
    assert "nosuch" in unknown["message"]


def test_a_flow_that_never_ran_cannot_be_started(place: Place) -> None:
    place.run("pipeline")

    for flow in ("nosuch", "flows.py:waiting", "../flows", "os:system", "--help"):
        told = refused(place.client.post("/api/flow-runs", {"flow": flow}), 404, "NotFound")
        assert "Only flows that have run before" in told


def test_a_process_that_ends_before_it_begins_the_run_crashes_it_and_says_why(place: Place) -> None:
    place.run("pipeline")
    place.script.write_text("def broken(:\n")

    run = place.wait_for(place.start("pipeline"), "CRASHED")

    assert run["message"].startswith("Its process ended with status 2 before it began: ")
    assert "could not be loaded" in run["message"]
    assert place.client.get("/api/health").status == 200


def test_a_secret_is_not_kept_for_a_run_that_is_to_begin(place: Place) -> None:
    place.run("entering", "-p", "token=a-t0ken")

    answer = place.client.post("/api/flow-runs", {"flow": "entering", "parameters": {"token": "s3cr3t-t0ken"}})

    assert "'token'" in refused(answer, 422, "ValueRefused")
    assert len(place.client.get("/api/flow-runs").json()["runs"]) == 1


def test_beyond_the_most_processes_at_once_nothing_is_started_nor_recorded(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nadi.services.launching.MOST_RUNNING", 1)
    (place.folder / "go").touch()
    place.run("waiting")
    (place.folder / "go").unlink()
    run = place.start("waiting")

    told = refused(place.client.post("/api/flow-runs", {"flow": "waiting"}), 429, "RequestRefused")

    assert told.startswith("1 processes that were launched from here are running")
    assert len(place.client.get("/api/flow-runs").json()["runs"]) == 2
    assert [file.stem for file in place.served.context.launcher.folder.iterdir()] == [run]


def test_the_same_idempotency_key_starts_one_run(place: Place) -> None:
    (place.folder / "disk").touch()
    place.run("pipeline")
    headers = {"Idempotency-Key": "one"}

    answers = [place.client.post("/api/flow-runs", {"flow": "pipeline"}, headers=headers) for _ in range(3)]

    assert {answer.status for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    place.wait_for(answers[0].json()["id"], "COMPLETED")


def test_a_launched_run_survives_its_server(place: Place) -> None:
    server = subprocess.Popen(
        [sys.executable, "-m", "nadi", "server", "--port", "0", "--json"],
        env=place.environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert server.stdout is not None
        port = int(json.loads(server.stdout.readline())["url"].rpartition(":")[2].strip("/"))
        token = (place.served.context.home.path / "token").read_text().strip()
        client = Client(port, token=token)
        (place.folder / "go").touch()
        place.run("waiting")
        (place.folder / "go").unlink()
        run = client.post("/api/flow-runs", {"flow": "waiting"}).json()["id"]
        place.wait_for(run, "RUNNING")
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
        if server.stdout is not None:
            server.stdout.close()

    (place.folder / "go").touch()
    ended = place.wait_for(run, "COMPLETED", "CRASHED", "FAILED")

    assert ended["state"] == "COMPLETED"
    # Who did not launch it knows what it printed, and no more.
    wait_until(lambda: "Completed" in place.client.get(f"/api/flow-runs/{run}/launch").json()["output"])
    assert place.client.get(f"/api/flow-runs/{run}/launch").json()["pid"] == 0


# -- where the code is not here --


def a_source(place: Place, **changed: Any) -> bytes:
    given = {
        "entrypoint": f"{place.script}:pipeline",
        "working_folder": str(place.folder),
        "interpreter": sys.executable,
        "host": place.served.context.holder.host,
    }
    return msgspec.json.encode(RunSource(**{**given, **changed}))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"host": "elsewhere"}, "its code is on elsewhere"),
        ({"working_folder": "/nosuch"}, "its working folder /nosuch is not there"),
        ({"working_folder": "."}, "its working folder . is not there"),
        ({"interpreter": "/nosuch/python"}, "its interpreter /nosuch/python is not there"),
        ({"interpreter": "/bin/sh"}, "its interpreter /bin/sh is not there"),
        ({"interpreter": "python"}, "its interpreter python is not there"),
        ({"entrypoint": None, "not_loadable": "It is a notebook."}, "It is a notebook."),
    ],
)
def test_a_run_whose_code_is_not_here_is_not_launched_and_says_what_to_type_where(
    place: Place, changed: dict[str, Any], told: str
) -> None:
    run = an_id(1)
    source = a_source(place, **changed)
    Writer(place.served.context.store).tell(flow_begun(run, source=source), flow_moved(run, S.FAILED))

    for answer in (place.act(run, "resume"), place.client.post("/api/flow-runs", {"flow": "nightly"})):
        assert told in refused(answer, 409, "NotResumable")
    assert "nadi.resume" in answer.json()["detail"] or "nadi resume" in answer.json()["detail"]


def test_an_id_that_could_be_an_option_or_a_path_is_never_launched(place: Place) -> None:
    store = place.served.context.store
    for number, id in enumerate(("--help", "..", "a%2Fb".replace("%2F", "/"))):
        Writer(store, f"writer {number}").tell(flow_begun(id, source=a_source(place)), flow_moved(id, S.FAILED))

        answer = place.act(id.replace("/", "%2F"), "resume")

        refused(answer, 409, "NotResumable")
    assert not (place.served.context.home.path / "launched").exists()


# -- cancel --


def test_a_running_run_is_asked_to_end(place: Place) -> None:
    (place.folder / "go").touch()
    place.run("waiting")
    (place.folder / "go").unlink()
    run = place.start("waiting")
    place.wait_for(run, "RUNNING")

    answer = place.act(run, "cancel")
    ended = place.wait_for(run, "CANCELLED")

    assert answer.status == 202
    assert "owner" in ended["message"]
    refused(place.act(run, "cancel"), 409, "RunAlreadyFinished")


def test_a_run_that_does_not_end_when_asked_is_ended_by_force(place: Place) -> None:
    (place.folder / "go").touch()
    place.run("waiting")
    (place.folder / "go").unlink()
    run = place.start("waiting", parameters={"stubborn": True})
    place.wait_for(run, "RUNNING")
    wait_until(lambda: len(place.did()) == 2)

    answer = place.act(run, "cancel", {"force": True, "grace": 0.1})
    ended = place.wait_for(run, "CANCELLED", "CRASHED")

    assert (answer.status, answer.json()["state"]) == (202, "RUNNING")
    assert ended["state"] == "CANCELLED"
    wait_until(lambda: place.client.get(f"/api/flow-runs/{run}/launch").json()["status"] == -signal.SIGKILL)


def test_a_run_that_nobody_has_begun_is_cancelled_at_once(place: Place) -> None:
    run = an_id(1)
    scheduled = flow_begun(run, state=S.SCHEDULED, holder="", source=a_source(place))
    Writer(place.served.context.store).tell(scheduled)

    answer = place.act(run, "cancel")

    assert (answer.status, answer.json()["state"]) == (202, "CANCELLED")


def test_a_run_that_is_cancelled_while_its_process_loads_the_code_is_not_begun(place: Place) -> None:
    (place.folder / "disk").touch()
    place.run("pipeline")
    place.script.write_text(LOADS_SLOWLY + SCRIPT)
    run = place.start("pipeline")
    wait_until((place.folder / "loading").exists)

    answer = place.act(run, "cancel")
    (place.folder / "go").touch()
    wait_until(lambda: not place.served.context.launcher.running())

    assert (answer.status, answer.json()["state"]) == (202, "CANCELLED")
    assert place.state(run) == "CANCELLED"
    assert place.did() == ["load 3", "train"]


def test_a_launched_process_leaves_a_run_alone_that_was_cancelled_before_it_looked(place: Place) -> None:
    run = an_id(1)
    Writer(place.served.context.store).tell(
        flow_begun(run, state=S.SCHEDULED, holder="", source=a_source(place)), flow_moved(run, S.CANCELLED)
    )

    words = [sys.executable, "-m", "nadi", "resume", "--if-state=SCHEDULED", "--", run]
    done = subprocess.run(words, env=place.environment, capture_output=True, text=True, timeout=50, check=False)

    assert done.returncode != 0
    assert "is CANCELLED by now, not SCHEDULED" in done.stderr
    assert (place.state(run), place.did()) == ("CANCELLED", [])


# -- resume and retry --


@pytest.mark.parametrize("place", ["sqlite", "postgres"], indirect=True)
def test_a_failed_run_goes_on_from_what_it_had_finished(place: Place) -> None:
    run = place.run("pipeline")["id"]
    (place.folder / "disk").touch()

    answer = place.act(run, "resume")
    ended = place.wait_for(run, "COMPLETED")

    assert answer.status == 202
    assert ended["attempt"] == 2
    assert place.did() == ["load 3", "train", "train"]
    refused(place.act(run, "resume"), 409, "RunAlreadyFinished")


def test_a_run_is_run_again_from_a_task(place: Place) -> None:
    run = place.run("pipeline")["id"]
    (place.folder / "disk").touch()
    [load, _] = place.client.get(f"/api/flow-runs/{run}/task-runs").json()["tasks"]

    answer = place.act(run, "retry", {"task_run": load["id"]})
    place.wait_for(run, "COMPLETED")
    tasks = place.client.get(f"/api/flow-runs/{run}/task-runs").json()["tasks"]

    assert answer.status == 202
    assert place.did() == ["load 3", "train", "load 3", "train"]
    assert {task["reason"] for task in tasks} == {"", f"asked to run again from {load['name']}"}
    refused(place.act(run, "retry", {"task_run": load["id"]}), 409, "RunAlreadyFinished")


def test_a_run_is_not_run_again_from_a_task_of_another(place: Place) -> None:
    mine, other = an_id(1), an_id(2)
    Writer(place.served.context.store).tell(
        flow_begun(mine), flow_moved(mine, S.FAILED), flow_begun(other), task_begun(other, an_id(11))
    )

    for wanted in (an_id(11), an_id(99), "../x", "--from"):
        refused(place.act(mine, "retry", {"task_run": wanted}), 404, "NotFound")


def test_a_run_that_a_process_has_is_not_resumed(place: Place) -> None:
    (place.folder / "go").touch()
    place.run("waiting")
    (place.folder / "go").unlink()
    run = place.start("waiting")
    place.wait_for(run, "RUNNING")

    refused(place.act(run, "resume"), 409, "RunTaken")
    refused(place.client.delete(f"/api/flow-runs/{run}"), 409, "RunTaken")


def test_a_pause_is_answered_in_the_process_that_waits(place: Place) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "nadi", "run", "--name", "asks", "-q", "flows.py:asking"],
        cwd=place.folder,
        env=place.environment,
    )
    try:
        wait_until(lambda: bool(place.client.get("/api/flow-runs?state=PAUSED").json()["runs"]))
        [run] = place.client.get("/api/flow-runs?state=PAUSED").json()["runs"]
        [pause] = place.client.get(f"/api/flow-runs/{run['id']}/pauses").json()
        without = place.act(run["id"], "resume")
        wrong = place.act(run["id"], "resume", {"input": {"no": "text"}})
        answer = place.act(run["id"], "resume", {"input": "yes"})
        process.wait(50)
    finally:
        process.kill()
        process.wait()

    assert [field["name"] for field in pause["fields"]] == ["value"]
    refused(without, 409, "NotResumable")
    refused(wrong, 422, "InputRefused")
    assert answer.status == 202
    assert place.state(run["id"]) == "COMPLETED"
    assert place.client.get(f"/api/flow-runs/{run['id']}/launch").status == 404
    assert place.did() == ["asking"]


def test_a_suspended_run_is_answered_and_taken_up_by_a_process_of_its_own(place: Place) -> None:
    run = place.run("suspending")["id"]

    without = place.act(run, "resume")
    answer = place.act(run, "resume", {"input": "yes"})
    place.wait_for(run, "COMPLETED")

    assert "waits for input" in refused(without, 409, "NotResumable")
    assert answer.status == 202
    [pause] = place.client.get(f"/api/flow-runs/{run}/pauses").json()
    assert (pause["by"], pause["answer"], pause["is_open"]) == ("owner", "yes", False)


# -- delete --


def test_a_finished_run_is_deleted_with_what_belongs_to_it(place: Place) -> None:
    run, below = an_id(1), an_id(2)
    Writer(place.served.context.store).tell(
        flow_begun(run), flow_begun(run, id=below, parent=run), flow_moved(run, S.FAILED)
    )

    refused(place.client.delete(f"/api/flow-runs/{below}"), 409, "NotResumable")
    answer = place.client.delete(f"/api/flow-runs/{run}")

    assert (answer.status, answer.body) == (204, b"")
    assert place.client.get(f"/api/flow-runs/{below}").status == 404
    refused(place.client.delete(f"/api/flow-runs/{run}"), 404, "RunNotFound")


def test_what_the_process_of_a_run_printed_is_deleted_with_it(place: Place) -> None:
    run = place.run("pipeline")["id"]
    (place.folder / "disk").touch()
    place.act(run, "resume")
    place.wait_for(run, "COMPLETED")
    wait_until(lambda: not place.served.context.launcher.running())

    place.client.delete(f"/api/flow-runs/{run}")

    assert list(place.served.context.launcher.folder.iterdir()) == []


# -- the launcher itself --


def test_a_run_whose_server_and_process_were_killed_before_it_began_is_crashed_by_any_other(place: Place) -> None:
    launcher, gone, alive = place.served.context.launcher, an_id(1), an_id(2)
    scheduled = [flow_begun(run, state=S.SCHEDULED, holder="", source=a_source(place)) for run in (gone, alive)]
    Writer(place.served.context.store).tell(*scheduled)
    launcher.folder.mkdir(mode=0o700)
    (launcher.folder / f"{gone}.log").write_text("ImportError: no torch\n")
    with open(launcher.folder / f"{alive}.log", "w") as output:
        lock_while_open(output.fileno())

        launcher.step(0.0)

        assert [place.state(run) for run in (gone, alive)] == ["CRASHED", "SCHEDULED"]
    message = place.client.get(f"/api/flow-runs/{gone}").json()["message"]
    assert message == "Its process ended before it began: ImportError: no torch"


def test_a_process_that_prints_much_does_not_fill_the_disk(place: Place) -> None:
    launcher = place.served.context.launcher
    launcher.folder.mkdir(mode=0o700)
    file = launcher.folder / f"{an_id(1)}.log"
    with open(file, "ab", buffering=0) as output:
        for n in range(3):
            output.write(b"x" * MOST_PRINTED + b"%d\n" % n)
            launcher.step(0.0)
            assert file.stat().st_size < 2 * MOST_SHOWN
        output.write(b"the end\n")

    assert file.read_bytes().endswith(b"x2\nthe end\n")


def test_only_so_many_files_of_output_are_kept(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nadi.services.launching.MOST_KEPT", 3)
    folder = place.served.context.home.path / "launched"
    folder.mkdir(mode=0o700)
    for n in range(6):
        (folder / f"{uuid7(1000 + n, n)}.log").write_text("old")
        os.utime(folder / f"{uuid7(1000 + n, n)}.log", (1000 + n, 1000 + n))
    run = place.run("pipeline")["id"]
    (place.folder / "disk").touch()

    place.act(run, "resume")
    place.wait_for(run, "COMPLETED")

    kept = {file.name for file in folder.iterdir()}
    assert kept == {f"{uuid7(1004, 4)}.log", f"{uuid7(1005, 5)}.log", f"{run}.log"}


def test_a_run_in_memory_is_never_launched(server: Served) -> None:
    run = an_id(1)
    Writer(server.context.store).tell(flow_begun(run), flow_moved(run, S.FAILED))

    told = refused(server.client.post(f"/api/flow-runs/{run}/resume", {}), 409, "NotResumable")

    assert "in memory" in told
