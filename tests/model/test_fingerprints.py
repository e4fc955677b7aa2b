from __future__ import annotations

import array
import collections
import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import functools
import math
import os
import pathlib
import random
import re
import subprocess
import sys
import threading
import types
import uuid
import zoneinfo
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nadi.model.fingerprints import Certainty, Fingerprint, content_digest, fingerprint, fingerprint_each

SRC = str(pathlib.Path(__file__).parents[2] / "src")


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Level(enum.IntEnum):
    LOW = 1


class Point(NamedTuple):
    x: int
    y: int


@dataclasses.dataclass
class Config:
    rate: float = 0.1
    layers: tuple[int, ...] = (8, 8)


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    rate: float = 0.1


class Struct(msgspec.Struct):
    rate: float = 0.1


class Plain:
    def __init__(self, rate: float) -> None:
        self.rate = rate

    def double(self) -> float:
        return 2 * self.rate


class Slotted:
    __slots__ = ("__weakref__", "rate")

    def __init__(self, rate: float) -> None:
        self.rate = rate


class WithoutLock:
    def __init__(self, rate: float) -> None:
        self.rate, self.lock = rate, threading.Lock()

    def __getstate__(self) -> dict[str, float]:
        return {"rate": self.rate}


class Names(list[str]):
    pass


class Future:
    """As the engine's: known by its origin alone."""

    __nadi_origin__ = True


class Opaque:
    """An object that cannot be told: it holds a lock."""

    def __init__(self, rate: float = 0.1) -> None:
        self.rate, self.lock = rate, threading.Lock()


def double(x: int) -> int:
    return 2 * x


def unknown(value: object) -> None:
    return None


def known(*objects: object, token: bytes = b"t" * 16) -> Callable[[object], bytes | None]:
    return lambda value: token if any(value is each for each in objects) else None


def of(value: Any) -> Fingerprint:
    return fingerprint({"x": value}, unknown)


def numbers() -> Iterator[int]:
    yield 1


UTC = dt.UTC

