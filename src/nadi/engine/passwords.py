"""Passwords: kept as salted scrypt hashes with their parameters in the text, so that those can grow."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import threading
from typing import NamedTuple

from nadi.exceptions import CallError

#: The shortest password that is taken, in characters.
MIN_LENGTH = 12
#: The longest, in bytes: hashing must cost the same for everybody.
MAX_LENGTH = 1024
#: Hashes that are computed at once in this process; each takes 32 MB for a third of a second.
_AT_ONCE = threading.BoundedSemaphore(2)


class Cost(NamedTuple):
    """How dear one try is: scrypt's parameters."""

    n: int
    r: int
    p: int


#: What new hashes cost; hashes of less are made anew at the next login.
COST = Cost(n=1 << 15, r=8, p=3)


def check_new_password(password: str, *, user: str = "") -> None:
    """Refuse a password that must not be taken.

    Raises:
        CallError: it is too short or too long, or hardly more than the user's name.
    """
    if len(password) < MIN_LENGTH:
        raise CallError(f"The password has {len(password)} characters; at least {MIN_LENGTH} are wanted.")
    if len(_bytes(password)) > MAX_LENGTH:
        raise CallError(f"The password is too long; at most {MAX_LENGTH:,} bytes are taken.")
    if len(set(password)) < 4 or (user and password.lower().strip("0123456789!.-_ ") == user.lower()):
        raise CallError("The password is too easy to guess: it is the user's name, or a few characters over and over.")


def hash_password(password: str, cost: Cost = COST) -> str:
    """Return what is kept of a password: `scrypt$n$r$p$salt$hash`."""
    salt = os.urandom(16)
    return "$".join(("scrypt", *map(str, cost), _text(salt), _text(_scrypt(password, salt, cost))))


def is_password(password: str, kept: str) -> bool:
    """Tell whether this is the password of which `kept` is kept.

    For "" (nobody has that password) the same time is taken as for a real one, so that who tries names learns
    nothing from the clock.
    """
    parts = _parts(kept or _NOBODY)
    if parts is None:
        return False
    cost, salt, expected = parts
    found = _scrypt(password[:MAX_LENGTH], salt, cost)
    return hmac.compare_digest(found, expected) and bool(kept)


def wants_rehash(kept: str, cost: Cost = COST) -> bool:
    """Tell whether a hash costs less than new ones do."""
    parts = _parts(kept)
    return parts is not None and any(old < new for old, new in zip(parts[0], cost, strict=True))


def _parts(kept: str) -> tuple[Cost, bytes, bytes] | None:
    try:
        kind, n, r, p, salt, digest = kept.split("$")
        cost = Cost(int(n), int(r), int(p))
        return (cost, base64.b64decode(salt), base64.b64decode(digest)) if kind == "scrypt" else None
    except ValueError:
        return None


def _scrypt(password: str, salt: bytes, cost: Cost) -> bytes:
    memory = 128 * cost.n * cost.r
    with _AT_ONCE:
        return hashlib.scrypt(
            _bytes(password), salt=salt, n=cost.n, r=cost.r, p=cost.p, maxmem=2 * memory + (1 << 20), dklen=32
        )


def _bytes(password: str) -> bytes:
    # The same password typed on another system may come composed otherwise; so it is brought to one form.
    import unicodedata

    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


#: Stands in for the hash of a user who is not there; compared with, and never equal.
_NOBODY = "$".join(("scrypt", *map(str, COST), _text(bytes(16)), _text(bytes(32))))
