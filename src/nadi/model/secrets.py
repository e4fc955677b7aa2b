"""Secrets: values that show themselves to nobody, and the mask that hides them in other people's text.

A `Secret` hides itself. Its value, once taken out with `get()`, still turns up in log lines,
error messages and URLs, so every secret made in this process is also known to the `Masker`,
which everything that is logged, recorded or shown passes through.
"""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import groupby
from threading import RLock
from typing import Any, Generic, TypeVar
from weakref import WeakValueDictionary

T = TypeVar("T")

#: What stands in the place of a secret.
MASK = "****"

#: Values shorter than this are not looked for in text: `"ab"` would mask half of every word.
SHORTEST = 4

#: Encoded forms shorter than this are not looked for in serialised data, where they occur by chance.
SHORTEST_IN_DATA = 8

#: Values longer than this are not looked for in text: they would make every log line slow.
LONGEST = 64 * 1024

#: The lines of a secret of several lines (a private key) are looked for one by one from this length on.
SHORTEST_LINE = 16

#: How many values are still looked for after the last `Secret` that held them is gone.
KEPT = 256


class Secret(Generic[T]):
    """A value that never shows: `repr`, `str`, f-strings, JSON, logs and tracebacks give `****`.

    `get()` hands out the value. Two secrets are equal when their values are; strings and bytes
    are compared in constant time. A secret pickles as a secret *with its value*, so that it
    reaches the process that needs it; what is pickled is as confidential as the value itself.

    A store never gets it. A result that holds a secret, or the value of one, is not kept, and its task
    runs again on resume; a flow that took one as a parameter is resumed by giving it again:
    `nadi.resume(run, parameters={"token": ...})`. Results beyond 1 MiB are not searched for values.

    Making a secret also hides its value wherever Nadi records or shows text, in this process,
    from now on: see `Masker` for the forms that are recognised. Strings and bytes inside lists,
    tuples and dicts are hidden each by itself. As a parameter annotation, `Secret[str]` takes a
    plain string and wraps it.
    """

    __slots__ = ("__weakref__", "_known", "_value")

    def __init__(self, value: T) -> None:
        self._value = value
        # Holding these keeps the value known to the masker for as long as this secret lives.
        self._known = masker.learn(value)

    def get(self) -> T:
        """Hand out the value itself."""
        return self._value

    @classmethod
    def __nadi_coerce__(cls, value: Any) -> Secret[Any]:
        """Wrap what a caller passed where a `Secret` is annotated; a secret stays the one it is."""
        return value if isinstance(value, Secret) else cls(value)

    def __repr__(self) -> str:
        return f"Secret('{MASK}')"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        mine, theirs = self._value, other._value
        if isinstance(mine, str) and isinstance(theirs, str):
            return _equal_in_constant_time(
                mine.encode("utf-8", "surrogatepass"), theirs.encode("utf-8", "surrogatepass")
            )
        if isinstance(mine, bytes) and isinstance(theirs, bytes):
            return _equal_in_constant_time(mine, theirs)
        return bool(mine == theirs)

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self._value,))


def encode_secret(value: object) -> str:
    """Give JSON encoders the mask for a `Secret`; an `enc_hook` for msgspec, a `default` for `json`.

    Raises:
        TypeError: if `value` is no `Secret`, as encoders expect of such a hook.
    """
    if isinstance(value, Secret):
        return MASK
    raise TypeError(f"Objects of type {type(value).__name__} have no JSON form.")


def _equal_in_constant_time(mine: bytes, theirs: bytes) -> bool:
    from hmac import compare_digest  # loads OpenSSL: only when secrets are really compared

    return compare_digest(mine, theirs)


class _Known:
    """One value the masker looks for; it is forgotten when nobody holds this object any more."""

    __slots__ = ("__weakref__", "value")

    def __init__(self, value: str | bytes) -> None:
        self.value = value


