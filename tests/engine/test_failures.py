"""Failures of runs, grouped by error."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from nadi.engine.failures import grouped, normalised
from nadi.model.runs import FlowRun
from nadi.model.states import StateType

T0 = 1_800_000_000.0


def failed(n: int, message: str, *, flow: str = "etl", state: StateType = StateType.FAILED) -> FlowRun:
    return FlowRun(
        id=f"id-{n}",
        root=f"id-{n}",
        name=f"run-{n}",
        flow=flow,
        attempt=1,
        token=1,
        state_type=state,
        state_name=state.capitalize(),
        message=message,
        created=T0 + n,
        ended=T0 + n + 0.5,
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("row 812 has no price", "row 77 has no price"),
        ("KeyError: 'alice'", "KeyError: 'bob and the others'"),
        ('no file "a.csv" in `x`', 'no file "other.csv" in `y/z`'),
        ("<object at 0x7f3a12>", "<object at 0xdeadbeef>"),
        ("run 01a209b9-5a95-71b1-8f54-e5f440585abb is gone", "run 01A209B9-2DC6-79E9-B0DC-EA6A68921C1F is gone"),
        ("digest 9f86d081884c7d65 differs", "digest 2c26b46b68ffc68f differs"),
        ("took 1,204.5 s since 2027-01-15 10:02:03", "took 3 s since 2027-02-01 23:59:59"),
        ("choose-17 did not run (flow.py:111 in check)", "choose-3 did not run (flow.py:12 in check)"),
        ("two\n  lines", "two lines"),
    ],
)
def test_messages_that_differ_in_numbers_ids_and_quoted_values_are_alike(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("row 812 has no price", "row 812 has no name"),
        ("can't open the user's file", "can't close the user's file"),
        ("a defaced facade", "an effaced decade"),
        ("", "0"),
    ],
)
def test_messages_that_say_something_else_are_not_alike(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


def test_a_message_of_any_kind_is_looked_at_in_a_short_time() -> None:
    hostile = ["'" * 100_000, "'a " * 50_000, "f" * 100_000, "1-" * 50_000, "12345678-1234-" * 9_000, "\x00" * 100_000]

    begun = time.process_time()
    for message in hostile * 50:
        normalised(message)

    assert time.process_time() - begun < 2.0


def test_runs_that_failed_alike_are_one_group_which_shows_the_newest() -> None:
    [group] = grouped([failed(n, f"row {n} has no price") for n in range(8)])

    assert group.count == 8
    assert (group.flow, group.state, group.message) == ("etl", "FAILED", "row 7 has no price")
    assert [run.name for run in group.runs] == ["run-7", "run-6", "run-5", "run-4", "run-3"]
    assert (group.first, group.last) == (at(0.5), at(7.5))
    assert group.times == [int(T0) + n for n in range(7, -1, -1)]


def test_flows_and_states_make_groups_of_their_own() -> None:
    groups = grouped(
        [
            failed(1, "row 1 has no price"),
            failed(2, "row 2 has no price", flow="train"),
            failed(3, "row 3 has no price", state=StateType.CRASHED),
        ]
    )

    assert [(group.flow, group.state) for group in groups] == [
        ("etl", "CRASHED"),
        ("train", "FAILED"),
        ("etl", "FAILED"),
    ]


def test_the_group_in_which_a_run_failed_last_is_first() -> None:
    groups = grouped([failed(1, "b"), failed(9, "a"), failed(2, "b"), failed(3, "c")])

    assert [group.message for group in groups] == ["a", "c", "b"]


def test_a_long_message_is_shown_in_part() -> None:
    [group] = grouped([failed(1, "x" * 100_000)])

    assert len(group.message) <= 500


def test_no_runs_are_no_groups() -> None:
    assert grouped([]) == []


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(T0 + seconds, UTC)
