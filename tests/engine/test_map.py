from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest

from nadi import allow_failure, flow, quote, task, unmapped
from nadi.exceptions import ContextError, MappingLengthMismatch, MappingMissingIterable
from nadi.futures import FutureList
from tests.conftest import Recorded


@task
def pair(left: Any, right: Any = None) -> tuple[Any, Any]:
    return left, right


@task
def numbers(count: int) -> list[int]:
    return list(range(count))


def mapped(*args: Any, **kwargs: Any) -> Any:
    @flow
    def run() -> Any:
        return pair.map(*args, **kwargs).result()

    return run()


def test_iterables_are_paired_item_by_item(recorded: Recorded) -> None:
    assert mapped([1, 2], (3, 4)) == [(1, 3), (2, 4)]
    assert [run.map_index for run in recorded.task_runs] == [0, 1]
    assert [run.name for run in recorded.task_runs] == ["pair-0", "pair-1"]


def test_anything_iterable_is_iterated_but_text_bytes_and_dicts(recorded: Recorded) -> None:
    def generated() -> Iterator[int]:
        yield from (1, 2)

    assert mapped(generated(), range(2)) == [(1, 0), (2, 1)]
    assert mapped({5}, "ab") == [(5, "ab")]
    assert mapped([1], b"ab") == [(1, b"ab")]
    assert mapped([1], {"a": 1}) == [(1, {"a": 1})]


def test_an_open_file_is_passed_whole(recorded: Recorded) -> None:
    file = io.StringIO("a\nb\nc\n")

    assert mapped([1], file) == [(1, file)]


def test_unmapped_is_passed_whole_with_and_without_other_marks(recorded: Recorded) -> None:
    assert mapped([1, 2], unmapped([9, 9, 9])) == [(1, [9, 9, 9]), (2, [9, 9, 9])]
    assert mapped([1], unmapped(allow_failure([9]))) == [(1, [9])]
    assert mapped([1], allow_failure(unmapped([9]))) == [(1, [9])]
    assert mapped([1], unmapped(quote([9]))) == [(1, [9])]


def test_a_default_is_one_value_for_all_children_also_when_it_is_a_list(recorded: Recorded) -> None:
    @task
    def scaled(number: int, by: list[int] = [2, 3, 4]) -> int:  # noqa: B006
        return number * by[0]

    @flow
    def run() -> list[int]:
        return scaled.map([1, 2]).result()

    assert run() == [2, 4]


def test_unequal_lengths_are_an_error_that_says_which(recorded: Recorded) -> None:
    with pytest.raises(MappingLengthMismatch, match="'left' has 2, 'right' has 3"):
        mapped([1, 2], [1, 2, 3])
    assert recorded.task_runs == []


def test_no_iterable_is_an_error_that_says_what_was_given(recorded: Recorded) -> None:
    with pytest.raises(MappingMissingIterable, match="'left' is int, 'right' is str"):
        mapped(1, "ab")
    with pytest.raises(MappingMissingIterable, match="'left' is unmapped"):
        mapped(unmapped([1]))


def test_an_empty_iterable_gives_no_children(recorded: Recorded) -> None:
    assert mapped([]) == []


def test_a_future_of_a_list_and_a_list_of_futures_are_both_mapped_over(recorded: Recorded) -> None:
    @flow
    def run() -> Any:
        listed = numbers.submit(2)
        first = pair.map(listed, unmapped(1))
        assert isinstance(first, FutureList)
        return pair.map(first, listed).result()

    assert run() == [((0, 1), 0), ((1, 1), 1)]


def test_mapped_results_are_reduced_by_passing_the_list_of_futures(recorded: Recorded) -> None:
    @task
    def total(values: list[int]) -> int:
        return sum(values)

    @task
    def add(number: int) -> int:
        return number + 1

    @flow
    def run() -> list[int]:
        added = add.map([1, 2, 3])
        return [total(added), total.submit(added).result(), total.submit(added[:2]).result()]  # type: ignore[arg-type]

    assert run() == [9, 9, 5]
    assert len(recorded.task_runs[3].upstream) == 3


def test_a_failed_child_fails_only_what_depends_on_it(recorded: Recorded) -> None:
    @task
    def even(number: int) -> int:
        if number % 2:
            raise ValueError(f"{number} is odd")
        return number

    @flow
    def run() -> Any:
        checked = even.map([0, 1, 2])
        after = pair.map(checked, unmapped("x"))
        kept = pair.map(allow_failure(checked))
        return after.result(raise_on_failure=False), kept.result()

    after, kept = run()

    assert [after[0], after[2]] == [(0, "x"), (2, "x")]
    assert "did not run because its upstream even-1 ended Failed: ValueError: 1 is odd" in str(after[1])
    assert [kept[0], kept[2]] == [(0, None), (2, None)]
    assert isinstance(kept[1][0], ValueError)


def test_each_variadic_argument_is_mapped_by_itself(recorded: Recorded) -> None:
    @task
    def gather(first: Any, *rest: Any, **named: Any) -> Any:
        return first, rest, named

    @flow
    def run() -> Any:
        return gather.map([1, 2], [3, 4], "whole", x=[5, 6], y=unmapped([7])).result()

    assert run() == [(1, (3, "whole"), {"x": 5, "y": [7]}), (2, (4, "whole"), {"x": 6, "y": [7]})]


def test_map_and_submit_outside_of_a_flow_say_what_they_need() -> None:
    with pytest.raises(ContextError, match=r"pair.map\(\) needs a flow around it"):
        pair.map([1])
    with pytest.raises(ContextError, match=r"pair.submit\(\) needs a flow around it"):
        pair.submit(1)


def test_async_and_generator_tasks_are_mapped_like_others(recorded: Recorded) -> None:
    @task
    async def fetch(number: int) -> int:
        return number * 10

    @task
    def count(number: int) -> Iterator[int]:
        yield from range(number)

    @flow
    def run() -> Any:
        return fetch.map([1, 2]).result(), count.map([1, 2]).result()

    assert run() == ([10, 20], [[0], [0, 1]])
