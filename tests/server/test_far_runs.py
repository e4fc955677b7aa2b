"""Who may record and operate through a server runs no code on its machine: attacks by a real key on a real server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nadi.engine.cancelling import cancel_run
from nadi.engine.clock import Clock
from nadi.engine.launched import MARK
from nadi.model.access import How, Permission, Principal
from nadi.model.results import ResultRef
from nadi.model.sources import RunSource
from nadi.server.far_runs import KNOWN_FOR, MOST_KNOWN, FarRuns
from nadi.storage.contract import Store
from nadi.storage.contracts.cache import CacheEntry
from nadi.storage.home import process_start
from nadi.storage.http.client import Client as FarClient
from nadi.storage.http.results import HttpResults
from nadi.storage.http.store import HttpStore, connect
from nadi.storage.memory import MemoryStore
from nadi.storage.results import Keeper, MemoryResults
from nadi.storage.sqlite import SqliteStore
from tests.server.conftest import Serve
from tests.server.people import add_key, add_user
from tests.server.serving import Client, Served, wait_until
from tests.storage.telling import T0, S, Writer, a_call, an_id, flow_begun, flow_moved, task_begun, task_moved

SCRIPT = """
from pathlib import Path

from nadi import flow, task
from nadi.futures import background_future

HERE = Path(__file__).parent


@task(cache_key_fn=lambda context, parameters: "the key")
def cached() -> str:
    return "computed"


@flow
def caching() -> str:
    return str(cached())


@flow
def failing() -> None:
    with (HERE / "began").open("a") as file:
        file.write("began ")
    raise OSError("no disk")


@flow
def taking(run: str) -> str:
    return str(background_future(run).result())
"""

#: What an attacker wants to run.
EVIL = """
from pathlib import Path

(Path(__file__).parent / "owned").touch()
"""
RUN = an_id(1)


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (str(self.file), "w")


@dataclass
class Scene:
    """A server, its machine, and somebody far away with the key of an operator."""

    served: Served
    folder: Path
    environment: dict[str, str]
    key: str
    far: HttpStore

    @property
    def operator(self) -> Client:
        return self.served.client.with_token(self.key)

    @property
    def owned(self) -> Path:
        return self.folder / "owned"

    def trap(self, format: str = "pickle", value: Any = None) -> ResultRef:
        """A value that was signed with the key that a recorder is told."""
        keeper = Keeper(MemoryResults(), self.far.signing_key, self.far.id, RUN, 1)
        return keeper.keep(value or Trap(self.owned), task_run_id=an_id(9), format=format)

    def nadi(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Give a command on the server's machine, as its owner."""
        return subprocess.run(
            [sys.executable, "-m", "nadi", *words],
            cwd=self.folder,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )

    def run(self, flow: str, *options: str) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.nadi("run", *options, "--json", f"flows.py:{flow}").stdout)
        return told

    def forge(self, store: Store) -> None:
        """Put code on the server's disk and record a run that is made of it."""
        HttpResults(FarClient(self.served.url, self.key)).write("evil/flow.py", EVIL.encode())
        folder = self.served.context.home.path / "results" / "evil"
        source = RunSource(
            entrypoint=f"{folder}/flow.py:nightly",
            working_folder=str(folder),
            interpreter=sys.executable,
            host=self.served.context.holder.host,
        )
        Writer(store, "far").tell(
            flow_begun(RUN, source=msgspec.json.encode(source)), task_begun(RUN, an_id(2)), flow_moved(RUN, S.FAILED)
        )

    def has_run_forged_code(self) -> bool:
        return (self.served.context.home.path / "results" / "evil" / "owned").exists()

    def is_refused(self, action: str, body: Any) -> bool:
        """Ask for an action that would launch a process; whether it was refused because of who recorded the run."""
        answer = self.operator.post(f"/api/flow-runs{action}", body)
        why = answer.json()
        refused = (answer.status, why.get("error")) == (409, "NotResumable")
        return refused and "ada recorded it from afar" in why["detail"]

    def ended(self, run: str) -> dict[str, Any]:
        wait_until(
            lambda: self.operator.get(f"/api/flow-runs/{run}").json()["state"] in ("COMPLETED", "FAILED", "CRASHED")
        )
        found: dict[str, Any] = self.operator.get(f"/api/flow-runs/{run}").json()
        return found


