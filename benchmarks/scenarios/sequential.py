"""Tasks called one after another: appended at once, committed in groups."""

from __future__ import annotations

from benchmarks.figures import Figure, Size
from benchmarks.flows import in_a_row
from benchmarks.yardsticks import appended_twice, rows_by_group

TIMES = {Size.FULL: (1000, 10_000), Size.QUICK: (1000, 5000), Size.TINY: (20, 40)}
ROW = "one row to SQLite (WAL, FULL), 1,000 a commit"


def measure(size: Size) -> list[Figure]:
    in_a_row(TIMES[size][0])
    figures = []
    for times in TIMES[size]:
        row, written = rows_by_group(times, 1000) / times * 1e6, appended_twice(times) / times * 1e6
        took = in_a_row(times)
        figures += [
            Figure(
                what=f"{times:,} calls, until each returned",
                value=took.calls / times * 1e6,
                unit="us",
                yardstick="two appends to a file, 200 bytes each",
                beside=written,
            ),
            Figure(
                what=f"{times:,} calls, until all is in the store",
                value=took.recorded / times * 1e6,
                unit="us",
                yardstick=ROW,
                beside=row,
                budget=40,
            ),
        ]
    return figures
