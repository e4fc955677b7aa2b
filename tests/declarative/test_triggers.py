"""Triggers: what each of them lets run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import nadi
from nadi import Flow, states, task, triggers
from nadi.declarative.states import Failed, Mapped, Paused, Skipped, State, Success, TriggerFailed
from nadi.signals import FAIL, PAUSE, SKIP, TRIGGERFAIL
from tests.conftest import Recorded

GOOD, BAD, SKIPPED, REFUSED = Success(), Failed(), Skipped(), TriggerFailed()


def passes(trigger: Callable[[Any], bool], *states: State) -> str:
    try:
        return "runs" if trigger(dict(enumerate(states))) else "no"
    except TRIGGERFAIL:
        return "no"
    except SKIP:
        return "skipped"


@pytest.mark.parametrize(
    ("trigger", "states", "answer"),
    [
        (triggers.all_successful, [], "runs"),
        (triggers.all_successful, [GOOD, SKIPPED], "runs"),
        (triggers.all_successful, [GOOD, REFUSED], "no"),
        (triggers.all_failed, [BAD, REFUSED], "runs"),
        (triggers.all_failed, [BAD, SKIPPED], "no"),
        (triggers.any_successful, [], "runs"),
        (triggers.any_successful, [BAD, SKIPPED], "runs"),
        (triggers.any_successful, [BAD, REFUSED], "no"),
        (triggers.any_failed, [], "runs"),
        (triggers.any_failed, [GOOD, REFUSED], "runs"),
        (triggers.any_failed, [GOOD, SKIPPED], "no"),
        (triggers.all_finished, [GOOD, BAD, SKIPPED, REFUSED], "runs"),
        (triggers.always_run, [BAD], "runs"),
        (triggers.not_all_skipped, [GOOD, SKIPPED], "runs"),
        (triggers.not_all_skipped, [SKIPPED, SKIPPED], "skipped"),
        (triggers.not_all_skipped, [SKIPPED, BAD], "no"),
        (triggers.some_failed(at_least=2), [BAD, BAD, GOOD], "runs"),
        (triggers.some_failed(at_least=2), [BAD, GOOD], "no"),
        (triggers.some_failed(at_most=1), [BAD, BAD, GOOD], "no"),
        (triggers.some_failed(at_least=0.5), [BAD, GOOD], "runs"),
        (triggers.some_failed(at_least=0.5), [BAD, GOOD, GOOD], "no"),
        (triggers.some_failed(), [], "runs"),
        (triggers.some_successful(at_least=1, at_most=0.5), [GOOD, BAD], "runs"),
        (triggers.some_successful(at_most=0.5), [GOOD, SKIPPED, BAD], "no"),
    ],
)
def test_a_trigger_counts_skipped_as_success_and_trigger_failed_as_failure(
    trigger: Callable[[Any], bool], states: list[State], answer: str
) -> None:
    assert passes(trigger, *states) == answer


def test_a_mapped_upstream_counts_by_its_children() -> None:
    children = Mapped(map_states=[GOOD, BAD, GOOD])

    assert passes(triggers.all_successful, children) == "no"
    assert passes(triggers.some_failed(at_least=1, at_most=1), children) == "runs"
    assert passes(triggers.some_successful(at_least=0.75), children, GOOD) == "runs"


def state_with(trigger: Any) -> State:
    @task
    def before() -> Any:
        return 1

    @task(trigger=trigger)
    def after(x: Any) -> Any:
        return x

    with Flow("gated") as gated:
        node = after(before())
    state: State = gated.run().result[node]
    return state


def test_a_trigger_is_given_the_states_by_edge(recorded: Recorded) -> None:
    seen: list[Any] = []

    def look(upstream_states: Any) -> bool:
        seen.extend((edge.upstream_task.name, edge.key, state.result) for edge, state in upstream_states.items())
        return True

    assert state_with(look).result == 1
    assert seen == [("before", "x", 1)]


def test_a_trigger_that_says_no_makes_trigger_failed(recorded: Recorded) -> None:
    def no(upstream_states: Any) -> bool:
        return False

    state = state_with(no)

    assert isinstance(state, TriggerFailed)
    assert state.message == "Its trigger no said no."


def test_a_trigger_that_fails_makes_trigger_failed_and_says_why(recorded: Recorded) -> None:
    def broken(upstream_states: Any) -> bool:
        raise KeyError("threshold")

    state = state_with(broken)

    assert isinstance(state, TriggerFailed)
    assert "Its trigger broken failed: KeyError: 'threshold'" in str(state.message)


@pytest.mark.parametrize(("signal", "kind"), [(SKIP("enough"), Skipped), (FAIL("bad"), Failed)])
def test_a_trigger_may_raise_signals(signal: BaseException, kind: type[State], recorded: Recorded) -> None:
    def signals(upstream_states: Any) -> bool:
        raise signal

    state = state_with(signals)

    assert type(state) is kind
    assert state.message == str(signal)


def test_manual_only_waits_for_a_resume_of_the_run(recorded: Recorded) -> None:
    ran: list[str] = []

    @task
    def before() -> Any:
        ran.append("before")
        return 1

    @task(trigger=triggers.manual_only)
    def approve(x: Any) -> Any:
        ran.append("approve")
        return x + 1

    @task
    def after(x: Any) -> Any:
        return x * 10

    with Flow("approval") as approval:
        approved = approve(before())
        last = after(approved)

    state = approval.run()

    assert isinstance(state, Paused)
    assert isinstance(state.result[approved], Paused)
    assert state.result[last].is_pending()
    assert recorded.root.state_name == "Suspended"
    assert nadi.resume(recorded.root.id, flow=approval) == 20
    assert ran == ["before", "approve"]


def test_a_task_of_an_imperative_flow_that_pauses_puts_the_run_aside(recorded: Recorded) -> None:
    @task
    def careful() -> str:
        if not nadi.context["resume"]:
            raise PAUSE("look at the numbers first")
        return "published"

    @nadi.flow
    def inner() -> str:
        return careful()

    @nadi.flow
    def publish() -> str:
        return inner()

    state = publish(return_state=True)

    assert (state.type, state.name) == (states.StateType.PAUSED, "Suspended")
    assert nadi.resume(recorded.root.id, flow=publish) == "published"
    assert recorded.task_runs[0].attempt == 1
