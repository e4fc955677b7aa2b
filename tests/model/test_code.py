from __future__ import annotations

import functools
import importlib.util
import itertools
import math
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from nadi.model.code import calling_digest, code_digest, is_user_file, stable_module_name, stable_name

SRC = str(Path(__file__).parents[2] / "src")

Load = Callable[..., ModuleType]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Loads source text as a module of the user's, under the same name each time."""
    numbers = itertools.count()

    def load(source: str, name: str = "steps") -> ModuleType:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        path = folder / f"{name}.py"
        path.write_text(textwrap.dedent(source), encoding="utf-8")
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
        return module

    return load


BASE = """
    import functools, math
    RATE = 3
    TABLE = ("a", 1)
    mutable = [1]

    def helper(x):
        return x + 1

    class Model:
        size = 4

        def fit(self, x):
            return helper(x) + self.size

    class Task:
        def __init__(self, fn):
            self.fn = fn

        def __call__(self, *args):
            return self.fn(*args)

    def task(fn):
        return Task(fn)

    def timed(fn):
        @functools.wraps(fn)
        def around(*args):
            return fn(*args)
        return around

    @task
    def other(x):
        return x * 2

    @timed
    def wrapped(x):
        return x - 1

    def main(x, y=2, *, z="z"):
        def inner(k):
            return [helper(k) for _ in range(3)]
        if x > 10:
            x.sort(key=lambda pair: pair[0])
        return Model().fit(x) + other(y) + wrapped(x) + inner(x)[0] + RATE + math.pi + len(TABLE)
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("def main(x, y=2", "\n\n    # a comment\n    def main(x, y=2"),
        ("        if x > 10:", "        # why\n\n        if x > 10:"),
        ('z="z"):', 'z="z"):\n        """What it does."""'),
        ("def helper(x):", 'def helper(x):\n        """Helps."""'),
        ("def inner(k):", 'def inner(k):\n            """Inside."""'),
        ("class Model:", 'class Model:\n        """A model."""\n'),
        ("def main(x, y=2", "def main(x: 'list[int]', y: int = 2"),
        ("mutable = [1]", "mutable = [2]\n    unused = 4"),
        ("return x + 1", "return x + 1  # type: ignore"),
        ("import functools, math", "import functools\n    import math\n    import os"),
    ],
)
def test_comments_blank_lines_docstrings_annotations_and_unused_code_change_nothing(
    load: Load, old: str, new: str
) -> None:
    assert old in BASE
    before, after = load(BASE), load(BASE.replace(old, new))

    assert code_digest(before.main) == code_digest(after.main)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x > 10", "x > 11"),
        ("x > 10", "x >= 10"),
        ("y=2", "y=3"),
        ('z="z"', 'z="q"'),
        ("return x + 1", "return x + 2"),
        ("range(3)", "range(4)"),
        ("pair[0]", "pair[1]"),
        ("size = 4", "size = 5"),
        ("helper(x) + self.size", "helper(x) - self.size"),
        ("return x * 2", "return x * 3"),
        ("return x - 1", "return x - 2"),
        ("return fn(*args)\n        return around", "return [fn(*args)]\n        return around"),
        ("RATE = 3", "RATE = 4"),
        ('("a", 1)', '("a", 2)'),
        ("math.pi", "math.e"),
        ("x.sort(", "x.index("),
    ],
)
def test_a_change_in_the_code_or_in_what_it_uses_changes_the_digest(load: Load, old: str, new: str) -> None:
    assert old in BASE
    before, after = load(BASE), load(BASE.replace(old, new))

    assert code_digest(before.main) != code_digest(after.main)


def test_helpers_in_other_modules_of_the_user_count(load: Load) -> None:
    def digest(body: str, unrelated: str) -> bytes:
        tools = load(f"LIMIT = 1\ndef clean(x): return x {body}\ndef unused(): return {unrelated}", "tools")
        by_module = load("import tools\ndef main(x): return tools.clean(x)", "by_module")
        by_name = load("from tools import clean\ndef main(x): return clean(x)", "by_name")
        by_value = load("import tools\ndef main(x):\n    t = tools\n    return t.clean(x)", "by_value")
        assert tools.clean is by_name.clean
        return b"".join(code_digest(module.main) for module in (by_module, by_name, by_value))

    first, changed, unrelated = digest("+ 1", "1"), digest("+ 2", "1"), digest("+ 1", "2")

    assert first == unrelated
    assert all(first[part : part + 16] != changed[part : part + 16] for part in (0, 16, 32))


def test_an_installed_package_counts_by_name_only(load: Load, tmp_path: Path) -> None:
    def digest(body: str) -> bytes:
        library = load(f"def clean(x): return x {body}", "library")
        library.__file__ = "/opt/venv/lib/python3.11/site-packages/library.py"
        return code_digest(load("import library\ndef main(x): return library.clean(x)").main)

    assert digest("+ 1") == digest("+ 2")


def test_functions_that_call_each_other_in_a_circle_are_told(load: Load) -> None:
    source = "def even(n): return n == 0 or odd(n - 1)\ndef odd(n): return n != {} and even(n - 1)"

    assert code_digest(load(source.format(0)).even) == code_digest(load(source.format(0)).even)
    assert code_digest(load(source.format(0)).even) != code_digest(load(source.format(1)).even)


def test_what_a_closure_holds_counts() -> None:
    def make(value: Any) -> Callable[[], Any]:
        return lambda: value

    held = [1, 2, "a", [1], [2], {"a": 1}, make(1), make(2), math.floor, None, ("a", ("b",))]

    assert [code_digest(make(each)) for each in held] == [code_digest(make(each)) for each in held]
    assert len({code_digest(make(each)) for each in held}) == len(held)


def test_a_closure_without_a_value_yet_is_told() -> None:
    def outer() -> bytes:
        def inner() -> int:
            return later

        digest = code_digest(inner)
        later = 1
        return digest

    assert outer() == outer()


def test_methods_partials_wrappers_and_tasks_are_opened(load: Load) -> None:
    first, second = load(BASE), load(BASE.replace("x * 2", "x * 3").replace("size)", "size) + 1").replace("x - 1", "x"))
    changed = load(BASE.replace("return helper(x) +", "return 2 * helper(x) +"))

    assert code_digest(first.Model().fit) == code_digest(first.Model.fit)
    assert code_digest(first.Model().fit) != code_digest(changed.Model().fit)
    assert code_digest(first.other) != code_digest(second.other)
    assert code_digest(first.wrapped) != code_digest(second.wrapped)
    assert code_digest(functools.lru_cache(first.helper)) == code_digest(functools.lru_cache(second.helper))
    assert code_digest(functools.partial(first.main, 1)) != code_digest(functools.partial(first.main, 2))
    assert code_digest(functools.partial(first.main, 1)) == code_digest(functools.partial(load(BASE).main, 1))


def test_a_caller_is_the_same_when_a_task_that_it_calls_changed_and_another_when_a_helper_did(load: Load) -> None:
    source = """
        from nadi import flow, task

        def helper(x):
            return x + {helper}

        @task
        def step(x):
            return x * {step}

        @flow
        def main(x):
            return step(helper(x))
    """
    first, step_changed, helper_changed = (
        load(source.format(helper=helper, step=step)).main.fn for helper, step in ((1, 1), (1, 2), (2, 1))
    )

    assert calling_digest(first) == calling_digest(step_changed) != calling_digest(helper_changed)
    assert code_digest(first) != code_digest(step_changed)


def test_a_callable_without_code_counts_by_its_name() -> None:
    assert code_digest(len) == code_digest(len)
    builtins: list[Callable[..., Any]] = [len, max, math.floor, str.upper, str, [].append]

    assert len({code_digest(each) for each in builtins}) == 6


def test_a_function_that_ran_often_keeps_its_digest(load: Load) -> None:
    fresh, warm = load(BASE), load(BASE)

    for _ in range(5_000):
        warm.main(1)

    assert code_digest(warm.main) == code_digest(fresh.main)
    assert code_digest(warm.wrapped) == code_digest(fresh.wrapped)


def test_a_class_inside_a_function_counts_without_its_lines_and_docstring(load: Load) -> None:
    source = """
    def main():
        class Row:
            {}
            size = {}
        return Row
    """

    plain, documented = source.format("", 1), source.format('"""A row."""', 1)
    moved, changed = "\n\n\n" + source.format('"""Other."""', 1), source.format('"""A row."""', 2)

    assert code_digest(load(documented).main) == code_digest(load(moved).main)
    assert code_digest(load(documented).main) != code_digest(load(changed).main)
    assert code_digest(load(plain).main) != code_digest(load(changed).main)


def test_the_digest_of_code_is_the_same_under_every_hash_seed(tmp_path: Path) -> None:
    script = textwrap.dedent(BASE) + "\nNAMES = frozenset({'a', 'b', 'c'})\n"
    script += "def seeds(x): return x in {'p', 'q', 'r'} or x in NAMES or main(x)\n"
    script += "from nadi.model.code import code_digest\nprint(code_digest(seeds).hex())\n"
    (tmp_path / "script.py").write_text(script)

    def told(seed: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": SRC}
        command = [sys.executable, "script.py"]
        done = subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True)
        return done.stdout

    assert len({told(seed) for seed in ("0", "1", "77")}) == 1


def test_only_files_of_the_user_are_the_users() -> None:
    assert is_user_file(__file__)
    assert not is_user_file(os.__file__)
    assert not is_user_file(pytest.__file__)
    assert not is_user_file(str(Path(SRC) / "nadi" / "exceptions.py"))
    assert not is_user_file("<frozen os>")


def test_a_script_is_named_by_its_file_without_the_folder(load: Load) -> None:
    marked = load("def f(): pass", "package.module")
    plain = stable_module_name("package.module")
    marked.__nadi_script__ = True  # type: ignore[attr-defined]
    load("x = 1", "alone")

    assert plain == "package.module"
    assert stable_module_name("package.module") == "script:package.module"
    assert stable_module_name("alone") == "script:alone"
    assert stable_module_name("json") == "json"
    assert stable_module_name("json.decoder") == "json.decoder"
    assert stable_module_name("nowhere") == "nowhere"


def test_names_of_builtins_say_where_they_belong() -> None:
    assert stable_name(len) == "builtins:len"
    assert stable_name(str.upper) == "builtins:str.upper"
    assert stable_name(Path) == f"{Path.__module__}:Path"
