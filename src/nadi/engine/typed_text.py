"""Parameters from the text that a person types, read by the JSON Schema of a flow whose code is elsewhere.

Where the flow is loaded, `Parameters.from_text` reads by its types; here only what JSON has is told apart. The flow
converts and checks all of it again as it begins.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from nadi.exceptions import ParameterBindError, ParameterTypeError
from nadi.model.parameters.names import close_match
from nadi.model.text import safe_repr

#: How the types of a schema are told to people.
_TOLD = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
    "string": "text",
    "array": "a JSON list",
    "object": "a JSON object",
}
_ALL = frozenset(_TOLD)


def values_of_text(schema: Mapping[str, Any], pairs: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of parameters that were typed as text, as JSON has them.

    Args:
        schema: JSON Schema of an object with the parameters by name; an empty one takes everything.
        pairs: The text of each parameter.

    Raises:
        ParameterBindError: there is no such parameter.
        ParameterTypeError: a text cannot be read as what its parameter takes.
    """
    properties = schema.get("properties")
    known = properties if isinstance(properties, dict) else None
    is_open = known is None or schema.get("additionalProperties") is True
    values = {}
    for name, text in pairs.items():
        if known is not None and name not in known and not is_open:
            listed = ", ".join(known) or "none"
            hint = close_match(name, known)
            raise ParameterBindError(f"The flow has no parameter {name!r}{hint}; it has: {listed}.")
        kinds = set(_types(schema, (known or {}).get(name), depth=8))
        values[name] = _value(name, text, kinds)
    return values


def _value(name: str, text: str, kinds: set[str]) -> Any:
    if kinds == {"string"}:
        return text
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError):
        value = text
    else:
        if _kind(value) not in kinds and not (_kind(value) == "integer" and "number" in kinds):
            value = text
    if isinstance(value, str) and "string" not in kinds:
        expected = " or ".join(_TOLD[kind] for kind in sorted(kinds))
        raise ParameterTypeError(f"{name} is {safe_repr(text, 60)}; expected {expected}.")
    return value


def _kind(value: Any) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "null")


def _types(whole: Mapping[str, Any], part: Any, *, depth: int) -> Iterator[str]:
    """Yield the types that a part of a schema allows; all where it does not say."""
    if not isinstance(part, dict) or depth == 0:
        yield from _ALL
        return
    place = part.get("$ref")
    if isinstance(place, str) and place.startswith("#/$defs/"):
        yield from _types(whole, whole.get("$defs", {}).get(place.removeprefix("#/$defs/")), depth=depth - 1)
        return
    several = next((part[key] for key in ("anyOf", "oneOf") if isinstance(part.get(key), list)), None)
    if several is not None:
        for one in several:
            yield from _types(whole, one, depth=depth - 1)
        return
    named = part.get("type")
    if isinstance(named, str | list):
        yield from ([named] if isinstance(named, str) else named)
    elif isinstance(part.get("enum"), list):
        yield from {_kind(value) for value in part["enum"]}
    elif "const" in part:
        yield _kind(part["const"])
    else:
        yield from _ALL
