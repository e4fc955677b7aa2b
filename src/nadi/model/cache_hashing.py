"""Digests of whole values, for cache keys: nothing is sampled, and nothing counts by where it came from.

`nadi.model.fingerprints` compares the inputs of one run with its own records, so it may stop at sizes. A cache key
must not: two different values never have one digest here, and equal values have the same one in every process and
on every version of Python. What cannot be read whole is refused, with the place of it.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator
from types import FunctionType, ModuleType
from typing import Any

from nadi.model.buffers import array_buffers, write_table
from nadi.model.code import SCALARS, encode_str, is_user_class, is_user_module, stable_name
from nadi.model.contents import contents
from nadi.model.digests import blake2b
from nadi.model.fingerprints import MAX_DEPTH
from nadi.model.secrets import Secret
from nadi.model.source_digests import SourceDigest, read_source, source_digest

#: How many parts of a value that leads back to itself are visited: each way through it is another one.
MOST_VISITS = 100_000
#: Longer text counts by its digest.
_SHORT = 64
#: Parts that are joined before they are hashed.
_AT_ONCE = 4096


class Untellable(Exception):
    """A value cannot be digested: where in it, from the value on (`.pool['db'][0]`), and why (`a ..., ...`)."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.place, self.why = "", why

    def inside(self, place: str) -> Untellable:
        """This error, as seen from what holds the part that cannot be digested."""
        self.place = place + self.place
        return self


def complete_digest(value: object) -> bytes:
    """Sixteen bytes that are equal for equal values of one type, and for no others.

    Numbers, text and their like count with their types, so 1, 1.0, True and "1" differ; dicts and sets whatever
    their order; arrays and tables by type, shape and data, whatever their layout; functions and classes by the
    digest of their source and by what they hold; objects by name of class and what a pickle of them would hold.

    Raises:
        Untellable: a part of it cannot be told: a connection, a lock, a generator, a future, a secret.
    """
    return blake2b(_Walk().tell(value), digest_size=16).digest()


_sources: weakref.WeakKeyDictionary[FunctionType, SourceDigest] = weakref.WeakKeyDictionary()


def task_source_digest(fn: Callable[..., Any]) -> bytes:
    """The source digest of a task's function, as the policy TASK_SOURCE takes it.

    The answer is kept until a helper that the function names is defined anew. What its closure holds counts by its
    content when it was first asked for, or by its type where that cannot be told.
    """
    if not isinstance(fn, FunctionType):
        return source_digest(fn, _digest_if_told)
    known = _sources.get(fn)
    if known is None or not known.still_holds():
        known = _sources[fn] = read_source(fn, _digest_if_told)
    return known.digest


def _digest_if_told(value: object) -> bytes | None:
    try:
        return complete_digest(value)
    except Untellable:
        return None


