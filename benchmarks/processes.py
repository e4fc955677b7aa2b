"""Processes of their own: each measured thing starts afresh, in a home that nothing else uses."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.figures import Size, timed

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def fresh_home() -> Iterator[dict[str, str]]:
    """An environment with an empty home, beside the caller's own home so that it lies on the same disk."""
    parent = os.environ.get("NADI_HOME")
    if parent is not None:
        os.makedirs(parent, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=parent) as home:
        yield environment(home)


def environment(home: str) -> dict[str, str]:
    """The environment of a measured process: no other settings of ours, and compiled code that may be kept."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("NADI_")}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    env["PYTHONPATH"] = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    env["NADI_HOME"] = home
    return env


@functools.cache
def user_python(size: Size) -> str:
    """A Python that has what `pip install nadi` brings and nothing else, as a user's has.

    Beside the tools that tests need, msgspec finds `typing_extensions` and loads it, which alone costs 10 ms.
    Made once, in .cache; a tiny measurement is content with the Python that runs it.
    """
    if size is Size.TINY:
        return sys.executable
    folder = ROOT / ".cache" / "bench-base"
    python = folder / "bin" / "python"
    ready = folder / "ready"
    if not ready.exists() or ready.stat().st_mtime < (ROOT / "pyproject.toml").stat().st_mtime:
        asked = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pins = str(ROOT / "requirements" / "constraints.txt")
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--constraint", pins]
        subprocess.run([*pip, *asked], check=True)
        ready.touch()
    return str(python)


def run_seconds(command: Sequence[str], env: dict[str, str], *, folder: str | None = None) -> float:
    """Seconds that a whole process takes, from start to end.

    Raises:
        RuntimeError: it did not end with 0; the message has what it wrote.
    """

    def run() -> None:
        done = subprocess.run(command, env=env, cwd=folder or env["NADI_HOME"], capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-2000:]}")

    return timed(run)


def bare_start(env: dict[str, str], size: Size) -> float:
    """Seconds of a Python that does nothing."""
    return run_seconds([user_python(size), "-c", "pass"], env)
