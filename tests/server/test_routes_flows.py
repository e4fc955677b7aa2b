"""What the API tells of one flow: its newest runs, durations, tasks, and what its code says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from nadi.model.ids import uuid7
from nadi.model.sources import RunSource
from nadi.storage.contract import Store
from nadi.storage.home import process_start
from nadi.storage.sqlite import SqliteStore
from tests.server.conftest import Serve
from tests.server.serving import Client, Served, wait_until
from tests.storage.telling import S, Writer, an_id, flow_begun, flow_moved, task_begun, task_moved

#: The beginning of a day.
DAY = datetime(2027, 1, 15, tzinfo=UTC)


def ran(store: Store, n: int, took: float, state: S = S.COMPLETED, *, at: datetime = DAY) -> str:
    """Tell of a run of the flow "etl", and return its id, which bears the time as ids do."""
    writer, began, id = Writer(store, f"writer-of-{n}"), at.timestamp(), uuid7(at.timestamp(), n)
    writer.tell(flow_begun(id, flow="etl", at=began), flow_moved(id, state, at=began + took))
    return id


def moment(at: datetime) -> str:
    return quote(at.isoformat())


def told(client: Client, path: str) -> Any:
    answer = client.get(path)
    assert answer.status == 200, answer.body
    return answer.json()


# -- the newest runs --


def test_flows_are_listed_with_their_newest_runs_when_these_are_asked_for(any_server: Served) -> None:
    store = any_server.context.store
    ids = [ran(store, n, 2.0, S.FAILED if n == 2 else S.COMPLETED, at=DAY + timedelta(seconds=n)) for n in range(4)]

    (flow,) = told(any_server.client, "/api/flows?newest=3")["flows"]

    assert [(one[0], one[1]) for one in flow["outcomes"]] == [
        (ids[3], "COMPLETED"),
        (ids[2], "FAILED"),
        (ids[1], "COMPLETED"),
    ]
    id, _, name, created, started, ended, change = flow["outcomes"][0]
    assert (name, created, started, ended) == ("Completed", DAY.timestamp() + 3, DAY.timestamp() + 3, started + 2)
    assert change == told(any_server.client, f"/api/flow-runs/{id}")["change"]


# -- durations --


def test_durations_are_told_by_bucket_of_those_runs_that_completed(any_server: Served) -> None:
    store = any_server.context.store
    for n, took in enumerate((1.0, 2.0, 3.0)):
        ran(store, n, took, at=DAY + timedelta(seconds=n))
    ran(store, 3, 100.0, S.FAILED, at=DAY + timedelta(seconds=3))
    ran(store, 4, 7.0, S.CRASHED, at=DAY + timedelta(minutes=30))
    later = (DAY + timedelta(minutes=31)).timestamp()
    Writer(store, "running").tell(flow_begun(uuid7(later, 5), flow="etl", at=later))

    found = told(
        any_server.client, f"/api/flows/etl/durations?since={moment(DAY)}&until={moment(DAY + timedelta(hours=1))}"
    )

    assert found == {
        "since": "2027-01-15T00:00:00Z",
        "until": "2027-01-15T01:00:00Z",
        "step": 60,
        "buckets": [
            {
                "start": "2027-01-15T00:00:00Z",
                "count": 4,
                "failures": 1,
                "states": {"completed": 3, "failed": 1},
                "p50": 2.0,
                "p95": pytest.approx(2.9),
            },
            {
                "start": "2027-01-15T00:30:00Z",
                "count": 1,
                "failures": 1,
                "states": {"crashed": 1},
                "p50": None,
                "p95": None,
            },
        ],
        "p50": 2.0,
        "p95": pytest.approx(2.9),
        "runs": 6,
        "more": False,
    }


def test_durations_without_a_beginning_reach_as_far_back_as_there_are_runs(any_server: Served) -> None:
    ran(any_server.context.store, 1, 5.0, at=DAY)

    found = told(any_server.client, f"/api/flows/etl/durations?until={moment(DAY + timedelta(days=60))}")

    assert (found["since"], found["step"], found["runs"]) == ("2027-01-15T00:00:00Z", 86_400, 1)


def test_durations_of_a_flow_without_runs_are_none(any_server: Served) -> None:
    found = told(any_server.client, "/api/flows/nosuch/durations")

    assert (found["buckets"], found["p50"], found["runs"], found["more"]) == ([], None, 0, False)


def test_durations_say_that_there_are_older_runs_than_were_looked_at(
    any_server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nadi.engine.flow_pages.MOST_RUNS", 3)
    for n in range(5):
        ran(any_server.context.store, n, 1.0, at=DAY + timedelta(hours=n))

    found = told(
        any_server.client, f"/api/flows/etl/durations?since={moment(DAY)}&until={moment(DAY + timedelta(hours=5))}"
    )

    assert (found["runs"], found["more"], found["since"]) == (3, True, "2027-01-15T02:00:00Z")


# -- tasks --


def test_tasks_are_told_by_time_failures_retries_and_what_was_cached(any_server: Served) -> None:
    store = any_server.context.store
    root, writer = an_id(1), Writer(store)
    at = DAY.timestamp()

    def task(n: int, name: str, state: S, took: float, **given: Any) -> list[Any]:
        begun = task_begun(root, an_id(n), task=name, at=at, attempt=given.pop("attempt", 1))
        moved = task_moved(root, an_id(n), state, at=at + took, attempt=begun.attempt, **given)
        return [begun, moved]

    writer.tell(flow_begun(root, flow="etl", at=at))
    writer.tell(*task(10, "load", S.COMPLETED, 1.0), *task(11, "load", S.COMPLETED, 3.0, attempt=3))
    writer.tell(*task(12, "fit", S.FAILED, 6.0), *task(13, "fit", S.COMPLETED, 50.0, state_name="Cached"))
    writer.tell(task_begun(root, an_id(14), task="fit", at=at, state=S.PENDING))
    writer.tell(task_moved(root, an_id(14), S.FAILED, at=at + 1, was=S.PENDING, state_name="NotReady"))
    writer.tell(flow_moved(root, S.FAILED, at=at + 10))
    ran(store, 2, 1.0)

    found = told(any_server.client, "/api/flows/etl/tasks")

    assert (found["runs"], found["task_runs"], found["more"]) == (2, 5, False)
    fit, load = found["tasks"]
    assert (fit["task"], fit["runs"], fit["failures"], fit["cached"], fit["p50"]) == ("fit", 3, 1, 1, None)
    assert (fit["seconds"], fit["share"]) == (6.0, 0.6)
    assert (load["task"], load["p50"], load["p95"]) == ("load", 2.0, pytest.approx(2.9))
    assert (load["runs"], load["flow_runs"], load["retried"], load["retries"]) == (2, 1, 1, 2)


def test_tasks_are_those_of_the_newest_runs_that_have_ended(any_server: Served) -> None:
    store = any_server.context.store
    for n in range(1, 4):
        writer, at = Writer(store, f"w{n}"), DAY.timestamp() + n
        writer.tell(
            flow_begun(an_id(n), flow="etl", at=at), task_begun(an_id(n), an_id(10 + n), task=f"task-{n}", at=at)
        )
        writer.tell(task_moved(an_id(n), an_id(10 + n), S.COMPLETED, at=at + 1))
        if n != 3:
            writer.tell(flow_moved(an_id(n), S.COMPLETED, at=at + 2))

    found = told(any_server.client, "/api/flows/etl/tasks?runs=1")

    assert (found["runs"], [one["task"] for one in found["tasks"]]) == (1, ["task-2"])


def test_tasks_beyond_those_that_one_answer_looks_at_are_said_to_be_left_out(
    any_server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nadi.engine.task_figures.MOST_TASK_RUNS", 3)
    store = any_server.context.store
    for n in (1, 2):
        writer, at = Writer(store, f"w{n}"), DAY.timestamp() + n
        writer.tell(flow_begun(an_id(n), flow="etl", at=at))
        writer.tell(*(task_begun(an_id(n), an_id(10 * n + i), at=at) for i in range(2)))
        writer.tell(flow_moved(an_id(n), S.CRASHED, at=at + 2))

    # Twice: what was counted only in part is not kept for a whole.
    first, again = (told(any_server.client, "/api/flows/etl/tasks") for _ in range(2))
    whole = told(any_server.client, "/api/flows/etl/tasks?runs=1")

    assert first == again
    assert (first["runs"], first["task_runs"], first["more"]) == (2, 3, True)
    assert (whole["task_runs"], whole["more"]) == (2, False)


# -- code --

SCRIPT = '''
from dataclasses import dataclass
from pathlib import Path

from nadi import Flow, Parameter, flow, task
from steps import load

(Path(__file__).parent / "loaded.txt").open("a").write("x")
print("loading")


@dataclass
class Options:
    depth: int = 3


@task
def train(rows):
    return rows


@flow
def pipeline(rows: int = 3, options: Options | None = None):
    """Train on some rows.

    Args:
        rows: How many.
    """
    return train(load(rows))


with Flow("declared") as declared:
    rows = Parameter("rows", default=5)
    train(rows)


if __name__ == "__main__":
    pipeline()
    declared.run()
'''
STEPS = """
from nadi import task


