from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import functools
import importlib.util
import os
import pathlib
import sqlite3
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nadi import task
from nadi.model.cache_hashing import Untellable, complete_digest, task_source_digest
from nadi.model.secrets import Secret
from nadi.model.source_digests import source_digest

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


class Struct(msgspec.Struct):
    rate: float = 0.1


class Plain:
    def __init__(self, rate: Any) -> None:
        self.rate = rate


class Slotted:
    __slots__ = ("rate",)

    def __init__(self, rate: float) -> None:
        self.rate = rate


class WithoutLock:
    def __init__(self, rate: float) -> None:
        self.rate, self.lock = rate, threading.Lock()

    def __getstate__(self) -> Any:
        return {"rate": self.rate}


class Scale:
    def __init__(self, factor: float) -> None:
        self.factor = factor

    def __call__(self, x: float) -> float:
        return x * self.factor


def adder(n: Any) -> Callable[[int], Any]:
    return lambda x: x + n


# -- builtins and objects ---------------------------------------------------------------------

MOMENT = dt.datetime(2026, 1, 1, 12)

# ruff: noqa: PIE807 - a row of lambdas reads best when all of them are lambdas
#: No two of these may have the same digest.
DIFFERENT: list[Callable[[], Any]] = [
    lambda: None, lambda: 1, lambda: True, lambda: 1.0, lambda: "1", lambda: b"1", lambda: bytearray(b"1"),
    lambda: 1 + 0j, lambda: 0.0, lambda: -0.0, lambda: Level.LOW, lambda: Colour.RED, lambda: Colour.BLUE,
    lambda: 10**5000, lambda: "é" * 100, lambda: "\ud800", lambda: memoryview(b"1"), lambda: ..., lambda: range(3),
    lambda: [], lambda: (), lambda: {}, lambda: set(), lambda: frozenset(), lambda: [1, 2], lambda: [[1], 2],
    lambda: [1, [2]], lambda: (1, 2), lambda: {1, 2}, lambda: {1: 2}, lambda: {"1": 2}, lambda: [0, 1, 2],
    lambda: {"a": {"b": 1}, "c": 2}, lambda: Point(1, 2), lambda: Config(), lambda: Config(rate=0.2),
    lambda: Struct(), lambda: Plain(0.1), lambda: Slotted(0.1), lambda: WithoutLock(0.1), lambda: Scale(2.0),
    lambda: collections.OrderedDict(a=1, b=2), lambda: collections.OrderedDict(b=2, a=1),
    lambda: collections.defaultdict(list), lambda: collections.defaultdict(set), lambda: collections.deque([1]),
    lambda: collections.Counter("aab"), lambda: MOMENT, lambda: MOMENT.date(), lambda: MOMENT.replace(tzinfo=dt.UTC),
    lambda: MOMENT.time(), lambda: dt.timedelta(1), lambda: decimal.Decimal("1.0"), lambda: decimal.Decimal("1.00"),
    lambda: uuid.UUID(int=1), lambda: Path("a"), lambda: Path("b"), lambda: pathlib.PurePosixPath("a"),
    lambda: int, lambda: Config, lambda: Plain, lambda: len, lambda: adder(1), lambda: adder(2),
    lambda: adder(Plain(1)), lambda: adder(Plain(2)), lambda: functools.partial(adder, 1),
    lambda: Scale(2.0).__call__, lambda: [1, 2].append, lambda: slice(1, 2), lambda: ValueError("a"),
]  # fmt: skip


def test_values_that_differ_in_type_or_content_have_different_digests() -> None:
    digests = [complete_digest(made()) for made in DIFFERENT]

    assert len(set(digests)) == len(DIFFERENT)


def test_equal_values_made_twice_have_the_same_digest() -> None:
    assert [complete_digest(made()) for made in DIFFERENT] == [complete_digest(made()) for made in DIFFERENT]


