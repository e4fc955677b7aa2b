"""The scheduler's rules, over every store that one works on, with a time that tests move."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import pytest

from nadi.exceptions import StoreUnavailable
from nadi.model.schedules import CatchUp, Overlap
from nadi.model.states import StateType
from nadi.model.ticks import Firing, StandingSchedule
from nadi.services.scheduler import AWAY, LOOK, Scheduler
from nadi.storage.contract import Store
from tests.services.timetable import Timetable
from tests.storage.deploying import NIGHTLY, every, take, the_run
from tests.storage.telling import T0

MINUTE = 60.0


# -- each instant once, none early --


def test_an_instant_becomes_a_run_when_it_comes_and_not_before(timetable: Timetable) -> None:
    timetable.deploy(every(MINUTE))

    timetable.pass_to(59.999)
    before = timetable.ticks()
    timetable.pass_to(60.0)

    assert before == []
    assert timetable.ticks() == [(60.0, "run")]
    [run] = timetable.runs()
    [work] = timetable.work()
    assert (run.state_type, work.run, work.instant, work.due) == (StateType.SCHEDULED, run.id, T0 + 60, T0 + 60)


def test_looking_again_fires_nothing_again(timetable: Timetable) -> None:
    timetable.deploy(every(MINUTE))

    for at in (60.0, 60.0, 60.001, 100.0, 120.0, 120.0):
        timetable.pass_to(at)

    assert timetable.ticks() == [(60.0, "run"), (120.0, "run")]
    assert len(timetable.runs()) == 2


def test_the_next_look_is_at_the_next_instant_if_that_comes_soon(timetable: Timetable) -> None:
    timetable.deploy(every(MINUTE))

    timetable.at = 59.75
    soon = timetable.scheduler.step(59.75)
    timetable.at = 10.0
    later = timetable.scheduler.step(10.0)

    assert soon == pytest.approx(0.25, abs=1e-6)
    assert later == LOOK


def test_of_two_schedulers_that_saw_the_same_one_fires(timetable: Timetable) -> None:
    timetable.deploy(every(MINUTE))
    timetable.at = 60.0
    slow = Overtaken(timetable.store, timetable.scheduler)

    timetable.another_scheduler(slow).fire_due()

    assert slow.fired == [False]
    assert timetable.ticks() == [(60.0, "run")]
    assert len(timetable.runs()) == 1


class Overtaken:
    """A store whose caller is overtaken by another scheduler between its look and what it does."""

    def __init__(self, store: Store, other: Scheduler) -> None:
        self._store, self._other = store, other
        self.fired: list[bool] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @property
    def schedules(self) -> Any:
        return self

    def due(self, **which: Any) -> list[StandingSchedule]:
        return self._store.schedules.due(**which)

    def fire(self, firings: Sequence[Firing], *, now: float) -> list[bool]:
        self._other.fire_due()
        self.fired += self._store.schedules.fire(firings, now=now)
        return self.fired


def test_a_run_waits_for_its_jitter_and_is_known_by_its_instant(timetable: Timetable) -> None:
    timetable.deploy(every(MINUTE, jitter=30.0))

    timetable.pass_to(60.0)

    [work] = timetable.work()
    assert work.instant == T0 + 60
    assert T0 + 60 < work.due < T0 + 90
    assert take(timetable.store, now=T0 + 60) == []
    assert take(timetable.store, now=T0 + 90) == [work.run]


def test_the_parameters_of_a_schedule_go_over_those_of_its_deployment(timetable: Timetable) -> None:
    timetable.deploy(every(MINUTE, parameters={"region": "eu"}), parameters={"region": "us", "rows": 5})

    timetable.pass_to(60.0)

    [run] = timetable.runs()
    assert run.parameters == b'{"region":"eu","rows":5}'


def test_schedules_of_one_deployment_fire_each_for_itself(timetable: Timetable) -> None:
    timetable.deploy(every(MINUTE, "often"), every(2 * MINUTE, "seldom"))

    for at in (60.0, 120.0):
        timetable.pass_to(at)

    told = [(tick.instant - T0, tick.schedule) for tick in timetable.whole_ticks()]
    assert sorted(told) == [(60.0, "often"), (120.0, "often"), (120.0, "seldom")]


# -- what passed while nobody was there --


@pytest.mark.parametrize(
    ("policy", "ran"),
    [(CatchUp.NONE, []), (CatchUp.LATEST, [540.0]), (CatchUp.ALL, [480.0, 540.0])],
)
def test_what_passed_while_all_were_down_follows_catch_up(
    timetable: Timetable, policy: CatchUp, ran: list[float]
) -> None:
    timetable.deploy(every(MINUTE, catch_up=policy, catch_up_limit=2, grace=1.0))
    timetable.pass_to(60.0)

    timetable.pass_to(590.0)

    missed = [at for at in (120.0, 180.0, 240.0, 300.0, 360.0, 420.0, 480.0, 540.0) if at not in ran]
    assert timetable.ticks() == [(60.0, "run"), *[(at, "missed") for at in missed], *[(at, "run") for at in ran]]
    assert timetable.waiting() == [60.0, *ran]


def test_an_instant_that_is_late_by_less_than_the_grace_runs_whatever_the_policy(timetable: Timetable) -> None:
    timetable.deploy(every(MINUTE, catch_up=CatchUp.NONE, grace=30.0))

    timetable.pass_to(85.0)

    assert timetable.ticks() == [(60.0, "run")]


def test_what_is_missed_is_told_with_its_reason(timetable: Timetable, caplog: pytest.LogCaptureFixture) -> None:
    timetable.deploy(every(MINUTE, catch_up=CatchUp.NONE, grace=1.0))

    with caplog.at_level(logging.WARNING, "nadi.scheduler"):
        timetable.pass_to(90.0)

    [tick] = timetable.whole_ticks()
    assert "does not catch it up" in tick.note
    assert "1 instant" in caplog.text


def test_a_store_that_is_away_is_waited_for_and_catch_up_holds(timetable: Timetable) -> None:
    timetable.deploy(every(MINUTE, catch_up=CatchUp.ALL))
    away = Away(timetable.store)
    scheduler = timetable.another_scheduler(away)
    scheduler.step(0.0)

    away.is_away, timetable.at = True, 240.0
    waits = scheduler.step(240.0)
    away.is_away, timetable.at = False, 250.0
    scheduler.step(250.0)

    assert waits == AWAY
    assert timetable.ticks() == [(60.0, "run"), (120.0, "run"), (180.0, "run"), (240.0, "run")]


class Away:
    """A store that is away while it is told to be."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.is_away = False

    def __getattr__(self, name: str) -> Any:
        if self.is_away:
            raise StoreUnavailable("The store is away.")
        return getattr(self._store, name)


