"""Draws docs/images/demo.svg from the newest run of `make demo`: what `nadi show` says of it, and when each task ran.

To renew the picture: `make demo`, then `.venv/bin/python docs/images/make.py`
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parent.parent.parent
NADI = Path(sys.executable).parent / "nadi"

WIDTH, MARGIN, LINE, LANE = 760, 24, 18, 16
#: Colours of what the picture distinguishes, readable on the dark ground of a terminal.
GROUND, TEXT, FAINT, GREEN, RED = "#14181f", "#d5dbe3", "#7d8896", "#7bd88f", "#ff6b6b"
TASKS = {
    "fetch": "#e6b450",
    "check": "#c792ea",
    "prepare": "#f07fb0",
    "evaluate": "#5fb3e8",
    "draw": "#7bd88f",
    "report": "#f78c6c",
}


def main() -> int:
    """Draw the picture; returns the exit status."""
    os.chdir(CHECKOUT)
    runs = json.loads(nadi("runs", "--flow", "compare-models", "--state", "completed", "--limit", "10", "--json"))
    resumed = [run["name"] for run in runs if run["attempt"] > 1]
    if not resumed:
        print("There is no completed run of the demo. Run `make demo` first.", file=sys.stderr)
        return 1
    name = resumed[0]
    picture = Path(__file__).parent / "demo.svg"
    picture.write_text(draw(nadi("show", name), json.loads(nadi("show", name, "--json"))), encoding="utf-8")
    print(picture.relative_to(CHECKOUT))
    return 0


def nadi(*arguments: str) -> str:
    """Return what a command prints about the demo's home."""
    environ = {**os.environ, "NADI_HOME": os.environ.get("NADI_HOME", ".demo"), "NO_COLOR": "1", "COLUMNS": "80"}
    done = subprocess.run([NADI, *arguments], env=environ, capture_output=True, text=True, check=True)
    return done.stdout


def draw(text: str, shown: Any) -> str:
    """Return the whole picture: what `nadi show` printed, and below it the timeline."""
    lines = ["$ nadi show " + shown["run"]["name"], *tidy(text)]
    top = 2 * MARGIN + len(lines) * LINE
    parts = [written(MARGIN, MARGIN + 14 + at * LINE, line, coloured=True) for at, line in enumerate(lines)]
    chart, height = timeline(shown, top)
    body = "\n".join([*parts, *chart])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        ' font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace" font-size="13">\n'
        f'<rect width="{WIDTH}" height="{height}" rx="10" fill="{GROUND}"/>\n{body}\n</svg>\n'
    )


def tidy(text: str) -> list[str]:
    """What `nadi show` printed, without the lines that name a place of this machine, cut where the picture ends."""
    text = text.replace(f"{CHECKOUT}{os.sep}", "")
    lines = [line for line in text.rstrip().splitlines() if not re.match(r"  (recorded in|parameters|id)\b", line)]
    return [line if len(line) <= 90 else line[:89] + "…" for line in lines]


def timeline(shown: Any, top: float) -> tuple[list[str], float]:
    """Bars for the task runs over time, on as few lines as they need; a red line where the process was killed."""
    tasks = sorted((task for task in shown["tasks"] if task["started"]), key=lambda task: str(task["started"]))
    start = min(moment(task["started"]) for task in tasks)
    end = max(moment(task["ended"]) for task in tasks)

    def x(at: float) -> float:
        return MARGIN + (at - start) / (end - start) * (WIDTH - 2 * MARGIN)

    lanes: list[float] = []
    bars = []
    for task in tasks:
        began, ended = moment(task["started"]), moment(task["ended"])
        lane = next((number for number, free in enumerate(lanes) if free <= began), len(lanes))
        lanes[lane:] = [ended, *lanes[lane + 1 :]]
        place = f'x="{x(began):.1f}" y="{top + 30 + lane * LANE}" width="{max(2.0, x(ended) - x(began)):.1f}"'
        bars.append(f'<rect {place} height="{LANE - 4}" rx="2" fill="{TASKS.get(task["task"], FAINT)}"/>')
    bottom = top + 30 + len(lanes) * LANE
    parts = [f'<path d="M{MARGIN} {top - 8}H{WIDTH - MARGIN}" stroke="{FAINT}" stroke-opacity=".4"/>', *bars]
    later = shown["attempts"][1:]
    if later:
        killed, resumed = x(last_sign_of_life(tasks, moment(later[0]["started"]))), x(moment(later[0]["started"]))
        parts.append(f'<path d="M{killed:.1f} {top + 24}V{bottom}" stroke="{RED}" stroke-width="2"/>')
        parts.append(f'<path d="M{resumed:.1f} {top + 24}V{bottom}" stroke="{GREEN}" stroke-width="2"/>')
        parts.append(written(killed - 4, top + 16, "kill -9", colour=RED, anchor="end"))
        parts.append(written(resumed + 4, top + 16, "nadi resume", colour=GREEN))
    at = float(MARGIN)
    for task_name, colour in TASKS.items():
        parts.append(f'<rect x="{at}" y="{bottom + 18}" width="10" height="10" rx="2" fill="{colour}"/>')
        parts.append(written(at + 16, bottom + 28, task_name, colour=FAINT))
        at += 16 + 8 * len(task_name) + 24
    parts.append(written(WIDTH - MARGIN, bottom + 28, f"{end - start:.0f} s", colour=FAINT, anchor="end"))
    return parts, bottom + 28 + MARGIN


def last_sign_of_life(tasks: list[Any], resumed: float) -> float:
    """Return when the last task ended before the run was resumed: about when it was killed."""
    return max(moment(task["ended"]) for task in tasks if moment(task["ended"]) < resumed)


def moment(text: str) -> float:
    """Return a time of the JSON as seconds."""
    return datetime.fromisoformat(text).timestamp()


def written(x: float, y: float, text: str, *, colour: str = TEXT, anchor: str = "start", coloured: bool = False) -> str:
    """Return a line of text; with `coloured`, names of states in their colours."""
    shown = escape(text)
    if coloured:
        colour = FAINT if text.startswith("$ ") else TEXT
        shown = re.sub(r"\b(Completed)\b", rf'<tspan fill="{GREEN}">\1</tspan>', shown)
        shown = re.sub(r"\b(Crashed)\b", rf'<tspan fill="{RED}">\1</tspan>', shown)
    return f'<text x="{x:g}" y="{y:g}" fill="{colour}" text-anchor="{anchor}" xml:space="preserve">{shown}</text>'


if __name__ == "__main__":
    sys.exit(main())
