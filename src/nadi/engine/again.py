"""A retry within one claim: what a flow or a parent task had finished stands, as on a resume."""

from __future__ import annotations

import logging

from nadi.engine.history import History
from nadi.engine.session import Session
from nadi.exceptions import StoreError
from nadi.model.states import StateType

_log = logging.getLogger("nadi.runs")


def finished_so_far(session: Session, name: str) -> History | None:
    """Return what the root run has recorded up to now, for a function that is entered again.

    `None` if it cannot be read; then everything runs again.
    Calls that had failed run again, as new records: a final state never changes within one claim.
    """
    session.recorder.barrier()
    try:
        records = list(session.recorder.store().recorded_calls(session.root))
    except StoreError as error:
        _log.warning("What %s finished before cannot be looked up, so all of it runs again. %s", name, error)
        return None
    return History(records, was=StateType.FAILED, fetch=session.recorder.fetch, adopting=False)
