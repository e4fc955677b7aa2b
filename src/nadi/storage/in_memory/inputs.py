"""What runs ask of people, and what they are answered, in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock

import msgspec

from nadi.model.pauses import Message, Pause, Verdict, judge_answer
from nadi.model.records import InputAsked
from nadi.storage.contracts.inputs import InputTable


class MemoryInputTable(InputTable):
    """See the contract.

    Args:
        usable: Gives the lock of the store, or raises when the store is closed.
        next_change: Takes the next change number; called under the lock.
        is_waited_for: Tells whether a pause is what a suspended root run waits for; called under the lock.
    """

    def __init__(
        self, usable: Callable[[], Lock], next_change: Callable[[], int], is_waited_for: Callable[[Pause], bool]
    ) -> None:
        self._usable = usable
        self._next_change = next_change
        self._is_waited_for = is_waited_for
        self._pauses: dict[tuple[str, str], Pause] = {}
        self._messages: list[Message] = []

    def pause(self, run: str, key: str) -> Pause | None:
        with self._usable():
            return self._pauses.get((run, key))

    def pauses(self, root: str) -> list[Pause]:
        with self._usable():
            found = (pause for pause in self._pauses.values() if pause.root == root)
            return sorted(found, key=lambda pause: (pause.at, pause.run, pause.key))

    def open_pauses(self, roots: Sequence[str]) -> list[Pause]:
        with self._usable():
            wanted = set(roots)
            found = (pause for pause in self._pauses.values() if pause.is_open and pause.root in wanted)
            return sorted(found, key=lambda pause: (pause.at, pause.run, pause.key))

    def overdue(self, *, now: float, limit: int = 1000) -> list[Pause]:
        with self._usable():
            late = (one for one in self._pauses.values() if one.is_overdue(now) and self._is_waited_for(one))
            return sorted(late, key=lambda pause: pause.deadline)[:limit]

    def answer(self, run: str, key: str, value: bytes, *, by: str, now: float) -> Verdict:
        with self._usable():
            pause = self._pauses.get((run, key))
            verdict = judge_answer(pause, now)
            if pause is not None and verdict is Verdict.TAKEN:
                self._change(msgspec.structs.replace(pause, answer=value, by=by, answered=now, refused=""))
            return verdict

    def refuse(self, run: str, key: str, why: str) -> bool:
        with self._usable():
            pause = self._pauses.get((run, key))
            if pause is None or pause.answer is None:
                return False
            self._change(msgspec.structs.replace(pause, answer=None, by="", answered=0.0, refused=why))
            return True

    def send(self, message: Message) -> int:
        with self._usable():
            kept = msgspec.structs.replace(message, seq=self._next_change())
            self._messages.append(kept)
            return kept.seq

    def messages(self, run: str, keyset: str, *, after: int = 0, limit: int = 1000) -> list[Message]:
        with self._usable():
            return [one for one in self._messages if (one.run, one.keyset) == (run, keyset) and one.seq > after][:limit]

    # -- for the store, which has the lock --

    def take(self, asked: Sequence[InputAsked]) -> None:
        """Keep what runs ask."""
        for one in asked:
            there = self._pauses.get((one.id, one.key))
            if there is None or (there.answer is None and there.root == one.root):
                self._pauses[one.id, one.key] = Pause(
                    run=one.id,
                    root=one.root,
                    key=one.key,
                    at=one.at,
                    deadline=one.deadline,
                    schema=one.schema,
                    description=one.description,
                    initial=one.initial,
                    over=one.over,
                    refused=there.refused if there is not None else "",
                )

    def forget(self, root: str) -> None:
        """Drop all of a root run that is deleted."""
        self._pauses = {key: pause for key, pause in self._pauses.items() if pause.root != root}
        self._messages = [message for message in self._messages if message.root != root]

    def _change(self, pause: Pause) -> None:
        self._pauses[pause.run, pause.key] = pause
        self._next_change()
