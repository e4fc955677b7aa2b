"""Workers and the processes of their runs, for real: started, killed, drained, limited."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from textwrap import dedent

from nadi.model.deployments import Resources
from nadi.model.states import StateType
from nadi.storage.home import process_start
from tests.workers.workshop import Workshop, until

TWO_STEPS = """
    @task
    def step(label):
        did(label)

    @flow
    def two_steps():
        step("first")
        Path("between").touch()
        waits_for("go")
        step("second")
"""

#: What no interruption ends.
DEAF = """
    @flow
    def deaf():
        did("began")
        while True:
            try:
                time.sleep(1000)
            except BaseException:
                pass
"""


def is_alive(pid: int) -> bool:
    return process_start(pid) != 0


# -- starting --


def test_a_run_that_is_asked_for_is_started_and_completes(shop: Workshop) -> None:
    shop.script("""
        @flow
        def greet(name):
            print("hello", name)
            did(f"{name} {os.getcwd()} {os.getpid() == os.getpgid(0)}")
    """)
    shop.deploy("greet")
    shop.worker()

    run = shop.end(shop.ask("greet", name="you"))

    assert run.state_type is StateType.COMPLETED
    assert shop.done() == [f"you {shop.folder} True"]
    assert shop.printed(run.id) == "hello you\n"


def test_runs_of_one_process_get_chances_of_their_own(shop: Workshop) -> None:
    shop.script("""
        import random

        @flow
        def dice():
            did(random.random())
    """)
    shop.deploy("dice")
    shop.worker("--limit", "2")

    for run in [shop.ask("dice") for _ in range(4)]:
        shop.end(run)

    assert len(set(shop.done())) == 4


def test_two_workers_never_run_one_run_twice(shop: Workshop) -> None:
    shop.script("""
        @flow
        def once(n):
            did(n)
    """)
    shop.deploy("once")
    shop.worker("--limit", "3")
    shop.worker("--limit", "3")

    runs = [shop.ask("once", n=n) for n in range(20)]
    states = {shop.end(run).state_name for run in runs}

    assert states == {"Completed"}
    assert sorted(shop.done(), key=int) == [str(n) for n in range(20)]
    assert [shop.run(run).attempt for run in runs] == [1] * 20


def test_a_worker_takes_no_more_runs_at_once_than_its_limit(shop: Workshop) -> None:
    shop.script("""
        @flow
        def waiting(n):
            did(n)
            waits_for("go")
    """)
    shop.deploy("waiting")
    shop.worker("--limit", "2")
    runs = [shop.ask("waiting", n=n) for n in range(3)]
    until(lambda: len(shop.done()) == 2)

    for run in runs[:2]:
        shop.until_state(run, "Running")
    states = [shop.run(run).state_name for run in runs]
    shop.allow("go")
    ended = {shop.end(run).state_name for run in runs}

    assert states == ["Running", "Running", "Scheduled"]
    assert ended == {"Completed"}


def test_a_changed_file_is_imported_anew_before_the_next_run(shop: Workshop) -> None:
    shop.script("def answer(): return 'old'", "helper.py")
    shop.script("""
        import helper

        @flow
        def tell():
            did(helper.answer())
    """)
    shop.deploy("tell")
    shop.worker()
    shop.end(shop.ask("tell"))

    # Of another length: Python takes cached bytecode for that of a file of the same size and second.
    shop.script("def answer(): return 'newer'", "helper.py")
    shop.end(shop.ask("tell"))

    assert shop.done() == ["old", "newer"]


def test_code_that_leaves_a_thread_running_is_not_forked_and_the_worker_says_why(shop: Workshop) -> None:
    shop.script("""
        threading.Thread(target=time.sleep, args=(1000,), name="my-poller", daemon=True).start()

        @flow
        def threaded(n):
            did(os.getpid())
    """)
    shop.deploy("threaded")
    shop.worker()

    for n in range(2):
        assert shop.end(shop.ask("threaded", n=n)).state_name == "Completed"

    [seen] = until(lambda: [seen for seen in shop.store.work.workers() if seen.starts])
    assert "importing it left 1 thread running (my-poller)" in seen.starts["threaded"]
    assert len(set(shop.done())) == 2


def test_parameters_that_do_not_fit_fail_the_run_with_a_sentence(shop: Workshop) -> None:
    shop.script("""
        @flow
        def count(n: int):
            did(n)
    """)
    shop.deploy("count")
    shop.worker()

    run = shop.end(shop.ask("count", n="many"))

    assert run.state_type is StateType.FAILED
    assert "n" in run.message
    assert shop.done() == []


def test_a_run_that_was_cancelled_while_it_waited_is_not_started(shop: Workshop) -> None:
    shop.script("""
        @flow
        def never():
            did("never")
    """)
    shop.deploy("never")
    run = shop.ask("never")
    record = shop.run(run)
    shop.store.end_attempt(run, token=record.token, state=StateType.CANCELLED, name="", message="", now=1.0)

    shop.worker()
    other = shop.end(shop.ask("never"))

    assert other.state_name == "Completed"
    assert shop.done() == ["never"]


# -- crashes --


def test_the_runs_of_a_worker_that_was_killed_go_on_at_another_one(shop: Workshop) -> None:
    shop.script(TWO_STEPS)
    shop.deploy("two_steps")
    worker = shop.worker()
    run = shop.ask("two_steps")
    shop.until_there("between")
    pid = shop.pid(run)

    worker.kill()
    worker.wait()
    until(lambda: not is_alive(pid))
    shop.allow("go")
    shop.worker()
    ended = shop.end(run)

    assert ended.state_name == "Completed"
    assert shop.done() == ["first", "second"]
    assert [attempt.state_type for attempt in shop.store.attempts(run)] == [StateType.CRASHED, StateType.COMPLETED]


def test_a_run_whose_process_was_killed_goes_on(shop: Workshop) -> None:
    shop.script(TWO_STEPS)
    shop.deploy("two_steps")
    shop.worker()
    run = shop.ask("two_steps")
    shop.until_there("between")

    os.kill(shop.pid(run), signal.SIGKILL)
    shop.allow("go")
    ended = shop.end(run)

    assert ended.state_name == "Completed"
    assert shop.done() == ["first", "second"]
    assert "SIGKILL" in shop.store.attempts(run)[0].message


def test_a_run_goes_on_when_the_process_that_forked_it_was_killed(shop: Workshop) -> None:
    shop.script(TWO_STEPS)
    shop.deploy("two_steps")
    shop.worker()
    run = shop.ask("two_steps")
    shop.until_there("between")
    pid = shop.pid(run)
    zygote = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])

    os.kill(zygote, signal.SIGKILL)
    until(lambda: not is_alive(pid))
    shop.allow("go")
    ended = shop.end(run)

    assert ended.state_name == "Completed"
    assert shop.done() == ["first", "second"]


def test_a_spare_whose_run_was_killed_is_followed_by_another_one(shop: Workshop) -> None:
    shop.script("threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()\n" + dedent(TWO_STEPS))
    shop.deploy("two_steps")
    worker = shop.worker()
    run = shop.ask("two_steps")
    shop.until_there("between")
    pid = shop.pid(run)

    os.kill(pid, signal.SIGKILL)
    shop.until_state(run, "AwaitingResume", "Pending", "Running")
    until(lambda: shop.run(run).state_name == "Running" and shop.pid(run) != pid)
    second = shop.pid(run)
    worker.kill()
    worker.wait()
    until(lambda: not is_alive(second))
    shop.worker()
    shop.allow("go")

    assert shop.end(run).state_name == "Completed"
    assert shop.done() == ["first", "second"]


def test_a_run_that_kills_its_process_each_time_is_given_up_with_the_reason(shop: Workshop) -> None:
    shop.script("""
        @flow
        def deadly():
            print("about to die")
            did("again")
            os.kill(os.getpid(), signal.SIGKILL)
    """)
    shop.deploy("deadly")
    shop.worker()

    run = shop.end(shop.ask("deadly"))

    assert (run.state_type, run.state_name) == (StateType.CRASHED, "DeadLettered")
    assert "SIGKILL" in run.message
    assert "about to die" in run.message
    assert shop.done() == ["again"] * 3


def test_code_that_cannot_be_imported_gives_the_run_up_with_the_reason(shop: Workshop) -> None:
    shop.script("import no_such_module")
    shop.deploy("broken")
    shop.worker()

    run = shop.end(shop.ask("broken"))

    assert run.state_name == "DeadLettered"
    assert "no_such_module" in run.message


def test_what_a_run_started_ends_with_it(shop: Workshop) -> None:
    shop.script("""
        import subprocess

        @flow
        def starting():
            did(subprocess.Popen(["sleep", "1000"]).pid)
    """)
    shop.deploy("starting")
    shop.worker()

    shop.end(shop.ask("starting"))

    until(lambda: not is_alive(int(shop.done()[0])))


# -- limits --


def test_a_run_beyond_its_wall_time_is_ended_and_has_failed(shop: Workshop) -> None:
    shop.script(DEAF)
    shop.deploy("deaf", resources=Resources(wall_seconds=1.0))
    shop.worker("--grace", "0.5")

    run = shop.ask("deaf")
    shop.until_done("began")
    pid = shop.pid(run)
    ended = shop.end(run)

    assert (ended.state_type, ended.state_name) == (StateType.FAILED, "TimedOut")
    assert "1 s" in ended.message
    until(lambda: not is_alive(pid))


def test_a_process_that_wants_more_memory_than_it_may_have_gets_a_memory_error(shop: Workshop) -> None:
    shop.script("""
        @flow
        def greedy():
            bytearray(1 << 30)
    """)
    shop.deploy("greedy", resources=Resources(memory_bytes=400 << 20))
    shop.worker()

    run = shop.end(shop.ask("greedy"))

    assert run.state_type is StateType.FAILED
    assert "MemoryError" in run.message


def test_processes_that_use_more_memory_together_than_they_may_are_ended(shop: Workshop) -> None:
    shop.script("""
        import subprocess

        HOLD = "held = bytearray(os.urandom(1) * (70 << 20)); import time; time.sleep(1000)"

        @flow
        def greedy():
            for _ in range(3):
                subprocess.Popen([sys.executable, "-c", "import os; " + HOLD])
            did("again")
            time.sleep(1000)
    """)
    shop.deploy("greedy", resources=Resources(memory_bytes=150 << 20), most_crashes=1)
    shop.worker("--grace", "0.5")

    run = shop.end(shop.ask("greedy"))

    assert run.state_name == "DeadLettered"
    assert "may use 150" in run.message


def test_a_run_that_is_deaf_to_its_cancel_is_ended(shop: Workshop) -> None:
    shop.script(DEAF)
    shop.deploy("deaf")
    shop.worker("--grace", "0.5")
    run = shop.ask("deaf")
    shop.until_done("began")

    from nadi.model.runs import Request

    shop.store.ask(Request(run=run, kind="cancel", at=1.0, by="somebody"))
    ended = shop.end(run)

    assert ended.state_type is StateType.CANCELLED
    assert "somebody" in ended.message


# -- ending --


def test_a_worker_that_is_asked_to_end_takes_nothing_more_and_waits_for_its_runs(shop: Workshop) -> None:
    shop.script(TWO_STEPS)
    shop.deploy("two_steps")
    worker = shop.worker()
    run = shop.ask("two_steps")
    shop.until_there("between")

    worker.terminate()
    until(lambda: [seen for seen in shop.store.work.workers() if seen.draining])
    other = shop.ask("two_steps")
    shop.allow("go")
    status = worker.wait(20)

    assert status == 0
    assert shop.run(run).state_name == "Completed"
    assert shop.run(other).state_name == "Scheduled"
    assert shop.store.work.workers() == []
    assert list(shop.home.workers.iterdir()) == []


def test_a_worker_that_is_asked_twice_ends_its_runs_which_go_on_elsewhere(shop: Workshop) -> None:
    shop.script(TWO_STEPS)
    shop.deploy("two_steps")
    worker = shop.worker()
    run = shop.ask("two_steps")
    shop.until_there("between")

    worker.terminate()
    until(lambda: [seen for seen in shop.store.work.workers() if seen.draining])
    worker.terminate()
    status = worker.wait(20)
    waiting = shop.run(run).state_name
    shop.allow("go")
    shop.worker()

    assert (status, waiting) == (0, "AwaitingResume")
    assert shop.end(run).state_name == "Completed"
    assert shop.done() == ["first", "second"]


def test_a_worker_that_starts_first_ends_what_a_killed_one_left_running(shop: Workshop) -> None:
    shop.script("""
        @flow
        def stubborn():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            did(os.getpid())
            waits_for("go")
    """)
    shop.deploy("stubborn")
    worker = shop.worker()
    shop.ask("stubborn")
    [pid] = until(lambda: [int(line) for line in shop.done()])
    os.kill(pid, signal.SIGSTOP)  # it hears of nothing

    worker.kill()
    worker.wait()
    shop.allow("go")
    shop.worker()

    until(lambda: not is_alive(pid))
    with suppress(subprocess.TimeoutExpired):
        worker.communicate(timeout=0.1)