class Masker:
    """Replaces by `****` what secrets look like in text, encoded forms included.

    Recognised are the value itself, its Python and JSON escapes, its percent-encoded forms, its
    hexadecimal forms, and its base64 forms, standard and URL-safe, also in the middle of a longer
    encoded text (`Authorization: Basic ...`); there, one character at either end, which belongs
    half to the neighbour, may stay. For a value of several lines each line of 16 characters or
    more counts too. Not recognised are compressed, encrypted or otherwise rewritten forms, base64
    broken into lines, and values shorter than 4 or longer than 65,536 characters.

    A value is known while a `Secret` holds it; the last 256 values stay known after that, since
    text that names them often comes later than the secret's end. What is known lives in memory only.

    All methods may be called from any thread and after a fork. Without secrets `mask` is one test.
    """

    def __init__(self) -> None:
        self._known: WeakValueDictionary[str | bytes, _Known] = WeakValueDictionary()
        self._recent: deque[_Known] = deque(maxlen=KEPT)
        self._any = False
        # Stands for "what is known now". Compiling reads it first and stores it with the pattern,
        # so a value learned meanwhile makes that pattern stale; no lock is held while compiling.
        self._stamp = object()
        self._compiled: tuple[object, re.Pattern[str] | None, int] = (self._stamp, None, 0)
        self._renew_lock()
        if hasattr(os, "register_at_fork"):
            # Another thread may hold the lock at the moment of a fork; the child would wait for ever.
            os.register_at_fork(after_in_child=self._renew_lock)

    def _renew_lock(self) -> None:
        # Re-entrant, because the garbage collector may run code in here that makes a secret.
        self._lock = RLock()

    def learn(self, value: object) -> tuple[object, ...]:
        """Hide `value` from now on, for as long as the caller holds what is returned."""
        self._any = True
        return tuple(self._learn_one(piece) for piece in _pieces(value) if SHORTEST <= len(piece) <= LONGEST)

    def _learn_one(self, value: str | bytes) -> _Known:
        known = self._known.get(value)
        if known is not None:
            return known
        with self._lock:
            known = self._known.get(value)
            if known is None:
                self._known[value] = known = _Known(value)
                self._recent.append(known)
                self._stamp = object()
        return known

    def mask(self, text: str) -> str:
        """Return `text` with every known secret replaced by `****`."""
        if not self._any:
            return text
        pattern, _ = self._pattern()
        return text if pattern is None else pattern.sub(MASK, text)

    def occurs_in(self, data: bytes) -> bool:
        """Tell whether serialised data holds a known secret, as text or as bytes, or encoded in 8 characters or more.

        Data is long and may be random: a mask too many costs a log line nothing, but a result that is taken
        for a secret is not kept.
        """
        if not self._any:
            return False
        pattern, _ = self._pattern()
        if pattern is None:
            return False
        text = data.decode("utf-8", "replace")
        if any(len(found.group()) >= SHORTEST_IN_DATA for found in pattern.finditer(text)):
            return True
        return any(value in data if isinstance(value, bytes) else value in text for value in list(self._known.keys()))

    def forget_unheld(self) -> None:
        """Forget the values that no `Secret` holds any more, so that one test leaves the next nothing to find."""
        with self._lock:
            self._recent.clear()
            self._stamp = object()

    def mask_value(self, value: Any) -> Any:
        """Return a JSON-like value with every string in it masked, keys included, and every `Secret` as `****`.

        Dicts, lists and tuples are copied where they are; other objects are returned as they are.
        """
        if not self._any:
            return value
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, dict):
            return {self.mask_value(key): self.mask_value(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.mask_value(item) for item in value]
        if isinstance(value, tuple):
            return tuple(self.mask_value(item) for item in value)
        return MASK if isinstance(value, Secret) else value

    def mask_head(self, text: str, limit: int) -> str:
        """Mask what the first `limit` characters of `text` hold, reading little beyond them.

        Cutting first and masking then would leave the first half of a secret that the cut runs through.
        """
        pattern, longest = self._pattern() if self._any else (None, 0)
        if pattern is None:
            return text[:limit]
        parts, position = [], 0
        for match in pattern.finditer(text[: limit + longest]):
            if match.start() >= limit:
                break
            parts += [text[position : match.start()], MASK]
            position = match.end()
        return "".join(parts) + text[position:limit]

    def longest(self) -> int:
        """How many characters the longest form of any known secret has."""
        return self._pattern()[1] if self._any else 0

    def _pattern(self) -> tuple[re.Pattern[str] | None, int]:
        stamp, pattern, longest = self._compiled
        if stamp is not self._stamp:
            stamp = self._stamp
            alive = [known for ref in self._known.valuerefs() if (known := ref()) is not None]
            forms = sorted({form for known in alive for form in _forms(known.value)})
            pattern = re.compile(_alternatives(forms)) if forms else None
            longest = max(map(len, forms), default=0)
            self._compiled = (stamp, pattern, longest)
        return pattern, longest


def _pieces(value: object) -> Iterator[str | bytes]:
    """The texts to look for when `value` is secret."""
    if isinstance(value, str):
        yield value
        lines = value.splitlines()
        if len(lines) > 1:
            yield from (line.strip() for line in lines if len(line.strip()) >= SHORTEST_LINE)
    elif isinstance(value, (bytes, bytearray)):
        yield bytes(value)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield str(value)
    else:
        yield from _texts_inside(value, depth=8)


def _texts_inside(value: object, depth: int) -> Iterator[str | bytes]:
    # Numbers inside are left alone: a port in a dict of credentials would mask every 5432 there is.
    if isinstance(value, (str, bytes, bytearray)):
        yield from _pieces(value)
    elif isinstance(value, (dict, list, tuple, set, frozenset)) and depth:
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts_inside(item, depth - 1)


def _forms(value: str | bytes) -> Iterator[str]:
    """The ways in which a secret value may be written in text."""
    import json
    from urllib.parse import quote, quote_from_bytes, quote_plus

    if isinstance(value, str):
        raw = value.encode("utf-8", "surrogatepass")
        text: str | None = value
    else:
        raw, text = value, _decoded(value)
    if text is not None:
        yield text
        # repr() escapes the quote it stands in, and picks that by what else is inside: both ways.
        yield from (repr(text)[1:-1], repr(text + "\"'")[1:-4], ascii(text)[1:-1])
        yield from (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1])
        yield from (
            quote(text, errors="replace"),
            quote(text, "", errors="replace"),
            quote_plus(text, errors="replace"),
        )
    yield from (repr(raw)[2:-1], quote_from_bytes(raw, ""), raw.hex(), raw.hex().upper())
    yield from _base64_forms(raw)


