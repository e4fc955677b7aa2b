"""The pytest plugin: the fixture `nadi_store`, for one test or, by `nadi_autouse = true`, for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nadi.testing import Records, nadi_test_harness


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the setting."""
    parser.addini("nadi_autouse", "record the flow runs of every test in memory", type="bool", default=False)


@pytest.fixture
def nadi_store() -> Iterator[Records]:
    """Record the test's flow runs in memory; the value tells what was recorded."""
    with nadi_test_harness() as records:
        yield records


@pytest.fixture(autouse=True)
def _nadi_autouse(request: pytest.FixtureRequest) -> None:
    if request.config.getini("nadi_autouse"):
        request.getfixturevalue("nadi_store")
