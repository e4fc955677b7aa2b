"""Prefect's names for executors: `task_runner=ThreadPoolTaskRunner(max_workers=4)` is `executor=ThreadExecutor(4)`."""

from __future__ import annotations

from nadi.executors.processes import ProcessExecutor as ProcessPoolTaskRunner
from nadi.executors.sequential import SequentialExecutor as SequentialTaskRunner
from nadi.executors.threads import ThreadExecutor as ThreadPoolTaskRunner

ConcurrentTaskRunner = ThreadPoolTaskRunner

__all__ = ["ConcurrentTaskRunner", "ProcessPoolTaskRunner", "SequentialTaskRunner", "ThreadPoolTaskRunner"]
