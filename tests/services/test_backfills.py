"""Backfills: as many runs at once as asked for, in order, each instant once, until all are decided."""

from __future__ import annotations

import pytest

from nadi.engine.backfilling import cancel_backfill, change_backfill, the_backfill
from nadi.exceptions import NotFound, ValueRefused
from nadi.model.states import StateType
from nadi.model.ticks import BackfillState
from tests.services.timetable import Timetable
from tests.storage.deploying import NIGHTLY, every, take, the_run
from tests.storage.telling import T0

MINUTE, HOUR = 60.0, 3600.0


@pytest.fixture(autouse=True)
def _deployed(timetable: Timetable) -> None:
    timetable.deploy(every(MINUTE))


def end_all_of(timetable: Timetable) -> None:
    for work in timetable.work():
        timetable.end(work.run)


# -- carried out --


def test_a_backfill_keeps_as_many_runs_open_as_it_may_in_order_until_all_are_decided(timetable: Timetable) -> None:
    id = timetable.backfill(-300, 0, most_at_once=2)

    opened = []
    for _ in range(4):
        timetable.at += 1
        timetable.look()
        timetable.look()
        opened.append(timetable.waiting())
        end_all_of(timetable)
    timetable.look()

    assert opened == [[-300, -240], [-180, -120], [-60], []]
    assert timetable.filled(id) == [-300, -240, -180, -120, -60]
    found = timetable.the_backfill(id)
    assert (found.state, found.total, found.decided, found.ended) == (BackfillState.COMPLETED, 5, 5, T0 + 4)


def test_a_place_that_gets_free_is_taken_at_the_next_look(timetable: Timetable) -> None:
    timetable.backfill(-300, 0, most_at_once=2)
    timetable.look()
    timetable.end(timetable.work()[0].run)

    timetable.look()

    assert timetable.waiting() == [-240, -180]


def test_a_backfill_in_reverse_takes_the_latest_instant_first(timetable: Timetable) -> None:
    id = timetable.backfill(-180, 0, reverse=True, most_at_once=2)

    timetable.look()
    end_all_of(timetable)
    timetable.at = 1.0
    timetable.look()

    assert timetable.filled(id) == [-60, -120, -180]


def test_runs_of_a_backfill_know_their_instant_and_have_its_parameters(timetable: Timetable) -> None:
    id = timetable.backfill(-60, 0, parameters={"day": "monday"})

    timetable.look()

    [work] = timetable.work()
    assert (work.backfill, work.instant, work.due) == (id, T0 - 60, T0)
    assert the_run(timetable.store, work.run).parameters == b'{"day":"monday"}'
    [tick] = timetable.store.schedules.ticks(NIGHTLY, backfill=id)
    assert (tick.instant, tick.run) == (T0 - 60, work.run)


def test_only_missing_leaves_out_instants_with_a_run_that_did_not_fail_of_schedule_or_backfill(
    timetable: Timetable,
) -> None:
    for at in (60.0, 120.0):
        timetable.pass_to(at)
    completed, failed = timetable.work()
    timetable.end(completed.run)
    timetable.end(failed.run, StateType.FAILED)
    first = timetable.backfill(180, 240)  # to come, for the schedule
    timetable.look()
    end_all_of(timetable)
    timetable.look()
    assert timetable.filled(first) == [180]

    second = timetable.backfill(60, 300, only_missing=True, most_at_once=9)
    timetable.look()

    assert timetable.filled(second) == [120, 240]
    outcomes = {
        tick.instant - T0: str(tick.outcome) for tick in timetable.store.schedules.ticks(NIGHTLY, backfill=second)
    }
    assert outcomes == {60: "skipped", 120: "run", 180: "skipped", 240: "run"}


def test_only_missing_does_not_take_another_schedule_for_the_one_that_is_filled(timetable: Timetable) -> None:
    timetable.deploy(every(MINUTE, "a"), every(MINUTE, "b"))
    other = timetable.backfill(-60, 0, schedule="b")
    timetable.look()
    assert timetable.filled(other) == [-60]

    id = timetable.backfill(-60, 0, schedule="a", only_missing=True)
    timetable.look()

    assert timetable.filled(id) == [-60]


def test_a_deployment_without_a_schedule_is_filled_at_an_interval(timetable: Timetable) -> None:
    timetable.deploy(name="by-hand")
    id = timetable.backfill(-3 * HOUR, 0, deployment="by-hand", every=HOUR, most_at_once=9)

    timetable.look()

    assert timetable.filled(id) == [-3 * HOUR, -2 * HOUR, -HOUR]


