"""Pauses: what a run asks of people, what it was answered, and what was sent to it besides."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from nadi.model.text import human_duration, one_line


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """One pause of a flow run, known by the flow run and its key: what is asked, and the answer once there is one."""

    #: The flow run that pauses, and its outermost run.
    run: str
    root: str
    #: "1", "2", ... in the order in which the flow run paused, or what the flow said.
    key: str
    #: Since when it asks, Unix seconds.
    at: float
    #: Until when it can be answered; 0 for ever.
    deadline: float = 0.0
    #: JSON Schema of the answer; empty when none is wanted but that somebody says "go on".
    schema: bytes = b""
    description: str = ""
    #: JSON: values that a form starts with; empty when there are none.
    initial: bytes = b""
    #: JSON; `None` while there is no answer.
    answer: bytes | None = None
    #: Who answered, and when.
    by: str = ""
    answered: float = 0.0
    #: Why the last answer was not taken; "" when there was none that was not.
    refused: str = ""
    #: Whether the run gave up waiting for an answer.
    over: bool = False

    @property
    def is_open(self) -> bool:
        """Whether somebody may answer, as far as the time allows."""
        return self.answer is None and not self.over

    def is_overdue(self, now: float) -> bool:
        """Whether nobody answered in time."""
        return self.is_open and bool(self.deadline) and now >= self.deadline


class Verdict(StrEnum):
    """What becomes of an answer."""

    TAKEN = "taken"
    #: Nothing was asked under this key.
    UNASKED = "unasked"
    #: Somebody was faster.
    ANSWERED = "answered"
    #: The time for it is over.
    OVERDUE = "overdue"


def judge_answer(pause: Pause | None, now: float) -> Verdict:
    """Tell whether an answer given at `now` counts: the first one that is given in time does."""
    if pause is None:
        return Verdict.UNASKED
    if pause.answer is not None:
        return Verdict.ANSWERED
    return Verdict.OVERDUE if pause.over or pause.is_overdue(now) else Verdict.TAKEN


def overdue_told(name: str, pause: Pause) -> str:
    """Say that the run called `name` had no answer in time."""
    given = human_duration(round(pause.deadline - pause.at, 3))
    what = f" ({one_line(pause.description, 80)})" if pause.description else ""
    return f"Nobody answered pause {pause.key} of run {name}{what} within {given}."


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A value that was sent to a flow run, whether it asked or not."""

    #: Order of arrival in the store; use the last one read as the cursor for the next.
    seq: int
    root: str
    run: str
    #: What kind of value it is: a flow run receives the messages of one set at a time.
    keyset: str
    #: JSON.
    value: bytes
    #: Id of the flow run that sent it; "" when it was no flow run.
    sender: str
    at: float
