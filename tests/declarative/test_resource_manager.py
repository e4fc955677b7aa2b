"""Resources: set up before the tasks of their block, cleaned up after, whatever became of those."""

from __future__ import annotations

from typing import Any

import pytest

import nadi
from nadi import Flow, Parameter, case, resource_manager, task
from nadi.exceptions import DefinitionError, FailedRun
from nadi.signals import SKIP
from nadi.triggers import all_finished
from tests.conftest import Recorded

told: list[str] = []


@pytest.fixture(autouse=True)
def _nothing_told() -> None:
    told.clear()


@resource_manager
class Cluster:
    def __init__(self, size: int, breaks: str = "") -> None:
        self.size, self.breaks = size, breaks
        if breaks == "init":
            raise ValueError("init")

    def setup(self) -> str:
        told.append(f"setup {self.size}")
        if self.breaks == "setup":
            raise ValueError("setup")
        if self.breaks == "skip":
            raise SKIP("no cluster today")
        return f"cluster of {self.size}"

    def cleanup(self, cluster: str) -> None:
        told.append(f"cleanup {cluster}")
        if self.breaks == "cleanup":
            raise ValueError("cleanup")


#: For type checkers, which do not know what a decorator makes of a class.
a_cluster: Any = Cluster


@task
def use(cluster: Any = None, fails: bool = False) -> str:
    told.append(f"use {cluster}")
    if fails:
        raise ValueError("use")
    return f"used {cluster}"


@task
def give(x: Any) -> Any:
    return x


def kinds(state: Any, *tasks: Any) -> list[str]:
    return [type(state.result[each]).__name__ for each in tasks]


def cleanup_of(flow: Flow) -> Any:
    [cleanup] = flow.get_tasks(name="Cluster.cleanup")
    return cleanup


def test_the_block_is_given_what_the_setup_returns_and_cleaned_up_after(recorded: Recorded) -> None:
    with Flow("resource") as flow:
        size = Parameter("size", default=3)
        with a_cluster(size) as cluster:
            first = use(cluster)
            use(first)

    state = flow.run(size=4)

    assert state.is_successful()
    assert told == ["setup 4", "use cluster of 4", "use used cluster of 4", "cleanup cluster of 4"]


def test_tasks_without_any_of_the_block_before_or_after_them_stand_between_setup_and_cleanup() -> None:
    with Flow("resource") as flow:
        outside = give(1)
        with a_cluster(1) as cluster:
            alone = give(outside)
            first = use(cluster)
            last = give(first)

    assert flow.upstream_tasks(alone) == {outside, cluster}
    assert flow.upstream_tasks(first) == {cluster}
    assert flow.upstream_tasks(cleanup_of(flow)) >= {alone, last, cluster}
    assert first not in set[Any](flow.upstream_tasks(cleanup_of(flow)))


def test_the_cleanup_runs_when_a_task_of_the_block_failed_and_the_flow_is_failed(recorded: Recorded) -> None:
    with Flow("resource") as flow, a_cluster(1) as cluster:
        failed = use(cluster, fails=True)
        never = use(failed)

    state = flow.run()

    assert state.is_failed()
    assert kinds(state, failed, never, cleanup_of(flow)) == ["Failed", "TriggerFailed", "Success"]
    assert told[-1] == "cleanup cluster of 1"


@pytest.mark.parametrize(
    ("breaks", "ran"),
    [
        ("init", ["TriggerFailed", "TriggerFailed", "TriggerFailed"]),
        ("setup", ["Failed", "TriggerFailed", "TriggerFailed"]),
        ("skip", ["Skipped", "Skipped", "Skipped"]),
        ("cleanup", ["Success", "Success", "Failed"]),
    ],
)
def test_what_was_not_set_up_is_not_used_and_not_cleaned_up(recorded: Recorded, breaks: str, ran: list[str]) -> None:
    with Flow("resource") as flow, a_cluster(1, breaks=breaks) as cluster:
        used = use(cluster)

    state = flow.run()

    assert kinds(state, cluster, used, cleanup_of(flow)) == ran
    assert state.is_failed() == (breaks != "skip")


