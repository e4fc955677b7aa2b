"""Leases: what every store promises of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from nadi.model.runs import FlowRun
from nadi.model.states import StateType
from nadi.storage.contract import Refusal, Store
from nadi.storage.contracts.leases import Lease
from tests.storage.telling import T0, Writer, an_id, flow_begun, flow_moved, log_line, task_begun, task_moved

S = StateType
RUN, OTHER, TASK = an_id(1), an_id(2), an_id(3)


def lease(holder: str, renewals: int = 1, term: float = 300.0) -> Lease:
    return Lease(holder=holder, renewals=renewals, term=term)


def test_a_store_begins_without_leases(store: Store) -> None:
    assert store.leases.leases() == []


def test_the_first_renewal_makes_the_lease_and_each_further_one_is_counted(store: Store) -> None:
    first = store.leases.renew("a", term=300.0, first=True)
    second = store.leases.renew("a", term=300.0, first=False)

    assert (first, second) == (True, True)
    assert store.leases.leases() == [lease("a", renewals=2)]


def test_a_first_renewal_whose_answer_was_lost_is_sent_again_without_harm(store: Store) -> None:
    store.leases.renew("a", term=300.0, first=True)

    again = store.leases.renew("a", term=300.0, first=True)

    assert again
    assert store.leases.leases() == [lease("a", renewals=2)]


def test_who_has_no_lease_any_more_is_told_so_and_gets_none(store: Store) -> None:
    assert not store.leases.renew("a", term=300.0, first=False)
    assert store.leases.leases() == []


def test_a_renewal_may_ask_for_another_term(store: Store) -> None:
    store.leases.renew("a", term=300.0, first=True)

    store.leases.renew("a", term=20.0, first=False)

    assert store.leases.leases() == [lease("a", renewals=2, term=20.0)]


def test_a_lease_is_given_back_once_and_others_stay(store: Store) -> None:
    for holder in ("a", "b"):
        store.leases.renew(holder, term=300.0, first=True)

    store.leases.release("a")
    store.leases.release("a")

    assert store.leases.leases() == [lease("b")]


def test_a_silent_lease_expires_and_its_holder_can_renew_it_no_more(store: Store) -> None:
    store.leases.renew("a", term=300.0, first=True)

    expired = store.leases.expire("a", renewals=1)

    assert expired
    assert not store.leases.renew("a", term=300.0, first=False)
    assert store.leases.leases() == []


def test_a_lease_that_was_renewed_meanwhile_does_not_expire_and_nobody_is_fenced(store: Store) -> None:
    Writer(store).tell(flow_begun(RUN, holder="a"))
    store.leases.renew("a", term=300.0, first=True)
    store.leases.renew("a", term=300.0, first=False)

    expired = store.leases.expire("a", renewals=1)

    assert not expired
    assert store.leases.leases() == [lease("a", renewals=2)]
    assert found(store, RUN).token == 1


def test_a_lease_that_is_not_there_does_not_expire(store: Store) -> None:
    assert not store.leases.expire("a", renewals=0)


def test_with_its_lease_a_holder_loses_the_say_over_its_open_runs(store: Store) -> None:
    writer = Writer(store)
    writer.tell(flow_begun(RUN, holder="a"), task_begun(RUN, TASK))
    store.leases.renew("a", term=300.0, first=True)

    store.leases.expire("a", renewals=1)
    late = writer.tell(task_moved(RUN, TASK, S.COMPLETED), task_begun(RUN, an_id(9)), flow_moved(RUN, S.COMPLETED))

    assert [(one.n, one.why) for one in late.refused] == [(n, Refusal.FENCED) for n in (3, 4, 5)]
    assert [(task.id, task.state_type) for task in store.task_runs(RUN)] == [(TASK, S.RUNNING)]
    assert [one.state_type for one in store.superseded(RUN)] == [S.COMPLETED, S.RUNNING, S.COMPLETED]


def test_what_was_fenced_is_ended_under_its_new_token(store: Store) -> None:
    Writer(store).tell(flow_begun(RUN, holder="a"), task_begun(RUN, TASK))
    store.leases.renew("a", term=300.0, first=True)
    store.leases.expire("a", renewals=1)

    under_the_old = end(store, RUN, token=1)
    under_the_new = end(store, RUN, token=found(store, RUN).token)

    assert (under_the_old, under_the_new) == (False, True)
    assert found(store, RUN).state_type is S.CRASHED
    assert [(one.attempt, one.state_type) for one in store.attempts(RUN)] == [(1, S.CRASHED)]


def test_a_run_that_was_fenced_and_ended_can_be_claimed_for_its_next_attempt(store: Store) -> None:
    Writer(store).tell(flow_begun(RUN, holder="a"))
    store.leases.renew("a", term=300.0, first=True)
    store.leases.expire("a", renewals=1)
    end(store, RUN, token=2)

    claim = store.claim(RUN, holder="b", now=T0 + 90)

    assert (claim.token, claim.attempt) == (3, 2)


def test_runs_that_ended_and_those_of_others_keep_their_token(store: Store) -> None:
    Writer(store, "w1").tell(flow_begun(RUN, holder="a"), flow_moved(RUN, S.COMPLETED))
    other = Writer(store, "w2")
    other.tell(flow_begun(OTHER, holder="b"))
    store.leases.renew("a", term=300.0, first=True)

    store.leases.expire("a", renewals=1)
    told = other.tell(log_line(OTHER, "going on"))

    assert told.refused == ()
    assert [found(store, run).token for run in (RUN, OTHER)] == [1, 1]


def test_of_a_renewal_and_an_expiry_at_the_same_moment_one_wins(store: Store) -> None:
    with ThreadPoolExecutor(2) as pool:
        for n in range(20):
            holder = f"process-{n}"
            store.leases.renew(holder, term=300.0, first=True)

            expiry = pool.submit(store.leases.expire, holder, renewals=1)
            renewal = pool.submit(store.leases.renew, holder, term=300.0, first=False)

            assert expiry.result() != renewal.result()


def found(store: Store, run: str) -> FlowRun:
    row = store.flow_run(run)
    assert row is not None
    return row


def end(store: Store, run: str, *, token: int) -> bool:
    return store.end_attempt(run, token=token, state=S.CRASHED, name="", message="Lost.", now=T0 + 60)