@task
def load(rows):
    return rows
"""


@dataclass
class Place:
    served: Served
    folder: Path

    @property
    def client(self) -> Client:
        return self.served.client

    def times_loaded(self) -> int:
        return len((self.folder / "loaded.txt").read_text())

    def inspect(self, flow: str) -> Any:
        return self.client.post(f"/api/flows/{flow}/inspect")


@pytest.fixture
def place(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A server, and a folder with a script whose flows have run."""
    home, folder = tmp_path / "server-home", tmp_path / "work"
    home.mkdir(mode=0o700)
    folder.mkdir()
    (folder / "flows.py").write_text(SCRIPT)
    (folder / "steps.py").write_text(STEPS)
    monkeypatch.setenv("NADI_LOG_TO_CONSOLE", "false")
    environment = {**os.environ, "NADI_HOME": str(home)}
    subprocess.run([sys.executable, "flows.py"], cwd=folder, env=environment, check=True, timeout=50)
    store = SqliteStore(home / "nadi.db")
    served = serve(store)
    yield Place(served, folder)
    served.stop()
    store.close()


def test_what_the_text_of_a_flow_says_is_told_without_loading_it(place: Place) -> None:
    before = place.times_loaded()

    found = told(place.client, "/api/flows/pipeline/preview")

    assert place.times_loaded() == before
    assert found["entrypoint"] == f"{place.folder / 'flows.py'}:pipeline"
    assert found["description"] == "Train on some rows."
    assert found["parameters"]["properties"] == {
        "rows": {"title": "rows", "type": "integer", "default": 3, "description": "How many."},
        "options": {"title": "options", "default": None},
    }
    assert [node["name"] for node in found["graph"]["nodes"]] == ["load", "train"]
    assert [(edge["source"], edge["target"]) for edge in found["graph"]["edges"]] == [("n1", "n2")]
    assert "has to be loaded" in found["note"]
    assert found["not_startable"] == ""


