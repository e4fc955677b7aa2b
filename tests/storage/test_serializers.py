from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nadi.exceptions
from nadi.exceptions import FailedRun, NotKept, SettingError
from nadi.storage.serializers import dumps, loads, register_serializer, serializer


@dataclass
class Row:
    name: str
    size: int


class Colour(Enum):
    RED = 1


class Twice:
    """Stands for a task: what decorating a function leaves under its name."""

    def __init__(self, fn: Any) -> None:
        self.fn = fn


@Twice
def doubled(x: int) -> int:
    return x * 2


class NeedsTwo(Exception):
    def __init__(self, left: int, right: int) -> None:
        super().__init__(f"{left} is not {right}")
        self.left, self.right = left, right


class SaysItTwice(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(f"code {code}")


class HoldsALock(Exception):
    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.lock = threading.Lock()


class Hostile:
    def __reduce__(self) -> NoReturn:
        raise ValueError("you shall not pickle")


class Exits:
    def __reduce__(self) -> NoReturn:
        sys.exit("bye")


SCRIPT = """
import sys
from dataclasses import dataclass
from nadi.storage.serializers import dumps, loads

@dataclass
class Row:
    name: str

def shout(text):
    return text.upper()

def helper(text):
    return Row(text)

def main():
    if sys.argv[1] == "write":
        with open(sys.argv[2], "wb") as file:
            file.write(dumps([Row("a"), shout, Row, lambda text: helper(text), helper]))
    else:
        with open(sys.argv[2], "rb") as file:
            row, function, kind, made, _ = loads(file.read())
        assert type(row) is Row and kind is Row and function is shout
        assert made("b") == Row("b"), made("b")
        print("ok")

if __name__ == "__main__":
    main()
"""


SPAWNS = """
import multiprocessing
from dataclasses import dataclass
from nadi.storage.serializers import dumps, loads

@dataclass
class Row:
    name: str

def in_child(data):
    function, row = loads(data)
    assert function is in_child and type(row) is Row
    return __name__, dumps(row)

if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        name, data = pool.apply(in_child, [dumps([in_child, Row("a")])])
    print([(name, loads(data)), type(loads(data)) is Row])
"""


def run(*arguments: str, cwd: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(Path(nadi.exceptions.__file__).parent.parent)}
    done = subprocess.run([sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@settings(max_examples=50)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    )
)
def test_plain_values_come_back_equal_and_of_the_same_type(value: object) -> None:
    back = loads(dumps(value))

    assert back == value
    assert type(back) is type(value)


def test_objects_of_importable_classes_come_back() -> None:
    values = [Row("a", 1), Colour.RED, Row, Path("x"), {Colour.RED: [Row("b", 2)]}]

    assert loads(dumps(values)) == values


def test_an_object_that_contains_itself_comes_back_containing_itself() -> None:
    knot: list[Any] = []
    knot.append(knot)

    back = loads(dumps(knot))

    assert back[0] is back


def test_fifty_megabytes_and_nothing_come_back() -> None:
    assert loads(dumps(b"")) == b""
    assert len(loads(dumps([b"x" * 50_000_000]))[0]) == 50_000_000


def test_the_raw_function_of_a_task_is_stored_by_the_name_of_its_task() -> None:
    data = dumps(doubled.fn)

    assert loads(data) is doubled.fn
    assert len(data) < 200


def test_lambdas_closures_and_local_classes_are_stored_whole() -> None:
    factor = 3

    class Local:
        value = 7

    function, made = loads(dumps([lambda x: x * factor, Local()]))

    assert function(2) == 6
    assert made.value == 7


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(threading.Lock(), id="lock"),
        pytest.param([Hostile()], id="hostile"),
        pytest.param(Exits(), id="exits"),
        pytest.param((x for x in "ab"), id="generator"),
    ],
)
def test_a_value_that_cannot_be_pickled_is_told_in_one_sentence(value: object) -> None:
    with pytest.raises(NotKept) as caught:
        dumps(value)

    told = str(caught.value)
    assert told.startswith("A value of type ")
    assert told.count(". ") == 0
    assert told.endswith(".")
    assert "\n" not in told


def test_the_sentence_names_what_a_hostile_value_raised() -> None:
    with pytest.raises(NotKept, match=r"list cannot be stored: ValueError: you shall not pickle\.$"):
        dumps([Hostile()])


def test_a_value_nested_too_deeply_is_not_kept() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]

    with pytest.raises(NotKept, match="nested too deeply"):
        dumps(deep)


def test_an_open_file_is_not_kept_as_its_text(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("text")

    with open(tmp_path / "f") as file, pytest.raises(NotKept, match="TextIOWrapper"):
        dumps([lambda: 1, file])


# -- scripts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("write", "read"),
    [
        (["flow.py"], ["flow.py"]),
        (["flow.py"], ["-m", "flow"]),
        (["-m", "flow"], ["flow.py"]),
        (["-m", "flow"], ["-m", "flow"]),
        (["-c", "import flow; flow.main()"], ["flow.py"]),
        (["flow.py"], ["-c", "import flow; flow.main()"]),
        (["flow.py"], ["-c", "from nadi.engine.loading import load_script as l; l('flow.py').main()"]),
        (["-c", "from nadi.engine.loading import load_script as l; l('flow.py').main()"], ["flow.py"]),
        (
            ["-c", "import flow; flow.main()"],
            ["-c", "from nadi.engine.loading import load_script as l; l('flow.py').main()"],
        ),
    ],
)
def test_what_a_script_defines_is_found_however_it_was_started(
    write: list[str], read: list[str], tmp_path: Path
) -> None:
    (tmp_path / "flow.py").write_text(SCRIPT)

    run(*write, "write", "value", cwd=tmp_path)

    assert b"__main__" not in (tmp_path / "value").read_bytes()
    assert run(*read, "read", "value", cwd=tmp_path) == "ok"


