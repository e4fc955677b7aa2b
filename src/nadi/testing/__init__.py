"""Testing flows: runs recorded in memory, with nothing on disk, no socket, no thread and no clean-up.

    from nadi.testing import nadi_test_harness

    def test_my_flow():
        with nadi_test_harness() as records:
            my_flow()
        assert [run.state_name for run in records.task_runs()] == ["Completed", "Completed"]

With pytest, the fixture `nadi_store` does the same; `nadi_autouse = true` in pytest's settings
gives it to every test.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from nadi.engine.clock import Clock
from nadi.engine.logs import ensure_configured
from nadi.engine.overrides import overriding
from nadi.engine.recording import clock as _process_clock
from nadi.engine.recording import recording_to
from nadi.model.runs import Artifact, FlowRun, Log, Metric, RunFilter, TaskRun
from nadi.storage.memory import MemoryStore
from nadi.storage.recorder import DirectRecorder

#: More than a test makes.
_ALL = 1_000_000


class Records:
    """What the runs of a test recorded, oldest first; complete at any time, as nothing is delivered later."""

    def __init__(self, store: MemoryStore) -> None:
        #: The store itself, with every method of the Store contract.
        self.store = store

    def flow_runs(self, flow: str = "") -> list[FlowRun]:
        """Return flow runs and subflow runs, of one flow when named."""
        return self.store.flow_runs(RunFilter(flow=flow, roots_only=False), limit=_ALL)[::-1]

    def task_runs(self, task: str = "") -> list[TaskRun]:
        """Return task runs, of one task when named."""
        found = [run for root in self._roots() for run in self.store.task_runs(root, limit=_ALL)]
        return [run for run in found if task in ("", run.task)]

    def logs(self, text: str = "") -> list[Log]:
        """Return log lines, those that contain `text`."""
        found = [line for root in self._roots() for line in self.store.logs(root, limit=_ALL)]
        return sorted((line for line in found if text in line.text), key=lambda line: line.seq)

    def artifacts(self, key: str = "") -> list[Artifact]:
        """Return artifacts, of one key when named."""
        return self.store.artifacts(key=key, limit=_ALL)

    def metrics(self, key: str = "") -> list[Metric]:
        """Return values of metrics, of one when named, in the order they were logged."""
        found = [value for root in self._roots() for value in self.store.metrics(root, key=key, limit=_ALL)]
        return sorted(found, key=lambda value: value.seq)

    def _roots(self) -> list[str]:
        return [run.id for run in self.store.flow_runs(RunFilter(), limit=_ALL)][::-1]


class TestClock(Clock):
    """Time and chance that are the same in every test: ids, names, times and jitter can be compared.

    Nothing waits by this clock: timeouts and the delays of retries are real.
    """

    #: Not a class of tests, whatever its name says to pytest.
    __test__ = False

    def __init__(
        self, start: datetime = datetime(2030, 1, 1, tzinfo=UTC), *, tick: float = 0.001, seed: int = 0
    ) -> None:
        """Begin at `start`; each look at the clock moves it by `tick` seconds."""
        super().__init__()
        self.random.seed(seed)
        self._at = start.timestamp()
        self.tick = tick
        self.now = self._look

    def advance(self, seconds: float) -> None:
        """Move the clock on."""
        self._at += seconds

    def _look(self) -> float:
        self._at += self.tick
        return self._at


@contextmanager
def nadi_test_harness(*, clock: Clock | None = None) -> Iterator[Records]:
    """Record the runs of the body in memory and yield what they recorded, to look at during and after.

    Everything works as it does outside: threads, async, subflows, retries, `nadi.resume(run, flow=...)`,
    other processes (whose large results are not kept). No file is written, no socket opened, and
    neither home folder nor settings are read. Harnesses may be nested; the innermost counts.

    Args:
        clock: Gives time, ids and chance, such as `TestClock()`; the system's when left out.
    """
    ensure_configured(os.environ.get("NADI_LOG_LEVEL") or "INFO", os.environ.get("NADI_EXTRA_LOGGERS", ""))
    store = MemoryStore()
    with _process_clock.going_by(clock), recording_to(DirectRecorder(store, "testing")):
        yield Records(store)


@contextmanager
def runtime_overrides(
    *,
    flow_run: Mapping[str, Any] | None = None,
    task_run: Mapping[str, Any] | None = None,
    deployment: Mapping[str, Any] | None = None,
) -> Iterator[None]:
    """Let `nadi.runtime` give these answers in the body, in all threads, for code that asks what runs it.

        with runtime_overrides(flow_run={"name": "nightly-7", "tags": ["prod"]}):
            assert report_title() == "nightly-7"

    They stand before those of the environment (`NADI__RUNTIME__FLOW_RUN__NAME`) and the true ones. May be nested;
    the innermost counts, attribute by attribute. Tasks of other processes do not see them.
    """
    with overriding({"flow_run": flow_run, "task_run": task_run, "deployment": deployment}):
        yield


__all__ = ["Records", "TestClock", "nadi_test_harness", "runtime_overrides"]
