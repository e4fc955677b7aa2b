"""Kinds of single values: numbers, text, enums, and the standard library's value classes."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from types import NoneType
from typing import Any

from nadi.model.parameters.kind import Definitions, Kind, Mismatch, class_name

# Patterns stay text until first used: compiling them would cost each import a millisecond.
_INTEGER = r"[+-]?\d+(_\d+)*(\.0*)?"
_TRUE = frozenset({"1", "true", "t", "yes", "y", "on"})
_FALSE = frozenset({"0", "false", "f", "no", "n", "off"})


class Scalar(Kind):
    """One value class, and how to make an instance of it from something else."""

    def __init__(
        self,
        cls: type,
        expects: str,
        build: Callable[[Any], Any],
        schema: dict[str, Any],
        *,
        unless: type | tuple[type, ...] = (),
    ) -> None:
        self.cls = self.exact = cls
        self.name = cls.__name__
        self.expects = expects
        self.build = build
        self.json = schema
        #: Subclasses that do not count as instances: True is an int to Python, but not to users.
        self.unless = unless

    def convert(self, value: Any) -> Any:
        if isinstance(value, self.cls) and not isinstance(value, self.unless):
            return value
        try:
            return self.build(unboxed(value))
        except (ValueError, TypeError, ArithmeticError, LookupError, OSError):
            raise self.mismatch(value) from None

    def schema(self, definitions: Definitions) -> dict[str, Any]:
        return dict(self.json)


def unboxed(value: Any) -> Any:
    """The plain Python value of a NumPy scalar or zero-dimensional array."""
    if hasattr(value, "dtype") and getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        return value.item()
    return value


def _number(value: Any) -> bool:
    # By module, so that neither `decimal` nor `fractions` is imported for the question.
    return isinstance(value, (int, float)) or type(value).__module__ in ("decimal", "_pydecimal", "fractions")


def _integer(value: Any) -> int:
    if isinstance(value, str):
        text = value.strip()
        if not re.fullmatch(_INTEGER, text):
            raise ValueError
        return int(text.partition(".")[0])
    if not _number(value):
        raise TypeError
    whole = int(value)
    if whole != value:
        raise ValueError
    return whole


def _float(value: Any) -> float:
    if not isinstance(value, str) and not _number(value):
        raise TypeError
    number = float(value)
    if isinstance(value, int) and number != value:
        raise ValueError  # a whole number too large to be held exactly
    return number


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value  # out of a NumPy box
    if isinstance(value, str):
        word = value.strip().lower()
        if word in _TRUE or word in _FALSE:
            return word in _TRUE
    elif _number(value) and value in (0, 1):
        return bool(value)
    raise ValueError


def _text(value: Any) -> str:
    if isinstance(value, (bytes, bytearray)):
        return value.decode()
    if isinstance(value, str):
        return value
    raise TypeError


def _bytes(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(memoryview(value))


def _complex(value: Any) -> complex:
    if isinstance(value, str) or _number(value) or isinstance(value, complex):
        return complex(value)
    raise TypeError


def _none(value: Any) -> None:
    raise TypeError


INTEGER = Scalar(int, "a whole number (int)", _integer, {"type": "integer"}, unless=bool)
FLOAT = Scalar(float, "a number (float)", _float, {"type": "number"})
BOOLEAN = Scalar(bool, "true or false (bool)", _boolean, {"type": "boolean"})
TEXT = Scalar(str, "text (str)", _text, {"type": "string"})
NONE = Scalar(NoneType, "None", _none, {"type": "null"})

SCALARS: dict[Any, Kind] = {
    int: INTEGER,
    float: FLOAT,
    bool: BOOLEAN,
    str: TEXT,
    NoneType: NONE,
    complex: Scalar(complex, "a complex number", _complex, {}),
    bytes: Scalar(bytes, "bytes or text", _bytes, {"type": "string"}),
    bytearray: Scalar(bytearray, "bytes or text", lambda value: bytearray(_bytes(value)), {"type": "string"}),
}


def standard(cls: type) -> Kind | None:
    """The kind of a value class of the standard library; None for any other class.

    Classes are known by name: whoever annotates with `Decimal` has imported it, so we need not.
    """
    module = cls.__module__.partition(".")[0]
    if module == "pathlib":
        return Scalar(cls, "a path", lambda value: cls(value), {"type": "string", "format": "path"})
    if module == "ipaddress":
        return Scalar(cls, f"an IP address or network ({cls.__name__})", lambda value: cls(value), {"type": "string"})
    match f"{module}.{cls.__name__}":
        case "uuid.UUID":
            return Scalar(cls, "a UUID", lambda value: _uuid(cls, value), {"type": "string", "format": "uuid"})
        case "decimal.Decimal":
            either: dict[str, Any] = {"anyOf": [{"type": "number"}, {"type": "string"}]}
            return Scalar(cls, "a decimal number (Decimal)", lambda value: _exact(cls, value), either)
        case "fractions.Fraction":
            either = {"anyOf": [{"type": "number"}, {"type": "string"}]}
            return Scalar(cls, "a fraction such as '1/3'", lambda value: _exact(cls, value), either)
        case "zoneinfo.ZoneInfo":
            return Scalar(
                cls, "a time zone such as 'Europe/Berlin'", lambda value: cls(_text(value)), {"type": "string"}
            )
        case "re.Pattern":
            return Scalar(
                cls, "a regular expression", lambda value: _pattern(value), {"type": "string", "format": "regex"}
            )
    return None


def _uuid(cls: Any, value: Any) -> Any:
    return cls(bytes=value) if isinstance(value, bytes) else cls(_text(value))


def _exact(cls: Any, value: Any) -> Any:
    if isinstance(value, bool) or not (isinstance(value, str) or _number(value)):
        raise TypeError
    # 0.1 means one tenth to who typed it, not the nearest binary fraction.
    return cls(repr(float(value)) if isinstance(value, float) else value)


def _pattern(value: Any) -> re.Pattern[Any]:
    if not isinstance(value, (str, bytes)):
        raise TypeError
    try:
        return re.compile(value)
    except re.error as error:
        raise ValueError from error


class Member(Kind):
    """A member of an Enum: itself, its value, its name, or its value as text."""

    def __init__(self, cls: type[Enum]) -> None:
        self.cls = self.exact = cls
        self.name = cls.__name__
        self.expects = f"one of {_choices([member.value for member in cls])} ({self.name})"

    def convert(self, value: Any) -> Any:
        if isinstance(value, self.cls):
            return value
        value = unboxed(value)
        try:
            return self.cls(value)
        except Exception:  # `_missing_` is the user's and may raise anything
            if isinstance(value, str):
                if value in self.cls.__members__:
                    return self.cls[value]
                written = [member for member in self.cls if str(member.value) == value]
                if len(written) == 1:
                    return written[0]
        raise self.mismatch(value)

    def schema(self, definitions: Definitions) -> dict[str, Any]:
        if not definitions.known(self.cls):
            name = definitions.name(self.cls, self.name)
            values = [member.value for member in self.cls]
            plain = all(isinstance(value, (str, int, float, bool, NoneType)) for value in values)
            chosen = values if plain else [member.name for member in self.cls]
            definitions.schemas[name] = {"title": self.name, "enum": chosen, **_common_type(chosen)}
        return definitions.reference(self.cls)


class Choice(Kind):
    """One of the values of a Literal. `1` and `True` are different choices."""

    def __init__(self, choices: tuple[Any, ...], kinds: list[Kind]) -> None:
        self.choices = choices
        self.kinds = kinds
        self.name = f"Literal[{', '.join(map(repr, choices))}]"
        self.expects = f"one of {_choices(choices)}"

    def convert(self, value: Any) -> Any:
        for choice in self.choices:
            if type(choice) is type(value) and choice == value:
                return value
        for choice, kind in zip(self.choices, self.kinds, strict=True):
            try:
                if kind.convert(value) == choice:
                    return choice
            except Mismatch:
                continue
        raise self.mismatch(value)

    def schema(self, definitions: Definitions) -> dict[str, Any]:
        values = [choice.value if isinstance(choice, Enum) else choice for choice in self.choices]
        return {"enum": values, **_common_type(values)}


class Hidden(Kind):
    """A class that hides its value, such as `nadi.Secret`, made from what it hides. Errors never show the value."""

    hidden = True

    def __init__(self, cls: Any, inner: Kind) -> None:
        self.cls = self.exact = cls
        self.inner = inner
        self.name = class_name(cls)
        self.expects = inner.expects
        # Ours say how by `__nadi_coerce__`; those of others, known by `get_secret_value`, wrap what they are given.
        self.wrap: Callable[[Any], Any] = getattr(cls, "__nadi_coerce__", cls)

    @staticmethod
    def is_class(cls: type) -> bool:
        return hasattr(cls, "__nadi_coerce__") or hasattr(cls, "get_secret_value")

    def convert(self, value: Any) -> Any:
        return value if isinstance(value, self.cls) else self._wrapped(self.inner.convert, value)

    def read_text(self, text: str) -> Any:
        return self._wrapped(self.inner.read_text, text)

    def _wrapped(self, read: Callable[[Any], Any], value: Any) -> Any:
        try:
            return self.wrap(read(value))
        except (Mismatch, TypeError, ValueError):
            raise self.mismatch(value) from None

    def schema(self, definitions: Definitions) -> dict[str, Any]:
        schema = self.inner.schema(definitions)
        return {**schema, **({"format": "password"} if schema.get("type") == "string" else {}), "writeOnly": True}


def _choices(values: Any) -> str:
    values = list(values)
    told = ", ".join(map(repr, values[:12]))
    return told if len(values) <= 12 else f"{told}, ... ({len(values)} in all)"


_JSON_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", NoneType: "null"}


def _common_type(values: list[Any]) -> dict[str, Any]:
    kinds = {_JSON_TYPES.get(type(value)) for value in values}
    return {"type": kinds.pop()} if len(kinds) == 1 and None not in kinds else {}
