"""A folder with a home and scripts, and processes that run them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

from nadi.model.runs import FlowRun, RunFilter
from nadi.storage.recorder import JournalRecorder
from nadi.storage.settings import Settings
from nadi.storage.sqlite import SqliteStore

CHECKOUT = Path(__file__).parents[2]


class Place:
    """Scripts, their home, and a look at what they left.

    At the end of a `with` nothing is left running of what was started here, stopped or not, and no pipe is open.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.ledger = folder / "ledger"
        self._started: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._started:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
            for pipe in (process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()

    def script(self, text: str, name: str = "pipeline.py") -> Path:
        path = self.folder / name
        path.write_text(textwrap.dedent(text))
        return path

    def environment(self, **more: str) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": str(CHECKOUT / "src"),
            "NADI_HOME": str(self.home),
            "LEDGER": str(self.ledger),
            **more,
        }

    def start(self, *command: str | Path, **more: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, *map(str, command)],
            cwd=self.folder,
            env=self.environment(**more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._started.append(process)
        return process

    def run(self, *command: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*command, **more)
        try:
            out, err = process.communicate(timeout=45)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # what it forked holds the pipes too
            out, err = process.communicate()
            raise AssertionError(f"it did not end in time:\n{out}\n{err}") from None
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def resume(self, run: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        """Resume the newest run in a process of its own."""
        code = f"import nadi; print(nadi.resume({run or self.newest().id!r}))"
        return self.run("-c", code, **more)

    def did(self) -> list[str]:
        return self.ledger.read_text().split() if self.ledger.exists() else []

    def look(self) -> list[FlowRun]:
        """Deliver what dead processes left, as every command does first; returns all root runs, newest first."""
        recorder = JournalRecorder(Settings(home=str(self.home)), "looker")
        try:
            found = recorder.look_for_leftovers()
            assert not found.stuck, found.stuck
            return recorder.store().flow_runs(RunFilter(), limit=1000)
        finally:
            assert recorder.close() == ""

    def newest(self) -> FlowRun:
        return self.look()[0]

    def store(self) -> SqliteStore:
        return SqliteStore(self.home / "nadi.db")

    def journals(self) -> list[Path]:
        return sorted(self.home.glob("journals/*/*.log"))


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Look again and again until something that another process does is seen."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


#: Says in the ledger that something was done.
DID = """
import os, sys
from nadi import flow, task

def did(label):
    with open(os.environ["LEDGER"], "a") as ledger:
        ledger.write(label + "\\n")
"""
