"""Fingerprints of inputs: by which a resumed run tells whether a call is the same call.

Small values count by content; futures, and objects that the engine handed out and whose content
is not cheap, by where they came from; what nothing can be told about, by its kind alone. A
fingerprint is the same in every process and on every supported version of Python.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from nadi.model.code import SCALARS, encode_str, stable_name
from nadi.model.contents import contents
from nadi.model.digests import blake2b

#: Bytes of strings, arrays and tables that one fingerprint reads.
BYTES_BUDGET = 1024 * 1024
#: Items of lists, dicts and objects that one fingerprint visits.
ITEMS_BUDGET = 20_000
#: How deeply nested values are followed.
MAX_DEPTH = 64
#: Strings up to this length are free: below it the time goes into the item, not into its bytes.
_SHORT = 64
#: How often a walk may look in vain into an object that then counts by its origin; a list of
#: thousands of models must not be read model by model.
_PATIENCE = 4


class Certainty(enum.IntEnum):
    """How the inputs of a call were told apart; of several inputs the weakest counts."""

    #: All by content.
    CONTENT = 0
    #: Some by where they came from: which call of the run made them.
    PROVENANCE = 1
    #: About some nothing is known but their kind: only the position of the call can tell.
    POSITION = 2


class Fingerprint(NamedTuple):
    """What the inputs of a call look like."""

    #: Sixteen bytes, equal for equal inputs.
    digest: bytes
    #: How much the equality of two digests says.
    certainty: Certainty


#: Tells the token under which the engine handed an object out; None for an object that it does not know.
Origin = Callable[[object], bytes | None]

_CONTENT = Certainty.CONTENT
_PROVENANCE = Certainty.PROVENANCE
_POSITION = Certainty.POSITION


def fingerprint(inputs: Mapping[str, Any], origin: Origin) -> Fingerprint:
    """The fingerprint of a call's inputs, by parameter name.

    `origin` is asked about objects that are no plain builtins, at any depth, when their content is
    not cheap or cannot be told. It alone is asked about futures, which are known by the class
    attribute `__nadi_origin__ = True`. An object that is known but cheap counts by content, so
    that one changed after it was handed out is another input. Never raises for a hostile value:
    it counts by position.
    """
    return fingerprints(inputs, origin)[0]


def fingerprint_each(inputs: Mapping[str, Any], origin: Origin) -> dict[str, bytes]:
    """Four bytes for each parameter, to say later which of them changed."""
    return fingerprints(inputs, origin)[1]


def fingerprints(inputs: Mapping[str, Any], origin: Origin) -> tuple[Fingerprint, dict[str, bytes]]:
    """The fingerprint of the inputs and that of each parameter, from one look at them."""
    each: dict[str, bytes] = {}
    walk: _Walk | None = None
    whole = []
    for name in sorted(inputs):
        value = inputs[name]
        # The common case first: most arguments are numbers and short strings, and this is done for every call.
        kind = type(value)
        scalar = SCALARS.get(kind)
        if scalar is not None:
            told = scalar(value)
        elif kind is str and len(value) <= _SHORT:
            told = encode_str(value)
        else:
            if walk is None:
                walk = _Walk(origin, BYTES_BUDGET, ITEMS_BUDGET)
            walk.tell_safely(value)
            told = b"".join(walk.told)
            walk.told.clear()
        each[name] = blake2b(told, digest_size=4).digest()
        whole.append(encode_str(name) + b"=" + told)
    digest = blake2b(b"".join(whole), digest_size=16).digest()
    # Past the class's own __new__, which costs as much as the digest.
    return tuple.__new__(Fingerprint, (digest, _CONTENT if walk is None else walk.certainty)), each


def content_digest(value: Any, *, bytes_budget: int = BYTES_BUDGET, items_budget: int = ITEMS_BUDGET) -> bytes | None:
    """Sixteen bytes of a value's content; None where that is not cheap or cannot be told."""
    walk = _Walk(lambda value: None, bytes_budget, items_budget)
    walk.tell_safely(value)
    if walk.certainty is not _CONTENT:
        return None
    return blake2b(b"".join(walk.told), digest_size=16).digest()


