"""Which key stands for which kept result, in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from threading import Lock

import msgspec

from nadi.storage.contracts.cache import CacheEntry, CacheTable


class MemoryCacheTable(CacheTable):
    """See the contract.

    Args:
        usable: Gives the lock of the store, or raises when the store is closed.
        next_change: Takes the next change number; called under the lock.
        is_lost: Tells whether a root run was deleted, or claimed anew after this token; called under the lock.
        release: Takes note that an entry does not name its file any more; called under the lock.
    """

    def __init__(
        self,
        usable: Callable[[], Lock],
        next_change: Callable[[], int],
        is_lost: Callable[[str, int], bool],
        release: Callable[[str, float], None],
    ) -> None:
        self._usable = usable
        self._next_change = next_change
        self._is_lost = is_lost
        self._release = release
        #: In order of arrival.
        self._entries: dict[str, CacheEntry] = {}

    def get(self, key: str) -> CacheEntry | None:
        with self._usable():
            return self._entries.get(key)

    def put(self, entries: Sequence[CacheEntry]) -> list[str]:
        with self._usable():
            refused = [entry.key for entry in entries if self._is_lost(entry.root, entry.token)]
            kept = {entry.key: entry for entry in entries if not self._is_lost(entry.root, entry.token)}
            for key, entry in kept.items():
                self._drop(key, entry.created)
                self._entries[key] = msgspec.structs.replace(entry, seq=self._next_change())
            return refused

    def entries(self, *, task: str = "", limit: int = 1000, after: int = 0) -> list[CacheEntry]:
        with self._usable():
            newest_first = reversed(self._entries.values())
            wanted = (e for e in newest_first if task in ("", e.task) and (not after or e.seq < after))
            return list(islice(wanted, limit))

    def remove(self, *, now: float, keys: Sequence[str] = (), task: str = "", expired_at: float = 0.0) -> int:
        with self._usable():
            gone = [
                entry.key
                for entry in self._entries.values()
                if (not keys or entry.key in keys)
                and task in ("", entry.task)
                and not (expired_at and entry.is_fresh(expired_at))
            ]
            for key in gone:
                self._drop(key, now)
            if gone:
                self._next_change()
            return len(gone)

    def _drop(self, key: str, now: float) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None and entry.result.kind == "file":
            self._release(entry.result.key, now)

    # -- for the store, which has the lock --

    def files(self) -> set[str]:
        """Return the files that entries name."""
        return {entry.result.key for entry in self._entries.values() if entry.result.kind == "file"}
