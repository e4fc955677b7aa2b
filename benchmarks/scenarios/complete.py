"""Whether every task run is recorded, however it was called: tasks run against rows in the store afterwards."""

from __future__ import annotations

from benchmarks.figures import Figure, Size
from benchmarks.flows import in_a_row, in_a_row_durably, layered, mapped, recorded_as_completed, submitted

TIMES = {Size.FULL: 5000, Size.QUICK: 1000, Size.TINY: 12}


def measure(size: Size) -> list[Figure]:
    times = TIMES[size]
    in_a_row(times)
    submitted(times)
    mapped(times)
    layered(times // 4, 4)
    in_a_row_durably(times // 4)
    ran = 4 * times + times // 4
    return [Figure(what=f"task runs not recorded, of {ran:,}", value=ran - recorded_as_completed(), unit="", budget=0)]
