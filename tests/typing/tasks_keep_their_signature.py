"""Read by mypy, never run: what a type checker knows of tasks. An ignore that is not needed is an error too."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, assert_type

from nadi import task, unmapped
from nadi.futures import FutureList, NadiFuture


@task
def double(number: int) -> int:
    """Twice the number."""
    return 2 * number


@task()
def shout(text: str, *, marks: int = 1) -> str:
    return text.upper() + "!" * marks


@task(name="fetch", retries=3, retry_delay_seconds=[1, 2, 4], timeout_seconds=5, tags={"net"}, log_prints=True)
async def fetch(url: str) -> bytes:
    return url.encode()


async def a_call_gives_what_the_function_gives() -> None:
    assert_type(double(2), int)
    assert_type(shout("hi", marks=2), str)
    await assert_type(fetch("a"), Coroutine[Any, Any, bytes])


async def a_wrong_call_is_an_error() -> None:
    double("2")  # type: ignore[call-overload]
    double()  # type: ignore[call-overload]
    shout("hi", 2)  # type: ignore[call-overload]
    shout("hi", points=2)  # type: ignore[call-overload]
    await fetch(2)  # type: ignore[call-overload]


def the_plain_function_is_at_hand() -> None:
    assert_type(double.fn(2), int)
    assert_type(double.name, str)


def submit_gives_a_future_of_the_result_for_sync_and_async_alike() -> None:
    assert_type(double.submit(2), NadiFuture[int])
    assert_type(double.submit(2).result(), int)
    assert_type(fetch.submit("a"), NadiFuture[bytes])
    assert_type(fetch.submit("a").result(timeout=1.0), bytes)


def submit_takes_futures_for_values_and_what_to_wait_for() -> None:
    first = double.submit(2)

    assert_type(double.submit(first, wait_for=[first]), NadiFuture[int])


def map_gives_a_list_of_futures() -> None:
    doubled = double.map([1, 2, 3])

    assert_type(doubled, FutureList[int])
    assert_type(doubled[0], NadiFuture[int])
    assert_type(doubled.result(), list[int])
    assert_type(fetch.map(["a", "b"]), FutureList[bytes])
    assert_type(shout.map(["a", "b"], marks=unmapped(2)), FutureList[str])


def other_options_keep_the_signature() -> None:
    patient = double.with_options(retries=5)

    assert_type(patient(2), int)
    assert_type(patient.submit(2), NadiFuture[int])
    patient("2")  # type: ignore[call-overload]


class Model:
    """Tasks may be methods. (Of class methods mypy loses the signature before any decorator sees them.)"""

    @task
    def fit(self, rows: int) -> float:
        return float(rows)

    @task
    @staticmethod
    def score(rows: int) -> float:
        return float(rows)


def a_method_is_called_without_self() -> None:
    assert_type(Model().fit(3), float)
    assert_type(Model().fit.submit(3), NadiFuture[float])
    assert_type(Model.score(3), float)
