"""Which key stands for which kept result."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import msgspec

from nadi.model.results import ResultRef


class CacheEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One key, the result that it stands for, and who computed that."""

    key: str
    #: Name of the task; "" for what a transaction without a task kept.
    task: str
    #: Of kind `none`, `inline` or `file`: where the value is.
    result: ResultRef
    #: Root run under whose claim the value was computed, and the token of that claim.
    root: str
    token: int
    #: Flow run and task run that computed it; each "" where there is none.
    run: str
    task_run: str
    #: Name of that task run, for people.
    name: str
    #: Unix seconds when it was put here.
    created: float
    #: Unix seconds from which on it counts as absent; 0 when it never expires.
    expires: float = 0.0
    #: Order of arrival, given by the store; use that of the last entry read as the cursor for the next page.
    seq: int = 0

    def is_fresh(self, now: float) -> bool:
        """Whether it has not expired."""
        return not self.expires or now < self.expires


class CacheTable(ABC):
    """The cache: entries by key, one for each key. Part of a store; as thread-safe as that, and with the same errors.

    An entry outlives the run that computed it: its result file stays while the entry names it, although the run
    was deleted. Expired entries are given out like others, until they are replaced or removed: the store never
    reads a clock.
    """

    @abstractmethod
    def get(self, key: str) -> CacheEntry | None:
        """Return the entry of a key, expired or not."""

    @abstractmethod
    def put(self, entries: Sequence[CacheEntry]) -> list[str]:
        """Keep entries, replacing those of the same keys, in one transaction that is flushed when this returns.

        An entry is refused when its token is not the newest claim of its root any more, or its root was deleted;
        the others are kept. One of a root that the store has not heard of is kept: the records of that run are
        still on their way. Of two entries of one key the later one counts.

        Returns:
            The keys of the entries that were refused.
        """

    @abstractmethod
    def entries(self, *, task: str = "", limit: int = 1000, after: int = 0) -> list[CacheEntry]:
        """Return entries, newest first, at most `limit`.

        Args:
            task: Only those of tasks of this name.
            limit: The most to return.
            after: Only those that come after the entry with this `seq`, which are the older ones (keyset).
        """

    @abstractmethod
    def remove(self, *, now: float, keys: Sequence[str] = (), task: str = "", expired_at: float = 0.0) -> int:
        """Remove entries: of these keys, of tasks of this name, or expired at this time; all when none is said.

        Several together remove only what fits all of them. The results stay until `collect` finds that nothing
        names them; `now` is noted for that.

        Returns:
            How many were removed.
        """
