"""Marks on arguments that change how the engine passes them."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class Annotation(Generic[T]):
    """A value with a mark on it; the task receives the value."""

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value

    def unwrap(self) -> T:
        """Return the value without the mark."""
        return self.value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and bool(self.value == other.value)

    def __hash__(self) -> int:
        return hash(type(self))  # values may be unhashable, and equal ones must share it

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.value!r})"


class unmapped(Annotation[T]):
    """In `.map`: pass the value whole to each child instead of iterating it."""

    __slots__ = ()


class allow_failure(Annotation[T]):
    """Run even if the upstream failed; the task then receives the exception as the value."""

    __slots__ = ()


class quote(Annotation[T]):
    """Do not look inside for futures: no dependencies, no traversal of large data."""

    __slots__ = ()

    def unquote(self) -> T:
        """Return the value."""
        return self.value


class opaque(Annotation[T]):
    """Resolve the value if it is a future, but do not look inside of it."""

    __slots__ = ()
