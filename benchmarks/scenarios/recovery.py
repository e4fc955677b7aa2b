"""What a start finds after the worst: one process was killed with very many runs open."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from benchmarks.figures import Figure, Size, timed
from benchmarks.processes import environment
from benchmarks.yardsticks import rows_by_group
from nadi.engine import recording
from nadi.model.ids import uuid7
from nadi.model.records import FlowRunBegun
from nadi.model.runs import RunFilter
from nadi.model.states import StateType
from nadi.storage.contract import Store
from nadi.storage.recorder import JournalRecorder
from nadi.storage.settings import read_settings

RUNS = {Size.FULL: 10_000, Size.QUICK: 2000, Size.TINY: 20}


def measure(size: Size) -> list[Figure]:
    runs = RUNS[size]
    killed = subprocess.run([sys.executable, "-m", __name__, str(runs)], env=environment(os.environ["NADI_HOME"]))
    assert killed.returncode == -signal.SIGKILL
    beside = rows_by_group(runs, 1000)
    recorder = JournalRecorder(read_settings(), recording.clock.new_id())
    seconds = timed(recorder.look_for_leftovers)
    crashed = _count(recorder.store(), StateType.CRASHED)
    recorder.close()
    return [
        Figure(
            what=f"to recognise {runs:,} open runs as CRASHED",
            value=seconds,
            unit="s",
            yardstick="as many rows to SQLite (WAL, FULL), 1,000 a commit",
            beside=beside,
            budget=5,
        ),
        Figure(what="of these not recognised", value=runs - crashed, unit="", budget=0),
    ]


def _count(store: Store, state: StateType) -> int:
    count, before = 0, ""
    while page := store.flow_runs(RunFilter(states=(state,)), limit=1000, before=before):
        count, before = count + len(page), page[-1].id
    return count


def leave_open(runs: int) -> None:
    """Begin runs, see to it that the store has all but the last few, and die."""
    recorder = recording.recorder()
    holder = recorder.holder.encode()
    for n in range(runs):
        now = time.time()
        run = uuid7(now, n)
        recorder.append(
            FlowRunBegun(run, 1, now, run, "left", f"left-{n}", 1, StateType.RUNNING, "Running", holder=holder)
        )
        if n == runs - runs // 10:
            recorder.barrier()
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    leave_open(int(sys.argv[1]))
