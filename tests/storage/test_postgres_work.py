"""Work, deployments and schedules in PostgreSQL: asked by several at once, and when the database goes away."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from nadi.exceptions import ValueRefused
from nadi.model.ticks import BackfillState, BackfillStep, Firing
from nadi.model.work import NewRun
from nadi.storage.contract import Ending
from nadi.storage.postgres import PostgresStore, work
from nadi.storage.postgres.database import Connection, fetch
from tests.journeys.places import until
from tests.postgres import server
from tests.storage.deploying import (
    HOST,
    NIGHTLY,
    a_backfill,
    a_run,
    a_tick,
    a_version,
    enqueue,
    every,
    firing,
    take,
    the_run,
    the_schedule,
    the_work,
)
from tests.storage.telling import T0, S, Writer, an_id, flow_begun, log_line

#: Sessions of a database that wait for others.
WAITING = "FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = %s"


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    yield server().fresh(tmp_path)
    server().start_again()


@pytest.fixture
def stores(url: str) -> Iterator[list[PostgresStore]]:
    """The database as several processes see it, each with connections of its own."""
    made = [PostgresStore(url, patience=20.0) for _ in range(4)]
    yield made
    for store in made:
        store.close()


@contextmanager
def transaction(url: str) -> Iterator[psycopg.Connection[Any]]:
    """A transaction of somebody else, which is given up at the end."""
    with psycopg.connect(url) as connection:
        yield connection
        connection.rollback()


def at_once(stores: list[PostgresStore], act: Callable[[int, PostgresStore], Any]) -> list[Any]:
    """Return what each gave, when all did it at the same moment."""
    start = threading.Barrier(len(stores))

    def do(n: int) -> Any:
        start.wait(30)
        return act(n, stores[n])

    with ThreadPoolExecutor(len(stores)) as pool:
        return list(pool.map(do, range(len(stores))))


def is_waiting(url: str, future: Future[Any]) -> Callable[[], bool]:
    """Tell whether one session of the database waits for another, or what was to wait is done."""

    def look() -> bool:
        with psycopg.connect(server().url("postgres"), autocommit=True) as connection:
            found = connection.execute(f"SELECT count(*) {WAITING}".encode(), (url.rpartition("/")[2],)).fetchone()
        return future.done() or found != (0,)

    return look


# -- taking --


def test_of_many_who_take_at_once_each_gets_runs_of_its_own(stores: list[PostgresStore]) -> None:
    enqueue(stores[0], *(a_run(n) for n in range(1, 41)))

    def act(n: int, store: PostgresStore) -> list[str]:
        return [run for _ in range(15) for run in take(store, f"w{n}")]

    taken = at_once(stores, act)

    everything = [run for runs in taken for run in runs]
    assert len(everything) == 40
    assert set(everything) == {an_id(n) for n in range(1, 41)}
    assert all(the_work(stores[0], run).worker == f"w{n}" for n, runs in enumerate(taken) for run in runs)


def test_slots_of_a_queue_and_runs_of_a_deployment_are_never_exceeded_by_many_who_take(
    stores: list[PostgresStore],
) -> None:
    stores[0].deployments.deploy(a_version("narrow", concurrency=3), now=T0)
    stores[0].work.set_queue("small", paused=False, slots=2)
    enqueue(stores[0], *(a_run(n, "narrow") for n in range(1, 21)))
    enqueue(stores[0], *(a_run(n, "other", queue="small") for n in range(21, 41)))

    taken = at_once(stores, lambda n, store: take(store, f"w{n}", limit=10))

    everything = [the_work(stores[0], run) for runs in taken for run in runs]
    assert sorted(work.deployment for work in everything) == ["narrow"] * 3 + ["other"] * 2


def test_who_takes_waits_for_nobody_who_has_a_run_in_hand(url: str, stores: list[PostgresStore]) -> None:
    enqueue(stores[0], a_run(1), a_run(2))

    with transaction(url) as other:
        other.execute("SELECT 1 FROM flow_run WHERE id = %s FOR UPDATE", (an_id(1),))
        other.execute("UPDATE work SET open = 0 WHERE run = %s", (an_id(1),))
        taken = take(stores[0], limit=5)

    assert taken == [an_id(2)]
    assert take(stores[0], limit=5) == [an_id(1)]


def test_nobody_who_writes_waits_for_the_line(url: str, stores: list[PostgresStore]) -> None:
    enqueue(stores[0], a_run(1), a_run(2), a_run(3))
    stores[0].deployments.deploy(a_version(NIGHTLY, every()), now=T0)
    writer = Writer(stores[0])

    with transaction(url) as other:
        other.execute("SELECT pg_advisory_xact_lock(hashtextextended('nadi takes work', 0))")
        enqueue(stores[0], a_run(4))
        stores[0].claim(an_id(1), holder="me", now=T0)
        ended = stores[0].end_attempts([Ending(an_id(2), 1, S.CANCELLED, "no")], now=T0)
        told = writer.tell(flow_begun(an_id(50)), log_line(an_id(50), "here"))
        fired = stores[0].schedules.fire([firing(stores[0], a_tick(1, a_run(5)))], now=T0)

    assert (ended, fired, told.refused) == ([True], [True], ())


def test_work_that_is_claimed_by_hand_and_taken_at_once_has_one_owner(stores: list[PostgresStore]) -> None:
    runs = [a_run(n) for n in range(1, 21)]
    enqueue(stores[0], *runs)

    def act(n: int, store: PostgresStore) -> list[str]:
        if n % 2:
            return take(store, f"w{n}", limit=20)
        for new in runs:
            store.claim(new.work.run, holder=f"hand-{n}", now=T0, expected_token=None if n == 0 else 2)
        return []

    at_once(stores[:2], act)

    for new in runs:
        owner = the_work(stores[0], new.work.run).worker
        assert owner in ("hand-0", "w1")
        assert the_run(stores[0], new.work.run).holder == "hand-0"


def test_what_is_given_back_while_it_is_claimed_stays_with_who_claimed_it(
    url: str, stores: list[PostgresStore]
) -> None:
    enqueue(stores[0], a_run(1))
    take(stores[0], "w1")

    with ThreadPoolExecutor(1) as pool, transaction(url) as other:
        other.execute("UPDATE flow_run SET state = 'PENDING', holder = 'process', token = 2 WHERE id = %s", (an_id(1),))
        back = pool.submit(stores[0].work.give_back, "w1", [an_id(1)])
        until(is_waiting(url, back))
        other.commit()
        given = back.result(30)

    assert given == []
    assert the_work(stores[0], an_id(1)).worker == "w1"


# -- asking --


def test_of_many_who_ask_with_one_key_at_once_one_makes_the_run_and_all_are_told_of_it(
    stores: list[PostgresStore],
) -> None:
    def act(n: int, store: PostgresStore) -> list[Any]:
        return [
            one
            for key in range(10)
            for one in store.work.enqueue([a_run(100 * n + 10 + key, key=f"k{key}"), a_run(100 * n + 50 + key)])
        ]

    told = at_once(stores, act)

    for key in range(10):
        answers = [answers[2 * key] for answers in told]
        assert len({one.run for one in answers}) == 1
        assert [one.made for one in answers].count(True) == 1
    assert all(one.made for answers in told for one in answers[1::2])
    assert len(stores[0].work.open_work()) == 10 + 4 * 10


def test_who_asks_with_keys_in_another_order_is_answered_too(stores: list[PostgresStore]) -> None:
    def act(n: int, store: PostgresStore) -> list[Any]:
        runs = [a_run(100 * n + key, key=f"k{key}") for key in range(1, 31)]
        return store.work.enqueue(runs if n % 2 else runs[::-1])

    told = at_once(stores, act)

    assert sum(one.made for answers in told for one in answers) == 30
    assert len(stores[0].work.open_work()) == 30


def test_a_run_that_is_asked_for_twice_at_once_is_made_once(stores: list[PostgresStore]) -> None:
    told = at_once(stores, lambda n, store: store.work.enqueue([a_run(k) for k in range(1, 6)]))

    assert sum(one.made for answers in told for one in answers) == 5
    assert stores[0].overview.flows(limit=5)[0].runs == {"SCHEDULED": 5}


def test_a_run_that_a_journal_brings_while_it_is_asked_for_is_there_once(url: str, stores: list[PostgresStore]) -> None:
    with ThreadPoolExecutor(1) as pool, transaction(url) as other:
        columns = "id, root, parent, flow, name, state, state_name, message, detail, version, description, holder"
        zeros = "attempt, token, state_at, created, started, ended, run_count, seen, seq"
        other.execute(
            f"INSERT INTO flow_run ({columns}, {zeros}, tags, parameters, source) VALUES (%s, %s, '', 'etl', 'n',"
            " 'RUNNING', 'Running', '', '', '', '', 'p', 1, 1, 1, 1, 1, 0, 1, 1, 1, '[]', '{}', '')".encode(),
            (an_id(1), an_id(1)),
        )
        asking = pool.submit(stores[0].work.enqueue, [a_run(1)])
        until(is_waiting(url, asking))
        other.commit()
        [told] = asking.result(30)

    assert (told.run, told.made) == (an_id(1), False)
    assert the_run(stores[0], an_id(1)).state_type is S.RUNNING
    assert stores[0].work.work([an_id(1)]) == {}


def test_asking_for_something_that_cannot_be_kept_makes_nothing_of_the_rest(stores: list[PostgresStore]) -> None:
    wrong = a_run(2)
    wrong = NewRun(record=msgspec.structs.replace(wrong.record, at=-1.0), work=wrong.work)

    with pytest.raises(ValueRefused, match="cannot be asked for"):
        stores[0].work.enqueue([a_run(1), wrong])
    with pytest.raises(ValueRefused, match="does not take a value"):
        stores[0].work.enqueue([a_run(3, key="".join(chr(200 + n % 5000) for n in range(5000)))])

    assert stores[0].work.open_work() == []
    assert stores[0].flow_run(an_id(1)) is None


# -- firing --


def fires(store: PostgresStore, n: int, who: int) -> Firing:
    """Return that the n-th deployment fires, with a run that only this one makes."""
    return firing(store, a_tick(1, a_run(1000 * who + n, f"d{n}")), deployment=f"d{n}")


def test_an_instant_that_several_fire_at_once_has_one_run(stores: list[PostgresStore]) -> None:
    for n in range(1, 21):
        stores[0].deployments.deploy(a_version(f"d{n}", every()), now=T0)
    firings = [[fires(stores[0], n, k + 1) for n in range(1, 21)] for k in range(4)]

    done = at_once(stores, lambda n, store: store.schedules.fire(firings[n][:: 1 if n % 2 else -1], now=T0 + 60))

    assert sum(one for answers in done for one in answers) == 20
    assert len(stores[0].work.open_work()) == 20
    for n in range(1, 21):
        [tick] = stores[0].schedules.ticks(f"d{n}")
        assert the_work(stores[0], tick.run).deployment == f"d{n}"


def test_of_two_schedules_that_leave_out_what_overlaps_one_has_a_run(stores: list[PostgresStore]) -> None:
    names = ["a", "b", "c", "d"]
    stores[0].deployments.deploy(a_version(NIGHTLY, *(every(name=name) for name in names)), now=T0)
    decided = [
        firing(stores[0], a_tick(1, a_run(n), skip_note="another one runs"), name=name)
        for n, name in enumerate(names, 1)
    ]

    at_once(stores, lambda n, store: store.schedules.fire([decided[n]], now=T0 + 60))

    outcomes = sorted(str(tick.outcome) for tick in stores[0].schedules.ticks(NIGHTLY))
    assert outcomes == ["run", "skipped", "skipped", "skipped"]
    assert len(stores[0].work.open_work()) == 1


def test_what_fires_while_its_deployment_is_removed_leaves_nothing_that_waits(stores: list[PostgresStore]) -> None:
    for round in range(5):
        stores[0].deployments.deploy(a_version(NIGHTLY, every(), digest=str(round)), now=T0)
        decided = firing(stores[0], a_tick(round, a_run(10 + round)))

        def act(n: int, store: PostgresStore, decided: Firing = decided) -> object:
            return store.deployments.remove(NIGHTLY, now=T0) if n else store.schedules.fire([decided], now=T0)

        at_once(stores[:2], act)

        assert stores[0].work.open_work() == []
        assert stores[0].schedules.schedules() == []


def test_a_backfill_that_is_cancelled_while_it_goes_on_leaves_nothing_that_waits(stores: list[PostgresStore]) -> None:
    for n in range(5):
        backfill = a_backfill(900 + n)
        stores[0].schedules.add_backfill(backfill)
        ticks = (a_tick(n, a_run(10 + n, backfill=backfill.id)),)
        step = BackfillStep(id=backfill.id, seen_decided=0, position=T0, ticks=ticks)

        def act(k: int, store: PostgresStore, step: BackfillStep = step) -> object:
            if k:
                return store.schedules.set_backfill_state(step.id, BackfillState.CANCELLED, now=T0)
            return store.schedules.advance(step, now=T0)

        at_once(stores[:2], act)

        assert stores[0].work.open_work() == []


# -- the database goes away --


def test_a_transaction_that_dies_in_between_leaves_neither_tick_nor_run_nor_lock(
    url: str, stores: list[PostgresStore]
) -> None:
    stores[0].deployments.deploy(a_version(NIGHTLY, every()), now=T0)
    decided = firing(stores[0], a_tick(1, a_run(1)))

    with ThreadPoolExecutor(1) as pool, transaction(url) as other:
        # In its way: the very tick that it is about to write, after its run.
        other.execute("INSERT INTO tick VALUES (%s, %s, '', '', 'run', '', '', 1)", (NIGHTLY, T0 + 60))
        firing_it = pool.submit(stores[0].schedules.fire, [decided], now=T0 + 60)
        until(is_waiting(url, firing_it))
        with psycopg.connect(server().url("postgres"), autocommit=True) as administrator:
            ended = f"SELECT pg_terminate_backend(pid) {WAITING}"
            administrator.execute(ended.encode(), (url.rpartition("/")[2],))
        before = stores[1].schedules.ticks(NIGHTLY), stores[1].work.open_work()
        other.rollback()
        done = firing_it.result(30)  # it was asked again, from the start

    assert before == ([], [])
    assert done == [True]
    [tick] = stores[1].schedules.ticks(NIGHTLY)
    assert tick.run == an_id(1)
    assert take(stores[1]) == [an_id(1)]


def test_a_database_that_is_restarted_between_taking_and_claiming_still_knows_who_has_what(
    stores: list[PostgresStore],
) -> None:
    stores[0].deployments.deploy(a_version(NIGHTLY, every()), now=T0)
    enqueue(stores[0], a_run(1), a_run(2))
    take(stores[0], "w1")

    server().restart(crash=True)
    taken = take(stores[1], "w2", limit=5)
    claim = stores[1].claim(an_id(1), holder="process", now=T0, expected_token=1)
    ended = stores[2].end_attempts([Ending(an_id(1), claim.token, S.CRASHED, "gone")], now=T0)

    assert (taken, ended) == ([an_id(2)], [True])
    assert the_work(stores[3], an_id(1)).worker == ""
    assert the_run(stores[3], an_id(1)).state_name == "AwaitingResume"
    assert the_schedule(stores[3]).cursor == T0


def test_many_runs_whose_processes_are_gone_are_followed_in_a_few_questions(stores: list[PostgresStore]) -> None:
    runs = [a_run(n) for n in range(1, 301)]
    enqueue(stores[0], *runs)
    assert len(take(stores[0], limit=300)) == 300

    ended = stores[0].end_attempts([Ending(new.work.run, 1, S.CRASHED, "gone") for new in runs], now=T0)

    assert all(ended)
    assert stores[0].overview.flows(limit=5)[0].runs == {"SCHEDULED": 300}
    assert len(stores[0].work.take("w2", host=HOST, queues=(), now=T0 + 60, limit=300)) == 300


# -- plans, of tables that nobody has analysed --


def plan(connection: Connection, query: str, values: dict[str, Any] | list[Any]) -> str:
    lines = fetch(connection, f"EXPLAIN {work._SQL[query]}", values)
    return "\n".join(line for (line,) in lines)


def test_the_line_is_read_in_its_order_and_only_as_far_as_it_is_looked_at(stores: list[PostgresStore]) -> None:
    enqueue(stores[0], *(a_run(n) for n in range(1, 1001)))
    values = {"queues": ["default"], "host": HOST, "now": T0, "full": ["other"], "seen": [], "limit": 64}

    with stores[0]._database.write() as connection:
        fetch(connection, work._SQL["keep_order"])
        line, queues = plan(connection, "line", values), plan(connection, "queues_in_line", [])

    assert "using work_line" in line.rpartition("Limit")[2]
    assert "Sort" not in line.rpartition("Limit")[2]
    assert "Sort" not in queues


@pytest.mark.parametrize("query", ["take", "give_back", "close", "suspend", "claimed", "hold_work"])
def test_work_that_is_known_by_its_run_is_found_by_that(stores: list[PostgresStore], query: str) -> None:
    enqueue(stores[0], *(a_run(n) for n in range(1, 1001)))
    named = {"runs": [an_id(1)], "run": an_id(1), "worker": "w", "holder": "w", "now": T0}
    listed: list[Any] = [[an_id(1)], "w"][: work._SQL[query].count("%s")]

    with stores[0]._database.write() as connection:
        found = plan(connection, query, listed or named)

    assert set(re.findall(r"using (\w+) on work|Scan on (work_\w+)", found)) == {("work_pkey", "")}
