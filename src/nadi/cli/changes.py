"""Who gives a command, and the audit log that tells of it."""

from __future__ import annotations

import getpass
import socket
import time
from typing import Any

from nadi.cli.output import say
from nadi.engine.command_audit import note_command
from nadi.storage.contract import Store


def who_here() -> str:
    """Return the account of this machine that gives the command."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container may run as a user without a name
        user = "somebody"
    return f"{user} on {socket.gethostname()}"


def note_change(store: Store, action: str, subject: str, **detail: Any) -> None:
    """Keep in the audit log what a command has changed; where that cannot be, a line says so.

    Of a far store its server keeps the log: it notes the call itself.
    """
    missed = note_command(store, action, subject, who=who_here(), now=time.time(), **detail)
    if missed:
        say(f"Note: {missed}", err=True)
