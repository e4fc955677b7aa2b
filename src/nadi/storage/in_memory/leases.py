"""Leases in memory."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from nadi.storage.contracts.leases import Lease, LeaseTable


class MemoryLeaseTable(LeaseTable):
    """See the contract.

    Args:
        usable: Gives the lock of the store, or raises when the store is closed.
        fence: Makes the tokens of the open runs of a holder old; called under the lock.
    """

    def __init__(self, usable: Callable[[], Lock], fence: Callable[[str], None]) -> None:
        self._usable = usable
        self._fence = fence
        self._leases: dict[str, Lease] = {}

    def renew(self, holder: str, *, term: float, first: bool) -> bool:
        with self._usable():
            there = self._leases.get(holder)
            if there is None and not first:
                return False
            renewals = there.renewals + 1 if there is not None else 1
            self._leases[holder] = Lease(holder=holder, renewals=renewals, term=term)
            return True

    def leases(self) -> list[Lease]:
        with self._usable():
            return [self._leases[holder] for holder in sorted(self._leases)]

    def release(self, holder: str) -> None:
        with self._usable():
            self._leases.pop(holder, None)

    def expire(self, holder: str, *, renewals: int) -> bool:
        with self._usable():
            there = self._leases.get(holder)
            if there is None or there.renewals != renewals:
                return False
            del self._leases[holder]
            self._fence(holder)
            return True
