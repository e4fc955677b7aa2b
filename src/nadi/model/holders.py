"""Who holds a run: enough about a process to tell it from every other, before and after its death.

A process id alone does not do: it is reused after a death, means another process in another
container, and nothing on another host. Boot id, pid namespace, pid and start time together do.
"""

from __future__ import annotations

import msgspec


class Holder(msgspec.Struct, frozen=True):
    """One process that writes runs, under one writer id."""

    #: Writer id of its journal.
    writer: str
    host: str
    pid: int
    #: Start time of the process in clock ticks since boot; 0 where the system does not tell.
    started: int
    #: Identity of this boot of the machine; "" where the system does not tell.
    boot: str
    #: Pid namespace; "" where there is none.
    namespace: str

    def encode(self) -> str:
        """Return the text that records carry."""
        return "|".join((self.writer, self.host, str(self.pid), str(self.started), self.boot, self.namespace))

    @classmethod
    def decode(cls, text: str) -> Holder:
        """Read the text of a record; text of another form gives a holder that nobody can judge."""
        parts = text.split("|")
        # Records come from other machines too: whatever stands there, who reads it must not fall over it.
        if len(parts) != 6 or not all(part.isascii() and part.isdigit() and len(part) < 20 for part in parts[2:4]):
            return cls(writer=text, host="", pid=0, started=0, boot="", namespace="")
        return cls(parts[0], parts[1], int(parts[2]), int(parts[3]), parts[4], parts[5])

    def shares_pids_with(self, other: Holder) -> bool:
        """Tell whether the two live in one boot and pid namespace, so that one can look the other's pid up."""
        return bool(self.boot) and (self.boot, self.namespace) == (other.boot, other.namespace)

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}" if self.pid else f"process {self.writer}"
