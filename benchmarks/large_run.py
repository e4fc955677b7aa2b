"""`python -m benchmarks.large_run`: the process of one very large run, which tells a store what the run does.

First it records the whole run: layers of maps, each of which takes what those of the layer before gave, and many log
lines. Then it takes orders as lines of JSON on its standard input, and answers each with one line: to go on changing
the run at a pace, to stop, and to commit one thing that a page is watched for. It lives as long as its input is open,
so whoever looks for the process of the run finds it.
"""

from __future__ import annotations

import argparse
import random
import select
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence

import msgspec

from nadi.model.ids import uuid7
from nadi.model.records import (
    AnyRecord,
    CallKey,
    FlowRunBegun,
    FlowRunMoved,
    LogLine,
    TaskRunBegun,
    TaskRunMoved,
)
from nadi.model.states import StateType
from nadi.storage.contract import Batch, Store
from nadi.storage.home import this_holder
from nadi.storage.opening import store_in_force
from nadi.storage.settings import read_settings

#: Records of one batch while the run is recorded, and batches a second while it is changed.
BATCH = 5_000
BATCHES = 20
#: Calls of one map, and maps of one layer.
CALLS = 10
MAPS = 40
#: Task runs that are RUNNING and PAUSED in turn, and those that are watched for; they come last.
CHANGING, WATCHED = 200, 50
#: Seconds over which the run is spread.
SPAN = 1_800.0
#: Of four changes so many are log lines, so many new task runs or their end, and the rest what stands already.
LINES, NEW = 2, 1
#: What task runs that are watched for have in their names.
MARK = "marker"


class Made(msgspec.Struct, frozen=True):
    """What there is to look at."""

    run: str
    task_runs: int
    lines: int
    #: Task runs that are RUNNING, to be watched for one after the other.
    watched: list[str]


