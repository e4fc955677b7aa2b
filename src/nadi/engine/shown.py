"""What runs show to people, as JSON: secrets masked, and text for what JSON has no form for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from nadi.model.secrets import Secret, mask_value

#: The most characters of an object that is shown as its text.
LONGEST_TEXT = 1000


def shown_as_json(value: Any) -> bytes:
    """Return a value as JSON, secrets masked.

    Numbers of NumPy and the like become numbers, dates text, other objects their text, text that is not valid
    Unicode its escaped form.
    """
    try:
        # Through JSON first, so that text inside of objects is masked too.
        return msgspec.json.encode(mask_value(msgspec.to_builtins(value, enc_hook=_json_form, str_keys=True)))
    except UnicodeEncodeError:
        return msgspec.json.encode(mask_value(_readable(value)))


def plain_text(text: str) -> str:
    """Return text with what is not valid Unicode, as in a broken file name, escaped."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _json_form(value: Any) -> Any:
    """What JSON has no form for: numbers of NumPy become numbers, the rest text."""
    if isinstance(value, Secret):
        return str(value)
    if callable(getattr(value, "item", None)) and getattr(value, "ndim", 0) == 0:
        plain = value.item()
        if isinstance(plain, int | float | str | bool | type(None)):
            return plain
    return str(value)[:LONGEST_TEXT]


def _readable(value: Any) -> Any:
    """Text that is not valid Unicode, such as a broken file name, in a form that can be stored."""
    if isinstance(value, str):
        return plain_text(value)
    if isinstance(value, Mapping):
        return {_readable(str(key)): _readable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_readable(item) for item in value]
    return value if isinstance(value, int | float | bool | type(None)) else plain_text(str(value))
