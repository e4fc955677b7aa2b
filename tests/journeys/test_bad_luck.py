"""Locked, read-only, full, gone: what happens to the store and the home never costs the flow, and nothing is silent."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nadi.model.states import StateType
from tests.journeys.places import DID, Place

SCRIPT = (
    DID
    + """
@task
def step(n):
    did(f"step-{n}")
    return n

@task
def big():
    return b"x" * 100_000

@flow
def pipeline():
    return sum(step(n) for n in range(20)) + len(big())

if __name__ == "__main__":
    print(pipeline())
"""
)
PRINTED = "100190\n"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path)
    made.script(SCRIPT)
    return made


@contextmanager
def locked(place: Place) -> Iterator[None]:
    """Hold the database as another program does that knows nothing of our queue."""
    held = sqlite3.connect(place.home / "nadi.db", isolation_level=None)
    held.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        held.execute("ROLLBACK")
        held.close()


def check_delivered(place: Place, runs: int) -> None:
    found = place.look()
    assert [run.state_type for run in found] == [StateType.COMPLETED] * runs
    assert [run.task_counts for run in found] == [{"COMPLETED": 21}] * runs
    assert place.journals() == []


def sentences(errors: str) -> list[str]:
    """What Nadi itself said, beside the log lines of the run."""
    return [line for line in errors.splitlines() if line.startswith("nadi: ")]


def test_a_store_that_another_program_locks_all_along_costs_the_run_nothing_and_the_next_command_delivers(
    place: Place,
) -> None:
    place.run("pipeline.py")
    with locked(place):
        done = place.run("pipeline.py", NADI_WAIT_FOR_STORE="0.2")

    assert (done.returncode, done.stdout) == (0, PRINTED)
    assert "Traceback" not in done.stderr
    [sentence] = sentences(done.stderr)
    assert "records are not in the store yet" in sentence
    assert str(place.home / "journals") in sentence
    check_delivered(place, 2)


def test_a_store_that_is_free_again_while_the_run_waits_at_its_end_gets_everything(place: Place) -> None:
    place.run("pipeline.py")
    with locked(place):
        process = place.start("pipeline.py", NADI_WAIT_FOR_STORE="30")
        assert process.stdout is not None
        assert process.stdout.readline() == PRINTED

    _, errors = process.communicate(timeout=45)

    assert process.returncode == 0
    assert sentences(errors) == []
    assert place.journals() == []
    check_delivered(place, 2)


def test_a_store_that_was_never_seen_before_and_cannot_be_opened_gets_its_runs_later(place: Place) -> None:
    place.home.mkdir()
    (place.home / "nadi.db").mkdir()

    done = place.run("pipeline.py", NADI_WAIT_FOR_STORE="0.2")
    (place.home / "nadi.db").rmdir()

    assert (done.returncode, done.stdout) == (0, PRINTED)
    assert "Traceback" not in done.stderr
    assert len(sentences(done.stderr)) == 1
    check_delivered(place, 1)


def test_a_read_only_database_costs_the_run_nothing_and_gets_it_when_it_can_be_written(place: Place) -> None:
    place.run("pipeline.py")
    with read_only(place):
        done = place.run("pipeline.py", NADI_WAIT_FOR_STORE="0.2")

    assert (done.returncode, done.stdout) == (0, PRINTED)
    assert "Traceback" not in done.stderr
    assert len(sentences(done.stderr)) == 1
    check_delivered(place, 2)


@contextmanager
def read_only(place: Place) -> Iterator[None]:
    # A mode stops no administrator, so the file says itself that nothing may write it.
    database = place.home / "nadi.db"
    data = database.read_bytes()
    assert not database.with_name("nadi.db-wal").exists()
    with database.open("r+b") as file:
        file.seek(18)
        file.write(b"\x09\x02")  # a write version of the file format that no SQLite knows: it can only be read
    try:
        yield
    finally:
        with database.open("r+b") as file:
            file.write(data[:100])


def test_a_home_that_is_a_file_costs_the_run_its_record_and_says_so_in_one_sentence(place: Place) -> None:
    place.home.write_text("not a folder")

    done = place.run("pipeline.py", NADI_WAIT_FOR_STORE="0.2")

    assert (done.returncode, done.stdout) == (0, PRINTED)
    assert "Traceback" not in done.stderr
    assert sum("is a file, not a folder" in line for line in done.stderr.splitlines()) == 2  # at the start, at the end
    [sentence] = sentences(done.stderr)
    assert "records are lost: neither the store" in sentence


def test_journals_that_cannot_be_written_leave_the_store_all_the_same(place: Place) -> None:
    place.home.mkdir()
    (place.home / "journals").write_text("not a folder")

    done = place.run("pipeline.py")
    (place.home / "journals").unlink()

    assert (done.returncode, done.stdout) == (0, PRINTED)
    assert sentences(done.stderr) == []
    check_delivered(place, 1)


def test_a_full_disk_costs_the_run_nothing_and_what_is_lost_is_counted_in_one_sentence(place: Place) -> None:
    place.run("pipeline.py")
    limited = (
        "import resource, runpy, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))\n"
        "runpy.run_path('pipeline.py', run_name='__main__')\n"
    )

    done = place.run("-c", limited, NADI_WAIT_FOR_STORE="0.2")

    assert (done.returncode, done.stdout) == (0, PRINTED)
    assert "Traceback" not in done.stderr
    [sentence] = sentences(done.stderr)
    assert "records are lost" in sentence
    runs = place.look()
    assert runs[-1].state_type is StateType.COMPLETED


@pytest.mark.skipif(os.geteuid() != 0, reason="a file system of its own can be mounted by root only")
def test_a_home_on_a_full_file_system_costs_the_run_nothing(place: Place) -> None:
    place.home.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(place.home)], check=False)
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        first = place.run("pipeline.py", NADI_WAIT_FOR_STORE="0.2")
        filler = place.home / "filler"
        with filler.open("wb", buffering=0) as file:
            while True:
                try:
                    file.write(b"x" * 1024)
                except OSError:
                    break
        full = place.run("pipeline.py", NADI_WAIT_FOR_STORE="0.2")
        filler.unlink()

        assert (first.returncode, first.stdout) == (0, PRINTED)
        assert (full.returncode, full.stdout) == (0, PRINTED)
        assert "Traceback" not in full.stderr
        assert len(sentences(full.stderr)) == 1
    finally:
        subprocess.run(["umount", "-l", str(place.home)], check=True)


def test_commands_that_look_at_once_deliver_each_left_over_journal_once_and_all_answer_the_same(place: Place) -> None:
    place.run("pipeline.py")
    place.script(
        SCRIPT.replace("    return sum(", "    os.kill(os.getpid(), 9) if len(sys.argv) > 1 else None\n    return sum(")
    )
    killed = [place.start("pipeline.py", "die") for _ in range(4)]
    for process in killed:
        process.communicate(timeout=45)
    look = (
        "from nadi.engine.recording import recorder, close\n"
        "from nadi.model.runs import RunFilter\n"
        "r = recorder(); r.look_for_leftovers()\n"
        "print(*sorted(run.state_name for run in r.store().flow_runs(RunFilter(), limit=10)))\n"
        "print(close(), end='')\n"
    )

    lookers = [place.start("-c", look) for _ in range(4)]
    answers = [process.communicate(timeout=45) for process in lookers]

    assert [process.returncode for process in killed] == [-9] * 4
    assert answers == [("Completed Crashed Crashed Crashed Crashed\n", "")] * 4
    assert place.journals() == []


MANY = """
import sys
from nadi import flow, task