def test_the_order_of_dicts_and_sets_counts_nothing() -> None:
    names = [f"name {n}" for n in range(100)]

    assert complete_digest(dict.fromkeys(names, 1)) == complete_digest(dict.fromkeys(names[::-1], 1))
    assert complete_digest(set(names)) == complete_digest({*names[50:], *names})
    assert complete_digest({1: "a", "b": 2}) == complete_digest({"b": 2, 1: "a"})


nested = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(nested, nested)
def test_two_values_have_one_digest_exactly_when_their_representations_are_equal(one: Any, other: Any) -> None:
    def plainly(value: Any) -> str:
        return repr(sort(value))

    assert (complete_digest(one) == complete_digest(other)) == (plainly(one) == plainly(other))


def sort(value: Any) -> Any:
    """The value with its dicts in order, so that its representation tells exactly what it is."""
    if isinstance(value, dict):
        return {key: sort(value[key]) for key in sorted(value)}
    return type(value)(map(sort, value)) if isinstance(value, (list, tuple)) else value


@given(nested)
def test_whether_parts_are_one_object_or_equal_ones_counts_nothing(value: Any) -> None:
    copied = msgspec.msgpack.decode(msgspec.msgpack.encode([[1], [1]]))
    inner = [1]

    assert complete_digest([inner, inner]) == complete_digest(copied)
    assert complete_digest([value, value, [value]]) == complete_digest([value, value, [value]])


def test_a_value_that_holds_itself_has_a_digest_by_the_way_it_leads_back() -> None:
    def circle(first: int) -> list[Any]:
        made: list[Any] = [first]
        made.append(made)
        return made

    outer = circle(1)

    assert complete_digest(circle(1)) == complete_digest(circle(1)) != complete_digest(circle(2))
    assert complete_digest([outer, 1]) != complete_digest([outer, outer])


def test_a_value_whose_parts_all_lead_to_each_other_is_refused_in_bounded_time() -> None:
    crowd = [Plain(n) for n in range(20)]
    for one in crowd:
        one.rate = list(crowd)

    with pytest.raises(Untellable, match="lead back to each other"):
        complete_digest(crowd)


def test_lists_within_lists_that_share_their_parts_take_no_time_for_each_way_through() -> None:
    value: Any = ["deep"]
    for _ in range(50):
        value = [value, value]

    assert len(complete_digest(value)) == 16


