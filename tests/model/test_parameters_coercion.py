import collections
import enum
import fractions
import ipaddress
import re
import sys
import uuid
import zoneinfo
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    NamedTuple,
    NewType,
    NotRequired,
    Optional,
    Protocol,
    TypedDict,
    TypeVar,
)

import annotated_types
import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nadi.exceptions import ParameterTypeError
from nadi.model.parameters import Parameters
from nadi.model.secrets import Secret


class Color(enum.Enum):
    RED = "r"
    BLUE = "b"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@dataclass
class Point:
    x: int
    y: float = 0.0


@dataclass
class Tree:
    value: int
    children: list["Tree"] = field(default_factory=list)


@dataclass
class Scaled:
    size: int = field(init=False, default=0)
    base: InitVar[int]
    factor: int = 2

    def __post_init__(self, base: int) -> None:
        if base < 0:
            raise ValueError("base is negative")
        self.size = base * self.factor


class Train(msgspec.Struct, rename="camel", tag="train"):
    max_depth: int
    name: str = "x"


class Pair(NamedTuple):
    left: int
    right: str = "r"


class Options(TypedDict):
    rate: float
    label: NotRequired[str]


class Model(pydantic.BaseModel):
    rows: int
    tags: list[str] = []


T = TypeVar("T")
Number = TypeVar("Number", bound=int)
UserId = NewType("UserId", int)


@dataclass
class Box(Generic[T]):
    items: list[T]


class Quacks(Protocol):
    def quack(self) -> None: ...


class Custom:
    pass