@pytest.fixture
def scene(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    home, folder = tmp_path / "server-home", tmp_path / "work"
    home.mkdir(mode=0o700)
    folder.mkdir()
    (folder / "flows.py").write_text(SCRIPT)
    monkeypatch.setenv("NADI_LOG_TO_CONSOLE", "false")
    store = SqliteStore(home / "nadi.db")
    served = serve(store)
    add_user(served)
    key = add_key(served, "ada", Permission.READ, Permission.OPERATE, Permission.RECORD)
    yield Scene(served, folder, {**os.environ, "NADI_HOME": str(home)}, key, connect(served.url, key))
    wait_until(lambda: not served.context.launcher.running())
    served.stop()
    store.close()


def test_a_forged_run_is_launched_in_no_way(scene: Scene) -> None:
    scene.forge(scene.far)

    assert scene.is_refused("", {"flow": "nightly"})
    assert scene.is_refused(f"/{RUN}/resume", {})
    assert scene.is_refused(f"/{RUN}/retry", {"task_run": an_id(2)})
    assert not scene.served.context.launcher.folder.exists()
    assert not scene.has_run_forged_code()


def test_the_same_run_recorded_by_the_owner_is_launched(scene: Scene) -> None:
    scene.forge(scene.served.context.store)

    assert scene.operator.post("/api/flow-runs", {"flow": "nightly"}).status == 202
    wait_until(scene.has_run_forged_code)


def test_a_launched_process_loads_no_code_of_a_run_that_was_forged_after_the_server_looked(scene: Scene) -> None:
    scene.forge(scene.far)

    launched = scene.nadi("resume", RUN, **{MARK: "1"})
    assert "ada recorded it from afar" in " ".join(launched.stderr.split())
    assert not scene.has_run_forged_code()

    scene.nadi("resume", RUN)  # by hand it is for whoever types it to say
    assert scene.has_run_forged_code()


def test_a_run_of_this_machine_into_which_somebody_far_put_a_result_is_not_launched(scene: Scene) -> None:
    run = scene.run("failing")["id"]
    claim = scene.far.claim(run, holder="far", now=T0)
    at = {"token": claim.token, "attempt": claim.attempt}
    task = an_id(3)
    Writer(scene.far, "far").tell(
        flow_begun(run, flow="failing", **at),
        task_begun(run, task, token=claim.token, call=a_call(run)),
        task_moved(run, task, S.COMPLETED, token=claim.token, result=scene.trap()),
        flow_moved(run, S.FAILED, **at),
    )

    assert scene.is_refused(f"/{run}/resume", {})
    assert scene.is_refused(f"/{run}/retry", {"task_run": task})
    assert not scene.owned.exists()


def test_a_claim_alone_marks_a_run(scene: Scene) -> None:
    run = scene.run("failing")["id"]

    scene.far.claim(run, holder="far", now=T0)

    assert scene.served.context.store.access.far_recorder(run) == "ada"


def test_a_flow_is_started_as_its_newest_run_that_nobody_far_recorded(scene: Scene) -> None:
    near = scene.served.context.store.flow_run(scene.run("failing")["id"])
    assert near is not None
    forged = near.source.replace(b":failing", b":caching")
    assert forged != near.source
    Writer(scene.far, "far").tell(flow_begun(RUN, flow="failing", source=forged), flow_moved(RUN, S.FAILED))

    started = scene.operator.post("/api/flow-runs", {"flow": "failing"})

    assert started.status == 202
    assert "no disk" in scene.ended(started.json()["id"])["message"]
    assert (scene.folder / "began").read_text() == "began began "


@pytest.mark.parametrize("root", [RUN, "", an_id(7)], ids=["a run of theirs", "no run", "a run that is not there"])
def test_a_launched_process_loads_no_cached_value_that_was_put_from_afar(scene: Scene, root: str) -> None:
    scene.run("caching")
    Writer(scene.far, "far").tell(flow_begun(RUN))
    entry = CacheEntry(
        key="the key",
        task="cached",
        result=scene.trap(),
        root=root,
        token=1,
        run=root,
        task_run="",
        name="",
        created=T0,
    )
    assert scene.far.cache.put([entry]) == []

    run = scene.operator.post("/api/flow-runs", {"flow": "caching"}).json()["id"]

    assert scene.ended(run)["state"] == "COMPLETED"
    assert not scene.owned.exists()


def test_a_launched_process_takes_cached_values_of_this_machine(scene: Scene) -> None:
    scene.run("caching")

    run = scene.operator.post("/api/flow-runs", {"flow": "caching"}).json()["id"]

    assert scene.ended(run)["state"] == "COMPLETED"
    [task] = scene.served.context.store.task_runs(run)
    assert task.state_name == "Cached"


def test_of_a_far_background_run_a_launched_process_loads_json_only(scene: Scene) -> None:
    scene.run("taking", "-p", "run=nosuch")
    for run, result in ((RUN, scene.trap()), (an_id(2), scene.trap("json", "a value"))):
        Writer(scene.far, f"far {run}").tell(
            flow_begun(run, flow="remote", call=a_call("")), flow_moved(run, S.COMPLETED, result=result)
        )

    started = [
        scene.operator.post("/api/flow-runs", {"flow": "taking", "parameters": {"run": run}}).json()["id"]
        for run in (RUN, an_id(2))
    ]
    pickled, as_json = (scene.ended(run) for run in started)

    assert "recorded from afar" in pickled["message"]
    assert as_json["state"] == "COMPLETED"
    assert not scene.owned.exists()


def test_a_process_that_a_forged_run_names_as_its_own_is_not_ended(scene: Scene) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True) as victim:
        holder = msgspec.structs.replace(
            scene.served.context.holder, writer="far", pid=victim.pid, started=process_start(victim.pid)
        )
        Writer(scene.far, "far").tell(flow_begun(RUN, holder=holder.encode()))

        done = cancel_run(
            scene.served.context.store,
            scene.served.context.home,
            scene.served.context.store.flow_run(RUN) or pytest.fail("it is not there"),
            by="ada",
            grace=0.0,
            observer=scene.served.context.holder,
            clock=Clock(),
            pause=time.sleep,
        )

        assert "ada recorded the run from afar" in done.left[0]
        assert victim.poll() is None
        victim.communicate(b"\n")
    assert victim.returncode == 0


