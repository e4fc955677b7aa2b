"""The examples run as they stand, and the demo does what it says, twice in one home."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def run(command: list[str], home: Path, *, patience: float = 50.0) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("NADI_")}
    # One thread for each fit: beside the other tests, more of them only stand in each other's way.
    environ |= {"HOME": str(home), "NADI_HOME": str(home / "nadi"), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=patience, check=False)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_as_it_stands(example: Path, tmp_path: Path) -> None:
    done = run([sys.executable, str(example)], tmp_path)

    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A home in which the demo ran, and what it printed."""
    pytest.importorskip("sklearn", reason="the demo needs scikit-learn, which `make test` installs")
    home = tmp_path_factory.mktemp("demo")
    return home, run([sys.executable, "examples/demo/run.py"], home, patience=200)


@pytest.mark.timeout(240)
def test_the_demo_is_killed_half_way_and_resumed_with_finished_work_kept(
    demo: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    _, done = demo

    assert done.returncode == 0, done.stdout + done.stderr
    kept = re.search(r"(\d+) finished tasks were kept, the other (\d+) ran. None ran twice.", done.stdout)
    assert kept is not None, done.stdout
    assert int(kept[1]) >= 30
    assert int(kept[2]) > 0


@pytest.mark.timeout(240)
def test_what_the_demo_prints_fits_eighty_columns(demo: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    home, done = demo

    # A path of the caller's may be of any length; those of the demo's own home are short.
    lines = done.stdout.replace(str(home / "nadi"), ".demo").splitlines()

    assert [line for line in lines if len(line) > 80] == []
    assert "\x1b" not in done.stdout


@pytest.mark.timeout(240)
def test_every_command_that_the_demo_prints_works_as_pasted(
    demo: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    home, done = demo
    # The last one serves until somebody ends it: tests/server has those that do.
    *commands, last = [line for line in done.stdout.splitlines() if line.startswith("NADI_HOME=")]

    pasted = [run(["sh", "-c", command], home) for command in commands]

    assert len(commands) == 5
    assert last.endswith(" server --open")
    assert [(one.returncode, one.stderr) for one in pasted if one.returncode != 0] == []
    assert all(shlex.split(command)[0].startswith("NADI_HOME=") for command in commands)


@pytest.mark.soak
@pytest.mark.timeout(240)
def test_the_demo_runs_again_in_the_same_home(demo: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    home, _ = demo

    again = run([sys.executable, "examples/demo/run.py"], home, patience=200)

    assert again.returncode == 0, again.stdout + again.stderr
    assert "3 of 3 data sets were prepared by an earlier demo, and taken from the cache." in " ".join(
        again.stdout.split()
    )


@pytest.mark.timeout(240)
def test_a_step_that_the_demo_has_done_is_not_computed_again_by_its_second_run(
    demo: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    _, done = demo

    told = " ".join(done.stdout.split())

    assert "prepare wine is Cached: the first run had done it, so it was not computed again." in told
    assert "by an earlier demo" not in told