def test_branches_may_stand_in_a_resource_and_resources_in_branches(recorded: Recorded) -> None:
    with Flow("resource") as flow:
        chosen = give("a")
        with case(chosen, "b"), a_cluster(1) as never:
            unused = use(never)
        with a_cluster(2) as cluster:
            with case(chosen, "a"):
                taken = use(cluster)
            with case(chosen, "b"):
                left = use(cluster)

    state = flow.run()

    assert kinds(state, never, unused, taken, left) == ["Skipped", "Skipped", "Success", "Skipped"]
    assert told == ["setup 2", "use cluster of 2", "cleanup cluster of 2"]


def test_resources_may_stand_in_each_other(recorded: Recorded) -> None:
    with Flow("resource") as flow, a_cluster(1), a_cluster(2) as inner:
        failed = use(inner, fails=True)

    state = flow.run()

    assert kinds(state, failed) == ["Failed"]
    assert state.is_failed()
    assert told == ["setup 1", "setup 2", "use cluster of 2", "cleanup cluster of 2", "cleanup cluster of 1"]


def test_the_value_of_the_flow_is_that_of_the_block_and_not_of_the_cleanup(recorded: Recorded) -> None:
    with Flow("resource") as flow, a_cluster(1) as cluster:
        use(cluster)

    assert flow() == "used cluster of 1"


def test_a_collection_may_be_an_argument_of_a_resource(recorded: Recorded) -> None:
    with Flow("resource") as flow:
        one = give(1)
        with a_cluster([one, 2]) as cluster:
            used = use(cluster)

    assert flow.run().result[used].result == "used cluster of [1, 2]"


def test_the_decorator_takes_a_name_and_keywords_of_the_three_tasks() -> None:
    @resource_manager(
        name="db",
        init_task_kwargs={"tags": ["a"]},
        setup_task_kwargs={"name": "connect"},
        cleanup_task_kwargs={"trigger": all_finished},
    )
    class Database:
        def setup(self) -> None: ...
        def cleanup(self, connection: None) -> None: ...

    database: Any = Database
    with Flow("resource") as flow, database():
        use()

    [made], [_], [cleanup] = (flow.get_tasks(name=name) for name in ("db", "connect", "db.cleanup"))
    assert made.tags == {"a"}
    assert cleanup.trigger is all_finished


def test_a_resource_outside_of_a_flow_is_an_error() -> None:
    with pytest.raises(DefinitionError, match="The resource manager Cluster groups tasks of a flow"), a_cluster(1):
        pass


def test_a_resume_sets_up_again_what_was_cleaned_up_where_the_block_is_not_done(recorded: Recorded) -> None:
    works: list[bool] = []

    @task
    def before(cluster: str) -> None:
        told.append(f"before {cluster}")

    @task
    def needs(cluster: str) -> None:
        if not works:
            raise ValueError("not yet")
        told.append(f"needs {cluster}")

    @task
    def after() -> None:
        if len(works) < 2:
            raise ValueError("not yet")

    with Flow("resource") as flow:
        with a_cluster(1) as cluster:
            needs(cluster, upstream_tasks=[before(cluster)])
        after(upstream_tasks=[cleanup_of(flow)])
    assert flow.run().is_failed()
    told.clear()

    works.append(True)
    with pytest.raises(FailedRun):
        nadi.resume(recorded.root.id, flow=flow)

    assert told == ["setup 1", "before cluster of 1", "needs cluster of 1", "cleanup cluster of 1"]
    told.clear()
    works.append(True)
    nadi.resume(recorded.root.id, flow=flow)

    assert told == []  # the block was done


@pytest.mark.parametrize("executor", ["sequential", "process"])
def test_a_resource_works_on_every_executor(recorded: Recorded, executor: str) -> None:
    with Flow("resource", executor=executor) as flow, a_cluster(5) as cluster:
        used = use(cluster)

    state = flow.run()

    assert state.is_successful()
    assert state.result[used].result == "used cluster of 5"
