"""Cached tasks called one after another: computed and kept, then taken from the cache."""

from __future__ import annotations

from benchmarks.figures import Figure, Size
from benchmarks.flows import cached_in_a_row, in_a_row
from benchmarks.yardsticks import rows_by_group

TIMES = {Size.FULL: 1000, Size.QUICK: 300, Size.TINY: 5}


def measure(size: Size) -> list[Figure]:
    times = TIMES[size]
    cached_in_a_row(-1, 1)
    in_a_row(times)
    row = rows_by_group(times, 1) / times * 1e6
    computed = cached_in_a_row(0, times)
    plain = in_a_row(times).calls / times * 1e6
    found = cached_in_a_row(0, times)
    return [
        Figure(
            what="a call that is computed and put into the cache",
            value=computed.calls / times * 1e6,
            unit="us",
            yardstick="one row to SQLite (WAL, FULL) a commit",
            beside=row,
        ),
        Figure(
            what="a call that finds its result in the cache",
            value=found.calls / times * 1e6,
            unit="us",
            yardstick="the same without a cache policy",
            beside=plain,
        ),
    ]
