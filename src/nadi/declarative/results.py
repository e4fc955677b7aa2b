"""Results as Prefect 1 has them: where the value of a task is written, under a name that the task's `target` gives."""

from __future__ import annotations

import copy
import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Self

from nadi.declarative.serializers import JSONSerializer, PickleSerializer, Serializer
from nadi.exceptions import DefinitionError
from nadi.storage.settings import read_settings


class Result(ABC):
    """A place for values; one that holds a value, or knows where it lies, is a copy of the place."""

    def __init__(self, value: Any = None, location: str | None = None, serializer: Serializer | None = None) -> None:
        """Describe the place.

        Args:
            value: The value, once it is there.
            location: Where it lies in the place: a template, for the names in `nadi.context` and the task's inputs.
            serializer: How it becomes bytes; as a pickle if not given.
        """
        self.value = value
        self.location = location
        self.serializer = serializer or PickleSerializer()

    def copy(self) -> Self:
        """Return another result of the same place."""
        return copy.copy(self)

    def format(self, **names: Any) -> Self:
        """Return a copy whose location has the values of the names in it."""
        made = self.copy()
        made.location = formatted(self.location or "", names)
        return made

    @abstractmethod
    def read(self, location: str) -> Self:
        """Return a copy with the value that lies there."""

    @abstractmethod
    def write(self, value_: Any, **names: Any) -> Self:
        """Write a value where the location says, with the names in it; returns a copy that has both."""

    @abstractmethod
    def exists(self, location: str, **names: Any) -> bool:
        """Tell whether something lies there."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.location!r}>" if self.location else f"<{type(self).__name__}>"


class LocalResult(Result):
    """Files in a folder of this machine."""

    def __init__(self, dir: str | None = None, validate_dir: bool = True, **more: Any) -> None:
        """Describe the place.

        Args:
            dir: The folder; `targets` in NADI_HOME if not given.
            validate_dir: Whether it must be an absolute path, or one from the working folder that can be made one.
            more: What every result takes.
        """
        super().__init__(**more)
        given = dir if dir is not None else os.path.join(read_settings().home, "targets")
        #: The folder.
        self.dir = os.path.abspath(os.path.expanduser(given)) if validate_dir else given

    def _path(self, location: str) -> Path:
        # An absolute location counts as it is, as for every path of Python.
        return Path(self.dir, location)

    def read(self, location: str) -> Self:
        made = self.copy()
        made.location = location
        made.value = self.serializer.deserialize(self._path(location).read_bytes())
        return made

    def write(self, value_: Any, **names: Any) -> Self:
        made = self.format(**names)
        if not made.location:
            raise DefinitionError("A LocalResult can only write with a location: give it one, or its task a target.")
        made.value = value_
        path = self._path(made.location)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Beside it and then in its place: whoever looks sees all of it or nothing.
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        beside.write_bytes(self.serializer.serialize(value_))
        beside.replace(path)
        return made

    def exists(self, location: str, **names: Any) -> bool:
        return self._path(formatted(location, names)).exists()


class PrefectResult(Result):
    """JSON that is kept in the location itself."""

    def __init__(self, value: Any = None, location: str | None = None, serializer: Serializer | None = None) -> None:
        super().__init__(value, location, serializer or JSONSerializer())

    def read(self, location: str) -> Self:
        made = self.copy()
        made.location, made.value = location, self.serializer.deserialize(location.encode())
        return made

    def write(self, value_: Any, **names: Any) -> Self:
        made = self.copy()
        made.value, made.location = value_, self.serializer.serialize(value_).decode()
        return made

    def exists(self, location: str, **names: Any) -> bool:
        return True


class ConstantResult(Result):
    """One value, which is always there."""

    def read(self, location: str) -> Self:
        return self.copy()

    def write(self, value_: Any, **names: Any) -> Self:
        raise DefinitionError("A ConstantResult has its value; nothing can be written to it.")

    def exists(self, location: str, **names: Any) -> bool:
        return True


def formatted(template: str, names: dict[str, Any]) -> str:
    """Return a template with the values of the names in it.

    Raises:
        DefinitionError: it names something that is not there.
    """
    try:
        return template.format(**names)
    except (KeyError, IndexError, AttributeError, ValueError) as error:
        known = ", ".join(sorted(names))
        raise DefinitionError(
            f"The template {template!r} cannot be filled in: {error}. It may name: {known}."
        ) from None


__all__ = ["ConstantResult", "LocalResult", "PrefectResult", "Result"]
