"""The lease of this process: how it shows others that it lives, and learns that somebody took it for gone."""

from __future__ import annotations

from collections.abc import Callable

from nadi.exceptions import StoreError
from nadi.storage.contract import Store

#: Seconds of silence after which a process that cannot be looked up counts as gone.
TERM = 300.0
#: The shortest that may be asked for: who watches a lease looks the more often the shorter it is.
SHORTEST_TERM = 1.0
#: Renewals in one term: some may be late, or lost with a store that was away, and nothing is.
RENEWALS = 5
#: Part of the term for which a worker that renews the lease of a process it has started may be silent: then the process
#: renews it itself.
WORKER_SILENCE = 0.5


class OwnLease:
    """The lease that this process has at one store.

    Where other machines reach the store it is taken with the first run of the process. Elsewhere the kernel tells who
    lives, and only who cannot look there (from another container, say) gives this process a lease, which it then
    finds when it would be time to renew. It is given back once there has been no run for a while, or at the end.
    Times are monotonic seconds, given by the caller.

    A worker renews the leases of the processes that it starts for runs, as a process that computes may come too late to
    it. Such a process takes the lease, and goes by what the worker tells.
    """

    def __init__(self, holder: str, term: float = TERM, renewed: Callable[[], float] | None = None) -> None:
        """Keep no lease yet.

        Args:
            holder: Text of the Holder.
            term: Seconds of silence that it asks for.
            renewed: When the worker that started this process last renewed its lease; `None` where no worker does.
        """
        self._holder = holder
        self._term = term
        self._renewed = renewed
        #: Whether there is one, as far as this process knows.
        self.is_held = False
        #: When the last look or renewal that the store has answered was sent; `None` before the first.
        self._confirmed: float | None = None

    def keep(self, store: Store, now: float) -> None:
        """Renew the lease if it is time. One that is gone is taken anew: the runs that went with it have new tokens.

        Raises:
            StoreUnavailable: there is no answer; then it may be there or not.
        """
        if self._confirmed is None and not store.shared:
            self._confirmed = now
        self._hear()
        if not self._is_due(now):
            return
        first = store.shared and not self.is_held
        self.is_held = store.leases.renew(self._holder, term=self._term, first=first)
        if store.shared and not self.is_held:
            self.is_held = store.leases.renew(self._holder, term=self._term, first=True)
        self._confirmed = now

    def leave(self, store: Store, now: float) -> None:
        """Give the lease back when it would be time to renew it and no run needs it.

        Raises:
            StoreUnavailable: there is no answer; then it may be there or not.
        """
        if self.is_held and self._is_due(now):
            store.leases.release(self._holder)
            self.is_held, self._confirmed = False, None

    def is_over(self, now: float) -> bool:
        """Tell whether a whole term has passed since the last confirmed renewal.

        Then others may have taken this process for gone, and no answer of the store counts until it is renewed.
        """
        self._hear()
        return self._confirmed is not None and now > self._confirmed + self._term

    def release(self, store: Store) -> None:
        """Give the lease back, at the end of the process; a store that is away finds out by its silence."""
        if self.is_held:
            self.is_held = False
            try:
                store.leases.release(self._holder)
            except StoreError:
                return

    def _hear(self) -> None:
        if self._renewed is not None and self._confirmed is not None:
            self._confirmed = max(self._confirmed, self._renewed())

    def _is_due(self, now: float) -> bool:
        pause = self._term / RENEWALS if self._renewed is None else self._term * WORKER_SILENCE
        return self._confirmed is None or now >= self._confirmed + pause
