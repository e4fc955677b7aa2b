"""Kinds with named fields: dataclasses, msgspec Structs, NamedTuples and TypedDicts, made from dicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from operator import is_
from typing import Any, NamedTuple

import msgspec

from nadi.model.parameters.kind import Definitions, Kind, Mismatch, class_name, shown
from nadi.model.parameters.names import close_match


class Field(NamedTuple):
    """One field of a record."""

    name: str
    #: The key that it has in JSON; only Structs can rename.
    key: str
    kind: Kind
    required: bool
    #: The default, or `msgspec.UNSET` where there is none that can be shown.
    default: Any = msgspec.UNSET


class Record(Kind):
    """A class whose instances are made from a dict of its fields.

    Fields are looked up at first use, so a class may have fields of its own class.
    An instance passes as it is; its fields are not looked at.
    """

    structured = True

    def __init__(self, cls: Any, fields: Callable[[], list[Field]]) -> None:
        self.cls = self.exact = cls
        self.name = class_name(cls)
        self.expects = f"an instance of {self.name} or a dict of its fields"
        self._fields = fields

    @cached_property
    def fields(self) -> dict[str, Field]:
        return {field.name: field for field in self._fields()}

    def convert(self, value: Any) -> Any:
        if isinstance(value, self.cls):
            return value
        if not isinstance(value, Mapping):
            raise self.mismatch(value)
        given = self.converted(value)
        try:
            return self.cls(**given)
        except (TypeError, ValueError, ArithmeticError, LookupError) as error:
            raise Mismatch(f"what {self.name} accepts", f"{type(error).__name__}: {error}") from None

    def converted(self, value: Mapping[Any, Any]) -> dict[str, Any]:
        """The fields of a dict, converted, by their names; raises Mismatch on an unknown or missing one."""
        by_key = {field.key: field for field in self.fields.values()} | self.fields
        given: dict[str, Any] = {}
        for key, item in value.items():
            field = by_key.get(key)
            if field is None:
                if self.ignores(key, item):
                    continue
                hint = close_match(str(key), by_key)
                raise Mismatch(f"a field of {self.name} ({', '.join(by_key)})", f"the unknown field {key!r}{hint}")
            try:
                given[field.name] = field.kind.convert(item)
            except Mismatch as mismatch:
                raise mismatch.inside(f".{key}") from None
        missing = [field.key for field in self.fields.values() if field.required and field.name not in given]
        if missing:
            # Only the keys are told: some other field may be secret.
            told = f"a dict with only {', '.join(map(repr, value))}" if value else "an empty dict"
            raise Mismatch(f"the field{'s' * (len(missing) > 1)} {', '.join(map(repr, missing))} of {self.name}", told)
        return given

    def ignores(self, key: Any, item: Any) -> bool:
        """Whether a key that is no field may stand there all the same."""
        return False

    def schema(self, definitions: Definitions) -> dict[str, Any]:
        if not definitions.known(self.cls):
            name = definitions.name(self.cls, self.cls.__name__)
            definitions.schemas[name].update(self.described(definitions))
        return definitions.reference(self.cls)

    def described(self, definitions: Definitions) -> dict[str, Any]:
        properties = {}
        for field in self.fields.values():
            properties[field.key] = described = field.kind.schema(definitions)
            add_default(described, field.default, field.kind)
        required = [field.key for field in self.fields.values() if field.required]
        return {
            "title": self.cls.__name__,
            "type": "object",
            "properties": properties,
            **({"required": required} if required else {}),
        }


def add_default(schema: dict[str, Any], default: Any, kind: Kind) -> None:
    """Tell the default in a schema, where JSON can hold it and it is no secret."""
    if default is msgspec.UNSET or kind.hidden or hasattr(default, "get_secret_value") or isinstance(default, bytes):
        return
    try:
        plain = msgspec.json.decode(msgspec.json.encode(default, enc_hook=_to_json))
    except Exception:  # a default without a JSON form has none in the schema
        return
    if plain is not None or default is None:  # infinity and NaN come out as null
        schema["default"] = plain


def _to_json(value: Any) -> Any:
    if hasattr(value, "model_dump") and not hasattr(value, "get_secret_value"):
        return value.model_dump(mode="json")
    if hasattr(value, "__fspath__"):
        return value.__fspath__()
    raise TypeError


class TaggedStruct(Record):
    """A Struct; its tag, if it has one, has to be the right one when it is given."""

    def ignores(self, key: Any, item: Any) -> bool:
        config = self.cls.__struct_config__
        if config.tag is None or key != config.tag_field:
            return False
        if item != config.tag:
            raise Mismatch(f"the tag {config.tag!r} of {self.name}", shown(item), f".{key}")
        return True


class Row(Record):
    """A NamedTuple, from a dict or from a sequence of its fields."""

    def convert(self, value: Any) -> Any:
        if isinstance(value, (list, tuple)) and not isinstance(value, self.cls):
            fields = list(self.fields)
            if len(value) > len(fields):
                raise self.mismatch(value)
            value = dict(zip(fields, value, strict=False))
        return super().convert(value)


class Shape(Record):
    """A TypedDict: a dict with certain keys. Other keys stay, as the type system allows them."""

    def __init__(self, cls: Any, fields: Callable[[], list[Field]]) -> None:
        super().__init__(cls, fields)
        self.exact = None
        self.expects = f"a dict ({self.name})"

    def convert(self, value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise self.mismatch(value)
        converted = self.converted(value)
        unchanged = isinstance(value, dict) and all(map(is_, converted.values(), map(value.get, converted)))
        return value if unchanged else {**value, **converted}

    def ignores(self, key: Any, item: Any) -> bool:
        return True
