"""Many writers of PostgreSQL at the same rows: none waits for another in a circle, and what is counted stays right."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

import psycopg
import pytest

from nadi.exceptions import RunError
from nadi.model.ids import uuid7
from nadi.model.limits import SlotClaim
from nadi.model.records import AnyRecord
from nadi.model.results import ResultRef
from nadi.model.runs import RunFilter
from nadi.model.ticks import BackfillState, BackfillStep, Firing, NewTick, StandingSchedule, TickOutcome
from nadi.model.work import NewRun
from nadi.storage.contract import Ending
from nadi.storage.contracts.cache import CacheEntry
from nadi.storage.postgres import PostgresStore
from tests.journeys.places import until
from tests.postgres import server
from tests.storage.deploying import HOST, a_backfill, a_run, a_version, every
from tests.storage.telling import (
    T0,
    S,
    Writer,
    an_id,
    asset_made,
    event_emitted,
    flow_begun,
    flow_moved,
    log_line,
    task_begun,
    task_moved,
)

ROOTS = [an_id(n) for n in range(1, 9)]
#: Named by many runs, and of runs that are not there.
FILES = [f"store/{an_id(900 + n)}/1/file" for n in range(6)]
LIMITS = ["gpu", "db", "api"]
DEPLOYMENTS = ["nightly", "hourly"]
BACKFILL = an_id(800)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return server().fresh(tmp_path)


@pytest.fixture
def stores(url: str) -> Iterator[list[PostgresStore]]:
    """The database as three processes see it, each with connections of its own."""
    made = [PostgresStore(url, patience=30.0) for _ in range(3)]
    yield made
    for store in made:
        store.close()


class Somebody:
    """Does one thing after the other to what all others change too, in an order that differs from theirs."""

    def __init__(self, store: PostgresStore, number: int) -> None:
        self.store, self.dice = store, random.Random(number)
        self.writer = Writer(store, f"writer-{number}")
        self.number = number
        self.claims = self.runs = 0
        self.deeds: list[Callable[[], object]] = [
            *[self.tell] * 5,
            *[self.put, self.put, self.remove],
            *[self.take_slots, self.take_slots, self.renew_slots, self.end_slots],
            *[self.claim, self.end, self.delete, self.bury],
            partial(store.retention.sweep, rows=20),
            partial(store.retention.fold_counts, rows=5),
            partial(store.retention.forget_tombstones, before=T0 * 2, limit=50),
            self.forget_files,
            self.expire,
            *[self.enqueue, self.enqueue, self.take, self.take, self.give_back, self.end_worker],
            *[self.fire, self.fire, self.deploy, self.pause, self.undeploy],
            *[self.go_on, self.cancel_backfill],
        ]

    def act(self, times: int) -> None:
        for _ in range(times):
            with suppress(RunError):
                self.dice.choice(self.deeds)()

    def tell(self) -> None:
        self.writer.tell(*[self.record(root) for root in self.dice.sample(ROOTS, 3) for _ in range(3)])

    def record(self, root: str) -> AnyRecord:
        n, dice = self.dice.randrange(5), self.dice
        token = dice.choice([1, 1, 2])
        result = ResultRef("file", key=dice.choice(FILES))
        records: list[AnyRecord] = [
            flow_begun(root, token=token, flow=dice.choice("ab"), at=T0 + n * 3600, tags=(dice.choice("xyz"),)),
            flow_moved(root, dice.choice([S.COMPLETED, S.FAILED]), token=token, result=result),
            task_begun(root, f"{root}-{n}", token=token),
            task_moved(root, f"{root}-{n}", S.COMPLETED, token=token, result=result),
            log_line(root, "here", token=token),
            event_emitted(root, an_id(100 + n), token=token),
            asset_made(root, an_id(100 + n), f"s3://{n}", f"s3://{dice.randrange(5)}", token=token),
        ]
        return dice.choice(records)

    def put(self) -> None:
        file, root = self.dice.choice(FILES), self.dice.choice(ROOTS)
        self.store.cache.put(
            [
                CacheEntry(
                    key=key,
                    task=self.dice.choice("ab"),
                    result=ResultRef("file", key=file),
                    root=root,
                    token=9,
                    run=root,
                    task_run=an_id(50),
                    name="clean-0",
                    created=T0,
                )
                for key in self.dice.sample("klmnop", 4)
            ]
        )

    def remove(self) -> None:
        which = self.dice.choice([{"keys": self.dice.sample("klmnop", 4)}, {"task": "a"}, {"task": "b"}])
        self.store.cache.remove(now=T0, **which)  # type: ignore[arg-type]  # one or the other

    def take_slots(self) -> None:
        self.claims += 1
        names = tuple(self.dice.sample(LIMITS, 2))
        id = f"{self.writer.name}-{self.claims}"
        self.store.limits.set_limit(self.dice.choice(LIMITS), slots=2, decay=0.0, now=T0)
        self.store.limits.claim_slots(SlotClaim(id=id, names=names, slots=1, holder="me", term=9.0, at=T0), wait=True)

    def renew_slots(self) -> None:
        self.store.limits.renew([claim.id for claim in self.store.limits.claims()])

    def end_slots(self) -> None:
        claims = self.store.limits.claims()
        self.dice.shuffle(claims)
        self.store.limits.end_claims({claim.id: claim.renewals for claim in claims[:5]})

    def claim(self) -> None:
        self.store.claim(self.dice.choice(ROOTS), holder="me", now=T0)

    def end(self) -> None:
        runs = [(run, token) for run in self.dice.sample(ROOTS, 4) for token in (1, 2)]
        self.store.end_attempts([Ending(run, token, S.CRASHED, "gone") for run, token in runs], now=T0)

    def delete(self) -> None:
        self.store.delete_run(self.dice.choice(ROOTS), now=T0)

    def bury(self) -> None:
        self.store.retention.bury(self.dice.sample(ROOTS, 4), now=T0)

    def forget_files(self) -> None:
        for root in ROOTS:
            self.store.result_files.mark_collected(root)
        self.store.result_files.forget_files(self.dice.sample(FILES, 4))

    def expire(self) -> None:
        self.store.leases.renew("me", term=9.0, first=True)
        for lease in self.store.leases.leases():
            self.store.leases.expire(lease.holder, renewals=lease.renewals)

    def a_run(self) -> NewRun:
        self.runs += 1
        id = self.dice.choice(ROOTS) if self.dice.random() < 0.3 else uuid7(T0, self.number * 100_000 + self.runs)
        key = self.dice.choice(["", "k1", "k2", "k3"])
        return a_run(1, self.dice.choice(DEPLOYMENTS), run=id, key=key, backfill=self.dice.choice(["", BACKFILL]))

    def enqueue(self) -> None:
        self.store.work.enqueue([self.a_run() for _ in range(3)])

    def take(self) -> None:
        self.store.work.take(self.dice.choice(["me", "you"]), host=HOST, queues=(), now=T0 * 2, limit=3)

    def give_back(self) -> None:
        self.store.work.give_back("me", [work.run for work in self.store.work.open_work(worker="me")])

    def end_worker(self) -> None:
        self.store.work.worker_ended("you")

    def deploy(self) -> None:
        schedules = [every(60.0 * self.dice.randrange(1, 4), name=name) for name in self.dice.sample("pqr", 2)]
        name, digest = self.dice.choice(DEPLOYMENTS), str(self.dice.random())
        self.store.deployments.deploy(a_version(name, *schedules, digest=digest, concurrency=2), now=T0)

    def pause(self) -> None:
        name, paused = self.dice.choice(DEPLOYMENTS), self.dice.random() < 0.3
        self.store.deployments.set_paused(name, paused, now=T0)
        self.store.schedules.set_paused(name, self.dice.choice("pqr"), paused, now=T0)

    def undeploy(self) -> None:
        if self.dice.random() < 0.3:
            self.store.deployments.remove(self.dice.choice(DEPLOYMENTS), now=T0)

    def fire(self) -> None:
        standing = self.store.schedules.schedules()
        self.dice.shuffle(standing)
        note = self.dice.choice(["", "another one runs"])
        self.store.schedules.fire([self.firing(one, note) for one in standing[:4]], now=T0)

    def firing(self, one: StandingSchedule, note: str) -> Firing:
        instant = one.cursor + 60.0
        tick = NewTick(instant=instant, outcome=TickOutcome.RUN, run=self.a_run(), skip_note=note)
        return Firing(
            deployment=one.deployment,
            schedule=one.name,
            seen_cursor=one.cursor,
            seen_version=one.version,
            cursor=instant,
            next=instant + 60.0,
            ticks=(tick,),
        )

    def go_on(self) -> None:
        self.store.schedules.add_backfill(a_backfill(id=BACKFILL))
        found = self.store.schedules.backfill(BACKFILL)
        assert found is not None
        instant = T0 + 60.0 * found.decided
        tick = NewTick(
            instant=instant, outcome=TickOutcome.RUN, run=self.a_run(), skip_note=self.dice.choice(["", "x"])
        )
        step = BackfillStep(id=BACKFILL, seen_decided=found.decided, position=instant, ticks=(tick,))
        self.store.schedules.advance(step, now=T0)

    def cancel_backfill(self) -> None:
        states = [BackfillState.PAUSED, BackfillState.RUNNING] * 5 + [BackfillState.CANCELLED]
        self.store.schedules.set_backfill_state(BACKFILL, self.dice.choice(states), now=T0)


def deadlocks_so_far(url: str) -> int:
    with psycopg.connect(server().url("postgres"), autocommit=True) as connection:
        sql = "SELECT deadlocks FROM pg_stat_database WHERE datname = %s"
        ((found,),) = connection.execute(sql, (url.rpartition("/")[2],)).fetchall()
    return int(found)


def deadlocks(url: str) -> int:
    """Return how many there have been in a database, once all sessions are over: then each has said what it saw."""
    name = url.rpartition("/")[2]
    with psycopg.connect(server().url("postgres"), autocommit=True) as connection:

        def is_alone() -> bool:
            sql = "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = %s"
            return bool(connection.execute(sql, (name,)).fetchone() == (True,))

        until(is_alone)
    return deadlocks_so_far(url)


def check_that_nobody_waits_in_a_circle(url: str, stores: list[PostgresStore], times: int, seed: int = 0) -> None:
    before = deadlocks_so_far(url)
    with ThreadPoolExecutor(9) as pool:
        done = [pool.submit(Somebody(stores[n % 3], seed + n).act, times) for n in range(9)]
        for each in done:
            each.result(300)
    runs = stores[0].flow_runs(RunFilter(), limit=100_000)
    flows = stores[0].overview.flows(limit=10)
    assert sum(n for flow in flows for n in flow.runs.values()) == len(runs)
    assert {flow.name for flow in flows} == {run.flow for run in runs}
    for bucket in stores[0].overview.history(since=T0 - 3600, until=T0 + 9 * 3600):
        made = [run for run in runs if bucket.start <= run.created < bucket.start + 3600]
        assert sum(bucket.runs.values()) == len(made)
    for store in stores:
        store.close()
    assert deadlocks(url) == before


def test_writers_of_the_same_rows_never_wait_for_each_other_in_a_circle(url: str, stores: list[PostgresStore]) -> None:
    check_that_nobody_waits_in_a_circle(url, stores, times=60)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 600, 100))
def test_writers_of_the_same_rows_do_so_for_long(url: str, stores: list[PostgresStore], seed: int) -> None:
    check_that_nobody_waits_in_a_circle(url, stores, times=600, seed=seed)


def test_of_all_who_bring_one_run_there_at_once_the_first_counts(stores: list[PostgresStore]) -> None:
    start = threading.Barrier(6)

    def found(n: int) -> None:
        writer = Writer(stores[n % 3], f"writer-{n}")
        for root in ROOTS:
            start.wait(30)
            writer.tell(flow_begun(root, flow=f"flow-{n}"), log_line(root, str(n)))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(found, range(6)))

    runs = stores[0].flow_runs(RunFilter(), limit=100)
    told = {flow.name: sum(flow.runs.values()) for flow in stores[0].overview.flows(limit=10)}
    assert len(runs) == len(ROOTS)
    assert told == {name: sum(run.flow == name for run in runs) for name in {run.flow for run in runs}}
    assert all(len(stores[0].logs(root)) == 6 for root in ROOTS)
