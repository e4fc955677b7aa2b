"""Launching: runs that are taken up by a process of their own, which outlives whoever launched it.

A launched process is a `nadi resume RUN` like any that a person types: same interpreter, folder and code as the run
recorded. What it prints goes to a file of the home, which is locked for as long as the process lives: so any server of
the home can tell of every launched process whether it lives, also when the server that launched it is gone. Nobody's
text becomes a command: the words are a list, and what varies in it are ids that the store knows. For what somebody
recorded from afar none is launched: see `nadi.engine.launched`.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from nadi.engine.clock import Clock
from nadi.engine.launched import MARK
from nadi.engine.scheduling import source_here
from nadi.exceptions import NotFound, NotResumable, RequestRefused, RunTaken, StoreError
from nadi.model.runs import FlowRun
from nadi.model.sources import RunSource
from nadi.model.states import StateType
from nadi.model.text import one_line
from nadi.storage.claiming import is_unclaimed
from nadi.storage.contract import Store
from nadi.storage.home import Home
from nadi.storage.locks import is_locked, lock_while_open
from nadi.storage.printed import MOST_PRINTED, cut, end_of, last_line
from nadi.storage.results import LocalResults, ResultStorage
from nadi.storage.settings import read_settings

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

#: How many files of output are kept.
MOST_KEPT = 200
#: How many launched processes run at once, at the most: each takes the memory that its flow takes.
MOST_RUNNING = 64
#: Seconds between looks at the files of output, while a process has one and while none has.
LOOK, REST = 1.0, 5.0
#: Seconds between two tries to tell a store that is away that a process ended early.
AGAIN = 5.0
#: What can be part of a file's name; ids of runs are such.
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,63}")


class Launch(msgspec.Struct, kw_only=True):
    """One process that was launched for a run."""

    run: str
    pid: int
    #: The words of its command line, and where it began.
    command: tuple[str, ...]
    folder: str
    #: Unix seconds; 0 while it runs.
    started: float
    ended: float = 0.0
    #: Exit status, negative for a signal; `None` while it runs.
    status: int | None = None


class Launcher:
    """Launches processes for runs of one store, and reaps them. Thread-safe.

    As a service of a server it also looks after the processes of servers that are gone: see `step`.
    """

    name = "launcher"

    def __init__(self, store: Store, home: Home, results: ResultStorage, *, host: str, clock: Clock) -> None:
        """Launch on `host`, which is this machine, for runs of `store`."""
        #: Name of this machine.
        self.host = host
        self._store, self._home, self._results, self._clock = store, home, results, clock
        self._lock = threading.Lock()
        #: The newest launch of each run, oldest first.
        self._launches: OrderedDict[str, Launch] = OrderedDict()
        #: Files of processes that have ended, of which all is told: name, inode and time of the last change.
        self._settled: set[tuple[str, int, int]] = set()

    @property
    def folder(self) -> Path:
        """Where the files with the output are."""
        return self._home.launched

    def check(self, run: FlowRun) -> RunSource:
        """Return where the code of a run lies, if a process could be launched for it here.

        Raises:
            NotResumable: none could; the sentence says what would serve.
        """
        if self._store.url.startswith("memory:"):
            raise NotResumable("This server keeps its runs in memory, where no other process can reach them.")
        if not _ID.fullmatch(run.id):
            raise NotResumable(f"Run {one_line(run.name, 80)} has an id that cannot be the name of a file.")
        return source_here(self._store, run, host=self.host)

    def launch(self, run: FlowRun, *, again_from: str = "") -> Launch:
        """Launch a process that takes a run up; what becomes of the run then stands in its state.

        A run that is still SCHEDULED when its process has ended becomes CRASHED, with the last line that it printed.

        Args:
            run: The run as the store has it, final, suspended or not begun.
            again_from: Id of a task run of it to run again from; "" for none.

        Raises:
            NotResumable: its code is not here, or the process cannot be started.
            RunTaken: a process was launched for it and has not ended yet.
            RequestRefused: as many processes as may be are running.
        """
        self.check(run)
        return self._launch(run.id, lambda: run, again_from)

    def launch_new(self, id: str, record: Callable[[], FlowRun]) -> FlowRun:
        """Launch a process for a run that `record` records as SCHEDULED, and return that run.

        It is recorded only where there is room for its process. Whoever finds it SCHEDULED without such a process knows
        that its server was ended in between: see `step`.

        Raises:
            NotResumable, RequestRefused: as for `launch`.
            Exception: what `record` raises.
        """
        made: list[FlowRun] = []

        def keep() -> FlowRun:
            made.append(record())
            return made[0]

        self._launch(id, keep, "")
        return made[0]

    def _launch(self, id: str, record: Callable[[], FlowRun], again_from: str) -> Launch:
        with self._lock:
            before = self._launches.get(id)
            if before is not None and before.status is None:
                raise RunTaken(id, holder=f"process {before.pid} on {self.host}, which was launched for it")
            self._check_room()
            # Made and locked before the run is recorded: a run that is SCHEDULED beside a file that is free has nobody.
            output = self._open_output(id)
            try:
                run = record()
                source = self._source_of(run)
                # Whoever cancels the run before its process has it is obeyed: the run is in another state then.
                words = [f"--if-state={run.state_type}", *([f"--from={again_from}"] if again_from else [])]
                command = (source.interpreter, "-m", "nadi", "resume", *words, "--", run.id)
                process = self._start(run, command, source, output)
            except BaseException:
                self.forget(id)
                raise
            finally:
                os.close(output)
            launch = Launch(
                run=run.id,
                pid=process.pid,
                command=command,
                folder=source.working_folder,
                started=self._clock.now(),
            )
            self._remember(launch)
        # One thread for each: it does nothing but wait, and needs no look at the clock.
        watch = threading.Thread(target=self._watch, args=(process, launch, run), name="nadi-launched", daemon=True)
        watch.start()
        return launch

    def find(self, run: str) -> tuple[Launch | None, str]:
        """Return the newest launch of a run, if it was launched by this process, and the last that it printed.

        Raises:
            NotFound: nothing is known of any.
        """
        with self._lock:
            launch = self._launches.get(run)
        printed = end_of(self._file(run)) if _ID.fullmatch(run) else None
        if launch is None and printed is None:
            raise NotFound(f"No process has been launched from here for run {one_line(run, 80)}.")
        return launch, printed or ""

    def running(self) -> list[Launch]:
        """Return the launches whose processes have not ended."""
        with self._lock:
            return [one for one in self._launches.values() if one.status is None]

    def forget(self, run: str) -> None:
        """Remove what the processes of a run printed; fine if there is nothing."""
        if _ID.fullmatch(run):
            with contextlib.suppress(OSError):
                os.unlink(self._file(run))

    def step(self, now_monotonic: float) -> float:
        """Look at the files of output once, and return the seconds until the next look.

        One that has grown too large loses its beginning. A run whose process was launched by a server that is gone, and
        ended before it began the run, becomes CRASHED.
        """
        try:
            with os.scandir(self.folder) as entries:
                files = [(entry.name, entry.stat(follow_symlinks=False)) for entry in entries]
        except FileNotFoundError:
            return REST
        with self._lock:
            own = {one.run for one in self._launches.values() if one.status is None}
        settled, wait = set(), REST
        for name, told in files:
            run, _, ending = name.rpartition(".")
            if ending != "log" or not _ID.fullmatch(run) or not stat.S_ISREG(told.st_mode):
                continue
            mark = (name, told.st_ino, told.st_mtime_ns)
            if told.st_size > MOST_PRINTED:
                cut(self._file(run))
            if run in own or (mark not in self._settled and is_locked(self._file(run))):
                wait = LOOK
            elif mark in self._settled or self._told(None, run):
                settled.add(mark)
        self._settled = settled
        return wait

    def environment(self) -> dict[str, str]:
        """Return the environment of a process that uses this store, and may load what the server may."""
        environment = {name: text for name, text in os.environ.items() if name not in ("NADI_API_URL", "NADI_API_KEY")}
        url = self._store.url
        environment[MARK] = "1"
        environment["NADI_HOME"] = str(self._home.path)
        # A store's own URL has no credentials; of a file it needs none.
        environment["NADI_DATABASE_URL"] = url if url.startswith("sqlite:") else read_settings().database_url
        results = self._results
        # A folder's URL writes spaces as %20, and the setting takes it as it is.
        environment["NADI_RESULTS_URL"] = (
            f"file://{results.folder}" if isinstance(results, LocalResults) else results.url
        )
        return environment

    # -- in detail --

    def _file(self, run: str) -> Path:
        return self.folder / f"{run}.log"

    def _check_room(self) -> None:
        running = sum(one.status is None for one in self._launches.values())
        if running >= MOST_RUNNING:
            raise RequestRefused(
                f"{running} processes that were launched from here are running, and no more may at once. Try again when"
                " one has ended, or run the flow by `nadi run`.",
                status=429,
            )

    def _source_of(self, run: FlowRun) -> RunSource:
        try:
            return self.check(run)
        except NotResumable as error:  # it was there a moment ago
            self._crash_unbegun(run.id, str(error))
            raise

    def _open_output(self, id: str) -> int:
        """Return a new file for what a process prints, locked until it and all that inherit it have ended."""
        try:
            self._home.ensure(self.folder)
            self._prune()
            self._file(id).unlink(missing_ok=True)  # what runs on of an earlier process keeps its own
            # Appending, so that what is printed after the file was cut stands at its end.
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
            output = os.open(self._file(id), flags, 0o600)
        except OSError as error:
            raise NotResumable(f"No process can be launched: {error.strerror or error}.") from None
        with contextlib.suppress(OSError):  # where files cannot be locked, none counts as free either
            lock_while_open(output)
        return output

    def _start(self, run: FlowRun, command: tuple[str, ...], source: RunSource, output: int) -> subprocess.Popen[bytes]:
        import subprocess  # slow to import, and most servers launch nothing

        try:
            return subprocess.Popen(
                command,
                cwd=source.working_folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # Its own session: what ends the server, or interrupts its terminal, is none of its business.
                start_new_session=True,
            )
        except OSError as error:
            why = f"No process can be launched for run {one_line(run.name, 80)}: {error.strerror or error}."
            self._crash_unbegun(run.id, why)
            raise NotResumable(why) from None

    def _remember(self, launch: Launch) -> None:
        self._launches.pop(launch.run, None)
        self._launches[launch.run] = launch
        over = len(self._launches) - MOST_KEPT
        for run in [run for run, one in self._launches.items() if one.status is not None][: max(0, over)]:
            del self._launches[run]

    def _prune(self) -> None:
        """Remove the oldest files, so that one more can be made; those of processes that run stay."""
        running = {f"{run}.log" for run, one in self._launches.items() if one.status is None}
        with os.scandir(self.folder) as entries:
            found = [(entry.stat(follow_symlinks=False), entry) for entry in entries if entry.name not in running]
        files = sorted((told.st_mtime, entry.path) for told, entry in found if stat.S_ISREG(told.st_mode))
        for _, path in files[: max(0, len(files) + 1 - MOST_KEPT)]:
            if not is_locked(path):
                os.unlink(path)

    def _watch(self, process: subprocess.Popen[bytes], launch: Launch, run: FlowRun) -> None:
        status = process.wait()
        while not self._told(status, run.id):
            time.sleep(AGAIN)
        with self._lock:
            launch.ended, launch.status = self._clock.now(), status

    def _told(self, status: int | None, run: str) -> bool:
        """Say of a run that was never begun that its process ended; whether the store could be told."""
        how = f" with status {status}" if status is not None else ""
        try:
            said = last_line(end_of(self._file(run)))
            self._crash_unbegun(run, f"Its process ended{how} before it began: {said}")
        except StoreError:
            return False
        return True

    def _crash_unbegun(self, run: str, why: str) -> None:
        """Say of a run that was asked for and that no process has claimed why none will."""
        found = self._store.flow_run(run)
        if found is not None and is_unclaimed(found):
            self._store.end_attempt(
                run, token=found.token, state=StateType.CRASHED, name="", message=why, now=self._clock.now()
            )
