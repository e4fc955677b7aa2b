"""The journal: records of runs from other processes, in order, once."""

from __future__ import annotations

from nadi.exceptions import ValueRefused
from nadi.model.access import Permission
from nadi.server.api.store_calls import PACKED, check_store
from nadi.server.routing import Call, Routes
from nadi.storage.contract import Applied
from nadi.storage.http.calls import LARGEST_BODY, Delivery
from nadi.storage.http.receiving import receive

routes = Routes("journal")


@routes.add(
    "POST", "/api/journal", Permission.RECORD, errors=(ValueRefused,), limit=LARGEST_BODY, takes=PACKED, gives=PACKED
)
def deliver(call: Call, body: Delivery) -> Applied:
    """Take a batch of records of one writer.

    A writer counts its records from 1, without a gap. What the store has already is skipped, so that a batch whose
    answer was lost may be sent again. One that begins after a gap is not applied: the answer's `watermark` says after
    which record to go on. Of records that were set aside the answer says why; they do not stop the others.
    """
    check_store(call)
    return receive(call.context.store, body, note=lambda roots: call.context.far.note(roots, call.principal, call.now))
