"""Scopes: each running flow or task is the scope of the calls that it makes.

A call is known by its scope, its function, its code, its inputs, and how many equal calls
came before it in the scope: that is what resume compares (docs/explanation/durability.md).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import blake2b
from typing import Any

from nadi.engine.session import LogOrigin, Session
from nadi.executors.contract import Executor
from nadi.model.fingerprints import Certainty, fingerprint, fingerprint_each
from nadi.model.records import CallKey
from nadi.model.specs import FlowSpec, Spec


class Scope:
    """The record that calls belong to, and what they inherit from it."""

    __slots__ = (
        "_code",
        "_counts",
        "_lock",
        "_position",
        "attempt",
        "children",
        "executor",
        "flow_name",
        "flow_run",
        "home",
        "id",
        "is_flow",
        "log_prints",
        "name",
        "parameters",
        "parent",
        "run_count",
        "session",
        "spec",
        "tags",
        "thread",
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
    ) -> None:
        self.session = session
        self.spec = spec
        #: Id of the record: the flow run or task run that makes the calls.
        self.id = id
        self.name = name
        #: Id of the flow run that it belongs to, or is.
        self.flow_run = flow_run
        self.is_flow = isinstance(spec, FlowSpec)
        self.flow_name: str = spec.name if self.is_flow or parent is None else parent.flow_name
        self.parent = parent
        #: Where submitted tasks run; `None` until the first one asks.
        self.executor = executor
        self.tags = tags
        self.log_prints = log_prints
        self.parameters = parameters
        self.attempt = attempt
        self.run_count = 1
        #: What was submitted here, for the final state; kept by flows, for the tasks in them too.
        self.children: list[Any] = []
        self.home: Scope = self if self.is_flow or parent is None else parent.home
        self.thread = threading.get_ident()
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, bytes, bytes], int] = {}
        self._position = 0
        self._code: bytes | None = None

    @property
    def log_origin(self) -> LogOrigin:
        """What log records of this scope are marked with."""
        return LogOrigin(self.session, self.flow_run, "" if self.is_flow else self.id, self.name)

    @property
    def code(self) -> bytes:
        """Digest of the calling function itself; ends the match of inputs that content cannot tell apart."""
        if self._code is None:
            self._code = self.spec.code
        return self._code

    def begin_again(self) -> None:
        """Count calls from the start: the function is entered again, by a retry."""
        with self._lock:
            self._counts.clear()
            self._position = 0
        self.run_count += 1

    def identify(self, spec: Spec, inputs: Mapping[str, Any]) -> CallKey:
        """Return which call this is: the next one of `spec` with these inputs in this scope."""
        digest, certainty = fingerprint(inputs, self.session.handed.origin) if inputs else _NOTHING
        if certainty is not Certainty.CONTENT:
            # What content cannot tell apart is told apart by the code that made the call.
            digest = blake2b(digest + self.code, digest_size=16).digest()
        code, function = spec.code, spec.key
        key = (function, code, digest)
        with self._lock:
            occurrence = self._counts.get(key, 0)
            self._counts[key] = occurrence + 1
            position = self._position
            self._position = position + 1
        own = self.thread == threading.get_ident()
        each = fingerprint_each(inputs, self.session.handed.origin) if inputs else {}
        return CallKey(self.id, function, code, digest, int(certainty), occurrence, position, each, own)


_NOTHING = fingerprint({}, lambda _: None)

#: The scope of the code that runs now, in this thread or coroutine; `None` outside of flows and tasks.
current: ContextVar[Scope | None] = ContextVar("nadi_scope", default=None)

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
