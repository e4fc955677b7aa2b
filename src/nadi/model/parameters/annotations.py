"""From a type annotation to its `Kind`."""

from __future__ import annotations

import collections.abc
import sys
import types
import typing
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

import msgspec

from nadi.model.parameters.containers import container
from nadi.model.parameters.foreign import Pydantic, is_pydantic
from nadi.model.parameters.kind import Anything, Instance, Kind
from nadi.model.parameters.records import Field, Record, Row, Shape, TaggedStruct
from nadi.model.parameters.scalars import SCALARS, Choice, Hidden, Member, standard
from nadi.model.parameters.times import TIMES
from nadi.model.parameters.unions import Later, Limited, Union

ANYTHING = Anything()

#: Wrappers that say something about the name and nothing about the value.
_QUALIFIERS = ("Final", "ClassVar", "Required", "NotRequired", "ReadOnly")
_TEXT_NAMES = ("LiteralString",)


def resolve(annotation: Any, scope: dict[str, Any], local: Mapping[str, Any]) -> Any:
    """The annotation with its text and forward references looked up; `Any` where one cannot be found."""
    holder = types.SimpleNamespace(__annotations__={"it": annotation})
    try:
        return typing.get_type_hints(holder, scope, local, include_extras=True)["it"]
    except Exception:  # evaluating the text runs whatever the user wrote there
        return Any


def class_annotations(cls: Any) -> dict[str, Any]:
    """The resolved annotations of a class and its bases, the class's own winning."""
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        scope = vars(sys.modules.get(base.__module__, types))
        # The module wins: in `date: date = None` the class has an attribute of the name, which is no type.
        local = {**vars(base), base.__name__: base, **scope}
        for name, annotation in vars(base).get("__annotations__", {}).items():
            found[name] = resolve(annotation, scope, local)
    return found