# -- what changes meanwhile --


def test_time_paused_is_not_caught_up(timetable: Timetable) -> None:
    timetable.deploy(every(MINUTE, catch_up=CatchUp.ALL))
    timetable.store.schedules.set_paused(NIGHTLY, "", True, now=T0)

    timetable.pass_to(300.0)
    paused = timetable.ticks()
    timetable.store.schedules.set_paused(NIGHTLY, "", False, now=T0 + 310)
    timetable.pass_to(360.0)

    assert paused == []
    assert timetable.ticks() == [(360.0, "run")]


def test_a_changed_rule_holds_from_its_deployment_on(timetable: Timetable) -> None:
    timetable.deploy(every(MINUTE, catch_up=CatchUp.ALL))
    timetable.pass_to(60.0)

    timetable.at = 150.0
    timetable.deploy(every(20.0, catch_up=CatchUp.ALL))
    timetable.pass_to(180.0)

    assert timetable.ticks() == [(60.0, "run"), (160.0, "run"), (180.0, "run")]


def test_a_schedule_of_an_unknown_parameter_skips_with_the_reason_and_stops_nobody_else(
    timetable: Timetable,
) -> None:
    wrong = every(MINUTE, "wrong", parameters={"day": 1})
    timetable.deploy(wrong, every(MINUTE, "right"))
    version = timetable.store.deployments.version(NIGHTLY, 1)
    assert version is not None
    timetable.store.deployments.remove(NIGHTLY, now=T0)
    strict = {"properties": {}, "additionalProperties": False}
    timetable.store.deployments.deploy(type(version)(**{**as_fields(version), "schema": strict}), now=T0)

    timetable.pass_to(60.0)

    told = {tick.schedule: (str(tick.outcome), tick.note) for tick in timetable.whole_ticks()}
    assert told["right"] == ("run", "")
    assert told["wrong"][0] == "skipped"
    assert "has no parameter 'day'" in told["wrong"][1]


def as_fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__struct_fields__}


