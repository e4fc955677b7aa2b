"""The shortest run there is, as a whole process: one flow, one task, all recorded."""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.figures import Figure, Size, in_turn
from benchmarks.processes import bare_start, environment, fresh_home, run_seconds, user_python
from nadi.model.runs import RunFilter
from nadi.model.states import StateType
from nadi.storage.opening import open_store

STARTS = {Size.FULL: 9, Size.QUICK: 5, Size.TINY: 1}

SCRIPT = """
from nadi import flow, task

@task
def greet(name):
    return f"Hello, {name}!"

@flow
def hello():
    return greet("world")

if __name__ == "__main__":
    hello()
"""


def measure(size: Size) -> list[Figure]:
    script = Path(os.environ["NADI_HOME"]) / "hello.py"
    script.write_text(SCRIPT, encoding="utf-8")
    command = [user_python(size), str(script)]
    used = environment(os.environ["NADI_HOME"])
    run_seconds(command, used)  # compiled code is kept, and the database is made

    def first() -> float:
        with fresh_home() as env:
            return run_seconds(command, env)

    times = STARTS[size]
    again, bare = in_turn(lambda: run_seconds(command, used), lambda: bare_start(used, size), times)
    fresh, bare_too = in_turn(first, lambda: bare_start(used, size), times)
    missing = times + 1 - completed_runs(os.environ["NADI_HOME"])
    beside = "whole process, python -c pass"
    return [
        Figure(
            what="one flow, one task, whole process",
            value=again,
            unit="s",
            yardstick=beside,
            beside=bare,
            budget=0.25,
        ),
        Figure(
            what="the first ever, which makes the database",
            value=fresh,
            unit="s",
            yardstick=beside,
            beside=bare_too,
            budget=0.25,
        ),
        Figure(what="of these runs not recorded as completed", value=missing, unit="", budget=0),
    ]


def completed_runs(home: str) -> int:
    """Flow runs recorded as COMPLETED in a home, each with its task run."""
    store = open_store("", home=home)
    try:
        runs = store.flow_runs(RunFilter(states=(StateType.COMPLETED,)), limit=1000)
        return sum(len(store.task_runs(run.id, states=(StateType.COMPLETED,))) == 1 for run in runs)
    finally:
        store.close()