class _Walk:
    """One look through a value. Each part becomes some bytes that tell where they end, containers a digest."""

    __slots__ = ("_circles", "_lowest", "_path", "_told", "_visits")

    def __init__(self) -> None:
        #: Ids of the containers that are open, and how deep each is.
        self._path: dict[int, int] = {}
        #: What was told already, by id; the value is held, so that no other takes its id meanwhile.
        self._told: dict[int, tuple[bytes, object]] = {}
        #: The outermost open container that was met again since this was last set back.
        self._lowest = MAX_DEPTH
        self._circles = False
        self._visits = 0

    def tell(self, value: Any) -> bytes:
        kind = type(value)
        scalar = SCALARS.get(kind)
        if scalar is not None:
            return scalar(value)
        if kind is str and len(value) <= _SHORT:
            return encode_str(value)
        known = self._told.get(id(value))
        if known is not None:
            return known[0]
        depth = self._path.get(id(value))
        if depth is not None:
            # By its distance, so that equal circles look alike.
            self._lowest = min(self._lowest, depth)
            self._circles = True
            return b"^%d;" % (len(self._path) - depth)
        return self._enter(value)

    def _enter(self, value: Any) -> bytes:
        depth = len(self._path)
        self._visits += 1
        if depth >= MAX_DEPTH:
            raise Untellable(f"nested deeper than {MAX_DEPTH} levels")
        if self._circles and self._visits > MOST_VISITS:
            raise Untellable("part of a value whose parts lead back to each other in too many ways")
        outer, self._lowest = self._lowest, MAX_DEPTH
        self._path[id(value)] = depth
        try:
            told = _KINDS.get(type(value), _Walk._object)(self, value)
        except Untellable:
            raise
        except RecursionError:
            raise Untellable("nested deeper than can be followed here") from None
        # The user's own code runs here, and may raise anything.
        except Exception as error:
            raise Untellable(f"{_kind(value)}, and reading it raised {type(error).__name__}: {error}") from error
        del self._path[id(value)]
        if self._lowest >= depth:
            # What leads further out than itself means something else elsewhere.
            self._told[id(value)] = told, value
        self._lowest = min(outer, self._lowest)
        return told

    # -- builtins --

    def _text(self, value: str) -> bytes:
        return _digest(b"s", [value.encode("utf-8", "surrogatepass")])

    def _bytes(self, value: bytes | bytearray) -> bytes:
        return _digest(b"b" if type(value) is bytes else b"B", [value])

    def _memory(self, value: memoryview) -> bytes:
        head = b"m" + encode_str(repr((value.format, value.shape)))
        return _digest(head, [value.cast("B") if value.c_contiguous else value.tobytes()])

    def _sequence(self, value: list[Any] | tuple[Any, ...]) -> bytes:
        head = b"%b%d:" % (b"l" if type(value) is list else b"t", len(value))
        return _digest(head, _joined(self._items(value)))

    def _items(self, values: Iterable[Any]) -> Iterator[bytes]:
        scalars = SCALARS.get
        for place, item in enumerate(values):
            scalar = scalars(type(item))
            yield self._part(item, f"[{place}]") if scalar is None else scalar(item)

    def _dict(self, value: dict[Any, Any]) -> bytes:
        told = [self.tell(key) + self._part(item, f"[{_named(key)}]") for key, item in list(value.items())]
        return _digest(b"d%d:" % len(told), _joined(sorted(told)))

    def _set(self, value: set[Any] | frozenset[Any]) -> bytes:
        told = sorted(self.tell(item) for item in list(value))
        return _digest(b"%b%d:" % (b"S" if type(value) is set else b"Z", len(told)), _joined(told))

    def _part(self, value: Any, place: str) -> bytes:
        try:
            return self.tell(value)
        except Untellable as error:
            raise error.inside(place)  # noqa: B904 - it is the same error

    # -- functions and objects --

    def _function(self, value: FunctionType) -> bytes:
        """By its source and by all that it holds; a function of a library by its name."""
        made_here = is_user_module(value.__globals__) or value.__closure__ is not None or "<" in value.__qualname__
        if not made_here and not hasattr(value, "__wrapped__"):
            return _digest(b"f", [encode_str(stable_name(value))])
        return _digest(b"F", [source_digest(value, self._held, self._constant)])

    def _held(self, value: object) -> bytes:
        return self._part(value, ".<closure>")

    def _constant(self, value: object) -> bytes | None:
        """A constant that a function names; of one that cannot be told its type has to do."""
        path, lowest = dict(self._path), self._lowest
        try:
            return self.tell(value)
        except Untellable:
            self._path, self._lowest = path, lowest
            return None

    def _class(self, value: type) -> bytes:
        code = source_digest(value, self._held, self._constant) if is_user_class(value) else b""
        return _digest(b"C", [encode_str(stable_name(value)), code])

    def _object(self, value: Any) -> bytes:
        kind = type(value)
        if getattr(kind, "__nadi_origin__", False):
            raise Untellable("a future, whose value is not known here")
        if isinstance(value, Secret):
            raise Untellable("a Secret, and keys are shown")
        if isinstance(value, FunctionType):
            return self._function(value)
        if isinstance(value, type):
            return self._class(value)
        if isinstance(value, ModuleType) and is_user_module(vars(value)):
            raise Untellable("a module, which may change while its name stays")
        if kind.__module__.partition(".")[0] == "nadi" and isinstance(fn := getattr(value, "fn", None), FunctionType):
            return self._function(fn)
        name = encode_str(stable_name(kind))
        if (told := _data(value, name)) is not None:
            return told
        try:
            made_of = contents(value, max_bytes=float("inf"), complete=True)
        except (TypeError, AttributeError) as error:
            # What pickle says of locks, connections, generators and local classes.
            raise Untellable(f"{_kind(value)}, which cannot be taken apart ({error})") from error
        if made_of is None:
            raise Untellable(f"{_kind(value)}, which cannot be taken apart")
        parts = [self._made_of(made_of[1])]
        if callable(value) and is_user_class(kind):
            # It is called, so that what its class does counts too.
            parts.append(self.tell(kind))
        return _digest(b"o" + encode_str(made_of[0]), parts)

    def _made_of(self, value: Any) -> bytes:
        """What an object is made of: its attributes are named as such where one of them is refused."""
        if type(value) is tuple:
            return b"(%d:%b)" % (len(value), b"".join(self._made_of(each) for each in value))
        if type(value) is not dict or not all(type(key) is str for key in value):
            return self.tell(value)
        told = (encode_str(key) + self._part(value[key], f".{key}") for key in sorted(value))
        return _digest(b"a%d:" % len(value), _joined(told))


def _data(value: Any, name: bytes) -> bytes | None:
    """An array or table of a known library by its data; None for all else."""
    kind = type(value)
    if kind.__module__.partition(".")[0] == "numpy" and (found := array_buffers(value)) is not None:
        return _digest(b"D" + name + encode_str(repr(found.description)), found.pieces)
    hashed = blake2b(b"T" + name, digest_size=16)
    described = write_table(value, hashed.update)
    if described is None:
        return None
    hashed.update(encode_str(repr(described)))
    return b"#" + hashed.digest()


def _digest(head: bytes, parts: Iterable[bytes | bytearray | memoryview]) -> bytes:
    hashed = blake2b(head, digest_size=16)
    for part in parts:
        hashed.update(part)
    return b"#" + hashed.digest()


def _joined(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in fewer and larger parts, but never all at once."""
    waiting: list[bytes] = []
    for part in parts:
        waiting.append(part)
        if len(waiting) == _AT_ONCE:
            yield b"".join(waiting)
            waiting.clear()
    yield b"".join(waiting)


def _kind(value: object) -> str:
    return f"a {stable_name(type(value)).removeprefix('builtins:').replace(':', '.')}"


def _named(key: Any) -> str:
    told = repr(key) if type(key) in (str, int, bool, float) else f"a {type(key).__qualname__}"
    return told if len(told) <= _SHORT else told[:_SHORT] + "..."


_KINDS: dict[type, Callable[[_Walk, Any], bytes]] = {
    str: _Walk._text,
    bytes: _Walk._bytes,
    bytearray: _Walk._bytes,
    memoryview: _Walk._memory,
    list: _Walk._sequence,
    tuple: _Walk._sequence,
    dict: _Walk._dict,
    set: _Walk._set,
    frozenset: _Walk._set,
    FunctionType: _Walk._function,
}
