"""Submitting a task and waiting for it, one after another."""

from __future__ import annotations

from benchmarks.figures import Figure, Size
from benchmarks.flows import submitted
from benchmarks.yardsticks import one_by_one, thread_pool

TIMES = {Size.FULL: 3000, Size.QUICK: 1000, Size.TINY: 20}


def measure(size: Size) -> list[Figure]:
    times = TIMES[size]
    submitted(times)
    with thread_pool() as pool:
        beside = one_by_one(pool, times)()
        took = submitted(times)
    return [
        Figure(
            what="submit().result()",
            value=took.recorded / times * 1e6,
            unit="us",
            yardstick="the same with ThreadPoolExecutor",
            beside=beside / times * 1e6,
            budget=120,
        )
    ]