@pytest.mark.parametrize("seed", ["0", "1"])
def test_the_digest_is_the_same_in_every_process(seed: str) -> None:
    told = subprocess.run(
        [sys.executable, __file__],
        env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": SRC},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()

    # Scripts have another name than this module has here, so what names its classes is left out on both sides.
    assert told == [complete_digest(made()).hex() for made in BUILTIN]


#: Of these the digest may never change, whatever the version of Python.
BUILTIN: list[Callable[[], Any]] = [
    lambda: {"b": [1, True, 1.0, "1", None], "a": {3, 1, 2}, "c": (b"x", 2 + 3j)},
    lambda: {"when": MOMENT, "where": Path("data"), "how": decimal.Decimal("1.5"), "id": uuid.UUID(int=7)},
    lambda: collections.defaultdict(list, a=[1]),
    lambda: frozenset({"x", "y", "z"}),
    lambda: ["a" * 1000, list(range(10_000))],
]


def test_the_digest_of_plain_values_is_the_same_on_every_version_of_python() -> None:
    assert [complete_digest(made()).hex() for made in BUILTIN] == GOLDEN


GOLDEN = [
    "53a6c149b944c04e5d8918404660ea77",
    "7b2d33fa159b2a8793aff1077da90a66",
    "23c216d2ad1432be3df98f3e1a5499df",
    "d3f8aa1141a175ade15d47a9d7f16071",
    "f053da772e820ce750ffadd5031fced7",
]


# -- what cannot be told ----------------------------------------------------------------------


def generator() -> Any:
    yield 1


REFUSED: list[tuple[Callable[[], Any], str, str]] = [
    (lambda: threading.Lock(), "", "a _thread.lock"),
    (lambda: {"pool": [1, {"db": sqlite3.connect(":memory:")}]}, "['pool'][1]['db']", "a sqlite3.Connection"),
    (lambda: Plain({"file": open(os.devnull)}), ".rate['file']", "a _io.TextIOWrapper"),  # noqa: SIM115
    (lambda: [generator()], "[0]", "a generator"),
    (lambda: (1, Config(layers=(generator(),))), "[1].layers[0]", "a generator"),
    (lambda: adder(threading.Lock()), ".<closure>", "a _thread.lock"),
    (lambda: {"token": Secret("hunter2hunter2")}, "['token']", "a Secret"),
    (lambda: sys.modules[__name__], "", "a module"),
]


@pytest.mark.parametrize(("made", "place", "why"), REFUSED, ids=[place + why for _, place, why in REFUSED])
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_cannot_be_told_is_refused_with_its_place(made: Callable[[], Any], place: str, why: str) -> None:
    with pytest.raises(Untellable) as refused:
        complete_digest(made())

    assert refused.value.place == place
    assert refused.value.why.startswith(why)


def test_an_object_whose_class_raises_is_refused_with_what_it_raised() -> None:
    class Hostile:
        def __reduce_ex__(self, protocol: Any) -> Any:
            raise ZeroDivisionError("never")

    with pytest.raises(Untellable, match="ZeroDivisionError: never"):
        complete_digest([Hostile()])


def test_what_is_nested_too_deeply_is_refused() -> None:
    value: Any = []
    for _ in range(5000):
        value = [value]

    with pytest.raises(Untellable, match="nested deeper"):
        complete_digest(value)


# -- arrays and tables ------------------------------------------------------------------------


def test_arrays_count_by_type_shape_and_data() -> None:
    numpy = pytest.importorskip("numpy")
    base = numpy.arange(6)
    made = [
        base, base.astype("f8"), base.astype("i4"), base.astype(">i8"), base.reshape(2, 3), base.reshape(3, 2),
        base.reshape(2, 3).T.copy(), base[:0], base[:0].reshape(0, 3), numpy.float64(1), numpy.array(1.0),
        numpy.array(["a", "b"]), numpy.array(["a", 1], dtype=object), numpy.zeros(2, dtype=[("a", "i4")]),
        numpy.zeros(2, dtype=[("b", "i4")]), numpy.array(["2026"], dtype="M8[D]"), numpy.array(["2026"], dtype="M8[s]"),
        numpy.ma.masked_array([1, 2], [True, False]), numpy.ma.masked_array([1, 2], [False, True]),
        numpy.zeros(3, "f2"), numpy.zeros(3, "?"), numpy.zeros(3, "S0"), numpy.dtype("f4"), numpy.float64(2),
        numpy.random.default_rng(1), [base], (base,),
    ]  # fmt: skip

    assert len({complete_digest(each) for each in made}) == len(made)


def test_the_layout_of_an_array_counts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    numpy = pytest.importorskip("numpy")
    monkeypatch.setattr("nadi.model.buffers.PIECE", 64)
    whole = numpy.arange(2 * 3 * 50, dtype="i4").reshape(2, 3, 50)
    wide = numpy.zeros((2, 3, 100), dtype="i4")
    wide[..., ::2] = whole

    layouts = [whole, numpy.asfortranarray(whole), wide[..., ::2], whole[::-1].copy()[::-1], whole.T.copy().T]

    assert {each.flags.c_contiguous for each in layouts} == {True, False}
    assert len({complete_digest(each) for each in layouts}) == 1


def test_what_lies_between_the_fields_of_an_array_counts_nothing() -> None:
    numpy = pytest.importorskip("numpy")
    kind = numpy.dtype([("a", "i1"), ("b", "i8")], align=True)
    one, other = numpy.zeros(4, kind), numpy.full(4 * kind.itemsize, 255, "u1").view(kind)
    other["a"], other["b"] = 0, 0

    assert one.tobytes() != other.tobytes()
    assert complete_digest(one) == complete_digest(other)


def test_hashing_a_big_array_takes_no_copy_of_it() -> None:
    numpy = pytest.importorskip("numpy")
    tracemalloc = pytest.importorskip("tracemalloc")
    contiguous = numpy.ones(8 * 1024 * 1024, dtype="f8")
    strided = contiguous.reshape(1024, -1)[:, ::2]
    tracemalloc.start()
    try:
        complete_digest({"x": contiguous, "y": strided})
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert most < contiguous.nbytes / 4


def test_pandas_objects_count_by_their_columns_and_index() -> None:
    pandas = pytest.importorskip("pandas")

    def frame(last: object) -> Any:
        days = pandas.to_datetime(["2026-01-01", "2026-01-02"], utc=True)
        columns = {"n": [1, 2], "s": ["a", last], "c": pandas.Categorical(["u", "v"]), "d": days}
        return pandas.DataFrame({**columns, "i": pandas.array([1, None])})

    one = frame("b")
    made = [one, frame(None), one.set_index("s"), one["n"], one.n.rename("m"), one[["s", "n"]], one[["n", "s"]]]

    assert len({complete_digest(each) for each in made}) == len(made)
    assert complete_digest(one) == complete_digest(frame("b"))
    assert complete_digest(one[::-1][::-1]) == complete_digest(one)
    assert complete_digest(pandas.concat([one[:1], one[1:]])) == complete_digest(one)


def test_polars_tables_count_by_content_whatever_their_chunks() -> None:
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"n": range(100), "s": [None if n % 7 else f"longer than a view {n}" for n in range(100)]})
    chunked = polars.concat([frame[:13], frame[13:]], rechunk=False)
    cut = polars.concat([frame, frame, frame])[100:200]

    made = [frame, frame[:99], frame["n"], frame.rename({"n": "m"}), frame.with_columns(polars.col("n").cast(float))]

    assert len({complete_digest(each) for each in made}) == len(made)
    assert complete_digest(frame) == complete_digest(chunked) == complete_digest(cut)


