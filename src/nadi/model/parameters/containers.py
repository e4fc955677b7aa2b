"""Kinds of collections. One whose items all fit is passed on as the same object."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import (
    Callable,
    Collection,
    Generator,
    ItemsView,
    KeysView,
    Mapping,
    Sequence,
    Set,
    ValuesView,
)
from operator import is_
from typing import Any, cast

from nadi.model.parameters.kind import Definitions, Kind, Mismatch

#: What may become a list, tuple or set. Text, bytes and mappings are values of their own.
_SERIES = (list, tuple, set, frozenset, deque, range, KeysView, ValuesView, ItemsView, Generator)


def convert_each(items: Collection[Any], kind: Kind) -> Collection[Any]:
    """The items converted, in a list; `items` itself when none changed."""
    if kind.anything or (kind.exact is not None and set(map(type, items)) <= {kind.exact}):
        return items
    converted = []
    for index, item in enumerate(items):
        try:
            converted.append(kind.convert(item))
        except Mismatch as mismatch:
            raise mismatch.inside(f"[{index}]") from None
    return items if all(map(is_, converted, items)) else converted


def _as_collection(value: Any) -> Collection[Any] | None:
    """The value as something that can be gone through twice; None if it is no series of items."""
    if isinstance(value, Generator):
        return list(value)
    if isinstance(value, _SERIES):
        return cast("Collection[Any]", value)
    if hasattr(value, "dtype") and hasattr(value, "tolist") and getattr(value, "ndim", 0) > 0:
        items = value.tolist()  # a NumPy array, a pandas or Polars series
        return items if isinstance(items, list) else None
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray, memoryview)):
        return value
    return None


class Series(Kind):
    """A list, set, deque or tuple of any length, all items of one kind."""

    structured = True

    def __init__(self, cls: type, build: Callable[[Any], Any], noun: str, item: Kind) -> None:
        self.cls, self.build, self.item = cls, build, item
        self.exact = cls if item.anything else None
        self.hidden = item.hidden
        name = cls.__name__.lower() if cls.__module__ != "collections.abc" else cls.__name__
        inner = f"{item.name}, ..." if cls is tuple else item.name
        self.name = name if item.anything else f"{name}[{inner}]"
        self.expects = noun if item.anything else f"{noun} ({self.name})"

    def convert(self, value: Any) -> Any:
        fits = isinstance(value, self.cls)
        if fits and isinstance(value, Generator):
            return value  # unread: an Iterable was asked for, and reading would use it up
        items = _as_collection(value)
        if items is None:
            if fits and not isinstance(value, (str, bytes, bytearray, memoryview, Mapping)):
                return value
            raise self.mismatch(value)
        converted = convert_each(items, self.item)
        if converted is value and fits:
            return value
        try:
            return self.build(converted)
        except TypeError:  # an item that cannot be hashed, for a set
            raise self.mismatch(value) from None

    def schema(self, definitions: Definitions) -> dict[str, Any]:
        items = self.item.schema(definitions)
        unique = {"uniqueItems": True} if issubclass(self.cls, Set) else {}
        return {"type": "array", **({"items": items} if items else {}), **unique}


class FixedTuple(Kind):
    """A tuple with a kind for each place."""

    structured = True

    def __init__(self, items: list[Kind]) -> None:
        self.items = items
        self.hidden = any(item.hidden for item in items)
        self.name = f"tuple[{', '.join(item.name for item in items) or '()'}]"
        self.expects = f"{len(items)} item{'' if len(items) == 1 else 's'} ({self.name})"

    def convert(self, value: Any) -> Any:
        items = _as_collection(value)
        if items is None or len(items) != len(self.items):
            raise self.mismatch(value)
        converted = []
        for index, (kind, item) in enumerate(zip(self.items, items, strict=True)):
            try:
                converted.append(kind.convert(item))
            except Mismatch as mismatch:
                raise mismatch.inside(f"[{index}]") from None
        unchanged = isinstance(value, tuple) and all(map(is_, converted, value))
        return value if unchanged else tuple(converted)

    def schema(self, definitions: Definitions) -> dict[str, Any]:
        size = len(self.items)
        places = [item.schema(definitions) for item in self.items]
        return {"type": "array", **({"prefixItems": places} if places else {}), "minItems": size, "maxItems": size}


class Table(Kind):
    """A dict or other mapping, keys and values of one kind each."""

    structured = True

    def __init__(self, cls: type, build: Callable[[Any], Any], key: Kind, item: Kind) -> None:
        self.cls, self.build, self.key, self.item = cls, build, key, item
        plain = key.anything and item.anything
        self.exact = cls if plain else None
        self.hidden = key.hidden or item.hidden
        self.name = cls.__name__ if plain else f"{cls.__name__}[{key.name}, {item.name}]"
        self.expects = "a dict" if plain else f"a dict ({self.name})"

    def convert(self, value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise self.mismatch(value)
        keys, items = self._keys(value), self._items(value)
        if keys is None and items is None:
            return value if isinstance(value, self.cls) else self.build(value)
        try:
            table = dict(zip(value if keys is None else keys, value.values() if items is None else items, strict=True))
        except TypeError:  # a key that cannot be hashed after conversion
            raise self.mismatch(value) from None
        if len(table) != len(value):
            raise Mismatch(f"keys that stay different as {self.key.name}", self.mismatch(value).got)
        return self.build(table)

    def _keys(self, value: Mapping[Any, Any]) -> Collection[Any] | None:
        keys = value.keys()
        try:
            converted = convert_each(keys, self.key)
        except Mismatch as mismatch:
            mismatch.path = ""  # a number would be meaningless: the keys themselves are what is wrong
            mismatch.expected = f"keys that are {mismatch.expected}"
            raise
        return None if converted is keys else converted

    def _items(self, value: Mapping[Any, Any]) -> Collection[Any] | None:
        kind = self.item
        if kind.anything or (kind.exact is not None and set(map(type, value.values())) <= {kind.exact}):
            return None
        converted = []
        for key, item in value.items():
            try:
                converted.append(kind.convert(item))
            except Mismatch as mismatch:
                raise mismatch.inside(f"[{key!r}]") from None
        return None if all(map(is_, converted, value.values())) else converted

    def schema(self, definitions: Definitions) -> dict[str, Any]:
        items = self.item.schema(definitions)
        return {"type": "object", **({"additionalProperties": items} if items else {})}


#: Class of an annotation -> (how to build one, what to call it).
_SERIES_CLASSES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "list": (list, "a list"),
    "tuple": (tuple, "a tuple"),
    "set": (set, "a set"),
    "frozenset": (frozenset, "a set"),
    "deque": (deque, "a list"),
    "Sequence": (list, "a list"),
    "MutableSequence": (list, "a list"),
    "Collection": (list, "a collection"),
    "Iterable": (list, "an iterable"),
    "Set": (set, "a set"),
    "MutableSet": (set, "a set"),
}
_TABLE_CLASSES: dict[str, Callable[[Any], Any]] = {
    "dict": dict,
    "Mapping": dict,
    "MutableMapping": dict,
    "OrderedDict": OrderedDict,
    "Counter": Counter,
}


def container(cls: type, args: tuple[Any, ...], kind_of: Callable[[Any], Kind]) -> Kind | None:
    """The kind of a collection class with these type arguments; None for any other class."""
    if cls.__module__ not in ("builtins", "collections", "collections.abc"):
        return None
    if cls is tuple and args and not (len(args) == 2 and args[1] is Ellipsis):
        return FixedTuple([] if args == ((),) else [kind_of(arg) for arg in args])
    if cls.__name__ in _SERIES_CLASSES:
        build, noun = _SERIES_CLASSES[cls.__name__]
        return Series(cls, build, noun, kind_of(args[0] if args else Any))
    if cls is Counter:
        return Table(cls, Counter, kind_of(args[0] if args else Any), kind_of(int))
    if cls is defaultdict:
        factory = args[1] if args and args[1] in (int, float, str, list, dict, set) else None
        return Table(cls, lambda items: defaultdict(factory, items), *(kind_of(arg) for arg in (args or (Any, Any))))
    if cls.__name__ in _TABLE_CLASSES:
        key, item = args if len(args) == 2 else (Any, Any)
        return Table(cls, _TABLE_CLASSES[cls.__name__], kind_of(key), kind_of(item))
    return None