#: Makers of values of which no two are alike, each telling all by content.
CONTENT: list[Callable[[], Any]] = [
    lambda: None, lambda: True, lambda: False, lambda: 0, lambda: 1, lambda: 1.0, lambda: -0.0, lambda: 0.0,
    lambda: math.nan, lambda: math.inf, lambda: 1j, lambda: 10**10_000, lambda: -1, lambda: ..., lambda: "1",
    lambda: "", lambda: "é", lambda: "\ud800", lambda: "x" * 1000, lambda: b"", lambda: b"1", lambda: bytearray(b"1"),
    lambda: memoryview(b"1"), lambda: range(3), lambda: range(0, 3, 2), lambda: slice(1, 2), list, lambda: [1, 2],
    lambda: (1, 2), tuple, lambda: [[1], 2], lambda: [1, [2]], lambda: {1, 2}, lambda: frozenset({1, 2}),
    lambda: {"a": 1}, lambda: {"a": "1"}, lambda: {1: "a"}, lambda: {("a", 1): 2}, dict, set,
    lambda: {"a", "b", "c"}, lambda: {"a": {"b", "c"}}, lambda: {frozenset({"a", "b"}): 1, frozenset({"c"}): 2},
    lambda: dt.date(2026, 1, 1), lambda: dt.datetime(2026, 1, 1), lambda: dt.datetime(2026, 1, 1, tzinfo=UTC),
    lambda: dt.datetime(2026, 1, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")), lambda: dt.time(1),
    lambda: dt.timedelta(1),
    lambda: dt.timezone(dt.timedelta(hours=1)), lambda: decimal.Decimal("1.0"), lambda: decimal.Decimal("1.00"),
    lambda: fractions.Fraction(1, 3), lambda: uuid.UUID(int=1), lambda: pathlib.Path("a"),
    lambda: pathlib.PurePosixPath("a"), lambda: Colour.RED, lambda: Colour.BLUE, lambda: Level.LOW,
    lambda: re.compile("a"), lambda: re.compile("a", re.I), lambda: re.compile(b"a"), lambda: int, lambda: Colour,
    lambda: len, lambda: math.floor, lambda: math, lambda: [].append, lambda: [1].append, lambda: double,
    lambda: (lambda y: y + 1), lambda: (lambda y: y + 2), lambda: functools.partial(double, 1),
    lambda: functools.partial(double, 2), lambda: Point(1, 2), lambda: Config(), lambda: Config(rate=0.2),
    lambda: Frozen(), lambda: Struct(), lambda: Struct(0.2), lambda: Plain(0.1), lambda: Plain(0.2),
    lambda: Slotted(0.1), lambda: Slotted(0.2), lambda: WithoutLock(0.1), lambda: WithoutLock(0.2), lambda: Plain,
    lambda: Plain(0.1).double, lambda: Names("ab"), lambda: array.array("i", [1]), lambda: array.array("f", [1]),
    lambda: collections.OrderedDict(a=1), lambda: collections.Counter("aab"), lambda: collections.deque([1, 2]),
    lambda: collections.deque([1, 2], 5), lambda: collections.defaultdict(list, a=1), lambda: {"a": 1}.keys(),
    lambda: types.SimpleNamespace(a=1), lambda: types.MappingProxyType({"a": 1}), lambda: ValueError("no"),
    lambda: random.Random(1), lambda: list[int], lambda: object(), lambda: functools.lru_cache(double),
]  # fmt: skip


def test_equal_values_have_equal_fingerprints_and_count_by_content() -> None:
    for make in CONTENT:
        first, second = of(make()), of(make())

        assert first == second, make()
        assert first.certainty is Certainty.CONTENT, make()


def test_no_two_different_values_share_a_fingerprint() -> None:
    seen: dict[bytes, Any] = {}

    for make in CONTENT:
        for value in (make(), [make()], {"in": make()}):
            digest = of(value).digest
            assert digest not in seen, (value, seen[digest])
            seen[digest] = value


TELL_ALL = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("values", sys.argv[1])
values = importlib.util.module_from_spec(spec)
sys.modules["values"] = values
spec.loader.exec_module(values)
for make in values.CONTENT:
    print(values.of(make()).digest.hex())
"""


def test_fingerprints_are_the_same_in_every_process_and_under_every_hash_seed() -> None:
    def told(seed: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": SRC}
        command = [sys.executable, "-c", TELL_ALL, __file__]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout

    first, *others = (told(seed) for seed in ("0", "1", "77"))

    assert len(first.split()) == len(CONTENT)
    assert others == [first, first]


def test_a_digest_of_plain_values_never_changes_between_versions() -> None:
    values = {"rows": [1, 2.5, "é", None, True, b"x", {"k": (1,), 2: {3}}], "day": dt.date(2026, 1, 1)}

    assert fingerprint({}, unknown).digest.hex() == "cae66941d9efbd404e4d88758ea67670"
    assert fingerprint({"x": 3, "y": "é"}, unknown).digest.hex() == "6d2cc33ddb31e5dcba4be5c3c3495bc3"
    assert fingerprint(values, unknown).digest.hex() == "5a034ab51f8e39d6e3de1b4a2684a63c"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=8,
)


def exact(value: Any) -> Any:
    """A value in a form that compares equal only for equal values of equal types."""
    if isinstance(value, dict):
        return "dict", sorted(((repr(key), exact(item)) for key, item in value.items()), key=repr)
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [exact(item) for item in value]
    return type(value).__name__, repr(value)


@given(VALUES, VALUES)
def test_fingerprints_are_equal_exactly_when_values_and_their_types_are(one: Any, other: Any) -> None:
    assert (of(one) == of(other)) == (exact(one) == exact(other))


@given(st.dictionaries(st.text(), VALUES))
def test_the_order_of_parameters_and_of_dict_items_does_not_count(inputs: dict[str, Any]) -> None:
    turned = dict(reversed(inputs.items()))

    assert fingerprint(inputs, unknown) == fingerprint(turned, unknown)
    assert of(inputs) == of(turned)


def test_two_parameters_do_not_run_into_each_other() -> None:
    assert fingerprint({"a": "bc", "d": ""}, unknown) != fingerprint({"a": "b", "cd": ""}, unknown)
    assert fingerprint({"a": [1], "b": []}, unknown) != fingerprint({"a": [], "b": [1]}, unknown)


# -- origin ---------------------------------------------------------------------------------


def test_a_future_counts_by_its_origin_alone_at_any_depth() -> None:
    one, other = Future(), Future()

    told = [fingerprint({"x": [{"y": each}]}, known(each)) for each in (one, other)]
    elsewhere = fingerprint({"x": [{"y": one}]}, known(one, token=b"another"))

    assert told[0] == told[1]
    assert told[0].certainty is Certainty.CONTENT
    assert elsewhere.digest != told[0].digest


def test_a_future_of_unknown_origin_counts_by_position() -> None:
    assert of(Future()).certainty is Certainty.POSITION


def test_a_cheap_object_counts_by_content_even_when_its_origin_is_known() -> None:
    config = Config()
    before = fingerprint({"x": config}, known(config))

    config.rate = 0.5
    after = fingerprint({"x": config}, known(config))

    assert before.certainty is after.certainty is Certainty.CONTENT
    assert before.digest != after.digest


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(Opaque(), id="opaque"),
        pytest.param(Names(["x" * 2_000_000]), id="long"),
        pytest.param(Plain([0] * 30_000), id="many"),  # type: ignore[arg-type]  # too much of anything will do
    ],
)
def test_an_object_that_is_not_cheap_counts_by_its_origin(value: object) -> None:
    told = fingerprint({"x": value}, known(value))

    assert told.certainty is Certainty.PROVENANCE
    assert told.digest == fingerprint({"x": Future()}, lambda value: b"t" * 16).digest


def test_of_several_inputs_the_weakest_certainty_counts() -> None:
    future, opaque = Future(), Opaque()
    inputs = {"a": 1, "b": future, "c": [opaque]}

    assert fingerprint({**inputs, "c": 2}, known(future)).certainty is Certainty.CONTENT
    assert fingerprint(inputs, known(future, opaque)).certainty is Certainty.PROVENANCE
    assert fingerprint(inputs, known(future)).certainty is Certainty.POSITION


def test_what_is_known_of_an_object_counts_even_where_something_in_it_cannot_be_told() -> None:
    one, other = of(Opaque(0.1)), of(Opaque(0.2))

    assert one == of(Opaque(0.1))
    assert one.digest != other.digest
    assert one.certainty is Certainty.POSITION


def test_an_object_read_in_vain_leaves_the_budget_to_the_arguments_after_it() -> None:
    models = [Plain([0.5] * 15_000 + [threading.Lock()]) for _ in range(3)]  # type: ignore[arg-type]

    told = fingerprint({"a": models, "b": [1] * 15_000}, known(*models))

    assert told.certainty is Certainty.PROVENANCE


# -- what cannot be told --------------------------------------------------------------------


class RaisesOnReduce:
    def __reduce__(self) -> Any:
        raise RuntimeError("no")


class RaisesOnEverything:
    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("no")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no")

    def __hash__(self) -> int:
        raise RuntimeError("no")


class RaisesOnGetstate:
    def __getstate__(self) -> Any:
        raise RuntimeError("no")


class HostileMeta(type):
    def __getattribute__(cls, name: str) -> Any:
        raise RuntimeError("no")


class Hostile(metaclass=HostileMeta):
    pass


@pytest.mark.parametrize(
    "make",
    [
        RaisesOnReduce, RaisesOnEverything, RaisesOnGetstate, threading.Lock, numbers, threading.local,
        lambda: open(os.devnull), lambda: "x" * 2_000_000, lambda: b"x" * 2_000_000, lambda: [0] * 30_000,  # noqa: SIM115
        lambda: [[0] * 15_000, [0] * 15_000], lambda: set(range(30_000)), lambda: array.array("d", bytes(2_000_000)),
        lambda: collections.deque(range(30_000)), lambda: {threading.Lock(): 1}, lambda: {threading.Lock()},
        lambda: type.__call__(Hostile), lambda: sys._getframe(), lambda: iter(open(os.devnull)),  # noqa: SIM115
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_value_that_is_hostile_live_or_too_big_counts_by_position(make: Callable[[], Any]) -> None:
    first, second = of(make()), of(make())

    assert first == second
    assert first.certainty is Certainty.POSITION
    assert of([make(), 1]).digest != of([make(), 2]).digest


def test_a_value_that_refers_to_itself_counts_by_content() -> None:
    def loop() -> list[Any]:
        made: list[Any] = [1]
        made.append({"self": made})
        return made

    node = Plain(0.1)
    node.rate = node  # type: ignore[assignment]

    assert of(loop()) == of(loop())
    assert of(loop()).certainty is of(node).certainty is Certainty.CONTENT
    assert of(loop()) != of([1, {"self": 1}])


def test_nesting_of_any_depth_is_survived() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    shared: list[Any] = []
    for _ in range(60):
        shared = [shared, shared]

    assert of(deep).certainty is Certainty.POSITION
    assert of(shared).certainty is Certainty.POSITION


def test_a_set_that_is_too_big_is_told_the_same_in_any_order() -> None:
    parts = [frozenset(range(start, start + 9_000)) for start in (0, 10_000, 20_000)]

    assert of(set(parts)) == of({*parts[::-1]})


def test_content_digest_is_none_where_content_is_not_cheap_or_cannot_be_told() -> None:
    assert content_digest({"a": [1, 2]}) == content_digest({"a": [1, 2]})
    assert content_digest([1, 2, 3], items_budget=2) is None
    assert content_digest("x" * 100, bytes_budget=50) is None
    assert content_digest(Opaque()) is None


def test_fingerprint_each_says_which_argument_changed() -> None:
    before = fingerprint_each({"a": 1, "b": [2], "c": Future()}, unknown)
    after = fingerprint_each({"a": 1, "b": [3], "c": Future()}, unknown)

    assert [name for name in before if before[name] != after[name]] == ["b"]
    assert {len(part) for part in before.values()} == {4}


def test_a_class_of_a_script_has_the_same_name_when_run_and_when_imported(tmp_path: pathlib.Path) -> None:
    (tmp_path / "pipeline.py").write_text(
        "from nadi.model.fingerprints import fingerprint\n"
        "class Model:\n    rate = 1\n"
        "def helper(): return Model\n"
        "def tell(): print([fingerprint({'x': x}, lambda v: None).digest.hex() for x in (Model(), Model, helper)])\n"
        "if __name__ == '__main__': tell()\n"
    )
    environment = {**os.environ, "PYTHONPATH": SRC}

    def told(*arguments: str) -> str:
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True).stdout

    assert told("pipeline.py") == told("-c", "import pipeline; pipeline.tell()") == told("-m", "pipeline")


# -- libraries ------------------------------------------------------------------------------


def test_pydantic_models_count_by_their_fields() -> None:
    pydantic = pytest.importorskip("pydantic")
    model = pydantic.create_model("Settings", rate=(float, 0.1))

    assert of(model()) == of(model(rate=0.1))
    assert of(model()).certainty is Certainty.CONTENT
    assert of(model()) != of(model(rate=0.2))


def test_small_arrays_count_by_content_and_big_ones_do_not() -> None:
    numpy = pytest.importorskip("numpy")
    made = [
        numpy.arange(6), numpy.arange(6.0), numpy.arange(6).reshape(2, 3), numpy.float64(1), numpy.int64(1),
        numpy.array(["a", 1], dtype=object), numpy.zeros(2, dtype=[("a", "i4")]), numpy.dtype("f4"),
        numpy.ma.masked_array([1, 2], [True, False]), numpy.ma.masked_array([1, 2], [False, True]),
        numpy.random.default_rng(1), numpy.datetime64("2026-01-01"),
    ]  # fmt: skip
    big = numpy.zeros(200_000)

    assert {of(each).certainty for each in made} == {Certainty.CONTENT}
    assert len({of(each).digest for each in made}) == len(made)
    assert of(numpy.arange(12)[::2]) == of(numpy.array([0, 2, 4, 6, 8, 10]))
    assert of(big).certainty is Certainty.POSITION
    assert fingerprint({"x": {"y": big}}, known(big)).certainty is Certainty.PROVENANCE


def test_small_pandas_objects_count_by_content_and_big_ones_do_not() -> None:
    pandas = pytest.importorskip("pandas")

    def frame(last: object) -> Any:
        days = pandas.to_datetime(["2026-01-01", "2026-01-02"], utc=True)
        return pandas.DataFrame(
            {
                "n": [1, 2],
                "s": ["a", last],
                "c": pandas.Categorical(["u", "v"]),
                "d": days,
                "i": pandas.array([1, None]),
            }
        )

    one = frame("b")
    made = [
        one, frame(None), one.set_index("s"), one["n"], one.n.rename("m"), one.index, one.set_index(["n", "s"]),
        one.columns, pandas.Timestamp("2026-01-01"), pandas.Timedelta(1), pandas.NA, pandas.NaT, one.dtypes,
    ]  # fmt: skip

    assert [of(each).certainty for each in made] == [Certainty.CONTENT] * len(made)
    assert len({of(each).digest for each in made}) == len(made)
    assert of(one) == of(frame("b"))
    assert of(pandas.DataFrame({"a": range(200_000)})).certainty is Certainty.POSITION


def test_small_polars_objects_count_by_content_and_big_ones_do_not() -> None:
    polars = pytest.importorskip("polars")

    def frame(last: str | None) -> Any:
        return polars.DataFrame({"n": [1, 2], "s": ["a", last]})

    made = [frame("b"), frame(None), frame("b")["n"], frame("b")["s"], polars.Int64, polars.Int32]

    assert [of(each).certainty for each in made] == [Certainty.CONTENT] * len(made)
    assert len({of(each).digest for each in made}) == len(made)
    assert of(frame("b")) == of(polars.concat([frame("b")[:1], frame("b")[1:]]))
    assert of(polars.DataFrame({"a": range(200_000)})).certainty is Certainty.POSITION


def test_small_arrow_objects_count_by_content_and_big_ones_do_not() -> None:
    arrow = pytest.importorskip("pyarrow")
    table = arrow.table({"n": [1, 2], "s": ["a", None]})
    made = [table, table.slice(1), table["n"], table["s"].chunk(0), table.schema, arrow.int64(), table["n"][0]]

    assert [of(each).certainty for each in made] == [Certainty.CONTENT] * len(made)
    assert len({of(each).digest for each in made}) == len(made)
    assert of(table) == of(arrow.concat_tables([table.slice(0, 1), table.slice(1)]))
    assert of(arrow.array(range(200_000))).certainty is Certainty.POSITION
