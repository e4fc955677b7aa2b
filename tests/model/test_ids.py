from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from nadi.model.ids import uuid7

TIMES = st.floats(1.6e9, 4e9)


@given(TIMES, st.integers(0, 2**74 - 1))
def test_an_id_is_a_uuid_of_version_7_that_tells_its_time(at: float, randomness: int) -> None:
    made = uuid.UUID(uuid7(at, randomness))

    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == int(at * 1000)


@given(TIMES, st.floats(0.001, 1e6), st.integers(0, 2**74 - 1), st.integers(0, 2**74 - 1))
def test_ids_sort_by_the_time_they_were_made(at: float, later: float, one: int, other: int) -> None:
    assert uuid7(at, one) < uuid7(at + later + 0.001, other)
