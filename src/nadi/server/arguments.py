"""From a request to the arguments of a route: each converted by its annotation, or refused with a sentence."""

from __future__ import annotations

import math
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from nadi.exceptions import RequestRefused
from nadi.server.matching import Found

#: The media type of MessagePack: routes that say so take it and give it in place of JSON.
MSGPACK = "application/msgpack"

#: What databases keep in one column.
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1


def parts_of(found: Found) -> dict[str, Any]:
    """Return the parts of the path, by name.

    Raises:
        RequestRefused: one is not of its type.
    """
    return {name: _converted(text, found.endpoint.parts[name], f"{name!r}") for name, text in found.parts.items()}


def query_of(query: bytes, shape: Any) -> Any:
    """Return the query as its Struct.

    A parameter that is given several times is a sequence; unknown ones are refused, since who gives one counts on it.

    Raises:
        RequestRefused: one is unknown, is not of its type, or is given too often.
    """
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError:  # a UnicodeDecodeError is one, too
        raise RequestRefused("The query cannot be read: it is no UTF-8 text, or has too many parameters.") from None
    fields = {field.encode_name: field for field in msgspec.structs.fields(shape)} if shape is not None else {}
    told: dict[str, list[str]] = {}
    for name, value in pairs:
        if name not in fields:
            known = ", ".join(fields) or "none"
            raise RequestRefused(f"There is no parameter {name[:100]!r} here. Known are: {known}.")
        if "\0" in value:
            raise RequestRefused(f"Parameter {name!r} holds a NUL character.")
        told.setdefault(name, []).append(value)
    if shape is None:
        return None
    missing = [name for name, field in fields.items() if field.required and name not in told]
    if missing:
        raise RequestRefused(f"Parameter {missing[0]!r} is missing.")
    return shape(**{fields[name].name: _parameter(fields[name], values) for name, values in told.items()})


def _parameter(field: Any, values: list[str]) -> Any:
    name = f"parameter {field.encode_name!r}"
    if is_sequence(field.type):
        return _converted(values, field.type, name)
    if len(values) > 1:
        raise RequestRefused(f"P{name[1:]} is given {len(values)} times; expected once.")
    return _converted(values[0], field.type, name)


def is_sequence(kind: Any) -> bool:
    """Whether a parameter of this type may be given several times."""
    origin = getattr(msgspec.inspect.type_info(kind), "item_type", None)
    return origin is not None or isinstance(msgspec.inspect.type_info(kind), msgspec.inspect.TupleType)


def _converted(value: Any, kind: Any, name: str) -> Any:
    try:
        converted = msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise RequestRefused(f"{name[0].upper()}{name[1:]} cannot be used: {error}.") from None
    for one in converted if isinstance(converted, list | tuple) else (converted,):
        if isinstance(one, float) and not math.isfinite(one):
            raise RequestRefused(f"{name[0].upper()}{name[1:]} is no finite number.")
        if type(one) is int and not _SMALLEST <= one <= _LARGEST:
            raise RequestRefused(f"{name[0].upper()}{name[1:]} is larger than any number that is kept.")
    return converted


def body_of(data: bytes, kind: Any, media_type: str = "application/json") -> Any:
    """Return a body as its type, from JSON or MessagePack.

    Raises:
        RequestRefused: it is neither, or not of its type; the sentence says where.
    """
    packed = media_type.partition(";")[0].strip().lower() == MSGPACK
    try:
        body = (msgspec.msgpack if packed else msgspec.json).decode(data, type=kind)
    except msgspec.ValidationError as error:
        raise RequestRefused(f"The body is not what this route takes: {error}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        name = "MessagePack" if packed else "JSON"
        raise RequestRefused(f"The body is no valid {name}: {error}.", status=400) from None
    except RecursionError:
        raise RequestRefused("The body is nested too deeply.", status=400) from None
    refuse_unkept(body)
    return body


def refuse_unkept(value: Any) -> None:
    """Refuse a body with a whole number that no database keeps in a column.

    What is held as JSON text (`msgspec.Raw`) may have any.

    Raises:
        RequestRefused: it has one.
    """
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if type(one) is int and not _SMALLEST <= one <= _LARGEST:
            raise RequestRefused("The body holds a whole number beyond 64 bits.")
        if isinstance(one, dict):
            waiting.extend(one.values())
        elif isinstance(one, list | tuple):
            waiting.extend(one)
        elif isinstance(one, msgspec.Struct):
            waiting.extend(getattr(one, name) for name in one.__struct_fields__)