class Kinds:
    """Makes kinds from resolved annotations, each once."""

    def __init__(self) -> None:
        self._made: dict[Any, Kind] = {}

    def of(self, annotation: Any) -> Kind:
        """What the annotation asks for. One that nobody understands asks for nothing."""
        try:
            # By type as well: Literal[1] equals Literal[True], and 1 equals True.
            key = (annotation, repr(annotation))
            if key not in self._made:
                self._made[key] = self._make(annotation)
            return self._made[key]
        except TypeError:  # not hashable, such as metadata that holds a list
            return self._make(annotation)

    def _make(self, annotation: Any) -> Kind:
        if annotation is None:
            return SCALARS[types.NoneType]
        if annotation is Any or annotation is object:
            return ANYTHING
        if isinstance(annotation, type) and not typing.get_origin(annotation):
            return self._of_class(annotation, ())
        origin, args = typing.get_origin(annotation), typing.get_args(annotation)
        if origin is None:
            return self._of_name(annotation)
        if origin is typing.Annotated:
            return self._annotated(annotation, args[0], args[1:])
        if origin is typing.Union or origin is types.UnionType:
            return Union([self.of(arg) for arg in args])
        if origin is typing.Literal:
            return Choice(args, [self.of(type(choice)) for choice in args])
        if getattr(origin, "_name", None) in _QUALIFIERS:
            return self.of(args[0])
        if type(origin).__name__ == "TypeAliasType":
            return Later(origin.__name__, lambda: self.of(origin.__value__[args]))
        if origin is type or origin is collections.abc.Callable:
            return Instance(type if origin is type else typing.cast(type, collections.abc.Callable))
        if isinstance(origin, type):
            return self._of_class(origin, args or (((),) if origin is tuple and annotation == tuple[()] else ()))
        return ANYTHING

    def _of_name(self, annotation: Any) -> Kind:
        """Annotations that are neither classes nor have arguments."""
        if isinstance(annotation, typing.TypeVar):
            if annotation.__constraints__:
                return Union([self.of(constraint) for constraint in annotation.__constraints__])
            return self.of(annotation.__bound__) if annotation.__bound__ is not None else ANYTHING
        if hasattr(annotation, "__supertype__"):  # NewType
            return self.of(annotation.__supertype__)
        if type(annotation).__name__ == "TypeAliasType":
            return Later(annotation.__name__, lambda: self.of(annotation.__value__))
        if type(annotation).__name__ == "InitVar":
            return self.of(annotation.type)
        if getattr(annotation, "_name", None) in _TEXT_NAMES:
            return SCALARS[str]
        return ANYTHING

    def _annotated(self, annotation: Any, base: Any, metadata: tuple[Any, ...]) -> Kind:
        if any(is_pydantic(item) for item in metadata):
            return Pydantic(annotation, self.of(base).name)
        return Limited(self.of(base), metadata)

    def _of_class(self, cls: Any, args: tuple[Any, ...]) -> Kind:
        found = SCALARS.get(cls) or TIMES.get(cls) or container(cls, args, self.of) or standard(cls)
        if found is not None:
            return found
        if issubclass(cls, Enum):
            return Member(cls)
        if is_pydantic(cls):
            return Pydantic(cls, cls.__name__)
        if Hidden.is_class(cls):
            # Without a type argument a secret is text.
            return Hidden(cls, self.of(args[0] if args else str))
        return self._record(cls, args) or Instance(cls)

    def _record(self, cls: Any, args: tuple[Any, ...]) -> Kind | None:
        if issubclass(cls, msgspec.Struct):
            return TaggedStruct(cls, lambda: self._struct_fields(cls, args))
        if hasattr(cls, "__dataclass_fields__"):
            return Record(cls, lambda: self._dataclass_fields(cls, args))
        if typing.is_typeddict(cls):
            return Shape(cls, lambda: self._typed_dict_fields(cls, args))
        if issubclass(cls, tuple) and hasattr(cls, "_fields"):
            return Row(cls, lambda: self._row_fields(cls, args))
        return None

    def _typed(self, cls: Any, args: tuple[Any, ...]) -> Callable[[str], Kind]:
        """The kind of a field by its name, with the class's type variables filled in."""
        annotations = class_annotations(cls)
        filled = dict(zip(getattr(cls, "__parameters__", ()), args, strict=False))

        def kind(name: str) -> Kind:
            annotation = annotations.get(name, Any)
            if annotation in filled:
                return self.of(filled[annotation])
            inner = getattr(annotation, "__parameters__", ())
            if inner and filled and not isinstance(annotation, type):
                annotation = annotation[tuple(filled.get(variable, variable) for variable in inner)]
            return self.of(annotation)

        return kind

    def _struct_fields(self, cls: Any, args: tuple[Any, ...]) -> list[Field]:
        kind = self._typed(cls, args)
        names, keys, defaults = cls.__struct_fields__, cls.__struct_encode_fields__, cls.__struct_defaults__
        # msgspec keeps defaults for the last fields only, and NODEFAULT among them for required keyword fields.
        defaults = (msgspec.NODEFAULT,) * (len(names) - len(defaults)) + defaults
        return [
            Field(name, key, kind(name), default is msgspec.NODEFAULT, _plain(default))
            for name, key, default in zip(names, keys, defaults, strict=True)
        ]

    def _dataclass_fields(self, cls: Any, args: tuple[Any, ...]) -> list[Field]:
        import inspect

        kind = self._typed(cls, args)
        # The constructor knows best what it takes: init=False, InitVar, kw_only, one written by hand.
        return [
            Field(name, name, kind(name), parameter.default is parameter.empty, _plain(parameter.default))
            for name, parameter in inspect.signature(cls).parameters.items()
            if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        ]

    def _typed_dict_fields(self, cls: Any, args: tuple[Any, ...]) -> list[Field]:
        kind = self._typed(cls, args)
        return [
            Field(name, name, kind(name), _is_required(hint, name, cls))
            for name, hint in class_annotations(cls).items()
        ]

    def _row_fields(self, cls: Any, args: tuple[Any, ...]) -> list[Field]:
        kind = self._typed(cls, args)
        defaults = cls._field_defaults
        return [
            Field(name, name, kind(name), name not in defaults, defaults.get(name, msgspec.UNSET))
            for name in cls._fields
        ]


def _plain(default: Any) -> Any:
    """The default itself; UNSET for none, and for one that a factory makes."""
    from inspect import Parameter

    made = type(default).__name__ in ("Factory", "_HAS_DEFAULT_FACTORY_CLASS")
    return msgspec.UNSET if made or default is msgspec.NODEFAULT or default is Parameter.empty else default


def _is_required(hint: Any, name: str, cls: Any) -> bool:
    # `__required_keys__` alone is wrong where the annotations are text (PEP 563) and say NotRequired.
    qualifier = getattr(typing.get_origin(hint), "_name", None)
    if qualifier in ("Required", "NotRequired"):
        return bool(qualifier == "Required")
    return bool(name in cls.__required_keys__)
