"""The audit log: who changed what, or tried to."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from nadi.engine.shapes import AuditShape, audit_shape
from nadi.model.access import Permission
from nadi.server.routing import Call, Routes

routes = Routes("audit")


class AuditQuery(msgspec.Struct, frozen=True):
    """Which entries."""

    who: str = ""
    action: str = ""
    subject: str = ""
    #: Only entries of this time or later.
    since: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    #: Only entries whose `seq` is smaller: that of the last one of the page before. 0 for the newest.
    before: Annotated[int, msgspec.Meta(ge=0)] = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100


@routes.add("GET", "/api/audit", Permission.ADMIN)
def list_audit(call: Call, query: AuditQuery) -> list[AuditShape]:
    """List entries, newest first: who changed what, when and from where, and whose attempts were refused."""
    found = call.context.store.access.audit(
        who=query.who,
        action=query.action,
        subject=query.subject,
        since=query.since.timestamp() if query.since else 0.0,
        before=query.before,
        limit=query.limit,
    )
    return [audit_shape(entry) for entry in found]
