import enum
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pydantic
import pytest

from nadi.model.parameters import Parameters


class Color(enum.Enum):
    RED = "r"
    BLUE = "b"


@dataclass
class Tree:
    value: int
    children: list["Tree"] = field(default_factory=list)
    color: Color = Color.RED


class Train(msgspec.Struct, rename="camel"):
    max_depth: int
    name: str = "x"


class Model(pydantic.BaseModel):
    rows: int


class Node(pydantic.BaseModel):
    children: list["Node"] = []


class Hidden:
    def get_secret_value(self) -> str:
        return "hunter2"


SECRET = Hidden()


def schema_of(annotation: Any) -> dict[str, Any]:
    def f(x: Any) -> None: ...

    f.__annotations__["x"] = annotation
    schema = Parameters.of(f).schema()
    json.dumps(schema)
    return schema


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (int, {"type": "integer"}),
        (float, {"type": "number"}),
        (bool, {"type": "boolean"}),
        (str, {"type": "string"}),
        (datetime, {"type": "string", "format": "date-time"}),
        (Path, {"type": "string", "format": "path"}),
        (timedelta, {"anyOf": [{"type": "number"}, {"type": "string", "format": "duration"}]}),
        (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        (Literal["a", "b"], {"enum": ["a", "b"], "type": "string"}),
        (Literal["a", 1], {"enum": ["a", 1]}),
        (list[int], {"type": "array", "items": {"type": "integer"}}),
        (set[int], {"type": "array", "items": {"type": "integer"}, "uniqueItems": True}),
        (list, {"type": "array"}),
        (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
        (Annotated[int, msgspec.Meta(ge=1, title="Rows")], {"type": "integer", "minimum": 1, "title": "Rows"}),
        (
            Annotated[list[int], msgspec.Meta(min_length=1)],
            {"type": "array", "items": {"type": "integer"}, "minItems": 1},
        ),
        (Annotated[int, pydantic.Field(ge=1)], {"type": "integer", "minimum": 1}),
        (Hidden, {"type": "string", "format": "password", "writeOnly": True}),
        (Any, {}),
        (Exception, {}),
        (Color, {"$ref": "#/$defs/Color"}),
        (Train, {"$ref": "#/$defs/Train"}),
        (Model, {"$ref": "#/$defs/Model"}),
        (Node, {"$ref": "#/$defs/Node"}),
    ],
)
def test_a_type_has_its_json_schema(annotation: Any, expected: dict[str, Any]) -> None:
    schema = schema_of(annotation)

    assert schema["properties"]["x"] == {"title": "x", **expected}


def test_the_schema_tells_which_parameters_are_required_and_the_defaults_of_others() -> None:
    def train(rows: int, where: Path = Path("a"), color: Color = Color.BLUE, hook: Any = print) -> None: ...

    schema = Parameters.of(train).schema()

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"] == "train"
    assert schema["required"] == ["rows"]
    assert schema["additionalProperties"] is False
    assert {name: told.get("default") for name, told in schema["properties"].items()} == {
        "rows": None,
        "where": "a",
        "color": "b",
        "hook": None,
    }


def test_a_default_that_json_cannot_hold_or_that_is_secret_is_left_out() -> None:
    def f(a: float = float("inf"), b: object = object(), c: Hidden = SECRET, d: bytes = b"a") -> None: ...

    properties = Parameters.of(f).schema()["properties"]

    assert not [name for name, told in properties.items() if "default" in told]


def test_classes_with_fields_stand_once_under_defs_and_may_contain_themselves() -> None:
    definitions = schema_of(Tree)["$defs"]

    assert definitions["Tree"] == {
        "title": "Tree",
        "type": "object",
        "properties": {
            "value": {"type": "integer"},
            "children": {"type": "array", "items": {"$ref": "#/$defs/Tree"}},
            "color": {"$ref": "#/$defs/Color", "default": "r"},
        },
        "required": ["value"],
    }
    assert definitions["Color"] == {"title": "Color", "enum": ["r", "b"], "type": "string"}


def test_two_classes_of_one_name_have_two_definitions() -> None:
    def other() -> type:
        @dataclass
        class Tree:
            height: float

        return Tree

    schema = schema_of(Tree | other())

    assert set(schema["$defs"]) == {"Tree", "Tree_2", "Color"}


def test_variadics_are_an_array_and_an_object() -> None:
    def f(*rest: int, **more: float) -> None: ...

    schema = Parameters.of(f).schema()

    assert schema["properties"] == {
        "rest": {"title": "rest", "type": "array", "items": {"type": "integer"}},
        "more": {"title": "more", "type": "object", "additionalProperties": {"type": "number"}},
    }
    assert schema["required"] == []
    assert schema["additionalProperties"] is True


def google(rows: int, rate: float) -> None:
    """Train.

    Args:
        rows: How many rows
            to read.
        rate (float): Step size: small.

    Returns:
        other: nothing
    """


def numpy(rows: int, rate: float) -> None:
    """Train.

    Parameters
    ----------
    rows : int
        How many rows
        to read.
    rate
        Step size: small.

    Returns
    -------
    other
        nothing
    """


@pytest.mark.parametrize("fn", [google, numpy])
def test_descriptions_come_from_the_docstring(fn: Any) -> None:
    properties = Parameters.of(fn).schema()["properties"]

    assert properties["rows"]["description"] == "How many rows to read."
    assert properties["rate"]["description"] == "Step size: small."
