"""Where the runs of a test are recorded: in memory, or in a home of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nadi.engine import logs, recording
from nadi.model.runs import FlowRun, RunFilter, TaskRun
from nadi.model.secrets import masker
from nadi.storage.memory import MemoryStore
from nadi.storage.recorder import DirectRecorder


class Recorded:
    """What a test's runs recorded, newest run first."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store

    @property
    def flow_runs(self) -> list[FlowRun]:
        return self.store.flow_runs(RunFilter(roots_only=False), limit=10_000)

    @property
    def root(self) -> FlowRun:
        """The newest root run."""
        return self.store.flow_runs(RunFilter(), limit=1)[0]

    @property
    def task_runs(self) -> list[TaskRun]:
        """The task runs of the newest root run, in the order they were made."""
        return sorted(self.store.task_runs(self.root.id, limit=10_000), key=lambda run: run.id)

    def states(self) -> dict[str, str]:
        """The state's name of each task run of the newest root run, by the task run's name."""
        return {run.name: run.state_name for run in self.task_runs}

    def logged(self) -> str:
        """What was logged in the newest root run."""
        return "\n".join(line.text for line in self.store.logs(self.root.id, limit=100_000))


@pytest.fixture(autouse=True)
def _no_secrets_of_other_tests() -> None:
    masker.forget_unheld()


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    """Runs of the test are recorded in memory."""
    store = MemoryStore()
    logs.configure("INFO", console=False)
    with recording.recording_to(DirectRecorder(store, "test")):
        yield Recorded(store)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Runs of the test are recorded as those of users are: journal and SQLite in a home of its own."""
    folder = tmp_path / "home"
    monkeypatch.setenv("NADI_HOME", str(folder))
    recording.close()
    yield folder
    recording.close()
