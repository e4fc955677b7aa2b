"""One task mapped over a range: whether a task costs the same however many there are, in time and memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from benchmarks.figures import Figure, Size, decode, encode
from benchmarks.flows import mapped, recorded_as_completed
from benchmarks.machine import peak_bytes, resident_bytes
from benchmarks.processes import environment, fresh_home
from benchmarks.yardsticks import all_at_once, thread_pool

TIMES = {Size.FULL: (1000, 10_000, 100_000), Size.QUICK: (1000, 10_000), Size.TINY: (20, 200)}
#: Told in processor time, which a busy machine changes little, because the sizes run at different moments.
PROCESSOR = "processor time of a task"


def measure(size: Size) -> list[Figure]:
    # Each size in a process of its own: memory that one of them took would hide that of the next.
    figures = [figure for times in TIMES[size] for figure in _apart(times)]
    needed = [figure.value for figure in figures if figure.what.startswith(PROCESSOR)]
    return [
        *figures,
        Figure(
            what=f"the same, {TIMES[size][-1]:,} to {TIMES[size][0]:,}",
            value=needed[-1] / needed[0],
            unit="x",
            # Flat, but for noise: what grows with their number would show as a multiple.
            budget=1.25,
        ),
    ]


def _apart(times: int) -> list[Figure]:
    with fresh_home() as env:
        env = environment(env["NADI_HOME"])
        done = subprocess.run(
            [sys.executable, "-m", __name__, str(times)], env=env, stdout=subprocess.PIPE, cwd=os.getcwd(), check=True
        )
    return decode(done.stdout)


def fan_out(times: int) -> list[Figure]:
    mapped(100)
    before = resident_bytes()
    begin = time.process_time()
    took = mapped(times)
    needed = time.process_time() - begin
    memory = (peak_bytes() - before) / times
    # Afterwards, because memory that it left free would hide what ours takes.
    with thread_pool() as pool:
        beside = all_at_once(pool, times)()
    missing = times + 100 - recorded_as_completed()
    return [
        Figure(
            what=f"map over {times:,}, per task",
            value=took.recorded / times * 1e6,
            unit="us",
            yardstick="as many calls by ThreadPoolExecutor",
            beside=beside / times * 1e6,
        ),
        Figure(what=f"{PROCESSOR} at {times:,}", value=needed / times * 1e6, unit="us"),
        Figure(
            what=f"memory a task at {times:,}",
            value=memory,
            unit="B",
            # Below, what a process takes once weighs more than what a task takes.
            budget=2048 if times >= 100_000 else None,
        ),
        Figure(what=f"not recorded, of {times:,}", value=missing, unit="", budget=0),
    ]


if __name__ == "__main__":
    sys.stdout.buffer.write(encode(fan_out(int(sys.argv[1]))))
