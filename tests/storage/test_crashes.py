"""What follows a crash, as a pure decision."""

from __future__ import annotations

from typing import Any

import pytest

from nadi.model.work import CrashPolicy, Work
from nadi.storage.crashes import Awaiting, Crashed, DeadLetter, after_crash, delay_after

T0 = 1_800_000_000.0


def some_work(**fields: Any) -> Work:
    values: dict[str, Any] = {"run": "r", "deployment": "nightly", "version": 1, "due": T0}
    return Work(**values | {"worker": "w1", "assigned": T0} | fields)


def follows(work: Work, finished: int = 0, why: str = "It was killed.") -> Awaiting | DeadLetter | Crashed:
    return after_crash(work, why=why, finished=finished, now=T0 + 100)


def test_after_its_first_crash_a_run_waits_for_any_worker_again_and_half_a_second() -> None:
    after = follows(some_work(), finished=2)

    assert isinstance(after, Awaiting)
    assert (after.work.worker, after.work.assigned, after.work.due) == ("", 0.0, T0 + 100.5)
    assert (after.work.crashes, after.work.finished, after.work.open) == (1, 2, True)


def test_the_message_says_why_it_crashed_and_when_it_goes_on() -> None:
    after = follows(some_work(crashes=1, finished=2), finished=2)

    assert isinstance(after, Awaiting)
    assert after.message == "It was killed. It is taken up again after 1 s (crash 2 of 3 in a row)."


def test_a_run_that_crashes_once_too_often_without_finishing_a_task_is_dead_lettered() -> None:
    after = follows(some_work(crashes=2, finished=2), finished=2)

    assert isinstance(after, DeadLetter)
    assert (after.work.open, after.work.crashes) == (False, 3)
    assert after.message == (
        "It was killed. It has crashed 3 times in a row without finishing a task in between, and is not taken up again"
        " by itself; `nadi resume` does it by hand."
    )


def test_a_task_that_was_finished_in_between_starts_the_count_anew() -> None:
    after = follows(some_work(crashes=2, finished=2), finished=3)

    assert isinstance(after, Awaiting)
    assert (after.work.crashes, after.work.finished, after.work.due) == (1, 3, T0 + 100.5)


def test_a_run_that_begins_anew_gets_no_further_by_finishing_the_same_tasks_again() -> None:
    work = some_work(crash_policy=CrashPolicy.RESTART, crashes=2, finished=2)

    after = follows(work, finished=4)

    assert isinstance(after, DeadLetter)
    assert "3 times in a row, and" in after.message


def test_with_the_policy_fail_a_crash_is_the_end() -> None:
    after = follows(some_work(crash_policy=CrashPolicy.FAIL))

    assert after == Crashed(some_work(crash_policy=CrashPolicy.FAIL, open=False))


@pytest.mark.parametrize("most", [1, 0, -5])
def test_where_one_crash_is_too_many_nothing_is_taken_up_again(most: int) -> None:
    assert isinstance(follows(some_work(most_crashes=most)), DeadLetter)


def test_a_crash_without_a_reason_still_has_a_message() -> None:
    after = follows(some_work(), why="")

    assert isinstance(after, Awaiting)
    assert after.message.startswith("Its process was lost. It is taken up again")


@pytest.mark.parametrize(
    ("crashes", "seconds"), [(1, 0.5), (2, 1.0), (3, 2.0), (7, 32.0), (8, 60.0), (9, 60.0), (100_000, 60.0)]
)
def test_each_crash_in_a_row_doubles_the_delay_up_to_a_minute(crashes: int, seconds: float) -> None:
    assert delay_after(crashes) == seconds
