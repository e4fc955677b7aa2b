"""Tasks marked `durable=True`: in the store and power-safe before the next step."""

from __future__ import annotations

from benchmarks.figures import Figure, Size
from benchmarks.flows import in_a_row_durably
from benchmarks.yardsticks import rows_by_group

TIMES = {Size.FULL: 500, Size.QUICK: 200, Size.TINY: 5}


def measure(size: Size) -> list[Figure]:
    times = TIMES[size]
    in_a_row_durably(times)
    beside = rows_by_group(times, 1)
    took = in_a_row_durably(times)
    return [
        Figure(
            what="durable task",
            value=took.recorded / times * 1e3,
            unit="ms",
            yardstick="one row to SQLite (WAL, FULL), a commit each",
            beside=beside / times * 1e3,
            budget=0.5,
        )
    ]
