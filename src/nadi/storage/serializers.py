"""Values to bytes and back, in the formats that results can have.

`loads` runs code that the bytes name. Whoever calls it has checked where the bytes come from.
"""

from __future__ import annotations

import pickle
from typing import Any, Protocol

import msgspec

from nadi.exceptions import NotKept, SettingError
from nadi.storage.error_values import pickled_error, reason_of, type_name
from nadi.storage.pickles import PROTOCOL, pickled, unpickled

#: Exact types that no class of the user's can be hidden in; they take the short way.
_PLAIN = frozenset({type(None), bool, int, float, str, bytes})


def dumps(value: Any, *, with_secrets: bool = False) -> bytes:
    """The pickle of `value`, readable in any process that has the same code.

    A `Secret` inside is refused unless `with_secrets`: on the way to another process, never into a store.

    An error is always stored: as itself where it survives being read again, else as a `FailedRun`
    that carries its type's name, message and traceback. Its cause and notes are kept with it.

    Raises:
        NotKept: if the value cannot be pickled; the sentence says what and why.
    """
    if type(value) in _PLAIN:
        return pickle.dumps(value, PROTOCOL)
    try:
        if isinstance(value, BaseException):
            return pickled_error(value)
        return pickled(value, with_secrets=with_secrets)
    except NotKept:
        raise
    # SystemExit too: `__reduce__` is the user's code and must not end the run from here.
    except (Exception, SystemExit) as error:
        raise NotKept(f"A value of type {type_name(value)} cannot be stored: {reason_of(error)}.") from error


#: The value that `dumps` stored. Runs what the pickle names: only for bytes of known origin.
loads = unpickled


class Serializer(Protocol):
    """One way of turning a value into bytes and back."""

    def dumps(self, value: Any) -> bytes:
        """The bytes of `value`. Raises NotKept, with one sentence, if it cannot be stored in this format."""

    def loads(self, data: bytes) -> Any:
        """The value of `data`. Raises any exception if it cannot be read."""


class PickleSerializer:
    """Any Python value, back as it was."""

    def dumps(self, value: Any) -> bytes:
        return dumps(value)

    def loads(self, data: bytes) -> Any:
        return loads(data)


class JsonSerializer:
    """JSON, readable by any program. What comes back are plain JSON values: a tuple is a list, a dataclass a dict."""

    def dumps(self, value: Any) -> bytes:
        try:
            return msgspec.json.encode(value)
        except Exception as error:
            raise NotKept(
                f"A value of type {type_name(value)} cannot be stored as JSON: {reason_of(error)}."
            ) from error

    def loads(self, data: bytes) -> Any:
        return msgspec.json.decode(data)


class BytesSerializer:
    """Bytes as they are: for pictures and other files."""

    def dumps(self, value: Any) -> bytes:
        if not isinstance(value, bytes):
            raise NotKept(f"A value of type {type_name(value)} cannot be stored as plain bytes.")
        return value

    def loads(self, data: bytes) -> Any:
        return data


class CompressedSerializer:
    """Another format, compressed with zlib."""

    def __init__(self, inner: Serializer) -> None:
        self.inner = inner

    def dumps(self, value: Any) -> bytes:
        import zlib

        # The fastest level: on numbers the higher ones cost several times more for a few per cent.
        return zlib.compress(self.inner.dumps(value), 1)

    def loads(self, data: bytes) -> Any:
        import zlib

        return self.inner.loads(zlib.decompress(data))


_pickle, _json = PickleSerializer(), JsonSerializer()
_serializers: dict[str, Serializer] = {
    "pickle": _pickle,
    "json": _json,
    "compressed/pickle": CompressedSerializer(_pickle),
    "bytes": BytesSerializer(),
    "compressed/json": CompressedSerializer(_json),
}


def register_serializer(name: str, serializer: Serializer) -> None:
    """Make `serializer` known as `name`, to write and to read results; `compressed/<name>` comes with it.

    Raises:
        SettingError: if the name is taken, empty, or not printable text without spaces.
    """
    if not name or not name.isprintable() or " " in name:
        raise SettingError(f"{name!r} cannot name a serializer: it has to be printable text without spaces.")
    if name in _serializers:
        raise SettingError(f"There is a serializer called {name!r} already. Give the new one another name.")
    _serializers[name] = serializer
    _serializers.setdefault(f"compressed/{name}", CompressedSerializer(serializer))


def serializer(name: str) -> Serializer:
    """The serializer registered as `name`.

    Raises:
        SettingError: if there is none; the message lists those there are.
    """
    try:
        return _serializers[name]
    except (KeyError, TypeError):
        known = ", ".join(sorted(_serializers))
        raise SettingError(f"There is no serializer called {name!r}. Known are: {known}.") from None
