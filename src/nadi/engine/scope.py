"""Scopes: each running flow or task is the scope of the calls that it makes.

A call is known by its scope, its function, its code, its inputs, and how many equal calls
came before it in the scope: that is what resume compares (docs/explanation/durability.md).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from nadi.engine.history import History
from nadi.engine.session import LogOrigin, Session
from nadi.exceptions import ContextError
from nadi.executors.contract import Executor
from nadi.model.digests import blake2b
from nadi.model.fingerprints import Certainty, fingerprints
from nadi.model.records import CallKey
from nadi.model.specs import FlowSpec, Spec

#: How many flows and tasks call each other on one stack; Python's limit of 1,000 frames leaves each of them 40.
CALLS_PER_STACK = 25


class Scope:
    """The record that calls belong to, and what they inherit from it."""

    __slots__ = (
        "_code",
        "_counts",
        "_lock",
        "_path",
        "_position",
        "attempt",
        "call",
        "children",
        "context",
        "depth",
        "executor",
        "flow_name",
        "flow_run",
        "history",
        "home",
        "id",
        "instead_of",
        "is_flow",
        "log_prints",
        "name",
        "parameters",
        "parent",
        "pauses",
        "run",
        "run_count",
        "session",
        "spec",
        "steps",
        "tags",
        "thread",
        "transaction",
    )

    def __init__(
        self,
        session: Session,
        spec: Spec,
        *,
        id: str,
        name: str,
        flow_run: str,
        parent: Scope | None,
        executor: Executor | None,
        tags: frozenset[str],
        log_prints: bool,
        parameters: Mapping[str, Any],
        attempt: int = 1,
        call: CallKey | None = None,
        path: bytes | None = None,
        instead_of: tuple[str, ...] = (),
    ) -> None:
        self.session = session
        self.spec = spec
        #: Which call made this run; `None` for a root run.
        self.call = call
        #: Id of the record: the flow run or task run that makes the calls.
        self.id = id
        #: Ids of recorded runs whose place this one takes: what was finished below them stands for its calls.
        self.instead_of = instead_of
        self.name = name
        #: Id of the flow run that it belongs to, or is.
        self.flow_run = flow_run
        self.is_flow = isinstance(spec, FlowSpec)
        self.flow_name: str = spec.name if self.is_flow or parent is None else parent.flow_name
        self.parent = parent
        #: How many calls it is inside of.
        self.depth: int = 0 if parent is None else parent.depth + 1
        #: Where submitted tasks run; `None` until the first one asks.
        self.executor = executor
        self.tags = tags
        self.log_prints = log_prints
        self.parameters = parameters
        self.attempt = attempt
        self.run_count = 1
        #: What may stand for calls made here: what earlier attempts of the root recorded, or, after a
        #: retry of the function, what it had finished by then.
        self.history: History | None = parent.history if parent is not None else session.history
        #: What was submitted here, for the final state; kept by flows, for the tasks in them too.
        self.children: list[Any] = []
        self.home: Scope = self if self.is_flow or parent is None else parent.home
        #: The transaction that the innermost task here is; see `transactions.get_transaction`.
        self.transaction: Any = parent.transaction if parent is not None else None
        self.thread = threading.get_ident()
        #: Next step of each metric that is logged here without one.
        self.steps: dict[str, int] = {}
        #: The flow run in progress whose scope this is; `None` for tasks.
        self.run: Any = None
        #: How often it paused without saying a key.
        self.pauses = 0
        #: What `nadi.context` has here beside what the scope itself tells.
        self.context: Mapping[str, Any] | None = None
        self._path = path
        self._lock = threading.Lock()
        #: By function and code, then by inputs: how many equal calls were made. Nothing that the garbage
        #: collector has to look at is kept for each of a hundred thousand calls.
        self._counts: dict[tuple[str, bytes], dict[bytes, int]] = {}
        self._position = 0
        self._code: bytes | None = None

    @property
    def log_origin(self) -> LogOrigin:
        """What log records of this scope are marked with."""
        return LogOrigin(self.session, self.flow_run, "" if self.is_flow else self.id, self.name)

    @property
    def is_deep(self) -> bool:
        """Whether what is called from here needs a stack of its own: recursion must not end in a RecursionError."""
        return self.depth % CALLS_PER_STACK == CALLS_PER_STACK - 1

    @property
    def code(self) -> bytes:
        """Digest of the calling function itself; ends the match of inputs that content cannot tell apart."""
        if self._code is None:
            self._code = self.spec.calling_code
        return self._code

    @property
    def path(self) -> bytes:
        """Digest of the calls that lead here from the root run: the same over retries and resumes, unlike ids."""
        if self._path is None:
            above = self.parent.path if self.parent is not None else self.session.root.encode()
            call = self.call
            if call is not None:
                told = (call.function, call.code, call.inputs, call.occurrence)
                above = blake2b(above + repr(told).encode(), digest_size=16).digest()
            self._path = above
        return self._path

    @property
    def made_calls(self) -> bool:
        """Whether any call was made here."""
        return self._position > 0

    def begin_again(self) -> None:
        """Count calls from the start: the function is entered again, by a retry."""
        with self._lock:
            self._counts.clear()
            self._position = 0
            self.pauses = 0
            self.steps.clear()
        self.run_count += 1

    def next_step(self, metric: str) -> int:
        """Return the step of the next value of a metric that is logged without one: 0, 1, 2, ..."""
        with self._lock:
            step = self.steps.get(metric, 0)
            self.steps[metric] = step + 1
            return step

    def next_pause(self) -> str:
        """Return the key of the next pause without one of its own: "1", "2", ..."""
        with self._lock:
            self.pauses += 1
            return str(self.pauses)

    def identify(self, spec: Spec, inputs: Mapping[str, Any]) -> CallKey:
        """Return which call this is: the next one of `spec` with these inputs in this scope."""
        (digest, certainty), each = fingerprints(inputs, self.session.handed.origin) if inputs else _NOTHING
        if certainty is not Certainty.CONTENT:
            # What content cannot tell apart is told apart by the code that made the call.
            digest = blake2b(digest + self.code, digest_size=16).digest()
        code, function = spec.code, spec.key
        with self._lock:
            counts = self._counts.get((function, code))
            if counts is None:
                counts = self._counts[function, code] = {}
            occurrence = counts.get(digest, 0)
            counts[digest] = occurrence + 1
            position = self._position
            self._position = position + 1
        own = self.thread == threading.get_ident()
        return CallKey(self.id, function, code, digest, int(certainty), occurrence, position, each, own)


_NOTHING = fingerprints({}, lambda _: None)

#: The scope of the code that runs now, in this thread or coroutine; `None` outside of flows and tasks.
current: ContextVar[Scope | None] = ContextVar("nadi_scope", default=None)


def scope_of(what: str) -> Scope:
    """Return the scope of the code that runs.

    Raises:
        ContextError: there is none.
    """
    scope = current.get()
    if scope is None:
        raise ContextError(f"{what} works inside of a flow or task: it belongs to the run that calls it.")
    return scope


_tags: ContextVar[frozenset[str]] = ContextVar("nadi_tags", default=frozenset())


@contextmanager
def tags(*names: str) -> Iterator[frozenset[str]]:
    """Add tags to every flow run and task run that is called in the body."""
    joined = _tags.get() | frozenset(names)
    token = _tags.set(joined)
    try:
        yield joined
    finally:
        _tags.reset(token)


def current_tags() -> frozenset[str]:
    """Return the tags in force here."""
    return _tags.get()
