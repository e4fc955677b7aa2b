"""Installing the peers, each into an environment of its own below `.cache/`."""

from __future__ import annotations

import subprocess
import sys
import venv
from importlib.metadata import distributions
from pathlib import Path

from benchmarks.processes import ROOT

FOLDER = ROOT / ".cache" / "peers"

#: Releases that were tried with these programs. Prefect 3.8.8, which pip takes where a requirement of 3.9.1 cannot
#: be met, does not start with the FastAPI that it then gets.
PREFECT, DBOS = "3.9.1", "3.4.0"


def python_of(name: str) -> Path:
    """The Python of a peer's environment."""
    return FOLDER / name / "bin" / "python"


def install_dbos() -> str:
    """Install DBOS unless it is there; returns what a reader should know of the installation."""
    if not _begin("dbos", f"DBOS {DBOS}"):
        _pip("dbos", f"dbos=={DBOS}")
    return f"DBOS {_version('dbos')}, {_count('dbos')} distributions, on SQLite"


def install_prefect() -> str:
    """Install Prefect unless it is there; returns what a reader should know of the installation."""
    note = ""
    if not _begin("prefect", f"Prefect {PREFECT}") and not _try_pip("prefect", f"prefect=={PREFECT}"):
        # Its lowest certifi is newer than some indexes have. That is a bundle of certificates, and nothing here
        # speaks TLS: the release with all its requirements but this one is what most people run.
        _pip("prefect", "--no-deps", f"prefect=={PREFECT}")
        _pip("prefect", *_without_lowest(_requirements("prefect"), "certifi"))
    if subprocess.run([python_of("prefect"), "-m", "pip", "check"], capture_output=True).returncode != 0:
        note = ", with the newest certifi at hand, older than it asks for"
    return f"Prefect {_version('prefect')}, {_count('prefect')} distributions, server on SQLite{note}"


def _begin(name: str, told: str) -> bool:
    if python_of(name).exists() and _version(name):
        return True
    print(f"Installing {told} ...", flush=True)
    venv.create(FOLDER / name, with_pip=True, clear=True)
    return False


def _pip(name: str, *words: str) -> None:
    if not _try_pip(name, *words):
        sys.exit(f"pip could not install {words[-1]}. Try it by hand: {python_of(name)} -m pip install {words[-1]}")


def _try_pip(name: str, *words: str) -> bool:
    command = [str(python_of(name)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *words]
    return subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0


def _sites(name: str) -> list[str]:
    return [str(path) for path in (FOLDER / name / "lib").glob("python*/site-packages")]


def _version(name: str) -> str:
    return next((one.version for one in distributions(path=_sites(name)) if one.name.lower() == name), "")


def _count(name: str) -> int:
    return sum(1 for one in distributions(path=_sites(name)) if one.name not in ("pip", "setuptools"))


def _requirements(name: str) -> list[str]:
    found = next(one for one in distributions(path=_sites(name)) if one.name.lower() == name)
    return [line for line in found.requires or () if "extra ==" not in line]


def _without_lowest(lines: list[str], name: str) -> list[str]:
    return [name if line.startswith(name) else line for line in lines]
