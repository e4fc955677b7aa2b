"""What takes a recorded call's place when its code changed: finished work below it stands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nadi import flow, task
from nadi.flows import Flow
from tests.engine.resuming import Here, a_home


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    with a_home(tmp_path / "home") as here:
        yield here


def pipeline(here: Here, *, fixed: bool) -> Flow[..., Any]:
    """A flow with a subflow in which one task fails until it is fixed."""

    @task
    def load(part: int) -> int:
        here.did.append(f"load {part}")
        return part

    if fixed:

        @task(name="fit")
        def fit(x: int) -> int:
            here.did.append("fit, fixed")
            return x + 1
    else:

        @task(name="fit")
        def fit(x: int) -> int:
            here.did.append("fit")
            raise ValueError("a bug")

    @task
    def report(x: int) -> int:
        here.did.append("report")
        return x

    @flow
    def part(n: int) -> int:
        data = load(n)
        return report.submit(fit.submit(data)).result()

    @flow
    def whole() -> int:
        return part(load(0) + 1)

    return whole


def test_a_fixed_task_of_a_failed_subflow_leaves_what_the_subflow_had_finished(here: Here) -> None:
    begun = here.begin(pipeline(here, fixed=False))

    result = here.resume(pipeline(here, fixed=True))

    assert begun == ["load 0", "load 1", "fit"]
    assert here.take() == ["fit, fixed", "report"]
    assert result == 2


def test_a_failed_task_whose_code_was_fixed_is_the_same_task_run_in_a_further_attempt(here: Here) -> None:
    here.begin(pipeline(here, fixed=False))
    [failed] = here.tasks("fit")

    here.resume(pipeline(here, fixed=True))

    [fitted] = here.tasks("fit")
    assert (fitted.id, fitted.attempt, fitted.state_name) == (failed.id, 2, "Completed")
    assert fitted.reason == "its code changed"


def test_what_did_not_run_for_a_failed_upstream_is_taken_up_and_leaves_no_failure_behind(here: Here) -> None:
    here.begin(pipeline(here, fixed=False))
    [unready] = here.tasks("report")

    here.resume(pipeline(here, fixed=True))

    [reported] = here.tasks("report")
    assert (unready.state_name, reported.state_name) == ("NotReady", "Completed")
    assert reported.id == unready.id
    [below] = here.store.subflow_runs(here.run.id)
    assert {state: n for state, n in below.task_counts.items() if n} == {"COMPLETED": 3}


def nested(here: Here, *, version: int) -> Flow[..., Any]:
    """A finished parent task, one of whose two children changes its code, before a crash."""

    @task
    def kept() -> int:
        here.did.append("kept")
        return 1

    if version == 1:

        @task(name="changing")
        def changing() -> int:
            here.did.append("changing 1")
            return 1
    else:

        @task(name="changing")
        def changing() -> int:
            here.did.append("changing 2")
            return 2

    @task
    def parent() -> int:
        here.did.append("parent")
        return kept() + changing()

    @flow
    def whole() -> int:
        found = parent()
        here.crash_once()
        return found

    return whole


def test_a_finished_parent_whose_child_changed_runs_again_and_keeps_its_other_children(here: Here) -> None:
    here.begin(nested(here, version=1))

    result = here.resume(nested(here, version=2))

    assert here.take() == ["parent", "changing 2"]
    assert result == 3


def by_input(here: Here, value: int) -> Flow[..., Any]:
    @task
    def notify() -> None:
        here.did.append("notify")

    @task
    def parent(x: int) -> int:
        here.did.append(f"parent {x}")
        notify()
        return x

    @flow
    def whole() -> int:
        found = parent(value)
        here.crash_once()
        return found

    return whole


def test_what_was_done_below_a_call_with_other_inputs_does_not_stand_for_this_one(here: Here) -> None:
    here.begin(by_input(here, 1))

    here.resume(by_input(here, 2))

    assert here.take() == ["parent 2", "notify"]


def test_a_call_put_before_a_finished_one_does_not_take_its_record(here: Here) -> None:
    def numbers(values: list[int]) -> Flow[..., Any]:
        @task
        def square(x: int) -> int:
            here.did.append(f"square {x}")
            return x * x

        @flow
        def whole() -> int:
            found = sum(square(x) for x in values)
            here.crash_once()
            return found

        return whole

    here.begin(numbers([1, 2]))

    result = here.resume(numbers([9, 1, 2]))

    assert here.take() == ["square 9"]
    assert result == 86
