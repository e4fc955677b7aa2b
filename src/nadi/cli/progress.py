"""Live progress of a run in this process: a bar for each map, what runs now, and what is retried.

The run's records pass by on their way to the journal, so nothing is asked of the store, and
progress is shown while the store is away too. A thread looks at them a few times a second; the
run itself pays for one append to a queue.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from nadi.cli.output import coarse, say
from nadi.engine.flow_runs import FlowRun
from nadi.model.records import CallReused, Record, TaskRunBegun, TaskRunMoved
from nadi.model.states import FINAL, StateType
from nadi.model.text import one_line, plural

#: Seconds between two looks on a terminal, and between two lines in a pipe.
LIVE, PLAIN = 0.1, 5.0


class Group:
    """What became of the runs of one task."""

    def __init__(self, name: str, *, mapped: bool) -> None:
        self.name, self.mapped = name, mapped
        self.total = self.done = self.failed = self.running = self.retries = 0

    @property
    def left(self) -> int:
        """How many have not ended."""
        return self.total - self.done - self.failed


class Open:
    """A task run that has not ended."""

    __slots__ = ("due", "group", "name", "since", "state", "upstream")

    def __init__(self, group: Group, record: TaskRunBegun) -> None:
        self.group, self.name, self.upstream = group, one_line(record.name), record.upstream
        self.state, self.since, self.due = record.state, record.at, 0.0


class Progress:
    """Counts what a run tells."""

    def __init__(self) -> None:
        #: What has been told and not been counted yet.
        self.records: deque[Record] = deque()
        self._counting = threading.Lock()
        self.groups: dict[tuple[str, str, bool], Group] = {}
        self.open: dict[str, Open] = {}
        #: On resume: how many finished tasks were kept, and why others ran again.
        self.kept = 0
        self.again: Counter[str] = Counter()

    def attach(self, run: FlowRun) -> None:
        """See every record of a run from now on; before it begins."""
        append, see = run.session.append, self.records.append

        def watched(record: Record) -> int:
            see(record)
            return append(record)

        run.session.append = watched

    def catch_up(self) -> None:
        """Count what has come since the last look."""
        with self._counting:
            records = self.records
            while records:
                record = records.popleft()
                if isinstance(record, TaskRunMoved):
                    self._moved(record)
                elif isinstance(record, TaskRunBegun):
                    self._begun(record)
                elif isinstance(record, CallReused):
                    self.kept += 1

    @property
    def total(self) -> int:
        """How many task runs there are so far."""
        return sum(group.total for group in self.groups.values())

    @property
    def done(self) -> int:
        """How many of them completed."""
        return sum(group.done for group in self.groups.values())

    @property
    def failed(self) -> int:
        """How many of them ended otherwise."""
        return sum(group.failed for group in self.groups.values())

    def _begun(self, record: TaskRunBegun) -> None:
        key = (record.run, record.task, record.map_index >= 0)
        group = self.groups.get(key)
        if group is None:
            group = self.groups.setdefault(key, Group(one_line(record.task), mapped=key[2]))
        group.total += 1
        if record.reason:
            self.again[record.reason] += 1
        self.open[record.id] = Open(group, record)
        if record.state is StateType.RUNNING:
            group.running += 1

    def _moved(self, record: TaskRunMoved) -> None:
        run = self.open.get(record.id)
        if run is None:
            return
        group = run.group
        if run.state is StateType.RUNNING:
            group.running -= 1
        run.state, run.since, run.due = record.state, record.at, record.due
        if record.state in FINAL:
            del self.open[record.id]
            if record.state is StateType.COMPLETED:
                group.done += 1
            else:
                group.failed += 1
        elif record.state is StateType.RUNNING:
            group.running += 1
        elif record.state is StateType.SCHEDULED:
            group.retries += 1


@contextmanager
def shown(progress: Progress, run: FlowRun, *, quiet: bool) -> Iterator[None]:
    """Show the progress of a run while the body runs it: live on a terminal, as plain lines elsewhere."""
    progress.attach(run)
    if quiet:
        with _ticking(progress.catch_up, every=1.0):
            yield
    elif sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        with _live(progress, run):
            yield
    else:
        with _plain(progress):
            yield
    progress.catch_up()


@contextmanager
def _ticking(tick: Any, *, every: float) -> Iterator[None]:
    over = threading.Event()

    def look() -> None:
        while not over.wait(every):
            tick()

    thread = threading.Thread(target=look, name="nadi-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def _plain(progress: Progress) -> Iterator[None]:
    told = (0, 0)

    def tick() -> None:
        nonlocal told
        progress.catch_up()
        now = (progress.done, progress.failed)
        if now != told and progress.open:
            say(plain_line(progress), err=True)
        told = now

    with _ticking(tick, every=PLAIN):
        yield


def plain_line(progress: Progress) -> str:
    """Return how far a run is, as one line."""
    failed = f", {progress.failed:,} failed" if progress.failed else ""
    running = sum(group.running for group in progress.groups.values())
    return f"{progress.done:,} of {plural(progress.total, 'task')} done{failed}, {running:,} running"


# -- on a terminal --------------------------------------------------------------------------


@contextmanager
def _live(progress: Progress, run: FlowRun) -> Iterator[None]:
    # Half of a tenth of a second to import, so only where it is seen.
    from rich.console import Console
    from rich.live import Live

    # User code's prints and log lines go above the live part, through rich; as they are, not as markup.
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    view = _View(progress, run)
    with Live(get_renderable=view.render, console=console, refresh_per_second=1 / LIVE, transient=True):
        yield


class _View:
    """What is shown on the terminal at one moment."""

    def __init__(self, progress: Progress, run: FlowRun) -> None:
        self._progress, self._run = progress, run
        self._began = time.monotonic()

    @staticmethod
    def _height() -> int:
        return shutil.get_terminal_size((80, 24)).lines

    def render(self) -> Any:
        from rich.table import Table
        from rich.text import Text

        self._progress.catch_up()
        grid = Table.grid(padding=(0, 2), expand=False)
        for _ in range(3):
            grid.add_column(no_wrap=True, overflow="ellipsis")
        took = coarse(round(time.monotonic() - self._began, 1))
        grid.add_row(Text(one_line(self._run.name), style="bold"), Text("running", style="blue"), Text(took))
        for name, what, more in live_lines(self._progress, time.time(), lines=max(4, min(16, self._height() - 4))):
            grid.add_row(Text(f"  {name}"), what if isinstance(what, Text) else Text(what), Text(more))
        return grid


def live_lines(progress: Progress, now: float, *, lines: int) -> list[tuple[str, Any, str]]:
    """Return name, progress and remark of what is under way: maps as bars first, then single tasks."""
    rows: list[tuple[str, Any, str]] = []
    groups = list(progress.groups.values())
    bars = [group for group in groups if group.mapped or group.total > 3]
    for group in bars[-(lines // 2) :]:
        rows.append((group.name, _bar(group), _remark(group)))
    barred = set(map(id, bars))
    runs = list(progress.open.values())
    singles = [run for run in runs if id(run.group) not in barred]
    # Of the maps: what is retried, and what has been running longest.
    inside = [run for run in runs if id(run.group) in barred and run.state is not StateType.PENDING]
    inside.sort(key=lambda run: (run.state is StateType.RUNNING, run.since))
    shown = [*singles[: lines - len(rows)], *inside[:3]]
    rows += [(run.name, *_single(run, progress, now)) for run in shown[: lines - len(rows)]]
    return rows


def _bar(group: Group, width: int = 24) -> Any:
    from rich.text import Text

    done, failed = (round(width * n / group.total) for n in (group.done, group.failed))
    failed = max(failed, 1) if group.failed else 0
    done = min(done, width - failed)
    bar = Text("━" * done, style="green")
    bar.append("━" * failed, style="red")
    bar.append("─" * (width - done - failed), style="dim")
    return bar


def _remark(group: Group) -> str:
    told = f"{group.done:,}/{group.total:,}"
    if group.failed:
        told += f", {group.failed:,} failed"
    if group.running:
        told += f", {group.running:,} running"
    return told + (f", {plural(group.retries, 'retry', 'retries')}" if group.retries else "")


def _single(run: Open, progress: Progress, now: float) -> tuple[str, str]:
    if run.state is StateType.SCHEDULED:
        return "waits for its retry", f"in {coarse(round(max(0.0, run.due - now), 1))}"
    if run.state is StateType.RUNNING:
        return "running", coarse(round(max(0.0, now - run.since), 1))
    waits = [above for above in map(progress.open.get, run.upstream) if above is not None]
    if not waits:
        return "waits for a place", ""
    return "waits", f"for {waits[0].name if len(waits) == 1 else plural(len(waits), 'task')}"
