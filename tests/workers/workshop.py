"""A store, deployments of scripts in a folder, and workers as real processes."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Self, TypeVar

import msgspec

from nadi.engine.clock import Clock
from nadi.engine.deployment_runs import Asked, trigger
from nadi.model.deployments import DeploymentSpec, DeploymentVersion, FolderSource, Resources
from nadi.model.holders import Holder
from nadi.model.runs import FlowRun
from nadi.model.work import CrashPolicy
from nadi.storage.home import Home, this_host
from nadi.storage.opening import open_store
from nadi.storage.results import LocalResults

CHECKOUT = Path(__file__).parents[2]
T = TypeVar("T")

#: What every script of these tests begins with.
HEAD = """
import os, signal, sys, threading, time
from pathlib import Path
from nadi import flow, task

def did(label):
    with open(os.environ["LEDGER"], "a") as file:
        file.write(f"{label}\\n")

def waits_for(name):
    while not Path(os.environ["LEDGER"]).with_name(name).exists():
        time.sleep(0.01)
"""


class Workshop:
    """One home with its store. At the end of a `with`, nothing that was started here is left running."""

    def __init__(self, folder: Path, url: str = "", **settings: str) -> None:
        self.folder, self.url, self._settings = folder, url, settings
        self.home = Home(folder / "home")
        self.ledger = folder / "ledger"
        self.store = open_store(url, home=self.home.path)
        self._clock = Clock()
        self._workers: list[subprocess.Popen[str]] = []
        self._version = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            if worker.poll() is None:
                with suppress(ProcessLookupError):
                    worker.send_signal(signal.SIGCONT)
                worker.kill()
            worker.communicate()
        # What is left of runs ends by itself, as its worker is gone.
        left = [Holder.decode(run.holder).pid for run in self.runs() if not run.is_final and run.holder]
        for pid in left:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
        self.store.close()

    # -- deployments --

    def script(self, text: str, name: str = "flows.py") -> None:
        (self.folder / name).write_text(HEAD + textwrap.dedent(text))

    def deploy(self, name: str, *, entrypoint: str = "", resources: Resources | None = None, **more: Any) -> None:
        spec = DeploymentSpec(
            name=name,
            entrypoint=entrypoint or f"flows.py:{name}",
            flow=name,
            source=FolderSource(path=str(self.folder), host=this_host()),
            resources=resources or Resources(),
            environment={"LEDGER": str(self.ledger)},
            crash_policy=more.pop("crash_policy", CrashPolicy.RESUME),
            **more,
        )
        self._version += 1
        version = DeploymentVersion(deployment=name, number=0, spec=spec, digest=f"{self._version:064}")
        self.store.deployments.deploy(version, now=time.time())

    def ask(self, deployment: str, **parameters: Any) -> str:
        asked = Asked(parameters=parameters)
        run, _ = trigger(
            self.store,
            LocalResults(self.home.results),
            deployment,
            asked,
            id=self._clock.new_id(),
            now=time.time(),
            chance=random.Random(),
        )
        return run.id

    # -- workers --

    def worker(self, *options: str, **more: str) -> subprocess.Popen[str]:
        """Start a worker, and return when it is known to the store."""
        known = {seen.holder for seen in self.store.work.workers()}
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("NADI_")},
            "PYTHONPATH": str(CHECKOUT / "src"),
            "NADI_HOME": str(self.home.path),
            "NADI_DATABASE_URL": self.url,
            **self._settings,
            **more,
        }
        worker = subprocess.Popen(
            [sys.executable, "-m", "nadi", "worker", *options],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._workers.append(worker)
        until(lambda: {seen.holder for seen in self.store.work.workers()} - known)
        return worker

    # -- runs --

    def run(self, id: str) -> FlowRun:
        found = self.store.flow_run(id)
        assert found is not None
        return found

    def runs(self) -> list[FlowRun]:
        from nadi.model.runs import RunFilter

        return self.store.flow_runs(RunFilter(), limit=1000)

    def until_state(self, id: str, *names: str) -> FlowRun:
        return until(lambda: run if (run := self.run(id)).state_name in names else None)

    def end(self, id: str) -> FlowRun:
        return until(lambda: run if (run := self.run(id)).is_final else None)

    def pid(self, id: str) -> int:
        """The process that has a run."""
        return Holder.decode(self.run(id).holder).pid

    def value(self, id: str) -> Any:
        """What is in the ledger as the last line of a run that wrote it there."""
        return msgspec.json.decode(self.done()[-1])

    def done(self) -> list[str]:
        """What runs wrote into the ledger."""
        return self.ledger.read_text().splitlines() if self.ledger.exists() else []

    def until_done(self, label: str) -> None:
        until(lambda: label in self.done())

    def until_there(self, name: str) -> None:
        until((self.folder / name).exists)

    def allow(self, name: str) -> None:
        """Let go on what `waits_for` the name."""
        (self.folder / name).touch()

    def printed(self, id: str) -> str:
        return (self.home.output / f"{id}.log").read_text()


def until(found: Callable[[], T | None], seconds: float = 30.0) -> T:
    """Return what a look finds, as soon as it finds something."""
    deadline = time.monotonic() + seconds
    while not (what := found()):
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.02)
    return what
