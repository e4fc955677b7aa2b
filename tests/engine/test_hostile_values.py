"""Values that make trouble for whoever looks at them: each run ends, with one sentence, and loses nothing."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from nadi import flow, task
from nadi.futures import NadiFuture
from tests.conftest import Recorded


class NoReduce:
    def __reduce__(self) -> Any:
        raise RuntimeError("no pickling")


class NoRepr:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    __str__ = __repr__


class NoCompare:
    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no comparing")

    def __hash__(self) -> int:
        raise RuntimeError("no hashing")

    def __bool__(self) -> bool:
        raise RuntimeError("no truth")


class NoAttributes:
    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"no attribute {name}")


class NothingAtAll:
    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(f"nothing called {name}")


class Endless:
    def __iter__(self) -> Any:
        raise RuntimeError("no iterating")

    def __len__(self) -> int:
        raise RuntimeError("no length")


def circle() -> list[Any]:
    value: list[Any] = []
    value.append({"self": value})
    return value


HOSTILE = [NoReduce, NoRepr, NoCompare, NoAttributes, Endless, circle, threading.Lock, lambda: (one for one in "ab")]


@task
def same(value: Any) -> Any:
    return value


@pytest.mark.parametrize("make", HOSTILE)
def test_a_value_that_cannot_be_kept_is_passed_on_and_completes_its_run(make: Any, recorded: Recorded) -> None:
    value = make()
    found: list[Any] = []

    @flow
    def run(given: Any) -> Any:
        found.append(given)
        found.append(same(given))
        future: NadiFuture[Any] = same.submit(given)
        found.append(same.submit(future).result())
        found.append(same.map([given]).result()[0])
        return given

    found.append(run(value))

    assert [one is value for one in found] == [True] * 5
    assert set(recorded.states().values()) == {"Completed"}


def test_a_value_that_nobody_can_look_at_ends_its_run_all_the_same(recorded: Recorded) -> None:
    @task
    def make() -> Any:
        return NothingAtAll()

    @flow(unobserved="ignore")
    def run() -> list[bool]:
        future = make.submit()
        future.wait(timeout=30)
        direct = make(return_state=True)
        return [future.done, direct.is_final()]

    assert run() == [True, True]


class HostileError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__

    def __reduce__(self) -> Any:
        raise RuntimeError("no pickling")


def test_an_exception_that_cannot_be_told_is_raised_and_recorded(recorded: Recorded) -> None:
    @task(retries=1)
    def fail() -> None:
        raise HostileError

    @flow
    def run() -> None:
        with pytest.raises(HostileError):
            fail()
        fail.submit().result()

    with pytest.raises(HostileError):
        run()
    assert "HostileError" in recorded.root.message


@pytest.mark.parametrize("size", [0, 50 * 1024 * 1024])
def test_results_and_arguments_of_any_size_are_passed_on(size: int, home: Any) -> None:
    data = b"x" * size

    @flow
    def run(given: bytes) -> int:
        return len(same.submit(same(given)).result())

    assert run(data) == size


def test_a_program_that_sets_an_odd_attribute_hook_on_its_class_is_left_alone(recorded: Recorded) -> None:
    class Meta(type):
        def __instancecheck__(cls, instance: Any) -> bool:
            raise RuntimeError("no isinstance")

    class Odd(metaclass=Meta):
        pass

    @flow
    def run() -> Any:
        return [type(same(Odd())), same.submit(Odd).result()]

    assert run() == [Odd, Odd]
