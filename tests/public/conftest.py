from __future__ import annotations

from collections.abc import Iterator

import pytest

from nadi.testing import Records, nadi_test_harness


@pytest.fixture
def records() -> Iterator[Records]:
    with nadi_test_harness() as records:
        yield records