def test_arrow_tables_count_by_content_whatever_their_chunks() -> None:
    arrow = pytest.importorskip("pyarrow")
    table = arrow.table({"n": range(100), "s": [None if n % 7 else f"text {n}" for n in range(100)]})
    chunked = arrow.concat_tables([table.slice(0, 13), table.slice(13)])
    cut = arrow.concat_tables([table, table, table]).slice(100, 100)

    made = [table, table.slice(1), table["n"], table["s"].chunk(0), table.schema, arrow.int64(), table["n"][0]]

    assert len({complete_digest(each) for each in made}) == len(made)
    assert complete_digest(table) == complete_digest(chunked) == complete_digest(cut)


def test_pydantic_models_count_by_their_fields() -> None:
    pydantic = pytest.importorskip("pydantic")
    model = pydantic.create_model("Settings", rate=(float, 0.1), table=(dict[str, int], {}))

    assert complete_digest(model()) == complete_digest(model(rate=0.1)) != complete_digest(model(rate=0.2))
    assert complete_digest(model(table={"a": 1, "b": 2})) == complete_digest(model(table={"b": 2, "a": 1}))


def test_a_fitted_model_of_scikit_learn_counts_by_what_it_learned() -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    tree = pytest.importorskip("sklearn.tree")

    def fitted(kind: Any, last: float) -> Any:
        return kind.fit([[0.0], [1.0], [2.0]], [0.0, 1.0, last])

    for kind in (linear.LinearRegression, lambda: tree.DecisionTreeRegressor(random_state=0)):
        one, same, other = fitted(kind(), 2.0), fitted(kind(), 2.0), fitted(kind(), 3.0)

        assert complete_digest(one) == complete_digest(same) != complete_digest(other)


# -- source -----------------------------------------------------------------------------------

WORK = '''
import dataclasses
import other

LIMIT = 3
lower = 4

def helper(x):
    return x + LIMIT

@dataclasses.dataclass
class Config:
    rate: float = 0.1

    def scaled(self, x):
        return self.rate * x

def work(x, *, y=1):
    """What it does."""
    total: int = helper(x)  # a comment
    if y:
        pass
    return [Config().scaled(total), other.far(total), lower, (lambda z: z + 1)(y)]
'''

