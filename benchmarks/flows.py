"""The flows that are measured, and counting what of them is recorded."""

from __future__ import annotations

import os
import threading
import time
from typing import NamedTuple

from nadi import flow, task
from nadi.cache_policies import INPUTS
from nadi.engine import recording
from nadi.model.runs import RunFilter
from nadi.model.states import StateType
from nadi.storage.contract import Store
from nadi.storage.opening import open_store


class Took(NamedTuple):
    """Seconds that the calls took in the flow, and that they took until the store had all of them."""

    calls: float
    recorded: float


def until_recorded(begin: float) -> Took:
    """Seconds since `begin`, now and once everything is committed."""
    calls = time.perf_counter() - begin
    recording.recorder().barrier()
    return Took(calls, time.perf_counter() - begin)


@task
def same(x: int, y: int = 0) -> int:
    return x


@task(durable=True)
def kept(x: int) -> int:
    return x


@task(cache_policy=INPUTS)
def cached(x: int) -> int:
    return x


@flow
def in_a_row(times: int) -> Took:
    begin = time.perf_counter()
    for n in range(times):
        same(n)
    return until_recorded(begin)


@flow
def cached_in_a_row(first: int, times: int) -> Took:
    begin = time.perf_counter()
    for n in range(first, first + times):
        cached(n)
    return until_recorded(begin)


@flow
def in_a_row_durably(times: int) -> Took:
    begin = time.perf_counter()
    for n in range(times):
        kept(n)
    return until_recorded(begin)


@flow
def submitted(times: int) -> Took:
    begin = time.perf_counter()
    for n in range(times):
        same.submit(n).result()
    return until_recorded(begin)


@flow
def mapped(times: int) -> Took:
    begin = time.perf_counter()
    results = same.map(range(times)).result()
    took = until_recorded(begin)
    assert results == list(range(times))
    return took


@flow
def layered(width: int, layers: int) -> Took:
    begin = time.perf_counter()
    above = [same.submit(n, n) for n in range(width)]
    for _ in range(layers - 1):
        above = [same.submit(above[n], above[(n + 1) % width]) for n in range(width)]
    results = [future.result() for future in above]
    took = until_recorded(begin)
    assert results == list(range(width))
    return took


@task
def threads_now(x: int, y: int) -> int:
    seen = sum(thread.name.startswith("nadi-task") for thread in threading.enumerate())
    return max(x, y, seen)


@flow
def layered_threads(width: int, layers: int) -> int:
    """Run the same graph, and return the most task threads that a task of it saw."""
    above = [threads_now.submit(0, 0) for _ in range(width)]
    for _ in range(layers - 1):
        above = [threads_now.submit(above[n], above[(n + 1) % width]) for n in range(width)]
    return max(future.result() for future in above)


def recorded_as_completed() -> int:
    """How many task runs the store of this process's home has as COMPLETED, read by a store opened for it."""
    recording.close()
    store = open_store("", home=os.environ["NADI_HOME"])
    try:
        return sum(_completed(store, run.id) for run in store.flow_runs(RunFilter(), limit=1000))
    finally:
        store.close()


def _completed(store: Store, root: str) -> int:
    count, after = 0, ""
    while page := store.task_runs(root, states=(StateType.COMPLETED,), after=after, limit=5000):
        count, after = count + len(page), page[-1].id
    return count
