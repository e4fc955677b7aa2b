"""`python -m benchmarks.streaming`: how long after its commit a change reaches those who follow a server's stream.

A server runs as users start it. Here one thread commits changes to the same store, as a flow of another process does,
and 1, 50 and 200 readers follow all runs; each notes when what was committed arrives. Beside it stands how long one
request to the same server takes, as the yardstick.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from benchmarks import machine, report
from benchmarks.processes import fresh_home
from nadi.model.ids import uuid7
from nadi.model.records import FlowRunBegun, MetricLogged
from nadi.model.states import StateType
from nadi.storage.contract import Batch, Store
from nadi.storage.home import Home
from nadi.storage.opening import open_store

#: Milliseconds within which a change has to arrive.
BUDGET_MS = 200.0
READERS = (1, 50, 200)


class Server:
    """A server, as users start one."""

    def __init__(self, env: dict[str, str]) -> None:
        command = [sys.executable, "-m", "nadi", "server", "--port", "0", "--json"]
        self.process = subprocess.Popen(command, env=env, cwd=env["NADI_HOME"], stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        self.port: int = msgspec.json.decode(self.process.stdout.readline())["port"]
        token = (Path(env["NADI_HOME"]) / "token").read_text(encoding="ascii").strip()
        self.headers = {"Authorization": f"Bearer {token}"}

    def request_ms(self) -> float:
        """Return what one small request takes."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        begin = time.perf_counter()
        connection.request("GET", "/api/server", headers=self.headers)
        connection.getresponse().read()
        took = (time.perf_counter() - begin) * 1e3
        connection.close()
        return took

    def used(self) -> tuple[float, int]:
        """Return the processor seconds that it has used, and the bytes that it holds."""
        pid = self.process.pid
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGESIZE")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        if self.process.stdout is not None:
            self.process.stdout.close()


class Commits:
    """Changes one run again and again, and knows when each change was committed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._run = uuid7(time.time(), 1)
        self._told = 0
        #: Change number after each commit, and when that had returned.
        self.made: list[tuple[int, float]] = []
        begun = FlowRunBegun(
            root=self._run,
            token=1,
            at=time.time(),
            id=self._run,
            flow="measured",
            name="measured-river",
            attempt=1,
            state=StateType.RUNNING,
            state_name="Running",
            holder="",
        )
        self._tell(begun)
        self.made.clear()

    def make(self, times: int, pause: float) -> None:
        for n in range(times):
            metric = MetricLogged(
                root=self._run, token=1, at=time.time(), run=self._run, task="", key="loss", value=1.0, step=n
            )
            self._tell(metric)
            time.sleep(pause)

    def _tell(self, record: FlowRunBegun | MetricLogged) -> None:
        self._told += 1
        self._store.apply(Batch("benchmark", self._told, [record]))
        committed = time.perf_counter()
        self.made.append((self._store.last_change(), committed))


async def follow(server: Server, arrived: list[tuple[int, float]], opened: asyncio.Semaphore) -> None:
    """Read a stream, and note when which change was there, until the task is cancelled."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = "".join(f"{name}: {value}\r\n" for name, value in server.headers.items())
    writer.write(f"GET /api/stream HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n{head}\r\n".encode())
    try:
        while line := await reader.readline():
            if line.startswith(b"event: open"):
                opened.release()
            elif line.startswith(b'data: {"change":'):
                change = int(line[len(b'data: {"change":') :].partition(b",")[0].rstrip(b"}\n"))
                arrived.append((change, time.perf_counter()))
    finally:
        writer.close()


async def measure(server: Server, commits: Commits, readers: int, times: int, pause: float) -> list[float]:
    """Return the milliseconds from each commit to its arrival, of every reader."""
    opened = asyncio.Semaphore(0)
    arrived: list[list[tuple[int, float]]] = [[] for _ in range(readers)]
    tasks = [asyncio.create_task(follow(server, noted, opened)) for noted in arrived]
    for _ in tasks:
        await opened.acquire()
    commits.made.clear()
    thread = threading.Thread(target=commits.make, args=(times, pause))
    thread.start()
    while thread.is_alive():
        await asyncio.sleep(0.05)
    last = commits.made[-1][0]
    while any(not noted or noted[-1][0] < last for noted in arrived):
        await asyncio.sleep(0.01)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return [ms for noted in arrived for ms in latencies(commits.made, noted)]


def latencies(made: list[tuple[int, float]], noted: list[tuple[int, float]]) -> Iterator[float]:
    """Yield how long each commit took to arrive: with the first event that tells of it or of a later one."""
    place = 0
    for change, at in made:
        while noted[place][0] < change:
            place += 1
        yield (noted[place][1] - at) * 1e3


@contextmanager
def served(url: str) -> Iterator[tuple[Server, Store]]:
    """A server on an empty store, and the store."""
    with fresh_home() as env:
        if url:
            env["NADI_DATABASE_URL"] = url
        store = open_store(url, home=Home(env["NADI_HOME"]).path)
        server = Server(env)
        try:
            yield server, store
        finally:
            server.stop()
            store.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.streaming", description=__doc__)
    parser.add_argument("--database-url", default="", help="a PostgreSQL database; default: SQLite")
    parser.add_argument("--times", type=int, default=100, help="changes for each number of readers")
    parser.add_argument("--pause", type=float, default=0.1, help="seconds between changes")
    asked = parser.parse_args()
    print(report.headline(machine.describe()))
    print(f"\n{'readers':>8} {'p50 ms':>8} {'p95 ms':>8} {'max ms':>8} {'core %':>8} {'MB':>6}")
    with served(asked.database_url) as (server, store):
        commits = Commits(store)
        for readers in READERS:
            before, began = server.used()[0], time.perf_counter()
            found = sorted(asyncio.run(measure(server, commits, readers, asked.times, asked.pause)))
            used, held = server.used()
            share = 100 * (used - before) / (time.perf_counter() - began)
            p95 = found[int(0.95 * len(found))]
            print(
                f"{readers:>8} {statistics.median(found):>8.1f} {p95:>8.1f} {found[-1]:>8.1f} {share:>8.1f}"
                f" {held / 1e6:>6.0f}{'' if p95 <= BUDGET_MS else f'   over the budget of {BUDGET_MS:g} ms'}"
            )
        requests = [server.request_ms() for _ in range(50)]
        print(f"\nYardstick: one request to the same server takes {statistics.median(requests):.1f} ms.")


if __name__ == "__main__":
    main()
