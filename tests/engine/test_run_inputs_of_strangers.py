"""What other clients may record as a question."""

from __future__ import annotations

import pytest

from nadi.engine.run_inputs import asked_fields
from nadi.model.pauses import Pause


@pytest.mark.parametrize(
    "schema",
    [
        b'{"type":"object","properties":{"a":3}}',
        b'{"type":"object","properties":[]}',
        b"nonsense",
        b'{"$ref":"#/$defs/a","$defs":{}}',
    ],
)
def test_a_schema_that_no_engine_made_asks_for_a_plain_value(schema: bytes) -> None:
    (field,) = asked_fields(Pause(run="r", root="r", key="1", at=0.0, schema=schema))

    assert (field.name, field.required) == ("value", True)
