"""The project of examples/ci: the commands of its workflow files run as they stand, in a checkout of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
EXAMPLE = ROOT / "examples" / "ci"
WORKFLOWS = [".github/workflows/flows.yml", ".gitlab-ci.yml"]
#: A step of a workflow: what GitHub runs stands behind `run:`, what GitLab runs below `script:`.
STEP = re.compile(r"^ +- (?:run: )?((?:nadi|python) .*)$", re.MULTILINE)


def steps(workflow: str) -> list[str]:
    """The commands of a workflow file, in order, without those that install."""
    found = STEP.findall((EXAMPLE / workflow).read_text(encoding="utf-8"))
    return [command for command in found if " pip install " not in command]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The example as a repository of its own, which its nadi.toml names."""
    folder = tmp_path / "flows"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__", ".*cache"))
    file = folder / "nadi.toml"
    told = file.read_text(encoding="utf-8")
    assert "https://git.example.org/you/flows.git" in told
    file.write_text(told.replace("https://git.example.org/you/flows.git", folder.as_uri()), encoding="utf-8")
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "one"]):
        subprocess.run(["git", *who, "-C", str(folder), *words], check=True, capture_output=True)
    return folder


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("NADI_", "GIT_"))}
    path = os.pathsep.join([str(Path(sys.executable).parent), environ["PATH"]])
    environ |= {"NADI_HOME": str(folder.parent / "home"), "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        ["sh", "-c", command], cwd=folder, env=environ, capture_output=True, text=True, timeout=50, check=False
    )


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_every_command_of_a_workflow_file_works_as_it_stands(workflow: str, checkout: Path) -> None:
    commands = steps(workflow)

    done = [run(command, checkout) for command in commands]

    assert commands == ["nadi check --here", "python -m pytest -q tests", "nadi deploy --dry-run", "nadi deploy"]
    assert [(one.returncode, one.stderr) for one in done] == [(0, "")] * 4
    assert done[3].stdout.endswith("word-count is at version 1, word-count-nightly is at version 1.\n")
    listed = json.loads(run("nadi deployments --json", checkout).stdout)
    commit = subprocess.run(
        ["git", "-C", str(checkout), "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    )
    assert [one["git_commit"] for one in listed] == [commit.stdout.strip()] * 2


def test_a_change_that_breaks_a_deployment_fails_the_check_before_it_is_merged(checkout: Path) -> None:
    file = checkout / "flows" / "words.py"
    file.write_text(file.read_text(encoding="utf-8").replace("least: int = 1", "minimum: int = 1"), encoding="utf-8")

    done = run("nadi check --here", checkout)

    assert done.returncode == 2
    assert "has no parameter 'least'" in done.stdout
