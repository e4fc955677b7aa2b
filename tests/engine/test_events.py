"""Events: what code says that happened, inside of runs and outside."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from nadi import Secret, flow, task
from nadi.engine import recording
from nadi.engine.events import LARGEST
from nadi.events import Event, emit_event
from nadi.exceptions import ValueRefused
from nadi.executors import ProcessExecutor
from tests.conftest import Recorded
from tests.public.runs import in_flow

CHURN = {"nadi.resource.id": "model.churn"}


@task
def tell_of_churn(password: str = "") -> None:
    emit_event("model.promoted", CHURN, payload={"by": password or "ada"})


def emitted(recorded: Recorded) -> list[Event]:
    return recorded.store.events.newest(limit=100)[::-1]


def test_an_event_carries_the_run_and_task_run_that_emitted_it(recorded: Recorded) -> None:
    @flow
    def promote() -> None:
        emit_event("promotion.began", CHURN)
        tell_of_churn()

    promote()

    of_flow, of_task = emitted(recorded)
    (task_run,) = recorded.task_runs
    assert (of_flow.event, of_flow.flow_run_id, of_flow.task_run_id) == ("promotion.began", recorded.root.id, "")
    assert (of_task.event, of_task.flow_run_id, of_task.task_run_id) == (
        "model.promoted",
        recorded.root.id,
        task_run.id,
    )


def test_what_is_returned_is_the_event_that_is_recorded(recorded: Recorded) -> None:
    made: list[Event] = []

    in_flow(lambda: made.append(emit_event("model.promoted", CHURN, payload={"accuracy": 0.9})))

    (kept,) = emitted(recorded)
    assert (kept.id, kept.occurred, kept.resource, kept.payload) == (
        made[0].id,
        made[0].occurred,
        made[0].resource,
        made[0].payload,
    )


def test_an_event_outside_of_any_run_goes_straight_to_the_store(home: Path) -> None:
    made = emit_event("file.arrived", {"prefect.resource.id": "inbox/may.csv"})

    (kept,) = recording.recorder().store().events.newest(limit=10)
    assert (kept.id, kept.resource_id, kept.flow_run_id) == (made.id, "inbox/may.csv", "")


def test_an_event_of_a_task_in_another_process_comes_home_with_its_secrets_masked(recorded: Recorded) -> None:
    held = Secret("hunter2-hunter2")

    @flow(executor=ProcessExecutor(1))
    def promote() -> None:
        tell_of_churn.submit(held.get()).result()

    promote()

    (event,) = emitted(recorded)
    (task_run,) = recorded.task_runs
    assert event.task_run_id == task_run.id
    assert event.payload == {"by": "****"}


def test_secrets_are_masked_in_all_that_an_event_says(recorded: Recorded) -> None:
    held = Secret("hunter2-hunter2")
    text = held.get()

    in_flow(
        lambda: emit_event(
            f"login.{text}", {**CHURN, "user": text}, related=[{**CHURN, "with": text}], payload={"all": [held, text]}
        )
    )

    assert "hunter2" not in repr(emitted(recorded))


def test_a_time_is_kept_in_utc(recorded: Recorded) -> None:
    in_kolkata = datetime(2026, 5, 1, 12, 0, tzinfo=timezone(timedelta(hours=5, minutes=30)))

    in_flow(lambda: emit_event("a", CHURN, occurred=in_kolkata))
    in_flow(lambda: emit_event("b", CHURN, occurred=datetime(2026, 5, 1, 6, 30)))

    assert [event.occurred for event in emitted(recorded)] == [datetime(2026, 5, 1, 6, 30, tzinfo=UTC)] * 2


def test_an_id_that_was_used_before_adds_nothing(recorded: Recorded) -> None:
    id = uuid.uuid4()

    in_flow(lambda: emit_event("first", CHURN, id=id))
    emit_event("second", CHURN, id=id)

    assert [(event.id, event.event) for event in emitted(recorded)] == [(str(id), "first")]


def test_an_event_names_the_one_that_it_follows(recorded: Recorded) -> None:
    first = emit_event("first", CHURN)
    emit_event("second", CHURN, follows=first)
    emit_event("third", CHURN, follows=uuid.UUID(int=7))

    assert [event.follows for event in emitted(recorded)] == [None, first.id, str(uuid.UUID(int=7))]


def test_what_json_has_no_form_for_becomes_text(recorded: Recorded) -> None:
    emit_event("a", CHURN, payload={"where": Path("/data"), "when": datetime(2026, 5, 1, tzinfo=UTC), "n": {1: 2}})

    (event,) = emitted(recorded)
    assert event.payload == {"where": "/data", "when": "2026-05-01T00:00:00Z", "n": {"1": 2}}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"event": ""}, "An event's name is text"),
        ({"event": "two\nlines"}, "An event's name is text"),
        ({"resource": {"name": "churn"}}, "has the label 'nadi.resource.id'"),
        ({"resource": {"nadi.resource.id": 7}}, "dict of text to text"),
        ({"related": [{"role": "input"}]}, "each of related is a dict"),
        ({"payload": [1]}, "The payload of an event is a dict"),
        ({"occurred": "today"}, "occurred is a datetime"),
        ({"id": 7}, "The id of an event is a UUID or text"),
        ({"payload": {"all": "x" * LARGEST}}, "an event has at most 1,048,576"),
    ],
)
def test_what_cannot_be_an_event_is_refused_with_a_sentence(
    recorded: Recorded, given: dict[str, Any], told: str
) -> None:
    fields = {"event": "model.promoted", "resource": CHURN} | given

    with pytest.raises(ValueRefused, match=told):
        emit_event(**fields)

    assert emitted(recorded) == []
