"""Variables: named JSON values in the store, read and written by flows and by anything else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from nadi.engine.variables import set_variable, store_at_hand
from nadi.model.runs import Variable as _Recorded


class Variable:
    """A named JSON value of at most 64 KiB, for what changes more often than code; never for secrets.

    Works inside and outside of flows. A task of `executor="process"` has no store at hand: read the
    variable in the flow and pass its value, which then counts among the task's inputs on resume.
    """

    def __init__(self, name: str, value: Any, tags: list[str]) -> None:
        self.name = name
        self.value = value
        self.tags = tags

    @classmethod
    def set(cls, name: str, value: Any, tags: Iterable[str] | None = None, overwrite: bool = False) -> Variable:
        """Keep a value under a name: lower-case letters, digits, underscores and dashes.

        Raises:
            ValueRefused: name or value cannot be used, or the variable exists and `overwrite` is not set.
            StoreUnavailable: the store cannot be reached.
        """
        return cls._of(set_variable(name, value, tags=tags or (), overwrite=overwrite))

    @classmethod
    def get(cls, name: str, default: Any = None) -> Any:
        """Return the value of a variable, or `default` when there is none.

        Raises:
            StoreUnavailable: the store cannot be reached, which is not taken for "there is none".
        """
        found = store_at_hand().variable(name)
        return default if found is None else msgspec.json.decode(found.value)

    @classmethod
    def unset(cls, name: str) -> bool:
        """Remove a variable; `False` when there is none."""
        return store_at_hand().unset_variable(name)

    @classmethod
    async def aset(cls, name: str, value: Any, tags: Iterable[str] | None = None, overwrite: bool = False) -> Variable:
        """The awaitable twin of `set`."""
        variable: Variable = await _beside(lambda: cls.set(name, value, tags, overwrite))
        return variable

    @classmethod
    async def aget(cls, name: str, default: Any = None) -> Any:
        """The awaitable twin of `get`."""
        return await _beside(lambda: cls.get(name, default))

    @classmethod
    async def aunset(cls, name: str) -> bool:
        """The awaitable twin of `unset`."""
        return bool(await _beside(lambda: cls.unset(name)))

    @classmethod
    def _of(cls, recorded: _Recorded) -> Variable:
        return cls(recorded.name, msgspec.json.decode(recorded.value), list(recorded.tags))

    def __repr__(self) -> str:
        return f"Variable(name={self.name!r}, value={self.value!r}, tags={self.tags!r})"


async def _beside(call: Any) -> Any:
    # The store may wait for a lock, which must not hold up the event loop.
    import asyncio

    return await asyncio.to_thread(call)


__all__ = ["Variable"]
