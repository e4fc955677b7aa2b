from __future__ import annotations

import pytest

from nadi.engine.decisions import End, RetryAfter, after_failure, classify, may_retry
from nadi.exceptions import CancelledRun, CrashedRun, TimedOut
from nadi.model.retries import RetryPolicy
from nadi.model.states import StateType

POLICY = RetryPolicy(retries=2, delays=(1.0, 5.0))


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (ValueError(), End(StateType.FAILED, "Failed")),
        (TimedOut("slow"), End(StateType.FAILED, "TimedOut")),
        (TimeoutError(), End(StateType.FAILED, "Failed")),
        (CancelledRun("stop"), End(StateType.CANCELLED, "Cancelled")),
        (KeyboardInterrupt(), End(StateType.CANCELLED, "Cancelled")),
        (CrashedRun("gone"), End(StateType.CRASHED, "Crashed")),
    ],
)
def test_what_was_raised_decides_how_a_run_ends(error: BaseException, end: End) -> None:
    assert classify(error) == end


@pytest.mark.parametrize("error", [ValueError(), TimedOut("slow"), CrashedRun("gone")])
def test_failures_timeouts_and_crashes_are_tried_again_while_retries_last(error: BaseException) -> None:
    steps = [after_failure(POLICY, error, failures=n, allowed=True, chance=0.5) for n in (1, 2, 3)]

    assert steps == [RetryAfter(1.0), RetryAfter(5.0), classify(error)]


@pytest.mark.parametrize("error", [CancelledRun("stop"), KeyboardInterrupt()])
def test_cancellations_are_never_tried_again(error: BaseException) -> None:
    assert not may_retry(POLICY, error, failures=1)
    assert after_failure(POLICY, error, failures=1, allowed=True, chance=0.5) == classify(error)


def test_a_condition_that_refuses_ends_the_run() -> None:
    assert after_failure(POLICY, ValueError(), failures=1, allowed=False, chance=0.5) == classify(ValueError())
