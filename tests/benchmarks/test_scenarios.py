from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.figures import Figure, Size, median_of
from benchmarks.measuring import Outcome, once
from benchmarks.scenarios import GOES


@pytest.mark.parametrize("scenario", GOES)
def test_every_scenario_measures_something_and_loses_no_task_run(
    scenario: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NADI_HOME", str(tmp_path))

    figures = once(scenario, Size.TINY, str(tmp_path / "code"))

    assert figures
    assert [figure.what for figure in figures if figure.budget == 0 and not figure.met] == []


def test_several_goes_become_their_median_and_the_median_of_their_ratios() -> None:
    goes = [
        [Figure(what="a call", value=value, unit="us", yardstick="bare", beside=beside)]
        for value, beside in ((10, 1), (40, 2), (30, 30))
    ]

    (figure,) = median_of(goes)

    assert (figure.value, figure.beside, figure.ratio, figure.least, figure.most) == (30, 2, 10, 10, 40)


def test_a_figure_over_its_budget_is_told_and_fails_nothing() -> None:
    over = Figure(what="a call", value=50, unit="us", budget=40)

    told = report.section(Outcome(scenario="calls", figures=[over], others=12.0))

    assert "<= 40 us over" in told
    assert "others 12 %" in told


def test_no_line_of_the_table_is_wider_than_a_terminal() -> None:
    wide = Figure(what="x" * 40, value=123_456, unit="us", yardstick="y" * 40, beside=1.5, ratio=1000.0, budget=99_999)

    told = report.section(Outcome(scenario="wide", figures=[wide], others=200.0))

    assert max(len(line) for line in told.splitlines()) <= report.WIDTH
