"""This process at the limits of one store: its claims, kept alive and watched by one thread in all.

The thread renews what this process holds, looks whether what waits was let in (a small read every
50 ms, no write), and ends the claims of processes that are gone. In this process those that wait
are woken at once by whoever lets go. It starts with the first claim and ends when none is left.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any, TypeVar

from nadi.engine.gone_holders import end_gone
from nadi.exceptions import StoreError
from nadi.model.holders import Holder
from nadi.model.limits import Answer, SlotClaim
from nadi.storage.contract import Store
from nadi.storage.contracts.limits import LimitTable
from nadi.storage.home import Home
from nadi.storage.shield import untorn

T = TypeVar("T")

_log = logging.getLogger("nadi.runs")

#: Seconds between looks at the line, and between looks at who of those ahead is gone.
POLL = 0.05
JUDGING = 0.2
#: Renewals in one term.
RENEWALS = 4
#: Seconds until what the store did not take is tried again, and that the thread waits for the next claim.
AGAIN = 1.0
LINGER = 5.0


class Place:
    """One claim of this process: in the line, or holding."""

    def __init__(self, claim: SlotClaim, *, ready: Callable[[], None]) -> None:
        """Make a place that is not claimed yet; `ready` is called once it holds after a wait, from any thread."""
        self.claim = claim
        self.held = False
        #: Whether the store may know of it.
        self.kept = False
        #: Whether somebody took this process for gone and gave the slots away.
        self.is_lost = False
        self.ready = ready
        #: Called then, from the desk's thread.
        self.lost: Callable[[], None] = lambda: None

    def let_in(self) -> None:
        """Note that it holds."""
        if not self.held:
            self.held = True
            self.ready()


class Desk:
    """The claims of this process at one store."""

    def __init__(self, store: Callable[[], Store], holder: Holder, home: Home | None) -> None:
        """Stand at a store, as `holder`; `home` is where the locks of other processes may be seen."""
        self._store = store
        self._process = os.getpid()
        self.holder = holder
        self._home = home
        #: Taken by itself, not through the condition, whose own `with` is Python code: Ctrl-C that strikes in there
        #: leaves it taken.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._places: dict[str, Place] = {}
        #: What the store did not take: given up, and still to be told.
        self._leaving: set[str] = set()
        self._errands: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._thread: threading.Thread | None = None
        self._version = -1
        #: Whether somebody joined the line: it may have been let in before it was known here.
        self._joined = False
        self._next_judging = self._next_renewal = self._next_leaving = 0.0
        #: Claims of processes that cannot be looked up from here: renewals, and since when they were seen unchanged.
        self._seen: dict[str, tuple[int, float]] = {}

    @property
    def limits(self) -> LimitTable:
        """The limits of the store.

        Raises:
            StoreUnavailable: it cannot be reached, or is closed.
        """
        return self._store().limits

    # -- for those who come and go --

    def claim(self, place: Place, *, wait: bool) -> Answer:
        """Claim a place: it holds, waits, or was refused. Blocks for as long as the store takes to write it."""
        with untorn():
            place.kept = True
            answer = self.limits.claim_slots(place.claim, wait=wait)
            place.held = place.held or answer.held
            limited = len(answer.missing) < len(place.claim.names)
            place.kept = limited and not answer.too_small and (answer.held or wait)
            if place.kept:
                with self._lock:
                    self._places[place.claim.id] = place
                    self._joined = self._joined or not answer.held
                    self._next_renewal = min(self._next_renewal or 1e18, time.monotonic() + self._period())
                    self._work_on()
        return answer

    def leave(self, place: Place) -> None:
        """Give a place up; never raises because of the store, which is told later where it does not answer."""
        if not place.kept or os.getpid() != self._process:
            return  # a process that was forked in the body holds nothing: the slots are its parent's
        id = place.claim.id
        with untorn():
            place.kept = False
            with self._lock:
                self._places.pop(id, None)
            try:
                self._let_in(self.limits.release_slots(id))
            except StoreError as error:
                told = ", ".join(place.claim.names)
                _log.warning("The store did not take that a slot of %s is free; it is told again. %s", told, error)
                with self._lock:
                    self._leaving.add(id)
                    self._work_on()

    def leave_soon(self, place: Place) -> None:
        """The same in the desk's thread, after all that was asked of it before."""
        if os.getpid() == self._process:
            self.soon(lambda: self.leave(place))

    def soon(self, errand: Callable[[], T]) -> Future[T]:
        """Run something in the desk's thread, in the order it was handed over: an event loop must not block."""
        future: Future[T] = Future()
        with untorn(), self._lock:
            self._errands.append((future, errand))
            self._work_on()
        return future

    # -- the thread --

    def _work_on(self) -> None:
        # One that is there and does not live: Ctrl-C came between its making and its start.
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._work, name="nadi-slots", daemon=True)
            self._thread.start()
        self._changed.notify()

    def _work(self) -> None:
        while self._rest():
            self._run_errands()
            for step in (self._look, self._judge, self._renew, self._tell_leaving):
                try:
                    step()
                except StoreError as error:
                    _log.debug("The limits cannot be asked: %s", error)
                except Exception:
                    _log.exception("The limits could not be seen to.")

    def _rest(self) -> bool:
        """Wait until there is something to do; `False` ends the thread."""
        with self._lock:
            if self._errands:
                return True
            if not self._places and not self._leaving:
                self._changed.wait(LINGER)
                if not self._places and not self._leaving and not self._errands:
                    self._thread = None
                    return False
            elif any(not place.held for place in self._places.values()):
                self._changed.wait(POLL)
            elif self._leaving:
                self._changed.wait(AGAIN)
            else:
                left = max(0.0, self._next_renewal - time.monotonic())
                self._changed.wait(min(left, threading.TIMEOUT_MAX))
            return True

    def _run_errands(self) -> None:
        while self._errands:
            future, errand = self._errands.popleft()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(errand())
            except BaseException as error:  # it is raised where somebody waits for it
                future.set_exception(error)

    def _waiting(self) -> list[Place]:
        with self._lock:
            return [place for place in self._places.values() if not place.held]

    def _look(self) -> None:
        """See who of this process was let in by others."""
        with self._lock:
            waiting = [place for place in self._places.values() if not place.held]
            joined, self._joined = self._joined, False
        if not waiting:
            return
        version = self.limits.version()
        if version == self._version and not joined:
            return
        standing = self.limits.standing([place.claim.id for place in waiting])
        for place in waiting:
            holds = standing.get(place.claim.id)
            if holds:
                place.let_in()
            elif holds is None and place.claim.id in self._places:
                self._join_again(place)
        self._version = version

    def _join_again(self, place: Place) -> None:
        """Let a place that waits join the line again, at its end: somebody took this process for gone."""
        answer = self.limits.claim_slots(place.claim, wait=True)
        with self._lock:
            is_here = place.claim.id in self._places
        if not is_here:  # given up meanwhile: nobody else would end this claim while the process lives
            self._let_in(self.limits.release_slots(place.claim.id))
        elif answer.held:
            place.let_in()

    def _let_in(self, ids: Iterable[str]) -> None:
        with self._lock:
            here = [self._places[id] for id in ids if id in self._places]
        for place in here:
            place.let_in()

    def _judge(self) -> None:
        """End the claims of processes that are gone, of limits that somebody here waits for."""
        waiting = self._waiting()
        if not waiting:
            self._seen.clear()
            return
        now = time.monotonic()
        if now < self._next_judging:
            return
        self._next_judging = now + JUDGING
        names = sorted({name for place in waiting for name in place.claim.names})
        self._let_in(end_gone(self.limits, names, self.holder, self._home, self._seen))

    def _period(self) -> float:
        return min((place.claim.term for place in self._places.values()), default=300.0) / RENEWALS

    def _renew(self) -> None:
        now = time.monotonic()
        if now < self._next_renewal:
            return
        with self._lock:
            claimed = dict(self._places)
            self._next_renewal = now + self._period()
        if not claimed:
            return
        try:
            gone = self.limits.renew(list(claimed))
        except StoreError:
            self._next_renewal = now + min(AGAIN, self._period())
            raise
        for id in gone:
            with self._lock:
                place = self._places.pop(id, None) if claimed[id].held else None
            if place is not None:
                place.is_lost, place.kept = True, False
                place.lost()

    def _tell_leaving(self) -> None:
        now = time.monotonic()
        if not self._leaving or now < self._next_leaving:
            return
        self._next_leaving = now + AGAIN
        for id in list(self._leaving):
            self._let_in(self.limits.release_slots(id))
            self._leaving.discard(id)
