"""Deployments: what every store promises of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from msgspec.structs import replace

from nadi.model.deployments import ArchiveSource, Deployed, GitSource, Resources
from nadi.model.schedules import CatchUp, CronRule, Schedule
from nadi.model.work import CrashPolicy, WhenCutOff
from nadi.storage.contract import Store
from tests.storage.deploying import (
    NIGHTLY,
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
from tests.storage.telling import T0, S, an_id


def deploy(store: Store, *schedules: Schedule, digest: str = "a", now: float = T0, **spec: object) -> Deployed:
    return store.deployments.deploy(a_version(NIGHTLY, *schedules, digest=digest, **spec), now=now)


def names(store: Store, **which: object) -> list[str]:
    return [one.name for one in store.deployments.deployments(**which)]  # type: ignore[arg-type]  # filters by name


def test_a_deployment_that_is_new_gets_version_one(store: Store) -> None:
    answer = deploy(store)

    made = answer.deployment
    assert answer.changed
    assert (made.name, made.newest, made.paused, made.created, made.updated) == (NIGHTLY, 1, False, T0, T0)
    assert made.version == replace(a_version(), number=1)
    assert store.deployments.deployment(NIGHTLY) == made


def test_all_that_a_version_says_is_kept_as_it_is(store: Store) -> None:
    version = a_version(
        NIGHTLY,
        Schedule(
            rule=CronRule(line="0 3 * * 1-5"), timezone="Europe/Berlin", name="early", parameters={"n": [1, None]}
        ),
        every(3600, "hourly", catch_up=CatchUp.ALL, jitter=2.5),
        source=GitSource(url="https://example.org/code.git", commit="c" * 40, branch="main", folder="flows"),
        parameters={"day": "måndag", "deep": {"x": [1.5, True]}},
        tags=("a", "b"),
        resources=Resources(memory_bytes=1 << 40, wall_seconds=1.5),
        crash_policy=CrashPolicy.RESTART,
        when_cut_off=WhenCutOff.STOP,
        environment={"MODE": "prod"},
    )

    store.deployments.deploy(version, now=T0)

    assert store.deployments.version(NIGHTLY, 1) == replace(version, number=1)


def test_deploying_the_version_in_force_again_changes_nothing(store: Store) -> None:
    first = deploy(store, every())
    before = store.last_change()

    again = deploy(store, every(30), now=T0 + 100)

    assert again == Deployed(deployment=first.deployment, changed=False)
    assert store.last_change() == before
    assert the_schedule(store).schedule == every()


def test_another_version_gets_the_next_number_and_is_in_force(store: Store) -> None:
    deploy(store)
    before = store.last_change()

    second = deploy(store, digest="b", flow="load", now=T0 + 100)

    assert (second.deployment.version.number, second.deployment.newest) == (2, 2)
    assert (second.deployment.created, second.deployment.updated) == (T0, T0 + 100)
    assert store.last_change() > before
    assert names(store, flow="load") == [NIGHTLY]
    assert names(store, flow="etl") == []


def test_an_earlier_version_comes_into_force_under_its_own_number(store: Store) -> None:
    deploy(store, every())
    deploy(store, every(30), digest="b")

    back = store.deployments.roll_back(NIGHTLY, 1, now=T0 + 100)

    assert back is not None
    assert back.changed
    assert (back.deployment.version.number, back.deployment.newest) == (1, 2)
    assert (the_schedule(store).version, the_schedule(store).schedule) == (1, every())
    assert deploy(store, digest="c").deployment.version.number == 3


def test_rolling_back_to_the_version_in_force_changes_nothing_and_to_an_unknown_one_is_no_answer(store: Store) -> None:
    made = deploy(store).deployment

    assert store.deployments.roll_back(NIGHTLY, 1, now=T0 + 1) == Deployed(deployment=made, changed=False)
    assert store.deployments.roll_back(NIGHTLY, 2, now=T0 + 1) is None
    assert store.deployments.roll_back("weekly", 1, now=T0 + 1) is None


def test_of_many_who_deploy_at_once_each_version_gets_a_number_of_its_own(store: Store) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda n: deploy(store, digest=f"d{n}"), range(12)))

    assert sorted(one.deployment.version.number for one in made) == list(range(1, 13))
    assert len(store.deployments.versions(NIGHTLY)) == 12


def test_versions_come_newest_first_and_page_by_page(store: Store) -> None:
    for n in range(1, 6):
        deploy(store, digest=f"d{n}")

    first = store.deployments.versions(NIGHTLY, limit=2)
    rest = store.deployments.versions(NIGHTLY, before=4)

    assert [one.number for one in first] == [5, 4]
    assert [one.number for one in rest] == [3, 2, 1]
    assert store.deployments.versions("weekly") == []
    assert store.deployments.version(NIGHTLY, 6) is None


def test_deployments_come_by_name_and_are_found_by_text_and_flow(store: Store) -> None:
    for name, flow in (("b-100%", "load"), ("A_1", "etl"), ("c", "etl"), ("B2", "etl"), ("ÄB", "etl")):
        store.deployments.deploy(a_version(name, flow=flow), now=T0)

    assert names(store) == ["A_1", "B2", "b-100%", "c", "ÄB"]
    assert names(store, limit=2) == ["A_1", "B2"]
    assert names(store, after="B2", limit=2) == ["b-100%", "c"]
    assert names(store, flow="etl") == ["A_1", "B2", "c", "ÄB"]
    assert names(store, text="b") == ["B2", "b-100%", "ÄB"]
    assert names(store, text="%") == ["b-100%"]
    assert names(store, text="_") == ["A_1"]
    assert names(store, text="B", flow="load", after="A") == ["b-100%"]
    assert store.deployments.deployment("B") is None


# -- schedules of versions --


def test_a_new_schedule_begins_when_it_is_deployed(store: Store) -> None:
    deploy(store, every(60, "a"), every(90, "b"), now=T0)

    for name, seconds in (("a", 60), ("b", 90)):
        standing = the_schedule(store, name)
        assert (standing.cursor, standing.next, standing.version) == (T0, T0, 1)
        assert (standing.active, standing.paused, standing.schedule) == (True, False, every(seconds, name))


def test_a_schedule_whose_rule_is_the_same_goes_on_where_it_was(store: Store) -> None:
    deploy(store, every(60, "a"))
    store.schedules.fire([firing(store, a_tick(1), name="a")], now=T0 + 60)

    deploy(store, every(60, "a"), digest="b", now=T0 + 100)

    standing = the_schedule(store, "a")
    assert (standing.cursor, standing.next, standing.version) == (T0 + 60, T0 + 120, 2)


def test_a_schedule_that_only_runs_with_other_parameters_goes_on_and_is_looked_at_anew(store: Store) -> None:
    deploy(store, every(60, "a"))
    store.schedules.fire([firing(store, a_tick(1), name="a")], now=T0 + 60)

    deploy(store, every(60, "a", parameters={"x": 1}, jitter=9.0), digest="b", now=T0 + 100)

    assert (the_schedule(store, "a").cursor, the_schedule(store, "a").next) == (T0 + 60, T0 + 100)
    assert the_schedule(store, "a").schedule.parameters == {"x": 1}


def test_a_schedule_whose_rule_changed_begins_anew_and_one_that_is_not_named_is_gone(store: Store) -> None:
    deploy(store, every(60, "a"), every(60, "b"))
    store.schedules.fire([firing(store, a_tick(1), name="b")], now=T0 + 60)

    deploy(store, every(90, "a"), digest="b", now=T0 + 100)

    assert [one.name for one in store.schedules.schedules()] == ["a"]
    assert (the_schedule(store, "a").cursor, the_schedule(store, "a").next) == (T0 + 100, T0 + 100)
    assert [tick.schedule for tick in store.schedules.ticks(NIGHTLY)] == ["b"]


def test_a_schedule_that_did_not_fire_until_now_begins_now(store: Store) -> None:
    deploy(store, every(60, active=False))
    assert not the_schedule(store).active

    deploy(store, every(60), digest="b", now=T0 + 100)

    assert (the_schedule(store).active, the_schedule(store).cursor) == (True, T0 + 100)


def test_a_paused_schedule_stays_paused_over_versions(store: Store) -> None:
    deploy(store, every(60, "a"), every(60, "b"))
    store.schedules.set_paused(NIGHTLY, "a", True, now=T0)

    deploy(store, every(90, "a"), every(60, "b"), digest="b")

    assert (the_schedule(store, "a").paused, the_schedule(store, "a").active) == (True, False)
    assert (the_schedule(store, "b").paused, the_schedule(store, "b").active) == (False, True)


# -- pausing --


def test_schedules_of_a_paused_deployment_do_not_fire_and_go_on_from_then(store: Store) -> None:
    deploy(store, every(60, "a"), every(60, "b"), every(60, "c", active=False))
    store.schedules.set_paused(NIGHTLY, "b", True, now=T0)
    before = store.last_change()

    assert store.deployments.set_paused(NIGHTLY, True, now=T0 + 10)
    while_paused = [(one.name, one.active, one.paused) for one in store.schedules.schedules()]
    assert store.deployments.set_paused(NIGHTLY, False, now=T0 + 500)

    assert while_paused == [("a", False, False), ("b", False, True), ("c", False, False)]
    after = [(one.name, one.active, one.cursor) for one in store.schedules.schedules()]
    assert after == [("a", True, T0 + 500), ("b", False, T0), ("c", False, T0)]
    assert store.last_change() > before


def test_pausing_twice_is_pausing_once_and_going_on_twice_skips_nothing(store: Store) -> None:
    deploy(store, every())
    store.deployments.set_paused(NIGHTLY, False, now=T0 + 500)

    assert the_schedule(store).cursor == T0
    store.deployments.set_paused(NIGHTLY, True, now=T0 + 600)
    store.deployments.set_paused(NIGHTLY, True, now=T0 + 700)
    found = store.deployments.deployment(NIGHTLY)
    assert found is not None
    assert (found.paused, found.updated) == (True, T0 + 600)


def test_a_paused_deployment_stays_paused_when_it_is_deployed_and_its_new_schedules_are_too(store: Store) -> None:
    deploy(store)
    store.deployments.set_paused(NIGHTLY, True, now=T0)

    answer = deploy(store, every(), digest="b")

    assert answer.deployment.paused
    assert not the_schedule(store).active


def test_a_deployment_that_is_not_there_cannot_be_paused_or_removed(store: Store) -> None:
    assert not store.deployments.set_paused(NIGHTLY, True, now=T0)
    assert not store.deployments.remove(NIGHTLY, now=T0)


# -- removing --


def test_a_removed_deployment_leaves_its_runs_and_ticks_and_nothing_waits_of_it(store: Store) -> None:
    deploy(store, every())
    enqueue(store, a_run(1), a_run(2), a_run(3, "hourly"))
    take(store)
    store.schedules.fire([firing(store, a_tick(1))], now=T0 + 60)
    before = store.last_change()

    assert store.deployments.remove(NIGHTLY, now=T0 + 70)

    assert (names(store), store.schedules.schedules(), store.deployments.versions(NIGHTLY)) == ([], [], [])
    assert [tick.instant for tick in store.schedules.ticks(NIGHTLY)] == [T0 + 60]
    cancelled = the_run(store, an_id(2))
    assert (cancelled.state_type, cancelled.ended) == (S.CANCELLED, T0 + 70)
    assert cancelled.message == "Its deployment was removed before a worker had taken it."
    assert (the_work(store, an_id(1)).open, the_work(store, an_id(2)).open) == (True, False)
    assert the_run(store, an_id(1)).state_type is S.SCHEDULED
    assert [work.run for work in store.work.open_work(waiting=True)] == [an_id(3)]
    assert store.last_change() > before


def test_what_is_deployed_anew_does_not_bear_the_number_of_a_version_that_still_runs(store: Store) -> None:
    deploy(store)
    deploy(store, digest="b")
    enqueue(store, a_run(1, version=2))
    take(store)
    store.deployments.remove(NIGHTLY, now=T0)

    assert deploy(store, digest="c").deployment.version.number == 3


def test_an_instant_that_was_decided_before_the_deployment_was_removed_stays_decided(store: Store) -> None:
    deploy(store, every())
    store.schedules.fire([firing(store, a_tick(1, a_run(1)))], now=T0 + 60)
    store.deployments.remove(NIGHTLY, now=T0 + 61)
    deploy(store, every(), now=T0)

    store.schedules.fire([firing(store, a_tick(1, a_run(2)))], now=T0 + 62)

    assert store.flow_run(an_id(2)) is None
    assert [tick.run for tick in store.schedules.ticks(NIGHTLY)] == [an_id(1)]


def test_an_archive_is_a_source_like_others(store: Store) -> None:
    source = ArchiveSource(url="file:///code.tar.gz", digest="d" * 64)

    made = deploy(store, source=source).deployment

    assert made.version.spec.source == source
    assert store.deployments.deployment(NIGHTLY) == made
