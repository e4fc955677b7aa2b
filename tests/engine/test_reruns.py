"""Running a run again from a task: the rule, and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import nadi
from nadi import flow, task
from nadi.cache_policies import INPUTS
from nadi.engine.loading import load_flow
from nadi.engine.recording import recorder
from nadi.engine.reruns import Outcome, Recorded, calls_meant, calls_to_rerun
from nadi.exceptions import CallError, RunAlreadyFinished
from nadi.model.runs import FlowRun, RunFilter, TaskRun
from nadi.model.states import StateType
from tests.engine.resuming import Here, a_home


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    with a_home(tmp_path / "home") as made:
        yield made


def call(
    id: str,
    *,
    scope: str = "run",
    position: int = 0,
    upstream: Sequence[str] = (),
    took: str = "",
    flow: str = "",
    index: int = -1,
) -> Recorded:
    """A recorded call; `took` names the call whose plain value it was given."""
    given: dict[str, Any] = {
        "id": id,
        "root": "run",
        "name": f"{id}-name",
        "attempt": 1,
        "token": 1,
        "state_type": StateType.COMPLETED,
        "state_name": "Completed",
        "scope": scope,
        "position": position,
        "each": {"x": took.encode()},
    }
    if flow:
        return FlowRun(**given, flow=flow, parent=scope)
    return TaskRun(**given, run="run", task=f"{id}-task", upstream=tuple(upstream), map_index=index)


def given(record: Recorded) -> Outcome:
    """Every call gave a list whose items are named after it."""
    name = record.id.encode()
    return Outcome(name, (name + b"[0]", name + b"[1]"))


RUN = FlowRun(
    id="run", root="run", name="owl", flow="f", attempt=1, token=1, state_type=StateType.FAILED, state_name="Failed"
)


@pytest.mark.parametrize(
    ("records", "again"),
    [
        pytest.param([call("a"), call("b", position=1)], {"a"}, id="what has nothing to do with it stands"),
        pytest.param([call("a"), call("b", position=1, upstream=["a"])], {"a", "b"}, id="who took its future"),
        pytest.param(
            [call("a"), call("b", position=1, upstream=["a"]), call("c", position=2, upstream=["b"])],
            {"a", "b", "c"},
            id="and who took theirs",
        ),
        pytest.param([call("a"), call("b", position=1, took="a")], {"a", "b"}, id="who took its value"),
        pytest.param([call("a"), call("b", position=1, took="a[1]")], {"a", "b"}, id="who took an item of it"),
        pytest.param(
            [call("a"), call("b", position=1, took="a[1]", index=1), call("c", position=2, took="a[1]", index=0)],
            {"a", "b"},
            id="of a map, who took the item in its place",
        ),
        pytest.param(
            [call("b", took="a"), call("a", position=1)], {"a"}, id="an equal value of a call before it is none"
        ),
        pytest.param(
            [call("a"), call("b", scope="sub", position=1, took="a"), call("sub", position=1, flow="sub")],
            {"a"},
            id="an equal value in another caller is none",
        ),
        pytest.param([call("a"), call("a1", scope="a"), call("a2", scope="a1")], {"a", "a1", "a2"}, id="all it called"),
        pytest.param(
            [call("sub", flow="sub"), call("a", scope="sub"), call("b", scope="sub", position=1)],
            {"a", "sub"},
            id="its caller is entered again, and what that called beside it stands",
        ),
        pytest.param(
            [call("sub", flow="sub"), call("a", scope="sub"), call("b", position=1, took="sub"), call("c", scope="b")],
            {"a", "sub", "b", "c"},
            id="who took what its caller gave",
        ),
        pytest.param(
            [call("a", upstream=["b"]), call("b", upstream=["a"], position=1)], {"a", "b"}, id="a circle ends"
        ),
    ],
)
def test_what_depends_on_a_call_runs_again_with_it(records: list[Recorded], again: set[str]) -> None:
    origin = next(record for record in records if record.id == "a")

    found = calls_to_rerun(records, [origin], given=given)

    assert set(found) == again
    assert set(found.values()) == {"asked to run again from a-name"}


def test_a_call_is_meant_by_id_by_a_beginning_of_it_by_name_or_by_its_task() -> None:
    records = [call("aaaa1"), call("aaaa2"), call("bbbbb")]

    assert [one.id for one in calls_meant(records, "aaaa1", run=RUN)] == ["aaaa1"]
    assert [one.id for one in calls_meant(records, "bbbb", run=RUN)] == ["bbbbb"]
    assert [one.id for one in calls_meant(records, "aaaa2-name", run=RUN)] == ["aaaa2"]
    assert [one.id for one in calls_meant(records, "bbbbb-task", run=RUN)] == ["bbbbb"]


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("fit", r"Run owl has no task 'fit' to run again from. It called aaaa1-task, aaaa2-task."),
        ("aaaa", r"'aaaa' means several calls of run owl: aaaa1-name \(aaaa1\), aaaa2-name \(aaaa2\). Give an id."),
        ("aaa", r"Run owl has no task 'aaa'"),
    ],
)
def test_what_means_no_call_or_several_is_refused_with_what_there_is(wanted: str, told: str) -> None:
    with pytest.raises(CallError, match=told):
        calls_meant([call("aaaa1"), call("aaaa2")], wanted, run=RUN)


def test_a_finished_task_and_what_took_its_value_run_again_and_the_others_are_kept(here: Here) -> None:
    @task
    def load(name: str) -> list[str]:
        here.did.append(f"load {name}")
        return [name, "rows"]

    @task
    def clean(rows: list[str]) -> str:
        here.did.append(f"clean {rows[0]}")
        return "clean " + rows[0]

    @flow
    def nightly() -> str:
        a, b = load("a"), load("b")
        told = clean(a) + clean(b)
        if here.crashed:
            return told
        here.crashed = True
        raise ValueError("no disk")

    here.begin(nightly)
    origin = next(one for one in here.tasks("load") if one.position == 1)

    value = here.resume(nightly, again_from=origin.id)

    assert value == "clean aclean b"
    assert here.take() == ["load b", "clean b"]
    again = [one for one in here.tasks() if one.reason]
    assert {one.reason for one in again} == {f"asked to run again from {origin.name}"}


def test_futures_of_a_map_and_a_cached_task_run_again_too(here: Here) -> None:
    @task(cache_policy=INPUTS)
    def load() -> list[int]:
        here.did.append("load")
        return [1, 2]

    @task
    def double(x: int) -> int:
        here.did.append(f"double {x}")
        return x * 2

    @flow
    def mapped() -> list[int]:
        found = double.map(load.submit()).result()
        if here.crashed:
            return found
        here.crashed = True
        raise ValueError("no disk")

    here.begin(mapped)
    value = here.resume(mapped, again_from="load")

    assert value == [2, 4]
    assert sorted(here.take()) == ["double 1", "double 2", "load"]


def test_a_task_of_a_finished_subflow_runs_again_and_the_others_of_it_are_kept(here: Here) -> None:
    @task
    def work(x: int) -> int:
        here.did.append(f"work {x}")
        return x

    @flow
    def inner() -> int:
        return work(1) + work(20)

    @flow
    def outer() -> int:
        total = work(inner())
        if here.crashed:
            return total
        here.crashed = True
        raise ValueError("no disk")

    here.begin(outer)
    origin = next(one for one in here.tasks("work") if one.position == 1 and one.scope != here.run.id)

    value = here.resume(outer, again_from=origin.id)

    assert value == 21
    assert here.take() == ["work 20", "work 21"]


def test_tasks_that_a_task_called_in_another_process_run_again_with_it(home: Path, tmp_path: Path) -> None:
    script = tmp_path / "nested.py"
    log = tmp_path / "did.txt"
    script.write_text(
        f"""
