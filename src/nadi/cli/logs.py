"""`nadi logs`: the log lines of a run, and those to come."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator

import click
import msgspec

from nadi.cli.output import clock_time, dim, say, state_text
from nadi.cli.reading import RUN, TEXT, look_for_leftovers, run_for_reading
from nadi.cli.show import tasks_of
from nadi.engine.shapes import LEVELS, level_name, log_shape
from nadi.model.runs import FlowRun, Log
from nadi.model.text import one_line, safe
from nadi.storage.contract import Store
from nadi.storage.home import Home
from nadi.storage.settings import read_settings

_EXAMPLES = """\b
Examples:
  nadi logs brave-otter-7
  nadi logs brave-otter-7 -f
  nadi logs brave-otter-7 --level warning --task fit -n 50
"""

_COLOURS = {30: "yellow", 40: "red", 50: "red"}
#: Seconds between two looks at the store, and between two looks whether the run's process still lives.
POLL = 0.15
LOOK = 2.0


@click.command(epilog=_EXAMPLES)
@click.argument("run", type=RUN)
@click.option("-f", "--follow", is_flag=True, help="Go on until the run has ended.")
@click.option(
    "--level",
    default="debug",
    type=click.Choice([name.lower() for name in LEVELS.values()], case_sensitive=False),
    metavar="LEVEL",
    help="Only lines of this level and above, such as warning.",
)
@click.option("--task", type=TEXT, default="", metavar="NAME", help="Only lines of this task, or of one task run.")
@click.option("-n", "--lines", type=click.IntRange(0), help="Only the last so many lines.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def command(run: str, follow: bool, level: str, task: str, lines: int | None, as_json: bool) -> None:
    """Show the log lines of a run, and follow them.

    RUN is a run's name, its id, or a unique beginning of its id.
    """
    lowest = next(number for number, name in LEVELS.items() if name.lower() == level.lower())
    with run_for_reading(run) as (store, found):
        printer = _Printer(store, found, as_json=as_json)
        wanted = _Wanted(store, found, task)
        printer.show(wanted.lines(lowest), last=lines)
        if follow:
            _follow(store, found, wanted, printer, lowest)
        elif not printer.shown and not as_json:
            say("No log line matches." if task or lowest > 10 else "It has logged nothing.")


class _Wanted:
    """The lines that were asked for, read once each."""

    def __init__(self, store: Store, run: FlowRun, task: str) -> None:
        self._store, self._run, self._task = store, run, task
        self._after = 0
        self._ids: set[str] = set()
        self._others: set[str] = set()
        if task and not any(self._matches(one.task, one.name, one.id) for one in tasks_of(store, run)) and run.is_final:
            raise click.BadParameter(f"run {one_line(run.name)} has no task {task!r}.", param_hint="--task")

    def _matches(self, task: str, name: str, id: str) -> bool:
        return self._task in (task, name, id)

    def lines(self, level: int) -> Iterator[Log]:
        run = "" if self._run.is_root else self._run.id
        while page := self._store.logs(self._run.root, run=run, level=level, after=self._after):
            self._after = page[-1].seq
            yield from (line for line in page if not self._task or self._is_of_task(line.task))

    def _is_of_task(self, id: str) -> bool:
        if not id or id in self._others:
            return False
        if id not in self._ids:
            found = self._store.task_run(id)
            matches = found is not None and self._matches(found.task, found.name, found.id)
            (self._ids if matches else self._others).add(id)
        return id in self._ids


class _Printer:
    """Prints log lines with the name of the task that logged them."""

    def __init__(self, store: Store, run: FlowRun, *, as_json: bool) -> None:
        self._store, self._run, self.as_json = store, run, as_json
        self._names: dict[str, str] = {"": "", run.id: ""}
        self.shown = 0

    def show(self, lines: Iterator[Log], *, last: int | None = None) -> None:
        for line in lines if last is None else deque(lines, maxlen=last):
            self.shown += 1
            if self.as_json:
                say(msgspec.json.encode(log_shape(line)).decode())
            else:
                self._print(line)

    def _print(self, line: Log) -> None:
        who = self._name(line.task or line.run)
        level = level_name(line.level)
        shown = (
            click.style(level.ljust(7), fg=_COLOURS.get(line.level // 10 * 10)) if line.level >= 30 else level.ljust(7)
        )
        head, *rest = safe(line.text).rstrip("\n").split("\n")
        say(f"{dim(clock_time(line.at))} {shown} {f'{one_line(who)}: ' if who else ''}{head}")
        for part in rest:
            say(f"  {part}" if part else "")

    def _name(self, id: str) -> str:
        if id not in self._names:
            found = self._store.task_run(id) or self._store.flow_run(id)
            self._names[id] = found.name if found is not None else id
        return self._names[id]


def _follow(store: Store, run: FlowRun, wanted: _Wanted, printer: _Printer, level: int) -> None:
    home = Home(read_settings().home)
    looked = time.monotonic()
    while True:
        # First whether it has ended, then the lines: none that was written before its end is missed.
        newest = store.flow_run(run.id)
        printer.show(wanted.lines(level))
        if newest is None or newest.is_final:
            if newest is not None and not printer.as_json:
                click.echo(f"{one_line(run.name)} ended {state_text(newest.state_type, newest.state_name)}.", err=True)
            return
        if time.monotonic() - looked > LOOK:
            look_for_leftovers(home, store)
            looked = time.monotonic()
        time.sleep(POLL)
