"""Writes Nadi's own figures into the comparison of README.md, from what `make bench` measured.

To renew them: `make bench`, then `.venv/bin/python docs/figures.py`
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parent.parent
RESULTS = CHECKOUT / "benchmarks" / "results.json"
README = CHECKOUT / "README.md"

#: First cell of a row of the table, and Nadi's own cell: text in which `{name}` is the figure that FIGURES names.
ROWS = {
    "one flow with one task, whole process": "{hello}",
    "`import`": "{import}",
    "one task, called": "{task}, recorded included",
    "layered graph, 10 x 100 tasks, by `submit`": "{layered} a task, {threads} threads",
    "task runs not recorded": "{missing}",
    "packages installed": "{packages}",
}

#: Scenario, and the end or beginning of what was measured; of several sizes the last counts.
FIGURES = {
    "hello": ("hello", "one flow, one task, whole process"),
    "import": ("imports", "import nadi, over bare Python"),
    "task": ("sequential", "until all is in the store"),
    "layered": ("dag", "per task"),
    "threads": ("dag", "threads at the most"),
    "missing": ("complete", "task runs not recorded"),
    "packages": ("imports", "distributions in a base install"),
}


def main() -> int:
    """Rewrite the table; returns the exit status."""
    if not RESULTS.exists():
        print(f"{RESULTS.relative_to(CHECKOUT)} is not there. Run `make bench` first.", file=sys.stderr)
        return 1
    measured = json.loads(RESULTS.read_text(encoding="utf-8"))
    values = {name: value(measured, scenario, what) for name, (scenario, what) in FIGURES.items()}
    text = README.read_text(encoding="utf-8")
    for first, own in ROWS.items():
        row = re.compile(rf"^(\| {re.escape(first)} \| ).*?( \| .* \|)$", re.MULTILINE)
        text, found = row.subn(rf"\g<1>{own.format(**values)}\g<2>", text)
        if found != 1:
            print(f"README.md has {found} rows that begin with {first!r}, not one.", file=sys.stderr)
            return 1
    README.write_text(text, encoding="utf-8")
    return 0


def value(measured: dict[str, list[dict[str, object]]], scenario: str, what: str) -> str:
    """Return a figure as people write it."""
    figures = next(one["figures"] for one in measured["scenarios"] if one["scenario"] == scenario)
    assert isinstance(figures, list)
    figure = [one for one in figures if what in one["what"]][-1]
    number, unit = float(figure["value"]), str(figure["unit"])
    told = f"{number:.2g}" if number < 100 and unit else f"{number:,.0f}"
    return f"{told} {unit.replace('us', 'µs')}".rstrip()


if __name__ == "__main__":
    sys.exit(main())
