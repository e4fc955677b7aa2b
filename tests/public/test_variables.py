from __future__ import annotations

import asyncio
from typing import Any

import pytest

from nadi import Secret, flow, task
from nadi.exceptions import StoreUnavailable, ValueRefused
from nadi.testing import Records
from nadi.variables import Variable


def test_a_variable_is_read_where_it_was_set_inside_and_outside_of_flows(records: Records) -> None:
    Variable.set("limits", {"rows": [1, 2.5, None, True]}, tags=["prod"])

    @task
    def read() -> Any:
        return Variable.get("limits")

    @flow
    def work() -> Any:
        Variable.set("inside", 1)
        return read.submit().result()

    assert work() == {"rows": [1, 2.5, None, True]}
    assert Variable.get("inside") == 1
    assert records.store.variables()[1].tags == ("prod",)


def test_a_variable_that_is_not_there_gives_the_default(records: Records) -> None:
    assert Variable.get("none") is None
    assert Variable.get("none", default=5) == 5


def test_a_variable_that_exists_is_changed_only_when_asked(records: Records) -> None:
    Variable.set("a", 1)

    with pytest.raises(ValueRefused, match="overwrite=True"):
        Variable.set("a", 2)

    assert Variable.get("a") == 1
    assert Variable.set("a", 2, overwrite=True).value == 2
    assert Variable.get("a") == 2


def test_unsetting_tells_whether_there_was_one(records: Records) -> None:
    Variable.set("a", 1)

    assert [Variable.unset("a"), Variable.unset("a")] == [True, False]


@pytest.mark.parametrize("name", ["", "Upper", "a b", "a/b", "x" * 256, 5])
def test_a_name_has_lower_case_letters_digits_underscores_and_dashes(records: Records, name: Any) -> None:
    with pytest.raises(ValueRefused, match="cannot name a variable"):
        Variable.set(name, 1)


@pytest.mark.parametrize("value", [object(), Secret("hidden-value"), "x" * 70_000, "uses hidden-value here"])
def test_a_value_is_small_json_and_no_secret(records: Records, value: Any) -> None:
    secret = Secret("hidden-value")

    with pytest.raises(ValueRefused) as refused:
        Variable.set("a", value)

    assert "hidden-value" not in str(refused.value)
    assert secret


def test_the_awaitable_twins_do_the_same(records: Records) -> None:
    @flow
    async def work() -> list[Any]:
        await Variable.aset("a", [1])
        return [await Variable.aget("a"), await Variable.aunset("a"), await Variable.aget("a", "gone")]

    assert asyncio.run(work()) == [[1], True, "gone"]


@task
def read_in_another_process() -> Any:
    return Variable.get("a", "default")


def test_a_task_in_another_process_is_told_to_take_the_value_as_an_argument(records: Records) -> None:
    Variable.set("a", 1)

    @flow(executor="process")
    def work() -> Any:
        return read_in_another_process.submit().result()

    with pytest.raises(StoreUnavailable, match="such as a variable, and pass its value to the task"):
        work()
