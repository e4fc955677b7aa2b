"""The stores that services of schedules run on, and a time that tests move."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nadi.storage.contract import Store
from tests.services.timetable import Timetable
from tests.storage.conftest import STORES


@pytest.fixture(params=[name for name in STORES if name != "http"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Each store that a scheduler works on: one over HTTP has the scheduler of its server."""
    made = STORES[request.param](tmp_path)
    yield made
    made.close()


@pytest.fixture
def timetable(store: Store, tmp_path: Path) -> Timetable:
    return Timetable(store, tmp_path)
