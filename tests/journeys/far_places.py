"""A server process, and processes that report to it and keep ledgers of their own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import urllib3

from nadi.model.runs import FlowRun, RunFilter
from nadi.model.states import StateType
from nadi.storage.contract import Store
from nadi.storage.home import Home, this_holder
from nadi.storage.leftovers import deliver_leftovers
from tests.journeys.places import CHECKOUT

#: One line of the ledger is one thing that the flow did, written when it was done.
REPORTER = '''
"""A flow whose tasks write down what they did, beside what is recorded of them."""

import os
import sys
import time

from nadi import flow, get_run_logger, log_metric, task


def done(what: str) -> None:
    with open(sys.argv[1], "a") as ledger:
        ledger.write(what + "\\n")


@task
def step(n: int, pause: float) -> int:
    time.sleep(pause)
    get_run_logger().info("line %d", n)
    done(f"step {n}")
    return n


@flow
def reporter(tasks: int, pause: float) -> int:
    for n in range(tasks):
        step(n, pause)
    log_metric("steps", tasks)
    return tasks


if __name__ == "__main__":
    reporter(int(sys.argv[2]), float(sys.argv[3]))
    done("end")
'''


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class FarPlace:
    """A folder with a server's home, and reporters with homes and ledgers of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server_home = folder / "server-home"
        self.port = free_port()
        self.script = folder / "reporter.py"
        self.script.write_text(REPORTER)
        self.server: subprocess.Popen[str] | None = None
        self.reporters: list[subprocess.Popen[str]] = []
        #: How many tasks each of them runs.
        self.tasks: list[int] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self) -> str:
        return (self.server_home / "token").read_text().strip()

    # -- the server --

    def environment(self, home: Path, **more: str) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("NADI_")}
        return clean | {"PYTHONPATH": str(CHECKOUT / "src"), "NADI_HOME": str(home)} | more

    def start_server(self, *, before: str = "", **more: str) -> None:
        """Start it, and wait until it answers; `before` is code that its process runs first."""
        code = f"{before}\nimport sys\nfrom nadi.cli.main import main\nsys.exit(main())"
        with (self.folder / "server.log").open("a") as log:
            self.server = subprocess.Popen(
                [sys.executable, "-c", code, "server", "--port", str(self.port)],
                env=self.environment(self.server_home, **more),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                text=True,
            )
        deadline = time.monotonic() + 30
        with urllib3.PoolManager(retries=False) as http:
            while time.monotonic() < deadline:
                assert self.server.poll() is None, (self.folder / "server.log").read_text()
                try:
                    if http.request("GET", f"{self.url}/api/health", timeout=2).status == 200:
                        return
                except urllib3.exceptions.HTTPError:
                    time.sleep(0.05)
        raise AssertionError("the server did not answer in time")

    def end_server(self, how: signal.Signals = signal.SIGTERM) -> int:
        assert self.server is not None
        self.server.send_signal(how)
        status = self.server.wait(timeout=30)
        self.server = None
        return status

    # -- those that report --

    def ledger(self, n: int) -> Path:
        return self.folder / f"ledger-{n}"

    def start_reporters(self, count: int, *, tasks: int, pause: float, **settings: str) -> None:
        """Start processes that run a flow each, by default against the server."""
        settings = settings or {"NADI_API_URL": self.url, "NADI_API_KEY": self.token}
        for n in range(len(self.reporters), len(self.reporters) + count):
            self.tasks.append(tasks)
            self.reporters.append(
                subprocess.Popen(
                    [sys.executable, str(self.script), str(self.ledger(n)), str(tasks), str(pause)],
                    cwd=self.folder,
                    env=self.environment(
                        self.folder / f"home-{n}", NADI_WAIT_FOR_STORE="20", NADI_LOG_TO_CONSOLE="false", **settings
                    ),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                )
            )

    def are_running(self) -> bool:
        return any(reporter.poll() is None for reporter in self.reporters)

    def wait(self) -> None:
        """Wait for the end of all reporters: none of them may have failed."""
        for n, reporter in enumerate(self.reporters):
            told, _ = reporter.communicate(timeout=50)
            assert reporter.returncode == 0, told
            assert "Traceback" not in told, told
            assert self.ledger(n).read_text().splitlines()[-1] == "end"

    def deliver(self, store: Store) -> None:
        """Deliver what reporters could not deliver any more, as the next command in their homes does."""
        for n in range(len(self.reporters)):
            found = deliver_leftovers(Home(self.folder / f"home-{n}"), store, this_holder("looker"), now=time.time())
            assert not found.stuck, found.stuck

    def ended(self) -> None:
        """End what is still there, by its id."""
        for process in (self.server, *self.reporters):
            if process is not None and process.poll() is None:
                process.kill()
                process.communicate()


@contextmanager
def far_place(folder: Path) -> Iterator[FarPlace]:
    """Give a place whose processes end with the test."""
    place = FarPlace(folder)
    try:
        yield place
    finally:
        place.ended()


def check_ledgers(place: FarPlace, store: Store) -> None:
    """Compare what the store has with what each reporter wrote down itself: nothing lost, nothing twice."""
    runs = store.flow_runs(RunFilter(flow="reporter"), limit=1000)
    given = [json.loads(run.parameters)["tasks"] for run in runs]
    assert sorted(given) == sorted(place.tasks)
    for run, tasks in zip(runs, given, strict=True):
        _check_run(run, store, tasks)
    for n, tasks in enumerate(place.tasks):
        assert place.ledger(n).read_text().splitlines() == [*(f"step {number}" for number in range(tasks)), "end"]
    told = {flow.name: flow.runs for flow in store.overview.flows(limit=10)}
    assert told == {"reporter": {"COMPLETED": len(runs)}}


def _check_run(run: FlowRun, store: Store, tasks: int) -> None:
    assert (run.state_type, run.attempt) == (StateType.COMPLETED, 1), run.message
    assert run.task_counts == {"COMPLETED": tasks}
    names = [task.name for task in store.task_runs(run.id, limit=10_000)]
    assert len(names) == len(set(names)) == tasks
    lines = [log.text for log in store.logs(run.id, limit=10_000) if log.text.startswith("line")]
    assert lines == [f"line {n}" for n in range(tasks)]
    assert [metric.value for metric in store.metrics(run.id)] == [float(tasks)]
    assert run.dropped == {}


class LossyProxy:
    """Stands before a server and loses the answer of every first try: the request was carried out all the same."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._seen: set[bytes] = set()
        self._lock = threading.Lock()
        #: How many answers were lost.
        self.lost = 0
        self._closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._closed = True
        self._listening.close()

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._relay, args=(client,), daemon=True).start()

    def _relay(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._target)) as server:
            incoming = client.makefile("rb")
            answers = server.makefile("rb")
            while (head := _head(incoming)) is not None:
                body = incoming.read(_length(head))
                server.sendall(head + body)
                answer_head = _head(answers)
                if answer_head is None:
                    return
                answer = answer_head + answers.read(_length(answer_head))
                if body and self._is_first(head.split(b"\r\n", 1)[0] + body):
                    return  # carried out, and nobody is told
                client.sendall(answer)

    def _is_first(self, request: bytes) -> bool:
        with self._lock:
            if request in self._seen:
                return False
            self._seen.add(request)
            self.lost += 1
            return True


def _head(stream: object) -> bytes | None:
    lines = []
    while True:
        line: bytes = stream.readline()  # type: ignore[attr-defined]  # a file of a socket
        if not line:
            return None
        lines.append(line)
        if line == b"\r\n":
            return b"".join(lines)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0
