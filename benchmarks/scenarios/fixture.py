"""What a test pays for an in-memory store of its own."""

from __future__ import annotations

import os
import tempfile

from benchmarks.figures import Figure, Size, in_turn, timed
from benchmarks.flows import in_a_row
from nadi.testing import nadi_test_harness

TIMES = {Size.FULL: 200, Size.QUICK: 50, Size.TINY: 3}


def measure(size: Size) -> list[Figure]:
    _enter_and_leave()
    ours, folder = in_turn(lambda: timed(_enter_and_leave), lambda: timed(_make_folder), TIMES[size])
    with nadi_test_harness():
        run = timed(lambda: in_a_row(1))
    return [
        Figure(
            what="fresh store for a test, made and let go",
            value=ours * 1e3,
            unit="ms",
            yardstick="a temporary folder, made and removed",
            beside=folder * 1e3,
            budget=5,
        ),
        Figure(what="one flow with one task in it", value=run * 1e3, unit="ms"),
    ]


def _enter_and_leave() -> None:
    with nadi_test_harness():
        pass


def _make_folder() -> None:
    with tempfile.TemporaryDirectory(dir=os.environ["NADI_HOME"]):
        pass