@task
def step(n):
    return n

@flow
def pipeline(n):
    for i in range(n):
        step(i)

if __name__ == "__main__":
    pipeline(int(sys.argv[1]))
"""


def many_processes(place: Place, processes: int, tasks: int) -> None:
    script = place.script(MANY, "many.py")
    started = [place.start(script, str(tasks), NADI_LOG_LEVEL="WARNING") for _ in range(processes)]

    ended = [(process.communicate(timeout=600), process.returncode) for process in started]

    assert ended == [(("", ""), 0)] * processes
    store = place.store()
    assert store.counts()["flow_runs"] == processes
    assert store.counts()["task_runs"] == processes * tasks
    assert store.counts()["writers"] == 0
    store.close()
    assert place.journals() == []
    assert {run.state_type for run in place.look()} == {StateType.COMPLETED}
    assert {tuple(run.task_counts.items()) for run in place.look()} == {(("COMPLETED", tasks),)}


def test_twenty_processes_of_five_hundred_tasks_share_one_home_and_nothing_is_lost(place: Place) -> None:
    many_processes(place, 20, 500)


@pytest.mark.soak
def test_forty_processes_of_five_thousand_tasks_share_one_home_and_nothing_is_lost(place: Place) -> None:
    many_processes(place, 40, 5000)


# -- forks --


def test_a_task_that_forks_is_done_once_and_its_child_writes_nothing(place: Place) -> None:
    script = place.script(
        DID
        + """
from nadi import get_run_logger

@task
def forking():
    pid = os.fork()
    if pid == 0:
        get_run_logger().info("from the child")
        get_run_logger().info("from the child again")
        step(100)
        os._exit(0)
    os.waitpid(pid, 0)
    return 1

@task
def step(n):
    did(f"step-{n}")
    return n

@flow
def pipeline():
    return forking.submit().result() + forking() + step(1)

if __name__ == "__main__":
    print(pipeline())
""",
        "forks.py",
    )

    done = place.run(script)

    assert (done.returncode, done.stdout) == (0, "3\n"), done.stderr
    run = place.newest()
    assert run.state_type is StateType.COMPLETED
    assert run.task_counts == {"COMPLETED": 3}
    store = place.store()
    assert not [log for log in store.logs(run.id) if "child" in log.text]
    store.close()
    assert done.stderr.count("forked") == 2


def test_a_forked_child_that_returns_from_its_task_ends_there(place: Place) -> None:
    script = place.script(
        DID
        + """
@task
def forking():
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
    return pid

@task
def big(pid):
    return b"x" * 100_000

