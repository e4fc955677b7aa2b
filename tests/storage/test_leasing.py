"""The lease of a process: when it is taken, renewed, found again, and given back; and what the courier makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nadi.storage.contracts.leases import Lease
from nadi.storage.journal import Header, Journal
from nadi.storage.leasing import OwnLease
from nadi.storage.memory import MemoryStore
from tests.storage.telling import an_id, flow_begun
from tests.storage.test_delivery import Told, a_courier, until

ROOT = an_id(1)
TERM = 300.0


def a_store(*, shared: bool = True) -> MemoryStore:
    store = MemoryStore()
    store.shared = shared
    return store


def leases(store: MemoryStore) -> list[Lease]:
    return store.leases.leases()


# -- the lease --


def test_in_a_shared_store_the_lease_is_taken_at_once_and_renewed_five_times_a_term() -> None:
    store, lease = a_store(), OwnLease("me", TERM)

    for now in range(0, 301, 10):
        lease.keep(store, float(now))

    assert leases(store) == [Lease(holder="me", renewals=6, term=TERM)]


def test_in_a_store_of_one_machine_no_lease_is_taken() -> None:
    store, lease = a_store(shared=False), OwnLease("me", TERM)

    for now in range(0, 1000, 10):
        lease.keep(store, float(now))

    assert leases(store) == []


def test_in_a_store_of_one_machine_a_lease_that_somebody_gave_is_found_and_renewed() -> None:
    store, lease = a_store(shared=False), OwnLease("me", TERM)
    lease.keep(store, 0.0)
    store.leases.renew("me", term=TERM, first=True)

    for now in range(0, 301, 10):
        lease.keep(store, float(now))

    assert leases(store) == [Lease(holder="me", renewals=6, term=TERM)]
    lease.release(store)
    assert leases(store) == []


def test_a_lease_that_is_gone_is_taken_anew() -> None:
    store, lease = a_store(), OwnLease("me", TERM)
    lease.keep(store, 0.0)
    store.leases.expire("me", renewals=1)

    lease.keep(store, 100.0)

    assert leases(store) == [Lease(holder="me", renewals=1, term=TERM)]


def test_a_lease_is_over_when_a_term_has_passed_since_its_last_renewal() -> None:
    store, lease = a_store(), OwnLease("me", TERM)
    before = lease.is_over(1e6)
    lease.keep(store, 1000.0)

    assert (before, lease.is_over(1300.0), lease.is_over(1301.0)) == (False, False, True)


def test_a_lease_is_given_back_when_no_run_has_needed_it_for_a_while() -> None:
    store, lease = a_store(), OwnLease("me", TERM)
    lease.keep(store, 0.0)

    lease.leave(store, 10.0)
    early = len(leases(store))
    lease.leave(store, 70.0)
    lease.leave(store, 140.0)

    assert (early, leases(store)) == (1, [])


def test_a_process_without_a_lease_gives_none_back() -> None:
    store, lease = a_store(), OwnLease("me", TERM)
    store.leases.renew("me", term=TERM, first=True)

    lease.release(store)

    assert len(leases(store)) == 1


# -- the courier --


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path, Header("writer-1", "store-1", "memory://", "me"))
    yield made
    made.close()


def test_a_courier_with_runs_has_a_lease_until_its_end(journal: Journal) -> None:
    store = a_store()
    courier = a_courier(journal, store, watched={ROOT: 1})

    courier.start()
    assert until(lambda: bool(leases(store)))
    during = leases(store)[0].holder
    courier.finish(5.0)

    assert (during, leases(store)) == ("me", [])


def test_a_courier_without_runs_asks_for_no_lease(journal: Journal) -> None:
    store = a_store()
    courier = a_courier(journal, store)

    courier.attend()
    courier.finish(5.0)

    assert leases(store) == []


def test_a_courier_whose_lease_is_gone_learns_which_runs_went_with_it(journal: Journal) -> None:
    store, told = a_store(), Told()
    lost, kept = an_id(1), an_id(2)
    courier = a_courier(journal, store, told, watched={lost: 1, kept: 1})
    journal.append(flow_begun(lost, holder="me"))
    courier.barrier()
    courier.attend()
    store.leases.expire("me", renewals=1)
    journal.append(flow_begun(kept, holder="me"))
    courier.barrier()

    courier.attend()
    courier.finish(5.0)

    assert told.fenced == [(lost, 1)]


def test_what_the_store_takes_counts_for_nothing_while_the_lease_is_over(journal: Journal) -> None:
    store = a_store()
    courier = a_courier(journal, store, watched={ROOT: 1})
    journal.append(flow_begun(ROOT, holder="me"))
    courier.barrier()
    courier.attend()
    # As in a process that was stopped for longer than its term, and goes on.
    assert courier._lease._confirmed is not None
    courier._lease._confirmed -= TERM + 1
    courier.confirmed = stopped = courier.confirmed - TERM - 1

    journal.append(flow_begun(an_id(2), holder="me"))
    courier.barrier()
    before = courier.confirmed
    courier.attend()
    courier.finish(5.0)

    assert before == stopped
    assert courier.confirmed > stopped


# -- a process that a worker has started --


def test_a_process_of_a_worker_takes_the_lease_and_leaves_renewing_to_the_worker() -> None:
    renewed = [0.0]
    store, lease = a_store(), OwnLease("me", TERM, lambda: renewed[0])

    for now in range(0, 1001, 10):
        renewed[0] = float(now)
        lease.keep(store, float(now))

    assert leases(store) == [Lease(holder="me", renewals=1, term=TERM)]
    assert not lease.is_over(1000.0)


def test_a_process_whose_worker_is_silent_for_half_the_term_renews_the_lease_itself() -> None:
    store, lease = a_store(), OwnLease("me", TERM, lambda: 0.0)

    for now in range(0, 301, 10):
        lease.keep(store, float(now))

    assert leases(store) == [Lease(holder="me", renewals=3, term=TERM)]


def test_the_lease_is_over_a_term_after_the_last_renewal_that_the_worker_told_of() -> None:
    renewed = [0.0]
    store, lease = a_store(), OwnLease("me", TERM, lambda: renewed[0])
    lease.keep(store, 0.0)

    renewed[0] = 100.0

    assert not lease.is_over(100.0 + TERM)
    assert lease.is_over(101.0 + TERM)
