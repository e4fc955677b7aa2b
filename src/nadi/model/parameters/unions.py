"""Kinds made of other kinds: alternatives, limits on a value, and aliases that are looked up late."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from nadi.model.parameters.kind import Definitions, Kind, Mismatch
from nadi.model.parameters.scalars import NONE


class Union(Kind):
    """One of several kinds: the one that the value already is, else the first that can take it."""

    def __init__(self, members: list[Kind]) -> None:
        self.members = members
        self.anything = any(member.anything for member in members)
        self.hidden = any(member.hidden for member in members)
        self.name = " | ".join(member.name for member in members)
        *first, last = [member.expects for member in members]
        self.expects = f"{', '.join(first)} or {last}" if first else last
        self.structured = any(member.structured for member in members)

    def convert(self, value: Any) -> Any:
        found: list[Any] = []
        deeper: list[Mismatch] = []
        for member in self.members:
            try:
                converted = member.convert(value)
            except Mismatch as mismatch:
                if mismatch.path:
                    deeper.append(mismatch)
                continue
            if converted is value:
                return value
            found.append(converted)
        if found:
            return found[0]
        if len(deeper) == 1:  # only one member looked inside, so what it found there is the better answer
            raise deeper[0]
        raise self.mismatch(value)

    def read_text(self, text: str) -> Any:
        # On a command line `null` is the only way to write None, so it goes before `str`.
        if NONE in self.members and text == "null":
            return None
        for member in self.members:
            try:
                return member.read_text(text)
            except Mismatch:
                continue
        return super().read_text(text)

    def schema(self, definitions: Definitions) -> dict[str, Any]:
        members = [member.schema(definitions) for member in self.members]
        return {} if {} in members else {"anyOf": members}


#: Limit -> (test, words, JSON Schema keyword). The names are those of msgspec.Meta and annotated_types alike.
_LIMITS: dict[str, tuple[Callable[[Any, Any], bool], str, str]] = {
    "gt": (lambda value, limit: value > limit, "more than {}", "exclusiveMinimum"),
    "ge": (lambda value, limit: value >= limit, "at least {}", "minimum"),
    "lt": (lambda value, limit: value < limit, "less than {}", "exclusiveMaximum"),
    "le": (lambda value, limit: value <= limit, "at most {}", "maximum"),
    "multiple_of": (lambda value, limit: value % limit == 0, "a multiple of {}", "multipleOf"),
    "min_length": (lambda value, limit: len(value) >= limit, "no shorter than {}", "minLength"),
    "max_length": (lambda value, limit: len(value) <= limit, "no longer than {}", "maxLength"),
    "pattern": (lambda value, limit: re.search(limit, value) is not None, "like the pattern {!r}", "pattern"),
}
_LENGTHS = {
    "array": {"minLength": "minItems", "maxLength": "maxItems"},
    "object": {"minLength": "minProperties", "maxLength": "maxProperties"},
}


class Limited(Kind):
    """A kind with limits: `Annotated[int, msgspec.Meta(ge=0)]`, or those of annotated_types."""

    def __init__(self, base: Kind, metadata: tuple[Any, ...]) -> None:
        self.base = base
        self.name, self.hidden, self.structured = base.name, base.hidden, base.structured
        ours = [item for item in metadata if type(item).__module__.partition(".")[0] in ("msgspec", "annotated_types")]
        self.limits = {
            limit: getattr(item, limit) for item in ours for limit in _LIMITS if getattr(item, limit, None) is not None
        }
        #: Tests without words of their own: annotated_types.Predicate.
        self.tests = [item.func for item in ours if callable(getattr(item, "func", None))]
        self.notes = {
            word: getattr(item, word)
            for item in ours
            for word in ("title", "description", "examples")
            if getattr(item, word, None)
        }
        told = [_LIMITS[limit][1].format(bound) for limit, bound in self.limits.items()]
        told += [f"accepted by {getattr(test, '__name__', test)}" for test in self.tests]
        self.expects = f"{base.expects} that is {' and '.join(told)}" if told else base.expects
        if not told:
            self.exact, self.anything = base.exact, base.anything

    def convert(self, value: Any) -> Any:
        return self._checked(self.base.convert(value), value)

    def read_text(self, text: str) -> Any:
        return self._checked(self.base.read_text(text), text)

    def _checked(self, converted: Any, value: Any) -> Any:
        if converted is None:
            return None  # limits are about the value, when there is one
        try:
            fits = all(_LIMITS[limit][0](converted, bound) for limit, bound in self.limits.items())
            fits = fits and all(test(converted) for test in self.tests)
        except TypeError:  # a limit that this value knows nothing of, such as a length for a number
            fits = True
        if not fits:
            raise self.mismatch(value)
        return converted

    def schema(self, definitions: Definitions) -> dict[str, Any]:
        base = self.base.schema(definitions)
        lengths = _LENGTHS.get(base.get("type", ""), {})
        for limit, bound in self.limits.items():
            word = _LIMITS[limit][2]
            base[lengths.get(word, word)] = bound
        return {**base, **self.notes}


class Later(Kind):
    """A kind that is made when first used, because it may contain itself."""

    def __init__(self, name: str, make: Callable[[], Kind]) -> None:
        self.name = self.expects = name
        self._make = make
        self._made: Kind | None = None

    @property
    def made(self) -> Kind:
        if self._made is None:
            self._made = self._make()
        return self._made

    def convert(self, value: Any) -> Any:
        return self.made.convert(value)

    def read_text(self, text: str) -> Any:
        return self.made.read_text(text)

    def schema(self, definitions: Definitions) -> dict[str, Any]:
        if not definitions.known(self):
            name = definitions.name(self, self.name)
            definitions.schemas[name] = self.made.schema(definitions)
        return definitions.reference(self)
