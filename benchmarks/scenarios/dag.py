"""A layered graph: every task takes the futures of two tasks of the layer before."""

from __future__ import annotations

from benchmarks.figures import Figure, Size
from benchmarks.flows import layered, layered_threads
from benchmarks.yardsticks import all_at_once, thread_pool
from nadi.executors.threads import default_workers

SHAPES = {Size.FULL: (100, 10), Size.QUICK: (100, 10), Size.TINY: (4, 3)}


def measure(size: Size) -> list[Figure]:
    width, layers = SHAPES[size]
    layered(width, layers)
    times = width * layers
    with thread_pool() as pool:
        beside = all_at_once(pool, times)()
        took = layered(width, layers)
    return [
        Figure(
            what=f"{layers} layers of {width} tasks, per task",
            value=took.recorded / times * 1e6,
            unit="us",
            yardstick="as many calls by ThreadPoolExecutor, no graph",
            beside=beside / times * 1e6,
            budget=150,
        ),
        Figure(what="threads at the most", value=layered_threads(width, layers), unit="", budget=default_workers()),
    ]