class Hidden:
    def __init__(self, value: str) -> None:
        self._value = value

    def get_secret_value(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Hidden('****')"


def parameters_of(annotation: Any) -> Parameters:
    def f(x: Any) -> None: ...

    f.__annotations__["x"] = annotation
    return Parameters.of(f)


def coerce(annotation: Any, value: Any) -> Any:
    return parameters_of(annotation).validate({"x": value})["x"]


ID = uuid.UUID("12345678-1234-5678-1234-567812345678")

CONVERTED: list[tuple[Any, Any, Any]] = [
    (int, "5", 5),
    (int, " -5 ", -5),
    (int, "1_000", 1000),
    (int, "5.0", 5),
    (int, 5.0, 5),
    (int, True, 1),
    (int, Decimal("7"), 7),
    (float, 5, 5.0),
    (float, "1e3", 1000.0),
    (float, Decimal("0.5"), 0.5),
    (bool, "true", True),
    (bool, "Off", False),
    (bool, 1, True),
    (bool, 0.0, False),
    (str, b"abc", "abc"),
    (bytes, "abc", b"abc"),
    (bytes, bytearray(b"abc"), b"abc"),
    (complex, "1+2j", 1 + 2j),
    (datetime, "2024-01-31T10:00:00Z", datetime(2024, 1, 31, 10, tzinfo=UTC)),
    (datetime, "2024-01-31", datetime(2024, 1, 31)),
    (datetime, "20240131", datetime(2024, 1, 31)),
    (datetime, date(2024, 1, 31), datetime(2024, 1, 31)),
    (datetime, 0, datetime(1970, 1, 1, tzinfo=UTC)),
    (datetime, 1_700_000_000_000, datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
    (datetime, "1700000000", datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
    (date, "2024-01-31", date(2024, 1, 31)),
    (date, datetime(2024, 1, 31), date(2024, 1, 31)),
    (time, "10:30", time(10, 30)),
    (time, 60, time(0, 1)),
    (timedelta, 90, timedelta(seconds=90)),
    (timedelta, "90", timedelta(seconds=90)),
    (timedelta, "PT1H30M", timedelta(minutes=90)),
    (timedelta, "-P1DT0.5S", -timedelta(days=1, seconds=0.5)),
    (timedelta, "P2W", timedelta(weeks=2)),
    (timedelta, "1:30:00", timedelta(minutes=90)),
    (timedelta, "2 days, 1:30:00", timedelta(days=2, minutes=90)),
    (Path, "a/b", Path("a/b")),
    (uuid.UUID, str(ID), ID),
    (Decimal, "1.10", Decimal("1.10")),
    (Decimal, 0.1, Decimal("0.1")),
    (fractions.Fraction, "1/3", fractions.Fraction(1, 3)),
    (zoneinfo.ZoneInfo, "UTC", zoneinfo.ZoneInfo("UTC")),
    (ipaddress.IPv4Address, "10.0.0.1", ipaddress.IPv4Address("10.0.0.1")),
    (re.Pattern[str], "a+", re.compile("a+")),
    (Color, "r", Color.RED),
    (Color, "BLUE", Color.BLUE),
    (Level, 2, Level.HIGH),
    (Level, "2", Level.HIGH),
    (Level, "LOW", Level.LOW),
    (Literal[1, "a"], "1", 1),
    (Literal[Color.RED], "r", Color.RED),
    (Optional[int], "5", 5),  # noqa: UP045
    (int | None, "5", 5),
    (int | float, "5.5", 5.5),
    (list[int], ("1", 2), [1, 2]),
    (list[int], (n for n in "12"), [1, 2]),
    (list[int], {1: "a"}.keys(), [1]),
    (list, (1, 2), [1, 2]),
    (tuple[int, ...], ["1", "2"], (1, 2)),
    (tuple[int, str], ["1", "a"], (1, "a")),
    (tuple[()], [], ()),
    (set[int], ["1", 1], {1}),
    (frozenset[str], ["a"], frozenset({"a"})),
    (collections.deque[int], ["1"], collections.deque([1])),
    (Sequence[int], ("1",), [1]),
    (dict[str, int], {"a": "1"}, {"a": 1}),
    (dict[int, list[float]], {"1": [2]}, {1: [2.0]}),
    (Mapping[str, int], {"a": "1"}, {"a": 1}),
    (collections.OrderedDict[str, int], {"a": "1"}, collections.OrderedDict(a=1)),
    (collections.Counter[str], {"a": "2"}, collections.Counter(a=2)),
    (Point, {"x": "1", "y": 2}, Point(1, 2.0)),
    (list[Point], [{"x": 1}], [Point(1)]),
    (Tree, {"value": 1, "children": [{"value": "2"}]}, Tree(1, [Tree(2)])),
    (Box[int], {"items": ["1"]}, Box([1])),
    (Train, {"maxDepth": "3"}, Train(3)),
    (Train, {"max_depth": 3, "type": "train"}, Train(3)),
    (Pair, {"left": "1"}, Pair(1)),
    (Pair, ["1", "x"], Pair(1, "x")),
    (Options, {"rate": 1}, {"rate": 1.0}),
    (Options, {"rate": "1", "label": "a", "more": 1}, {"rate": 1.0, "label": "a", "more": 1}),
    (Model, {"rows": "5"}, Model(rows=5)),
    (Model | None, {"rows": "5"}, Model(rows=5)),
    (list[Model], [{"rows": "5"}], [Model(rows=5)]),
    (pydantic.PositiveInt, "5", 5),
    (Annotated[int, pydantic.Field(ge=1)], "5", 5),
    (Annotated[int, msgspec.Meta(ge=1)], "5", 5),
    (Annotated[list[int], annotated_types.MaxLen(2)], ["1"], [1]),
    (Annotated[int, "a note"], "5", 5),
    (Number, "5", 5),
    (UserId, "5", 5),
    ("int", "5", 5),
    ("Missing", "5", "5"),
    (list["Missing"], "5", "5"),  # type: ignore[name-defined]  # noqa: F821
]

REFUSED: list[tuple[Any, Any, str]] = [
    (int, 5.5, "x: expected a whole number (int), got 5.5"),
    (int, "abc", "x: expected a whole number (int), got 'abc'"),
    (int, float("inf"), "got inf"),
    (int, None, "got None"),
    (int, ID, "(uuid.UUID)"),
    (float, 2**60 + 1, "expected a number (float)"),
    (float, 10**400, "expected a number (float)"),
    (bool, "maybe", "expected true or false (bool), got 'maybe'"),
    (bool, 2, "got 2"),
    (str, 5, "expected text (str), got 5"),
    (bytes, 5, "expected bytes or text"),
    (datetime, "yesterday", "ISO 8601 text"),
    (datetime, 1e300, "got 1e+300"),
    (date, datetime(2024, 1, 31, 10), "expected a date (date or ISO 8601 text)"),
    (date, "2024-01-31T10:00", "expected a date"),
    (time, "25:00", "expected a time of day"),
    (timedelta, "-1 day, 23:00:00", "expected a duration"),
    (timedelta, "P", "expected a duration"),
    (uuid.UUID, "x", "expected a UUID"),
    (Decimal, "x", "expected a decimal number"),
    (Path, 5, "expected a path"),
    (Color, "green", "expected one of 'r', 'b' (Color), got 'green'"),
    (Literal["a", 1], "b", "expected one of 'a', 1, got 'b'"),
    (int | None, "x", "expected a whole number (int) or None, got 'x'"),
    (list[int], "12", "expected a list (list[int]), got '12'"),
    (list[int], [1, "x"], "x[1]: expected a whole number (int), got 'x'"),
    (list[int] | None, [1, "x"], "x[1]: expected a whole number (int), got 'x'"),
    (Sequence[str], "abc", "expected a list (Sequence[str]), got 'abc'"),
    (set[Any], [[]], "expected a set"),
    (tuple[int, str], [1], "expected 2 items (tuple[int, str]), got [1]"),
    (dict[str, int], {"a": "x"}, "x['a']: expected a whole number (int)"),
    (dict[str, int], [1], "expected a dict (dict[str, int])"),
    (dict[int, str], {"a": "x"}, "x: expected keys that are a whole number (int), got 'a'"),
    (dict[int, str], {"1": "a", 1: "b"}, "expected keys that stay different as int"),
    (list[Point], [{"x": 1}, {"x": 1, "y": "z"}], "x[1].y: expected a number (float), got 'z'"),
    (Point, {"y": 1}, "the field 'x' of"),
    (Point, {"x": 1, "yy": 2}, "the unknown field 'yy' (did you mean 'y'?)"),
    (Point, 5, "or a dict of its fields"),
    (Scaled, {"base": -1}, "ValueError: base is negative"),
    (Train, {"maxDepth": 3, "type": "other"}, "x.type: expected the tag 'train'"),
    (Train, {"maxDepth": "x"}, "x.maxDepth: expected a whole number"),
    (Pair, [1, "a", 2], "Pair"),
    (Options, {"label": "a"}, "the field 'rate' of"),
    (Model, {"rows": "x"}, "x.rows: expected what Model accepts there (Input should be a valid integer"),
    (Annotated[int, msgspec.Meta(ge=1)], 0, "expected a whole number (int) that is at least 1, got 0"),
    (Annotated[str, msgspec.Meta(pattern="^a")], "b", "like the pattern '^a'"),
    (Annotated[int, annotated_types.Interval(gt=0, lt=9)], 9, "more than 0 and less than 9"),
    (Annotated[int, pydantic.Field(ge=1)], 0, "greater than or equal to 1"),
    (Custom, 5, "Custom, got 5"),
    (Callable[[], int], 5, "Callable, got 5"),
    (type[int], 5, "expected an instance of type"),
]

TAKEN: list[tuple[Any, Any]] = [
    (int, 5),
    (int, Level.LOW),
    (list, [1, "a"]),
    (list[int], [1, 2]),
    (list[list[int]], [[1], [2]]),
    (list[int | str], [1, "2"]),
    (tuple[int, ...], (1, 2)),
    (dict[str, list[int]], {"a": [1]}),
    (set[int], {1}),
    (Sequence[int], (1, 2)),
    (Iterable[int], iter([1])),
    (Iterable[int], (n for n in [1])),
    (Iterator[int], iter([1])),
    (Point, Point(1)),
    (list[Point], [Point(1)]),
    (Train, Train(1)),
    (Options, {"rate": 1.0}),
    (Model, Model(rows=1)),
    (str | int, 5),
    (str | int, "5"),
    (int | bool, True),
    (float | int, 5),
    (date | datetime, datetime(2024, 1, 31)),
    (Point | dict, {"x": 1}),
    (Literal[1], 1),
    (Callable[[], int], len),
    (type[int], int),
    (Quacks, 5),
    (Custom, Custom()),
    (Any, object()),
    (object, object()),
    (T, object()),
    (42, object()),
]


@pytest.mark.parametrize(("annotation", "value", "expected"), CONVERTED)
def test_a_value_is_converted_to_the_annotated_type(annotation: Any, value: Any, expected: Any) -> None:
    converted = coerce(annotation, value)

    assert converted == expected
    assert type(converted) is type(expected)


@pytest.mark.parametrize(("annotation", "value", "told"), REFUSED)
def test_a_value_that_does_not_fit_is_refused_with_what_was_expected(annotation: Any, value: Any, told: str) -> None:
    with pytest.raises(ParameterTypeError) as raised:
        coerce(annotation, value)

    assert told in str(raised.value)


@pytest.mark.parametrize(("annotation", "value"), TAKEN)
def test_a_value_that_has_the_annotated_type_is_passed_on_as_the_same_object(annotation: Any, value: Any) -> None:
    assert coerce(annotation, value) is value


def test_every_bad_parameter_is_named() -> None:
    def train(rows: int, rate: float, name: str) -> None: ...

    with pytest.raises(ParameterTypeError) as raised:
        Parameters.of(train).validate({"rows": "many", "rate": 1, "name": 5})

    assert str(raised.value).splitlines() == [
        "train() was given arguments that it cannot take:",
        "  rows: expected a whole number (int), got 'many'",
        "  name: expected text (str), got 5",
    ]


def test_what_was_bound_is_not_changed_by_validation() -> None:
    def f(rows: int, *more: int, **named: float) -> None: ...

    bound = {"rows": "5", "more": ("1", 2), "named": {"a": 1}}

    checked = Parameters.of(f).validate(bound)

    assert checked == {"rows": 5, "more": (1, 2), "named": {"a": 1.0}}
    assert bound == {"rows": "5", "more": ("1", 2), "named": {"a": 1}}


def test_a_bad_variadic_argument_is_told_by_its_place() -> None:
    def f(*more: int, **named: float) -> None: ...

    with pytest.raises(ParameterTypeError) as raised:
        Parameters.of(f).validate({"more": (1, "x"), "named": {"a": "y"}})

    assert "more[1]: expected" in str(raised.value)
    assert "named['a']: expected" in str(raised.value)


def test_a_default_is_converted_and_passes_where_it_does_not_fit() -> None:
    def f(rows: int = None, since: date = "2024-01-31") -> None: ...  # type: ignore[assignment]  # noqa: RUF013

    parameters = Parameters.of(f)

    assert parameters.validate(parameters.bind((), {})) == {"rows": None, "since": date(2024, 1, 31)}


def test_a_million_numbers_that_fit_are_not_copied() -> None:
    numbers = list(range(1_000_000))

    assert coerce(list[int], numbers) is numbers


def test_long_values_are_shortened_in_errors() -> None:
    with pytest.raises(ParameterTypeError) as raised:
        coerce(int, "x" * 100_000)

    assert len(str(raised.value)) < 300


def test_a_value_whose_repr_fails_still_gives_a_sentence() -> None:
    class Nasty:
        def __repr__(self) -> str:
            raise RuntimeError

    with pytest.raises(ParameterTypeError, match="expected a whole number"):
        coerce(int, Nasty())


def test_a_value_that_contains_itself_is_refused_where_its_type_is_endless() -> None:
    endless: dict[str, Any] = {"value": 1}
    endless["children"] = [endless]

    with pytest.raises(ParameterTypeError, match="does not contain itself"):
        coerce(Tree, endless)


@pytest.mark.parametrize(
    "annotation", [Hidden, Hidden | None, list[Hidden], pydantic.SecretStr, Secret[str], Secret[list[int]]]
)
def test_a_value_given_for_a_secret_is_not_shown(annotation: Any) -> None:
    with pytest.raises(ParameterTypeError) as raised:
        coerce(annotation, 71345)

    assert "71345" not in str(raised.value)


def test_a_secret_is_made_from_text() -> None:
    assert coerce(Hidden, "abc").get_secret_value() == "abc"
    assert coerce(pydantic.SecretStr, "abc").get_secret_value() == "abc"
    assert coerce(Secret, "abc-abc").get() == "abc-abc"
    assert coerce(Secret[int], "71345").get() == 71345


def test_annotations_may_name_what_is_defined_later_and_enclosing_variables() -> None:
    def make() -> Parameters:
        @dataclass
        class Local:
            n: int

        def f(x: "Local", y: "Later") -> Local:  # type: ignore[name-defined]  # noqa: F821
            return Local(1)

        return Parameters.of(f)

    parameters = make()
    globals()["Later"] = int

    checked = parameters.validate({"x": {"n": "1"}, "y": "5"})

    assert (checked["x"].n, checked["y"]) == (1, 5)


def test_numpy_like_scalars_and_arrays_count_as_plain_values() -> None:
    class Scalar:
        dtype, ndim = "int64", 0

        def item(self) -> int:
            return 5

    class Array:
        dtype, ndim = "int64", 1

        def tolist(self) -> list[int]:
            return [1, 2]

    assert coerce(int, Scalar()) == 5
    assert coerce(list[float], Array()) == [1.0, 2.0]


def test_limits_are_not_asked_of_none() -> None:
    assert coerce(Annotated[int | None, msgspec.Meta(ge=1)], None) is None


@pytest.mark.skipif(sys.version_info < (3, 12), reason="`type` statements came with Python 3.12")
def test_a_type_alias_that_contains_itself_is_followed() -> None:
    scope: dict[str, Any] = {}
    exec("type Nested = int | list[Nested]", scope)

    assert coerce(scope["Nested"], ["1", ["2"]]) == [1, [2]]


ROUND_TRIPS: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (int, st.integers()),
    (float, st.floats(allow_nan=False) | st.integers(-(2**53), 2**53)),
    (bool, st.booleans()),
    (str, st.text()),
    (datetime, st.datetimes().map(datetime.isoformat)),
    (date, st.dates().map(date.isoformat)),
    (time, st.times().map(time.isoformat)),
    (timedelta, st.floats(-1e9, 1e9)),
    (uuid.UUID, st.uuids().map(str)),
    (Decimal, st.decimals(allow_nan=False).map(str)),
    (Color, st.sampled_from(["r", "b"])),
    (list[int | str | None], st.lists(st.integers() | st.text() | st.none())),
    (dict[str, list[float]], st.dictionaries(st.text(), st.lists(st.floats(allow_nan=False)))),
    (tuple[int, str], st.tuples(st.integers(), st.text()).map(list)),
    (Point, st.fixed_dictionaries({"x": st.integers()}, optional={"y": st.floats(allow_nan=False)})),
    (Train, st.fixed_dictionaries({"maxDepth": st.integers()}, optional={"name": st.text()})),
    (Options, st.fixed_dictionaries({"rate": st.floats(allow_nan=False)}, optional={"label": st.text()})),
]


@pytest.mark.parametrize(("annotation", "values"), ROUND_TRIPS)
@given(data=st.data())
def test_a_converted_value_is_converted_no_further(
    annotation: Any, values: st.SearchStrategy[Any], data: st.DataObject
) -> None:
    value = data.draw(values)

    once = coerce(annotation, value)

    assert coerce(annotation, once) is once
