"""Which result files are still named, in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from threading import Lock

from nadi.model.runs import FlowRun, TaskRun
from nadi.storage.contracts.result_files import ResultFileTable, owner_of_file


class MemoryResultFileTable(ResultFileTable):
    """See the contract.

    Args:
        usable: Gives the lock of the store, or raises when the store is closed.
        is_there: Tells whether there is a flow run of this id; called under the lock.
        named: Gives every file that a cache entry or a record names; called under the lock.
    """

    def __init__(
        self, usable: Callable[[], Lock], is_there: Callable[[str], bool], named: Callable[[], set[str]]
    ) -> None:
        self._usable = usable
        self._is_there = is_there
        self._named = named
        #: When each root run was deleted whose files are not collected.
        self._deleted: dict[str, float] = {}
        self._released: dict[str, float] = {}

    def deleted_runs(self, *, before: float, limit: int = 1000) -> list[str]:
        with self._usable():
            return _oldest(self._deleted, before)[:limit]

    def named_files(self, run: str) -> set[str]:
        with self._usable():
            return {file for file in self._named() if owner_of_file(file) == run}

    def mark_collected(self, run: str) -> None:
        with self._usable():
            self._deleted.pop(run, None)

    def released_files(self, *, before: float, limit: int = 1000) -> list[str]:
        with self._usable():
            named = self._named()
            free = (
                file
                for file in _oldest(self._released, before)
                if file not in named and not self._is_there(owner_of_file(file))
            )
            return list(free)[:limit]

    def forget_files(self, files: Sequence[str]) -> None:
        with self._usable():
            for file in files:
                self._released.pop(file, None)

    # -- for the store, which has the lock --

    def uncollected(self) -> set[str]:
        """Return the deleted runs whose files are not collected."""
        return set(self._deleted)

    def release(self, file: str, now: float) -> None:
        """Take note that something does not name a file any more."""
        if not self._is_there(owner_of_file(file)):
            self._released[file] = max(now, self._released.get(file, now))

    def bury(self, run: str, below: Iterable[FlowRun | TaskRun], now: float) -> None:
        """Take note that a root run was deleted, with what its records named."""
        self._deleted[run] = now
        for file in files_of(below):
            if owner_of_file(file) != run:
                self.release(file, now)


def files_of(runs: Iterable[FlowRun | TaskRun]) -> set[str]:
    """Return the result files that records of runs name."""
    return {run.result.key for run in runs if run.result is not None and run.result.kind == "file"}


def _oldest(times: dict[str, float], before: float) -> list[str]:
    return sorted((name for name, at in times.items() if at < before), key=lambda name: (times[name], name))