def test_of_two_backfillers_one_makes_the_runs(timetable: Timetable) -> None:
    id = timetable.backfill(-300, 0, most_at_once=2)
    seen = timetable.the_backfill(id)
    other = timetable.another_backfiller()

    timetable.backfiller.advance(seen)
    other.advance(seen)  # decides from what was so before

    assert timetable.filled(id) == [-300, -240]


def test_a_backfill_whose_deployment_is_removed_is_cancelled_and_stops_no_other(timetable: Timetable) -> None:
    timetable.deploy(every(MINUTE), name="other")
    gone = timetable.backfill(-120, 0)
    there = timetable.backfill(-120, 0, deployment="other", most_at_once=2)
    timetable.store.deployments.remove(NIGHTLY, now=T0)

    timetable.look()

    assert timetable.the_backfill(gone).state is BackfillState.CANCELLED
    assert timetable.filled(there) == [-120, -60]


# -- paused, cancelled --


def test_a_paused_backfill_asks_for_nothing_until_it_goes_on(timetable: Timetable) -> None:
    id = timetable.backfill(-120, 0, most_at_once=2)
    change_backfill(timetable.store, id, BackfillState.PAUSED, now=T0)
    timetable.look()
    paused = timetable.waiting()

    change_backfill(timetable.store, id, BackfillState.RUNNING, now=T0)
    timetable.look()

    assert (paused, timetable.waiting()) == ([], [-120, -60])


def test_cancelling_a_backfill_ends_what_waits_and_asks_what_runs(timetable: Timetable) -> None:
    id = timetable.backfill(-180, 0, most_at_once=2)
    timetable.look()
    runs, waits = timetable.work()
    take(timetable.store, now=T0)
    timetable.store.claim(runs.run, holder=timetable.observer.encode(), now=T0)

    ended = cancel_backfill(timetable.store, id, by="ada", observer=timetable.observer, clock=timetable.clock)
    timetable.look()

    assert ended.state is BackfillState.CANCELLED
    assert the_run(timetable.store, waits.run).state_type is StateType.CANCELLED
    assert [(one.kind, one.by) for one in timetable.store.requests([runs.run])] == [("cancel", "ada")]
    assert timetable.filled(id) == [-180, -120]


def test_a_backfill_that_has_ended_changes_no_more(timetable: Timetable) -> None:
    id = timetable.backfill(-60, 0)
    change_backfill(timetable.store, id, BackfillState.CANCELLED, now=T0)

    with pytest.raises(ValueRefused, match="is CANCELLED and changes no more"):
        change_backfill(timetable.store, id, BackfillState.RUNNING, now=T0)


# -- asked for --


@pytest.mark.parametrize(
    ("since", "until", "wanted", "told"),
    [
        (0, 0, {}, "has no instant between"),
        (60, -60, {}, "has no instant between"),
        (-100_001 * MINUTE, 0, {}, "more than 100,000 instants"),
        (-60, 0, {"most_at_once": 0}, "runs 1 to 100,000 at once, not 0"),
        (-60, 0, {"every": 5.0, "schedule": "daily"}, "not both"),
    ],
)
def test_what_cannot_be_filled_is_refused_with_the_reason(
    timetable: Timetable, since: float, until: float, wanted: dict[str, object], told: str
) -> None:
    with pytest.raises(ValueRefused, match=told):
        timetable.backfill(since, until, **wanted)

    assert timetable.store.schedules.backfills() == []


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"deployment": "weekly"}, "No deployment 'weekly'"),
        ({"schedule": "daily"}, "no schedule 'daily'; choose one of: ''"),
        ({"deployment": "by-hand"}, "Give an interval instead"),
        ({"deployment": "two"}, "several schedules; choose one of: 'a', 'b'"),
    ],
)
def test_what_is_not_there_is_told(timetable: Timetable, wanted: dict[str, str], told: str) -> None:
    timetable.deploy(name="by-hand")
    timetable.deploy(every(MINUTE, "a"), every(MINUTE, "b"), name="two")

    with pytest.raises(NotFound, match=told):
        timetable.backfill(-60, 0, **wanted)


def test_a_backfill_is_found_by_a_part_of_its_id_if_no_other_has_it(timetable: Timetable) -> None:
    first, second = timetable.backfill(-60, 0), timetable.backfill(-60, 0)
    shared = next(n for n in range(36) if first[n] != second[n])

    assert the_backfill(timetable.store, first[-12:]).id == first
    with pytest.raises(NotFound, match="Several backfills match"):
        the_backfill(timetable.store, first[:shared])
    with pytest.raises(NotFound, match="There is no backfill"):
        the_backfill(timetable.store, "x")
