from __future__ import annotations

from typing import Any

import pytest

from nadi import flow, task
from tests.conftest import Recorded


class Seen(list[tuple[str, str, str]]):
    """A hook that notes what it was called with."""

    def __call__(self, thing: Any, run: Any, state: Any) -> None:
        self.append((thing.name, run.name, state.name))


def test_hooks_of_a_task_are_called_with_task_run_and_state(recorded: Recorded) -> None:
    seen = Seen()

    @task(on_running=[seen], on_completion=[seen, seen], on_failure=[seen])
    def work(fails: bool) -> None:
        if fails:
            raise ValueError("no")

    @flow
    def run() -> None:
        work(False)
        work.submit(True, return_state=True)

    run()

    assert seen[:3] == [("work", "work-0", "Running"), ("work", "work-0", "Completed"), ("work", "work-0", "Completed")]
    assert seen[3:] == [("work", "work-1", "Running"), ("work", "work-1", "Failed")]


def test_hooks_of_a_flow_are_called_for_each_way_to_end(recorded: Recorded) -> None:
    seen = Seen()

    @flow(on_running=[seen], on_completion=[seen], on_failure=[seen], on_cancellation=[seen], flow_run_name="it")
    def run(how: str) -> None:
        if how == "fails":
            raise ValueError("no")
        if how == "interrupted":
            raise KeyboardInterrupt

    run("completes")
    run("fails", return_state=True)
    with pytest.raises(KeyboardInterrupt):
        run("interrupted")

    assert [state for _, _, state in seen] == ["Running", "Completed", "Running", "Failed", "Running", "Cancelled"]
    assert {name for _, name, _ in seen} == {"it"}


def test_hooks_are_added_by_decorators_and_stay_functions(recorded: Recorded) -> None:
    seen: list[str] = []

    @task
    def work() -> int:
        return 1

    @flow
    def run() -> int:
        return work()

    @work.on_completion
    def task_done(task: Any, task_run: Any, state: Any) -> None:
        seen.append(f"task {state.result()}")

    @run.on_completion
    async def flow_done(flow: Any, flow_run: Any, state: Any) -> None:
        seen.append(f"flow {state.result()}")

    run()

    assert seen == ["task 1", "flow 1"]
    assert task_done.__name__ == "task_done"


def test_failure_hooks_are_not_called_for_attempts_that_are_tried_again(recorded: Recorded) -> None:
    seen = Seen()
    tries: list[int] = []

    @task(retries=2, on_failure=[seen], on_completion=[seen])
    def flaky() -> None:
        tries.append(1)
        if len(tries) < 3:
            raise ValueError("no")

    @flow(retries=1, on_failure=[seen])
    def run() -> None:
        flaky()
        if len(tries) == 3:
            tries.append(1)
            raise ValueError("once")

    run()

    assert [state for _, _, state in seen] == ["Completed"]


def test_a_hook_that_raises_changes_nothing_and_is_logged(recorded: Recorded) -> None:
    seen = Seen()

    def broken(task: Any, run: Any, state: Any) -> None:
        raise KeyError("oops")

    async def broken_too(task: Any, run: Any, state: Any) -> None:
        raise KeyError("oops")

    @task(on_running=[broken], on_completion=[broken, broken_too, seen])
    def work() -> int:
        return 1

    @flow(on_completion=[broken])
    def run() -> int:
        return work.submit().result()

    assert run() == 1
    assert len(seen) == 1
    assert recorded.logged().count("KeyError") >= 4


def test_async_hooks_of_async_tasks_are_awaited(recorded: Recorded) -> None:
    seen: list[str] = []

    async def note(task: Any, run: Any, state: Any) -> None:
        seen.append(state.name)

    @task(on_running=[note], on_completion=[note])
    async def work() -> int:
        return 1

    @flow
    def run() -> int:
        return work.submit().result()

    assert run() == 1
    assert seen == ["Running", "Completed"]


def test_hooks_see_the_parameters_of_the_run(recorded: Recorded) -> None:
    seen: list[dict[str, Any]] = []

    @task(on_completion=[lambda task, run, state: seen.append(run.parameters)])
    def work(rows: int, columns: int = 2) -> None: ...

    @flow(on_completion=[lambda flow, run, state: seen.append(run.parameters)])
    def run(name: str) -> None:
        work(5)

    run("x")

    assert seen == [{"rows": 5, "columns": 2}, {"name": "x"}]


def test_with_options_keeps_hooks_that_were_added_later(recorded: Recorded) -> None:
    seen = Seen()

    @task
    def work() -> None: ...

    work.on_completion(seen)

    @flow
    def run() -> None:
        work.with_options(name="other")()

    run()

    assert [name for name, _, _ in seen] == ["other"]
