"""Pauses over processes: answered from another one, killed in the middle, and gone on with nothing repeated."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from nadi.model.runs import FlowRun, RunFilter
from nadi.model.states import StateType
from tests.journeys.places import CHECKOUT, DID, Place, until

S = StateType

BLOCKS = (
    DID
    + """
from nadi import pause_flow_run
from nadi.input import RunInput

class Approval(RunInput):
    reason: str
    again: bool = False

@task
def step(label):
    did(label)
    return label

@flow
def pipeline():
    first = step("first")
    answer = pause_flow_run(wait_for_input=Approval, timeout=None)
    return [first, answer.reason, step("second")]

if __name__ == "__main__":
    print(pipeline())
"""
)
SUSPENDS = BLOCKS.replace("pause_flow_run", "suspend_flow_run")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with Place(tmp_path) as made:
        yield made


def paused(place: Place) -> FlowRun:
    """The run, once it is paused."""
    until(lambda: (place.home / "nadi.db").exists() and bool(_paused(place)))
    return _paused(place)[0]


def _paused(place: Place) -> list[FlowRun]:
    store = place.store()
    try:
        return store.flow_runs(RunFilter(states=(S.PAUSED,)), limit=10)
    finally:
        store.close()


def answered(place: Place, run: str, answer: str) -> None:
    done = place.run("-c", f"import nadi; nadi.resume_flow_run({run!r}, {answer})")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_run_that_blocks_goes_on_when_another_process_answers(place: Place) -> None:
    place.script(BLOCKS)
    process = place.start("pipeline.py")
    run = paused(place)

    answered(place, run.id, "{'reason': 'tested'}")
    out, err = process.communicate(timeout=30)

    assert (process.returncode, out) == (0, "['first', 'tested', 'second']\n"), err
    assert place.did() == ["first", "second"]
    assert place.newest().state_type is S.COMPLETED


def test_a_run_that_is_killed_while_it_blocks_is_crashed_and_pauses_again_when_it_is_resumed(place: Place) -> None:
    place.script(BLOCKS)
    process = place.start("pipeline.py")
    run = paused(place)
    process.kill()
    process.communicate()

    crashed = place.newest()
    again = place.start("-m", "nadi", "resume", run.id)
    back = paused(place)
    answered(place, run.id, "{'reason': 'tested'}")
    _, err = again.communicate(timeout=30)

    assert (crashed.state_type, crashed.id) == (S.CRASHED, run.id)
    assert (back.state_name, back.attempt) == ("Paused", 2)
    assert again.returncode == 0, err
    assert place.did() == ["first", "second"]


def test_a_run_that_was_answered_after_it_was_killed_goes_on_without_pausing(place: Place) -> None:
    place.script(BLOCKS)
    process = place.start("pipeline.py")
    run = paused(place)
    process.kill()
    process.communicate()
    place.look()

    answered(place, run.id, "{'reason': 'tested'}")
    done = place.resume(run.id)

    assert (done.returncode, done.stdout) == (0, "['first', 'tested', 'second']\n"), done.stderr
    assert place.did() == ["first", "second"]


def test_a_script_that_is_suspended_ends_with_one_sentence_and_status_0(place: Place) -> None:
    place.script(SUSPENDS)

    done = place.run("pipeline.py")

    run = place.newest()
    last = done.stderr.splitlines()[-1]
    assert (done.returncode, done.stdout) == (0, "")
    assert last == (
        f"Run {run.name} is suspended: It waits for input (reason, again). "
        f"Continue it with: nadi resume {run.name} --input reason=..."
    )
    assert "Traceback" not in done.stderr
    assert (run.state_type, run.state_name, run.holder) == (S.PAUSED, "Suspended", "")
    assert place.journals() == []


def test_a_suspended_run_goes_on_in_another_process_and_nothing_finished_runs_again(place: Place) -> None:
    place.script(SUSPENDS)
    place.run("pipeline.py")
    run = place.newest()

    answered(place, run.id, "{'reason': 'tested'}")
    done = place.run("-m", "nadi", "resume", run.name)

    assert done.returncode == 0, done.stderr
    assert place.did() == ["first", "second"]
    assert (place.newest().state_type, place.newest().attempt) == (S.COMPLETED, 1)


def test_a_run_that_is_killed_right_after_it_was_suspended_stays_suspended(place: Place) -> None:
    place.script(
        SUSPENDS.replace(
            "print(pipeline())",
            "pipeline(return_state=True); import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        )
    )
    killed = place.run("pipeline.py")

    run = place.newest()
    answered(place, run.id, "{'reason': 'tested'}")
    done = place.resume(run.id)

    assert killed.returncode == -9
    assert (run.state_type, run.state_name) == (S.PAUSED, "Suspended")
    assert done.stdout == "['first', 'tested', 'second']\n"
    assert place.did() == ["first", "second"]


def test_of_two_processes_that_resume_one_suspended_run_one_wins(place: Place) -> None:
    place.script(SUSPENDS)
    place.run("pipeline.py")
    run = place.newest()
    answered(place, run.id, "{'reason': 'tested'}")

    both = [place.start("-m", "nadi", "resume", run.id) for _ in range(2)]
    ended = [(*process.communicate(timeout=40), process.returncode) for process in both]

    assert sorted(status for _, _, status in ended) == [0, 2], ended
    assert place.did() == ["first", "second"]
    assert place.newest().token == 2


MANY = (
    DID
    + """
