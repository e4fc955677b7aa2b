"""kill -9 at every write to the journal, at random times, and of the resume itself."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.killer import Job, Kill, Killer, Outcome
from tests.journeys.random_programs import a_program

FLOW = f"{Path(__file__).with_name('flow_of_thirty.py')}:thirty"


@pytest.fixture(scope="module")
def killer() -> Iterator[Killer]:
    warm = Killer()
    yield warm
    warm.close()


@pytest.fixture(scope="module")
def undisturbed(killer: Killer, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return killer.do(Job(str(tmp_path_factory.mktemp("undisturbed") / "home"), FLOW, []))


def check(outcome: Outcome, undisturbed: Outcome, kills: object) -> None:
    told = f"kills: {kills}\n{outcome.errors}"
    assert outcome.value == undisturbed.value, told
    assert outcome.repeated == [], told
    assert outcome.errors == "", told
    assert outcome.ledger.keys() == undisturbed.ledger.keys(), told
    too_often = {label: n for label, n in outcome.ledger.items() if n > 1 + outcome.killed}
    assert not too_often, told


def test_an_undisturbed_run_does_each_of_its_thirty_tasks_once(undisturbed: Outcome) -> None:
    assert undisturbed.errors == ""
    assert len(undisturbed.ledger) >= 30
    assert set(undisturbed.ledger.values()) == {1}
    assert undisturbed.writes > 60


def boundaries(undisturbed: Outcome) -> list[Kill]:
    return [(n, how) for n in range(1, undisturbed.writes + 1) for how in ("before", "torn", "after")]


def test_a_run_killed_at_any_write_to_its_journal_ends_with_the_same_output_and_repeats_nothing_finished(
    killer: Killer, undisturbed: Outcome, tmp_path: Path
) -> None:
    chosen = random.Random(20).sample(boundaries(undisturbed), 24)

    for n, kill in enumerate(chosen):
        outcome = killer.do(Job(str(tmp_path / str(n)), FLOW, [kill]))

        assert outcome.killed == 1, kill
        check(outcome, undisturbed, kill)


@pytest.mark.soak
def test_every_single_write_to_the_journal_may_be_the_last(
    killer: Killer, undisturbed: Outcome, tmp_path: Path
) -> None:
    killed = 0

    for n, kill in enumerate(boundaries(undisturbed)):
        outcome = killer.do(Job(str(tmp_path / str(n)), FLOW, [kill]))
        check(outcome, undisturbed, kill)
        killed += outcome.killed

    print(f"\n{killed} boundaries killed: {undisturbed.writes} writes, before, half-way and after each")
    assert killed == 3 * undisturbed.writes


def random_kills(rng: random.Random, writes: int) -> list[Kill]:
    return [(rng.randint(1, writes), rng.choice(["before", "torn", "after"])) for _ in range(rng.randint(2, 5))]


def killed_again_and_again(killer: Killer, undisturbed: Outcome, tmp_path: Path, seeds: range) -> int:
    killed = 0
    for seed in seeds:
        kills = random_kills(random.Random(seed), undisturbed.writes // 2)
        outcome = killer.do(Job(str(tmp_path / str(seed)), FLOW, kills))
        check(outcome, undisturbed, f"seed {seed}: {kills}")
        killed += outcome.killed
    return killed


def test_a_resume_that_is_killed_is_resumed_itself_again_and_again(
    killer: Killer, undisturbed: Outcome, tmp_path: Path
) -> None:
    killed = killed_again_and_again(killer, undisturbed, tmp_path, range(8))

    assert killed > 10


@pytest.mark.soak
def test_hundreds_of_resumes_that_are_killed_end_all_the_same(
    killer: Killer, undisturbed: Outcome, tmp_path: Path
) -> None:
    killed = killed_again_and_again(killer, undisturbed, tmp_path, range(1000, 1300))

    print(f"\nseeds 1000 to 1299: {killed} processes killed")


def killed_at_random_times(killer: Killer, undisturbed: Outcome, tmp_path: Path, seeds: range) -> int:
    killed = 0
    for seed in seeds:
        rng = random.Random(seed)
        kills: list[Kill] = [(rng.uniform(0.0, 0.15), "time") for _ in range(rng.randint(1, 4))]
        outcome = killer.do(Job(str(tmp_path / str(seed)), FLOW, kills))
        check(outcome, undisturbed, f"seed {seed}: {kills}")
        killed += outcome.killed
    return killed


def test_a_run_killed_at_random_times_ends_with_the_same_output(
    killer: Killer, undisturbed: Outcome, tmp_path: Path
) -> None:
    killed = killed_at_random_times(killer, undisturbed, tmp_path, range(12))

    assert killed > 0  # how many of the kills come before the end depends on the machine


@pytest.mark.soak
def test_hundreds_of_runs_killed_at_random_times_end_all_the_same(
    killer: Killer, undisturbed: Outcome, tmp_path: Path
) -> None:
    killed = killed_at_random_times(killer, undisturbed, tmp_path, range(1000, 1300))

    print(f"\nseeds 1000 to 1299: {killed} processes killed")


# -- random programs, killed at random; each is made from its seed alone --

PROGRAMS = f"{Path(__file__).with_name('random_programs.py')}:program"


def random_programs(killer: Killer, folder: Path, seeds: range) -> int:
    killed = 0
    for seed in seeds:
        rng = random.Random(seed)
        parameters = {"steps": a_program(rng)}
        undisturbed = killer.do(Job(str(folder / f"{seed}-undisturbed"), PROGRAMS, [], parameters))
        assert undisturbed.errors == "", f"seed {seed}: {parameters}\n{undisturbed.errors}"
        kills = random_kills(rng, max(2, undisturbed.writes // 2))
        outcome = killer.do(Job(str(folder / str(seed)), PROGRAMS, kills, parameters))
        check(outcome, undisturbed, f"seed {seed}: {parameters} {kills}")
        killed += outcome.killed
    return killed


def test_whatever_the_program_and_whenever_it_is_killed_it_ends_with_the_same_output(
    killer: Killer, tmp_path: Path
) -> None:
    killed = random_programs(killer, tmp_path, range(8))

    assert killed > 8


@pytest.mark.soak
def test_hundreds_of_random_programs_that_are_killed_end_all_the_same(killer: Killer, tmp_path: Path) -> None:
    killed = random_programs(killer, tmp_path, range(1000, 1200))

    print(f"\nseeds 1000 to 1199: {killed} processes killed")
