"""Answers of nadi.runtime that the environment or a test puts in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from nadi import flow, runtime, task
from nadi.exceptions import SettingError
from nadi.testing import Records, runtime_overrides


@pytest.mark.parametrize(
    ("variable", "text", "subject", "attribute", "answer"),
    [
        ("FLOW_RUN__NAME", "nightly", "flow_run", "name", "nightly"),
        ("FLOW_RUN__ID", "7", "flow_run", "id", "7"),
        ("FLOW_RUN__RUN_COUNT", "7", "flow_run", "run_count", 7),
        ("FLOW_RUN__ATTEMPT", "2", "flow_run", "attempt", 2),
        ("FLOW_RUN__TAGS", '["a", "b"]', "flow_run", "tags", ["a", "b"]),
        ("FLOW_RUN__PARAMETERS", '{"rows": 5}', "flow_run", "parameters", {"rows": 5}),
        ("TASK_RUN__TASK_NAME", "load", "task_run", "task_name", "load"),
        ("DEPLOYMENT__NAME", "prod", "deployment", "name", "prod"),
        ("DEPLOYMENT__COLOUR", "7", "deployment", "colour", "7"),
    ],
)
def test_a_variable_of_the_environment_is_answered_as_the_attribute_s_type(
    monkeypatch: pytest.MonkeyPatch, variable: str, text: str, subject: str, attribute: str, answer: Any
) -> None:
    monkeypatch.setenv(f"NADI__RUNTIME__{variable}", text)

    assert getattr(getattr(runtime, subject), attribute) == answer


@pytest.mark.parametrize("text", ["2030-01-31T12:00:00", "2030-01-31T14:00:00+02:00", "2030-01-31T12:00:00Z"])
def test_a_time_without_zone_is_utc(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("NADI__RUNTIME__FLOW_RUN__SCHEDULED_START_TIME", text)

    found = runtime.flow_run.scheduled_start_time

    assert found == datetime(2030, 1, 31, 12, tzinfo=UTC)
    assert found is not None
    assert found.utcoffset() in (timedelta(0), timedelta(hours=2))


@pytest.mark.parametrize(
    ("attribute", "text"),
    [("run_count", "many"), ("tags", "a,b"), ("parameters", "[1]"), ("scheduled_start_time", "x")],
)
def test_text_that_does_not_fit_is_one_sentence(monkeypatch: pytest.MonkeyPatch, attribute: str, text: str) -> None:
    variable = f"NADI__RUNTIME__FLOW_RUN__{attribute.upper()}"
    monkeypatch.setenv(variable, text)

    with pytest.raises(SettingError, match=f"{variable} is '{text[0] if text[0] != '[' else ''}"):
        getattr(runtime.flow_run, attribute)


def test_the_environment_stands_before_the_true_answer(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NADI__RUNTIME__TASK_RUN__NAME", "put-in")

    @task
    def ask() -> tuple[str | None, str | None]:
        return runtime.task_run.name, runtime.task_run.task_name

    @flow
    def work() -> Any:
        return ask.submit().result()

    assert work() == ("put-in", "ask")


def test_overrides_hold_in_the_body_in_all_threads_and_the_innermost_counts(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NADI__RUNTIME__FLOW_RUN__NAME", "environment")

    @task
    def ask() -> tuple[Any, ...]:
        return runtime.flow_run.name, runtime.flow_run.tags, runtime.deployment.id

    @flow
    def work() -> Any:
        return ask.submit().result()

    with runtime_overrides(flow_run={"name": "outer", "tags": ["x"]}):
        with runtime_overrides(flow_run={"name": "inner"}, deployment={"id": None}):
            inside = work()
        outside = runtime.flow_run.name
    after = runtime.flow_run.name

    assert inside == ("inner", ["x"], None)
    assert (outside, after) == ("outer", "environment")


def test_an_attribute_that_is_neither_there_nor_put_in_is_an_error() -> None:
    with pytest.raises(AttributeError, match="has no 'colour'"):
        _ = runtime.flow_run.colour
