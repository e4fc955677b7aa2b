from __future__ import annotations

from typing import Any

import pytest

from nadi import flow, tags, task
from nadi.exceptions import DefinitionError
from tests.conftest import Recorded


def test_tags_come_from_definition_context_and_caller(recorded: Recorded) -> None:
    @task(tags={"gpu"})
    def work() -> None: ...

    @flow(tags=["nightly"])
    def run() -> None:
        with tags("inner", "second"):
            work()
            work.submit()
        work()

    with tags("outer"):
        run()

    assert set(recorded.root.tags) == {"nightly", "outer"}
    assert [set(one.tags) for one in recorded.task_runs] == [
        {"gpu", "nightly", "outer", "inner", "second"},
        {"gpu", "nightly", "outer", "inner", "second"},
        {"gpu", "nightly", "outer"},
    ]


def test_run_names_are_templates_over_the_parameters_or_functions(recorded: Recorded) -> None:
    @task(task_run_name="load {table} {options[size]}")
    def load(table: str, options: dict[str, int]) -> None: ...

    @task(task_run_name=lambda: "plain")
    def plain() -> None: ...

    @task(task_run_name=lambda parameters: f"with {parameters['x']}")
    def told(x: int) -> None: ...

    @flow(flow_run_name="run of {day}")
    def run(day: str = "monday") -> None:
        load("users", {"size": 3})
        plain()
        told.map([1, 2])

    run()

    assert recorded.root.name == "run of monday"
    assert [one.name for one in recorded.task_runs] == ["load users 3", "plain", "with 1", "with 2"]


def test_a_template_that_names_no_parameter_says_so(recorded: Recorded) -> None:
    @flow(flow_run_name="{month}")
    def run(day: str = "monday") -> None: ...

    with pytest.raises(Exception, match="month"):
        run()


def test_a_run_without_a_name_gets_a_friendly_one(recorded: Recorded) -> None:
    @flow
    def run() -> None: ...

    run()

    assert recorded.root.name.count("-") == 2


@pytest.mark.parametrize("name", ["größe", "路径", "🚀 launch", "a.b-c", "x" * 200, "../etc", "C:\\x"])
def test_names_may_be_of_any_language_and_look_like_paths(name: str, recorded: Recorded) -> None:
    clean = name.replace("/", ".")

    @task(name=name, task_run_name=f"{name} run")
    def work() -> str:
        return name

    @flow(name=clean, flow_run_name=name)
    def run() -> str:
        return work()

    assert run() == name
    assert (recorded.root.flow, recorded.root.name) == (clean, name)


def test_a_name_that_is_too_long_is_refused_and_a_run_name_is_cut(recorded: Recorded) -> None:
    with pytest.raises(DefinitionError, match="201 characters"):
        flow(name="x" * 201)(lambda: None)

    @flow(flow_run_name="{text}")
    def run(text: str) -> None: ...

    run("y" * 5000)

    assert recorded.root.name == "y" * 199 + "…"


def test_description_and_version_are_recorded(recorded: Recorded) -> None:
    @flow(version="1.2", description="What it does.")
    def given() -> None: ...

    @flow
    def told() -> None:
        """The first line.

        More.
        """

    given()
    assert (recorded.root.version, recorded.root.description) == ("1.2", "What it does.")
    told()
    assert recorded.root.description == "The first line."
    assert recorded.root.version == told.version
    assert len(told.version) == 32


def test_parameters_are_converted_and_errors_name_parameter_expectation_and_value(recorded: Recorded) -> None:
    @flow
    def run(rows: int, ratio: float = 0.5) -> Any:
        return rows, ratio

    assert run("5", ratio="1") == (5, 1.0)  # type: ignore[call-overload]
    with pytest.raises(ValueError, match=r"(?s)rows.*whole number.*many"):
        run("many")  # type: ignore[call-overload]
    assert recorded.root.state_name == "Failed"


def test_parameters_are_taken_as_they_are_when_validation_is_off(recorded: Recorded) -> None:
    @flow(validate_parameters=False)
    def run(rows: int) -> Any:
        return rows

    assert run("5") == "5"  # type: ignore[call-overload]


def test_a_flow_has_a_json_schema_of_its_parameters() -> None:
    @flow
    def run(rows: int, name: str = "x") -> None: ...

    assert run.schema["properties"]["rows"]["type"] == "integer"
    assert run.schema["required"] == ["rows"]
