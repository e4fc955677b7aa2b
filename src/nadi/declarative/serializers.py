"""Serializers of results as Prefect 1 has them: how a value becomes the bytes of a file, and a value again."""

from __future__ import annotations

import datetime
import io
from abc import ABC, abstractmethod
from typing import Any

from nadi.exceptions import NotKept
from nadi.storage import serializers
from nadi.storage.error_values import type_name


class Serializer(ABC):
    """One way of turning a value into bytes and back."""

    @abstractmethod
    def serialize(self, value: Any) -> bytes:
        """Return the bytes of a value.

        Raises:
            NotKept: it cannot be stored so; the sentence says why.
        """

    @abstractmethod
    def deserialize(self, value: bytes) -> Any:
        """Return the value of bytes."""


class PickleSerializer(Serializer):
    """Any Python value. Reading runs what the bytes name: only for files that you wrote."""

    def serialize(self, value: Any) -> bytes:
        return serializers.dumps(value)

    def deserialize(self, value: bytes) -> Any:
        return serializers.loads(value)


class JSONSerializer(Serializer):
    """JSON, readable by any program."""

    def serialize(self, value: Any) -> bytes:
        return serializers.serializer("json").dumps(value)

    def deserialize(self, value: bytes) -> Any:
        return serializers.serializer("json").loads(value)


class DateTimeSerializer(Serializer):
    """Times, as text in ISO 8601."""

    def serialize(self, value: Any) -> bytes:
        if not isinstance(value, datetime.datetime):
            raise NotKept(f"DateTimeSerializer stores times, and this is {type_name(value)}.")
        return value.isoformat().encode()

    def deserialize(self, value: bytes) -> Any:
        return datetime.datetime.fromisoformat(value.decode())


class PandasSerializer(Serializer):
    """Tables of pandas, as CSV, Parquet and whatever else it reads and writes."""

    def __init__(
        self,
        file_type: str,
        deserialize_kwargs: dict[str, Any] | None = None,
        serialize_kwargs: dict[str, Any] | None = None,
    ) -> None:
        """Describe the form.

        Args:
            file_type: `csv` for `to_csv` and `read_csv`, `parquet`, `json`, `feather` and so on.
            deserialize_kwargs: Keywords for reading.
            serialize_kwargs: Keywords for writing.
        """
        self.file_type = file_type
        self.deserialize_kwargs = dict(deserialize_kwargs or {})
        self.serialize_kwargs = dict(serialize_kwargs or {})

    def serialize(self, value: Any) -> bytes:
        write = getattr(value, f"to_{self.file_type}", None)
        if write is None:
            raise NotKept(f"{type_name(value)} cannot be written as {self.file_type}: it has no to_{self.file_type}().")
        buffer = io.BytesIO()
        write(buffer, **self.serialize_kwargs)
        return buffer.getvalue()

    def deserialize(self, value: bytes) -> Any:
        import pandas  # type: ignore[import-untyped]  # only where tables are read: whoever wrote one has it

        return getattr(pandas, f"read_{self.file_type}")(io.BytesIO(value), **self.deserialize_kwargs)


class CompressedSerializer(Serializer):
    """Another form, compressed with zlib."""

    def __init__(self, serializer: Serializer) -> None:
        self.serializer = serializer

    def serialize(self, value: Any) -> bytes:
        import zlib

        return zlib.compress(self.serializer.serialize(value))

    def deserialize(self, value: bytes) -> Any:
        import zlib

        return self.serializer.deserialize(zlib.decompress(value))


__all__ = [
    "CompressedSerializer",
    "DateTimeSerializer",
    "JSONSerializer",
    "PandasSerializer",
    "PickleSerializer",
    "Serializer",
]
