"""What the journeys stand on: nothing of a test outlives it, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.journeys.places import Place


def test_what_a_test_started_ends_with_its_place_although_it_stands_still_and_the_test_failed(tmp_path: Path) -> None:
    def a_test_that_fails(place: Place) -> None:
        started.append(place.start("-c", "import time; print('here', flush=True); time.sleep(60)"))
        assert started[0].stdout is not None
        started[0].stdout.readline()
        os.kill(started[0].pid, signal.SIGSTOP)
        raise AssertionError("the test failed")

    started: list[subprocess.Popen[str]] = []
    with pytest.raises(AssertionError, match="the test failed"), Place(tmp_path) as place:
        a_test_that_fails(place)

    [process] = started
    assert process.returncode == -signal.SIGKILL
    assert process.stdout is not None
    assert process.stdout.closed
