"""What task runs and flow runs in progress share: an outcome that others wait for."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from nadi.engine import hooks
from nadi.engine.interrupts import wait_for_lock, wake
from nadi.engine.logs import run_handler
from nadi.engine.scope import Scope
from nadi.engine.session import LogOrigin, Session, provenance
from nadi.engine.steering import Steering
from nadi.exceptions import UpstreamFailed
from nadi.executors.threads import place_lent
from nadi.model.records import CallKey, CallReused
from nadi.model.results import KeptElsewhere
from nadi.model.runs import FlowRun as FlowRunRecord
from nadi.model.runs import TaskRun as TaskRunRecord
from nadi.model.specs import Spec
from nadi.model.states import State, StateType

_log = logging.getLogger("nadi.runs")


class Run:
    """One run in progress in this process."""

    __slots__ = (
        "_callbacks",
        "_waiters",
        "attempt",
        "bound",
        "call",
        "cancel_asked",
        "done",
        "id",
        "instead_of",
        "interrupt",
        "name",
        "observed",
        "scope",
        "session",
        "spec",
        "state",
        "state_type",
        "steering",
        "tags",
        "token",
        "transaction",
    )

    def __init__(self, spec: Spec, session: Session, scope: Scope | None, bound: dict[str, Any]) -> None:
        self.spec = spec
        self.session = session
        #: The caller's scope; `None` for a root run.
        self.scope = scope
        #: The arguments by name; dropped when the run has ended.
        self.bound: dict[str, Any] | None = bound
        self.call: CallKey | None = None
        #: Ids of recorded runs whose place it takes; see `Scope.instead_of`.
        self.instead_of: tuple[str, ...] = ()
        self.name = spec.name
        self.attempt = 1
        self.tags: frozenset[str] = frozenset()
        #: The final state; there a moment before `done`, while hooks are called.
        self.state: State[Any] | None = None
        self.state_type = StateType.PENDING
        self.done = False
        #: Whether somebody took the outcome; a failure that nobody took fails the flow.
        self.observed = False
        #: Interrupts the user code of the run, while it is under way; `None` when that is not possible.
        self.interrupt: Callable[[], object] | None = None
        #: Whether it was to be interrupted; whoever sets `interrupt` looks here afterwards, or a cancel would be lost.
        self.cancel_asked = False
        #: How signals and its state handler steered it; `None` while they did not.
        self.steering: Steering | None = None
        #: The transaction that its attempt is, where it is one and has begun; see caching.py.
        self.transaction: Any = None
        self._callbacks: list[Callable[[Any], None]] | None = None
        self._waiters: list[threading.Lock] | None = None

    def take_id(self, id: str, token: int | None = None) -> None:
        """Be the run with this id, begun under the claim of `token` (default: the session's)."""
        self.id = id
        #: The claim under which it began.
        self.token = self.session.token if token is None else token

    @property
    def origin(self) -> bytes:
        """What its value is known by when it is passed on."""
        return provenance(self.id, self.token)

    def reuse(self, record: TaskRunRecord | FlowRunRecord, value: Any) -> None:
        """Be over as an equal call that is recorded was: its value or exception stands for this one."""
        session = self.session
        self.name, self.attempt = record.name, record.attempt
        self.take_id(record.id, record.token)
        session.append(CallReused(session.root, session.token, session.now(), self.id))
        session.remember(value, self.id, self.token)
        state: State[Any] = State(
            type=record.state_type,
            name=record.state_name,
            message=record.message,
            at=record.state_at,
            data=value,
            has_data=True,
        )
        self._finish(state, reused=True)

    @property
    def log_origin(self) -> LogOrigin:
        """What the engine's log records about this run are marked with."""
        return LogOrigin(self.session, self.id, "", self.name)

    def log(self, level: int, message: str, *args: object, detail: str = "") -> None:
        """Log about this run, from whichever thread and scope."""
        _log.log(level, message, *args, extra={"nadi_origin": self.log_origin, "nadi_detail": detail})

    @property
    def parameters(self) -> dict[str, Any]:
        """The arguments of the call by name, for hooks and conditions; empty once these have been called."""
        return dict(self.bound or {})

    def _finish(self, state: State[Any], *, reused: bool = False) -> None:
        if run_handler.heard_of(self.id):
            run_handler.ended(self.log_origin)
        self.state = state
        self.state_type = state.type
        try:
            if self.transaction is not None:
                self.leave_transaction(state)
            # Before anybody sees it done: a flow waits for the hooks of its tasks too. What an earlier attempt
            # recorded was told to the hooks then.
            if not reused and not self.spec.hooks_are_empty:
                hooks.call(hooks.chosen(self.spec.hooks, state), self, state)
        finally:
            # Also when a hook was interrupted: nobody would ever wake those that wait.
            self.bound = None
            self.interrupt = None
            with self.session.lock:
                self.done = True
                callbacks, self._callbacks = self._callbacks, None
                waiters, self._waiters = self._waiters, None
            for waiter in waiters or ():
                wake(waiter)
            for callback in callbacks or ():
                callback(self)

    def leave_transaction(self, state: State[Any] | None) -> None:
        """Undo what its attempt left to the end of it; nothing, where the attempt goes on later (PAUSED)."""
        transaction, self.transaction = self.transaction, None
        transaction.leave_undone(state)

    def interruptible_by(self, interrupt: Callable[[], object]) -> None:
        """Let user code that begins now be interrupted by this function."""
        self.interrupt = interrupt
        if self.cancel_asked:
            interrupt()

    def ask_to_stop(self) -> None:
        """Interrupt the user code of the run, now or as soon as it begins."""
        self.cancel_asked = True
        interrupt = self.interrupt
        if interrupt is not None:
            interrupt()

    # -- for those who wait --

    def when_done(self, callback: Callable[[Any], None]) -> None:
        """Call back when the run has ended, in the thread that ended it; at once when it has."""
        with self.session.lock:
            if not self.done:
                if self._callbacks is None:
                    self._callbacks = []
                self._callbacks.append(callback)
                return
        callback(self)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the run has ended; `False` when `timeout` seconds were not enough.

        A run that has its inputs but no thread yet is run right here, by the thread that
        waits for it: that saves two changes of thread, and cannot deadlock.
        """
        if self.done:
            return True
        if timeout is None and self.help_along():
            return True
        with self.session.lock:
            if self.done:
                return True
            waiter = threading.Lock()
            waiter.acquire()
            if self._waiters is None:
                self._waiters = []
            self._waiters.append(waiter)
        with place_lent():
            while not self.done:
                if not wait_for_lock(waiter, timeout):
                    self._forget(waiter)
                    return self.done
            return True

    def _forget(self, waiter: threading.Lock) -> None:
        # Who asks again and again with a short timeout must not leave a lock here each time.
        with self.session.lock:
            if self._waiters is not None:
                self._waiters.remove(waiter)

    def help_along(self) -> bool:
        """Run it here and now if nobody has begun it; `False` when that is not possible or did not end it."""
        return False

    def value(self) -> Any:
        """Return the value of a completed run, or raise what it failed with; takes the outcome."""
        self.observed = True
        state = self.state
        assert state is not None
        if state.type is StateType.COMPLETED:
            if type(state.data) is KeptElsewhere:
                value = state.data.read()
                self.session.remember(value, self.id, self.token)
                return value
            return state.data
        raise state.error()


def outcome_for(taker: str) -> Callable[[Any, bool], Any]:
    """Return what a future stands for among the arguments of the run named `taker`: its value, once it is there.

    The exception in its place where a failure is allowed; otherwise UpstreamFailed is raised.
    """

    def outcome(future: Any, tolerant: bool) -> Any:
        run: Run = future.run
        run.wait()
        run.observed = True
        state = run.state
        assert state is not None
        if state.type is StateType.COMPLETED:
            return run.value()
        if tolerant:
            return state.error()
        raise UpstreamFailed(taker, run.name, state=state.name, reason=state.message)

    return outcome
