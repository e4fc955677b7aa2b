"""Schedules, ticks and backfills: what every store promises of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from msgspec.structs import replace

from nadi.model.ticks import Backfill, BackfillState, BackfillStep, Tick, TickOutcome
from nadi.storage.contract import Store
from tests.storage.deploying import (
    NIGHTLY,
    a_backfill,
    a_run,
    a_tick,
    a_version,
    counted,
    enqueue,
    every,
    firing,
    take,
    the_run,
    the_schedule,
    the_work,
)
from tests.storage.telling import T0, S, an_id

RUN, OTHER = an_id(1), an_id(2)
BACKFILL = an_id(900)


@pytest.fixture(autouse=True)
def _deployed(store: Store) -> None:
    store.deployments.deploy(a_version(NIGHTLY, every()), now=T0)


def step(store: Store, *ticks: object, seen: int | None = None, ended: float = 0.0) -> BackfillStep:
    found = store.schedules.backfill(BACKFILL)
    assert found is not None
    return BackfillStep(
        id=BACKFILL,
        seen_decided=found.decided if seen is None else seen,
        position=T0 - 60,
        ticks=ticks,  # type: ignore[arg-type]  # NewTicks, as callers give them
        ended=ended,
    )


def the_backfill(store: Store) -> Backfill:
    found = store.schedules.backfill(BACKFILL)
    assert found is not None
    return found


# -- which are due --


def test_schedules_are_due_when_their_next_instant_has_come_earliest_first(store: Store) -> None:
    schedules = (every(60, "a"), every(60, "b"), every(60, "c"))
    store.deployments.deploy(a_version("hourly", *schedules), now=T0)
    for name, after in (("a", 30.0), ("b", 10.0), ("c", 99.0)):
        store.schedules.fire([firing(store, name=name, deployment="hourly", next=T0 + after)], now=T0)
    store.schedules.fire([firing(store, next=T0 + 20)], now=T0)

    def due(now: float, limit: int = 1000) -> list[tuple[str, str]]:
        return [(one.deployment, one.name) for one in store.schedules.due(now=now, limit=limit)]

    assert due(T0 + 9) == []
    assert due(T0 + 30) == [("hourly", "b"), (NIGHTLY, ""), ("hourly", "a")]
    assert due(T0 + 30, limit=1) == [("hourly", "b")]
    assert store.schedules.next_at() == T0 + 10


def test_a_schedule_that_is_over_is_never_due(store: Store) -> None:
    store.schedules.fire([firing(store, next=0.0)], now=T0)

    assert store.schedules.due(now=T0 + 1e6) == []
    assert store.schedules.next_at() == 0.0


def test_a_paused_schedule_is_not_due_and_goes_on_from_when_it_is_let(store: Store) -> None:
    assert store.schedules.set_paused(NIGHTLY, "", True, now=T0 + 10)
    assert (store.schedules.due(now=T0 + 1e6), store.schedules.next_at()) == ([], 0.0)

    assert store.schedules.set_paused(NIGHTLY, "", False, now=T0 + 500)

    standing = the_schedule(store)
    assert (standing.active, standing.paused, standing.cursor, standing.next) == (True, False, T0 + 500, T0 + 500)
    assert [one.name for one in store.schedules.due(now=T0 + 500)] == [""]


def test_a_schedule_of_a_paused_deployment_waits_for_both(store: Store) -> None:
    store.schedules.set_paused(NIGHTLY, "", True, now=T0)
    store.deployments.set_paused(NIGHTLY, True, now=T0)

    store.schedules.set_paused(NIGHTLY, "", False, now=T0 + 10)
    after_one = the_schedule(store)
    store.deployments.set_paused(NIGHTLY, False, now=T0 + 20)

    assert (after_one.active, after_one.paused) == (False, False)
    assert (the_schedule(store).active, the_schedule(store).cursor) == (True, T0 + 20)


def test_pausing_what_is_paused_or_going_on_with_what_goes_on_changes_nothing(store: Store) -> None:
    before = store.last_change()

    assert store.schedules.set_paused(NIGHTLY, "", False, now=T0 + 500)

    assert (the_schedule(store).cursor, store.last_change()) == (T0, before)
    assert not store.schedules.set_paused(NIGHTLY, "no-such", True, now=T0)
    assert not store.schedules.set_paused("weekly", "", True, now=T0)


def test_schedules_come_by_deployment_and_name_page_by_page(store: Store) -> None:
    store.deployments.deploy(a_version("hourly", every(60, "b"), every(60, "a")), now=T0)

    def found(**which: object) -> list[tuple[str, str]]:
        listed = store.schedules.schedules(**which)  # type: ignore[arg-type]  # filters by name
        return [(one.deployment, one.name) for one in listed]

    assert found() == [("hourly", "a"), ("hourly", "b"), (NIGHTLY, "")]
    assert found(limit=1) == [("hourly", "a")]
    assert found(after=("hourly", "a"), limit=1) == [("hourly", "b")]
    assert found(after=("hourly", "b")) == [(NIGHTLY, "")]
    assert found(deployment="hourly") == [("hourly", "a"), ("hourly", "b")]
    assert found(deployment=NIGHTLY, after=("hourly", "b")) == [(NIGHTLY, "")]


# -- firing --


def test_a_firing_moves_the_schedule_and_makes_the_run_of_its_tick(store: Store) -> None:
    before = store.last_change()

    done = store.schedules.fire([firing(store, a_tick(1, a_run(1, instant=T0 + 60, schedule="s")))], now=T0 + 60.01)

    assert done == [True]
    assert (the_schedule(store).cursor, the_schedule(store).next) == (T0 + 60, T0 + 120)
    assert store.schedules.ticks(NIGHTLY) == [
        Tick(deployment=NIGHTLY, schedule="", instant=T0 + 60, outcome=TickOutcome.RUN, run=RUN, at=T0 + 60.01)
    ]
    assert (the_run(store, RUN).state_type, the_work(store, RUN).instant) == (S.SCHEDULED, T0 + 60)
    assert counted(store) == {"SCHEDULED": 1}
    assert store.last_change() > before
    assert take(store, limit=9) == [RUN]


def test_what_was_missed_or_skipped_leaves_a_tick_that_says_why(store: Store) -> None:
    ticks = (a_tick(1, note="Nobody was there."), a_tick(2, outcome=TickOutcome.SKIPPED, note="A holiday."))

    store.schedules.fire([firing(store, *ticks)], now=T0 + 200)

    found = [(tick.instant, tick.outcome, tick.note, tick.run) for tick in store.schedules.ticks(NIGHTLY)]
    assert found == [
        (T0 + 120, TickOutcome.SKIPPED, "A holiday.", ""),
        (T0 + 60, TickOutcome.MISSED, "Nobody was there.", ""),
    ]


def test_a_firing_that_saw_another_cursor_or_version_does_nothing(store: Store) -> None:
    late = firing(store, a_tick(1, a_run(1)))
    store.schedules.fire([firing(store, a_tick(1, a_run(2)))], now=T0 + 60)
    old = firing(store, a_tick(2, a_run(3)), seen_version=7)
    gone = firing(store, a_tick(2, a_run(3)), schedule="no-such")

    assert store.schedules.fire([late, old, gone], now=T0 + 61) == [False, False, False]
    assert [tick.run for tick in store.schedules.ticks(NIGHTLY)] == [OTHER]
    assert the_schedule(store).cursor == T0 + 60
    assert store.flow_run(RUN) is None


@pytest.mark.parametrize("whole", [False, True])
def test_a_firing_of_what_was_paused_meanwhile_does_nothing(store: Store, whole: bool) -> None:
    decided = firing(store, a_tick(1, a_run(1)))
    if whole:
        store.deployments.set_paused(NIGHTLY, True, now=T0 + 1)
    else:
        store.schedules.set_paused(NIGHTLY, "", True, now=T0 + 1)

    assert store.schedules.fire([decided], now=T0 + 60) == [False]
    assert (store.flow_run(RUN), store.schedules.ticks(NIGHTLY)) == (None, [])


def test_an_instant_that_has_a_tick_gets_no_second_run(store: Store) -> None:
    store.schedules.fire([firing(store, a_tick(1, a_run(1)))], now=T0 + 60)

    done = store.schedules.fire([firing(store, a_tick(1, a_run(2)), a_tick(2, a_run(3)))], now=T0 + 120)

    assert done == [True]
    assert [tick.run for tick in store.schedules.ticks(NIGHTLY)] == [an_id(3), RUN]
    assert store.flow_run(OTHER) is None


def test_a_tick_stays_when_its_run_is_deleted_and_the_instant_is_not_run_again(store: Store) -> None:
    store.schedules.fire([firing(store, a_tick(1, a_run(1)))], now=T0 + 60)
    store.end_attempt(RUN, token=1, state=S.CANCELLED, name="", message="", now=T0 + 61)
    store.delete_run(RUN, now=T0 + 62)

    store.schedules.fire([firing(store, a_tick(1, a_run(2)))], now=T0 + 63)

    assert [tick.run for tick in store.schedules.ticks(NIGHTLY)] == [RUN]
    assert store.flow_run(OTHER) is None


def test_a_tick_that_gives_way_is_skipped_while_a_run_of_the_deployment_has_not_ended(store: Store) -> None:
    enqueue(store, a_run(9))
    store.schedules.fire([firing(store, a_tick(1, a_run(1), skip_note="One runs."))], now=T0 + 60)
    store.end_attempt(an_id(9), token=1, state=S.CANCELLED, name="", message="", now=T0 + 61)

    store.schedules.fire([firing(store, a_tick(2, a_run(2), skip_note="One runs."))], now=T0 + 120)

    found = [(tick.outcome, tick.note, tick.run) for tick in store.schedules.ticks(NIGHTLY)]
    assert found == [(TickOutcome.RUN, "", OTHER), (TickOutcome.SKIPPED, "One runs.", "")]
    assert store.flow_run(RUN) is None


def test_a_tick_gives_way_to_one_of_the_same_call_and_to_none_of_another_deployment(store: Store) -> None:
    store.deployments.deploy(a_version("hourly", every()), now=T0)
    enqueue(store, a_run(9, "weekly"))
    note = "One runs."
    both = [
        firing(store, a_tick(1, a_run(1), skip_note=note), a_tick(2, a_run(2), skip_note=note)),
        firing(store, a_tick(1, a_run(3, "hourly"), skip_note=note), deployment="hourly"),
    ]

    store.schedules.fire(both, now=T0 + 120)

    outcomes = [(tick.outcome, tick.run) for tick in store.schedules.ticks(NIGHTLY)]
    assert outcomes == [(TickOutcome.SKIPPED, ""), (TickOutcome.RUN, RUN)]
    assert [tick.run for tick in store.schedules.ticks("hourly")] == [an_id(3)]


def test_of_schedulers_that_fire_the_same_at_once_one_does(store: Store) -> None:
    decided = [firing(store, a_tick(1, a_run(n))) for n in range(1, 5)]
    start = Barrier(4)

    def fire(n: int) -> bool:
        start.wait()
        return store.schedules.fire([decided[n]], now=T0 + 60)[0]

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(fire, range(4)))

    assert sorted(done) == [False, False, False, True]
    assert [tick.run for tick in store.schedules.ticks(NIGHTLY)] == [an_id(1 + done.index(True))]
    assert counted(store) == {"SCHEDULED": 1}


def test_many_schedules_fire_in_one_call(store: Store) -> None:
    many = [every(60, f"s{n}") for n in range(100)]
    store.deployments.deploy(a_version("many", *many), now=T0)

    done = store.schedules.fire(
        [firing(store, a_tick(1, a_run(n, "many")), name=f"s{n}", deployment="many") for n in range(100)], now=T0 + 60
    )

    assert done == [True] * 100
    assert len(store.work.open_work(deployment="many")) == 100
    assert len(store.schedules.ticks("many")) == 100


def test_firing_nothing_changes_nothing(store: Store) -> None:
    before = store.last_change()

    assert store.schedules.fire([], now=T0) == []
    assert store.last_change() == before


# -- ticks --


def test_ticks_come_latest_first_and_are_narrowed(store: Store) -> None:
    store.deployments.deploy(a_version(NIGHTLY, every(60, "a"), every(60, "b"), digest="b"), now=T0)
    for name in "ab":
        store.schedules.fire([firing(store, a_tick(1), a_tick(2), name=name)], now=T0 + 120)
    store.schedules.add_backfill(a_backfill(schedule="a"))
    store.schedules.advance(step(store, a_tick(2), a_tick(-1)), now=T0 + 130)

    def found(**which: object) -> list[tuple[int, str, bool]]:
        ticks = store.schedules.ticks(NIGHTLY, **which)  # type: ignore[arg-type]  # filters by name
        return [(round((tick.instant - T0) / 60), tick.schedule, bool(tick.backfill)) for tick in ticks]

    assert found() == [
        (2, "a", False),
        (2, "a", True),
        (2, "b", False),
        (1, "a", False),
        (1, "b", False),
        (-1, "a", True),
    ]
    assert found(limit=2) == [(2, "a", False), (2, "a", True)]
    assert found(schedule="b") == [(2, "b", False), (1, "b", False)]
    assert found(backfill="") == [(2, "a", False), (2, "b", False), (1, "a", False), (1, "b", False)]
    assert found(backfill=BACKFILL) == [(2, "a", True), (-1, "a", True)]
    assert found(before=T0 + 120) == [(1, "a", False), (1, "b", False), (-1, "a", True)]
    assert found(since=T0 + 60, before=T0 + 120, schedule="a") == [(1, "a", False)]
    assert store.schedules.ticks("hourly") == []


# -- backfills --


def test_a_backfill_is_kept_once_and_as_it_is(store: Store) -> None:
    before = store.last_change()
    store.schedules.add_backfill(a_backfill(only_missing=True, most_at_once=3, reverse=True))
    store.schedules.add_backfill(a_backfill(total=99))

    assert the_backfill(store) == a_backfill(only_missing=True, most_at_once=3, reverse=True)
    assert store.schedules.backfill("no-such") is None
    assert store.last_change() > before


def test_a_step_decides_instants_of_a_backfill_and_makes_their_runs(store: Store) -> None:
    store.schedules.add_backfill(a_backfill())

    done = store.schedules.advance(step(store, a_tick(-2, a_run(1, backfill=BACKFILL)), a_tick(-1)), now=T0 + 1)

    assert done
    assert (the_backfill(store).decided, the_backfill(store).position) == (2, T0 - 60)
    assert the_backfill(store).state is BackfillState.RUNNING
    found = [(tick.instant, tick.backfill, tick.run) for tick in store.schedules.ticks(NIGHTLY)]
    assert found == [(T0 - 60, BACKFILL, ""), (T0 - 120, BACKFILL, RUN)]
    assert [work.run for work in store.work.runs_of(NIGHTLY, backfill=BACKFILL)] == [RUN]


def test_a_step_that_saw_another_count_does_nothing(store: Store) -> None:
    store.schedules.add_backfill(a_backfill())
    store.schedules.advance(step(store, a_tick(-2, a_run(1))), now=T0)

    assert not store.schedules.advance(step(store, a_tick(-1, a_run(2)), seen=0), now=T0)
    assert (the_backfill(store).decided, store.flow_run(OTHER)) == (1, None)


def test_a_backfill_is_completed_by_its_last_step(store: Store) -> None:
    store.schedules.add_backfill(a_backfill())

    store.schedules.advance(step(store, a_tick(-1), ended=T0 + 5), now=T0 + 5)

    assert (the_backfill(store).state, the_backfill(store).ended) == (BackfillState.COMPLETED, T0 + 5)
    assert not store.schedules.advance(step(store, a_tick(-2)), now=T0 + 6)
    assert not store.schedules.set_backfill_state(BACKFILL, BackfillState.RUNNING, now=T0 + 6)


def test_a_paused_backfill_decides_nothing_until_it_goes_on(store: Store) -> None:
    store.schedules.add_backfill(a_backfill())

    assert store.schedules.set_backfill_state(BACKFILL, BackfillState.PAUSED, now=T0)
    assert not store.schedules.advance(step(store, a_tick(-1)), now=T0)
    assert store.schedules.set_backfill_state(BACKFILL, BackfillState.RUNNING, now=T0)
    assert store.schedules.advance(step(store, a_tick(-1)), now=T0)


def test_a_cancelled_backfill_cancels_what_waits_of_it_and_nothing_else(store: Store) -> None:
    store.schedules.add_backfill(a_backfill())
    ticks = (a_tick(-n, a_run(n, backfill=BACKFILL)) for n in (1, 2))
    store.schedules.advance(step(store, *ticks), now=T0)
    enqueue(store, a_run(3))
    take(store)

    assert store.schedules.set_backfill_state(BACKFILL, BackfillState.CANCELLED, now=T0 + 7)

    assert (the_backfill(store).state, the_backfill(store).ended) == (BackfillState.CANCELLED, T0 + 7)
    states = [the_run(store, an_id(n)).state_type for n in (1, 2, 3)]
    assert states == [S.SCHEDULED, S.CANCELLED, S.SCHEDULED]
    assert the_run(store, OTHER).message == "Its backfill was cancelled before a worker had taken it."
    assert not store.schedules.set_backfill_state(BACKFILL, BackfillState.CANCELLED, now=T0 + 8)
    assert not store.schedules.set_backfill_state("no-such", BackfillState.PAUSED, now=T0 + 8)


def test_backfills_come_newest_first_and_are_narrowed(store: Store) -> None:
    for n, deployment in ((901, NIGHTLY), (902, "hourly"), (903, NIGHTLY)):
        store.schedules.add_backfill(replace(a_backfill(n), deployment=deployment))
    store.schedules.set_backfill_state(an_id(903), BackfillState.PAUSED, now=T0)

    def found(**which: object) -> list[str]:
        return [one.id for one in store.schedules.backfills(**which)]  # type: ignore[arg-type]  # filters by name

    assert found() == [an_id(903), an_id(902), an_id(901)]
    assert found(limit=1) == [an_id(903)]
    assert found(before=an_id(903)) == [an_id(902), an_id(901)]
    assert found(deployment=NIGHTLY) == [an_id(903), an_id(901)]
    assert found(states=[BackfillState.RUNNING]) == [an_id(902), an_id(901)]
    assert found(states=[BackfillState.PAUSED, BackfillState.CANCELLED], deployment="hourly") == []
