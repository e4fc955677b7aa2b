"""Work: what every store promises of runs that workers start."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import msgspec
import pytest

from nadi.exceptions import ValueRefused
from nadi.model.runs import Request
from nadi.model.work import CrashPolicy, Enqueued, NewRun, Queue, WorkerSeen
from nadi.storage.contract import Ending, Refusal, Store
from tests.storage.deploying import (
    HOST,
    NIGHTLY,
    a_run,
    a_version,
    counted,
    enqueue,
    take,
    the_run,
    the_work,
    told,
)
from tests.storage.telling import T0, S, Writer, an_id, flow_begun, flow_moved, log_line, task_begun, task_moved

RUN, OTHER, TASK, SUBFLOW = an_id(1), an_id(2), an_id(50), an_id(60)


def claim(store: Store, run: str = RUN, holder: str = "process-a", now: float = T0 + 1) -> int:
    """Claim a run as its own process does, and return the token."""
    return store.claim(run, holder=holder, now=now, expected_token=the_run(store, run).token).token


def begin(store: Store, run: str = RUN, holder: str = "process-a", writer: str = "writer-1") -> Writer:
    """Take a run, claim it and begin it: it is RUNNING."""
    token, found = claim(store, run, holder), the_run(store, run)
    process = Writer(store, writer)
    begun = flow_begun(run, token=token, attempt=found.attempt, at=T0 + 2, holder=holder, flow="etl")
    assert process.tell(begun).refused == ()
    return process


def crash(store: Store, run: str = RUN, message: str = "It was killed.", now: float = T0 + 10) -> bool:
    """Say from outside that the process of a run is gone."""
    token = the_run(store, run).token
    return store.end_attempt(run, token=token, state=S.CRASHED, name="", message=message, now=now)


def worker_seen(holder: str = "w1", name: str = "ada-1", **fields: object) -> WorkerSeen:
    values = {"holder": holder, "name": name, "host": HOST, "slots": 4, "launcher": "process", "started": T0} | fields
    return WorkerSeen(**values)  # type: ignore[arg-type]  # fields by name


# -- asking for runs --


def test_a_run_that_is_asked_for_is_recorded_with_its_work_and_waits(store: Store) -> None:
    new = a_run(1, key="monday", queue="gpu", priority=3, alone=True, crash_policy=CrashPolicy.RESTART, instant=T0)

    answer = store.work.enqueue([new])

    assert answer == [Enqueued(run=RUN, made=True)]
    assert the_work(store, RUN) == new.work
    run = the_run(store, RUN)
    assert (run.state_type, run.holder, run.token, run.attempt, run.started) == (S.SCHEDULED, "", 1, 1, 0.0)
    assert counted(store) == {"SCHEDULED": 1}


def test_asking_for_runs_wakes_those_who_wait_for_a_change(store: Store) -> None:
    before = store.last_change()

    enqueue(store, a_run(1))

    assert store.last_change() > before
    assert [change.run for change in store.overview.changes(after=before, limit=10)] == [RUN]


def test_asking_for_the_same_run_twice_makes_it_once(store: Store) -> None:
    enqueue(store, a_run(1))

    again = store.work.enqueue([a_run(1, priority=9), a_run(2), a_run(2, priority=9)])

    assert again == [Enqueued(run=RUN, made=False), Enqueued(run=OTHER, made=True), Enqueued(run=OTHER, made=False)]
    assert (the_work(store, RUN).priority, the_work(store, OTHER).priority) == (0, 0)


def test_asking_again_with_the_same_key_gives_the_run_that_was_made_before(store: Store) -> None:
    enqueue(store, a_run(1, key="monday"))

    again = store.work.enqueue([a_run(2, key="monday"), a_run(3, key="tuesday"), a_run(4, key="tuesday")])

    assert [(one.run, one.made) for one in again] == [(RUN, False), (an_id(3), True), (an_id(3), False)]
    assert store.flow_run(OTHER) is None
    assert store.flow_run(an_id(4)) is None


def test_keys_of_other_deployments_and_runs_without_a_key_have_nothing_to_do_with_each_other(store: Store) -> None:
    answers = store.work.enqueue([a_run(1, key="monday"), a_run(2, "hourly", key="monday"), a_run(3), a_run(4)])

    assert all(one.made for one in answers)


def test_a_run_that_was_deleted_is_not_made_again(store: Store) -> None:
    enqueue(store, a_run(1))
    store.end_attempt(RUN, token=1, state=S.CANCELLED, name="", message="", now=T0)
    store.delete_run(RUN, now=T0)

    assert store.work.enqueue([a_run(1)]) == [Enqueued(run=RUN, made=False)]
    assert store.flow_run(RUN) is None


def test_asking_for_nothing_gives_nothing(store: Store) -> None:
    assert store.work.enqueue([]) == []


# -- taking --


def test_work_is_taken_in_the_order_of_priority_then_due_time_then_id(store: Store) -> None:
    enqueue(
        store,
        a_run(1, due=T0 - 1),
        a_run(2, due=T0 - 2),
        a_run(3, due=T0 - 2),
        a_run(4, priority=1),
        a_run(5, priority=-1, due=T0 - 9),
        a_run(6, queue="gpu", priority=1, due=T0 - 1),
    )

    assert take(store, limit=10) == [an_id(n) for n in (6, 4, 2, 3, 1, 5)]


def test_no_more_is_taken_than_asked_for_and_the_rest_stays_in_order(store: Store) -> None:
    enqueue(store, *(a_run(n) for n in (3, 1, 2)))

    assert (take(store, limit=2), take(store, limit=2), take(store)) == ([an_id(1), an_id(2)], [an_id(3)], [])


def test_work_is_not_taken_before_it_is_due(store: Store) -> None:
    enqueue(store, a_run(1, due=T0 + 5), a_run(2, due=T0 + 9))

    assert store.work.next_due(after=T0) == T0 + 5
    assert take(store, now=T0 + 4.9) == []
    assert take(store, now=T0 + 5, limit=9) == [RUN]
    assert store.work.next_due(after=T0) == T0 + 9
    assert store.work.next_due(after=T0 + 9) == 0.0


def test_a_worker_takes_only_from_its_queues(store: Store) -> None:
    enqueue(store, a_run(1, queue="gpu"), a_run(2), a_run(3, queue="cpu"))

    assert take(store, "w1", "cpu", "nothing", limit=9) == [an_id(3)]
    assert take(store, "w1", "default", "gpu", limit=9) == [RUN, OTHER]


def test_work_whose_code_is_on_another_machine_is_left_and_holds_up_nobody(store: Store) -> None:
    enqueue(store, a_run(1, host="there"), a_run(2, host=HOST), a_run(3))

    assert take(store, limit=9) == [an_id(2), an_id(3)]
    assert take(store, "w2", limit=9, host="there") == [RUN]


def test_nothing_is_taken_from_a_paused_queue_and_what_runs_goes_on(store: Store) -> None:
    enqueue(store, a_run(1, queue="gpu"), a_run(2, queue="gpu"), a_run(3))
    take(store, "w1", "gpu")

    store.work.set_queue("gpu", paused=True, slots=None)

    assert take(store, limit=9) == [an_id(3)]
    assert the_work(store, RUN).worker == "w1"
    store.work.set_queue("gpu", paused=False, slots=None)
    assert take(store, limit=9) == [OTHER]


def test_a_queue_gives_no_more_than_it_has_slots_until_one_is_free(store: Store) -> None:
    enqueue(store, *(a_run(n, queue="gpu") for n in (1, 2, 3)), a_run(4))
    store.work.set_queue("gpu", paused=False, slots=2)

    assert take(store, limit=9) == [an_id(1), an_id(2), an_id(4)]
    assert take(store, limit=9) == []
    store.end_attempt(RUN, token=1, state=S.CANCELLED, name="", message="", now=T0)
    assert take(store, limit=9) == [an_id(3)]


def test_a_queue_without_any_slots_gives_nothing(store: Store) -> None:
    enqueue(store, a_run(1))
    store.work.set_queue("default", paused=False, slots=0)

    assert take(store) == []


def test_no_more_runs_of_a_deployment_are_under_way_than_it_allows_and_others_pass_by(store: Store) -> None:
    store.deployments.deploy(a_version(concurrency=2), now=T0)
    enqueue(store, *(a_run(n) for n in (1, 2, 3)), a_run(4, "hourly"))

    assert take(store, limit=9) == [an_id(1), an_id(2), an_id(4)]
    assert take(store, limit=9) == []
    store.end_attempt(OTHER, token=1, state=S.CANCELLED, name="", message="", now=T0)
    assert take(store, limit=9) == [an_id(3)]


def test_what_a_deployment_allows_is_what_its_version_in_force_says(store: Store) -> None:
    store.deployments.deploy(a_version(concurrency=1), now=T0)
    enqueue(store, *(a_run(n) for n in (1, 2, 3)))
    assert take(store, limit=9) == [RUN]

    store.deployments.deploy(a_version(digest="b"), now=T0)

    assert take(store, limit=9) == [an_id(2), an_id(3)]


def test_a_run_that_is_to_be_alone_waits_for_all_others_and_who_is_behind_it_waits_for_it(store: Store) -> None:
    enqueue(store, a_run(1), a_run(2, alone=True), a_run(3), a_run(4, "hourly"))

    assert take(store, limit=9) == [RUN, an_id(4)]
    store.end_attempt(RUN, token=1, state=S.CANCELLED, name="", message="", now=T0)
    assert take(store) == [OTHER]


def test_of_several_that_are_to_be_alone_one_is_taken_at_a_time(store: Store) -> None:
    enqueue(store, *(a_run(n, alone=True) for n in (1, 2, 3)))

    assert take(store, limit=9) == [RUN]
    assert take(store, limit=9) == []


def test_many_who_have_to_wait_hide_nobody_behind_them(store: Store) -> None:
    store.deployments.deploy(a_version(concurrency=1), now=T0)
    store.work.enqueue([a_run(n, due=T0 - 500) for n in range(1, 301)])
    store.work.enqueue([a_run(n, f"alone-{n % 50}", due=T0 - 400, alone=True) for n in range(301, 401)])
    enqueue(store, a_run(500, "hourly"))

    first = take(store, limit=51)

    assert first == [RUN, *(an_id(n) for n in range(301, 351))]
    assert take(store, limit=9) == [an_id(500)]


def test_taking_counts_as_a_change_and_taking_nothing_does_not(store: Store) -> None:
    enqueue(store, a_run(1))
    before = store.last_change()

    take(store)
    after = store.last_change()
    take(store)

    assert before < after == store.last_change()


def test_of_workers_that_take_at_once_each_run_goes_to_one(store: Store) -> None:
    enqueue(store, *(a_run(n) for n in range(1, 41)))
    start = Barrier(4)

    def work_off(worker: str) -> list[str]:
        start.wait()
        mine: list[str] = []
        while taken := take(store, worker, limit=3):
            mine += taken
        return mine

    with ThreadPoolExecutor(4) as pool:
        shares = list(pool.map(work_off, ("w1", "w2", "w3", "w4")))

    assert sorted(run for share in shares for run in share) == [an_id(n) for n in range(1, 41)]


def test_workers_that_take_at_once_together_take_no_more_than_there_are_slots(store: Store) -> None:
    enqueue(store, *(a_run(n) for n in range(1, 21)))
    store.work.set_queue("default", paused=False, slots=5)
    start = Barrier(4)

    def work_off(worker: str) -> int:
        start.wait()
        return sum(len(take(store, worker)) for _ in range(5))

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(work_off, ("w1", "w2", "w3", "w4"))) == 5


# -- from taken to ended --


def test_work_under_way_stays_so_when_its_own_process_claims_the_run(store: Store) -> None:
    enqueue(store, a_run(1))
    take(store)

    begin(store)

    assert (the_work(store, RUN).worker, the_run(store, RUN).holder) == ("w1", "process-a")
    assert take(store, "w2") == []


def test_whoever_claims_a_run_that_waits_has_its_work(store: Store) -> None:
    store.deployments.deploy(a_version(concurrency=1), now=T0)
    enqueue(store, a_run(1), a_run(2))

    claim(store, holder="by-hand")

    assert (the_work(store, RUN).worker, the_work(store, RUN).assigned) == ("by-hand", T0 + 1)
    assert take(store, limit=9) == []


@pytest.mark.parametrize("state", [S.COMPLETED, S.FAILED, S.CANCELLED])
def test_work_is_over_when_its_process_says_that_the_run_has_ended(store: Store, state: S) -> None:
    enqueue(store, a_run(1))
    take(store)
    process = begin(store)

    process.tell(flow_moved(RUN, state, token=2))

    assert (the_work(store, RUN).open, the_work(store, RUN).worker) == (False, "w1")
    assert store.work.open_work() == []
    assert store.work.queues(now=T0) == []


def test_work_is_over_when_its_run_is_cancelled_before_anybody_took_it(store: Store) -> None:
    enqueue(store, a_run(1), a_run(2))

    done = store.end_attempts([Ending(RUN, 1, S.CANCELLED, "Not today.")], now=T0)

    assert done == [True]
    assert not the_work(store, RUN).open
    assert take(store, limit=9) == [OTHER]


def test_a_run_that_failed_and_is_resumed_by_hand_is_work_no_more(store: Store) -> None:
    enqueue(store, a_run(1))
    take(store)
    begin(store).tell(flow_moved(RUN, S.FAILED, token=2))

    claim(store, holder="by-hand")
    crash(store)

    assert not the_work(store, RUN).open
    assert the_run(store, RUN).state_type is S.CRASHED


def test_a_suspended_run_has_no_slot_and_no_worker_until_somebody_claims_it(store: Store) -> None:
    store.deployments.deploy(a_version(concurrency=1), now=T0)
    enqueue(store, a_run(1), a_run(2))
    take(store)

    begin(store).tell(flow_moved(RUN, S.PAUSED, state_name="Suspended", token=2, released=True))

    suspended = the_work(store, RUN)
    assert (suspended.worker, suspended.open) == ("", True)
    assert [work.run for work in store.work.open_work()] == [RUN, OTHER]
    assert [work.run for work in store.work.open_work(waiting=True)] == [OTHER]
    assert store.work.queues(now=T0) == [Queue(name="default", due=1)]
    assert take(store, limit=9) == [OTHER]
    claim(store, holder="by-hand")
    assert (the_work(store, RUN).worker, the_work(store, RUN).open) == ("by-hand", True)


def test_a_run_that_is_paused_by_its_living_process_keeps_its_slot(store: Store) -> None:
    enqueue(store, a_run(1))
    take(store)

    begin(store).tell(flow_moved(RUN, S.PAUSED, token=2))

    assert the_work(store, RUN).worker == "w1"


def test_work_goes_with_its_run_and_its_key_is_free_again(store: Store) -> None:
    enqueue(store, a_run(1, key="monday"))
    store.end_attempt(RUN, token=1, state=S.CANCELLED, name="", message="", now=T0)

    store.delete_run(RUN, now=T0)

    assert store.work.work([RUN]) == {}
    assert store.work.runs_of(NIGHTLY) == []
    enqueue(store, a_run(2, key="monday"))


# -- giving back --


def test_what_nobody_has_claimed_can_be_given_back_and_waits_again(store: Store) -> None:
    enqueue(store, *(a_run(n) for n in (1, 2, 3)))
    take(store, limit=2)
    take(store, "w2")
    claim(store, OTHER)

    given = store.work.give_back("w1", [RUN, OTHER, an_id(3), an_id(99)])

    assert given == [RUN]
    assert (the_work(store, RUN).worker, the_work(store, RUN).assigned) == ("", 0.0)
    assert the_work(store, an_id(3)).worker == "w2"
    assert take(store, "w3", limit=9) == [RUN]


def test_what_waits_and_what_is_over_cannot_be_given_back(store: Store) -> None:
    enqueue(store, a_run(1), a_run(2))
    take(store)
    store.end_attempt(RUN, token=1, state=S.CANCELLED, name="", message="", now=T0)

    assert store.work.give_back("w1", [RUN, OTHER]) == []
    assert store.work.give_back("", [OTHER]) == []


# -- crashes --


def test_a_run_whose_process_was_lost_waits_for_any_worker_again(store: Store) -> None:
    enqueue(store, a_run(1))
    take(store)
    begin(store)

    assert crash(store)

    run, work = the_run(store, RUN), the_work(store, RUN)
    assert (run.state_type, run.state_name, run.holder, run.ended) == (S.SCHEDULED, "AwaitingResume", "", 0.0)
    assert run.message == "It was killed. It is taken up again after 500 ms (crash 1 of 3 in a row)."
    assert (work.worker, work.open, work.crashes, work.due) == ("", True, 1, T0 + 10.5)
    assert counted(store) == {"SCHEDULED": 1}
    assert take(store, "w2", now=T0 + 10.4) == []
    assert take(store, "w2", now=T0 + 10.5) == [RUN]


def test_readers_hear_of_a_run_that_is_to_be_taken_up_again_after_all_below_it(store: Store) -> None:
    enqueue(store, a_run(1))
    begin(store).tell(flow_begun(RUN, id=SUBFLOW, parent=RUN, token=2))
    before = store.last_change()

    crash(store)

    assert [change.run for change in store.overview.changes(after=before, limit=10)] == [SUBFLOW, RUN]


def test_the_attempt_of_a_run_that_is_taken_up_again_has_crashed(store: Store) -> None:
    enqueue(store, a_run(1))
    take(store)
    begin(store)

    crash(store)

    [attempt] = store.attempts(RUN)
    assert (attempt.attempt, attempt.state_type, attempt.message) == (1, S.CRASHED, "It was killed.")
    assert (attempt.holder, attempt.started, attempt.ended) == ("process-a", T0 + 2, T0 + 10)


def test_the_next_claim_makes_the_next_attempt(store: Store) -> None:
    enqueue(store, a_run(1))
    take(store)
    begin(store)
    crash(store)
    take(store, "w2", now=T0 + 20)

    begin(store, holder="process-b", writer="writer-2").tell(flow_moved(RUN, S.COMPLETED, token=4, attempt=2))

    assert told(store.attempts(RUN)) == [(1, 2, "CRASHED"), (2, 4, "COMPLETED")]
    assert store.attempts(RUN)[0].message == "It was killed."
    assert counted(store) == {"COMPLETED": 1}
    assert not the_work(store, RUN).open


def test_what_was_open_below_a_crashed_run_ends_and_what_had_ended_stays(store: Store) -> None:
    enqueue(store, a_run(1))
    process = begin(store)
    process.tell(
        flow_begun(RUN, id=SUBFLOW, parent=RUN, token=2),
        task_begun(RUN, an_id(51), token=2),
        task_moved(RUN, an_id(51), S.COMPLETED, token=2),
        task_begun(RUN, an_id(52), token=2),
        task_begun(RUN, an_id(53), token=2, state=S.PENDING),
    )

    crash(store)

    assert [str(task.state_type) for task in store.task_runs(RUN)] == ["COMPLETED", "CRASHED", "CANCELLED"]
    assert the_run(store, RUN).task_counts == {"COMPLETED": 1, "CRASHED": 1, "CANCELLED": 1}
    assert the_run(store, SUBFLOW).state_type is S.CRASHED


def test_a_crash_that_the_process_itself_tells_of_is_followed_in_the_same_way(store: Store) -> None:
    enqueue(store, a_run(1))
    take(store)
    process = begin(store)
    process.tell(flow_begun(RUN, id=SUBFLOW, parent=RUN, token=2), task_begun(RUN, TASK, token=2))

    process.tell(flow_moved(RUN, S.CRASHED, token=2, message="SIGTERM.", detail="Traceback"))

    run, work = the_run(store, RUN), the_work(store, RUN)
    assert (run.state_type, run.state_name, run.holder, run.ended) == (S.SCHEDULED, "AwaitingResume", "", 0.0)
    assert run.message.startswith("SIGTERM. It is taken up again after 500 ms")
    assert (work.worker, work.crashes, work.due) == ("", 1, T0 + 60.5)
    assert told(store.attempts(RUN)) == [(1, 2, "CRASHED")]
    assert [str(task.state_type) for task in store.task_runs(RUN)] == ["CRASHED"]
    assert the_run(store, SUBFLOW).state_type is S.CRASHED
    assert counted(store) == {"SCHEDULED": 1}


def test_a_whole_attempt_that_arrives_at_once_and_ends_in_a_crash_is_followed_too(store: Store) -> None:
    enqueue(store, a_run(1))
    token = claim(store)

    Writer(store).tell(
        flow_begun(RUN, token=token, flow="etl"),
        task_begun(RUN, TASK, token=token),
        task_moved(RUN, TASK, S.COMPLETED, token=token),
        flow_moved(RUN, S.CRASHED, token=token),
    )

    assert the_run(store, RUN).state_name == "AwaitingResume"
    assert (the_work(store, RUN).crashes, the_work(store, RUN).finished) == (1, 1)
    assert counted(store) == {"SCHEDULED": 1}


def test_what_a_crashed_attempt_still_says_is_kept_aside_and_moves_nothing(store: Store) -> None:
    enqueue(store, a_run(1))
    process = begin(store)
    crash(store)

    applied = process.tell(
        flow_moved(RUN, S.RUNNING, token=2), task_begun(RUN, TASK, token=2), log_line(RUN, "late", token=2)
    )

    assert [refused.why for refused in applied.refused] == [Refusal.FENCED] * 3
    assert the_run(store, RUN).state_name == "AwaitingResume"
    assert store.task_runs(RUN) == []
    assert [(late.run, str(late.state_type)) for late in store.superseded(RUN)] == [(RUN, "RUNNING"), (TASK, "RUNNING")]


def test_of_two_who_see_the_same_death_one_is_heard(store: Store) -> None:
    enqueue(store, a_run(1))
    begin(store)
    seen = the_run(store, RUN).token

    ending = Ending(RUN, seen, S.CRASHED, "It is gone.")
    answers = [store.end_attempts([ending], now=T0 + 10), store.end_attempts([ending], now=T0 + 11)]

    assert answers == [[True], [False]]
    assert the_work(store, RUN).crashes == 1


def test_a_run_whose_process_died_before_it_claimed_it_has_had_an_attempt(store: Store) -> None:
    enqueue(store, a_run(1))
    take(store)

    crash(store, message="Its process ended with status 3.")
    begin(store)

    assert told(store.attempts(RUN)) == [(1, 1, "CRASHED"), (2, 3, "RUNNING")]
    assert the_work(store, RUN).crashes == 1


def test_a_run_whose_process_died_between_claim_and_beginning_has_had_an_attempt(store: Store) -> None:
    enqueue(store, a_run(1))
    claim(store)

    crash(store)
    begin(store)

    assert told(store.attempts(RUN)) == [(1, 2, "CRASHED"), (2, 4, "RUNNING")]


def test_a_run_that_crashes_too_often_in_a_row_is_dead_lettered(store: Store) -> None:
    enqueue(store, a_run(1, most_crashes=2))
    begin(store)
    crash(store)
    begin(store, writer="writer-2")

    crash(store, now=T0 + 30)

    run = the_run(store, RUN)
    assert (run.state_type, run.state_name, run.ended) == (S.CRASHED, "DeadLettered", T0 + 30)
    assert "It has crashed 2 times in a row" in run.message
    assert not the_work(store, RUN).open
    assert (the_work(store, RUN).crashes, counted(store)) == (2, {"CRASHED": 1})
    assert take(store, now=T0 + 1000) == []
    assert told(store.attempts(RUN)) == [(1, 2, "CRASHED"), (2, 4, "CRASHED")]


def test_the_process_itself_can_tell_of_the_crash_that_was_too_many(store: Store) -> None:
    enqueue(store, a_run(1, most_crashes=1))
    begin(store).tell(flow_moved(RUN, S.CRASHED, token=2, message="SIGTERM."))

    run = the_run(store, RUN)
    assert (run.state_type, run.state_name, counted(store)) == (S.CRASHED, "DeadLettered", {"CRASHED": 1})


def test_a_task_that_was_finished_between_two_crashes_starts_the_count_anew(store: Store) -> None:
    enqueue(store, a_run(1, most_crashes=2))
    for n in range(1, 5):
        process = begin(store, writer=f"writer-{n}")
        token = the_run(store, RUN).token
        process.tell(
            task_begun(RUN, an_id(50 + n), token=token), task_moved(RUN, an_id(50 + n), S.COMPLETED, token=token)
        )
        crash(store)

        assert (the_run(store, RUN).state_name, the_work(store, RUN).crashes) == ("AwaitingResume", 1)
        assert the_work(store, RUN).finished == n


def test_doing_a_finished_task_again_with_other_inputs_is_no_progress(store: Store) -> None:
    enqueue(store, a_run(1, most_crashes=2))
    for n, reason in ((1, ""), (2, "its input changed: now")):
        process = begin(store, writer=f"writer-{n}")
        token = the_run(store, RUN).token
        process.tell(
            task_begun(RUN, an_id(50 + n), token=token, reason=reason),
            task_moved(RUN, an_id(50 + n), S.COMPLETED, token=token),
        )
        crash(store)

    assert the_run(store, RUN).state_name == "DeadLettered"


def test_a_task_that_was_cut_short_and_then_finished_is_progress(store: Store) -> None:
    enqueue(store, a_run(1, most_crashes=2))
    begin(store).tell(task_begun(RUN, TASK, token=2))
    crash(store)
    process = begin(store, writer="writer-2")

    process.tell(
        task_begun(RUN, TASK, token=4, attempt=2, was=S.CRASHED, reason="it had not finished"),
        task_moved(RUN, TASK, S.COMPLETED, token=4, attempt=2),
    )
    crash(store)

    assert (the_run(store, RUN).state_name, the_work(store, RUN).crashes) == ("AwaitingResume", 1)


def test_with_the_policy_fail_a_crashed_run_stays_crashed(store: Store) -> None:
    enqueue(store, a_run(1, crash_policy=CrashPolicy.FAIL))
    begin(store)

    crash(store)

    run = the_run(store, RUN)
    assert (run.state_type, run.state_name, run.message) == (S.CRASHED, "Crashed", "It was killed.")
    assert not the_work(store, RUN).open


def test_a_run_of_no_deployment_stays_crashed(store: Store) -> None:
    Writer(store).tell(flow_begun(RUN))

    crash(store)

    assert the_run(store, RUN).state_type is S.CRASHED
    assert store.work.work([RUN]) == {}


def test_a_run_that_waits_to_be_taken_up_again_can_be_cancelled(store: Store) -> None:
    enqueue(store, a_run(1))
    begin(store)
    crash(store)

    token = the_run(store, RUN).token
    done = store.end_attempt(RUN, token=token, state=S.CANCELLED, name="", message="Enough.", now=T0 + 20)

    assert done
    assert (the_run(store, RUN).state_type, the_work(store, RUN).open) == (S.CANCELLED, False)
    assert told(store.attempts(RUN)) == [(1, 2, "CRASHED")]
    assert counted(store) == {"CANCELLED": 1}


def test_what_was_asked_of_a_run_is_still_asked_of_its_next_attempt_and_ends_with_the_last(store: Store) -> None:
    enqueue(store, a_run(1, most_crashes=2))
    begin(store)
    store.ask(Request(run=RUN, kind="cancel", at=T0 + 3, by="ada"))

    crash(store)
    after_the_first = store.requests([RUN])
    begin(store, writer="writer-2")
    crash(store)

    assert [request.kind for request in after_the_first] == ["cancel"]
    assert store.requests([RUN]) == []


def test_of_many_runs_that_end_at_once_each_goes_its_own_way(store: Store) -> None:
    enqueue(store, a_run(1), a_run(2, most_crashes=1), a_run(3, crash_policy=CrashPolicy.FAIL), a_run(4), a_run(5))
    for n in range(1, 6):
        begin(store, an_id(n), writer=f"writer-{n}")
    Writer(store, "plain").tell(flow_begun(an_id(6), flow="etl"))

    endings = [Ending(an_id(n), 2, S.CRASHED, "Gone.") for n in (1, 2, 3)]
    endings += [Ending(an_id(4), 2, S.CANCELLED, "Gone."), Ending(an_id(5), 1, S.CRASHED, "Gone.")]
    answers = store.end_attempts([*endings, Ending(an_id(6), 1, S.CRASHED, "Gone.")], now=T0 + 10)

    assert answers == [True, True, True, True, False, True]
    names = [the_run(store, an_id(n)).state_name for n in range(1, 7)]
    assert names == ["AwaitingResume", "DeadLettered", "Crashed", "Cancelled", "Running", "Crashed"]
    assert [the_work(store, an_id(n)).open for n in range(1, 6)] == [True, False, False, False, True]
    assert counted(store) == {"SCHEDULED": 1, "CRASHED": 3, "CANCELLED": 1, "RUNNING": 1}


def test_a_fenced_holder_whose_run_crashed_is_followed_as_well(store: Store) -> None:
    enqueue(store, a_run(1))
    begin(store)
    store.leases.renew("process-a", term=15.0, first=True)
    store.leases.expire("process-a", renewals=1)

    crash(store)

    assert (the_run(store, RUN).state_name, the_run(store, RUN).token) == ("AwaitingResume", 4)


# -- looking --


def test_work_is_found_by_run_and_runs_without_work_are_left_out(store: Store) -> None:
    enqueue(store, a_run(1), a_run(2))
    Writer(store).tell(flow_begun(an_id(3)))

    found = store.work.work([OTHER, RUN, an_id(3), an_id(99)])

    assert {run: work.run for run, work in found.items()} == {RUN: RUN, OTHER: OTHER}
    assert store.work.work([]) == {}


def test_open_work_is_narrowed_by_deployment_queue_worker_and_whether_it_waits(store: Store) -> None:
    enqueue(store, a_run(1), a_run(2, "hourly"), a_run(3, queue="gpu"), a_run(4, "hourly", priority=1), a_run(5))
    take(store, "w1", "gpu")
    store.end_attempt(an_id(5), token=1, state=S.CANCELLED, name="", message="", now=T0)

    def found(limit: int = 1000, **which: object) -> list[int]:
        works = store.work.open_work(**which, limit=limit)  # type: ignore[arg-type]  # filters by name
        return [next(n for n in range(1, 6) if an_id(n) == work.run) for work in works]

    assert found() == [4, 1, 2, 3]
    assert found(limit=2) == [4, 1]
    assert found(deployment=NIGHTLY) == [1, 3]
    assert found(queue="gpu") == found(worker="w1") == found(waiting=False) == [3]
    assert found(waiting=True) == [4, 1, 2]
    assert found(waiting=True, deployment="hourly") == [4, 2]
    assert found(worker="w1", waiting=True) == found(worker="w2") == []
    assert found(worker="w1", waiting=False, deployment=NIGHTLY, queue="gpu") == [3]


def test_runs_of_a_deployment_come_newest_first_ended_or_not(store: Store) -> None:
    enqueue(
        store,
        a_run(1, schedule="daily"),
        a_run(2, backfill="b"),
        a_run(3, "hourly"),
        a_run(4, schedule="daily", backfill="b"),
    )
    store.end_attempt(RUN, token=1, state=S.CANCELLED, name="", message="", now=T0)

    def found(**which: str) -> list[str]:
        return [work.run for work in store.work.runs_of(NIGHTLY, **which)]  # type: ignore[arg-type]  # texts by name

    assert found() == [an_id(4), an_id(2), an_id(1)]
    assert found(before=an_id(4)) == [an_id(2), an_id(1)]
    assert found(schedule="daily") == [an_id(4), an_id(1)]
    assert found(backfill="b") == [an_id(4), an_id(2)]
    assert found(backfill="b", schedule="daily", before=an_id(4)) == []
    assert [work.run for work in store.work.runs_of(NIGHTLY, limit=1)] == [an_id(4)]


# -- queues --


def test_queues_tell_what_waits_and_what_runs_in_them(store: Store) -> None:
    enqueue(store, a_run(1), a_run(2), a_run(3, due=T0 + 60), a_run(4, queue="gpu"))
    take(store, "w1", "default")
    store.work.set_queue("gpu", paused=True, slots=3)
    store.work.set_queue("idle", paused=False, slots=1)

    assert store.work.queues(now=T0) == [
        Queue(name="default", due=1, later=1, running=1),
        Queue(name="gpu", paused=True, slots=3, due=1),
        Queue(name="idle", slots=1),
    ]


def test_a_queue_like_all_others_is_forgotten(store: Store) -> None:
    store.work.set_queue("gpu", paused=True, slots=None)
    before = store.last_change()

    store.work.set_queue("gpu", paused=False, slots=None)

    assert store.work.queues(now=T0) == []
    assert store.last_change() > before


# -- workers --


def test_workers_are_told_by_name_with_how_many_runs_each_has(store: Store) -> None:
    enqueue(store, *(a_run(n) for n in (1, 2, 3)))
    store.work.worker_began(worker_seen("w2", "grace", queues=("gpu", "cpu"), starts={NIGHTLY: "zygote"}))
    store.work.worker_began(worker_seen("w1", "ada"))
    take(store, "w1", limit=2)

    assert store.work.workers() == [
        worker_seen("w1", "ada", running=2),
        worker_seen("w2", "grace", queues=("gpu", "cpu"), starts={NIGHTLY: "zygote"}),
    ]


def test_what_a_worker_says_anew_takes_the_place_of_what_it_said(store: Store) -> None:
    store.work.worker_began(worker_seen())
    before = store.last_change()

    store.work.worker_began(worker_seen(draining=True))

    assert store.work.workers() == [worker_seen(draining=True)]
    assert store.last_change() > before


def test_what_an_ended_worker_took_and_nobody_claimed_waits_again(store: Store) -> None:
    enqueue(store, *(a_run(n) for n in (1, 2, 3)))
    store.work.worker_began(worker_seen())
    take(store, limit=3)
    claim(store, OTHER)

    freed = store.work.worker_ended("w1")

    assert freed == [RUN, an_id(3)]
    assert store.work.workers() == []
    assert the_work(store, OTHER).worker == "w1"
    assert take(store, "w2", limit=9) == [RUN, an_id(3)]


def test_a_worker_that_is_not_known_any_more_can_end_again(store: Store) -> None:
    assert store.work.worker_ended("w1") == []


def test_a_run_of_which_nonsense_is_said_is_refused_and_nothing_is_kept(store: Store) -> None:
    good, bad = a_run(1, key="monday"), a_run(2)
    bad = NewRun(record=msgspec.structs.replace(bad.record, at=-1.0), work=bad.work)

    with pytest.raises(ValueRefused):
        store.work.enqueue([good, bad])

    assert store.work.work([good.work.run, bad.work.run]) == {}
    assert [one.made for one in store.work.enqueue([good])] == [True]


def test_open_work_of_one_backfill_is_found_alone(store: Store) -> None:
    enqueue(store, a_run(1, backfill="b1"), a_run(2, backfill="b2"), a_run(3))

    assert [work.run for work in store.work.open_work(backfill="b1")] == [an_id(1)]
    assert [work.run for work in store.work.open_work(deployment=NIGHTLY, backfill="b2")] == [an_id(2)]