# -- noting --


def by(name: str, how: How) -> Principal:
    return Principal(name=name, how=how, permissions=frozenset(Permission))


def test_the_owner_is_never_noted_and_who_has_a_session_is() -> None:
    table = MemoryStore().access
    far = FarRuns(table)

    far.note(["a"], by("owner", How.INSTALL), T0)
    far.note(["b"], by("ada", How.SESSION), T0)

    assert [table.far_recorder(root) for root in "ab"] == ["", "ada"]


class Counting(FarRuns):
    """Counts the notes that reach the store."""

    def __init__(self) -> None:
        super().__init__(table := MemoryStore().access)
        self.notes: list[str] = []
        self._note = table.note_far
        table.note_far = self.count  # type: ignore[method-assign]  # it counts, and notes

    def count(self, roots: Any, *, who: str, at: float) -> None:
        self.notes += roots
        self._note(roots, who=who, at=at)


def test_a_root_is_noted_once_an_hour_and_memory_is_bounded() -> None:
    far, ada = Counting(), by("ada", How.KEY)

    for now in (T0, T0 + 1, T0 + KNOWN_FOR, T0 + KNOWN_FOR + 1, T0):  # the last one after the clock was set back
        far.note(["a"], ada, now)
    assert far.notes == ["a"] * 3

    far.note([str(n) for n in range(MOST_KNOWN)], ada, T0)
    far.note(["a"], ada, T0)
    assert far.notes.count("a") == 4
