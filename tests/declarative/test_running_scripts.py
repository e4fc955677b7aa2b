"""Declared flows as scripts and commands: loaded without running, run, killed and resumed, in real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

ARTICLE = """
    from nadi import task, Flow
    @task
    def extract_data(): print("Extracting data...")
    @task
    def preprocess_data(): print("Preprocessing data...")
    @task
    def train_model(): print("Training ML model...")
    @task
    def evaluate_model(): print("Evaluating ML model...")
    with Flow("ml_pipeline") as flow:
        data = extract_data()
        processed = preprocess_data(upstream_tasks=[data])
        model = train_model(upstream_tasks=[processed])
        evaluate_model(upstream_tasks=[model])
    flow.run()
    """

KILLED = """
    import os, signal, sys, time
    from nadi import Flow, Parameter, task, unmapped

    def note(text):
        with open("ledger", "a") as file:
            file.write(text + "\\n")

    @task
    def numbers(n):
        note("numbers")
        return list(range(n))

    @task
    def prepare():
        note("prepare")

    @task
    def work(x):
        if x == 2 and not os.path.exists("killed"):
            open("killed", "w").close()
            os.kill(int(os.environ["SCRIPT"]), signal.SIGKILL)
            time.sleep(30)  # a process that works for the script ends with it
        note(f"work {x}")
        return x * 10

    @task
    def total(items):
        note("total")
        return sum(items)

    with Flow("killed") as flow:
        n = Parameter("n", default=4)
        first = prepare()
        result = total(work.map(numbers(n), upstream_tasks=[unmapped(first)]))

    if __name__ == "__main__":
        os.environ["SCRIPT"] = str(os.getpid())
        print(flow.run(executor=sys.argv[1]).result[result].result)
    """


class Folder:
    """A working folder with a home of its own, and what is run in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.environ = {**os.environ, "NADI_HOME": str(path / "home")}

    def write(self, name: str, text: str) -> None:
        (self.path / name).write_text(dedent(text), encoding="utf-8")

    def run(self, *command: str, status: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, *command],
            cwd=self.path,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
        assert done.returncode == status, done.stderr
        return done.stdout

    def nadi(self, *command: str, status: int = 0) -> str:
        return self.run("-m", "nadi", *command, status=status)

    def runs(self) -> list[dict[str, Any]]:
        found = json.loads(self.nadi("runs", "--json"))
        listed: list[dict[str, Any]] = found["runs"] if isinstance(found, dict) else found
        return listed

    def ledger(self) -> list[str]:
        return (self.path / "ledger").read_text().splitlines()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_the_program_of_the_article_runs_as_it_stands(folder: Folder) -> None:
    folder.write("flow.py", ARTICLE)

    out = folder.run("flow.py")

    assert out == "Extracting data...\nPreprocessing data...\nTraining ML model...\nEvaluating ML model...\n"
    [run] = folder.runs()
    assert (run["flow"], run["state_name"]) == ("ml_pipeline", "Completed")


def test_commands_load_a_script_that_ends_in_a_bare_run_without_running_it(folder: Folder) -> None:
    folder.write("flow.py", ARTICLE)

    checked = folder.nadi("check", "flow.py")
    out = folder.nadi("run", "flow.py:flow", "-q")

    assert "1 flow: nothing to complain about" in checked
    assert out.splitlines() == [
        "Extracting data...",
        "Preprocessing data...",
        "Training ML model...",
        "Evaluating ML model...",
    ]
    assert len(folder.runs()) == 1


def test_parameters_of_a_declared_flow_are_given_on_the_command_line(folder: Folder) -> None:
    folder.write(
        "flow.py",
        """
        from nadi import Flow, Parameter, task

        @task
        def tell(n):
            print("n is", repr(n))

        with Flow("telling") as flow:
            tell(Parameter("n"))
        """,
    )

    out = folder.nadi("run", "flow.py", "-p", "n=[1, 2]", "-q")
    folder.nadi("run", "flow.py", status=2)

    assert out == "n is [1, 2]\n"


def test_a_script_whose_flow_failed_goes_on_and_the_command_says_so_by_its_status(folder: Folder) -> None:
    folder.write(
        "flow.py",
        """
        from nadi import Flow, task

        @task
        def fail():
            raise ValueError("disk full")

        with Flow("failing") as flow:
            fail()

        if __name__ == "__main__":
            print(flow.run())
        """,
    )

    out = folder.run("flow.py")
    folder.nadi("run", "flow.py", status=1)

    assert out == '<Failed: "Some reference tasks failed: fail.">\n'


