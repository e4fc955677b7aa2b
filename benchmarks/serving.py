"""`python -m benchmarks.serving`: what `nadi server` needs for each answer, at ten thousand and a million task runs.

For each store a server of its own is started on a small and on a large history; both are asked the same, in turn with
a route that touches no history, which is the yardstick. What is printed side by side should not differ: what an
answer costs is bounded by the answer.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from urllib.parse import quote

import msgspec

from benchmarks import machine
from benchmarks.processes import ROOT, environment, fresh_home
from benchmarks.seeding import ASSET, SPAN, Seeded

#: Milliseconds that 95 of 100 answers take at the most; seconds until a started server answers; bytes that an idle
#: one holds; percent of one core that it takes.
BUDGET_MS, BUDGET_START, BUDGET_BYTES, BUDGET_IDLE = 20.0, 0.7, 80_000_000, 0.5
SIZES = (10_000, 1_000_000)
HEALTH = "health (the yardstick)"
WIDTH = 34


class Asked(msgspec.Struct, frozen=True):
    """What one call took, in milliseconds."""

    what: str
    median: float
    p95: float
    #: Processor time of the server, median: what is left to read on a busy machine. A database server's is its own.
    processor: float
    size_bytes: int


class Served(msgspec.Struct, frozen=True):
    """What one server was measured to do."""

    store: str
    task_runs: int
    calls: list[Asked]
    #: Seconds from the start of the process to its first answer.
    start: float
    #: After all calls: bytes held, and percent of one core taken while nobody asks.
    held_bytes: int
    idle_percent: float
    seeding: float


def calls(seeded: Seeded) -> dict[str, str]:
    """Return every list and every call of a run page: name and path."""
    run, large = f"/api/flow-runs/{seeded.typical}", f"/api/flow-runs/{seeded.largest}"
    since, until = (_moment(seeded.middle_at - days * 86_400) for days in (3.5, -3.5))
    day = _moment(seeded.middle_at - SPAN / 2.2)
    return {
        HEALTH: "/api/health",
        "runs": "/api/flow-runs",
        "runs, from the middle": f"/api/flow-runs?before={seeded.middle}",
        "runs, 200 of them": "/api/flow-runs?limit=200",
        "runs of a flow": "/api/flow-runs?flow=etl-users",
        "runs failed": "/api/flow-runs?state=FAILED",
        "runs not in order": "/api/flow-runs?state=FAILED&state=CRASHED&state=CANCELLED&state=RUNNING",
        "runs open": "/api/flow-runs?state=RUNNING&state=PENDING&state=SCHEDULED",
        "runs completed": "/api/flow-runs?state=COMPLETED",
        "runs with a common tag": "/api/flow-runs?tag=prod",
        "runs with a rare tag": f"/api/flow-runs?tag={seeded.rare_tag}",
        "runs with two tags": "/api/flow-runs?tag=gpu&tag=team-3",
        "runs failed, with a tag": "/api/flow-runs?tag=prod&state=FAILED",
        "runs with a parameter": "/api/flow-runs?parameter=model%3Dtree",
        "runs with a rare parameter": f"/api/flow-runs?parameter=number%3D{seeded.flow_runs // 3}",
        "runs with a text": "/api/flow-runs?text=quiet-7",
        "runs with a text that none has": "/api/flow-runs?text=nowhere",
        "runs of a flow, with a text": "/api/flow-runs?text=nowhere&flow=etl-users",
        "runs failed, with a text": "/api/flow-runs?text=nowhere&state=FAILED",
        "runs of a week": f"/api/flow-runs?since={since}&until={until}",
        "runs with everything": f"/api/flow-runs?since={since}&tag=prod&flow=etl-users&state=FAILED&text=a"
        "&parameter=rows%3D100",
        "runs, subflows too": "/api/flow-runs?subflows=true",
        "subflows with a tag": "/api/flow-runs?subflows=true&tag=gpu",
        "flows": "/api/flows",
        "flows, with their newest runs": "/api/flows?newest=20",
        "a flow": "/api/flows/etl-users",
        "durations of a flow": "/api/flows/etl-users/durations",
        "tasks of a flow": "/api/flows/etl-users/tasks",
        "code of a flow": "/api/flows/etl-users/preview",
        "failures": "/api/failures",
        "waiting runs": "/api/waiting",
        "history of a day": "/api/history",
        "history of a month, by hour": f"/api/history?since={_moment(seeded.middle_at)}"
        f"&until={_moment(seeded.middle_at + 30 * 86_400)}",
        "history of all, by day": f"/api/history?since={day}&bucket=day",
        "history of a flow, by day": f"/api/history?since={day}&bucket=day&flow=etl-users",
        "artifacts of a key": "/api/artifacts?key=report",
        "an artifact": f"/api/artifacts/{seeded.artifact}",
        "events": "/api/events",
        "assets": "/api/assets",
        "an asset": f"/api/assets/details?key={quote(ASSET, safe='')}",
        "materializations of an asset": f"/api/assets/materializations?key={quote(ASSET, safe='')}",
        "lineage of an asset": f"/api/assets/lineage?key={quote(ASSET, safe='')}",
        "variables": "/api/variables",
        "limits": "/api/concurrency-limits",
        "cache": "/api/cache",
        "audit": "/api/audit",
        "metrics for Prometheus": "/metrics",
        "the run": run,
        "its task runs": f"{run}/task-runs",
        "its failed task runs": f"{run}/task-runs?state=FAILED",
        "its graph": f"{run}/graph",
        "its timeline": f"{run}/timeline",
        "its logs": f"{run}/logs",
        "its logs from the end": f"{run}/logs?before=9000000000000000",
        "its warnings": f"{run}/logs?level=WARNING",
        "its logs with a text": f"{run}/logs?text=nowhere",
        "its artifacts": f"{run}/artifacts",
        "its metrics": f"{run}/metrics",
        "its attempts": f"{run}/attempts",
        "its attempts of task runs": f"{run}/task-attempts",
        "its superseded reports": f"{run}/superseded",
        "its subflows": f"{run}/subflows",
        "its pauses": f"{run}/pauses",
        "why": f"{run}/why",
        "a task run": f"/api/task-runs/{seeded.task_run}",
        "its attempts, task": f"/api/task-runs/{seeded.task_run}/attempts",
        "its logs, task": f"/api/task-runs/{seeded.task_run}/logs",
        "large run": large,
        "large: task runs": f"{large}/task-runs",
        "large: graph": f"{large}/graph",
        "large: timeline": f"{large}/timeline",
        "large: logs": f"{large}/logs",
        "large: logs with a text": f"{large}/logs?text=nowhere",
    }


#: Routes that are neither a list nor part of a run page, or that do not end.
NOT_MEASURED = frozenset(
    {
        "/api/stream",
        "/api/openapi.json",
        "/api/server",
        "/api/store",
        "/api/me",
        "/api/retention/rules",
        "/api/flow-runs/{run}/launch",
        "/api/artifacts/{artifact}/content",
        "/api/variables/{name}",
        "/api/concurrency-limits/{name}",
        "/api/results/{key:path}",
        # Of deployments none are seeded yet; their cost depends on deployments and what waits, not on history.
        "/api/deployments",
        "/api/deployments/{name}",
        "/api/deployments/{name}/versions",
        "/api/deployments/{name}/runs",
        "/api/deployments/{name}/ticks",
        "/api/schedules",
        "/api/backfills",
        "/api/backfills/{backfill}",
        "/api/workers",
        "/api/queues",
        "/api/work",
    }
)


def _moment(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


# -- one server --


class Server:
    """A `nadi server` process."""

    def __init__(self, env: dict[str, str]) -> None:
        begin = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "nadi", "server", "--port", "0", "--json"],
            env=env,
            cwd=env["NADI_HOME"],
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        ready = msgspec.json.decode(self._process.stdout.readline())
        self._connection = http.client.HTTPConnection("127.0.0.1", ready["port"], timeout=60)
        token = (Path(env["NADI_HOME"]) / "token").read_text(encoding="ascii").strip()
        self._headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "gzip"}
        self.get("/api/health")
        #: Seconds from the start of the process to its first answer.
        self.start = time.perf_counter() - begin

    def get(self, path: str) -> tuple[float, bytes]:
        """Ask, and return the milliseconds it took and the answer.

        Raises:
            RuntimeError: the answer is not a good one.
        """
        begin = time.perf_counter()
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        body = answer.read()
        took = (time.perf_counter() - begin) * 1e3
        if answer.getheader("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        if answer.status != 200:
            raise RuntimeError(f"{path} was answered with {answer.status}: {body[:300].decode(errors='replace')}")
        return took, body

    def held_bytes(self) -> int:
        """Return how much memory it holds."""
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def processor_ms(self) -> float:
        """Return the milliseconds that its threads have been on a processor, to the microsecond."""
        tasks = Path(f"/proc/{self._process.pid}/task")
        return sum(int((task / "schedstat").read_text(encoding="ascii").split()[0]) for task in tasks.iterdir()) / 1e6

    def cpu_seconds(self) -> float:
        """Return how much processor time it has taken."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """End it."""
        self._connection.close()
        self._process.terminate()
        self._process.wait(30)
        assert self._process.stdout is not None
        self._process.stdout.close()


def measure(store: str, env: dict[str, str], seeded: Seeded, *, times: int, idle: float, seeding: float) -> Served:
    """Start a server and measure every call, all in turn, `times` over."""
    starts = []
    for _ in range(3):
        with closing(Server(env)) as server:
            starts.append(server.start)
    paths = calls(seeded)
    took: dict[str, list[float]] = {what: [] for what in paths}
    processor: dict[str, list[float]] = {what: [] for what in paths}
    sizes: dict[str, int] = {}
    with closing(Server(env)) as server:
        for turn in range(times + 2):
            for what, path in paths.items():
                before = server.processor_ms()
                milliseconds, body = server.get(path)
                sizes[what] = len(body)
                # The first two turns load what is loaded once.
                if turn >= 2:
                    took[what].append(milliseconds)
                    processor[what].append(server.processor_ms() - before)
        begin, busy = time.perf_counter(), server.cpu_seconds()
        time.sleep(idle)
        percent = (server.cpu_seconds() - busy) / (time.perf_counter() - begin) * 100
        held = server.held_bytes()
    return Served(
        store=store,
        task_runs=seeded.task_runs,
        calls=[
            Asked(what, statistics.median(each), _p95(each), statistics.median(processor[what]), sizes[what])
            for what, each in took.items()
        ],
        start=statistics.median(starts),
        held_bytes=held,
        idle_percent=percent,
        seeding=seeding,
    )


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[max(0, round(len(values) * 0.95) - 1)]


# -- seeded stores --


def seeded(env: dict[str, str], task_runs: int) -> tuple[Seeded, float]:
    """Seed the store of a home, unless it is; return what there is, and the seconds that it took."""
    kept = Path(env["NADI_HOME"]) / f"seeded-{task_runs}.json"
    seconds = 0.0
    if not kept.exists():
        command = [sys.executable, "-m", "benchmarks.seeding", "--task-runs", str(task_runs)]
        begin = time.perf_counter()
        done = subprocess.run(command, env=env, cwd=ROOT, check=True, stdout=subprocess.PIPE)
        seconds = time.perf_counter() - begin
        kept.write_bytes(done.stdout)
    return msgspec.json.decode(kept.read_bytes(), type=Seeded), seconds


@contextmanager
def sqlite_home(kept: Path | None, task_runs: int) -> Iterator[dict[str, str]]:
    """The environment of a home with a SQLite store."""
    if kept is None:
        with fresh_home() as env:
            yield env
    else:
        home = kept / f"sqlite-{task_runs}"
        home.mkdir(parents=True, exist_ok=True)
        yield environment(str(home))


@contextmanager
def postgres_home(kept: Path | None, task_runs: int) -> Iterator[dict[str, str]]:
    """The environment of a home with a PostgreSQL store: a database of the server that tests use."""
    # With the libraries of the tests only.
    from tests.postgres import server

    with fresh_home() as env:
        env["NADI_DATABASE_URL"] = server().fresh()
        yield env


HOMES: dict[str, Callable[[Path | None, int], AbstractContextManager[dict[str, str]]]] = {
    "sqlite": sqlite_home,
    "postgres": postgres_home,
}


# -- the table --


def told(results: Sequence[Served]) -> str:
    """One store at several sizes, side by side, in milliseconds."""
    heads = "".join(f"{f'{one.task_runs:,} task runs':>24}" for one in results)
    lines = [
        f"{results[0].store:<{WIDTH}}{heads}    p95,",
        f"{'milliseconds':<{WIDTH}}" + "  median     p95     cpu" * len(results) + "   times",
    ]
    for place, asked in enumerate(results[0].calls):
        row = [one.calls[place] for one in results]
        numbers = "".join(f"{each.median:>8.2f}{each.p95:>8.2f}{each.processor:>8.2f}" for each in row)
        growth = f"{row[-1].p95 / row[0].p95:>8.1f}" if len(row) > 1 else ""
        over = "  over" if max(each.p95 for each in row) > BUDGET_MS else ""
        lines.append(f"{asked.what:<{WIDTH}}{numbers}{growth}{over}")
    lines.append(_line("start to first answer, s", [one.start for one in results], BUDGET_START))
    lines.append(_line("held after all calls, MB", [one.held_bytes / 1e6 for one in results], BUDGET_BYTES / 1e6))
    lines.append(_line("idle, percent of a core", [one.idle_percent for one in results], BUDGET_IDLE))
    return "\n".join(lines)


def _line(what: str, values: Sequence[float], budget: float) -> str:
    numbers = "".join(f"{value:>24.2f}" for value in values)
    return f"{what:<{WIDTH}}{numbers}   <= {budget:g} {'met' if max(values) <= budget else 'over'}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__)
    parser.add_argument("--only", choices=list(HOMES), action="append", help="which stores")
    parser.add_argument("--task-runs", type=int, nargs="+", default=SIZES, metavar="N", help="sizes, smallest first")
    parser.add_argument("--times", type=int, default=100, help="how often each call is made")
    parser.add_argument("--idle", type=float, default=60.0, metavar="SECONDS", help="how long to watch it do nothing")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the SQLite stores there, to use them again")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    asked = parser.parse_args()
    described = machine.describe()
    print(f"{described['cores']} cores ({described['processor']}), {described['date']}", flush=True)
    found: dict[str, list[Served]] = {}
    for store in asked.only or HOMES:
        for task_runs in asked.task_runs:
            with ExitStack() as stack:
                env = stack.enter_context(HOMES[store](asked.keep, task_runs))
                env.pop("PYTHONDONTWRITEBYTECODE", None)
                what, seconds = seeded(env, task_runs)
                print(f"{store}: {task_runs:,} task runs, seeded in {seconds:.0f} s", flush=True)
                one = measure(store, env, what, times=asked.times, idle=asked.idle, seeding=seconds)
                found.setdefault(store, []).append(one)
        print(f"\n{told(found[store])}\n", flush=True)
    if asked.json is not None:
        whole = {"machine": described, "stores": found}
        asked.json.write_bytes(msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n")


if __name__ == "__main__":
    main()