class Order(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the process is asked to do; one of these."""

    #: Changes a second from now on; 0 for none.
    pace: int | None = None
    #: Whether task runs come new while it changes; else the run does not grow, but by log lines.
    grows: bool = False
    #: Commit one line of the log, the end of one task run, or one run beside this one.
    line: str = ""
    task: str = ""
    run: str = ""


class Done(msgspec.Struct, frozen=True):
    """What became of an order."""

    #: Unix seconds right after the commit of what was asked for.
    at: float
    #: Changes, and over how many seconds, since the pace was set last.
    changes: int
    seconds: float


class LargeRun:
    """One run, and what it has told of itself.

    Args:
        store: Other writers may use it too.
        task_runs: How many there are to be.
        lines: How many lines it has logged.
        until: Unix seconds; the newest of them was logged then.
    """

    def __init__(self, store: Store, *, task_runs: int, lines: int, until: float) -> None:
        self._store, self._random, self._until = store, random.Random(1), until
        self._holder = this_holder(f"large-run-{uuid7(until, 1)}")
        self.id = uuid7(until - SPAN, self._random.getrandbits(62))
        self._told = self._calls = self._logged = 0
        self._names: dict[str, str] = {}
        self._running: deque[str] = deque()
        self._paused: deque[str] = deque()
        self._new: deque[str] = deque()
        self._size = (task_runs, lines)

    def record(self) -> Made:
        """Tell everything up to now."""
        task_runs, lines = self._size
        watched, batch = [], [self._begun(self.id, self._until - SPAN, "prepare-all", "large-river")]
        for record in self._history(task_runs, lines):
            batch.append(record)
            if len(batch) >= BATCH:
                self.tell(batch)
                batch = []
        for n in range(min(WATCHED, task_runs // 4)):
            batch.append(self._task(f"{MARK}-{n}", MARK, self._until, n, ()))
            watched.append(batch[-1].id)  # type: ignore[union-attr]  # it is a task run
        self.tell(batch)
        return Made(self.id, self._calls, self._logged, watched)

    def change(self, count: int, now: float, *, grows: bool) -> None:
        """Commit so many changes at once."""
        changes: list[AnyRecord] = []
        for n in range(count):
            kind = n % 4
            if kind < LINES:
                changes.append(self._line(now))
            elif grows and kind < LINES + NEW:
                changes.append(self._grown(now))
            else:
                changes.append(self._turned(now))
        self.tell(changes)

    def commit(self, order: Order, now: float) -> None:
        """Commit the one thing that a page is watched for."""
        if order.line:
            self.tell([LogLine(self.id, 1, now, self.id, "", 20, "nadi.user", order.line)])
        elif order.task:
            moved = TaskRunMoved(self.id, 1, now, order.task, 1, StateType.RUNNING, StateType.COMPLETED)
            self.tell([moved])
        elif order.run:
            done = FlowRunMoved(
                order.run, 1, now, order.run, 1, StateType.RUNNING, StateType.COMPLETED, "Completed", ""
            )
            self.tell([self._begun(order.run, now, MARK, f"{MARK}-run"), done])

    def tell(self, records: Sequence[AnyRecord]) -> None:
        """Commit records.

        Raises:
            RuntimeError: the store refused one of them.
        """
        if not records:
            return
        done = self._store.apply(Batch(self._holder.writer, self._told + 1, list(records)))
        if done.refused:
            raise RuntimeError(f"the store refused {done.refused[0]}")
        self._told = done.watermark

    # -- what it did --

    def _history(self, task_runs: int, lines: int) -> Iterator[AnyRecord]:
        """All task runs but those that are watched for, and between them the lines that were logged."""
        wanted = task_runs - min(WATCHED, task_runs // 4)
        changing = wanted - min(CHANGING, wanted // 4)
        layers: list[list[str]] = []
        for n in range(wanted):
            layer, place, index = n // (CALLS * MAPS), n // CALLS % MAPS, n % CALLS
            if layer == len(layers):
                layers.append([])
            at = self._until - SPAN * (1 - n / task_runs)
            name, before = f"stage-{layer}-part-{place}", layers[layer - 1] if layer else []
            # What was made from one part and from the one beside it, call by call.
            near = [before[(one * CALLS + index) % len(before)] for one in (place, place + 1)] if before else []
            begun = self._task(f"{name}-{index}", name, at, index, tuple(near))
            layers[layer].append(begun.id)
            yield begun
            if n >= changing:
                self._running.append(begun.id)
            else:
                state = StateType.FAILED if n % 211 == 210 else StateType.COMPLETED
                took = self._random.expovariate(1 / 20)
                yield TaskRunMoved(self.id, 1, at + took, begun.id, 1, StateType.RUNNING, state)
            while self._logged < lines * (n + 1) // wanted:
                yield self._line(at, begun.id)

    def _begun(self, id: str, at: float, flow: str, name: str) -> AnyRecord:
        holder = self._holder.encode()
        return FlowRunBegun(id, 1, at, id, flow, name, 1, StateType.RUNNING, "Running", holder=holder)

    def _task(self, name: str, task: str, at: float, index: int, upstream: tuple[str, ...]) -> TaskRunBegun:
        call = CallKey(
            self.id, f"{task}:pipeline.py", b"0123456789abcdef", b"fedcba9876543210", 0, self._calls, self._calls
        )
        id = uuid7(at + self._calls * 1e-6, self._random.getrandbits(62))
        self._calls += 1
        return TaskRunBegun(
            *(self.id, 1, at, id, self.id, task, name, call, 1, StateType.RUNNING), map_index=index, upstream=upstream
        )

    def _line(self, at: float, task: str = "") -> AnyRecord:
        self._logged += 1
        level = 30 if self._logged % 20 == 19 else 20
        text = f"line {self._logged}: 1,000 rows read, loss {self._random.random():.4f}"
        return LogLine(self.id, 1, at, self.id, task, level, "nadi.user", text)

    # -- how it goes on --

    def _grown(self, now: float) -> AnyRecord:
        """A new call, or the end of one that came new before."""
        if len(self._new) < CALLS:
            begun = self._task(f"more-{self._calls}", "more", now, self._calls, ())
            self._new.append(begun.id)
            return begun
        return TaskRunMoved(self.id, 1, now, self._new.popleft(), 1, StateType.RUNNING, StateType.COMPLETED)

    def _turned(self, now: float) -> AnyRecord:
        """One that runs pauses, or one that pauses runs."""
        was, state, source, target = (
            (StateType.RUNNING, StateType.PAUSED, self._running, self._paused)
            if len(self._paused) < len(self._running)
            else (StateType.PAUSED, StateType.RUNNING, self._paused, self._running)
        )
        id = source.popleft()
        target.append(id)
        return TaskRunMoved(self.id, 1, now, id, 1, was, state)


def obey(run: LargeRun) -> None:
    """Do what is asked for, line by line, until there is no more input."""
    order, changes, since = Order(pace=0), 0, time.perf_counter()
    while True:
        pace = order.pace or 0
        # A batch that is late is followed by the next at once, so that the pace is kept as long as it can be.
        due = since + (changes + pace / BATCHES) / pace if pace else None
        wait = None if due is None else max(0.0, due - time.perf_counter())
        if not select.select([sys.stdin], [], [], wait)[0]:
            count = max(1, pace // BATCHES)
            run.change(count, time.time(), grows=order.grows)
            changes += count
            continue
        line = sys.stdin.buffer.readline()
        if not line:
            return
        asked = msgspec.json.decode(line, type=Order)
        run.commit(asked, time.time())
        print(msgspec.json.encode(Done(time.time(), changes, time.perf_counter() - since)).decode(), flush=True)
        if asked.pace is not None:
            order, changes, since = asked, 0, time.perf_counter()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large_run", description=__doc__)
    parser.add_argument("--task-runs", type=int, default=10_000)
    parser.add_argument("--lines", type=int, default=100_000, help="log lines")
    asked = parser.parse_args()
    store = store_in_force(read_settings())
    run = LargeRun(store, task_runs=asked.task_runs, lines=asked.lines, until=time.time())
    print(msgspec.json.encode(run.record()).decode(), flush=True)
    obey(run)
    store.close()


if __name__ == "__main__":
    main()
