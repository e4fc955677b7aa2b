from __future__ import annotations

from typing import Any

import pytest

from nadi import flow, task
from nadi.executors import ProcessExecutor, SequentialExecutor, ThreadExecutor
from nadi.task_runners import (
    ConcurrentTaskRunner,
    ProcessPoolTaskRunner,
    SequentialTaskRunner,
    ThreadPoolTaskRunner,
)
from nadi.testing import Records


@task
def double(n: int) -> int:
    return 2 * n


@pytest.mark.parametrize(
    "runner", [ThreadPoolTaskRunner, ThreadPoolTaskRunner(max_workers=2), SequentialTaskRunner, ConcurrentTaskRunner()]
)
def test_prefects_task_runners_run_tasks(records: Records, runner: Any) -> None:
    @flow(task_runner=runner)
    def work() -> list[int]:
        return double.map([1, 2, 3]).result()

    assert work() == [2, 4, 6]


def test_they_are_names_for_our_executors() -> None:
    assert ThreadPoolTaskRunner is ConcurrentTaskRunner is ThreadExecutor
    assert ProcessPoolTaskRunner is ProcessExecutor
    assert SequentialTaskRunner is SequentialExecutor
