"""Variables: named JSON values in the store, for what changes more often than code."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from nadi.engine.recording import clock, recorder
from nadi.engine.scope import current
from nadi.exceptions import ValueRefused
from nadi.model.runs import Variable
from nadi.model.secrets import masker
from nadi.model.text import safe_repr
from nadi.storage.contract import Store

#: The most bytes of JSON that one variable has.
LARGEST = 64 * 1024

_NAME = re.compile(r"[a-z0-9_-]{1,255}")


def store_at_hand() -> Store:
    """Return the store of the run that calls this, or of this process.

    Raises:
        StoreUnavailable: it cannot be reached, or this is a task in another process, which has none.
    """
    scope = current.get()
    return (scope.session.recorder if scope is not None else recorder()).store()


def set_variable(name: str, value: Any, *, tags: Iterable[str], overwrite: bool) -> Variable:
    """Keep a value under a name.

    Raises:
        ValueRefused: name or value cannot be used, or the variable exists and `overwrite` is not set.
    """
    variable = checked_variable(name, value, tags=tags, now=clock.now())
    if not store_at_hand().set_variable(variable, overwrite=overwrite):
        raise ValueRefused(f"There is a variable {name!r} already. To change it, pass overwrite=True.")
    return variable


def checked_variable(name: str, value: Any, *, tags: Iterable[str], now: float) -> Variable:
    """Return a variable that can be kept.

    Raises:
        ValueRefused: name or value cannot be used.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueRefused(
            f"{safe_repr(name)} cannot name a variable: a name has lower-case letters a-z, digits, underscores and"
            " dashes, at most 255."
        )
    return Variable(name=name, value=_encoded(name, value), tags=tuple(tags), updated=now)


def _encoded(name: str, value: Any) -> bytes:
    try:
        encoded = msgspec.json.encode(value)
    except Exception as error:
        raise ValueRefused(f"Variable {name!r} takes a JSON value, not {safe_repr(value)[:200]}: {error}") from None
    if len(encoded) > LARGEST:
        raise ValueRefused(f"Variable {name!r} has {len(encoded):,} bytes as JSON; a variable has at most {LARGEST:,}.")
    if masker.occurs_in(encoded):
        raise ValueRefused(f"Variable {name!r} holds a secret, and everybody who sees runs may read variables.")
    return encoded