def test_a_script_that_is_not_loaded_is_loaded_to_read_its_values(tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text(SCRIPT)
    run("flow.py", "write", "value", cwd=tmp_path)

    read = "import nadi.engine.loading, nadi.storage.serializers as s; print(s.loads(open('value', 'rb').read())[0])"

    assert run("-c", read, cwd=tmp_path) == "Row(name='a')"


def test_a_spawned_child_and_its_parent_read_each_others_values(tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text(SPAWNS)

    assert run("flow.py", cwd=tmp_path) == "[('__mp_main__', Row(name='a')), True]"


def test_what_a_notebook_defines_is_stored_whole(tmp_path: Path) -> None:
    write = (
        "from nadi.storage.serializers import dumps\n"
        "class Row:\n    size = 3\n"
        "def area(row): return row.size ** 2\n"
        "open('value', 'wb').write(dumps([Row(), area]))"
    )
    run("-c", write, cwd=tmp_path)

    row, area = loads((tmp_path / "value").read_bytes())

    assert area(row) == 9


# -- errors ------------------------------------------------------------------------------------


def test_an_error_comes_back_with_its_cause_and_notes() -> None:
    error = ValueError("outer")
    error.__cause__ = KeyError("inner")
    error.add_note("while testing")

    back = loads(dumps(error))

    assert (type(back), back.args, back.__notes__) == (ValueError, ("outer",), ["while testing"])
    assert repr(back.__cause__) == "KeyError('inner')"


@pytest.mark.parametrize("error", [NeedsTwo(1, 2), SaysItTwice(5)], ids=lambda error: type(error).__name__)
def test_an_error_that_pickle_could_not_read_back_keeps_its_type_and_message(error: Exception) -> None:
    back = loads(dumps(error))

    assert type(back) is type(error)
    assert (str(back), back.__dict__) == (str(error), error.__dict__)


def test_an_error_that_cannot_be_stored_is_told_by_a_failed_run() -> None:
    try:
        raise HoldsALock("it is stuck")
    except HoldsALock as error:
        error.add_note("look here")
        data = dumps(error)

    back = loads(data)

    assert type(back) is FailedRun
    assert str(back).endswith("HoldsALock: it is stuck")
    assert back.__notes__ == ["look here"]
    assert "raise HoldsALock" in back.__dict__["traceback"]
    assert back.__dict__["error_message"] == "it is stuck"


def test_a_cause_that_cannot_be_stored_does_not_spoil_the_error() -> None:
    error = ValueError("outer")
    error.__cause__ = HoldsALock("inner")

    back = loads(dumps(error))

    assert type(back) is ValueError
    assert type(back.__cause__) is FailedRun


def test_errors_that_cause_each_other_are_stored_once() -> None:
    error, other = ValueError("one"), ValueError("two")
    error.__cause__, other.__cause__ = other, error

    back = loads(dumps(error))

    assert (str(back), str(back.__cause__), back.__cause__.__cause__) == ("one", "two", None)


# -- formats -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["pickle", "json", "compressed/pickle", "compressed/json"])
def test_each_format_reads_what_it_wrote(name: str) -> None:
    value = {"name": "é", "sizes": [1, 2.5, None, True], "big": "x" * 1000}

    data = serializer(name).dumps(value)

    assert serializer(name).loads(data) == value


def test_what_is_no_json_is_not_kept_and_the_sentence_says_so() -> None:
    with pytest.raises(NotKept, match=r"of type object cannot be stored as JSON: .*object"):
        serializer("json").dumps(object())


def test_an_unknown_format_lists_those_there_are() -> None:
    with pytest.raises(SettingError, match=r"no serializer called 'xml'. Known are: .*compressed/json, .*pickle"):
        serializer("xml")


def test_a_serializer_that_is_registered_serves_compressed_too() -> None:
    class MessagePack:
        def dumps(self, value: Any) -> bytes:
            return msgspec.msgpack.encode(value)

        def loads(self, data: bytes) -> Any:
            return msgspec.msgpack.decode(data)

    register_serializer("test-msgpack", MessagePack())

    assert serializer("test-msgpack").dumps(1) == b"\x01"
    assert serializer("compressed/test-msgpack").loads(serializer("compressed/test-msgpack").dumps([1])) == [1]
    with pytest.raises(SettingError, match="already"):
        register_serializer("test-msgpack", MessagePack())


def test_importing_the_module_does_not_import_cloudpickle(tmp_path: Path) -> None:
    told = run("-c", "import sys, nadi.storage.results; print('cloudpickle' in sys.modules)", cwd=tmp_path)

    assert told == "False"


def test_values_of_importable_code_need_nothing_of_ours_to_be_read() -> None:
    assert pickle.loads(dumps([Row("a", 1)])) == [Row("a", 1)]
