"""What `nadi show` and `nadi why` say of tasks that took their result from the cache, or were undone."""

from __future__ import annotations

from nadi.model.records import TaskRunRolledBack
from nadi.model.results import ResultRef
from tests.cli.conftest import Nadi
from tests.storage.telling import T0, S, Writer, an_id, flow_begun, flow_moved, task_begun, task_moved

RUN = an_id(1)
TOLD = "Computed by task run load-0 (abc) of run old-river (def) on 2026-11-23 10:00:00 UTC."


def cached(writer: Writer, *ids: str) -> None:
    writer.tell(flow_begun(RUN))
    for id in ids:
        writer.tell(
            task_begun(RUN, id),
            task_moved(RUN, id, S.COMPLETED, state_name="Cached", message=TOLD, result=ResultRef("none")),
        )
    writer.tell(flow_moved(RUN, S.COMPLETED))


def test_show_says_who_computed_what_tasks_took_from_the_cache(writer: Writer, nadi: Nadi) -> None:
    cached(writer, an_id(10), an_id(11))

    told = nadi("show", RUN)

    assert told.status == 0
    assert "2: all Cached" in told.out
    assert "Computed by task run load-0 (abc) of run old-river" in " ".join(told.out.split())
    assert nadi("show", RUN, "--json").json["tasks"][0]["message"] == TOLD


def test_why_says_who_computed_what_a_run_took_from_the_cache(writer: Writer, nadi: Nadi) -> None:
    cached(writer, an_id(10))

    told = nadi("why", RUN)

    assert "(Cached): computed by task run load-0 (abc) of run old-river" in " ".join(told.out.split())


def test_show_says_what_was_rolled_back(writer: Writer, nadi: Nadi) -> None:
    task = an_id(10)
    writer.tell(
        flow_begun(RUN),
        task_begun(RUN, task),
        task_moved(RUN, task, S.COMPLETED),
        TaskRunRolledBack(RUN, 1, T0 + 3, task),
        flow_moved(RUN, S.FAILED),
    )

    told = nadi("show", RUN)

    assert "RolledBack" in told.out
