"""The Executor contract: where attempts of tasks run.

An executor is handed `Work`: one attempt that is ready to run (its inputs are there, its
delay is over). An executor of this process runs it by `work.run()` in a thread of its
choice; one that goes elsewhere ships `work.parcel()`, reports through the work's other
methods, and needs no access to store or server from over there.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod

_users = threading.Lock()


class Work(ABC):
    """One attempt of one task, as an executor sees it. All methods may be called from any thread."""

    __slots__ = ()

    @property
    @abstractmethod
    def timeout(self) -> float | None:
        """Seconds after which the attempt must be over; `None` for no limit."""

    @abstractmethod
    def claim(self) -> bool:
        """Take the attempt for running it; only the first who asks gets `True`, and none after a cancel."""

    @abstractmethod
    def run(self) -> None:
        """Run the attempt here, to its end, in this thread. Never raises."""

    @abstractmethod
    def parcel(self) -> bytes | None:
        """Return the attempt as bytes that `nadi.engine.remote.run_parcel` runs in another process.

        `None` when there is nothing to run now: its answer was there already, or it waits and is handed in again.

        Raises:
            NotKept: function or arguments cannot be sent; the message says which and why.
        """

    @abstractmethod
    def begun(self, where: str) -> None:
        """Tell that the attempt starts now, and where, for people ("process 4711")."""

    @abstractmethod
    def told(self, record: bytes) -> None:
        """Hand on a journal record that the far side sent."""

    @abstractmethod
    def ended(self, outcome: bytes) -> None:
        """Hand on the outcome that the far side sent."""

    @abstractmethod
    def lost(self, error: BaseException) -> None:
        """Tell that the attempt ended without an outcome: its process died, or it was killed for a reason."""


class Executor(ABC):
    """A place where attempts run. Making one starts nothing; it starts with its first work."""

    #: What `executor=` and the records call it.
    name: str
    #: Whether work runs in this process, so that whoever waits for it may run it instead.
    runs_here: bool = True

    #: How many runs use it now.
    _joined: int = 0

    @abstractmethod
    def submit(self, work: Work) -> None:
        """Run the work as soon as there is a place. Returns at once; order of submission is order of start."""

    @abstractmethod
    def cancel(self, work: Work) -> bool:
        """Stop work that is running, for certain; `False` when this executor cannot."""

    @abstractmethod
    def close(self, *, wait: bool) -> None:
        """Let go of threads and processes; with `wait` only after the work in hand is done.

        Work handed in later starts it again.
        """

    def join(self) -> None:
        """Count another run that uses this executor: one object may serve several, one after the other or at once."""
        with _users:
            self._joined += 1

    def leave(self) -> None:
        """Count a run less; when the last has left, the executor lets go of its threads and processes."""
        with _users:
            self._joined -= 1
            last = self._joined == 0
        if last:
            self.close(wait=False)

    def occupancy(self) -> tuple[int, int | None]:
        """Return how many attempts run now, and how many may; `None` for no limit."""
        return 0, None
