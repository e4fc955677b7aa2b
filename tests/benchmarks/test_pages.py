"""The measurement of the pages, small: that it measures all that it says, in a real browser."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from benchmarks.page_scenes import Sample
from benchmarks.pages import MOTIONS, PARTS, TABS, frame_times, growth, places
from benchmarks.processes import ROOT
from benchmarks.seeding import seed
from nadi.server.static import PLACES
from nadi.storage.memory import MemoryStore
from tests.storage.telling import T0

ROWS = {
    "opening": [f"{part}, {how}" for how in ("from the click", "cold") for part in PARTS],
    "moving": [*MOTIONS, *(f"{what}: its slowest second" for what in MOTIONS)],
    "arriving": ["a log line", "the end of a task run", "a new run in the list"],
    "lasting": ["held by scripts at the end", "nodes of the document at the end"],
    "painting": [f"/runs/RUN/{tab}: first paint" for tab in TABS],
}


#: Sections that need a dozen pages or more, each in a browser that has loaded nothing.
LONG = ("opening", "moving", "painting")


@pytest.mark.parametrize("section", [pytest.param(one, marks=pytest.mark.soak if one in LONG else ()) for one in ROWS])
def test_each_section_has_all_its_rows_and_a_number_in_each(section: str, tmp_path: Path) -> None:
    # In a process of its own: a browser may be open in this one.
    into = tmp_path / "figures.json"
    command = [sys.executable, "-m", "benchmarks.pages", "--quick", "--only", section, "--json", str(into)]
    env = {**os.environ, "NADI_HOME": str(tmp_path / "homes")}

    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=50)

    assert done.returncode == 0, done.stderr
    (outcome,) = _json(into)["scenarios"]
    assert outcome["failed"] == ""
    figures = {figure["what"]: figure["value"] for figure in outcome["figures"]}
    assert set(ROWS[section]) <= set(figures)
    assert all(math.isfinite(value) for value in figures.values())
    assert all(what in done.stdout for what in figures)


def test_every_place_of_the_pages_is_painted() -> None:
    paths = places(seed(MemoryStore(), task_runs=1000, until=T0)).values()

    assert {path.strip("/").partition("/")[0].partition("?")[0].encode() for path in paths} == PLACES | {b""}


def test_frames_are_told_by_their_mean_the_slowest_second_and_the_longest_one() -> None:
    smooth = [n * 20.0 for n in range(51)]
    slow = [1000.0 + n * 100.0 for n in range(1, 11)]

    mean, slowest, longest = frame_times([*smooth, *slow, 2020.0])

    assert mean == pytest.approx(2020 / 61)
    assert (slowest, longest) == (100.0, 100.0)


def test_growth_is_between_the_medians_of_the_first_and_the_last_looks() -> None:
    heaps = [10, 90, 10, 30, 30, 30, 12, 12, 99]

    figures = {one.what: one.value for one in growth([Sample(n * 60.0, mb * 10**6, mb) for n, mb in enumerate(heaps)])}

    assert figures["growth over 8 minutes"] == 2.0
    assert figures["held by scripts at the end"] == 12.0


def _json(file: Path) -> Any:
    return msgspec.json.decode(file.read_bytes())
