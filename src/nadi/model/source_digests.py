"""What a function does, as a digest of its source: for keys that outlive a run, a process and a version of Python.

Followed are the same helpers, classes and constants as in `nadi.model.code`, which digests compiled code. Only how
a function is read differs: by its syntax where its source is there and is what runs, else compiled.
"""

from __future__ import annotations

import enum
import functools
import sys
import weakref
from collections.abc import Callable, Iterator, Mapping
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

from nadi.model.code import MISSING, ReadCode, Reading, code_of, is_user_module, opened, plain_value
from nadi.model.source_texts import SourceCode, function_syntax

#: Digest of an object that code holds (in a default, a closure or a constant); None to count its type alone.
Content = Callable[[object], bytes | None]

#: What a class holds that says nothing of what it does, or only in some versions of Python.
_SILENT = frozenset({"__annotate__", "__annotate_func__", "__classdictcell__"})

#: Libraries whose values say all in their content, and what marks the data classes of others.
_DATA_LIBRARIES = frozenset(
    {"collections", "datetime", "decimal", "fractions", "numpy", "pandas", "pathlib", "polars", "pyarrow", "re"}
    | {"uuid", "zoneinfo"}
)
_DATA_MARKS = ("__dataclass_fields__", "__struct_fields__", "__pydantic_fields__", "__attrs_attrs__")
_CAN_CHANGE = (list, dict, set, bytearray)

_read: weakref.WeakKeyDictionary[FunctionType, ReadCode] = weakref.WeakKeyDictionary()


class SourceDigest(NamedTuple):
    """A digest, and what the names stood for that led to it."""

    digest: bytes
    #: A module's names, one of them, and what it stood for.
    seen: list[tuple[Mapping[str, Any], str, object]]

    def still_holds(self) -> bool:
        """Whether the names still stand for that: in a notebook a helper is defined anew under a task that stays."""
        return all(names.get(name, MISSING) is value for names, name, value in self.seen)


def source_digest(thing: object, content: Content = lambda value: None, constants: Content | None = None) -> bytes:
    """Sixteen bytes that change when what a function or class would do changes, as far as the user's code tells.

    Comments, docstrings, annotations, formatting and places count nothing, nor do the keywords of Nadi's own
    decorators. Counted is all that `nadi.model.code.code_digest` counts, and constants that can change or are made
    of more than builtin values: these by `constants`, objects in closures and defaults by `content`. Code without
    readable source counts as compiled, so another version of Python may tell it otherwise.
    """
    return read_source(thing, content, constants).digest


def read_source(thing: object, content: Content, constants: Content | None = None) -> SourceDigest:
    """The source digest with what it stands on, for those who keep it."""
    reading = _SourceReading(thing, content, constants or content)
    return SourceDigest(reading.digest(), reading.seen)


class _SourceReading(Reading):
    def __init__(self, root: object, content: Content, constants: Content) -> None:
        super().__init__(root)
        self.content, self.constants = content, constants
        self.seen: list[tuple[Mapping[str, Any], str, object]] = []

    def read(self, fn: FunctionType) -> ReadCode:
        known = _read.get(fn)
        if known is None:
            known = _read[fn] = _read_source(fn) or code_of(fn.__code__)
        return known

    def look_up(self, names: Mapping[str, Any], name: str) -> Any:
        value = super().look_up(names, name)
        self.seen.append((names, name, value))
        return value

    def members(self, kind: type) -> list[tuple[str, Any]]:
        """What was written in the body of a class: what `dataclass` and the like add is told by its fields."""
        written = [
            (name, value)
            for name, value in super().members(kind)
            # The members of an enumeration are told by their values.
            if name not in _SILENT and not _is_made(value) and not _is_member(kind, value)
        ]
        fields = ((f"{name}: field", told) for name, told in _annotations(kind).items())
        return [*written, *fields, *_defaults(kind)]

    def constant(self, name: str, value: object) -> bytes | None:
        """As it is now: a result outlives the process, and must not be taken for what another constant gave.

        In lower case, containers that can change are left out: a class may keep its state in them.
        """
        told = super().constant(name, value)
        if told is None and _is_data(value) and (name.isupper() or not isinstance(value, _CAN_CHANGE)):
            told = self.constants(value)
            told = None if told is None else b"content" + told
        return told

    def value(self, value: object) -> bytes:
        told = plain_value(value, frozen=False)
        if told is None and not isinstance(value, (FunctionType, type)) and not opened(value):
            told = self.content(value)
        return super().value(value) if told is None else b"content" + told


def _read_source(fn: FunctionType) -> SourceCode | None:
    node = function_syntax(fn)
    if node is None:
        return None
    code = fn.__code__
    local = {*code.co_varnames, *code.co_cellvars, *code.co_freevars}
    try:
        return SourceCode(node, local, is_silent=functools.partial(_is_ours, names=fn.__globals__))
    except RecursionError:  # a sum of a thousand terms
        return None


def _is_data(value: object) -> bool:
    """Whether an object is told by its content, unlike connections, loggers and generators of random numbers."""
    kind = type(value)
    if isinstance(value, type) or opened(value):
        return False
    if isinstance(value, (tuple, frozenset, enum.Enum, *_CAN_CHANGE)) or any(hasattr(kind, m) for m in _DATA_MARKS):
        return True
    return kind.__module__.partition(".")[0] in _DATA_LIBRARIES and not kind.__module__.startswith("numpy.random")


def _is_ours(chain: tuple[str, ...], names: Mapping[str, Any]) -> bool:
    """Whether a decorator is Nadi's: what it does is told by the records, not by the code."""
    value: Any = None
    for name in chain:
        if name not in names:
            return False
        value = names[name]
        names = vars(value) if isinstance(value, ModuleType) else {}
    return str(getattr(value, "__module__", "")).partition(".")[0] == "nadi"


def _is_made(value: object) -> bool:
    """Whether a function of a class was made by a library instead of written in its body."""
    if not isinstance(value, FunctionType):
        return False
    is_text = value.__code__.co_filename.startswith("<") and function_syntax(value) is None
    return is_text or not is_user_module(value.__globals__)


def _is_member(kind: type, value: object) -> bool:
    return isinstance(kind, enum.EnumMeta) and isinstance(value, kind)


def _defaults(kind: type) -> Iterator[tuple[str, Any]]:
    """Defaults of fields, which do not stand in the class any more where it has slots, or is a model or struct."""
    own = vars(kind)
    for mark in ("__dataclass_fields__", "__pydantic_fields__"):
        for name, field in own.get(mark, {}).items():
            yield f"{name}: default", field.default
            yield f"{name}: factory", field.default_factory
    for default in getattr(kind, "__struct_defaults__", ()):
        yield "a default", default
    for field in own.get("__attrs_attrs__", ()):
        yield f"{field.name}: default", field.default


def _annotations(kind: type) -> dict[str, str]:
    """The annotations of a class as text: of a dataclass or model they are its fields."""
    if sys.version_info >= (3, 14):
        from annotationlib import Format, get_annotations

        found: dict[str, Any] = get_annotations(kind, format=Format.STRING)
    else:
        found = vars(kind).get("__annotations__", {})
    return {name: _as_text(value) for name, value in found.items()}


def _as_text(annotation: object) -> str:
    if isinstance(annotation, str):
        return annotation
    if isinstance(annotation, type):
        return annotation.__qualname__
    told = repr(annotation)
    # An address would differ in every process.
    return type(annotation).__qualname__ if " at 0x" in told else told