from nadi import suspend_flow_run

@task
def step(n):
    did(f"step-{n}")
    return n

@flow
def pipeline(n):
    return step(n) * 10_000 + suspend_flow_run(wait_for_input=int, timeout=None)

if __name__ == "__main__":
    import threading
    for n in range(int(sys.argv[1])):
        pipeline(n, return_state=True)
    print(threading.active_count())
"""
)

#: Answers each suspended run with a number of its own.
ANSWER = """
import nadi
from nadi.engine.recording import recorder
from nadi.model.runs import RunFilter
store = recorder().store()
for n, run in enumerate(reversed(store.flow_runs(RunFilter(), limit=10_000))):
    nadi.resume_flow_run(run.id, n)
"""

#: Goes on with each of them.
GO_ON = """
import nadi, sys
from nadi.engine.recording import recorder
from nadi.model.runs import RunFilter
store = recorder().store()
runs = [run.id for run in reversed(store.flow_runs(RunFilter(), limit=10_000))]
print([nadi.resume(run) for run in runs] == [n * 10_001 for n in range(len(runs))])
"""


def suspend_many(place: Place, count: int, patience: float) -> None:
    place.script(MANY)
    quiet = {"NADI_LOG_LEVEL": "ERROR"}

    def run(*command: str) -> str:
        process = place.start(*command, **quiet)
        out, err = process.communicate(timeout=patience)
        assert (process.returncode, err) == (0, ""), err
        return out

    threads = int(run("pipeline.py", str(count)))
    suspended = place.look()
    run("-c", ANSWER)
    went_on = run("-c", GO_ON)

    assert threads <= 3  # the flow's own, that of the journal, and one that describes the newest run's code
    assert [one.state_name for one in suspended[:count]] == ["Suspended"] * min(count, 1000)
    assert {one.holder for one in suspended} == {""}
    assert went_on == "True\n"
    assert sorted(place.did()) == sorted(f"step-{n}" for n in range(count))


def test_suspended_runs_cost_no_process_and_no_thread_and_each_goes_on_with_its_own_input(place: Place) -> None:
    suspend_many(place, 25, 40)


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_a_thousand_suspended_runs_go_on_each_with_its_own_input(place: Place) -> None:
    suspend_many(place, 1000, 500)


def test_ctrl_c_ends_a_run_that_blocks_and_a_resume_asks_again(place: Place) -> None:
    place.script(BLOCKS)
    process = place.start("pipeline.py")
    run = paused(place)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)

    cancelled = place.newest()
    again = place.start("-m", "nadi", "resume", run.id)
    paused(place)
    answered(place, run.id, "{'reason': 'tested'}")
    again.communicate(timeout=30)

    assert f"Continue with: nadi resume {run.name}" in err
    assert process.returncode != 0
    assert cancelled.state_type is S.CANCELLED
    assert (again.returncode, place.did()) == (0, ["first", "second"])


def test_a_cancel_ends_a_run_that_blocks(place: Place) -> None:
    place.script(BLOCKS)
    process = place.start("pipeline.py")
    run = paused(place)

    done = place.run("-m", "nadi", "cancel", run.id)
    process.communicate(timeout=30)

    assert done.returncode == 0, done.stderr
    assert place.newest().state_type is S.CANCELLED


def test_a_crashed_run_is_answered_and_continued_in_one_step(place: Place) -> None:
    place.script(BLOCKS)
    process = place.start("pipeline.py")
    run = paused(place)
    process.kill()
    process.communicate()

    done = place.run("-m", "nadi", "resume", run.id, "--input", "reason=tested")

    assert done.returncode == 0, done.stderr
    assert place.did() == ["first", "second"]


#: A flow that dies at a certain write to its journal.
DYING = (
    SUSPENDS.replace("return [first", "did(answer.reason); return [first").replace("if __name__", "if False")
    + """