@flow
def pipeline():
    pid = forking()
    big(0)
    return pid

if __name__ == "__main__":
    print("child" if pipeline() == 0 else "parent", flush=True)
""",
        "forks.py",
    )

    done = place.run(script)

    assert done.returncode == 0
    assert done.stdout == "parent\n"
    run = place.newest()
    assert run.state_type is StateType.COMPLETED
    assert run.task_counts == {"COMPLETED": 2}
    store = place.store()
    kept = [task.result.kind for task in store.task_runs(run.id) if task.result is not None]
    store.close()
    assert kept == ["inline", "file"]
    assert place.journals() == []


def test_a_pool_of_forked_processes_in_a_task_leaves_the_run_unharmed(place: Place) -> None:
    script = place.script(
        DID
        + """
import multiprocessing

def square(n):
    print("in the child", n, flush=True)
    return n * n

@task(log_prints=True)
def pooled():
    with multiprocessing.get_context("fork").Pool(2) as pool:
        return sum(pool.map(square, range(4)))

@flow
def pipeline():
    return [pooled() for _ in range(3)]

if __name__ == "__main__":
    print(pipeline())
""",
        "forks.py",
    )

    done = place.run(script)

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[14, 14, 14]"
    assert place.newest().task_counts == {"COMPLETED": 3}


def test_a_forked_child_may_run_flows_of_its_own(place: Place) -> None:
    script = place.script(
        DID
        + """
import multiprocessing, nadi

@task
def step(n):
    return n

@flow
def inner():
    return step(1)

@flow
def outer():
    return step(2)

def work():
    print(inner(), flush=True)
    from nadi.engine.recording import close
    assert close() == ""

if __name__ == "__main__":
    outer()
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join()
    print(child.exitcode, outer(), flush=True)
""",
        "forks.py",
    )

    done = place.run(script)

    assert done.stdout == "1\n0 2\n", done.stderr
    assert [run.flow for run in place.look()] == ["outer", "inner", "outer"]


# -- networks, other stores --


def test_a_journal_for_another_store_is_left_alone_until_that_store_is_used(place: Place) -> None:
    elsewhere = f"sqlite:///{place.folder / 'elsewhere.db'}"
    place.run("pipeline.py")
    place.run("pipeline.py", NADI_DATABASE_URL=elsewhere)
    killed = place.run(
        "-c",
        "import os, nadi\n@nadi.flow\ndef f():\n    os.kill(os.getpid(), 9)\nf()\n",
        NADI_DATABASE_URL=elsewhere,
    )

    here = place.look()
    left = place.journals()
    there = place.run(
        "-c",
        "from nadi.engine.recording import recorder\nfrom nadi.model.runs import RunFilter\n"
        "r = recorder(); r.look_for_leftovers()\n"
        "print([run.state_name for run in r.store().flow_runs(RunFilter(), limit=5)])\n",
        NADI_DATABASE_URL=elsewhere,
    )

    assert killed.returncode == -9
    assert len(here) == 1
    assert len(left) == 1
    assert there.stdout == "['Crashed', 'Completed']\n", there.stderr
    assert place.journals() == []


def test_runs_of_forked_processes_have_names_of_their_own(place: Place) -> None:
    script = place.script(
        DID
        + """
import multiprocessing

@flow
def pipeline(n):
    return os.getpid()

if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(4) as pool:
        print(len(set(pool.map(pipeline, range(8), chunksize=2))) > 1)
""",
    )

    done = place.run(script)

    runs = place.look()
    assert done.stdout == "True\n", done.stderr
    assert len(runs) == len({run.name for run in runs}) == 8


DOUBLING = """
from nadi import flow, task

@task
def double(x):
    return x * 2

@flow(executor="process")
def pipeline():
    return double.submit(4).result()

print(pipeline())
"""


def test_a_script_from_standard_input_can_use_processes(place: Place) -> None:
    feed = f"import subprocess, sys; subprocess.run([sys.executable, '-'], input={DOUBLING!r}, text=True)"

    done = place.run("-c", feed)

    assert done.stdout == "8\n", done.stderr


def test_a_call_that_does_not_fit_is_told_without_our_frames(place: Place) -> None:
    script = place.script("from nadi import flow\n\n@flow\ndef pipeline(rows): return rows\n\npipeline(1, 2)\n")

    done = place.run(script)

    assert done.returncode == 1
    assert "ParameterBindError: pipeline() takes at most 1 positional argument" in done.stderr
    assert "nadi/" not in done.stderr


@pytest.mark.parametrize("executor", ["thread", "process"])
def test_a_working_folder_that_was_removed_costs_no_run(place: Place, executor: str) -> None:
    script = place.script(
        f"""
import os
from nadi import flow, task

@task
def one(): return 1

@flow(executor={executor!r})
def pipeline(): return one.submit().result()

if __name__ == "__main__":
    os.makedirs("gone")
    os.chdir("gone")
    os.rmdir("../gone")
    print(pipeline())
"""
    )

    done = place.run(script)

    assert done.stdout == "1\n", done.stderr
    assert place.newest().state_type is StateType.COMPLETED
