"""Which result files are still named by a record or a cache entry."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence


class ResultFileTable(ABC):
    """What the collection of result files asks. Part of a store; as thread-safe as that, and with the same errors.

    A file belongs to the run whose id its key bears (`<store id>/<run>/<attempt>/<id>`); one under a name of the
    user's belongs to nobody. The file of a run that is there is never given out here, whatever names it. A file is
    named by a cache entry, or by a record of another run that took the cached result.
    """

    @abstractmethod
    def deleted_runs(self, *, before: float, limit: int = 1000) -> list[str]:
        """Return root runs that were deleted before that time and not marked as collected, oldest deletion first."""

    @abstractmethod
    def named_files(self, run: str) -> set[str]:
        """Return the keys of the files of a deleted run that a cache entry or another run's record still names."""

    @abstractmethod
    def mark_collected(self, run: str) -> None:
        """Note that the files of a deleted run are gone, all but those that were named."""

    @abstractmethod
    def released_files(self, *, before: float, limit: int = 1000) -> list[str]:
        """Return files that nothing names any more and of which the last name went before that time.

        They belong to deleted runs, or to nobody: the entry or run that named them was removed.
        """

    @abstractmethod
    def forget_files(self, files: Sequence[str]) -> None:
        """Forget released files that are gone."""


def owner_of_file(file: str) -> str:
    """Return the run that a file belongs to; "" for a key that is no name of the engine's."""
    parts = file.split("/")
    return parts[1] if len(parts) == 4 else ""
