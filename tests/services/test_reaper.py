"""The reaper's rules, with clocks that tests move."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nadi.exceptions import StoreUnavailable
from nadi.model.holders import Holder
from nadi.model.records import InputAsked
from nadi.model.runs import FlowRun, Request
from nadi.model.states import StateType
from nadi.model.work import WorkerSeen
from nadi.services.reaper import Reaper, Silences
from nadi.storage.contract import Store
from nadi.storage.contracts.leases import Lease
from nadi.storage.home import Home, this_holder
from nadi.storage.memory import MemoryStore
from tests.storage.deploying import a_run, enqueue, take
from tests.storage.telling import T0, Writer, an_id, flow_begun, flow_moved, task_begun

S = StateType
RUN, TASK = an_id(1), an_id(2)
TERM = 300.0

#: A process on a machine that nobody here can look into, and one on this machine that is dead.
FAR = Holder(writer="far-1", host="far", pid=7, started=70, boot="boot-of-far", namespace="pid:[1]").encode()
DEAD = msgspec.structs.replace(this_holder("dead-1"), started=1).encode()
ALIVE = this_holder("alive-1").encode()


class World:
    """A store, a reaper, and their time."""

    def __init__(self, folder: Path, store: Store | None = None) -> None:
        self.store = store or MemoryStore()
        self.time = 1_000.0
        self.wall = T0
        self.reaper = self.another_reaper(folder)

    def another_reaper(self, folder: Path) -> Reaper:
        return Reaper(
            self.store,
            Home(folder / "home"),
            this_holder("reaper"),
            term=TERM,
            wall=lambda: self.wall,
            monotonic=lambda: self.time,
        )

    def look(self, *reapers: Reaper) -> None:
        for reaper in reapers or (self.reaper,):
            reaper.step(self.time)

    def pass_time(self, seconds: float, *, every: float = 10.0, reapers: tuple[Reaper, ...] = ()) -> None:
        for _ in range(int(seconds / every)):
            self.time += every
            self.look(*reapers)

    @property
    def run(self) -> FlowRun:
        found = self.store.flow_run(RUN)
        assert found is not None
        return found


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


# -- silence --


def lease(renewals: int, holder: str = "a", term: float = TERM) -> Lease:
    return Lease(holder=holder, renewals=renewals, term=term)


def heard(*looks: tuple[float, int]) -> list[float]:
    """Return at which of the looks (when, renewals) the lease had been silent for its term."""
    silences = Silences()
    return [at for at, renewals in looks if silences.note([lease(renewals)], asked=at, answered=at)]


def test_a_lease_is_silent_when_it_was_seen_unchanged_for_its_whole_term() -> None:
    assert heard(*[(float(at), 1) for at in range(0, 310, 10)]) == [300.0]


def test_each_renewal_begins_a_new_term() -> None:
    assert heard(*[(float(at), at // 100) for at in range(0, 1000, 10)]) == []


def test_who_has_not_looked_for_a_while_has_not_seen_silence() -> None:
    assert heard((0.0, 1), (290.0, 1), (310.0, 1)) == []


def test_an_answer_that_took_long_counts_as_of_when_it_was_asked_for() -> None:
    silences = Silences()
    silences.note([lease(1)], asked=0.0, answered=1000.0)

    silent = silences.note([lease(1)], asked=1005.0, answered=1005.0)

    assert silent == []


def test_each_lease_is_judged_by_its_own_term() -> None:
    silences = Silences()
    leases = [lease(1, "a", term=300.0), lease(1, "b", term=30.0)]

    told = [silences.note(leases, asked=at, answered=at) for at in (0.0, 7.0, 14.0, 21.0, 28.0, 35.0)]

    assert [[one.holder for one in silent] for silent in told] == [[], [], [], [], [], ["b"]]


# -- who is looked up --


def test_the_run_of_a_dead_process_of_this_machine_crashes_at_the_first_look(world: World) -> None:
    Writer(world.store).tell(flow_begun(RUN, holder=DEAD), task_begun(RUN, TASK))

    world.look()

    assert world.run.state_type is S.CRASHED
    assert "Its process ended without finishing it" in world.run.message
    assert [task.state_type for task in world.store.task_runs(RUN)] == [S.CRASHED]


def test_a_process_that_can_be_seen_to_live_is_never_taken_for_gone(world: World) -> None:
    Writer(world.store).tell(flow_begun(RUN, holder=ALIVE))
    world.store.leases.renew(ALIVE, term=TERM, first=True)

    world.pass_time(10 * TERM)

    assert world.run.state_type is S.RUNNING
    assert [one.renewals for one in world.store.leases.leases()] == [1]


def test_the_lease_of_a_dead_process_goes_with_its_runs(world: World) -> None:
    world.store.leases.renew(DEAD, term=TERM, first=True)

    world.look()

    assert world.store.leases.leases() == []


# -- who is not --


def test_a_far_process_that_is_silent_for_its_term_has_crashed(world: World) -> None:
    Writer(world.store).tell(flow_begun(RUN, holder=FAR), task_begun(RUN, TASK))
    world.store.leases.renew(FAR, term=TERM, first=True)
    world.look()

    world.pass_time(TERM - 10)
    before = world.run.state_type
    world.pass_time(10)

    assert (before, world.run.state_type) == (S.RUNNING, S.CRASHED)
    assert world.run.message == "Nothing was heard of its process for 300 s (process 7 on far)."
    assert world.store.leases.leases() == []


@pytest.mark.parametrize("writer", ["w" * 300, "w\0", "..", "no such form"])
def test_a_holder_that_no_process_has_stops_nobody_else_from_being_judged(world: World, writer: str) -> None:
    for holder in (f"{writer}|far|7|70|boot-of-far|pid:[1]", f"{writer}|far|²|{'9' * 5000}|b|n", FAR):
        world.store.leases.renew(holder, term=TERM, first=True)
    world.look()

    world.pass_time(TERM)

    assert world.store.leases.leases() == []


def test_a_far_process_that_renews_its_lease_is_left_alone(world: World) -> None:
    Writer(world.store).tell(flow_begun(RUN, holder=FAR))
    world.store.leases.renew(FAR, term=TERM, first=True)

    for _ in range(40):
        world.pass_time(60)
        world.store.leases.renew(FAR, term=TERM, first=False)

    assert world.run.state_type is S.RUNNING


def test_a_far_process_without_a_lease_gets_a_whole_term_too(world: World) -> None:
    Writer(world.store).tell(flow_begun(RUN, holder=FAR))
    world.look()

    world.pass_time(TERM)
    before = world.run.state_type
    world.pass_time(20)

    assert (before, world.run.state_type) == (S.RUNNING, S.CRASHED)


def test_a_far_process_that_was_being_cancelled_when_it_fell_silent_has_been_cancelled(world: World) -> None:
    Writer(world.store).tell(flow_begun(RUN, holder=FAR))
    world.store.leases.renew(FAR, term=TERM, first=True)
    world.store.ask(Request(run=RUN, kind="cancel", at=T0, by="ada"))
    world.look()

    world.pass_time(TERM)

    assert world.run.state_type is S.CANCELLED
    assert world.run.message == "Cancelled by ada; nothing was heard of its process for 300 s (process 7 on far)."


def test_a_far_process_that_wakes_after_its_term_changes_nothing(world: World) -> None:
    writer = Writer(world.store)
    writer.tell(flow_begun(RUN, holder=FAR))
    world.store.leases.renew(FAR, term=TERM, first=True)
    world.look()
    world.pass_time(TERM)
    crashed = world.run

    renewed = world.store.leases.renew(FAR, term=TERM, first=False)
    writer.tell(task_begun(RUN, TASK), flow_moved(RUN, S.COMPLETED))

    assert not renewed
    assert (world.run.state_type, world.run.message) == (S.CRASHED, crashed.message)
    assert world.store.task_runs(RUN) == []


def test_leases_that_nobody_needs_any_more_expire_too(world: World) -> None:
    world.store.leases.renew(FAR, term=TERM, first=True)
    world.look()

    world.pass_time(TERM)

    assert world.store.leases.leases() == []


# -- outages and clocks --


class Away:
    """A store that is away while it is told to be."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.away = False

    def __getattr__(self, name: str) -> Any:
        if self.away:
            raise StoreUnavailable("The store is away.")
        return getattr(self._store, name)


