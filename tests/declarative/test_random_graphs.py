"""Random declared flows come to what a small interpreter says, on every executor, and again when they are resumed."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nadi
from nadi.declarative.states import Mapped, State
from nadi.declarative.triggers import parts_of
from nadi.model.runs import TaskRun
from tests.conftest import Recorded
from tests.declarative.random_graphs import (
    Outcome,
    Program,
    a_program,
    declared,
    done_in,
    expected,
    states_of,
    told_states,
    without_failures,
)

QUIET = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def outcome_of(state: State) -> Outcome:
    """What a state says, in the interpreter's words."""
    if isinstance(state, Mapped):
        return "Mapped", [outcome_of(child) for child in state.map_states]
    return type(state).__name__, state.result


def as_told(outcome: Outcome) -> Any:
    """An outcome for comparison: what failed is compared by its state alone."""
    kind, value = outcome
    if kind == "Mapped":
        return [as_told(child) for child in value]
    return kind, None if "Failed" in kind else _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return "an exception" if isinstance(value, BaseException) else value


def run_and_compare(program: Program, executor: Any) -> None:
    flow, tasks = declared(program)

    state = flow.run(executor=executor)

    wanted = {label: as_told(outcome) for label, outcome in expected(program).items() if label in tasks}
    assert {label: as_told(outcome_of(state.result[node])) for label, node in tasks.items()} == wanted, program
    last = [state.result[node] for node in flow.terminal_tasks()]
    assert state.is_failed() == any(one.is_failed() for each in last for one in parts_of(each))


@given(st.randoms(use_true_random=False), st.sampled_from(["thread", "sequential"]))
@settings(QUIET, max_examples=60, derandomize=True)
def test_a_random_flow_comes_to_what_the_interpreter_says(
    recorded: Recorded, rng: random.Random, executor: str
) -> None:
    run_and_compare(a_program(rng), executor)


@pytest.mark.parametrize("seed", range(4))
def test_a_random_flow_comes_to_the_same_in_processes(recorded: Recorded, seed: int) -> None:
    run_and_compare(a_program(random.Random(seed), most=20), "process")


@pytest.mark.soak
@given(st.randoms(use_true_random=False), st.sampled_from(["thread", "sequential"]))
@pytest.mark.timeout(900)
@settings(QUIET, max_examples=3000)
def test_thousands_of_random_flows_come_to_what_the_interpreter_says(
    recorded: Recorded, rng: random.Random, executor: str
) -> None:
    run_and_compare(a_program(rng, most=25), executor)


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_hundreds_of_random_flows_come_to_the_same_in_processes(recorded: Recorded) -> None:
    for seed in range(1000, 1200):
        run_and_compare(a_program(random.Random(seed), most=25), "process")


# -- resumed by hand after a failure --


def resume_and_compare(program: Program, recorded: Recorded, ledger: Path) -> bool:
    """Run a program and, if it failed, resume it; returns whether it did."""
    flow, _ = declared(program)
    ledger.write_text("")
    if not flow.run().is_failed():
        return False
    before, finished = Counter(ledger.read_text().split()), done_in(newest(recorded))

    nadi.resume(recorded.root.id, flow=flow, return_state=True)

    # What failed runs again, and with it what took its failure for a value.
    after, settled = Counter(ledger.read_text().split()), without_failures(program)
    assert [each for each in finished if after[each] > before[each] and each.split("/")[0] in settled] == [], program
    assert states_of(newest(recorded)) == told_states(program), program
    return True


def newest(recorded: Recorded) -> list[TaskRun]:
    root = recorded.root
    return [run for run in recorded.task_runs if run.seen == root.token]


@given(st.randoms(use_true_random=False))
@settings(QUIET, max_examples=40, derandomize=True)
def test_a_random_flow_that_failed_and_is_resumed_repeats_nothing_finished_and_comes_to_the_same(
    recorded: Recorded, tmp_path: Path, rng: random.Random
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEDGER", str(tmp_path / "ledger"))
        resume_and_compare(a_program(rng), recorded, tmp_path / "ledger")


@pytest.mark.soak
@pytest.mark.timeout(900)
@given(st.randoms(use_true_random=False))
@settings(QUIET, max_examples=2000)
def test_thousands_of_random_flows_that_failed_and_are_resumed_come_to_the_same(
    recorded: Recorded, tmp_path: Path, rng: random.Random
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEDGER", str(tmp_path / "ledger"))
        resume_and_compare(a_program(rng, most=25), recorded, tmp_path / "ledger")
