"""`python -m benchmarks.dispatch [URL]`: how soon a warm worker starts what is asked for, and how much it gets done.

A worker runs as users start it, on a database of its own, or on that of a `postgresql://` URL. Runs are asked for one
at a time, and what counts is when each has begun; then many at once. Nothing is asserted: a busy machine fails nobody's
build.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from nadi.engine.clock import Clock
from nadi.engine.deployment_runs import Asked, new_run
from nadi.model.deployments import DeploymentSpec, DeploymentVersion, FolderSource
from nadi.model.runs import FlowRun
from nadi.storage.contract import Store
from nadi.storage.home import Home, this_host
from nadi.storage.opening import open_store
from nadi.storage.results import LocalResults

#: Milliseconds from created to RUNNING, of the median and of 19 in 20; runs a minute.
MEDIAN, P95, A_MINUTE = 50.0, 150.0, 2000.0

FLOW = """
from nadi import flow

@flow
def trivial(n: int):
    return n
"""


class Scene:
    """A store with one deployment, and a worker that serves it."""

    def __init__(self, folder: Path, url: str) -> None:
        (folder / "flows.py").write_text(FLOW)
        self._folder, self._url, self._clock = folder, url, Clock()
        self._home = Home(folder / "home")
        self.store: Store = open_store(url, home=self._home.path)
        spec = DeploymentSpec(
            name="trivial",
            entrypoint="flows.py:trivial",
            flow="trivial",
            source=FolderSource(path=str(folder), host=this_host()),
        )
        version = DeploymentVersion(deployment="trivial", number=0, spec=spec, digest="1")
        self._version = self.store.deployments.deploy(version, now=time.time()).deployment.version

    def ask(self, many: int) -> list[str]:
        """Ask for so many runs in one transaction, and return their ids."""
        results = LocalResults(self._home.results)
        new = [
            new_run(
                self._version,
                Asked(parameters={"n": n}),
                store=self.store,
                results=results,
                id=self._clock.new_id(),
                now=time.time(),
                chance=random.Random(n),
            )
            for n in range(many)
        ]
        return [one.run for one in self.store.work.enqueue(new)]

    def end(self, run: str) -> FlowRun:
        """Wait for the end of a run."""
        while True:
            seen = self.store.last_change()
            found = self.store.flow_run(run)
            if found is not None and found.is_final:
                return found
            self.store.wait_for_change(seen, 1.0)

    def worker(self, limit: int) -> subprocess.Popen[bytes]:
        """Start a worker."""
        environment = {**os.environ, "NADI_HOME": str(self._home.path), "NADI_DATABASE_URL": self._url}
        command = [sys.executable, "-m", "nadi", "worker", "--quiet", "--limit", str(limit)]
        return subprocess.Popen(command, cwd=self._folder, env=environment)


def latencies(scene: Scene, times: int) -> list[float]:
    """Return the milliseconds from created to RUNNING of runs that are asked for one after the other, sorted."""
    found = []
    for _ in range(times):
        [run] = scene.ask(1)
        record = scene.end(run)
        found.append(1000 * (record.started - record.created))
        time.sleep(0.05)  # the process before has ended
    return sorted(found)


def throughput(scene: Scene, many: int) -> float:
    """Return how many runs a minute are done when many are asked for at once."""
    began = time.monotonic()
    runs = scene.ask(many)
    states = {scene.end(run).state_name for run in runs}
    assert states == {"Completed"}, states
    return 60 * many / (time.monotonic() - began)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dispatch", description=__doc__)
    parser.add_argument("url", nargs="?", default="")
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--many", type=int, default=300)
    parser.add_argument("--limit", type=int, default=4)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scene = Scene(Path(folder), told.url)
        worker = scene.worker(told.limit)
        try:
            scene.end(scene.ask(1)[0])  # from here on it is warm
            found = latencies(scene, told.times)
            at_95 = found[min(len(found) - 1, int(0.95 * len(found)))]
            print(f"load of the machine: {os.getloadavg()[0]:.1f}")
            print(f"created to RUNNING: median {statistics.median(found):.1f} ms (budget {MEDIAN:g}),", end=" ")
            print(f"95 % {at_95:.1f} ms (budget {P95:g}), longest {found[-1]:.1f} ms, of {len(found)}")
            print(f"runs a minute: {throughput(scene, told.many):,.0f} (budget {A_MINUTE:,.0f}), of {told.many}")
        finally:
            worker.terminate()
            worker.wait()
            scene.store.close()


if __name__ == "__main__":
    main()
