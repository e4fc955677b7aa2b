"""`nadi migrate`: shows first, writes whole files, lists what it leaves; and what it wrote runs."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from nadi.migrating.files import migrate
from tests.cli.conftest import Nadi
from tests.journeys.places import Place
from tests.migrating.programs import DECLARED, SECOND, THIRD

SMALL = "from prefect import flow, get_client\n\n\n@flow\ndef f():\n    return 1\n"


def test_the_changes_are_shown_and_nothing_is_written(nadi: Nadi, tmp_path: Path) -> None:
    file = tmp_path / "flow.py"
    file.write_text(SMALL)

    said = nadi("migrate", str(file))

    assert said.status == 1
    assert "-from prefect import flow, get_client\n" in said.out
    assert "+from nadi import flow\n+from prefect import get_client\n" in said.out
    assert f"{file}:1: prefect.get_client: there is no server to ask" in said.out
    assert "1 file would be rewritten, 1 thing left for you. Nothing was written yet: add --write." in said.out
    assert file.read_text() == SMALL


def test_files_are_written_when_asked_and_keep_their_mode(nadi: Nadi, tmp_path: Path) -> None:
    file = tmp_path / "flow.py"
    file.write_text(SMALL)
    file.chmod(0o750)

    said = nadi("migrate", str(file), "--write", "--no-diff")

    assert said.status == 1  # something is left
    assert f"{file}:2: prefect.get_client" in said.out, "lines are those of the file as it is now"
    assert "+from nadi" not in said.out
    assert file.read_text() == SMALL.replace("flow, get_client", "get_client").replace(
        "from prefect", "from nadi import flow\nfrom prefect", 1
    )
    assert stat.S_IMODE(file.stat().st_mode) == 0o750
    assert list(tmp_path.glob("*flow*")) == [file]


def test_a_folder_is_rewritten_with_what_lies_below_it(nadi: Nadi, tmp_path: Path) -> None:
    project = tmp_path / "project"
    for place in ("a.py", "deep/b.py", ".hidden/c.py", "env/d.py", "notes.txt"):
        (project / place).parent.mkdir(parents=True, exist_ok=True)
        (project / place).write_text("from prefect import flow\n")
    (project / "env" / "pyvenv.cfg").touch()

    said = nadi("migrate", str(project), "--write")
    again = nadi("migrate", str(project))

    written = {str(path.relative_to(project)) for path in project.rglob("*.py") if "nadi" in path.read_text()}
    assert (said.status, again.status) == (0, 0)
    assert written == {"a.py", "deep/b.py"}
    assert again.out.startswith("Nothing to do")


def test_a_file_that_is_no_python_is_passed_over_with_a_sentence(nadi: Nadi, tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("from prefect import (\n")
    (tmp_path / "good.py").write_text("from prefect import flow\n")

    said = nadi("migrate", str(tmp_path), "--write", "--no-diff")

    assert said.status == 1
    assert f"{tmp_path}/bad.py: It cannot be read as Python: line 1" in said.out
    assert (tmp_path / "good.py").read_text() == "from nadi import flow\n"


def test_a_notebook_is_passed_over_with_a_sentence(nadi: Nadi, tmp_path: Path) -> None:
    (tmp_path / "notes.ipynb").write_text('{"cells": [{"source": ["from prefect import flow"]}]}')

    said = nadi("migrate", str(tmp_path / "notes.ipynb"))

    assert said.status == 1
    assert "It is a notebook: save it as a Python file" in said.out


def test_a_link_stays_a_link(nadi: Nadi, tmp_path: Path) -> None:
    real = tmp_path / "real.txt"
    real.write_text("from prefect import flow\n")
    (tmp_path / "link.py").symlink_to(real)

    nadi("migrate", str(tmp_path / "link.py"), "--write")

    assert (tmp_path / "link.py").is_symlink()
    assert real.read_text() == "from nadi import flow\n"


def test_a_file_that_cannot_be_written_is_said_and_left_whole(nadi: Nadi, tmp_path: Path) -> None:
    file = tmp_path / "flow.py"
    file.write_text("from prefect import flow\n")
    (tmp_path / f".flow.py.{os.getpid()}.nadi").mkdir()

    said = nadi("migrate", str(file), "--write")

    assert said.status == 1
    assert f"{file}: It cannot be written: File exists." in said.out
    assert file.read_text() == "from prefect import flow\n"


def test_a_path_that_is_not_there_is_a_wrong_call(nadi: Nadi) -> None:
    assert nadi("migrate", "nowhere").status == 2


def test_without_the_extra_one_sentence_says_what_to_install(
    nadi: Nadi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in [name for name in sys.modules if name.partition(".")[0] == "libcst" or "migrating.r" in name]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.delitem(sys.modules, "nadi.migrating.definitions", raising=False)
    monkeypatch.setitem(sys.modules, "libcst", None)
    (tmp_path / "flow.py").write_text(SMALL)

    said = nadi("migrate", str(tmp_path))

    assert said.status == 2
    assert said.err == (
        "Error: `nadi migrate` needs libcst, which is not installed. Install it with: pip install 'nadi[migrate]'\n"
    )


@pytest.mark.parametrize(
    ("program", "told"),
    [(DECLARED, "archived tidy"), (SECOND, "19 12"), (THIRD, "3 None")],
    ids=["first", "second", "third"],
)
def test_a_rewritten_program_of_each_generation_runs(program: str, told: str, place: Place) -> None:
    script = place.script(program, "orders.py")
    (migrated,) = migrate(script)
    migrated.write()

    done = place.run(script)

    assert migrated.left == []
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == told
