from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nadi.engine.flow_lookup import flows_in
from nadi.engine.loading import load_flow, load_script, loading, stop_if_loading
from nadi.exceptions import FlowNotFound, LoadError
from nadi.model.scripts import script_module_name
from nadi.storage.serializers import dumps, loads

ran: list[str] = []


class Flow:
    """A flow as the loader sees it."""

    __nadi_flow__ = True

    def __init__(self, fn: Callable[..., Any], name: str | None = None) -> None:
        self.fn = fn
        self.name = name or fn.__name__

    def __call__(self, *args: Any) -> None:
        stop_if_loading(self)
        ran.append(self.name)


def flow(name: str) -> Callable[[Callable[..., Any]], Flow]:
    return lambda fn: Flow(fn, name)


@pytest.fixture(autouse=True)
def clean_slate(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    ran.clear()
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


HEAD = f"from {__name__} import Flow, flow\n"


def write(path: str, text: str, *, head: str = HEAD) -> Path:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(head + text)
    return file


def error_of(entrypoint: str) -> str:
    with pytest.raises(LoadError) as caught:
        load_flow(entrypoint)
    told = str(caught.value)
    assert "\n" not in told
    return told


# -- what an entrypoint can name -----------------------------------------------------------------


@pytest.mark.parametrize(
    "entrypoint",
    [
        "etl.py:nightly",
        "etl.py:nightly-etl",
        "./etl.py:nightly",
        "etl.py",
        "etl:nightly",
        "etl",
        "{cwd}/etl.py:nightly",
    ],
)
def test_a_flow_is_found_by_file_or_module_and_by_variable_or_name(entrypoint: str, tmp_path: Path) -> None:
    write("etl.py", "@flow('nightly-etl')\ndef nightly(): ...\n")

    assert load_flow(entrypoint.format(cwd=tmp_path)).name == "nightly-etl"


def test_a_flow_is_found_in_a_class_and_in_a_package() -> None:
    write("shop/__init__.py", "")
    write("shop/jobs.py", "class Job:\n    @staticmethod\n    @flow('f')\n    def clean(): ...\n")

    assert load_flow("shop.jobs:Job.clean").name == "f"
    assert load_flow("shop.jobs").name == "f"


def test_paths_start_from_the_folder_given(tmp_path: Path) -> None:
    write("deep/etl.py", "a = Flow(lambda: 1, 'a')\n")
    write("deep/other.py", "b = Flow(lambda: 1, 'b')\n")

    assert load_flow("etl.py:a", cwd=tmp_path / "deep").name == "a"
    assert load_flow("other:b", cwd=tmp_path / "deep").name == "b"


def test_imported_flows_do_not_count_beside_the_files_own() -> None:
    write("parts.py", "@flow('part')\ndef part(): ...\n")
    write("whole.py", "from parts import part\n@flow('whole')\ndef whole(): ...\nalias = whole\n")
    write("only.py", "from parts import part\n")

    assert load_flow("whole.py").name == "whole"
    assert load_flow("whole.py:part").name == "part"
    assert load_flow("only.py").name == "part"


# -- loading runs nothing ------------------------------------------------------------------------


@pytest.mark.parametrize("entrypoint", ["etl.py:main", "etl.py", "etl:main", "etl"])
def test_loading_stops_at_the_call_at_the_end_of_a_script(entrypoint: str) -> None:
    write("etl.py", "@flow('main')\ndef main(): ...\nmain()\nraise AssertionError('went on')\n")

    found = load_flow(entrypoint)

    assert found.name == "main"
    assert ran == []
    assert sys.modules[found.fn.__module__].main is found


def test_a_flow_that_was_loaded_runs() -> None:
    write("etl.py", "@flow('main')\ndef main(): ...\nmain()\n")

    load_flow("etl.py")()

    assert ran == ["main"]


def test_a_call_before_the_wanted_flow_is_an_error_that_names_the_line(tmp_path: Path) -> None:
    write("etl.py", "@flow('first')\ndef first(): ...\nfirst()\n@flow('second')\ndef second(): ...\n")

    told = error_of("etl.py:second")

    assert f"calls the flow 'first' while it is loaded, at {tmp_path}/etl.py, line 4, " in told
    assert ran == []


def test_a_call_in_a_helper_module_is_an_error_that_names_the_helpers_line(tmp_path: Path) -> None:
    write("helper.py", "Flow(print, 'hidden')()\n")
    write("etl.py", "import helper\n@flow('main')\ndef main(): ...\n")

    assert f"at {tmp_path}/helper.py, line 2," in error_of("etl.py:main")


def test_a_second_flow_is_found_after_loading_stopped_at_the_first() -> None:
    write("etl.py", "a = Flow(print, 'a')\nif __name__ != 'x':\n    b = Flow(print, 'b')\nb()\nc = Flow(print, 'c')\n")

    assert load_flow("etl.py:a").name == "a"
    assert load_flow("etl.py:b").name == "b"
    assert "'b' while it is loaded" in error_of("etl.py:c")


def test_code_under_a_main_guard_does_not_run() -> None:
    write("etl.py", "a = Flow(print, 'a')\nif __name__ == '__main__':\n    raise AssertionError\n")

    assert load_flow("etl.py").name == "a"


def test_a_script_that_swallows_every_exception_still_runs_no_flow() -> None:
    write("etl.py", "a = Flow(print, 'a')\ntry:\n    a()\nexcept BaseException:\n    pass\nafter = 1\n")

    found = load_flow("etl.py")

    assert found.name == "a"
    assert ran == []


def test_flows_run_again_after_a_load_that_failed() -> None:
    write("etl.py", "raise ValueError\n")
    error_of("etl.py:a")

    Flow(print, "later")()

    assert ran == ["later"]


def test_a_load_inside_another_ends_only_itself() -> None:
    write("inner.py", "a = Flow(print, 'a')\na()\n")

    with loading("outer"):
        load_flow("inner.py:a")
        reached = True
        with pytest.raises(LoadError, match="outer calls the flow 'x'"):
            Flow(print, "x")()

    assert reached


# -- what cannot be loaded -----------------------------------------------------------------------


def test_a_missing_file_is_told_with_the_nearest_name(tmp_path: Path) -> None:
    write("pipeline.py", "")

    assert error_of("pipelin.py:a") == (
        f"There is no file pipelin.py (looked from {tmp_path}). Did you mean 'pipeline.py'?"
    )


def test_a_folder_is_told_with_a_file_in_it() -> None:
    write("flows/etl.py", "")

    assert error_of("./flows:a") == "./flows is a folder. Name the file in it, for example ./flows/etl.py:my_flow."


def test_a_syntax_error_is_told_with_its_line(tmp_path: Path) -> None:
    write("etl.py", "def broken(:\n")

    told = error_of("etl.py:a")

    assert told.startswith(f"etl.py could not be loaded: syntax error in {tmp_path}/etl.py, line 2: ")
    assert told.endswith("def broken(:")


def test_a_missing_module_is_told_with_the_line_that_imports_it(tmp_path: Path) -> None:
    write("helper.py", "\n\nimport no_such_thing\n")
    write("etl.py", "import helper\n")

    assert error_of("etl.py:a") == (
        f"etl.py could not be loaded: it imports 'no_such_thing' at {tmp_path}/helper.py, line 4,"
        f" and there is no such module in {sys.executable}."
    )


def test_a_name_that_cannot_be_imported_is_told_with_its_line(tmp_path: Path) -> None:
    write("etl.py", "from os import no_such_name\n")

    told = error_of("etl.py:a")

    assert f"an import failed at {tmp_path}/etl.py, line 2: cannot import name 'no_such_name' from 'os'" in told


def test_a_relative_import_in_a_file_points_to_the_module_name() -> None:
    write("etl.py", "from . import helper\n")

    assert error_of("etl.py:a").endswith("A file of a package is loaded by its module name: package.module:flow.")


@pytest.mark.parametrize("entrypoint", ["etl.py:a", "etl:a"])
def test_an_error_of_the_users_code_is_told_with_its_line_and_kept_as_the_cause(
    entrypoint: str, tmp_path: Path
) -> None:
    write("etl.py", "import json\njson.loads('{')\n")

    with pytest.raises(
        LoadError, match=f"could not be loaded: JSONDecodeError at {tmp_path}/etl.py, line 3: "
    ) as caught:
        load_flow(entrypoint)

    cause = caught.value.__cause__
    assert cause is not None
    assert cause.__traceback__ is not None
    assert cause.__traceback__.tb_frame.f_code.co_filename == f"{tmp_path}/etl.py"


@pytest.mark.parametrize("entrypoint", ["etl.py:a", "etl:a"])
def test_a_file_that_calls_sys_exit_is_told_with_its_line(entrypoint: str, tmp_path: Path) -> None:
    write("etl.py", "import sys\na = Flow(print, 'a')\nsys.exit(3)\n")

    assert f"it calls sys.exit(3) at {tmp_path}/etl.py, line 4 while it is loaded." in error_of(entrypoint)


def test_a_file_that_is_no_python_is_told() -> None:
    Path("data.py").write_bytes(b"\x00\xff\x00")
    Path("latin.py").write_bytes(b"name = '\xe9'\n")

    assert error_of("data.py:a").startswith("data.py could not be loaded: ")
    assert error_of("latin.py:a").startswith("latin.py could not be loaded: syntax error")


def test_a_pipe_is_not_waited_for() -> None:
    os.mkfifo("pipe.py")

    assert error_of("pipe.py:a") == "pipe.py is not a regular file, so no flow can be loaded from it."


@pytest.mark.parametrize("entrypoint", ["", ":a", "etl.py:", " :a"])
def test_an_entrypoint_without_file_or_flow_says_how_to_write_one(entrypoint: str) -> None:
    assert "path/to/file.py:flow or package.module:flow" in error_of(entrypoint)


def test_a_missing_module_points_to_the_file_that_may_be_meant(tmp_path: Path) -> None:
    write("my-etl.py", "")

    assert error_of("my-etl:a").endswith("Did you mean the file my-etl.py?")
    assert error_of("no_such.module:a") == f"There is no module 'no_such', in {tmp_path} or elsewhere on sys.path."


def test_ctrl_c_during_a_load_is_no_load_error() -> None:
    write("etl.py", "raise KeyboardInterrupt\n")

    with pytest.raises(KeyboardInterrupt):
        load_flow("etl.py:a")


# -- no such flow --------------------------------------------------------------------------------

TWO = "@flow('extract')\ndef extract(): ...\n@flow('train-all')\ndef train(): ...\ndef helper(): ...\n"


def test_a_flow_that_is_not_there_lists_those_that_are_and_the_nearest() -> None:
    write("etl.py", TWO)

    with pytest.raises(FlowNotFound) as caught:
        load_flow("etl.py:extrct")

    assert str(caught.value) == (
        "etl.py has no flow 'extrct'. Its flows are: extract, train ('train-all'). Did you mean 'extract'?"
    )


def test_a_function_that_is_no_flow_is_told() -> None:
    write("etl.py", TWO)

    assert error_of("etl.py:helper").startswith("'helper' in etl.py is a function, not a flow. Mark it with @flow")


def test_several_flows_and_no_name_is_an_error_that_lists_them() -> None:
    write("etl.py", TWO)

    assert error_of("etl.py") == (
        "etl.py has 2 flows: extract, train ('train-all'). Say which one, for example etl.py:extract."
    )


def test_a_file_without_flows_is_told() -> None:
    write("etl.py", "x = 1\n")

    assert error_of("etl.py") == "etl.py has no flow. Mark a function in it with @flow."


# -- the place of a script -----------------------------------------------------------------------


def test_the_files_folder_is_first_on_the_path_and_stays(tmp_path: Path) -> None:
    write("deep/etl.py", "import sys\nseen = [sys.path[0], *sys.argv]\na = Flow(print, 'a')\n")

    module = sys.modules[script_module_name(load_flow("deep/etl.py") and "deep/etl.py")]

    assert module.__dict__["seen"] == [f"{tmp_path}/deep", f"{tmp_path}/deep/etl.py"]
    assert sys.path[0] == f"{tmp_path}/deep"


def test_scripts_of_one_name_in_two_folders_do_not_clash() -> None:
    write("one/etl.py", "class Row: ...\n@flow('one')\ndef a(): ...\n")
    write("two/etl.py", "class Row: ...\n@flow('two')\ndef a(): ...\n")

    one, two = load_flow("one/etl.py:a"), load_flow("two/etl.py:a")

    assert (one.name, two.name) == ("one", "two")
    first, second = (sys.modules[found.fn.__module__].__dict__["Row"] for found in (one, two))
    assert loads(dumps(first)) is first
    assert loads(dumps(second)) is second


def test_a_file_is_loaded_once_until_it_changes(tmp_path: Path) -> None:
    write("etl.py", "a = Flow(print, 'old')\n")
    Path("link.py").symlink_to("etl.py")

    first = load_flow("etl.py:a")
    again = load_flow(f"{tmp_path}/link.py:a")
    write("etl.py", "a = Flow(print, 'changed')\n")

    assert again is first
    assert load_flow("etl.py:a").name == "changed"


def test_a_file_that_became_broken_leaves_the_loaded_one_in_place() -> None:
    file = write("etl.py", "a = Flow(print, 'old')\n")
    module = load_script(str(file))
    write("etl.py", "raise ValueError('broken')\n")

    error_of("etl.py:a")

    assert sys.modules[module.__name__] is module


def test_a_loaded_script_is_an_ordinary_module_to_its_own_code() -> None:
    file = write(
        "etl.py",
        "from __future__ import annotations\nimport inspect\nfrom dataclasses import dataclass\n"
        "@dataclass\nclass Row:\n    size: int = 1\n",
        head="",
    )
    module = load_script(str(file))

    row = module.__dict__["Row"]()

    assert pickle.loads(pickle.dumps(row)) == row
    assert flows_in(module) == {}


def test_things_that_answer_every_attribute_are_no_flows() -> None:
    write(
        "etl.py",
        "from unittest.mock import MagicMock\nclass Odd:\n    def __getattr__(self, name): raise RuntimeError\n"
        "mock, odd, kind = MagicMock(), Odd(), Flow\n@flow('a')\ndef a(): ...\n",
    )

    assert load_flow("etl.py").name == "a"
