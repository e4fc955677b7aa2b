"""What live progress counts from the records that pass by."""

from __future__ import annotations

from nadi.cli.progress import Progress, live_lines, plain_line
from nadi.cli.running import resumed_told
from nadi.model.records import AnyRecord, CallReused
from tests.storage.telling import T0, S, an_id, task_begun, task_moved

RUN = an_id(1)


def seen(*records: AnyRecord) -> Progress:
    progress = Progress()
    progress.records.extend(records)
    progress.catch_up()
    return progress


def mapped(index: int, **given: object) -> AnyRecord:
    return task_begun(RUN, an_id(10 + index), task="fit", name=f"fit-{index}", map_index=index, **given)


def test_a_map_is_one_bar_with_what_is_done_failed_running_and_retried() -> None:
    progress = seen(
        *(mapped(index) for index in range(4)),
        task_moved(RUN, an_id(10), S.COMPLETED),
        task_moved(RUN, an_id(11), S.FAILED),
        task_moved(RUN, an_id(12), S.SCHEDULED, due=T0 + 30),
    )

    [(name, _, remark), *singles] = live_lines(progress, T0 + 10, lines=10)

    assert (name, remark) == ("fit", "1/4, 1 failed, 1 running, 1 retry")
    assert ("fit-2", "waits for its retry", "in 20 s") in singles
    assert plain_line(progress) == "1 of 4 tasks done, 1 failed, 1 running"


def test_a_single_task_is_shown_while_it_runs_and_with_what_it_waits_for() -> None:
    progress = seen(
        task_begun(RUN, an_id(2), task="load", name="load-0"),
        task_begun(RUN, an_id(3), task="pick", name="pick-1", state=S.PENDING, upstream=(an_id(2),)),
    )

    assert live_lines(progress, T0 + 4, lines=10) == [("load-0", "running", "3 s"), ("pick-1", "waits", "for load-0")]


def test_there_are_no_more_lines_than_there_is_room_for() -> None:
    many = seen(*(task_begun(RUN, an_id(2 + n), task=f"task{n}", name=f"task{n}-0") for n in range(100)))
    maps = seen(*(task_begun(RUN, an_id(2 + n), task=f"map{n}", name=f"map{n}-0", map_index=0) for n in range(100)))

    assert len(live_lines(many, T0, lines=8)) == 8
    assert len(live_lines(maps, T0, lines=8)) <= 8


def test_finished_tasks_are_forgotten_one_by_one() -> None:
    progress = seen(*(mapped(index) for index in range(50)))

    progress.records.extend(task_moved(RUN, an_id(10 + index), S.COMPLETED) for index in range(50))
    progress.catch_up()

    assert (progress.total, progress.done, len(progress.open)) == (50, 50, 0)


def test_on_resume_it_is_told_what_was_kept_and_what_ran_again_and_why() -> None:
    reason = "its input changed: x"
    kept = [CallReused(root=RUN, token=2, at=T0, id=an_id(n)) for n in range(3)]
    progress = seen(*kept, mapped(1, reason=reason), mapped(2, reason=reason))

    assert resumed_told(progress, 1) == []
    assert resumed_told(progress, 2) == [
        "Kept 3 finished calls of earlier attempts; ran 2 tasks.",
        "2 tasks ran again: its input changed: x.",
    ]
