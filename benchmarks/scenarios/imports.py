"""What `import nadi` costs over a bare start of Python, and what an installation brings along."""

from __future__ import annotations

import os
import re
import sys
from importlib.metadata import PackageNotFoundError, requires

from benchmarks.figures import Figure, Size, in_turn
from benchmarks.processes import bare_start, environment, run_seconds, user_python

STARTS = {Size.FULL: 15, Size.QUICK: 7, Size.TINY: 1}


def measure(size: Size) -> list[Figure]:
    env = environment(os.environ["NADI_HOME"])
    command = [user_python(size), "-c", "import nadi"]
    run_seconds(command, env)  # compiled code is kept from here on
    ours, bare = in_turn(lambda: run_seconds(command, env), lambda: bare_start(env, size), STARTS[size])
    return [
        Figure(
            what="import nadi, over bare Python",
            value=(ours - bare) * 1e3,
            unit="ms",
            yardstick="whole process, python -c pass",
            beside=bare * 1e3,
            budget=60,
        ),
        Figure(what="distributions in a base install", value=len(base_install()), unit="", budget=25),
    ]


def base_install() -> set[str]:
    """Names of the distributions that `pip install nadi` brings, itself included, on this system."""
    found: set[str] = set()
    asked = declared_requirements()
    while asked:
        name = _canonical(asked.pop())
        if name not in found:
            found.add(name)
            asked += _required_by(name)
    return found | {"nadi"}


def declared_requirements() -> list[str]:
    """The requirements in pyproject.toml, which hold whether Nadi is installed here or not."""
    import tomllib

    from benchmarks.processes import ROOT

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [_bare(line) for line in project["dependencies"] if _applies(line)]


def _required_by(name: str) -> list[str]:
    try:
        return [_bare(line) for line in requires(name) or () if _applies(line)]
    except PackageNotFoundError:
        return []


def _applies(line: str) -> bool:
    # Extras are not installed; of the other conditions, those on the system matter, and ours is not Windows.
    condition = line.partition(";")[2]
    if "extra ==" in condition or "extra==" in condition:
        return False
    if "win32" in condition or "Windows" in condition:
        return False
    version = re.search(r"python_version\s*<\s*[\"']3\.(\d+)", condition)
    return version is None or sys.version_info < (3, int(version[1]))


def _bare(line: str) -> str:
    return re.split(r"[\s;\[<>=!~(]", line.strip(), maxsplit=1)[0]


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
