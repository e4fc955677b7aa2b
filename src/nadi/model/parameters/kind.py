"""What a type annotation asks of a value: the contract that every family of kinds keeps."""

from __future__ import annotations

import reprlib
from typing import Any

import msgspec

from nadi.model.scripts import without_script_names


class Mismatch(Exception):
    """A value does not fit and cannot be converted; says what was expected, what came, and where inside."""

    def __init__(self, expected: str, got: str, path: str = "") -> None:
        super().__init__(expected, got, path)
        self.expected, self.got, self.path = expected, got, path

    def inside(self, step: str) -> Mismatch:
        """The same mismatch, seen from one level further out."""
        self.path = step + self.path
        return self


class Definitions:
    """The `$defs` of one JSON Schema: each class once, under a name of its own."""

    def __init__(self) -> None:
        self.schemas: dict[str, Any] = {}
        self._names: dict[Any, str] = {}

    def known(self, key: Any) -> bool:
        return key in self._names

    def name(self, key: Any, wanted: str) -> str:
        """A name for `key`: the wanted one, numbered when another class has it already."""
        name, count = wanted, 1
        while name in self.schemas:
            count += 1
            name = f"{wanted}_{count}"
        self._names[key] = name
        # Taken before its schema is built, so that a class which contains itself finds its name.
        self.schemas[name] = {}
        return name

    def reference(self, key: Any) -> dict[str, Any]:
        return {"$ref": f"#/$defs/{self._names[key]}"}


class Kind:
    """What one annotation asks for."""

    #: The type as a user would write it, such as `list[int]`.
    name: str = "Any"
    #: What to give, in words.
    expects: str = "any value"
    #: Instances of exactly this class pass without a look inside; None where there is no such class.
    exact: type | None = None
    #: True where every value passes unchanged.
    anything: bool = False
    #: True where a value may be secret and must not be shown in errors.
    hidden: bool = False
    #: True where text on a command line has to be JSON.
    structured: bool = False

    def convert(self, value: Any) -> Any:
        """The value as this kind: the same object when it already fits. Raises Mismatch."""
        raise NotImplementedError

    def read_text(self, text: str) -> Any:
        """The value that a user meant by this text on a command line. Raises Mismatch."""
        try:
            return self.convert(text)
        except Mismatch as mismatch:
            found, parsed = parse_json(text)
            if found:
                return self.convert(parsed)
            if self.structured:
                mismatch.expected += ", written as JSON"
            raise

    def schema(self, definitions: Definitions) -> dict[str, Any]:
        """The JSON Schema of what can be given."""
        return {}

    def mismatch(self, value: Any) -> Mismatch:
        """What to raise when the value does not fit."""
        return Mismatch(self.expects, "a value that is not shown" if self.hidden else shown(value))


class Anything(Kind):
    """Every value passes: no annotation, `Any`, or one that could not be resolved."""

    anything = True

    def convert(self, value: Any) -> Any:
        return value

    def read_text(self, text: str) -> Any:
        found, parsed = parse_json(text)
        return parsed if found else text


class Instance(Kind):
    """An instance of a class that we know nothing else about, such as a DataFrame."""

    def __init__(self, cls: type) -> None:
        self.cls = self.exact = cls
        self.name = class_name(cls)
        self.expects = f"an instance of {self.name}"

    def convert(self, value: Any) -> Any:
        try:
            fits = isinstance(value, self.cls)
        except Exception:  # a Protocol, or a class with an __instancecheck__ of its own: cannot be checked
            return value
        if fits:
            return value
        raise self.mismatch(value)


def class_name(cls: type) -> str:
    """The class with its module, which is left out where everybody knows it."""
    if cls.__module__ in ("builtins", "__main__"):
        return cls.__qualname__
    return without_script_names(f"{cls.__module__}.{cls.__qualname__}").replace("<locals>.", "")


def parse_json(text: str) -> tuple[bool, Any]:
    """Whether the text is JSON, and its value."""
    try:
        return True, msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return False, None


_short = reprlib.Repr()
_short.maxstring = _short.maxother = 80
_short.maxlevel = 3


def shown(value: Any) -> str:
    """A value on one short line, with its class where the text alone does not tell it."""
    told = " ".join(_short.repr(value).split())
    if value is None or isinstance(value, (str, bool)) or type(value) in (int, float, list, dict, tuple):
        return told
    return f"{told} ({class_name(type(value))})"
