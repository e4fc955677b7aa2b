"""Leases of a worker and of the processes of its runs, where other machines reach the store: the worker renews them.

It has nothing else to do than to renew, in a thread of its own, so that no run that computes makes a lease late.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import msgspec

from nadi.exceptions import StoreError
from nadi.storage.contract import Store
from nadi.storage.leasing import RENEWALS, TERM

#: Seconds of silence after which a worker and its runs count as gone, unless the setting `lease_term` says otherwise.
WORKER_TERM = 15.0


def term_of(lease_term: float) -> float:
    """Return the term that holds for a worker, given the setting: its default is meant for runs without a worker."""
    return WORKER_TERM if lease_term == TERM else lease_term


class _Kept(msgspec.Struct):
    holder: str
    is_first: bool = True


class Leases:
    """Keeps the lease of one worker, and those of its runs. Thread-safe."""

    def __init__(
        self,
        store: Store,
        worker: str,
        *,
        term: float,
        on_confirmed: Callable[[str, float], None],
        on_lost: Callable[[str], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep none yet.

        Args:
            store: Where.
            worker: Text of the worker's Holder.
            term: Seconds of silence that they ask for.
            on_confirmed: Told a run, and when the renewal of its lease was sent that the store has answered.
            on_lost: Told a run whose lease is gone, "" for the worker: somebody took them for gone.
            monotonic: Seconds that never go back.
        """
        self._store, self._term, self._monotonic = store, term, monotonic
        self._on_confirmed, self._on_lost = on_confirmed, on_lost
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {"": _Kept(worker)}
        #: When the worker's own was last renewed; monotonic.
        self.confirmed = monotonic()
        self._wake = threading.Event()
        self._is_stopping = False
        self._thread = threading.Thread(target=self._work, name="nadi-leases", daemon=True)

    def start(self) -> None:
        """Begin to renew; on a store of one machine nothing happens, as its kernel tells who lives."""
        if self._store.shared:
            self._thread.start()

    def is_over(self) -> bool:
        """Tell whether the worker's own has run out without an answer, so that others may take the worker for gone."""
        return self._store.shared and self._monotonic() > self.confirmed + self._term

    def add(self, run: str, holder: str) -> None:
        """Keep the lease of the process of a run, which has taken it: it is renewed with the next ones."""
        with self._lock:
            self._kept[run] = _Kept(holder)

    def remove(self, run: str) -> None:
        """Keep that of a run no more; it is not given back by that."""
        with self._lock:
            self._kept.pop(run, None)

    def stop(self) -> None:
        """End, and give the worker's own lease back."""
        self._is_stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5.0)
            try:
                self._store.leases.release(self._kept[""].holder)
            except StoreError:
                return  # others find out by its silence

    def _work(self) -> None:
        while not self._is_stopping:
            self.renew()
            self._wake.wait(self._term / RENEWALS)
            self._wake.clear()

    def renew(self) -> None:
        """Renew all of them once."""
        with self._lock:
            kept = dict(self._kept)
        for run, one in kept.items():
            try:
                self._renew(run, one)
            except StoreError:
                return  # the next ones would not be answered either; those of the runs are told that nothing came

    def _renew(self, run: str, one: _Kept) -> None:
        sent = self._monotonic()
        is_kept = self._store.leases.renew(one.holder, term=self._term, first=one.is_first)
        if not is_kept:
            one.is_first = True  # it is made anew with the next renewal, where it is still wanted
            self._on_lost(run)
        elif run:
            one.is_first = False
            self._on_confirmed(run, sent)
        else:
            one.is_first = False
            self.confirmed = sent
