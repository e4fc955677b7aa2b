"""The reaper: runs whose process is gone do not stay open, and what a worker that is gone has taken waits again.

Who can be looked up from here (by the kernel's lock on its journal, or by its pid) is judged by that and by nothing
else: a process that lives is never taken for gone, however long it is busy. Of all others only silence tells. Who
calls a process silent has itself seen its lease unchanged for the whole term, by looks that came regularly; so neither
clocks that differ nor an outage of the store makes anybody silent. Any number of reapers may work on one store.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

import msgspec

from nadi.exceptions import StoreError
from nadi.model.holders import Holder
from nadi.model.text import plural
from nadi.storage.contract import Store
from nadi.storage.contracts.leases import Lease
from nadi.storage.home import Home, can_be_looked_up, is_gone
from nadi.storage.leasing import TERM
from nadi.storage.leftovers import Found, crash_runs_of, deliver_leftovers, has_journal_here

_log = logging.getLogger("nadi.reaper")

#: Seconds between looks.
PERIOD = 2.0
#: How many looks fall into one term, at the least.
LOOKS = 20
#: A look that comes later than this part of a term after the one before has not seen what was between them.
LONGEST_GAP = 0.25
#: Of the reaper's time, the part that looks may take, as long as leases are not neglected over it.
SHARE = 0.02
#: Runs that one line of the log names.
MOST_NAMED = 10


class _Seen(msgspec.Struct, frozen=True):
    renewals: int
    #: When it was first seen with these renewals, and when it was last seen; monotonic.
    since: float
    last: float


class Silences:
    """Since when each lease was seen unchanged, on one monotonic clock."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}

    def note(self, leases: Sequence[Lease], *, asked: float, answered: float) -> list[Lease]:
        """Take note of all leases that there are, and return those that were silent for their whole term.

        Args:
            leases: What the store answered.
            asked: When it was asked: what is in the answer was so at this moment or later.
            answered: When the answer was there: what is in the answer was so at this moment or earlier.
        """
        seen, silent = {}, []
        for lease in leases:
            before = self._seen.get(lease.holder)
            if before is None or before.renewals != lease.renewals or asked - before.last > lease.term * LONGEST_GAP:
                seen[lease.holder] = _Seen(lease.renewals, since=answered, last=asked)
                continue
            seen[lease.holder] = _Seen(lease.renewals, since=before.since, last=asked)
            if asked - before.since >= lease.term:
                silent.append(lease)
        self._seen = seen
        return silent

    def forget(self) -> None:
        """Begin anew: every lease has a whole term again."""
        self._seen = {}


class Reaper:
    """Looks after open runs, step by step; a service of a server.

    Args:
        store: Where the runs are.
        home: Its journals of dead processes are delivered.
        observer: This process.
        term: Seconds that a process without a lease gets, from when it was first seen.
        wall: Unix seconds, written where a run ends.
        monotonic: The clock by which silence is measured.
    """

    name = "reaper"

    def __init__(
        self,
        store: Store,
        home: Home,
        observer: Holder,
        *,
        term: float = TERM,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._home = home
        self._observer = observer
        self._term = term
        self._wall = wall
        self._monotonic = monotonic
        self._silences = Silences()
        self._is_away = False
        #: Journals that could not be delivered, and of which that was said.
        self._stuck: set[str] = set()

    def step(self, now_monotonic: float) -> float:
        """Look once, and return the seconds until the next look. A store that is away is waited for."""
        try:
            shortest = self._look()
        except StoreError as error:
            # What happened meanwhile cannot be known: a process that could not renew is not to blame for it.
            self._silences.forget()
            if not self._is_away:
                _log.warning("The reaper waits for the store. %s", error)
            self._is_away = True
            return PERIOD
        self._is_away = False
        took = self._monotonic() - now_monotonic
        return min(max(PERIOD, took / SHARE), shortest / LOOKS)

    def _look(self) -> float:
        self._end_gone_workers()
        found = deliver_leftovers(self._home, self._store, self._observer, now=self._wall())
        self._report(found)
        return self._judge_leases(found)

    def _end_gone_workers(self) -> None:
        """End workers that the kernel says are gone; of those that it knows nothing of, their lease tells."""
        for worker in self._store.work.workers():
            holder = Holder.decode(worker.holder)
            if can_be_looked_up(holder, self._observer) and is_gone(holder, self._observer):
                self._end_worker(worker.holder)

    def _judge_leases(self, found: Found) -> float:
        """Expire what is silent; returns the shortest term that is watched."""
        table = self._store.leases
        asked = self._monotonic()
        leases = table.leases()
        answered = self._monotonic()
        watched = [lease for lease in leases if not self._is_looked_up(lease)]
        silent = self._silences.note(watched, asked=asked, answered=answered)
        for lease in silent:
            if table.expire(lease.holder, renewals=lease.renewals):
                self._crash(lease)
                self._end_worker(lease.holder)
        unseen = found.unseen | self._workers_out_of_sight()
        for holder in sorted(unseen - {lease.holder for lease in leases}):
            # It has a whole term to show that it lives: it finds the lease when it looks, and renews it.
            table.renew(holder, term=self._term, first=True)
        return min([self._term, *(lease.term for lease in watched)])

    def _workers_out_of_sight(self) -> set[str]:
        """Return the workers of which only silence tells, texts of their Holders."""
        if not self._store.shared:  # there no worker keeps a lease
            return set()
        known = (worker.holder for worker in self._store.work.workers())
        return {one for one in known if not can_be_looked_up(Holder.decode(one), self._observer)}

    def _end_worker(self, worker: str) -> None:
        """Forget a worker that is gone, if it was one: what it took and nobody claimed waits again."""
        again = self._store.work.worker_ended(worker)
        if again:
            _log.warning(
                "The worker in %s is gone; %s of it wait again.", Holder.decode(worker), plural(len(again), "run")
            )

    def _is_looked_up(self, lease: Lease) -> bool:
        """Tell whether the kernel knows better; the lease of one that is gone, as its runs are, goes at once."""
        holder = Holder.decode(lease.holder)
        if has_journal_here(self._home, holder):
            return True
        if not can_be_looked_up(holder, self._observer):
            return False
        if is_gone(holder, self._observer):
            self._store.leases.release(lease.holder)
        return True

    def _crash(self, lease: Lease) -> None:
        found = Found()
        crash_runs_of(lease.holder, self._store, found, now=self._wall(), silence=lease.term)
        _log.warning(
            "Nothing was heard of %s for %g s: it counts as gone, and %d of its runs as crashed.",
            Holder.decode(lease.holder),
            lease.term,
            len(found.crashed),
        )

    def _report(self, found: Found) -> None:
        _tell("%s lost their process and count as crashed: %s.", found.crashed)
        _tell("%s were answered by nobody in time and have failed: %s.", found.overdue)
        for folder, why in found.stuck.items():
            if str(folder) not in self._stuck:
                _log.warning("The journal %s could not be delivered: %s", folder, why)
        self._stuck = {str(folder) for folder in found.stuck}


def _tell(sentence: str, runs: Sequence[str]) -> None:
    if runs:
        more = f" and {len(runs) - MOST_NAMED} more" if len(runs) > MOST_NAMED else ""
        _log.warning(sentence, plural(len(runs), "run"), ", ".join(runs[:MOST_NAMED]) + more)
