"""Interrupted, terminated, frozen and exited: what a process that ends badly leaves, and how it goes on."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from nadi.exceptions import StoreUnavailable
from nadi.model.states import StateType
from nadi.storage.sqlite import SqliteStore
from tests.journeys.places import DID, Place, until

SLOW = (
    DID
    + """
import time

@task
def quick(n):
    did(f"quick-{n}")
    return n

@task
def slow():
    did("slow")
    if os.environ.get("BLOCK"):
        for _ in range(600):  # a signal in the instant before a sleep is seen after it
            time.sleep(0.1)
    return 10

@flow
def pipeline():
    return quick(1) + slow() + quick(2)

if __name__ == "__main__":
    print(pipeline())
"""
)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.mark.parametrize(
    ("sent", "status", "state"),
    [
        (signal.SIGINT, {-signal.SIGINT, 130, 1}, StateType.CANCELLED),
        (signal.SIGTERM, {143}, StateType.CRASHED),
        (signal.SIGKILL, {-signal.SIGKILL}, StateType.CRASHED),
    ],
)
def test_a_script_that_a_signal_ended_is_recorded_so_and_goes_on_from_what_it_had_finished(
    place: Place, sent: signal.Signals, status: set[int], state: StateType
) -> None:
    script = place.script(SLOW)
    process = place.start(script, BLOCK="yes")
    until(lambda: "slow" in place.did())

    process.send_signal(sent)
    _, errors = process.communicate(timeout=30)
    run = place.newest()
    resumed = place.resume()

    assert process.returncode in status, errors
    assert "nadi/engine" not in errors
    assert run.state_type is state
    assert resumed.stdout == "13\n", resumed.stderr
    assert place.did() == ["quick-1", "slow", "slow", "quick-2"]


BLOCKS_A_LOOP = """
@task
def slow():
    did("slow")
    for _ in range(600):  # a signal in the instant before a sleep is seen after it
        time.sleep(0.1)

@flow(flow_run_name="two words")
def pipeline():
    slow()

async def main():
    pipeline()
"""

AWAITS = """
@task
async def slow():
    did("slow")
    await asyncio.sleep(60)

@flow(flow_run_name="two words")
async def pipeline():
    await asyncio.gather(slow(), slow())

async def main():
    await pipeline()
"""


@pytest.mark.parametrize("program", [BLOCKS_A_LOOP, AWAITS], ids=["sync", "async"])
def test_ctrl_c_ends_a_flow_within_a_loop_with_what_to_type_next_and_no_traceback(place: Place, program: str) -> None:
    process = place.start(place.script(f"{DID}\nimport asyncio, time\n{program}\nasyncio.run(main())\n"))
    until(lambda: "slow" in place.did())

    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    run = place.newest()

    assert "Traceback" not in errors
    last = f"Run two words was interrupted; what it finished is kept. Continue with: nadi resume {run.id}"
    assert errors.splitlines()[-1] == last
    assert (run.state_type, run.message) == (StateType.CANCELLED, "Interrupted by Ctrl-C.")


def test_ctrl_c_leaves_nothing_undelivered(place: Place) -> None:
    process = place.start(place.script(SLOW), BLOCK="yes")
    until(lambda: "slow" in place.did())

    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)

    assert place.journals() == []
    [run] = place.store().find_flow_runs(place.newest().id)
    assert run.state_type is StateType.CANCELLED


def test_a_script_run_as_main_and_the_same_file_loaded_make_equal_calls(place: Place) -> None:
    script = place.script(SLOW)
    process = place.start(script, BLOCK="yes")
    until(lambda: "slow" in place.did())
    process.kill()
    process.communicate()

    resumed = place.resume()

    assert resumed.stdout == "13\n"
    keys = {task.function for task in place.store().task_runs(place.newest().id)}
    assert not any("__main__" in key for key in keys)
    assert place.did().count("quick-1") == 1


def test_a_flow_of_python_c_needs_its_flow_again(place: Place) -> None:
    code = DID + "\n@flow\ndef cell():\n    raise ValueError('x')\ncell()\n"
    place.run("-c", code)

    refused = place.resume()
    served = place.run(
        "-c",
        f"import nadi\n@nadi.flow\ndef cell():\n    return 5\nprint(nadi.resume({place.newest().id!r}, flow=cell))",
    )

    assert refused.returncode == 1
    assert "flow=" in refused.stderr.strip().splitlines()[-1]
    assert served.stdout == "5\n", served.stderr


def test_a_frozen_process_that_lost_its_run_changes_nothing_when_it_wakes_and_says_who_has_it(place: Place) -> None:
    script = place.script(
        DID
        + """