OTHER = """
def far(x):
    return near(x)

def near(x):
    return x - 1

def unused(x):
    return x
"""


class Written:
    """Two modules of a user's, of which each change makes new ones."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.count = folder, 0

    def digest(
        self,
        work: str = WORK,
        other: str = OTHER,
        name: str = "work",
        digests: Callable[[Any], bytes] = source_digest,
    ) -> bytes:
        self.count += 1
        folder = self.folder / str(self.count)
        folder.mkdir()
        sys.modules["other"] = load(folder / "other.py", other)
        try:
            return digests(getattr(load(folder / "work.py", work), name))
        finally:
            del sys.modules["other"], sys.modules["work"]


def load(file: Path, text: str) -> ModuleType:
    file.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return Written(tmp_path)


SAME = {
    "a comment": (WORK.replace("# a comment", "# another one"), OTHER),
    "a comment in a helper": (WORK, OTHER.replace("return near(x)", "# why\n    return near(x)")),
    "lines above": ("\n\n\nimport os\n" + WORK, OTHER),
    "formatting": (WORK.replace("total: int = helper(x)", "total = (\n        helper( x )\n    )"), OTHER),
    "a docstring": (WORK.replace('    """What it does."""\n', ""), OTHER.replace("(x):\n", '(x):\n    "Doc."\n', 1)),
    "annotations": (WORK.replace("def work(x,", "def work(x: int,"), OTHER.replace("far(x)", "far(x: 'int') -> int")),
    "quotes and parentheses": (WORK.replace("return x + LIMIT", "return (x + LIMIT)"), OTHER),
    "an unused helper": (WORK, OTHER.replace("    return x\n", "    return 5\n")),
}

CHANGED = {
    "the body": (WORK.replace("if y:", "if not y:"), OTHER),
    "a default": (WORK.replace("y=1", "y=2"), OTHER),
    "a helper": (WORK.replace("x + LIMIT", "x * LIMIT"), OTHER),
    "a constant of a helper": (WORK.replace("LIMIT = 3", "LIMIT = 4"), OTHER),
    "a helper of a helper in another module": (WORK, OTHER.replace("x - 1", "x - 2")),
    "a method": (WORK.replace("self.rate * x", "self.rate / x"), OTHER),
    "a field": (WORK.replace("rate: float = 0.1", "rate: float = 0.2"), OTHER),
    "the type of a field": (WORK.replace("rate: float", "rate: int"), OTHER),
    "a lambda": (WORK.replace("z + 1", "z + 2"), OTHER),
}


#: What each of these is made of is taken from `{}`.
CONSTANTS = {
    "a list": "LIMIT = [{}]",
    "a dict of dicts": "LIMIT = {{'a': {{'b': {}}}}}",
    "a span of time": "import datetime\nLIMIT = datetime.timedelta(days={})",
    "a path": "import pathlib\nLIMIT = pathlib.Path('{}.csv')",
    "an array": "import numpy\nLIMIT = numpy.array([{}])",
    "an object of a dataclass": "@dataclasses.dataclass\nclass C:\n    x: int\nLIMIT = C({})",
    "a method of that": (
        "@dataclasses.dataclass\nclass C:\n    x: int\n    def __radd__(self, y):\n        return {}\nLIMIT = C(1)"
    ),
    "a member of an enumeration": "import enum\nclass C(enum.Enum):\n    A = {}\nLIMIT = C.A",
    "a table of functions": "def add(x):\n    return x + {}\nLIMIT = {{'add': add}}",
    "functions that lead back": "def add(x):\n    return LIMIT[x] + {}\nLIMIT = {{'add': add}}",
    "beside what cannot be told": "import threading\nLIMIT = ({}, 2)\nlower = LOCK = threading.Lock()",
    "an attribute of a class": "import datetime\nclass LIMIT:\n    x = datetime.date(2020, 1, {})",
    "a default with slots": "@dataclasses.dataclass(slots=True)\nclass LIMIT:\n    x: int = {}",
    "a default that is made": (
        "@dataclasses.dataclass\nclass LIMIT:\n    x: list = dataclasses.field(default_factory=lambda: [{}])"
    ),
    "a default of a model": "import pydantic\nclass LIMIT(pydantic.BaseModel):\n    x: int = {}",
    "a default of a struct": "import msgspec\nclass LIMIT(msgspec.Struct):\n    x: int = {}",
}


@pytest.mark.parametrize("constant", CONSTANTS)
def test_a_constant_counts_by_its_content(constant: str, written: Written) -> None:
    def digest(value: int) -> bytes:
        text = WORK.replace("LIMIT = 3", CONSTANTS[constant].format(value))
        return written.digest(text, digests=task_source_digest)

    assert digest(1) == digest(1)
    assert digest(1) != digest(2)


@pytest.mark.parametrize("change", SAME)
def test_what_changes_nothing_in_what_runs_keeps_the_source_digest(change: str, written: Written) -> None:
    assert written.digest(*SAME[change]) == written.digest()


@pytest.mark.parametrize("change", CHANGED)
def test_what_changes_what_runs_changes_the_source_digest(change: str, written: Written) -> None:
    assert written.digest(*CHANGED[change]) != written.digest()


def test_the_source_digest_is_the_same_on_every_version_of_python(written: Written) -> None:
    assert written.digest().hex() == GOLDEN_SOURCE


GOLDEN_SOURCE = "8dba87302ef0698393045c8c96887e1c"


def test_a_file_that_was_changed_since_it_was_loaded_does_not_speak_for_the_code_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Bytecode of the first text would count for a second one of the same length within the same second.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    file = tmp_path / "edited.py"
    module = load(file, "def work(x):\n    return x + 1\n")
    file.write_text("def work(x):\n    return x + 2\n", encoding="utf-8")
    edited = source_digest(module.work)

    again = load(file, "def work(x):\n    return x + 2\n")

    assert edited != source_digest(again.work)


def test_code_without_a_file_counts_as_compiled() -> None:
    def made(text: str) -> Any:
        names: dict[str, Any] = {"__name__": "__main__"}
        exec(text, names)
        return names["work"]

    one = source_digest(made("def work(x): return x + 1"))

    assert one == source_digest(made("def work(x): return x + 1")) != source_digest(made("def work(x): return x + 2"))


def test_two_lambdas_on_one_line_are_told_apart() -> None:
    one, other, same = (lambda x: x + 1), (lambda x: x + 2), (lambda x: x + 1)

    assert source_digest(one) == source_digest(same) != source_digest(other)


def test_the_keywords_of_a_task_are_no_part_of_its_source() -> None:
    @task(retries=1)
    def work(x: int) -> int:
        return x

    one = source_digest(work.fn)

    @task(name="work", retries=2)  # type: ignore[no-redef]
    def work(x: int) -> int:
        return x

    assert source_digest(work.fn) == one


def test_what_a_task_made_in_a_function_holds_counts_as_it_was_when_first_asked() -> None:
    def made(held: Any) -> Any:
        def work() -> Any:
            return held

        return work

    seen: list[int] = []
    watching = made(seen)
    before = task_source_digest(watching)
    seen.append(1)

    assert task_source_digest(watching) == before
    assert task_source_digest(made(Config(rate=1.0))) != task_source_digest(made(Config(rate=2.0)))
    assert task_source_digest(made(threading.Lock())) == task_source_digest(made(threading.Lock()))


def test_a_helper_that_is_defined_anew_under_a_task_that_stays_changes_its_source(tmp_path: Path) -> None:
    module = load(tmp_path / "cell.py", "def helper(x):\n    return x\n\ndef work(x):\n    return helper(x)\n")
    another = load(tmp_path / "next_cell.py", "def helper(x):\n    return 2 * x\n")
    before = task_source_digest(module.work)
    kept = task_source_digest(module.work)

    module.helper = another.helper  # type: ignore[attr-defined]

    assert kept == before != task_source_digest(module.work)


if __name__ == "__main__":
    print(*(complete_digest(made()).hex() for made in BUILTIN))
