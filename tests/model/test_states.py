from __future__ import annotations

from datetime import UTC, datetime

import pytest

from nadi.exceptions import CancelledRun, CrashedRun, FailedRun, MissingResult, UnfinishedRun
from nadi.model.states import FINAL, State, StateType, aggregate, may_be_claimed, may_follow
from nadi.states import Cancelled, Cancelling, Completed, Crashed, Failed, Paused, Pending, Running, Scheduled

ALL = list(StateType)


@pytest.mark.parametrize("final", sorted(FINAL))
def test_nothing_follows_a_final_state(final: StateType) -> None:
    assert not any(may_follow(final, kind) for kind in ALL)


@pytest.mark.parametrize("old", [kind for kind in ALL if kind not in FINAL])
def test_every_state_that_is_not_final_may_end_in_each_final_one(old: StateType) -> None:
    assert all(may_follow(old, final) for final in FINAL)


def test_a_run_may_begin_in_any_state() -> None:
    assert all(may_follow(None, kind) for kind in ALL)


def test_a_run_that_is_being_cancelled_only_ends() -> None:
    assert {kind for kind in ALL if may_follow(StateType.CANCELLING, kind)} == FINAL


def test_a_running_run_may_wait_for_a_retry_or_pause_but_not_become_pending_again() -> None:
    assert may_follow(StateType.RUNNING, StateType.SCHEDULED)
    assert may_follow(StateType.RUNNING, StateType.PAUSED)
    assert not may_follow(StateType.RUNNING, StateType.PENDING)


def test_only_a_completed_run_cannot_be_claimed_again() -> None:
    assert [kind for kind in ALL if not may_be_claimed(kind)] == [StateType.COMPLETED]


@pytest.mark.parametrize(
    ("kinds", "together"),
    [
        ([], StateType.COMPLETED),
        ([StateType.COMPLETED, StateType.COMPLETED], StateType.COMPLETED),
        ([StateType.COMPLETED, StateType.FAILED], StateType.FAILED),
        ([StateType.FAILED, StateType.CANCELLED], StateType.CANCELLED),
        ([StateType.PAUSED, StateType.FAILED], StateType.PAUSED),
        ([StateType.PAUSED, StateType.CANCELLED], StateType.CANCELLED),
        ([StateType.CRASHED], StateType.FAILED),
    ],
)
def test_several_states_make_one(kinds: list[StateType], together: StateType) -> None:
    assert aggregate(State(type=kind) for kind in kinds) is together


@pytest.mark.parametrize(
    "make", [Scheduled, Pending, Running, Paused, Cancelling, Completed, Failed, Crashed, Cancelled]
)
def test_each_factory_makes_its_state_and_exactly_one_predicate_holds(make: object) -> None:
    assert callable(make)
    state = make()
    kinds = [kind for kind in ALL if getattr(state, f"is_{kind.value.lower()}")()]

    assert kinds == [state.type]
    assert state.name == state.type.value.capitalize()
    assert state.is_final() == (state.type in FINAL)


def test_the_result_of_a_state_is_its_value_or_what_it_failed_with() -> None:
    error = ValueError("no")

    assert Completed(data=None).result() is None
    assert Failed(data=error).result(raise_on_failure=False) is error
    with pytest.raises(ValueError, match="no"):
        Failed(data=error).result()


@pytest.mark.parametrize(("make", "kind"), [(Failed, FailedRun), (Crashed, CrashedRun), (Cancelled, CancelledRun)])
def test_a_state_without_an_exception_raises_one_of_ours_with_its_message(make: object, kind: type[Exception]) -> None:
    assert callable(make)
    with pytest.raises(kind, match="by hand"):
        make(message="by hand").result()


def test_a_state_that_has_no_outcome_yet_or_no_more_says_so() -> None:
    with pytest.raises(UnfinishedRun, match="The run is Running and has no result yet"):
        Running().result()
    with pytest.raises(MissingResult, match="its value was not kept"):
        State(type=StateType.COMPLETED).result()


def test_a_state_reads_as_its_name_type_and_message() -> None:
    assert str(Completed()) == "Completed"
    assert str(State(type=StateType.FAILED, name="TimedOut", message="too slow")) == "TimedOut (FAILED): too slow"
    assert State(type=StateType.RUNNING, at=0.5).timestamp == datetime.fromtimestamp(0.5, UTC)