import time

@task
def step(n):
    did(f"step-{n}")
    time.sleep(0.05)
    return n

@flow
def pipeline():
    return sum(step(n) for n in range(1 if os.environ.get("SHORT") else 1000))

if __name__ == "__main__":
    pipeline()
"""
    )
    process = place.start(script)
    until(lambda: len(place.did()) > 3)
    until(lambda: bool(place.look()))
    store = SqliteStore(place.home / "nadi.db", patience=0.3)
    [run] = store.find_flow_runs(place.newest().id)

    def freeze_and_take_away() -> bool:
        # Frozen in the middle of a commit it would keep everybody from writing; then it is tried again.
        process.send_signal(signal.SIGSTOP)
        try:
            return store.end_attempt(
                run.id, token=run.token, state=StateType.CRASHED, name="", message="taken away", now=run.state_at + 1
            )
        except StoreUnavailable:
            process.send_signal(signal.SIGCONT)
            return False

    until(freeze_and_take_away)
    claim = store.claim(run.id, holder="w|far-host|42|7|boot|ns", now=run.state_at + 2)
    before = len(place.did())
    place.run("-c", "import time; time.sleep(2)")

    process.send_signal(signal.SIGCONT)
    _, errors = process.communicate(timeout=30)

    [after] = store.find_flow_runs(run.id)
    assert (after.token, after.state_type) == (claim.token, StateType.PENDING)
    assert len(place.did()) == before
    assert process.returncode == 1
    assert "process 42 on far-host" in errors.strip().splitlines()[-1]
    assert [one.state_type for one in store.superseded(run.id) if one.run == run.id] == [StateType.FAILED]
    store.close()


def test_a_task_that_exits_the_process_leaves_a_run_that_the_next_command_calls_crashed(place: Place) -> None:
    script = place.script(
        DID
        + """
@task
def fine():
    did("fine")
    return 1

@task
def fatal():
    did("fatal")
    if len(open(os.environ["LEDGER"]).read().split()) < 3:
        os._exit(7)
    return 2

@flow
def pipeline():
    first = fine.submit().result()
    return first + fatal.submit().result()

if __name__ == "__main__":
    pipeline()
"""
    )

    exited = place.run(script)
    run = place.newest()
    resumed = place.resume()

    assert exited.returncode == 7
    assert run.state_type is StateType.CRASHED
    assert "ended without finishing" in run.message
    assert resumed.stdout == "3\n", resumed.stderr
    assert place.did() == ["fine", "fatal", "fatal"]


@pytest.mark.parametrize(("code", "status", "state"), [("0", 0, "COMPLETED"), ("3", 3, "FAILED"), ("", 0, "COMPLETED")])
def test_sys_exit_in_a_flow_ends_the_script_and_the_run(place: Place, code: str, status: int, state: str) -> None:
    script = place.script(
        DID
        + f"""
@task
def fine():
    did("fine")

@flow
def pipeline():
    fine.submit()
    sys.exit({code})

if __name__ == "__main__":
    pipeline()