class _Walk:
    """One look through the inputs of a call, writing down what it sees.

    Each part written tells where it ends. What is over budget is refused before it is looked at,
    so that no more than the budget is ever spent.
    """

    __slots__ = ("bytes_left", "certainty", "items_left", "origin", "path", "patience", "told")

    def __init__(self, origin: Origin, bytes_left: int, items_left: int) -> None:
        self.origin = origin
        self.bytes_left = bytes_left
        self.items_left = items_left
        self.told: list[bytes] = []
        self.certainty = _CONTENT
        #: The containers that are open, outermost first, by id.
        self.path: list[int] = []
        self.patience = _PATIENCE

    def tell_safely(self, value: Any) -> None:
        """Tell a parameter, whatever it does: a list that another thread changes, a hostile object."""
        before = len(self.told)
        try:
            self.tell(value)
        except Exception:
            self.path.clear()
            del self.told[before:]
            self.refuse(value)

    def tell(self, value: Any) -> None:
        kind = type(value)
        scalar = SCALARS.get(kind)
        if scalar is not None:
            self.told.append(scalar(value))
            return
        builtin = _BUILTINS.get(kind)
        if builtin is not None:
            builtin(self, value)
        else:
            self.tell_object(value)

    def refuse(self, value: Any) -> None:
        """Tell a value whose content does not serve: by its origin, or else by its kind alone."""
        token = self.origin(value)
        if token is not None:
            self.told.append(b"O%d:%b" % (len(token), token))
            if not getattr(type(value), "__nadi_origin__", False):
                # A live object may have been changed since; what a future stands for cannot be.
                self.certainty = max(self.certainty, _PROVENANCE)
            return
        self.certainty = _POSITION
        try:
            name = stable_name(type(value))
        except Exception:  # a metaclass may be hostile as well
            name = "?"
        self.told.append(b"?" + encode_str(name))

    # -- builtins ---------------------------------------------------------------------------

    def tell_str(self, value: str) -> None:
        if len(value) > _SHORT:
            if len(value) > self.bytes_left:
                self.refuse(value)
                return
            self.bytes_left -= len(value)
        self.told.append(encode_str(value))

    def tell_bytes(self, value: bytes | bytearray) -> None:
        if len(value) > self.bytes_left:
            self.refuse(value)
            return
        self.bytes_left -= len(value)
        self.told.append(b"%b%d:%b" % (b"b" if type(value) is bytes else b"B", len(value), bytes(value)))

    def tell_memoryview(self, value: memoryview) -> None:
        if value.nbytes > self.bytes_left:
            self.refuse(value)
            return
        self.bytes_left -= value.nbytes
        shape = repr((value.format, value.shape)).encode()
        self.told.append(b"m%b%d:%b" % (shape, value.nbytes, value.tobytes()))

    def enter(self, value: Any, size: int) -> bool:
        """Open a container; False when it was told already: by a reference back, or refused."""
        path = self.path
        if id(value) in path:
            # By its distance, so that equal circles look alike.
            self.told.append(b"^%d;" % (len(path) - path.index(id(value))))
            return False
        if size > self.items_left or len(path) >= MAX_DEPTH:
            self.refuse(value)
            return False
        self.items_left -= size
        path.append(id(value))
        return True

    def tell_sequence(self, value: list[Any] | tuple[Any, ...]) -> None:
        if not self.enter(value, len(value)):
            return
        told = self.told
        told.append(b"%b%d:" % (b"l" if type(value) is list else b"t", len(value)))
        scalars = SCALARS.get
        for item in value:
            scalar = scalars(type(item))
            if scalar is not None:
                told.append(scalar(item))
            else:
                self.tell(item)
        self.path.pop()

    def tell_dict(self, value: dict[Any, Any]) -> None:
        if not self.enter(value, len(value)):
            return
        told = self.told
        if all(type(key) is str for key in value):
            told.append(b"d%d:" % len(value))
            for key in sorted(value):
                self.tell_str(key)
                self.tell(value[key])
        else:
            pairs = list(value.items())
            keys = self.apart([key for key, _ in pairs])
            if keys is None:
                self.refuse(value)
            else:
                told.append(b"d%d:" % len(value))
                for place in sorted(range(len(keys)), key=keys.__getitem__):
                    told.append(keys[place])
                    self.tell(pairs[place][1])
        self.path.pop()

    def tell_set(self, value: set[Any] | frozenset[Any]) -> None:
        if not self.enter(value, len(value)):
            return
        items = self.apart(value)
        if items is None:
            self.refuse(value)
        else:
            self.told.append(b"%b%d:" % (b"S" if type(value) is set else b"Z", len(value)))
            self.told += sorted(items)
        self.path.pop()

    def apart(self, values: Iterable[Any]) -> list[bytes] | None:
        """Each value in bytes of its own; None when about one nothing is known but its kind.

        A set has another order in every process. Which of its items goes over the budget must not
        depend on that, so then the whole set is refused.
        """
        before, certainty = len(self.told), self.certainty
        self.certainty = _CONTENT
        apart = []
        for value in values:
            self.tell(value)
            apart.append(b"".join(self.told[before:]))
            del self.told[before:]
        known = self.certainty is not _POSITION
        self.certainty = max(certainty, self.certainty) if known else certainty
        return apart if known else None

    # -- objects ----------------------------------------------------------------------------

    def tell_object(self, value: Any) -> None:
        before, depth, certainty = len(self.told), len(self.path), self.certainty
        budget = self.bytes_left, self.items_left
        self.certainty = _CONTENT
        complete = self.tell_contents(value)
        if complete and self.certainty is not _POSITION:
            self.certainty = max(certainty, self.certainty)
            return
        del self.path[depth:]
        after = len(self.told)
        self.certainty = certainty
        self.refuse(value)
        if complete and self.certainty is _POSITION:
            # Some of it is known, which tells more than its kind.
            del self.told[after:]
            return
        del self.told[before:after]
        if self.patience > 0 and (self.bytes_left, self.items_left) != budget:
            # What was read in vain is given back, so that one model leaves room for the arguments after it.
            self.patience -= 1
            self.bytes_left, self.items_left = budget

    def tell_contents(self, value: Any) -> bool:
        """Tell what an object is made of; False when it must not be looked into, or that broke off half-way."""
        try:
            if getattr(type(value), "__nadi_origin__", False):
                return False
            made_of = contents(value, max_bytes=self.bytes_left)
            if made_of is None:
                return False
            if self.enter(value, 1):
                self.told.append(b"o" + encode_str(made_of[0]))
                self.tell(made_of[1])
                self.path.pop()
        except Exception:  # too big, or whatever the code of the object's class raises
            return False
        return True


_BUILTINS: dict[type, Callable[[_Walk, Any], None]] = {
    str: _Walk.tell_str,
    bytes: _Walk.tell_bytes,
    bytearray: _Walk.tell_bytes,
    memoryview: _Walk.tell_memoryview,
    list: _Walk.tell_sequence,
    tuple: _Walk.tell_sequence,
    dict: _Walk.tell_dict,
    set: _Walk.tell_set,
    frozenset: _Walk.tell_set,
}