from tests.journeys.killer import Dying
import nadi

if __name__ == "__main__":
    at, how, run, *answers = sys.argv[1:]
    os.write = Dying(float(at), how).write
    if run == "new":
        pipeline(return_state=True)
    else:
        nadi.resume(run, flow=pipeline, run_input={"reason": "answer"} if answers else None, return_state=True)
"""
)


def die_and_go_on(place: Place, at: int, how: str) -> None:
    """Run the flow, dying at the n-th write of each process, then go on without dying; nothing finished is repeated."""
    environ = {"PYTHONPATH": f"{CHECKOUT / 'src'}:{CHECKOUT}", "NADI_LOG_LEVEL": "CRITICAL"}

    def run(kill_at: int, *args: str) -> None:
        process = place.start("pipeline.py", str(kill_at), how, *args)
        process.communicate(timeout=40)

    place.script(DYING)
    place.environment = lambda **more: {**Place.environment(place, **more), **environ}  # type: ignore[method-assign]
    run(at, "new")
    for dying in (at, 0, 0, 0):
        runs = place.look()
        if not runs:
            run(0, "new")
            continue
        if runs[0].state_type is S.COMPLETED:
            break
        store = place.store()
        asks = any(pause.is_open for pause in store.inputs.pauses(runs[0].id))
        store.close()
        run(dying, runs[0].id, *(["answer"] if asks else []))
    [done] = place.look()

    assert done.state_type is S.COMPLETED, (at, how)
    assert set(place.did()) == {"first", "answer", "second"}
    assert place.did().count("first") <= 3  # what is in flight at a kill runs again, and there are two kills
    assert place.did().count("second") <= 2  # only the second one can strike so late


@pytest.mark.parametrize(("at", "how"), [(6, "before"), (8, "torn"), (9, "after")])
def test_a_run_that_is_killed_around_its_suspension_gets_to_its_end(place: Place, at: int, how: str) -> None:
    die_and_go_on(place, at, how)


@pytest.mark.soak
@pytest.mark.parametrize("how", ["before", "torn", "after"])
@pytest.mark.parametrize("at", range(1, 15))
def test_a_run_that_is_killed_at_any_write_around_its_suspension_gets_to_its_end(
    place: Place, at: int, how: str
) -> None:
    die_and_go_on(place, at, how)


def test_a_store_that_is_away_does_not_cost_a_run_that_pauses(place: Place) -> None:
    place.script(BLOCKS)
    place.run("-c", "import nadi; nadi.flow(lambda: None, name='first')()")
    held = sqlite3.connect(place.home / "nadi.db", isolation_level=None)
    held.execute("BEGIN EXCLUSIVE")
    process = place.start("pipeline.py")
    until(lambda: place.did() == ["first"])
    held.execute("ROLLBACK")
    held.close()
    run = paused(place)

    answered(place, run.id, "{'reason': 'tested'}")
    out, err = process.communicate(timeout=30)

    assert (process.returncode, out) == (0, "['first', 'tested', 'second']\n"), err
