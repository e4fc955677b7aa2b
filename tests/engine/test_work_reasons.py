"""Why a run that waits for a worker still waits."""

from __future__ import annotations

from typing import Any

import pytest

from nadi.engine.explaining import explain
from nadi.engine.waiting import LATE, waiting_runs
from nadi.model.states import StateType
from nadi.model.work import WorkerSeen
from nadi.storage.contract import Store
from nadi.storage.home import this_holder
from nadi.storage.memory import MemoryStore
from tests.storage.deploying import HOST, NIGHTLY, a_run, a_version, enqueue, every, take, the_run
from tests.storage.telling import T0, Writer, an_id, flow_begun, flow_moved

RUN, OTHER = an_id(1), an_id(2)
NOW = T0 + 300
OBSERVER = this_holder("reader")


@pytest.fixture
def store() -> MemoryStore:
    made = MemoryStore()
    made.deployments.deploy(a_version(NIGHTLY, every()), now=T0)
    return made


def a_worker(store: Store, name: str = "w1", **fields: Any) -> None:
    values: dict[str, Any] = {"holder": name, "name": name, "host": HOST, "slots": 2, "launcher": "process"}
    store.work.worker_began(WorkerSeen(**values | {"started": T0} | fields))


def begin(store: Store, run: str, *, at: float) -> None:
    claim = store.claim(run, holder="process-a", now=at)
    Writer(store, f"writer-{run}").tell(
        flow_moved(run, StateType.RUNNING, token=claim.token, at=at, was=StateType.PENDING)
    )


def why(store: Store, run: str = RUN) -> str:
    told = explain(store, the_run(store, run), observer=OBSERVER, now=NOW).told
    waits = waiting_runs(store, observer=OBSERVER, limit=10, now=NOW).waiting
    assert [one.why for one in waits if one.run.id == run] == [told]  # the two never differ
    return "\n".join(told)


def test_a_run_that_is_to_come_tells_when_and_for_which_schedule(store: Store) -> None:
    enqueue(store, a_run(1, due=NOW + 90, instant=NOW + 60, schedule="weekdays"))

    assert why(store) == (
        "It is due in 1 min 30 s, at 2027-01-15 08:06:30 UTC for the instant 2027-01-15 08:06:00 UTC of schedule"
        " 'weekdays' of nightly."
    )


def test_where_there_is_no_worker_one_is_to_be_started(store: Store) -> None:
    enqueue(store, a_run(1, host="gpu-box"))

    assert why(store) == (
        "It has been due for 5 min, and waits for a worker.\n"
        "There is no worker. Start one on gpu-box, where its code is: nadi worker"
    )


def test_where_no_worker_serves_its_queue_those_there_are_are_named(store: Store) -> None:
    enqueue(store, a_run(1, queue="gpu"))
    a_worker(store, queues=("etl",))

    assert "No worker serves its queue 'gpu'; there are: w1 (etl, 0 of 2 taken)." in why(store)


def test_where_its_code_is_on_another_machine_that_is_named(store: Store) -> None:
    enqueue(store, a_run(1, host="gpu-box"))
    a_worker(store)

    assert "Its code is only on machine gpu-box, and no worker runs there; there are: w1" in why(store)


def test_a_queue_that_is_paused_is_named_with_what_lets_it_go_on(store: Store) -> None:
    enqueue(store, a_run(1, queue="gpu"))
    a_worker(store)
    store.work.set_queue("gpu", paused=True, slots=None)

    assert why(store).endswith("Its queue 'gpu' is paused: nadi queues resume gpu")


def test_who_has_the_places_of_a_queue_is_named_and_from_history_until_when(store: Store) -> None:
    for n in (5, 6):
        Writer(store, f"past-{n}").tell(
            flow_begun(an_id(n), flow="etl", at=T0 - 9000),
            flow_moved(an_id(n), StateType.COMPLETED, at=T0 - 9000 + 400),
        )
    enqueue(store, a_run(1), a_run(2, priority=1, deployment="other"))
    a_worker(store)
    store.work.set_queue("default", paused=False, slots=1)
    assert take(store, now=NOW - 100) == [OTHER]
    begin(store, OTHER, at=NOW - 100)

    assert why(store).endswith("Its queue 'default' has its only place taken, by run-2 (usually ends in 5 min).")


def test_which_run_a_run_waits_for_that_is_to_be_alone_is_named(store: Store) -> None:
    enqueue(store, a_run(2), a_run(1, alone=True, due=T0 + 1))
    a_worker(store)
    assert take(store) == [OTHER]

    assert why(store).endswith("It waits until no other run of nightly is under way, by run-2 (Scheduled).")


def test_which_runs_take_the_places_of_a_deployment_is_named(store: Store) -> None:
    store.deployments.deploy(a_version(NIGHTLY, every(), digest="b", concurrency=1), now=T0)
    enqueue(store, a_run(2), a_run(1, due=T0 + 1))
    a_worker(store)
    assert take(store) == [OTHER]

    assert why(store).endswith("Deployment nightly has 1 run under way at the most, by run-2 (Scheduled).")


def test_workers_that_are_full_or_draining_are_named(store: Store) -> None:
    enqueue(store, a_run(2), a_run(1, due=T0 + 1))
    a_worker(store, slots=1)
    take(store)
    full = why(store)
    a_worker(store, draining=True)

    assert full.endswith("Every worker that could take it has all its places taken: w1 (all queues, 1 of 1 taken).")
    assert "Every worker that could take it ends with its last run: w1" in why(store)


def test_a_worker_that_has_it_and_starts_it_is_named(store: Store) -> None:
    enqueue(store, a_run(1))
    a_worker(store)
    take(store, now=NOW - 2)

    assert why(store) == "Worker w1 took it 2 s ago, and starts its process."


def test_a_run_that_crashed_tells_why_how_often_and_when_it_goes_on(store: Store) -> None:
    enqueue(store, a_run(1))
    a_worker(store)
    take(store)
    claim = store.claim(RUN, holder="process-a", now=NOW - 1)
    store.end_attempt(RUN, token=claim.token, state=StateType.CRASHED, name="", message="It fell.", now=NOW - 0.25)

    told = why(store)

    assert told.startswith("It fell. It is taken up again after 500 ms (crash 1 of 3 in a row).\nIt is due in 200 ms")


def test_what_nothing_holds_is_taken_at_any_moment(store: Store) -> None:
    enqueue(store, a_run(1))
    a_worker(store)

    assert why(store).endswith("Nothing holds it: a worker takes it at any moment.")


def test_a_run_is_late_a_minute_after_it_was_due(store: Store) -> None:
    enqueue(store, a_run(1, due=NOW + 1000))

    [told] = waiting_runs(store, observer=OBSERVER, limit=10, now=NOW).waiting

    assert told.late_from is not None
    assert told.late_from.timestamp() == NOW + 1000 + LATE