from pathlib import Path
from nadi import flow, task

LOG = Path({str(log)!r})


def did(what):
    with LOG.open("a") as file:
        file.write(what + "\\n")


@task
def part(x):
    did(f"part {{x}}")
    return x


@task
def whole():
    did("whole")
    return part(1) + part(2)


@flow(executor="process")
def nested():
    found = whole.submit().result()
    if LOG.with_suffix(".again").exists():
        return found
    raise ValueError("no disk")
"""
    )
    nested = load_flow(f"{script}:nested")
    state = nested(return_state=True)
    assert state.is_failed()
    log.with_suffix(".again").touch()
    first = log.read_text().split("\n")
    log.write_text("")

    value = nadi.resume(_newest(), flow=nested, again_from="part-1")

    assert value == 3
    assert first[:3] == ["whole", "part 1", "part 2"]
    assert log.read_text().split() == ["whole", "part", "2"]


def _newest() -> str:
    into = recorder()
    into.barrier()
    return into.store().flow_runs(RunFilter(), limit=1)[0].id


def test_a_failure_that_is_a_fact_after_a_crash_runs_again_when_asked_with_fresh_retries(here: Here) -> None:
    @task(retries=1)
    def fragile() -> str:
        here.did.append("fragile")
        if len(here.did) < 3 and not here.crashed:
            raise ValueError("not yet")
        if here.crashed and len(here.did) == 1:
            raise ValueError("once more")
        return "done"

    @flow
    def one() -> str:
        try:
            found = fragile()
        except ValueError:
            here.crash_once()
            raise
        return found

    here.begin(one)
    value = here.resume(one, again_from="fragile")

    assert value == "done"
    assert here.take() == ["fragile", "fragile"]


def test_a_completed_run_is_over_whatever_is_asked(here: Here) -> None:
    @flow
    def fine() -> int:
        return 1

    fine()

    with pytest.raises(RunAlreadyFinished, match="finished as Completed"):
        here.resume(fine, again_from="load")
