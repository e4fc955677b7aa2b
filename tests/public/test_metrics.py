from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from nadi import flow, log_metric, log_metrics, task
from nadi.exceptions import ContextError, ValueRefused
from nadi.testing import Records
from tests.public.runs import in_flow


class Scalar:
    def __init__(self, value: Any) -> None:
        self.value = value

    def item(self) -> Any:
        return self.value


def test_steps_count_up_for_each_run_and_key_when_none_is_given(records: Records) -> None:
    @task
    def train(model: str) -> None:
        for loss in (0.9, 0.5):
            log_metric("loss", loss)
        log_metric("accuracy", 0.8)

    @flow
    def compare() -> None:
        train.map(["a", "b"]).wait()

    compare()

    found = {(value.task, value.key, value.step): value.value for value in records.metrics()}
    first, second = (run.id for run in records.task_runs())
    assert found == {
        (run, key, step): value
        for run in (first, second)
        for key, step, value in (("loss", 0, 0.9), ("loss", 1, 0.5), ("accuracy", 0, 0.8))
    }


def test_a_step_that_is_given_is_kept_and_counts_nothing(records: Records) -> None:
    @flow
    def train() -> None:
        log_metric("loss", 0.9, step=100)
        log_metric("loss", 0.8)
        log_metrics({"loss": 0.7, "auc": 0.6}, step=200)

    train()

    assert [(value.key, value.step) for value in records.metrics()] == [
        ("loss", 100),
        ("loss", 0),
        ("loss", 200),
        ("auc", 200),
    ]


@task(retries=1)
def fail_once(tries: list[int]) -> None:
    log_metric("loss", 0.5)
    tries.append(1)
    if len(tries) == 1:
        raise ValueError("once")


def test_an_attempt_that_is_made_again_counts_from_0_again(records: Records) -> None:
    in_flow(lambda: fail_once([]))

    assert [value.step for value in records.metrics()] == [0, 0]


@pytest.mark.parametrize(
    ("value", "recorded"),
    [(1, 1.0), (True, 1.0), (0.5, 0.5), (Decimal("0.25"), 0.25), (Scalar(3), 3.0), (Scalar(0.5), 0.5)],
)
def test_a_value_is_any_kind_of_number(records: Records, value: Any, recorded: float) -> None:
    in_flow(lambda: log_metric("m", value))

    assert records.metrics("m")[0].value == recorded


@pytest.mark.parametrize("value", ["0.5", None, [1.0], 1j, Scalar("text")])
def test_what_is_no_number_is_refused(records: Records, value: Any) -> None:
    with pytest.raises(ValueRefused, match="'m' must be one number"):
        in_flow(lambda: log_metric("m", value))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400])
def test_a_value_that_no_chart_can_show_is_told_in_the_log_and_fails_nothing(records: Records, value: float) -> None:
    @flow
    def train() -> None:
        log_metric("loss", value)
        log_metric("loss", 0.5)

    train()

    assert [(one.step, one.value) for one in records.metrics()] == [(1, 0.5)]
    assert [line.level for line in records.logs("Metric loss is")] == [30]


@pytest.mark.parametrize("key", ["", "  ", 5, "x" * 201, "a\nb"])
def test_a_metric_has_a_printable_name(records: Records, key: Any) -> None:
    with pytest.raises(ValueRefused, match="name"):
        in_flow(lambda: log_metric(key, 1))


def test_a_step_is_a_whole_number(records: Records) -> None:
    with pytest.raises(ValueRefused, match="whole number"):
        in_flow(lambda: log_metric("m", 1, step=0.5))  # type: ignore[arg-type]  # what is refused


def test_outside_of_a_run_there_is_nothing_to_log_a_metric_for() -> None:
    with pytest.raises(ContextError, match="inside of a flow or task"):
        log_metric("m", 1)


@task
def log_from_another_process() -> None:
    log_metric("far", 1.0)
    log_metric("far", 2.0)


def test_metrics_of_a_task_in_another_process_are_recorded_too(records: Records) -> None:
    @flow(executor="process")
    def train() -> None:
        log_from_another_process.submit().result()

    train()

    assert [(value.step, value.value) for value in records.metrics("far")] == [(0, 1.0), (1, 2.0)]
