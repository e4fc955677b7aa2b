"""API keys and other secrets: made from 256 random bits, kept as digests, compared in constant time."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
from typing import NamedTuple

from nadi.model.access import ApiKey

_KEY = re.compile(r"nadi_([a-z0-9]{12})_([a-z2-7]{52})")


class KeyText(NamedTuple):
    """An API key as a program sends it, in its two parts."""

    id: str
    secret: str

    def __str__(self) -> str:
        return f"nadi_{self.id}_{self.secret}"


def new_secret() -> str:
    """Return 256 random bits as 52 lower-case letters and digits, which one double click selects."""
    return base64.b32encode(os.urandom(32)).decode().rstrip("=").lower()


def new_key_text() -> KeyText:
    """Return a new key; its id has 60 random bits, and is no secret."""
    return KeyText(new_secret()[:12], new_secret())


def parse_key(text: str) -> KeyText | None:
    """Return the parts of an API key; `None` for what is none."""
    found = _KEY.fullmatch(text)
    return KeyText(found[1], found[2]) if found else None


def digest_of(secret: str) -> bytes:
    """Return what is kept of a secret. It has 256 random bits, so one round of SHA-256 cannot be turned back."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def is_key(text: KeyText, kept: ApiKey | None) -> bool:
    """Tell whether this is the key that is kept; takes the same time where there is none."""
    expected = kept.digest if kept is not None else bytes(32)
    return hmac.compare_digest(digest_of(text.secret), expected) and kept is not None


def is_same(given: str, expected: str) -> bool:
    """Compare two secrets in constant time; an empty one equals none."""
    return hmac.compare_digest(digest_of(given), digest_of(expected)) and bool(expected)
