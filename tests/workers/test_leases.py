"""The leases that a worker renews."""

from __future__ import annotations

from nadi.storage.contracts.leases import Lease
from nadi.storage.leasing import TERM
from nadi.storage.memory import MemoryStore
from nadi.workers.leases import WORKER_TERM, Leases, term_of


class Kept:
    """The leases of a worker over a store in memory, with a clock that stands."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.store.shared = True
        self.now = 100.0
        self.confirmed: list[tuple[str, float]] = []
        self.lost: list[str] = []
        self.leases = Leases(
            self.store,
            "worker",
            term=10.0,
            on_confirmed=lambda run, at: self.confirmed.append((run, at)),
            on_lost=self.lost.append,
            monotonic=lambda: self.now,
        )

    def there(self) -> list[Lease]:
        return sorted(self.store.leases.leases(), key=lambda lease: lease.holder)


def test_the_worker_and_each_of_its_runs_have_a_lease_that_is_renewed() -> None:
    kept = Kept()
    kept.leases.add("run", "process")

    kept.leases.renew()
    kept.now = 102.0
    kept.leases.renew()

    assert kept.there() == [
        Lease(holder="process", renewals=2, term=10.0),
        Lease(holder="worker", renewals=2, term=10.0),
    ]
    assert kept.confirmed == [("run", 100.0), ("run", 102.0)]


def test_a_lease_that_somebody_ended_is_told_once_and_made_anew() -> None:
    kept = Kept()
    kept.leases.renew()
    kept.store.leases.expire("worker", renewals=1)

    kept.leases.renew()
    kept.leases.renew()

    assert kept.lost == [""]
    assert [lease.holder for lease in kept.there()] == ["worker"]


def test_a_run_that_has_ended_is_not_renewed_any_more() -> None:
    kept = Kept()
    kept.leases.add("run", "process")
    kept.leases.renew()

    kept.leases.remove("run")
    kept.leases.renew()

    assert [lease.renewals for lease in kept.there()] == [1, 2]


def test_the_workers_lease_is_over_a_term_after_its_last_renewal() -> None:
    kept = Kept()
    kept.leases.renew()

    kept.now = 110.0
    before = kept.leases.is_over()
    kept.now = 110.1

    assert (before, kept.leases.is_over()) == (False, True)


def test_a_setting_that_is_not_the_default_is_the_term_of_workers_too() -> None:
    assert [term_of(TERM), term_of(60.0)] == [WORKER_TERM, 60.0]
