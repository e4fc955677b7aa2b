"""Measuring one scenario: several goes, each in a fresh process with a home of its own."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import msgspec

from benchmarks.figures import Figure, Size, decode, encode, median_of
from benchmarks.machine import OthersShare
from benchmarks.processes import ROOT, fresh_home


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a scenario."""

    scenario: str
    figures: list[Figure]
    #: What other processes took meanwhile, in percent of one core; `None` where the system does not tell.
    others: float | None
    #: Why there are no figures; "" when there are.
    failed: str = ""


def measure(scenario: str, size: Size, goes: int, pycache: str) -> Outcome:
    """Measure a scenario; one that fails is told of, and the others go on."""
    others = OthersShare()
    found: list[list[Figure]] = []
    try:
        for _ in range(goes):
            found.append(once(scenario, size, pycache))
    except RuntimeError as error:
        return Outcome(scenario=scenario, figures=[], others=others.percent(), failed=str(error))
    return Outcome(scenario=scenario, figures=median_of(found), others=others.percent())


def once(scenario: str, size: Size, pycache: str) -> list[Figure]:
    """Run a scenario once, in a fresh process.

    Raises:
        RuntimeError: it did not get to its end.
    """
    with fresh_home() as env:
        env["PYTHONPYCACHEPREFIX"] = pycache
        # Only what goes wrong: a line on the console for each run is no part of what is measured.
        env["NADI_LOG_LEVEL"] = "WARNING"
        command = [sys.executable, "-m", __name__, scenario, size]
        done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.decode(errors="replace").strip().rpartition("\n")[2])
    return decode(done.stdout)


if __name__ == "__main__":
    module = import_module(f"benchmarks.scenarios.{sys.argv[1]}")
    sys.stdout.buffer.write(encode(module.measure(Size(sys.argv[2]))))