def test_of_a_declared_flow_the_text_alone_tells_no_graph_and_says_why(place: Place) -> None:
    found = told(place.client, "/api/flows/declared/preview")

    assert (found["graph"], found["parameters"]) == (None, None)
    assert found["note"].startswith("This flow is declared")


def test_an_inspection_tells_what_only_the_loaded_code_knows(place: Place) -> None:
    imperative, declared = place.inspect("pipeline").json(), place.inspect("declared").json()

    assert imperative["parameters"]["$defs"]["Options"]["properties"]["depth"]["default"] == 3
    assert imperative["description"] == "Train on some rows."
    assert declared["parameters"]["properties"]["rows"]["default"] == 5
    assert [(node["name"], node["is_parameter"]) for node in declared["graph"]["nodes"]] == [
        ("rows", True),
        ("train", False),
    ]


def test_an_inspection_serves_until_the_file_is_another(place: Place) -> None:
    before = place.times_loaded()
    place.inspect("pipeline")
    place.inspect("pipeline")
    loaded = place.times_loaded() - before
    (place.folder / "flows.py").write_text(SCRIPT.replace("rows: int = 3", "rows: int = 44"))

    found = place.inspect("pipeline").json()

    assert loaded == 1
    assert found["parameters"]["properties"]["rows"]["default"] == 44


def test_code_that_cannot_be_loaded_is_told_in_a_sentence_and_previewed_as_it_was(place: Place) -> None:
    (place.folder / "flows.py").write_text("def broken(:\n")

    answer = place.inspect("pipeline")
    preview = told(place.client, "/api/flows/pipeline/preview")

    assert (answer.status, answer.json()["error"]) == (409, "NotResumable")
    assert "flows.py" in answer.json()["detail"]
    assert "cannot be read as Python" in preview["note"]


