"""The peers: how each runs the work, tells how many task runs it recorded, and goes on after a kill."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import apsw

from benchmarks.processes import environment
from benchmarks.side_by_side.installing import python_of
from nadi.model.runs import RunFilter
from nadi.model.states import StateType
from nadi.storage.opening import open_store

PROGRAMS = Path(__file__).parent / "programs"
#: Seconds that one piece of work may take.
PATIENCE = 900


class Seconds(NamedTuple):
    """How long a piece of work took."""

    process: float
    #: Within the flow, by its own watch.
    inside: float


class Peer(ABC):
    """One system, in a folder of its own."""

    name: str
    module: str
    #: The works that it has, by the word that the programs take.
    works: frozenset[str] = frozenset({"hello", "calls", "submits", "map", "layers", "slow"})

    def __init__(self, folder: Path) -> None:
        self.folder = folder / self.name.lower()
        self.folder.mkdir()

    @property
    @abstractmethod
    def python(self) -> Path:
        """The Python that has it."""

    @abstractmethod
    def env(self) -> dict[str, str]:
        """The environment of its processes."""

    @abstractmethod
    def recorded(self, ran: int) -> int:
        """How many task runs it has recorded in this folder, once that stands still or is `ran`."""

    def start(self) -> None:
        """Start what has to stand beside it."""

    def stop(self) -> None:
        """End that."""

    def go_on(self, work: list[str], env: Mapping[str, str]) -> None:
        """Do what it offers for a run whose process was killed."""
        self.run(work, env)

    def state_after_kill(self) -> str:
        """What it says of the run whose process was killed."""
        return ""

    def run(self, work: list[str], more: Mapping[str, str] | None = None, *, killed: bool = False) -> Seconds:
        """Do a piece of work; `killed` is one whose process kills itself."""
        command = [str(self.python), str(PROGRAMS / f"with_{self.name.lower()}.py"), *work]
        env = {**self.env(), **(more or {})}
        begin = time.perf_counter()
        done = subprocess.run(command, env=env, cwd=self.folder, capture_output=True, text=True, timeout=PATIENCE)
        seconds = time.perf_counter() - begin
        if killed:
            return Seconds(seconds, seconds)
        if done.returncode != 0:
            raise RuntimeError(f"{self.name} {work[0]} ended with {done.returncode}: {done.stderr[-1000:]}")
        inside = json.loads(done.stdout.splitlines()[-1])
        return Seconds(seconds, float(inside.get("seconds", seconds)))

    def import_seconds(self) -> float:
        """Seconds of a process that imports it and ends."""
        begin = time.perf_counter()
        subprocess.run([self.python, "-c", f"import {self.module}"], env=self.env(), cwd=self.folder, check=True)
        return time.perf_counter() - begin


class Nadi(Peer):
    """Ourselves, from this checkout."""

    name, module = "Nadi", "nadi"

    @property
    def python(self) -> Path:
        return Path(sys.executable)

    def env(self) -> dict[str, str]:
        return environment(str(self.folder))

    def recorded(self, ran: int) -> int:
        store = open_store("", home=self.folder)
        try:
            runs = store.flow_runs(RunFilter(), limit=1000)
            return sum(len(store.task_runs(run.id, states=(StateType.COMPLETED,), limit=1_000_000)) for run in runs)
        finally:
            store.close()

    def go_on(self, work: list[str], env: Mapping[str, str]) -> None:
        self.run(["go_on", self._killed_run()[0]], env)

    def state_after_kill(self) -> str:
        return self._killed_run()[1]

    def _killed_run(self) -> tuple[str, str]:
        # Any process that looks tells it: here the one that looks for runs to resume.
        look = (
            "from nadi.engine.recording import recorder\n"
            "from nadi.model.runs import RunFilter\n"
            "recorder().look_for_leftovers()\n"
            "run = recorder().store().flow_runs(RunFilter(flow='slow'), limit=1)[0]\n"
            "print(run.id, run.state_name)"
        )
        done = subprocess.run([self.python, "-c", look], env=self.env(), capture_output=True, text=True, check=True)
        run, state = done.stdout.split()
        return run, state


class Prefect(Peer):
    """Prefect with a server of its own on this machine; `hello` is measured without one too."""

    name, module = "Prefect", "prefect"
    _server: subprocess.Popen[bytes] | None = None
    _url = ""

    @property
    def python(self) -> Path:
        return python_of("prefect")

    def env(self) -> dict[str, str]:
        env = {key: value for key, value in os.environ.items() if not key.startswith(("PREFECT_", "NADI_", "PYTHON"))}
        env |= {"PREFECT_HOME": str(self.folder), "PREFECT_CLI_PROMPT": "false"}
        env |= {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}
        if self._url:
            env["PREFECT_API_URL"] = self._url
        else:
            env["PREFECT_SERVER_ALLOW_EPHEMERAL_MODE"] = "true"
        return env

    def start(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        words = ["-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
        with open(self.folder / "server.log", "wb") as log:
            self._server = subprocess.Popen(
                [self.python, *words], env=self.env(), cwd=self.folder, stdout=log, stderr=log
            )
        self._url = f"http://127.0.0.1:{port}/api"
        until = time.monotonic() + 120
        while time.monotonic() < until and self._server.poll() is None:
            with suppress(OSError):
                self._ask("GET", "/health")
                return
            time.sleep(0.2)
        raise RuntimeError(f"Prefect's server did not start; see {self.folder / 'server.log'}")

    def stop(self) -> None:
        if self._server is not None:
            self._server.terminate()
            try:
                self._server.wait(20)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait()

    def recorded(self, ran: int) -> int:
        # The server records what arrived some time later; wait for as long as it still gets on.
        count, stands_since = -1, time.monotonic()
        while count < ran and time.monotonic() - stands_since < 20:
            now = int(self._ask("POST", "/task_runs/count", {}))
            if now != count:
                count, stands_since = now, time.monotonic()
            time.sleep(0.5)
        return count

    def state_after_kill(self) -> str:
        runs = self._ask("POST", "/flow_runs/filter", {"limit": 1, "sort": "EXPECTED_START_TIME_DESC"})
        return str(runs[0]["state"]["name"]).upper()

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())


class Dbos(Peer):
    """DBOS on a SQLite file."""

    name, module = "DBOS", "dbos"
    works = frozenset({"hello", "calls", "submits", "map", "slow"})

    @property
    def python(self) -> Path:
        return python_of("dbos")

    def env(self) -> dict[str, str]:
        env = {key: value for key, value in os.environ.items() if not key.startswith(("DBOS_", "NADI_", "PYTHON"))}
        return env | {"DBOS_URL": f"sqlite:///{self.folder / 'dbos.sqlite'}", "DO_NOT_TRACK": "1"}

    def go_on(self, work: list[str], env: Mapping[str, str]) -> None:
        self.run(["go_on"], env)

    def recorded(self, ran: int) -> int:
        connection = apsw.Connection(str(self.folder / "dbos.sqlite"), flags=apsw.SQLITE_OPEN_READONLY)
        rows = connection.execute(
            "select count(*) from operation_outputs where function_name like '%same' or function_name like '%noted'"
        ).fetchall()
        connection.close()
        return int(str(rows[0][0]))

    def state_after_kill(self) -> str:
        connection = apsw.Connection(str(self.folder / "dbos.sqlite"), flags=apsw.SQLITE_OPEN_READONLY)
        rows = connection.execute("select status from workflow_status where workflow_uuid = 'slow'").fetchall()
        connection.close()
        return str(rows[0][0])
