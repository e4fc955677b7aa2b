"""Refused attempts in the audit log: equal ones within a minute are one entry, and a flood has an end."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

import msgspec

from nadi.model.access import AuditEntry
from nadi.storage.contracts.access import AccessTable

#: Seconds within which equal refusals are one entry.
TOGETHER = 60.0
#: The most entries of refusals in an hour; what comes beyond is one entry, whoever it was.
MOST_AN_HOUR = 200
_HOUR = 3600.0
#: Stands for all that are not told apart any more.
_MANY = AuditEntry(at=0.0, who="", how="", origin="many addresses", action="many_refused", status=0)


class _Noted:
    """One entry that was written, and how often the same came since."""

    def __init__(self, seq: int, begun: float) -> None:
        self.seq = seq
        self.begun = begun
        self.times = 1


class Refusals:
    """Writes refused attempts, for one server process; time is that of the entries."""

    def __init__(self) -> None:
        self._lock = Lock()
        #: By what makes them equal, oldest first.
        self._noted: OrderedDict[tuple[str, str, str, str, int], _Noted] = OrderedDict()
        self._hour = 0.0
        self._written = 0

    def note(self, table: AccessTable, entry: AuditEntry) -> None:
        """Keep a refused attempt, or count it where the same was refused within the last minute.

        The count stands in the entry's detail as `times`. It is written each time that it has doubled: a flood
        costs a few writes.
        """
        with self._lock:
            self._forget(entry.at)
            found = self._noted.get(_equal(entry))
            if found is None and self._is_over(entry.at):
                entry = msgspec.structs.replace(_MANY, at=entry.at)
                found = self._noted.get(_equal(entry))
            if found is None:
                self._noted[_equal(entry)] = _Noted(table.note(entry), entry.at)
                self._written += 1
                return
            found.times += 1
            if found.times & (found.times - 1) == 0:
                table.amend(found.seq, _with_times(entry.detail, found.times))

    def _is_over(self, now: float) -> bool:
        if not 0.0 <= now - self._hour < _HOUR:
            self._hour, self._written = now, 0
        return self._written >= MOST_AN_HOUR

    def _forget(self, now: float) -> None:
        for key, noted in list(self._noted.items()):
            # That of the many stays for its hour.
            if 0.0 <= now - noted.begun < (_HOUR if key == _equal(_MANY) else TOGETHER):
                continue
            del self._noted[key]


def _equal(entry: AuditEntry) -> tuple[str, str, str, str, int]:
    return entry.who, entry.how, entry.origin, entry.action, entry.status


def _with_times(detail: bytes, times: int) -> bytes:
    told = msgspec.json.decode(detail, type=dict[str, msgspec.Raw])
    return msgspec.json.encode({**told, "times": times})