def test_a_schedule_that_cannot_be_decided_stops_no_other_and_is_tried_again(
    timetable: Timetable, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    timetable.deploy(every(MINUTE, "good"), every(MINUTE, "odd"))
    decide = Scheduler._decide

    def decide_all_but_odd(self: Scheduler, standing: StandingSchedule, now: float) -> Firing:
        if standing.name == "odd":
            raise OverflowError("an instant that no calendar has")
        return decide(self, standing, now)

    monkeypatch.setattr(Scheduler, "_decide", decide_all_but_odd)

    timetable.pass_to(60.0)
    monkeypatch.setattr(Scheduler, "_decide", decide)
    between = [tick.schedule for tick in timetable.whole_ticks()]
    timetable.pass_to(100.0)

    assert between == ["good"]
    assert sorted(tick.schedule for tick in timetable.whole_ticks()) == ["good", "odd"]
    assert "cannot be decided now" in caplog.text


# -- runs that have not ended --


def test_an_instant_queues_behind_runs_that_have_not_ended_if_nothing_is_said(timetable: Timetable) -> None:
    timetable.deploy(every(MINUTE))
    timetable.pass_to(60.0)
    timetable.pass_to(120.0)
    first, second = timetable.work()

    taken = take(timetable.store, limit=5, now=T0 + 120)
    while_first_runs = take(timetable.store, limit=5, now=T0 + 130)
    timetable.end(first.run)
    afterwards = take(timetable.store, limit=5, now=T0 + 140)

    assert (taken, while_first_runs, afterwards) == ([first.run], [], [second.run])


def test_an_instant_is_skipped_while_a_run_has_not_ended_if_the_schedule_says_so(timetable: Timetable) -> None:
    timetable.deploy(every(MINUTE, overlap=Overlap.SKIP))

    for at in (60.0, 120.0):
        timetable.pass_to(at)
    timetable.end(timetable.runs()[0].id)
    timetable.pass_to(180.0)

    assert timetable.ticks() == [(60.0, "run"), (120.0, "skipped"), (180.0, "run")]


def test_instants_run_side_by_side_if_the_schedule_says_so(timetable: Timetable) -> None:
    timetable.deploy(every(MINUTE, overlap=Overlap.ALLOW))

    for at in (60.0, 120.0):
        timetable.pass_to(at)

    assert len(take(timetable.store, limit=5, now=T0 + 120)) == 2


def test_an_instant_cancels_runs_that_have_not_ended_if_the_schedule_says_so(timetable: Timetable) -> None:
    timetable.deploy(every(MINUTE, overlap=Overlap.CANCEL_RUNNING))
    timetable.pass_to(60.0)
    timetable.pass_to(120.0)
    [second] = timetable.work()
    first, _ = timetable.runs()
    timetable.store.claim(second.run, holder=timetable.observer.encode(), now=T0 + 121)

    timetable.pass_to(180.0)

    assert first.state_type is StateType.CANCELLED  # nobody had it
    assert "schedule of nightly" in first.message
    assert [(one.kind, one.by) for one in timetable.store.requests([second.run])] == [
        ("cancel", "the schedule of nightly")
    ]
    assert timetable.waiting() == [120.0, 180.0]
    assert take(timetable.store, limit=5, now=T0 + 180) == []  # it goes when the other has ended


def test_the_run_that_takes_the_place_of_others_is_not_cancelled_by_a_slower_scheduler(timetable: Timetable) -> None:
    timetable.deploy(every(MINUTE, overlap=Overlap.CANCEL_RUNNING))
    timetable.at = 60.0

    timetable.another_scheduler(Overtaken(timetable.store, timetable.scheduler)).fire_due()
    timetable.scheduler.fire_due()

    [run] = timetable.runs()
    assert the_run(timetable.store, run.id).state_type is StateType.SCHEDULED


# -- clocks --


def test_a_clock_that_is_set_back_fires_nothing_twice_and_nothing_early(timetable: Timetable) -> None:
    timetable.deploy(every(MINUTE))
    for at in (60.0, 120.0):
        timetable.pass_to(at)

    for at in (10.0, 60.0, 119.0, 120.0, 179.0):
        timetable.pass_to(at)
    before = timetable.ticks()
    timetable.pass_to(180.0)

    assert before == [(60.0, "run"), (120.0, "run")]
    assert timetable.ticks() == [*before, (180.0, "run")]


@pytest.mark.parametrize(("to", "told"), [(4000.0, "set forward by 3900 s"), (-4000.0, "set back by 4100 s")])
def test_a_clock_that_jumps_is_told_of(
    timetable: Timetable, caplog: pytest.LogCaptureFixture, to: float, told: str
) -> None:
    timetable.at = 0.0
    timetable.scheduler.step(500.0)
    timetable.at = to

    with caplog.at_level(logging.WARNING, "nadi.scheduler"):
        timetable.scheduler.step(600.0)

    assert told in caplog.text
