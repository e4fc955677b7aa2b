"""Users and keys: making, changing and removing them, and logging in; what commands and routes do is done here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from nadi.engine.credentials import digest_of, new_key_text
from nadi.engine.passwords import check_new_password, hash_password, is_password, wants_rehash
from nadi.exceptions import KeyNotFound, UserNotFound, ValueRefused
from nadi.model.access import OWNER, ApiKey, Permission, Role, User
from nadi.model.text import one_line
from nadi.storage.contracts.access import AccessTable

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._@-]{0,62}[a-z0-9])?")
#: The longest name of a key.
_LONGEST = 100


class NewKey(NamedTuple):
    """A key that was just made: what a program sends, and what is kept."""

    text: str
    key: ApiKey


def add_user(table: AccessTable, name: str, *, role: Role, password: str, now: float) -> User:
    """Make a user; with "" for a password it cannot log in, and has only keys.

    Raises:
        ValueRefused: the name is taken or cannot be used.
        CallError: the password must not be taken.
    """
    if not _NAME.fullmatch(name) or name == OWNER:
        raise ValueRefused(
            f"{one_line(name, 100)!r} cannot be the name of a user: expected up to 64 lower-case letters, digits and"
            f" any of . _ @ - between them, and not {OWNER!r}, which is the person whose server it is."
        )
    user = User(name=name, role=role, password=_new_hash(name, password), created=now)
    if not table.add_user(user):
        raise ValueRefused(f"There is a user {name!r} already.")
    return user


def change_user(
    table: AccessTable, name: str, *, role: Role | None = None, password: str = "", disabled: bool | None = None
) -> User:
    """Change what is given of a user. A new password, and being disabled, end the user's sessions at once.

    Raises:
        UserNotFound: there is none.
        CallError: the password must not be taken.
    """
    hashed = _new_hash(name, password) if password else None
    changed = table.change_user(name, role=role, password=hashed, disabled=disabled)
    if changed is None:
        raise UserNotFound(name)
    return changed


def find_user(table: AccessTable, name: str) -> User:
    """Return a user.

    Raises:
        UserNotFound: there is none.
    """
    found = table.user(name)
    if found is None:
        raise UserNotFound(name)
    return found


def remove_user(table: AccessTable, name: str) -> None:
    """Remove a user with all keys and sessions of theirs.

    Raises:
        UserNotFound: there is none.
    """
    if not table.remove_user(name):
        raise UserNotFound(name)


def log_in(table: AccessTable, name: str, password: str) -> User | None:
    """Return the user whose password this is; `None` when there is none, whatever the reason, after the same time.

    A hash that costs less than new ones do is replaced.
    """
    found = table.user(name)
    kept = found.password if found is not None and not found.disabled else ""
    if not is_password(password, kept) or found is None:
        return None
    if not wants_rehash(kept):
        return found
    # Where the password was changed meanwhile there is nothing to replace, and no session will be opened either.
    return table.change_user(name, password=hash_password(password), was=kept) or found


def add_key(
    table: AccessTable, name: str, *, user: str, scopes: Sequence[Permission], lasts: float, now: float
) -> NewKey:
    """Make an API key for a user.

    Args:
        table: Where it is kept.
        name: What it is for.
        user: Whose key it is; it never may more than that user.
        scopes: What it may do of that; empty for all of it.
        lasts: Seconds until it expires; 0 for never.
        now: Unix seconds.

    Raises:
        UserNotFound: there is no such user.
        ValueRefused: the name is empty or too long, or it would have expired already.
    """
    if not name.strip() or len(name) > _LONGEST:
        raise ValueRefused(f"The name of a key says what it is for, in 1 to {_LONGEST} characters.")
    if not 0 <= lasts < 1e10:
        raise ValueRefused(
            f"A key cannot last {lasts:g} seconds; expected a positive time, or 0 for a key without end."
        )
    text = new_key_text()
    key = ApiKey(
        id=text.id,
        name=one_line(name),
        user=user,
        digest=digest_of(text.secret),
        scopes=tuple(dict.fromkeys(scopes)),
        created=now,
        expires=now + lasts if lasts else 0.0,
    )
    if not table.put_key(key):
        raise UserNotFound(user)
    return NewKey(str(text), key)


def remove_key(table: AccessTable, id: str) -> None:
    """Remove a key; whoever uses it is refused from the next request on.

    Raises:
        KeyNotFound: there is none with this id.
    """
    if not table.remove_key(id):
        raise KeyNotFound(id)


def _new_hash(name: str, password: str) -> str:
    if not password:
        return ""
    check_new_password(password, user=name)
    return hash_password(password)
