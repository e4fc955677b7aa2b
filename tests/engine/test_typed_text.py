"""Parameters from text, read by a JSON Schema alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pytest

from nadi import flow
from nadi.engine.typed_text import values_of_text
from nadi.exceptions import ParameterBindError, ParameterTypeError


@dataclass
class Point:
    x: int


@flow
def taken(
    text: str = "",
    whole: int = 0,
    number: float = 0.0,
    switch: bool = False,
    maybe: int | None = None,
    either: int | str = 0,
    names: list[str] | None = None,
    point: Point | None = None,
    mode: Literal["fast", "slow"] = "fast",
    anything: Any = None,
) -> None: ...


SCHEMA = dict(taken.schema)

READ = [
    ("text", "12", "12"),
    ("whole", "12", 12),
    ("number", "12", 12),
    ("number", "1.5", 1.5),
    ("switch", "true", True),
    ("maybe", "null", None),
    ("either", "12", 12),
    ("either", "x", "x"),
    ("names", '["a"]', ["a"]),
    ("point", '{"x": 1}', {"x": 1}),
    ("mode", "slow", "slow"),
    ("anything", "[1", "[1"),
    ("anything", "[1]", [1]),
]


@pytest.mark.parametrize(("name", "text", "value"), READ)
def test_text_is_read_as_what_the_schema_allows(name: str, text: str, value: Any) -> None:
    assert values_of_text(SCHEMA, {name: text}) == {name: value}


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("whole", "x", "a whole number"),
        ("whole", "1.5", "a whole number"),
        ("switch", "1", "true or false"),
        ("maybe", "x", "a whole number or null"),
        ("names", "a", "a JSON list or null"),
        ("whole", "true", "a whole number"),
    ],
)
def test_text_that_is_something_else_is_refused(name: str, text: str, expected: str) -> None:
    with pytest.raises(ParameterTypeError, match=rf"{name} is '{text}'; expected {expected}\.$"):
        values_of_text(SCHEMA, {name: text})


def test_a_name_that_the_flow_does_not_have_is_refused_where_its_parameters_are_known() -> None:
    with pytest.raises(ParameterBindError, match=r"no parameter 'wole' \(did you mean 'whole'\?\)"):
        values_of_text(SCHEMA, {"wole": "1"})

    assert values_of_text({}, {"wole": "1"}) == {"wole": 1}
    assert values_of_text({**SCHEMA, "additionalProperties": True}, {"more": "x"}) == {"more": "x"}


def test_a_schema_that_refers_to_itself_has_an_end() -> None:
    schema = {"properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": {"anyOf": [{"$ref": "#/$defs/A"}]}}}

    assert values_of_text(schema, {"a": "1"}) == {"a": 1}
