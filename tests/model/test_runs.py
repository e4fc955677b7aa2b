"""Values of what runs are made of."""

from __future__ import annotations

import math

import pytest

from nadi.model.runs import when


@pytest.mark.parametrize("seconds", [math.nan, math.inf, -math.inf, 1e300, -1e12])
def test_a_time_that_no_calendar_has_is_shown_as_none_and_keeps_no_list_from_being_shown(seconds: float) -> None:
    assert when(seconds) is None


def test_0_means_not_yet() -> None:
    assert when(0.0) is None
    assert when(None) is None