def test_after_an_outage_of_the_store_every_lease_has_a_whole_new_term(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = Away(MemoryStore())
    world = World(tmp_path, store)  # type: ignore[arg-type]  # it does all that a store does
    Writer(world.store).tell(flow_begun(RUN, holder=FAR))
    world.store.leases.renew(FAR, term=TERM, first=True)
    world.look()
    world.pass_time(TERM - 20)

    store.away = True
    with caplog.at_level(logging.WARNING):
        world.pass_time(3600)
    store.away = False
    world.look()
    world.pass_time(TERM - 10)
    before = world.run.state_type
    world.pass_time(10)

    assert (before, world.run.state_type) == (S.RUNNING, S.CRASHED)
    assert caplog.text.count("The reaper waits for the store.") == 1


@pytest.mark.parametrize("jump", [-3600.0, 3600.0])
def test_a_clock_that_is_set_by_an_hour_expires_nothing(world: World, jump: float) -> None:
    Writer(world.store).tell(flow_begun(RUN, holder=FAR))
    world.store.leases.renew(FAR, term=TERM, first=True)
    world.look()

    world.pass_time(100)
    world.wall += jump
    world.pass_time(100)

    assert world.run.state_type is S.RUNNING


# -- several reapers --


def test_of_several_reapers_one_expires_a_lease_and_none_does_harm(world: World, tmp_path: Path) -> None:
    Writer(world.store).tell(flow_begun(RUN, holder=FAR))
    reapers = (world.reaper, world.another_reaper(tmp_path / "two"), world.another_reaper(tmp_path / "three"))
    world.look(*reapers)

    world.pass_time(TERM + 50, reapers=reapers)

    assert world.run.state_type is S.CRASHED
    assert world.run.token == 2
    assert [one.state_type for one in world.store.attempts(RUN)] == [S.CRASHED]


def test_what_a_reaper_that_died_between_expiry_and_end_left_is_ended_by_another(world: World) -> None:
    Writer(world.store).tell(flow_begun(RUN, holder=FAR))
    world.store.leases.renew(FAR, term=TERM, first=True)
    world.store.leases.expire(FAR, renewals=1)
    world.look()

    world.pass_time(TERM + 20)

    assert world.run.state_type is S.CRASHED


# -- suspended runs, and the pace --


def test_a_suspended_run_that_nobody_answered_in_time_fails(world: World) -> None:
    asked = InputAsked(
        root=RUN, token=1, at=T0, id=RUN, key="ok", deadline=T0 + 60, schema=b"", description="", initial=b""
    )
    writer = Writer(world.store)
    writer.tell(flow_begun(RUN, holder=ALIVE), asked, flow_moved(RUN, S.PAUSED, released=True))

    world.wall = T0 + 61
    world.look()

    assert (world.run.state_type, world.run.state_name) == (S.FAILED, "TimedOut")


def test_looks_come_often_enough_for_the_shortest_term(world: World) -> None:
    world.store.leases.renew(FAR, term=2.0, first=True)

    assert world.reaper.step(world.time) <= 0.1


def test_a_reaper_that_finds_nothing_looks_every_two_seconds(world: World) -> None:
    assert world.reaper.step(world.time) == 2.0


# -- workers --


def begin_worker(store: Store, holder: str) -> None:
    store.work.worker_began(WorkerSeen(holder=holder, name="w", host="far", slots=1, launcher="process", started=T0))


def test_what_a_dead_worker_of_this_machine_took_waits_again_at_the_first_look(world: World) -> None:
    begin_worker(world.store, DEAD)
    enqueue(world.store, a_run(1))
    assert take(world.store, DEAD) == [an_id(1)]

    world.look()

    assert world.store.work.workers() == []
    assert take(world.store, "another") == [an_id(1)]


def test_a_worker_that_lives_keeps_what_it_took(world: World) -> None:
    begin_worker(world.store, ALIVE)
    enqueue(world.store, a_run(1))
    take(world.store, ALIVE)

    world.pass_time(2 * TERM)

    assert [seen.holder for seen in world.store.work.workers()] == [ALIVE]
    assert take(world.store, "another") == []


@pytest.mark.parametrize("has_lease", [True, False])
def test_what_a_far_worker_took_waits_again_when_it_was_silent_for_its_term(tmp_path: Path, has_lease: bool) -> None:
    world = World(tmp_path, SharedStore())
    begin_worker(world.store, FAR)
    if has_lease:
        world.store.leases.renew(FAR, term=TERM, first=True)
    enqueue(world.store, a_run(1))
    take(world.store, FAR)
    world.look()

    world.pass_time(TERM - 10)
    before = len(world.store.work.workers())
    world.pass_time(20)

    assert (before, world.store.work.workers()) == (1, [])
    assert take(world.store, "another") == [an_id(1)]


def test_a_far_worker_of_a_store_that_is_not_shared_keeps_no_lease_and_is_left_alone(world: World) -> None:
    begin_worker(world.store, FAR)

    world.pass_time(3 * TERM)

    assert [seen.holder for seen in world.store.work.workers()] == [FAR]
    assert world.store.leases.leases() == []


class SharedStore(MemoryStore):
    """A store in memory that says that other machines reach it."""

    shared = True