@pytest.mark.parametrize("executor", ["sequential", "thread", "process"])
def test_a_flow_that_was_killed_goes_on_from_what_it_had_finished(executor: str, folder: Folder) -> None:
    folder.write("flow.py", KILLED)
    folder.run("flow.py", executor, status=-signal.SIGKILL)
    before = folder.ledger()
    [run] = folder.runs()

    folder.nadi("resume", run["name"], "-q")

    after = folder.ledger()
    assert sorted(set(before)) == sorted(before)
    assert sorted(set(after)) == ["numbers", "prepare", "total", *(f"work {x}" for x in range(4))]
    # What was finished did not run again; what was running in another thread when the process died may have.
    assert [after.count(one) for one in ("numbers", "prepare", "total", "work 2")] == [1, 1, 1, 1]
    [run] = folder.runs()
    assert (run["state_name"], run["attempt"]) == ("Completed", 2)


def test_what_follows_by_order_alone_runs_again_when_its_upstream_did(folder: Folder) -> None:
    folder.write(
        "flow.py",
        """
        import os
        from nadi import Flow, task

        def note(text):
            with open("ledger", "a") as file:
                file.write(text + "\\n")

        @task
        def write_table():
            note("VERSION")

        @task
        def read_table():
            note("read")

        @task
        def beside():
            note("beside")

        @task
        def last():
            if not os.path.exists("mended"):
                raise ValueError("not yet")

        with Flow("tables") as flow:
            table = write_table()
            rows = read_table(upstream_tasks=[table])
            beside()
            last(upstream_tasks=[rows])

        flow.run()
        """,
    )
    folder.run("flow.py")
    (folder.path / "mended").touch()
    script = folder.path / "flow.py"
    script.write_text(script.read_text().replace("VERSION", "write again"))

    folder.nadi("resume", folder.runs()[0]["name"], "-q")

    assert sorted(folder.ledger()) == ["VERSION", "beside", "read", "read", "write again"]


def test_a_flow_that_waits_for_approval_goes_on_by_the_command(folder: Folder) -> None:
    folder.write(
        "flow.py",
        """
        from nadi import Flow, task
        from nadi.triggers import manual_only

        @task
        def build():
            print("building")

        @task(trigger=manual_only)
        def publish():
            print("publishing")

        with Flow("release") as flow:
            publish(upstream_tasks=[build()])

        flow.run()
        """,
    )
    assert folder.run("flow.py") == "building\n"
    [run] = folder.runs()
    assert run["state_name"] == "Suspended"

    assert folder.nadi("resume", run["name"], "-q") == "publishing\n"
    assert folder.runs()[0]["state_name"] == "Completed"


@pytest.mark.parametrize("where", ["a task", "a map"])
def test_ctrl_c_ends_the_run_as_cancelled_and_the_script(where: str, folder: Folder) -> None:
    folder.write(
        "flow.py",
        f"""
        import sys, time
        from nadi import Flow, task

        @task
        def slow(x=0):
            print("begun", flush=True)
            while True:
                time.sleep(0.01)

        @task
        def add(x):
            return x

        with Flow("slow") as flow:
            first = slow()
            if {where == "a map"!r}:
                add.map(first)

        flow.run()
        print("never")
        """,
    )
    script = subprocess.Popen([sys.executable, "flow.py"], cwd=folder.path, env=folder.environ, stdout=subprocess.PIPE)
    assert script.stdout is not None
    assert script.stdout.readline() == b"begun\n"

    script.send_signal(signal.SIGINT)
    rest, _ = script.communicate(timeout=30)

    assert rest == b""
    assert script.returncode != 0
    assert folder.runs()[0]["state_name"] == "Cancelled"


def test_a_run_that_was_killed_while_a_task_waited_for_approval_asks_again(folder: Folder) -> None:
    folder.write(
        "flow.py",
        """
        import os, signal
        from nadi import Flow, task
        from nadi.triggers import manual_only

        @task(trigger=manual_only)
        def publish():
            print("publishing")

        @task
        def die_once():
            if not os.path.exists("killed"):
                open("killed", "w").close()
                os.kill(os.getpid(), signal.SIGKILL)

        with Flow("release") as flow:
            publish()
            die_once()

        flow.run(executor="sequential")
        """,
    )
    folder.run("flow.py", status=-signal.SIGKILL)
    name = folder.runs()[0]["name"]

    again = folder.nadi("resume", name, "-q")

    assert again == ""
    assert folder.runs()[0]["state_name"] == "Suspended"
    assert folder.nadi("resume", name, "-q") == "publishing\n"
