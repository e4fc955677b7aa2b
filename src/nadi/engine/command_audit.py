"""The audit log of commands: what somebody on this machine changed without a server."""

from __future__ import annotations

from typing import Any

import msgspec

from nadi.exceptions import StoreUnavailable
from nadi.model.access import AuditEntry
from nadi.storage.contract import Store


def note_command(store: Store, action: str, subject: str, *, who: str, now: float, **detail: Any) -> str:
    """Keep in the audit log that a command on this machine changed something.

    Of a store that is far its server keeps the log, and nothing is done here.

    Returns:
        One sentence when it could not be kept; "" otherwise. What the command did stands all the same.
    """
    if store.url.startswith(("http://", "https://")):
        return ""
    entry = AuditEntry(
        at=now, who=who, how="", origin="cli", action=action, subject=subject, detail=msgspec.json.encode(detail)
    )
    try:
        store.access.note(entry)
    except StoreUnavailable as error:
        return f"This is not in the audit log: {error}"
    return ""
