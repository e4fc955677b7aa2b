"""What was spent before a death carries over: attempts, delays, entries of a flow."""

from __future__ import annotations

from pathlib import Path

import pytest

from nadi.model.states import StateType
from tests.journeys.places import DID, Place, until

RETRYING = (
    DID
    + """
import time

@task(retries=3, retry_delay_seconds=float(os.environ.get("DELAY", "0")))
def flaky():
    did("flaky")
    tries = open(os.environ["LEDGER"]).read().split().count("flaky")
    if tries == int(os.environ.get("DIE_AT", "0")):
        os.kill(os.getpid(), 9)
    raise ValueError(f"try {tries}")

@flow
def pipeline():
    flaky()

if __name__ == "__main__":
    pipeline()
"""
)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_attempts_spent_carry_over_a_crash(place: Place) -> None:
    place.run(place.script(RETRYING), DIE_AT="3")

    resumed = place.resume()

    # Two failures, one that died and is made up for, and the two retries that were left.
    assert place.did() == ["flaky"] * 5
    assert "try 5" in resumed.stderr
    store = place.store()
    [task] = store.task_runs(place.newest().id)
    states = [one.state_type.value for one in store.attempts(task.id)]
    store.close()
    assert states == ["FAILED", "FAILED", "CRASHED", "FAILED", "FAILED"]


def test_a_retry_that_was_waited_for_at_the_crash_comes_when_it_was_due_and_counts(place: Place) -> None:
    process = place.start(place.script(RETRYING), DELAY="3")

    def waits() -> bool:
        if not place.did():
            return False
        store = place.store()
        tasks = [task for run in store.find_flow_runs("0") for task in store.task_runs(run.id)]
        store.close()
        return [task.state_name for task in tasks] == ["AwaitingRetry"]

    until(waits)
    process.kill()
    process.communicate()
    store = place.store()
    [before] = store.task_runs(place.newest().id)
    store.close()

    place.resume(DELAY="0")

    store = place.store()
    [after] = store.task_runs(place.newest().id)
    attempts = store.attempts(after.id)
    store.close()
    assert place.did() == ["flaky"] * 4
    assert attempts[1].started >= before.due
    assert attempts[1].started < before.due + 30


def test_how_often_a_flow_was_entered_carries_over_a_crash(place: Place) -> None:
    script = place.script(
        DID
        + """
@flow(retries=2, retry_delay_seconds=0)
def pipeline():
    did("entered")
    entries = open(os.environ["LEDGER"]).read().split().count("entered")
    if entries == int(os.environ.get("DIE_AT", "0")):
        os.kill(os.getpid(), 9)
    raise ValueError("never works")

if __name__ == "__main__":
    pipeline()
"""
    )
    place.run(script, DIE_AT="2")

    place.resume()

    # One failed, one died and is made up for, and one retry was left.
    assert place.did() == ["entered"] * 4
    assert place.newest().state_type is StateType.FAILED


ENTERED_AGAIN = (
    DID
    + """
@task
def first():
    did("first")
    if open(os.environ["LEDGER"]).read().split().count("second") == int(os.environ.get("DIE_AFTER", "-1")):
        os.kill(os.getpid(), 9)

@task
def second():
    did("second")
    if open(os.environ["LEDGER"]).read().split().count("second") < 2:
        raise ValueError("not yet")
    return "well"

def body():
    first.with_options(rerun_on_retry=True)()
    return second()

@flow(retries=1, retry_delay_seconds=0)
def retried():
    return body()

@flow
def around():
    return retried()

@task(retries=1, retry_delay_seconds=0)
def parent():
    return body()

@flow
def over():
    return parent()

if __name__ == "__main__":
    globals()[sys.argv[1]]()
"""
)


@pytest.mark.parametrize("flow", ["retried", "around", "over"])
def test_what_failed_before_a_retry_is_no_fact_when_that_retry_was_cut_off(place: Place, flow: str) -> None:
    killed = place.run(place.script(ENTERED_AGAIN), flow, DIE_AFTER="1")

    resumed = place.resume()

    assert killed.returncode == -9
    assert resumed.stdout == "well\n", resumed.stderr
    assert place.did() == ["first", "second", "first", "first", "second"]
