"""What runs ask of people, and what they are answered.

What is asked arrives as a record of the journal (`InputAsked`) with `Store.apply`. Of one flow run and
key there is one pause: asked again, it stays, with the new question, unless it has been answered; then
nothing changes. Answers are given to the store directly, by whoever can reach it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from nadi.model.pauses import Message, Pause, Verdict


class InputTable(ABC):
    """Pauses and their answers, and messages to runs. They go when their root run is deleted.

    Part of a store; as thread-safe as that, with the same errors, and every change is one of `Store.last_change`.
    """

    @abstractmethod
    def pause(self, run: str, key: str) -> Pause | None:
        """Return the pause of a flow run that has this key."""

    @abstractmethod
    def pauses(self, root: str) -> list[Pause]:
        """Return the pauses of a root run and the subflow runs below it, in the order they were asked."""

    @abstractmethod
    def open_pauses(self, roots: Sequence[str]) -> list[Pause]:
        """Return the open pauses of several root runs and the subflow runs below them, in the order they were asked."""

    @abstractmethod
    def overdue(self, *, now: float, limit: int = 1000) -> list[Pause]:
        """Return open pauses whose deadline is over, of root runs that are PAUSED and held by nobody.

        Who holds a run sees to its deadlines itself. What was asked before the run last began to run is left out:
        it is not what the run waits for.
        """

    @abstractmethod
    def answer(self, run: str, key: str, value: bytes, *, by: str, now: float) -> Verdict:
        """Answer a pause, if it was asked, nobody has answered it, and its deadline is not over.

        Of two who answer at the same moment one has `TAKEN`. Nothing is changed otherwise. Whether the value is
        what was asked for is not looked at.

        Args:
            run: The flow run that pauses.
            key: Which pause of it.
            value: JSON.
            by: Who answers, for people.
            now: Unix seconds.
        """

    @abstractmethod
    def refuse(self, run: str, key: str, why: str) -> bool:
        """Take an answer back, so that the pause is open again and says why; `False` when there was none."""

    @abstractmethod
    def send(self, message: Message) -> int:
        """Keep a message, whose own `seq` does not count; returns its place in the order of arrival."""

    @abstractmethod
    def messages(self, run: str, keyset: str, *, after: int = 0, limit: int = 1000) -> list[Message]:
        """Return messages to a flow run of one set, in order of arrival, only `seq` greater than `after`."""
