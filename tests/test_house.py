"""The house rules that a tool can check: floors, imports, the public face, and what importing may do."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

import nadi

SRC = Path(__file__).parent.parent / "src"

#: The floor of each part of the package; what is not named here is a public module on floor 4. Imports run down.
FLOORS = {
    "nadi._version": 0,
    "nadi.exceptions": 0,
    "nadi.model": 1,
    "nadi.storage": 2,
    "nadi.engine": 3,
    "nadi.executors": 3,
    "nadi.migrating": 4,
    "nadi.services": 4,
    "nadi.workers": 4,
    "nadi.server": 5,
    "nadi.cli": 6,
    "nadi.__main__": 6,
}
PUBLIC_MODULES = 4
#: `nadi` itself stands on all public modules, so that only server and command line may import it.
FACE = 4.5

#: Too slow to import, or of no use to somebody who only marks a function as a task.
HEAVY = {
    *("asyncio", "click", "cloudpickle", "libcst", "numpy", "opentelemetry", "pandas", "prometheus_client", "psycopg"),
    *("pydantic", "rich", "sqlite3", "starlette", "urllib3", "uvicorn"),
}


def modules() -> dict[str, Path]:
    found = {}
    for path in sorted((SRC / "nadi").rglob("*.py")):
        parts = path.relative_to(SRC).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


@dataclass(frozen=True)
class Import:
    importer: str
    imported: str
    line: int
    hidden: bool

    def __str__(self) -> str:
        return f"{MODULES[self.importer].relative_to(SRC)}:{self.line} imports {self.imported}"


def floor(module: str) -> float:
    if module == "nadi":
        return FACE
    return FLOORS.get(".".join(module.split(".")[:2]), PUBLIC_MODULES)


def own_imports(module: str) -> Iterator[Import]:
    """All imports of our own modules, wherever in the file they stand."""
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    shown = set(tree.body)
    for node in ast.walk(tree):
        for name in imported_names(node):
            if name == "nadi" or name.startswith("nadi."):
                yield Import(module, longest_module(name), getattr(node, "lineno", 0), hidden=node not in shown)


def imported_names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module is not None:
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def longest_module(name: str) -> str:
    """`nadi.model.states.State` names a class of `nadi.model.states`, `nadi.model.states` a module."""
    while name not in MODULES and "." in name:
        name = name.rpartition(".")[0]
    return name


IMPORTS = [found for module in MODULES for found in own_imports(module)]


def may_import(importer: str, imported: str) -> bool:
    # The engine knows the executors' contract; an executor is given calls and knows no engine.
    if importer.startswith("nadi.executors") and imported.startswith("nadi.engine"):
        return False
    return floor(imported) <= floor(importer)


def test_every_import_runs_down_or_stays_on_its_floor() -> None:
    upward = [str(found) for found in IMPORTS if not may_import(found.importer, found.imported)]

    assert upward == []


def test_no_import_of_our_own_hides_in_a_function_or_a_condition() -> None:
    # The face tells type checkers what it loads when somebody asks for it.
    hidden = [str(found) for found in IMPORTS if found.hidden and found.importer != "nadi"]

    assert hidden == []


def test_the_face_tells_type_checkers_of_exactly_the_names_that_it_loads_later() -> None:
    (block,) = [
        node for node in ast.parse(MODULES["nadi"].read_text(encoding="utf-8")).body if isinstance(node, ast.If)
    ]
    told = {
        alias.name: found.module for found in block.body if isinstance(found, ast.ImportFrom) for alias in found.names
    }

    assert told == nadi._LATER


def test_no_import_of_our_own_is_relative() -> None:
    relative = [
        f"{path.relative_to(SRC)}:{node.lineno}"
        for path in MODULES.values()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level > 0
    ]

    assert relative == []


def test_no_two_modules_import_each_other_even_by_way_of_others() -> None:
    below: dict[str, set[str]] = {module: set() for module in MODULES}
    for found in IMPORTS:
        below[found.importer].add(found.imported)

    # Take away what imports nothing that is left, until only circles and what stands on them remain.
    while free := [module for module, imported in below.items() if not imported & below.keys()]:
        for module in free:
            del below[module]

    assert sorted(below) == []


def test_no_file_of_the_package_names_a_place_of_one_machine() -> None:
    place = re.compile(r"(?<![\w/.:~])/(?:work|root|home/\w+|Users/\w+)/\w")
    texts = {path: path.read_bytes().decode("utf-8", "replace") for path in SRC.rglob("*.*") if path.suffix != ".pyc"}

    named = [f"{path.relative_to(SRC)}: {found[0]}" for path, text in texts.items() for found in place.finditer(text)]

    assert named == []


def test_all_is_sorted_and_names_nothing_twice() -> None:
    assert list(nadi.__all__) == sorted(set(nadi.__all__))


def test_every_name_in_all_is_really_there() -> None:
    missing = [name for name in nadi.__all__ if not hasattr(nadi, name)]

    assert missing == []


def test_every_public_name_of_the_face_is_in_all() -> None:
    public = {
        name
        for name, value in vars(nadi).items()
        # Submodules appear here as soon as anybody imports them; `annotations` is the future import.
        if not name.startswith("_")
        and name not in ("Any", "TYPE_CHECKING", "annotations")
        and not isinstance(value, ModuleType)
    }

    assert public - set(nadi.__all__) == set()


PROBE = """
import json, sys
before, seen = set(sys.modules), []
watched = {"os.fork", "os.posix_spawn", "socket.bind", "socket.connect", "subprocess.Popen"}

def watch(event, arguments):
    if event == "open" and str(arguments[0]).startswith(HOME) or event in watched:
        seen.append(f"{event} {arguments}")

sys.addaudithook(watch)
import nadi
seen += [f"thread {number}" for number in sys._current_frames()][1:]
print(json.dumps({"modules": sorted(set(sys.modules) - before), "seen": seen}))
"""


@dataclass(frozen=True)
class FreshImport:
    modules: set[str]
    seen: list[str]
    files: list[str]


@pytest.fixture(scope="module")
def fresh_import(tmp_path_factory: pytest.TempPathFactory) -> FreshImport:
    """What `import nadi` loads and does in a new process with an empty home and working folder."""
    home = tmp_path_factory.mktemp("home")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("NADI_", "XDG_", "COV_"))}
    environ |= {"HOME": str(home), "USERPROFILE": str(home), "PYTHONPATH": str(SRC)}

    done = subprocess.run(
        [sys.executable, "-c", f"HOME = {str(home)!r}\n{PROBE}"],
        env=environ,
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    return FreshImport(set(told["modules"]), told["seen"], [str(path) for path in home.rglob("*")])


def test_importing_nadi_starts_no_thread_or_process_and_opens_no_socket_or_file_of_the_user(
    fresh_import: FreshImport,
) -> None:
    assert fresh_import.seen == []
    assert fresh_import.files == []


def test_importing_nadi_leaves_heavy_modules_alone(fresh_import: FreshImport) -> None:
    assert fresh_import.modules & HEAVY == set()
