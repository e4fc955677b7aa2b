"""Runs as readers see them: what the store answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from nadi.model.results import ResultRef
from nadi.model.states import FINAL, State, StateType


def when(seconds: float | None) -> datetime | None:
    """Return Unix seconds as a datetime in UTC; `None` and 0 mean "not yet", and so does what no calendar has."""
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds else None
    except (ValueError, OverflowError, OSError):  # one such time in a list must not keep the others from being shown
        return None


class _Run(msgspec.Struct, kw_only=True):
    """What flow runs and task runs share."""

    id: str
    root: str
    name: str
    attempt: int
    token: int
    state_type: StateType
    state_name: str
    message: str = ""
    #: Traceback or other long text, when the run failed.
    detail: str = ""
    #: Since when it is in this state, and when it was accepted, started, ended; Unix seconds, 0 for "not yet".
    state_at: float = 0.0
    created: float = 0.0
    started: float = 0.0
    ended: float = 0.0
    tags: tuple[str, ...] = ()
    result: ResultRef | None = None
    #: Identity of the call; see `records.CallKey`.
    scope: str = ""
    function: str = ""
    code: bytes = b""
    inputs: bytes = b""
    certainty: int = 0
    occurrence: int = 0
    position: int = 0
    each: dict[str, bytes] = {}
    own_thread: bool = True
    #: Token of the newest claim in which the call was made, by running or by being reused; smaller than the
    #: root's token means: left over from an earlier attempt of the root.
    seen: int = 0
    #: Change sequence: grows with every change that the store commits.
    seq: int = 0

    @property
    def state(self) -> State[Any]:
        """Where the run stands, without its value."""
        return State(type=self.state_type, name=self.state_name, message=self.message, at=self.state_at)

    @property
    def is_final(self) -> bool:
        """Whether the newest attempt has ended."""
        return self.state_type in FINAL

    def duration(self, now: float) -> float:
        """Return the seconds it has run so far, or ran; 0 when it has not started."""
        return max(0.0, (self.ended or now) - self.started) if self.started else 0.0


class FlowRun(_Run, kw_only=True):
    """One run of a flow: its newest attempt."""

    flow: str
    #: Flow run that this is a subflow of; "" for a root run.
    parent: str = ""
    version: str = ""
    description: str = ""
    #: The parameters as JSON, for people.
    parameters: bytes = b"{}"
    #: The parameters as they were.
    arguments: ResultRef | None = None
    #: Process that holds, or last held, the claim.
    holder: str = ""
    source: bytes = b""
    run_count: int = 1
    #: How many task runs of this very flow run are in which state, by type name.
    task_counts: dict[str, int] = {}
    #: How many log lines or other records were left out, by kind.
    dropped: dict[str, int] = {}

    @property
    def is_root(self) -> bool:
        """Whether this is an outermost run, the thing that is claimed and resumed."""
        return self.id == self.root


class TaskRun(_Run, kw_only=True):
    """One run of a task: its newest attempt."""

    #: Flow run that it belongs to.
    run: str
    task: str
    map_index: int = -1
    upstream: tuple[str, ...] = ()
    #: Unix seconds before which it will not start; 0 when it is not waiting for a time.
    due: float = 0.0
    #: Why it ran again on resume, or what made it be reused.
    reason: str = ""


class Attempt(msgspec.Struct, kw_only=True):
    """One attempt of a run, in the order they were made."""

    run: str
    attempt: int
    token: int
    state_type: StateType
    state_name: str
    message: str = ""
    started: float = 0.0
    ended: float = 0.0
    holder: str = ""


class Superseded(msgspec.Struct, kw_only=True):
    """What a process that had lost its claim still said of a run; it changed nothing."""

    root: str
    #: The flow run or task run that it is about.
    run: str
    token: int
    attempt: int
    state_type: StateType
    state_name: str
    message: str = ""
    at: float = 0.0


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """The right to run one root run: every record written under it carries `token`."""

    run: str
    token: int
    attempt: int
    #: The run's final or waiting state before this claim.
    was: StateType


class Log(msgspec.Struct, kw_only=True):
    """One log line as readers see it."""

    #: Order of arrival in the store; use the last one read as the cursor for the next page.
    seq: int
    root: str
    run: str
    task: str
    at: float
    level: int
    logger: str
    text: str


class Artifact(msgspec.Struct, kw_only=True):
    """One artifact as readers see it."""

    id: str
    root: str
    run: str
    task: str
    key: str
    kind: str
    description: str
    #: JSON, by kind: text, rows, link, image or progress.
    data: bytes
    created: float
    updated: float
    #: Change number of what was last said of it.
    seq: int = 0


class Metric(msgspec.Struct, kw_only=True):
    """One value of a metric as readers see it."""

    seq: int
    root: str
    run: str
    task: str
    key: str
    value: float
    step: int
    at: float


class Variable(msgspec.Struct, kw_only=True):
    """A named JSON value kept in the store."""

    name: str
    #: JSON.
    value: bytes
    tags: tuple[str, ...] = ()
    updated: float = 0.0


class Request(msgspec.Struct, kw_only=True):
    """Something that somebody asks of a running run."""

    run: str
    #: "cancel" (issue 3 adds "pause" and "resume").
    kind: str
    at: float
    by: str


class RunFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which flow runs to list; empty fields ask for nothing."""

    flow: str = ""
    states: tuple[StateType, ...] = ()
    tags: tuple[str, ...] = ()
    #: Only runs that were given these values: name and JSON text of each parameter; what is no JSON is that very text.
    parameters: tuple[tuple[str, str], ...] = ()
    #: Only runs created at or after, and before, these Unix seconds; 0 for no bound.
    since: float = 0.0
    until: float = 0.0
    #: Text that the run's name, flow or id contains; capital letters of ASCII count as small ones.
    text: str = ""
    #: Root runs only, or subflows too.
    roots_only: bool = True
    #: Only runs held by this process.
    holder: str = ""
    #: Only runs that a process holds, or held last: not those that are suspended, or that nobody began.
    held: bool = False