def test_code_that_ends_its_process_or_takes_too_long_is_told_in_a_sentence(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = place.folder / "flows.py"
    file.write_text("import os, sys\nprint('no licence', file=sys.stderr, flush=True)\nos._exit(4)\n")
    ended = place.inspect("pipeline").json()["detail"]
    monkeypatch.setattr("nadi.services.inspecting.LONGEST", 0.3)
    file.write_text("import time\ntime.sleep(60)\n")
    slow = place.inspect("pipeline").json()["detail"]

    assert ended.endswith("ended with status 4: no licence")
    assert slow == "The code of flow 'pipeline' was not loaded within 0.3 seconds."


LEAVES_BEHIND = """
import subprocess, sys
left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session={own_session})
left.returncode = 0
open("left.txt", "w").write(str(left.pid))
"""


@pytest.mark.parametrize("own_session", [False, True])
def test_nothing_of_an_inspection_stays_where_the_code_leaves_a_process_running(
    place: Place, own_session: bool
) -> None:
    (place.folder / "flows.py").write_text(LEAVES_BEHIND.format(own_session=own_session) + SCRIPT)
    before = pipes_here()

    answer = place.inspect("pipeline")

    left = int((place.folder / "left.txt").read_text())
    try:
        assert answer.status == 200, answer.body
        assert pipes_here() == before
        if not own_session:
            wait_until(lambda: not process_start(left))
    finally:
        with suppress(ProcessLookupError):
            os.kill(left, signal.SIGKILL)


def pipes_here() -> set[str]:
    """The pipes that this process has open."""
    found = set()
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            found.add(os.readlink(f"/proc/self/fd/{name}"))
    return {one for one in found if one.startswith("pipe:")}


def test_code_that_prints_without_end_is_read_and_ended(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nadi.services.inspecting.LONGEST", 1.0)
    (place.folder / "flows.py").write_text("while True: print('x' * 60)\n")

    answer = place.inspect("pipeline")

    assert answer.json()["detail"] == "The code of flow 'pipeline' was not loaded within 1 seconds."


def test_code_is_loaded_by_one_process_at_a_time(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nadi.services.inspecting.LONGEST", 5.0)
    file = place.folder / "flows.py"
    wait = "import os, time\nopen('begun.txt', 'w').close()\nwhile not os.path.exists('go'): time.sleep(0.01)\n"
    file.write_text(wait + SCRIPT)
    answers: list[int] = []
    first = threading.Thread(target=lambda: answers.append(place.inspect("pipeline").status))
    first.start()
    wait_until(lambda: (place.folder / "begun.txt").exists())
    file.write_text(SCRIPT)

    changed = place.inspect("pipeline")
    (place.folder / "go").touch()
    first.join(30)

    assert (changed.status, answers) == (429, [200])
    assert changed.json()["detail"] == "This code is being loaded as it was before it changed. Try again soon."
    assert place.inspect("pipeline").status == 200


def test_code_that_somebody_recorded_from_afar_is_not_loaded(place: Place) -> None:
    store = place.served.context.store
    newest = told(place.client, "/api/flows/pipeline")["newest"]
    store.access.note_far([newest], who="mallory", at=0.0)
    before = place.times_loaded()

    answer = place.inspect("pipeline")
    preview = told(place.client, "/api/flows/pipeline/preview")

    assert answer.status == 409
    assert place.times_loaded() == before
    assert preview["note"].startswith("Read from what run ")
    assert "mallory recorded it from afar" in preview["not_startable"]
    assert [node["name"] for node in preview["graph"]["nodes"]] == ["train"]


def test_a_file_that_a_run_from_afar_names_is_not_read(any_server: Served, tmp_path: Path) -> None:
    secret = tmp_path / "secret.py"
    secret.write_text("from nadi import flow\n@flow\ndef etl(password='hunter2'): pass\n")
    source = RunSource(
        entrypoint=f"{secret}:etl",
        host=os.uname().nodename,
        working_folder=str(tmp_path),
        interpreter=sys.executable,
        source_file=str(secret),
    )
    store = any_server.context.store
    Writer(store).tell(flow_begun(an_id(1), flow="etl", source=msgspec.json.encode(source)))
    store.access.note_far([an_id(1)], who="mallory", at=0.0)

    found = told(any_server.client, "/api/flows/etl/preview")

    assert "hunter2" not in json.dumps(found)
    assert found["parameters"] is None


def test_a_flow_without_runs_has_no_code(any_server: Served) -> None:
    for path in ("preview", "inspect"):
        answer = any_server.client.request("GET" if path == "preview" else "POST", f"/api/flows/nosuch/{path}")

        assert (answer.status, answer.json()["error"]) == (404, "NotFound")
