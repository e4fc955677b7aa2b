"""The states of Prefect 1: a hierarchy of classes, and views of the engine's states."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from nadi import states as engine_states
from nadi.declarative import states
from nadi.declarative.states import (
    Cached,
    Cancelled,
    Failed,
    Finished,
    Looped,
    Mapped,
    Paused,
    Pending,
    Retrying,
    Running,
    Scheduled,
    Skipped,
    State,
    Success,
    TimedOut,
    TriggerFailed,
    ValidationFailed,
)
from nadi.exceptions import FailedRun
from nadi.model.state_views import view_of
from nadi.model.states import StateType
from nadi.signals import FAIL

PREDICATES = ["pending", "scheduled", "retrying", "running", "finished", "successful", "failed", "skipped", "mapped"]
PREDICATES += ["cached", "looped", "submitted", "queued"]


def told(state: State) -> set[str]:
    return {name for name in PREDICATES if getattr(state, f"is_{name}")()}


@pytest.mark.parametrize(
    ("kind", "predicates"),
    [
        (Pending, {"pending"}),
        (Scheduled, {"pending", "scheduled"}),
        (Paused, {"pending", "scheduled"}),
        (states.Resume, {"pending", "scheduled"}),
        (Retrying, {"pending", "scheduled", "retrying"}),
        (Running, {"running"}),
        (states.Cancelling, {"running"}),
        (Finished, {"finished"}),
        (Success, {"finished", "successful"}),
        (Cached, {"finished", "successful", "cached"}),
        (Mapped, {"finished", "successful", "mapped"}),
        (Skipped, {"finished", "successful", "skipped"}),
        (Failed, {"finished", "failed"}),
        (TimedOut, {"finished", "failed"}),
        (TriggerFailed, {"finished", "failed"}),
        (ValidationFailed, {"finished", "failed"}),
        (Looped, {"finished", "looped"}),
        (Cancelled, {"finished"}),
        (states.Submitted, {"submitted"}),
        (states.Queued, {"submitted", "queued"}),
        (states.ClientFailed, {"submitted"}),
    ],
)
def test_predicates_go_by_the_class(kind: type[State], predicates: set[str]) -> None:
    assert told(kind("why")) == predicates


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (engine_states.Completed(data=1), Success),
        (engine_states.Completed(name="Cached"), Cached),
        (engine_states.Completed(name="Skipped"), Skipped),
        (engine_states.Completed(name="TimedOut"), Success),
        (engine_states.Failed(), Failed),
        (engine_states.Failed(name="NotReady"), TriggerFailed),
        (engine_states.Failed(name="TimedOut"), TimedOut),
        (engine_states.Failed(name="ValidationFailed"), ValidationFailed),
        (engine_states.Crashed(), Failed),
        (engine_states.Cancelled(), Cancelled),
        (engine_states.Scheduled(name="AwaitingRetry"), Retrying),
        (engine_states.Running(name="Retrying"), Running),
        (engine_states.Paused(name="Suspended"), Paused),
        (engine_states.Cancelling(), states.Cancelling),
        (engine_states.Pending(), Pending),
    ],
)
def test_each_state_of_the_engine_has_a_view(state: Any, kind: type[State]) -> None:
    view = view_of(state)

    assert type(view) is kind
    assert view.known_to_engine() is state


def test_a_view_that_was_changed_makes_a_state_of_its_own() -> None:
    view = view_of(engine_states.Completed(data=1))

    view.result = 2

    changed = view.known_to_engine()
    assert (changed.type, changed.data) == (StateType.COMPLETED, 2)


@pytest.mark.parametrize(
    ("state", "kind", "name"),
    [
        (Success("well", result=1), StateType.COMPLETED, "Completed"),
        (Skipped(), StateType.COMPLETED, "Skipped"),
        (TriggerFailed("no"), StateType.FAILED, "TriggerFailed"),
        (Retrying(start_time=datetime(2026, 1, 1, tzinfo=UTC)), StateType.SCHEDULED, "Retrying"),
        (Paused("wait"), StateType.PAUSED, "Paused"),
    ],
)
def test_the_engine_takes_every_state(state: State, kind: StateType, name: str) -> None:
    known = state.known_to_engine()

    assert (known.type, known.name, known.message) == (kind, name, state.message or "")


def test_a_failed_state_gives_the_engine_an_error_that_can_be_caught() -> None:
    as_error = Failed(result=ValueError("bad")).known_to_engine().error()
    as_signal = Failed(result=FAIL("bad")).known_to_engine().error()
    as_text = Failed("bad").known_to_engine().error()

    assert [type(one) for one in (as_error, as_signal, as_text)] == [ValueError, FailedRun, FailedRun]
    assert {str(one) for one in (as_error, as_signal, as_text)} == {"bad"}


def test_a_state_shows_its_class_and_message() -> None:
    assert repr(Success("All reference tasks succeeded.")) == '<Success: "All reference tasks succeeded.">'
    assert repr(Pending()) == "<Pending>"
    assert Mapped(n_map_states=3).n_map_states == 3
