from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nadi.exceptions import DefinitionError
from nadi.model.retries import RetryPolicy, exponential_backoff, jittered


def policy(retries: Any = 3, delay: Any = None, jitter: Any = None) -> RetryPolicy:
    return RetryPolicy.of(retries, delay, jitter, owner="@task load")


@pytest.mark.parametrize(
    ("delay", "waits"),
    [
        (None, [0, 0, 0]),
        (2, [2, 2, 2]),
        ([1, 5], [1, 5, 5]),
        ((1, 2, 3, 4), [1, 2, 3]),
        (lambda count: [count] * count, [3, 3, 3]),
        (exponential_backoff(10), [10, 20, 40]),
    ],
)
def test_each_retry_waits_as_the_delay_says_and_the_last_one_serves_on(delay: Any, waits: list[float]) -> None:
    assert [policy(delay=delay).delay_before(retry, 0.5) for retry in (1, 2, 3)] == waits


@given(st.floats(0.001, 1e6), st.floats(0.01, 10), st.floats(0, 1, exclude_max=True))
def test_jitter_stays_near_what_was_asked_for(base: float, factor: float, chance: float) -> None:
    assert base / (1 + factor) * 0.999999 <= jittered(base, factor, chance) <= base * (1 + factor) * 1.000001


def test_without_delay_or_factor_there_is_no_jitter() -> None:
    assert jittered(0.0, 3.0, 0.9) == 0.0
    assert jittered(5.0, 0.0, 0.9) == 5.0


@pytest.mark.parametrize("retries", [-1, 1.5, True, "2"])
def test_a_number_of_retries_that_cannot_be_is_refused(retries: Any) -> None:
    with pytest.raises(DefinitionError, match="@task load: retries must be a whole number of at least 0"):
        policy(retries=retries)


@pytest.mark.parametrize("delay", [-1, float("nan"), float("inf"), ["1"], [1, -2], [True]])
def test_a_delay_that_cannot_be_is_refused(delay: Any) -> None:
    with pytest.raises(DefinitionError, match="@task load: retry_delay_seconds must be seconds of at least 0"):
        policy(delay=delay)


@pytest.mark.parametrize("jitter", [-0.1, float("inf"), True, "much"])
def test_a_jitter_that_cannot_be_is_refused(jitter: Any) -> None:
    with pytest.raises(DefinitionError, match="@task load: retry_jitter_factor must be a number of at least 0"):
        policy(jitter=jitter)


def test_exponential_delays_are_bounded_in_number() -> None:
    assert len(exponential_backoff(1)(1000)) == 50
