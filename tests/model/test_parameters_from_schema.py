"""From a JSON Schema back to what it asks for: what a type takes, the schema of the type takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, TypedDict
from uuid import UUID

import msgspec
import pydantic
import pytest

from nadi.model.parameters.annotations import Kinds
from nadi.model.parameters.kind import Mismatch
from nadi.model.parameters.schemas import kind_of_schema, schema_of_kind


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Place:
    name: str
    tags: list[str] = field(default_factory=list)


class Tree(msgspec.Struct):
    name: str
    below: list[Tree] = []


class Options(TypedDict, total=False):
    fast: bool


class Model(pydantic.BaseModel):
    size: int = pydantic.Field(ge=1, description="How many.")
    when: date | None = None


def read(annotation: Any) -> Any:
    schema = msgspec.json.decode(msgspec.json.encode(schema_of_kind(Kinds().of(annotation))))
    return kind_of_schema(schema)


@pytest.mark.parametrize(
    ("annotation", "fits", "wrong"),
    [
        (int, 3, "three"),
        (float, 2.5, "much"),
        (bool, True, "perhaps"),
        (str, "text", 5),
        (int | None, None, "none"),
        (list[int], [1, 2], [1, "two"]),
        (tuple[int, str], [1, "a"], [1]),
        (set[str], ["a"], "a"),
        (dict[str, float], {"a": 1.5}, {"a": "x"}),
        (Literal["yes", "no"], "no", "maybe"),
        (Colour, "red", "green"),
        (date, "2030-01-31", "soon"),
        (datetime, "2030-01-31T12:00:00", "soon"),
        (timedelta, "PT90S", "a while"),
        (Decimal, "0.1", []),
        (UUID, "12345678-1234-5678-1234-567812345678", 5),
        (Annotated[int, msgspec.Meta(ge=1, le=9)], 9, 10),
        (Annotated[str, msgspec.Meta(min_length=2, pattern="^a")], "ab", "b"),
        (Annotated[list[int], msgspec.Meta(max_length=1)], [1], [1, 2]),
        (Place, {"name": "x", "tags": ["a"]}, {"tags": []}),
        (Tree, {"name": "x", "below": [{"name": "y"}]}, {"name": "x", "below": [{"nam": "y"}]}),
        (Options, {"fast": True, "more": 1}, {"fast": "perhaps"}),
        (Model, {"size": 1, "when": "2030-01-31"}, {"size": 0}),
        (list[Place], [{"name": "x"}], [{"name": 1}]),
    ],
)
def test_the_schema_of_a_type_takes_what_the_type_takes_and_gives_it_as_json_has_it(
    annotation: Any, fits: Any, wrong: Any
) -> None:
    kind = read(annotation)

    assert kind.convert(fits) == fits
    assert msgspec.json.decode(msgspec.json.encode(kind.convert(fits))) == fits
    Kinds().of(annotation).convert(fits)
    with pytest.raises(Mismatch):
        kind.convert(wrong)


@pytest.mark.parametrize(
    ("annotation", "text", "meant"),
    [
        (int, "5", 5),
        (bool, "yes", True),
        (str, "5", "5"),
        (str | None, "null", None),
        (list[int], "[1, 2]", [1, 2]),
        (Literal[1, 2], "2", 2),
        (date, "2030-01-31", "2030-01-31"),
        (Place, '{"name": "x"}', {"name": "x"}),
    ],
)
def test_text_is_read_by_what_the_schema_asks_for(annotation: Any, text: str, meant: Any) -> None:
    assert read(annotation).read_text(text) == meant


def test_words_that_it_does_not_know_ask_for_nothing() -> None:
    for schema in ({}, True, {"not": {"type": "string"}}, {"type": "shape"}, {"$ref": "#/$defs/Gone"}):
        assert kind_of_schema(schema).convert("anything") == "anything"


def test_limits_that_exclude_each_other_are_left_to_whoever_takes_the_value() -> None:
    kind = kind_of_schema({"type": "integer", "minimum": 1, "exclusiveMinimum": 1})

    assert kind.convert(0) == 0


def test_a_mismatch_inside_names_its_place() -> None:
    with pytest.raises(Mismatch) as found:
        read(list[Place]).convert([{"name": "x", "tags": [1]}])

    assert (found.value.path, found.value.got) == ("[0].tags[0]", "1")
