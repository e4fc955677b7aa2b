"""The install token: a secret in the home, made by the first server there; who can read it is whose server it is.

Programs of the same user on the same machine read it too, so that the command line needs no key there.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from nadi.exceptions import StoreUnavailable
from nadi.storage.home import Home

if TYPE_CHECKING:
    from pathlib import Path

#: What a token begins with; told apart from an API key by its second part, which no key has for an id.
PREFIX = "nadi_install_"


def read_install_token(home: Home) -> str:
    """Return the token of a home; "" where no server was ever started, or this user may not read it."""
    try:
        with open(home.token, encoding="ascii") as file:
            found = file.read().strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return found if found.startswith(PREFIX) else ""


def ensure_install_token(home: Home) -> str:
    """Return the token of a home, made when there is none; of several that make it at once all return the same.

    Raises:
        StoreUnavailable: it cannot be made or read; the sentence says what to do.
    """
    try:
        home.ensure(home.path)
        if not home.token.exists():
            _make(home.token)
        # Whoever could read it meanwhile knows it; that no more can is what is left to do.
        if hasattr(os, "getuid") and home.token.stat().st_mode & 0o077:
            home.token.chmod(0o600)
    except OSError as error:
        raise StoreUnavailable(
            f"The file {home.token}, which holds the token of this server, cannot be made: {error.strerror}."
            " Set NADI_HOME to a folder that can be written."
        ) from error
    token = read_install_token(home)
    if not token:
        raise StoreUnavailable(
            f"The file {home.token} holds no token that this server could use, or cannot be read by this user."
            " Remove it; the next start makes another."
        )
    return token


def _make(path: Path) -> None:
    """Write a new token beside and link it into place: whole or not at all, and never over one that is there."""
    import base64  # 2 ms, and needed once in the life of a home

    secret = base64.b32encode(os.urandom(32)).decode().rstrip("=").lower()
    beside = path.with_name(f"{path.name}.{os.urandom(8).hex()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(f"{PREFIX}{secret}\n")
            file.flush()
            os.fsync(file.fileno())
        _put_in_place(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def _put_in_place(beside: Path, path: Path) -> None:
    try:
        os.link(beside, path)
    except FileExistsError:
        pass  # another server was faster: its token counts
    except OSError:
        # A file system without links. Exclusive creation decides who writes; a reader may see it empty for a moment.
        try:
            with open(path, "x", encoding="ascii", opener=_private) as file:
                file.write(beside.read_text(encoding="ascii"))
        except FileExistsError:
            pass


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
