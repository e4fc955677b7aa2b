"""Which runs were recorded from afar: noted before anything that is said about them is applied."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable

from nadi.model.access import How, Principal
from nadi.storage.contracts.access import AccessTable

#: How many roots are remembered as noted, and for how many seconds. A store keeps a note that is younger than days, so
#: what is remembered here is still noted there.
MOST_KNOWN = 10_000
KNOWN_FOR = 3600.0


class FarRuns:
    """Notes in a store who records runs from afar. Thread-safe."""

    def __init__(self, table: AccessTable) -> None:
        self._table = table
        self._lock = threading.Lock()
        #: Unix seconds when each root was noted, the first to be noted first.
        self._known: OrderedDict[str, float] = OrderedDict()

    def note(self, roots: Iterable[str], by: Principal, now: float) -> None:
        """Note that somebody says something about root runs; nothing is noted of the owner, who has the database."""
        if by.how is How.INSTALL:
            return
        with self._lock:
            new = [root for root in roots if not 0.0 <= now - self._known.get(root, -KNOWN_FOR) < KNOWN_FOR]
        if not new:
            return
        self._table.note_far(new, who=by.name, at=now)
        with self._lock:  # only now: whoever finds a root here may rely on its note
            for root in new:
                self._known[root] = now
                self._known.move_to_end(root)
            while len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)
