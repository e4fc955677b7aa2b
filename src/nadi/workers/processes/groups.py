"""The process groups of a worker's runs, written down so that whoever comes after a killed worker can end them."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from nadi.model.holders import Holder
from nadi.storage.home import Home, is_gone, process_start

if TYPE_CHECKING:
    from pathlib import Path

#: Seconds that groups of a dead worker get to end, and between two looks at them.
GRACE, LOOK = 5.0, 0.05


class Group(msgspec.Struct, frozen=True):
    """A process group by its leader, whose start time tells it from a later process of the same number."""

    pid: int
    started: int

    @property
    def is_alive(self) -> bool:
        """Whether its leader runs."""
        return bool(self.started) and process_start(self.pid) == self.started

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to all of its processes, if it is still there."""
        if self.is_alive:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)


class _Kept(msgspec.Struct):
    holder: str
    groups: list[Group] = []


class Groups:
    """The groups of one worker, in a file of its home."""

    def __init__(self, home: Home, holder: Holder) -> None:
        self._home, self._holder = home, holder
        self._groups: dict[str, Group] = {}

    def add(self, run: str, group: Group) -> None:
        """Write a group down."""
        self._groups[run] = group
        self._write()

    def remove(self, run: str) -> None:
        """Strike one out, when its processes have ended."""
        if self._groups.pop(run, None) is not None:
            self._write()

    def close(self) -> None:
        """Remove the file."""
        self._path.unlink(missing_ok=True)

    def end_left(self) -> list[Group]:
        """End the groups of workers of this home that are gone, and return those that had to be ended."""
        found: list[Group] = []
        for path, kept in _files(self._home):
            if is_gone(Holder.decode(kept.holder), self._holder):
                found += [group for group in kept.groups if group.is_alive]
                for file in [path, *path.parent.glob(f"{path.stem}-*.log")]:
                    file.unlink(missing_ok=True)
        end(found)
        return found

    @property
    def _path(self) -> Path:
        return self._home.workers / f"{self._holder.writer}.json"

    def _write(self) -> None:
        # A full disk is no reason to run nothing: then nobody ends what a killed worker leaves, as its processes do.
        with contextlib.suppress(OSError):
            folder = self._home.ensure(self._home.workers)
            scratch = folder / f"{self._holder.writer}.new"
            scratch.write_bytes(msgspec.json.encode(_Kept(self._holder.encode(), list(self._groups.values()))))
            scratch.replace(self._path)


def end(groups: list[Group], grace: float = GRACE) -> None:
    """Ask groups to end, and kill those that have not after the grace."""
    for group in groups:
        group.signal(signal.SIGTERM)
    deadline = time.monotonic() + grace
    while any(group.is_alive for group in groups) and time.monotonic() < deadline:
        time.sleep(LOOK)
    for group in groups:
        group.signal(signal.SIGKILL)


def _files(home: Home) -> Iterator[tuple[Path, _Kept]]:
    with contextlib.suppress(FileNotFoundError):
        for path in sorted(home.workers.glob("*.json")):
            with contextlib.suppress(OSError, msgspec.DecodeError):
                yield path, msgspec.json.decode(path.read_bytes(), type=_Kept)


def memory_of(groups: dict[int, str]) -> dict[str, int]:
    """Return the bytes of memory that process groups have in use, by what they are called.

    Of a page that several processes share, each has its part.

    Args:
        groups: What each group is called, by the process id of its leader.
    """
    used = dict.fromkeys(groups.values(), 0)
    for name in os.listdir("/proc") if os.path.isdir("/proc/self") else ():
        if not name.isdigit():
            continue
        with contextlib.suppress(OSError, IndexError, ValueError):
            with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as file:
                # The second field, the program's name, may hold spaces and parentheses: count from the last one.
                group = groups.get(int(file.read().rpartition(")")[2].split()[2]))
            if group is not None:
                used[group] += _own_memory(name)
    return used


def _own_memory(pid: str) -> int:
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii", errors="replace") as file:
        sizes = (line.split() for line in file if line.startswith("Pss:"))
        return sum(int(words[1]) * 1024 for words in sizes)
