from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SRC = str(Path(__file__).parents[2] / "src")

TESTS = """
from nadi import flow, task

@task
def double(n):
    return 2 * n

@flow
def work():
    return double.map([1, 2]).result()

def test_with_the_fixture(nadi_store):
    assert work() == [2, 4]
    assert [run.task for run in nadi_store.task_runs()] == ["double", "double"]

def test_with_a_store_of_its_own(nadi_store):
    assert nadi_store.flow_runs() == []

def test_without_the_fixture():
    assert work() == [2, 4]
"""


def run_pytest(folder: Path, settings: str = "") -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(TESTS, encoding="utf-8")
    (folder / "pytest.ini").write_text(f"[pytest]\n{settings}\n", encoding="utf-8")
    environ = {**os.environ, "NADI_HOME": str(folder / "home"), "PYTHONPATH": SRC}
    # Where the package is installed pytest finds the plugin by itself; not twice.
    plugin = ["-p", "no:nadi", "-p", "nadi.testing.plugin"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin, "test_it.py"],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )


def test_the_fixture_gives_a_store_to_the_test_that_asks_for_it(tmp_path: Path) -> None:
    done = run_pytest(tmp_path)

    assert "3 passed" in done.stdout, done.stdout + done.stderr
    assert (tmp_path / "home" / "nadi.db").exists()


def test_one_setting_gives_a_store_to_every_test(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, "nadi_autouse = true")

    assert "3 passed" in done.stdout, done.stdout + done.stderr
    assert not (tmp_path / "home").exists()
