"""Random declared flows that are killed at any write to their journal and resumed come to what the interpreter says."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from nadi.model.runs import RunFilter, TaskRun
from nadi.storage.opening import open_store
from tests.declarative.random_graphs import a_program, done_in, states_of, told_states
from tests.journeys.killer import CHECKOUT

SCRIPT = """
import os, random, sys
import nadi
from nadi import Flow
from tests.declarative.random_graphs import a_program, add_steps
from tests.journeys.killer import Dying

with Flow("random") as flow:
    add_steps(a_program(random.Random({seed}), most=16))

if __name__ == "__main__":
    os.write = Dying(int(sys.argv[1]), sys.argv[2]).write
    if len(sys.argv) > 4:
        nadi.resume(sys.argv[4], return_state=True)
    else:
        flow.run(executor=sys.argv[3])
"""


class Killed(NamedTuple):
    """What a run came to that was killed and resumed."""

    was_killed: bool
    #: State by label; of a mapped task, the states of its children. `None` if it was killed before it was recorded.
    states: dict[str, str | list[str]] | None
    #: Tasks that had been finished before the kill, and ran again.
    repeated: list[str]


def killed_and_resumed(seed: int, executor: str, folder: Path) -> Killed:
    """Kill the flow of a seed at a random write to its journal, often its resume too, and look at what is recorded."""
    rng = random.Random(-seed)
    folder.mkdir()
    (folder / "flow.py").write_text(SCRIPT.format(seed=seed))
    (folder / "ledger").touch()
    dies = [str(rng.randint(1, 24)), rng.choice(["before", "torn", "after"]), executor]
    if not was_killed(folder, "flow.py", *dies):
        return Killed(False, recorded_states(folder), [])
    runs = runs_told(folder)
    if not runs:
        return Killed(True, None, [])
    [(run, _)] = runs
    repeated: list[str] = []
    resumes = [["flow.py", str(rng.randint(1, 16)), "before", executor, run]] if rng.random() < 0.5 else []
    for resume in [*resumes, ["-m", "nadi", "resume", run]]:
        if runs_told(folder) == [(run, "COMPLETED")]:
            break  # killed behind its very last word
        before, finished = ledger_of(folder), finished_in(folder)
        killed_again = was_killed(folder, *resume)
        after = ledger_of(folder)
        repeated += sorted(each for each in finished if after[each] > before[each])
        if not killed_again:
            break
    return Killed(True, recorded_states(folder), repeated)


def runs_told(folder: Path) -> list[tuple[str, str]]:
    """Id and state of each run, as a command tells them that has looked for left-over journals first."""
    runs = run_in(folder, "-m", "nadi", "runs", "--json")
    assert runs.returncode == 0, runs.stderr
    return [(run["id"], run["state"]) for run in json.loads(runs.stdout)]


def was_killed(folder: Path, *command: str) -> bool:
    done = run_in(folder, *command)
    assert done.returncode in (0, 1, -signal.SIGKILL), done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode == -signal.SIGKILL


def run_in(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "NADI_HOME": str(folder / "home"), "LEDGER": str(folder / "ledger")}
    environ |= {"PYTHONPATH": f"{CHECKOUT / 'src'}:{CHECKOUT}", "NADI_LOG_LEVEL": "CRITICAL"}
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


def ledger_of(folder: Path) -> Counter[str]:
    return Counter((folder / "ledger").read_text().split())


def task_runs_in(folder: Path) -> list[TaskRun]:
    """The task runs of the newest attempt of the only run."""
    store = open_store("", home=folder / "home")
    try:
        [root] = store.flow_runs(RunFilter(), limit=2)
        found = store.task_runs(root.id, limit=10_000)
        return [run for run in found if run.seen == root.token]
    finally:
        store.close()


def finished_in(folder: Path) -> set[str]:
    return done_in(task_runs_in(folder))


def recorded_states(folder: Path) -> dict[str, str | list[str]]:
    return states_of(task_runs_in(folder))


def kill_and_compare(seeds: range, executor: str, folder: Path) -> int:
    killed = 0
    for seed in seeds:
        found = killed_and_resumed(seed, executor, folder / str(seed))
        assert found.repeated == [], f"seed {seed}"
        if found.states is not None:
            assert found.states == told_states(a_program(random.Random(seed), most=16)), f"seed {seed}"
        killed += found.was_killed and found.states is not None
    return killed


def test_a_random_flow_that_is_killed_and_resumed_comes_to_the_same(tmp_path: Path) -> None:
    killed = kill_and_compare(range(6), "thread", tmp_path)

    assert killed >= 3


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("executor", ["thread", "sequential", "process"])
def test_hundreds_of_random_flows_that_are_killed_and_resumed_come_to_the_same(tmp_path: Path, executor: str) -> None:
    killed = kill_and_compare(range(1000, 1150), executor, tmp_path)

    print(f"\n{executor}: seeds 1000 to 1149: {killed} processes killed")
    assert killed > 75
