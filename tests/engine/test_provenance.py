from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nadi.engine.loading import load_script
from nadi.engine.provenance import MOST_SOURCE_BYTES, complete_source, describe_source, read_git_commit
from nadi.model.sources import RunSource


class Flow:
    """A flow as provenance sees it."""

    __nadi_flow__ = True

    def __init__(self, fn: Callable[..., Any]) -> None:
        self.fn = fn
        self.name = fn.__name__


def plain() -> None: ...


@Flow
def decorated() -> None: ...


renamed = Flow(lambda: None)


def git(*arguments: str, cwd: Path) -> str:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *who, *arguments], cwd=cwd, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "etl.py").write_text("def f(): ...\n")
    git("init", cwd=folder)
    git("add", ".", cwd=folder)
    git("commit", "-m", "first", cwd=folder)
    return folder


def test_a_flow_of_a_module_is_found_again_by_module_and_variable() -> None:
    assert describe_source(plain).entrypoint == f"{__name__}:plain"
    assert describe_source(decorated).entrypoint == f"{__name__}:decorated"
    assert describe_source(decorated.fn).entrypoint == f"{__name__}:decorated"
    assert describe_source(renamed.fn).entrypoint == f"{__name__}:renamed"


def test_a_flow_of_a_script_is_found_again_by_file_and_variable(tmp_path: Path) -> None:
    file = tmp_path / "etl.py"
    file.write_text("def f(): ...\n")

    source = describe_source(load_script(str(file)).__dict__["f"])

    assert (source.entrypoint, source.source_file) == (f"{file}:f", str(file))
    assert (source.source, source.source_cut) == ("def f(): ...\n", False)


@pytest.mark.parametrize(
    ("arguments", "entrypoint"),
    [
        (["etl.py"], "{folder}/etl.py:f"),
        (["-m", "etl"], "etl:f"),
        (["-c", "import etl"], "etl:f"),
        (
            ["-c", "def f(): ...\nfrom nadi.engine.provenance import describe_source as d\nprint(d(f).entrypoint)"],
            "None",
        ),
    ],
)
def test_the_entrypoint_follows_how_the_program_was_started(
    arguments: list[str], entrypoint: str, tmp_path: Path
) -> None:
    (tmp_path / "etl.py").write_text(
        "def f(): ...\nfrom nadi.engine.provenance import describe_source as d\nprint(d(f).entrypoint)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(sys.modules[RunSource.__module__].__file__ or "").parents[2])}

    told = subprocess.run([sys.executable, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True)

    assert told.stdout.strip() == entrypoint.format(folder=tmp_path)


def test_a_flow_made_inside_a_function_cannot_be_loaded_again_and_says_so() -> None:
    @Flow
    def inner() -> None: ...

    source = describe_source(inner)

    assert source.entrypoint is None
    assert source.not_loadable.endswith("so it cannot be found there again.")
    assert source.source is not None


def test_a_flow_of_a_notebook_cannot_be_loaded_again_and_says_so() -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile("def cell(): ...", "<ipython-input-1>", "exec"), names)
    main = sys.modules["__main__"]
    sys.modules["__main__"] = type(sys)("__main__")
    try:
        source = describe_source(names["cell"])
    finally:
        sys.modules["__main__"] = main

    assert (source.entrypoint, source.source_file, source.source) == (None, None, None)
    assert "notebook" in source.not_loadable


def test_the_entrypoint_that_a_flow_was_loaded_by_is_kept() -> None:
    assert describe_source(plain, "flows.py:plain").entrypoint == "flows.py:plain"


def test_the_environment_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    source = describe_source(plain)

    assert source.working_folder == str(tmp_path)
    assert source.interpreter == sys.executable
    assert source.python_version == ".".join(map(str, sys.version_info[:3]))
    assert list(source.sys_path) == sys.path
    assert list(source.command_line) == sys.orig_argv
    assert source.host


def test_a_folder_that_was_deleted_under_the_process_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()

    assert describe_source(plain).working_folder == ""


def test_a_huge_source_file_is_cut_and_says_so(tmp_path: Path) -> None:
    file = tmp_path / "etl.py"
    file.write_text("def f(): ...\n#" + "é" * MOST_SOURCE_BYTES)

    source = describe_source(load_script(str(file)).__dict__["f"])

    assert source.source is not None
    assert source.source_cut
    assert 0 <= MOST_SOURCE_BYTES - len(source.source.encode()) < 4
    assert "\ufffd" not in source.source


def test_the_record_comes_back_from_json() -> None:
    source = complete_source(describe_source(plain))

    assert msgspec.json.decode(msgspec.json.encode(source), type=RunSource) == source


def test_a_path_that_is_no_text_can_be_recorded_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = os.path.join(os.fsencode(tmp_path), b"caf\xe9")
    os.mkdir(folder)
    monkeypatch.chdir(os.fsdecode(folder))

    source = describe_source(plain)

    assert source.working_folder == f"{tmp_path}/caf\\udce9"
    assert msgspec.json.encode(source)


# -- git -----------------------------------------------------------------------------------------


def test_the_commit_is_read_wherever_git_keeps_it(repository: Path, tmp_path: Path) -> None:
    commit = git("rev-parse", "HEAD", cwd=repository)
    folder = str(repository / "src")
    loose = read_git_commit(folder)

    git("pack-refs", "--all", cwd=repository)
    packed = read_git_commit(folder)
    git("worktree", "add", str(tmp_path / "linked"), "-b", "feature/x", cwd=repository)
    linked = read_git_commit(str(tmp_path / "linked" / "src"))
    git("checkout", "--detach", cwd=repository)
    detached = read_git_commit(folder)

    assert [loose, packed, linked, detached] == [commit] * 4


def test_outside_of_git_and_before_the_first_commit_there_is_none(tmp_path: Path) -> None:
    git("init", cwd=tmp_path)

    assert read_git_commit(str(tmp_path)) is None
    assert read_git_commit("/proc") is None


def test_a_damaged_repository_is_no_error(repository: Path) -> None:
    (repository / ".git" / "HEAD").write_bytes(b"\xff\xfe")

    assert read_git_commit(str(repository)) is None


def test_a_tree_is_dirty_once_a_file_is_changed_or_new(repository: Path) -> None:
    source = describe_source(load_script(str(repository / "src" / "etl.py")).__dict__["f"])
    clean = complete_source(source)

    (repository / "src" / "new.py").write_text("")

    assert source.git_commit == git("rev-parse", "HEAD", cwd=repository)
    assert source.git_dirty is None
    assert clean.git_dirty is False
    assert complete_source(source).git_dirty is True


def test_without_git_it_is_not_known_whether_the_tree_is_dirty(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = describe_source(load_script(str(repository / "src" / "etl.py")).__dict__["f"])
    monkeypatch.setenv("PATH", "/nonexistent")

    assert complete_source(source).git_dirty is None


# -- packages ------------------------------------------------------------------------------------


def test_installed_versions_are_those_that_pip_knows() -> None:
    packages = complete_source(describe_source(plain)).packages

    assert packages["msgspec"] == version("msgspec")
    assert packages["pytest"] == version("pytest")
