"""A home of their own for tests that run flows and resume them, and short ways to look at what was recorded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nadi
from nadi.engine import recording
from nadi.exceptions import CrashedRun
from nadi.model.runs import FlowRun, RunFilter, TaskRun
from nadi.storage.contract import Store
from nadi.storage.recorder import JournalRecorder


class Here:
    """The home of one test, and what its tasks did."""

    def __init__(self, path: Path) -> None:
        self.path = path
        #: What tasks said that they did, in order; `take` empties it.
        self.did: list[str] = []
        #: Whether `crash_once` has struck already.
        self.crashed = False

    @property
    def recorder(self) -> JournalRecorder:
        found = recording.recorder()
        assert isinstance(found, JournalRecorder)
        return found

    @property
    def store(self) -> Store:
        self.recorder.barrier()
        return self.recorder.store()

    @property
    def run(self) -> FlowRun:
        """The newest root run."""
        return self.store.flow_runs(RunFilter(), limit=1)[0]

    def tasks(self, name: str = "") -> list[TaskRun]:
        """The task runs of the newest root run, in the order they were made."""
        return [task for task in self.store.task_runs(self.run.id) if name in ("", task.task)]

    def task(self, name: str) -> TaskRun:
        [found] = self.tasks(name)
        return found

    def take(self) -> list[str]:
        """What was done since the last look."""
        done, self.did[:] = list(self.did), []
        return done

    def crash_once(self) -> None:
        """End the flow that calls this as CRASHED, the first time."""
        if not self.crashed:
            self.crashed = True
            raise CrashedRun("The machine burnt down.")

    def begin(self, flow: Any, *args: Any, **kwargs: Any) -> list[str]:
        """Call a flow that is going to end badly; returns what its tasks did."""
        state = flow(*args, **kwargs, return_state=True)
        assert not state.is_completed(), state
        return self.take()

    def resume(self, flow: Any, **kwargs: Any) -> Any:
        """Resume the newest root run."""
        return nadi.resume(self.run.id, flow=flow, **kwargs)


@contextmanager
def a_home(path: Path) -> Iterator[Here]:
    """Let runs in the body be recorded in a home of their own."""
    before = {name: os.environ.get(name) for name in ("NADI_HOME", "NADI_LOG_TO_CONSOLE")}
    os.environ.update(NADI_HOME=str(path), NADI_LOG_TO_CONSOLE="false")
    recording.close()
    try:
        yield Here(path)
        assert recording.close() == ""
    finally:
        recording.close(0.0)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
