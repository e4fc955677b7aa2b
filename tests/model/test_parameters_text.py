import enum
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest

from nadi.exceptions import ParameterBindError, ParameterTypeError
from nadi.model.parameters import Parameters


class Color(enum.Enum):
    RED = 1
    BLUE = 2


@dataclass
class Point:
    x: int


def read(annotation: Any, text: str) -> Any:
    def f(x: Any) -> None: ...

    f.__annotations__["x"] = annotation
    return Parameters.of(f).from_text({"x": text})["x"]


@pytest.mark.parametrize(
    ("annotation", "text", "expected"),
    [
        (str, "1000", "1000"),
        (str, "null", "null"),
        (int, "1000", 1000),
        (float, "1e3", 1000.0),
        (bool, "yes", True),
        (bytes, "abc", b"abc"),
        (Path, "a/b", Path("a/b")),
        (datetime, "2024-01-31", datetime(2024, 1, 31)),
        (timedelta, "90", timedelta(seconds=90)),
        (Color, "RED", Color.RED),
        (Color, "2", Color.BLUE),
        (Literal["a", 1], "1", 1),
        (list, "[1, 2]", [1, 2]),
        (list[int], "[1, 2]", [1, 2]),
        (set[str], '["a"]', {"a"}),
        (tuple[int, str], '[1, "a"]', (1, "a")),
        (dict[str, datetime], '{"a": "2024-01-31"}', {"a": datetime(2024, 1, 31)}),
        (Point, '{"x": 1}', Point(1)),
        (int | None, "null", None),
        (int | None, "5", 5),
        (str | None, "null", None),
        (str | None, "5", "5"),
        (int | str, "5", 5),
        (int | str, "five", "five"),
        (str | int, "5", "5"),
        (str | list[str], "a", "a"),
        (list[str] | str, '["a"]', ["a"]),
        (None, "null", None),
        (Annotated[int, msgspec.Meta(ge=1)], "5", 5),
        (Any, "5", 5),
        (Any, "five", "five"),
        (Any, "[1]", [1]),
        (Any, "", ""),
    ],
)
def test_text_is_read_by_the_type_of_the_parameter(annotation: Any, text: str, expected: Any) -> None:
    value = read(annotation, text)

    assert value == expected
    assert type(value) is type(expected)


def test_text_without_annotation_is_json_if_it_parses() -> None:
    def f(a, b): ...  # type: ignore[no-untyped-def]

    assert Parameters.of(f).from_text({"a": "5", "b": "x y"}) == {"a": 5, "b": "x y"}


def test_text_for_names_of_its_own_goes_to_the_keyword_variadic() -> None:
    def f(a: int, **more: float) -> None: ...

    parameters = Parameters.of(f)

    values = parameters.from_text({"a": "1", "b": "2"})

    assert values == {"a": 1, "b": 2.0}
    assert parameters.bind_named(values) == {"a": 1, "more": {"b": 2.0}}


@pytest.mark.parametrize(
    ("annotation", "text", "told"),
    [
        (int, "many", "x: expected a whole number (int), got 'many'"),
        (list[int], "1,2", "x: expected a list (list[int]), written as JSON, got '1,2'"),
        (list[int], '[1, "x"]', "x[1]: expected a whole number (int), got 'x'"),
        (Annotated[int, msgspec.Meta(ge=1)], "0", "that is at least 1, got '0'"),
        (int | None, "x", "expected a whole number (int) or None, got 'x'"),
    ],
)
def test_text_that_cannot_be_read_is_told_with_what_was_expected(annotation: Any, text: str, told: str) -> None:
    with pytest.raises(ParameterTypeError) as raised:
        read(annotation, text)

    assert told in str(raised.value)


def test_an_unknown_name_is_told_with_the_known_ones_and_a_close_match() -> None:
    def train(rows: int, rate: float = 0.1) -> None: ...

    with pytest.raises(ParameterBindError) as raised:
        Parameters.of(train).from_text({"row": "5"})

    assert str(raised.value) == (
        "train() has no parameter 'row' (did you mean 'rows'?). It takes (rows: int, rate: float = 0.1)."
    )