def _decoded(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def _base64_forms(raw: bytes) -> Iterator[str]:
    from base64 import b64encode, urlsafe_b64encode

    for encode in (b64encode, urlsafe_b64encode):
        yield encode(raw).decode()
        yield encode(raw).decode().rstrip("=")
        for before in range(3):
            # In longer text the value may start 0, 1 or 2 bytes into a group of three. Characters
            # that also encode a neighbour's bits are unknown; those that are the value's alone count.
            encoded = encode(bytes(before) + raw).decode()
            middle = encoded[(0, 2, 3)[before] : (before + len(raw)) * 8 // 6]
            if len(middle) >= SHORTEST:
                yield middle


def _alternatives(words: Iterable[str]) -> str:
    """A pattern for any of the sorted `words`, the longest that fits, sharing common beginnings.

    A plain `a|b|c` would try every word at every character of the text; with a few hundred
    secrets of twenty forms each that is a hundred times slower.
    """
    parts = []
    for _, grouped in groupby(words, key=lambda word: word[0]):
        group = list(grouped)
        # Sorted: what the first and the last have in common, all have in common.
        first, last = group[0], group[-1]
        shared = first[: next((n for n, char in enumerate(first) if last[n] != char), len(first))]
        rest = [word[len(shared) :] for word in group if word != shared]
        optional = "?" if len(rest) < len(group) else ""
        parts.append(re.escape(shared) + (f"(?:{_alternatives(rest)}){optional}" if rest else ""))
    return "|".join(parts)


#: The one masker of this process: it knows every `Secret`, and all text that leaves passes through it.
masker = Masker()
mask = masker.mask
mask_value = masker.mask_value
