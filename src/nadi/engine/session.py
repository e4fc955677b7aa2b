"""A session: one root run in progress in this process, with what all its flows and tasks share."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

from nadi.engine.clock import Clock
from nadi.engine.history import History
from nadi.engine.interrupts import CancelAsked, Interruptible
from nadi.exceptions import CancelledRun, RunTaken
from nadi.executors.contract import Executor
from nadi.model.records import Record
from nadi.model.results import ResultRef
from nadi.model.runs import Request
from nadi.storage.recorder import Recorder

#: Types whose values are told apart by content and need no memory of where they came from.
_PLAIN = frozenset({type(None), bool, int, float, complex, str, bytes, list, dict, tuple})


class HandedOut:
    """Remembers, weakly, which live objects the engine handed out and what made them."""

    def __init__(self) -> None:
        self._origins: dict[int, tuple[weakref.ref[Any], bytes]] = {}

    def remember(self, value: Any, origin: bytes) -> None:
        """Note that `value` came from the attempt that `origin` names; values that cannot be watched are passed over."""
        key = id(value)
        origins = self._origins
        try:
            origins[key] = (weakref.ref(value, lambda _: origins.pop(key, None)), origin)
        except TypeError:
            return

    def origin(self, value: Any) -> bytes | None:
        """Return where a future or a live object came from, or `None`."""
        if getattr(type(value), "__nadi_origin__", False):
            return bytes(value.origin)
        held = self._origins.get(id(value))
        return held[1] if held is not None and held[0]() is value else None


class LogOrigin(NamedTuple):
    """The run that a log record belongs to, when it is not the one whose code is running."""

    session: Session
    flow_run: str
    #: "" for the flow itself.
    task: str
    name: str


class Session:
    """One root run in progress: who holds it, where it is recorded, what stops it."""

    def __init__(
        self,
        recorder: Recorder,
        clock: Clock,
        *,
        root: str,
        token: int,
        attempt: int,
        history: History | None = None,
    ) -> None:
        self.recorder = recorder
        self.append: Callable[[Record], int] = recorder.append
        self.clock = clock
        self.now = clock.now
        self.root = root
        self.token = token
        self.attempt = attempt
        #: What an earlier attempt recorded; `None` for a first attempt.
        self.history = history
        self.keeper = recorder.keeper(root, attempt)
        self.handed = HandedOut()
        #: Executors in use, by the object that asked for them; closed with the session.
        self.executors: dict[Any, Executor] = {}
        #: Guards completion and callbacks of all runs of the session: held for a few instructions at a time.
        self.lock = threading.Lock()
        #: Why nothing more may start: cancelled, or the run belongs to somebody else now.
        self.stopped: BaseException | None = None
        #: Stretches of user code in threads, to interrupt on a cancel.
        self._stretches: set[Interruptible] = set()
        self._on_stop: list[Callable[[], None]] = []
        #: Interrupts the root flow's function where that takes a signal; `None` elsewhere.
        self.interrupt_flow: Callable[[], None] | None = None
        #: Wakes waits that a cancel must end.
        self.stop_event = threading.Event()
        self.next_id = clock.new_id

    # -- values --

    def keep(self, value: Any, *, run: str, spec_format: str, wanted: bool) -> ResultRef:
        """Keep a finished run's value for resume; never raises."""
        if not wanted:
            return ResultRef("not_kept", note="persist_result is False")
        if self.keeper is None:
            return ResultRef("not_kept", note="the store could not be reached to sign it")
        return self.keeper.keep(value, task_run_id=run, format=spec_format)

    def remember(self, value: Any, origin: bytes) -> None:
        """Remember a value handed to user code, so that a later call that takes it knows where it came from."""
        if type(value) not in _PLAIN:
            self.handed.remember(value, origin)

    # -- stopping --

    def check(self) -> None:
        """Raise if nothing more may start."""
        if self.stopped is not None:
            raise self.stopped

    def on_request(self, request: Request | None) -> None:
        """Listener for the recorder: somebody asks for a cancel, or the run's token is gone (`None`)."""
        if request is None:
            self.stop(RunTaken(self.root, holder="another process, which resumed it"))
        elif request.kind == "cancel":
            self.stop(CancelledRun(f"Cancelled by {request.by}." if request.by else "Cancelled."))

    def stop(self, reason: BaseException, *, interrupt_flow: bool = True) -> None:
        """Let nothing more start and interrupt what runs; only the first reason counts.

        Args:
            reason: What every further start raises.
            interrupt_flow: Whether to interrupt the flow function itself too; not when it is what stops.
        """
        with self.lock:
            if self.stopped is not None:
                return
            self.stopped = reason
            stretches, hooks = list(self._stretches), list(self._on_stop)
        self.stop_event.set()
        if interrupt_flow and self.interrupt_flow is not None:
            self.interrupt_flow()
        for stretch in stretches:
            stretch.interrupt(CancelAsked)
        for hook in hooks:
            hook()

    def on_stop(self, hook: Callable[[], None]) -> None:
        """Call `hook` when the session is stopped; at once when it is already."""
        with self.lock:
            if self.stopped is None:
                self._on_stop.append(hook)
                return
        hook()

    def forget_stop(self, hook: Callable[[], None]) -> None:
        """Do not call `hook` any more."""
        with self.lock:
            if hook in self._on_stop:
                self._on_stop.remove(hook)

    def enter(self, stretch: Interruptible) -> None:
        """Begin a stretch of user code that a stop interrupts."""
        with self.lock:
            self._stretches.add(stretch)

    def leave(self, stretch: Interruptible) -> None:
        """End it."""
        stretch.leave()
        with self.lock:
            self._stretches.discard(stretch)

    def close_executors(self, *, wait: bool) -> None:
        """Let go of every executor of the session."""
        while self.executors:
            _, executor = self.executors.popitem()
            executor.close(wait=wait)


def provenance(run: str, token: int) -> bytes:
    """Return the name of "what this run gave when it was begun under this claim"."""
    return f"{run}:{token}".encode()
