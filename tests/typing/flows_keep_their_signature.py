"""Read by mypy, never run: what a type checker knows of flows. An ignore that is not needed is an error too."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, assert_type

from nadi import flow


@flow
def total(numbers: list[int], start: int = 0) -> int:
    """The sum of the numbers."""
    return sum(numbers, start)


@flow(name="crawl", retries=2, timeout_seconds=60, executor="process", log_prints=True)
async def crawl(url: str, *, depth: int = 1) -> list[str]:
    return [url] * depth


async def a_call_gives_what_the_function_gives() -> None:
    assert_type(total([1, 2]), int)
    await assert_type(crawl("a", depth=2), Coroutine[Any, Any, list[str]])


async def a_wrong_call_is_an_error() -> None:
    total("12")  # type: ignore[call-overload]
    total()  # type: ignore[call-overload]
    await crawl("a", 2)  # type: ignore[call-overload]
    await crawl("a", breadth=2)  # type: ignore[call-overload]


async def an_async_flow_is_awaited() -> None:
    assert_type(await crawl("a"), list[str])


def the_plain_function_is_at_hand() -> None:
    assert_type(total.fn([1]), int)
    assert_type(total.name, str)


def other_options_keep_the_signature() -> None:
    patient = total.with_options(retries=5)

    assert_type(patient([1]), int)
    patient("12")  # type: ignore[call-overload]
