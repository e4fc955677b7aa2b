"""`python -m benchmarks.postgres [URL]`: how many task runs a second some processes record in one PostgreSQL database.

Each process delivers ready batches through `Store.apply`, as busy writers do: a task's start and end in one batch.
Without a URL, a server of the tests is started, which flushes nothing; name a database of your own to count flushes.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import time
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

from nadi.model.ids import uuid7
from nadi.model.records import AnyRecord, CallKey, FlowRunBegun, TaskRunBegun, TaskRunMoved
from nadi.model.states import StateType
from nadi.storage.contract import Batch
from nadi.storage.opening import open_store

#: Records of one batch, as the courier of a busy process delivers them.
BATCH = 4096


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.postgres", description=__doc__)
    parser.add_argument("url", nargs="?", default="")
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--task-runs", type=int, default=20_000, help="of each process")
    given = parser.parse_args()
    url = given.url or test_database()
    spawn = multiprocessing.get_context("spawn")
    ready, took = spawn.Barrier(given.processes + 1), spawn.Queue()
    writers = [
        spawn.Process(target=record, args=(url, given.task_runs, ready, took), daemon=True)
        for _ in range(given.processes)
    ]
    for writer in writers:
        writer.start()
    ready.wait()
    begin = time.perf_counter()
    busy = sum(took.get() for _ in writers)
    seconds, recorded = time.perf_counter() - begin, given.processes * given.task_runs
    for writer in writers:
        writer.join()
    print(
        f"{given.processes} processes recorded {recorded:,} task runs in {seconds:.2f} s: {recorded / seconds:,.0f} a"
        f" second, of it {1e6 * busy / recorded:.1f} us of each in the processes themselves"
    )


def record(url: str, task_runs: int, ready: Barrier, took: Queue[float]) -> None:
    """Record one run with so many task runs, and tell how much processor time it took."""
    store = open_store(url, home="")
    root, writer = an_id(), f"benchmark-{os.getpid()}-{time.time_ns()}"
    batches = list(told(root, task_runs))
    ready.wait()
    begin, first = time.process_time(), 1
    for records in batches:
        assert not store.apply(Batch(writer, first, records)).refused
        first += len(records)
    took.put(time.process_time() - begin)
    store.close()


def told(root: str, task_runs: int) -> list[list[AnyRecord]]:
    """What a run of so many tasks tells, in batches."""
    at, token = time.time(), 1
    records: list[AnyRecord] = [
        FlowRunBegun(
            root=root, token=token, at=at, id=root, flow="benchmark", name="quiet-river", attempt=1,
            state=StateType.RUNNING, state_name="Running", holder="benchmark",
        )
    ]  # fmt: skip
    for n in range(task_runs):
        id, call = an_id(), CallKey(root, "step:flow.py", b"c" * 16, b"i" * 16, 1, n, n, {"x": b"d" * 16}, False)
        records.append(
            TaskRunBegun(
                root=root, token=token, at=at, id=id, run=root, task="step", name=f"step-{n}", attempt=1,
                state=StateType.RUNNING, call=call,
            )
        )  # fmt: skip
        records.append(
            TaskRunMoved(
                root=root, token=token, at=at, id=id, attempt=1, was=StateType.RUNNING, state=StateType.COMPLETED
            )
        )
    return [records[at : at + BATCH] for at in range(0, len(records), BATCH)]


def an_id() -> str:
    return uuid7(time.time(), random.getrandbits(62))


def test_database() -> str:
    """A database of a server that tests use."""
    # With the libraries of the tests only.
    from tests.postgres import server

    return server().fresh()


if __name__ == "__main__":
    main()
