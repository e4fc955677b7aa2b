"""From a JSON Schema back to a `Kind`: for input whose type is only known elsewhere, such as what a paused run asks.

It understands what the schemas of kinds say, and what pydantic says of models; words that it does not know ask for
nothing. Values come out as JSON has them: a date stays the text that it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

import msgspec

from nadi.model.parameters.containers import Series, Table
from nadi.model.parameters.kind import Anything, Definitions, Kind, Mismatch
from nadi.model.parameters.names import close_match
from nadi.model.parameters.records import Field
from nadi.model.parameters.scalars import BOOLEAN, FLOAT, INTEGER, NONE, SCALARS, TEXT, Choice
from nadi.model.parameters.times import TIMES
from nadi.model.parameters.unions import Later, Limited, Union

_ANYTHING = Anything()
_SIMPLE: dict[str, Kind] = {
    "integer": INTEGER,
    "number": FLOAT,
    "string": TEXT,
    "boolean": BOOLEAN,
    "null": NONE,
}
_FORMATS: dict[str, type] = {"date-time": datetime, "date": date, "time": time, "duration": timedelta}
#: Keyword of JSON Schema -> the same limit in msgspec.Meta.
_LIMITS = {
    "minimum": "ge",
    "exclusiveMinimum": "gt",
    "maximum": "le",
    "exclusiveMaximum": "lt",
    "multipleOf": "multiple_of",
    "pattern": "pattern",
    "minLength": "min_length",
    "maxLength": "max_length",
    "minItems": "min_length",
    "maxItems": "max_length",
    "minProperties": "min_length",
    "maxProperties": "max_length",
}


class Written(Kind):
    """Text that another kind can read, kept as it was written."""

    def __init__(self, inner: Kind) -> None:
        self.inner = inner
        self.name, self.expects = inner.name, inner.expects

    def convert(self, value: Any) -> Any:
        if not isinstance(value, str):
            raise self.mismatch(value)
        self.inner.convert(value)
        return value


class Fields(Kind):
    """An object with named fields; the fields that are not given are left to whoever takes it."""

    structured = True

    def __init__(self, title: str, fields: Callable[[], list[Field]], *, closed: bool) -> None:
        self.name = title or "object"
        self.closed = closed
        self._fields = fields
        self.expects = f"a dict of the fields of {title}" if title else "a dict"

    @property
    def fields(self) -> dict[str, Field]:
        return {field.name: field for field in self._fields()}

    def convert(self, value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise self.mismatch(value)
        fields = self.fields
        for key in value:
            if self.closed and key not in fields:
                known = ", ".join(fields) or "none"
                raise Mismatch(f"a field of it ({known})", f"the unknown field {key!r}{close_match(str(key), fields)}")
        missing = [field.name for field in fields.values() if field.required and field.name not in value]
        if missing:
            given = f"only {', '.join(map(repr, value))}" if value else "none"
            raise Mismatch(f"the field{'s' * (len(missing) > 1)} {', '.join(map(repr, missing))}", given)
        return {key: self._converted(fields.get(key), key, item) for key, item in value.items()}

    def _converted(self, field: Field | None, key: str, item: Any) -> Any:
        try:
            return item if field is None else field.kind.convert(item)
        except Mismatch as mismatch:
            raise mismatch.inside(f".{key}") from None


def kind_of_schema(schema: Any) -> Kind:
    """Return what a JSON Schema asks for."""
    definitions = schema.get("$defs", {}) if isinstance(schema, dict) else {}
    return _Reader(definitions).kind(schema)


def schema_of_kind(kind: Kind) -> dict[str, Any]:
    """Return the JSON Schema of a kind, as a document of its own."""
    definitions = Definitions()
    schema = kind.schema(definitions)
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    rest = dict(definitions.schemas)
    if name in rest and not _mentions(definitions.schemas, f"#/$defs/{name}"):
        schema = rest.pop(name)
    return {**schema, **({"$defs": rest} if rest else {})}


def _mentions(value: Any, reference: str) -> bool:
    if isinstance(value, dict):
        return any(item == reference or _mentions(item, reference) for item in value.values())
    return isinstance(value, list) and any(_mentions(item, reference) for item in value)


class _Reader:
    """Reads the schemas of one document."""

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self.definitions = definitions

    def kind(self, schema: Any) -> Kind:
        if not isinstance(schema, dict) or not schema:
            return _ANYTHING
        if "$ref" in schema:
            name = str(schema["$ref"]).rpartition("/")[2]
            return Later(name, lambda: self.kind(self.definitions.get(name)))
        base = self._base(schema)
        limits = {_LIMITS[word]: limit for word, limit in schema.items() if word in _LIMITS}
        if not limits or base.anything:
            return base
        try:
            return Limited(base, (msgspec.Meta(**limits),))
        except (TypeError, ValueError):  # limits that exclude each other: whoever takes the value judges it
            return base

    def _base(self, schema: dict[str, Any]) -> Kind:
        if "enum" in schema or "const" in schema:
            choices = tuple(schema.get("enum", (schema.get("const"),)))
            return Choice(choices, [SCALARS.get(type(choice), _ANYTHING) for choice in choices])
        for word in ("anyOf", "oneOf"):
            if word in schema:
                return Union([self.kind(member) for member in schema[word]])
        if len(schema.get("allOf", ())) == 1:
            return self.kind(schema["allOf"][0])
        kind = schema.get("type")
        if isinstance(kind, list):
            return Union([self.kind({**schema, "type": one}) for one in kind])
        if kind == "array":
            return Series(list, list, "a list", self.kind(schema.get("items")))
        if kind == "object" or "properties" in schema:
            return self._object(schema)
        if kind == "string" and schema.get("format") in _FORMATS:
            return Written(TIMES[_FORMATS[schema["format"]]])
        return _SIMPLE.get(str(kind), _ANYTHING)

    def _object(self, schema: dict[str, Any]) -> Kind:
        more = schema.get("additionalProperties")
        if "properties" not in schema:
            return Table(dict, dict, TEXT, self.kind(more))

        def fields() -> list[Field]:
            required = schema.get("required", ())
            return [
                Field(name, name, self.kind(asked), name in required, asked.get("default", msgspec.UNSET))
                for name, asked in schema["properties"].items()
            ]

        return Fields(str(schema.get("title", "")), fields, closed=more is False)


__all__ = ["Fields", "kind_of_schema", "schema_of_kind"]
