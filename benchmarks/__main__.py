"""`python -m benchmarks`: measure what Nadi costs, and print it beside yardsticks and budgets.

Budgets are printed, never asserted: a busy machine fails nobody's build.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks import machine, report
from benchmarks.figures import Size
from benchmarks.measuring import Outcome, measure
from benchmarks.processes import ROOT
from benchmarks.scenarios import GOES

RESULTS = ROOT / "benchmarks" / "results.json"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(GOES), metavar="SCENARIO", help=", ".join(GOES))
    parser.add_argument("--quick", action="store_true", help="smaller, and each scenario once")
    parser.add_argument("--json", type=Path, metavar="FILE", help=f"default, of a whole measurement: {RESULTS.name}")
    asked = parser.parse_args()
    size = Size.QUICK if asked.quick else Size.FULL
    described = machine.describe()
    print(report.headline(described), flush=True)
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="bench-code-") as pycache:
        for scenario in asked.only or GOES:
            goes = GOES[scenario] if size is Size.FULL else 1
            outcomes.append(measure(scenario, size, goes, pycache))
            print(f"\n{report.section(outcomes[-1])}", flush=True)
    whole = size is Size.FULL and asked.only is None
    into = asked.json or (RESULTS if whole else None)
    if into is not None:
        into.write_bytes(report.document(described, outcomes, size))
        print(f"\nWritten to {into}")


if __name__ == "__main__":
    main()
