"""Leases: how a process that cannot be looked up from everywhere shows that it lives.

A process that records into a store that other machines reach renews one lease for all runs that it holds. Who
calls a lease expired has itself seen its renewals unchanged for the whole term on a monotonic clock of its own, so
that neither skewed clocks nor an outage of the store expires anything.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import msgspec


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """One process and how often it has shown that it lives."""

    #: Text of the Holder, as runs carry it.
    holder: str
    #: Grows with each renewal.
    renewals: int
    #: Seconds of silence after which the process counts as gone.
    term: float


class LeaseTable(ABC):
    """Leases by holder. Part of a store; as thread-safe as that, with the same errors. It reads no clock."""

    @abstractmethod
    def renew(self, holder: str, *, term: float, first: bool) -> bool:
        """Count one renewal more; made by the process itself, and by who finds a holder without any.

        Args:
            holder: Text of the Holder.
            term: Seconds of silence that it asks for.
            first: Whether this process has no lease yet; then one is made. With one there it is a renewal.

        Returns:
            `False` when the lease is not there any more and this is not the first: somebody took the process for
            gone, and its runs with it.
        """

    @abstractmethod
    def leases(self) -> list[Lease]:
        """Return all leases."""

    @abstractmethod
    def release(self, holder: str) -> None:
        """Give a lease back at the end of a process; one that is not there is none to give back."""

    @abstractmethod
    def expire(self, holder: str, *, renewals: int) -> bool:
        """End a lease that has been silent, if its renewals are still these, and fence its holder.

        In the same transaction the token of each open root run that it holds grows by one, so that nothing the holder
        says of them changes anything any more. Their attempts have not ended by that: see `Store.end_attempts`.

        Returns:
            `False` when it was renewed or is gone; then nothing was changed.
        """
