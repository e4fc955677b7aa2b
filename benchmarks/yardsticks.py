"""Yardsticks: what the bare machine needs for work that a run cannot do without."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import apsw

from benchmarks.figures import timed

_TABLE = """
create table run (
    id text primary key, flow text, name text, state text, started real, ended real, data text
) without rowid
"""
_INSERT = "insert into run values (?, ?, ?, ?, ?, ?, ?)"


def rows_by_group(rows: int, group: int) -> float:
    """Seconds to write rows to SQLite (WAL, synchronous=FULL), `group` of them a commit."""
    values = [(str(uuid.uuid4()), "flow", f"task-{n}", "COMPLETED", 1.0, 2.0, '{"x": 1}') for n in range(rows)]
    with tempfile.TemporaryDirectory(dir=os.environ["NADI_HOME"]) as folder:
        connection = apsw.Connection(str(Path(folder) / "yardstick.db"))
        connection.execute("pragma journal_mode=wal; pragma synchronous=full")
        connection.execute(_TABLE)

        def write() -> None:
            for first in range(0, rows, group):
                connection.execute("begin immediate")
                connection.executemany(_INSERT, values[first : first + group])
                connection.execute("commit")

        seconds = timed(write)
        connection.close()
    return seconds


def appended_twice(times: int) -> float:
    """Seconds to append 200 bytes to a file twice, `times` over: what a journal of begin and end cannot do without."""
    with tempfile.TemporaryFile(dir=os.environ["NADI_HOME"]) as file:
        descriptor, line = file.fileno(), b"x" * 200

        def write() -> None:
            for _ in range(times):
                os.write(descriptor, line)
                os.write(descriptor, line)

        return timed(write)


def same(x: object, _: object = None) -> object:
    """Do nothing, as the tasks that we measure do."""
    return x


@contextmanager
def thread_pool() -> Iterator[ThreadPoolExecutor]:
    """A pool of the standard library, with a thread or more started."""
    with ThreadPoolExecutor(min(32, (os.cpu_count() or 1) + 4)) as pool:
        pool.submit(same, 0).result()
        yield pool


def one_by_one(pool: ThreadPoolExecutor, times: int) -> Callable[[], float]:
    """Seconds to submit a call and wait for its result, `times` over."""

    def run() -> None:
        for n in range(times):
            pool.submit(same, n).result()

    return lambda: timed(run)


def all_at_once(pool: ThreadPoolExecutor, times: int) -> Callable[[], float]:
    """Seconds to submit that many calls and then take all results."""

    def run() -> None:
        for future in [pool.submit(same, n, n) for n in range(times)]:
            future.result()

    return lambda: timed(run)