"""
    )

    exited = place.run(script)

    assert exited.returncode == status
    assert place.newest().state_type.value == state
    assert place.did() == ["fine"]
    assert "Traceback" not in exited.stderr


def test_a_task_that_swallows_sigterm_cannot_keep_the_run_from_being_killed_and_resumed(place: Place) -> None:
    script = place.script(
        DID
        + """
import signal, time

@task
def stubborn():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    did("stubborn")
    if os.environ.get("BLOCK"):
        for _ in range(600):  # a signal in the instant before a sleep is seen after it
            time.sleep(0.1)
    return 1

@flow
def pipeline():
    return stubborn()

if __name__ == "__main__":
    pipeline()
"""
    )
    process = place.start(script, BLOCK="yes")
    until(lambda: "stubborn" in place.did())

    process.send_signal(signal.SIGTERM)
    process.kill()
    process.communicate()
    resumed = place.resume()

    assert resumed.stdout == "1\n", resumed.stderr
    assert place.newest().state_type is StateType.COMPLETED


def test_a_task_that_leaks_threads_does_not_keep_its_process_or_its_run(place: Place) -> None:
    script = place.script(
        DID
        + """
import threading, time

@task
def leaky():
    for _ in range(20):
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    return 1

@flow
def pipeline():
    return sum(leaky() for _ in range(3))

if __name__ == "__main__":
    print(pipeline())
"""
    )

    done = place.run(script)

    assert (done.returncode, done.stdout) == (0, "3\n"), done.stderr
    assert place.newest().state_type is StateType.COMPLETED


def test_a_run_on_the_process_executor_is_killed_and_resumed(place: Place) -> None:
    script = place.script(
        DID
        + """
@task
def work(n):
    did(f"work-{n}")
    return n * n

@flow(executor="process")
def pipeline():
    total = sum(work.map(range(4)).result())
    if os.environ.get("KILL"):
        os.kill(os.getpid(), 9)
    return total

if __name__ == "__main__":
    print(pipeline())
"""
    )

    killed = place.run(script, KILL="yes")
    resumed = place.resume()

    assert killed.returncode == -signal.SIGKILL
    assert resumed.stdout == "14\n", resumed.stderr
    assert sorted(place.did()) == [f"work-{n}" for n in range(4)]


def test_of_two_processes_that_resume_at_once_one_does_it_and_the_other_is_told_who(place: Place) -> None:
    script = place.script(SLOW)
    process = place.start(script, BLOCK="yes")
    until(lambda: "slow" in place.did())
    process.kill()
    process.communicate()
    run = place.newest()
    code = f"import nadi; print(nadi.resume({run.id!r}))"

    resumers = [place.start("-c", code, BLOCK="yes") for _ in range(2)]
    until(lambda: any(one.poll() is not None for one in resumers))
    [loser] = [one for one in resumers if one.poll() is not None]
    [winner] = [one for one in resumers if one is not loser]
    _, told = loser.communicate()
    until(lambda: place.did().count("slow") == 2)
    winner.kill()
    winner.communicate()

    assert loser.returncode == 1
    assert f"process {winner.pid}" in told.strip().splitlines()[-1]
    assert place.did() == ["quick-1", "slow", "slow"]


def test_an_async_flow_is_killed_and_resumed(place: Place) -> None:
    script = place.script(
        DID
        + """
import asyncio

@task
async def fetch(n):
    did(f"fetch-{n}")
    return n

@flow
async def pipeline():
    total = sum(await asyncio.gather(*(fetch(n) for n in range(5))))
    if os.environ.get("KILL"):
        os.kill(os.getpid(), 9)
    return total + await fetch(10)

if __name__ == "__main__":
    print(asyncio.run(pipeline()))
"""
    )

    place.run(script, KILL="yes")
    resumed = place.run("-c", f"import asyncio, nadi; print(asyncio.run(nadi.resume({place.newest().id!r})))")

    assert resumed.stdout == "20\n", resumed.stderr
    assert place.did() == [f"fetch-{n}" for n in range(5)] + ["fetch-10"]
