"""A session: one root run in progress in this process, with what all its flows and tasks share."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

from nadi.engine.asset_trail import AssetTrail
from nadi.engine.clock import Clock
from nadi.engine.history import History
from nadi.engine.interrupts import CancelAsked, Interruptible
from nadi.exceptions import CancelledRun, CrashedRun, RunLost, RunTaken, StoreError
from nadi.executors.contract import Executor
from nadi.model.holders import Holder
from nadi.model.records import ArtifactMade, Record
from nadi.model.results import ResultRef
from nadi.model.runs import Request
from nadi.model.work import Work
from nadi.storage.recorder import Recorder

#: Seconds without an answer from the store after which a run asks whether it is still its own before it starts a task.
TERM = 1.5
#: Why a run stops that may not go on while nobody can tell whether it is still its own.
CUT_OFF = "Its lease ran out while the store could not be reached, and its deployment says when_cut_off = stop."

#: Types whose values are told apart by content and need no memory of where they came from.
_PLAIN = frozenset({type(None), bool, int, float, complex, str, bytes, list, dict, tuple})


class HandedOut:
    """Remembers, weakly, which live objects the engine handed out and what made them."""

    def __init__(self) -> None:
        self._origins: dict[int, tuple[weakref.ref[Any], bytes]] = {}

    def remember(self, value: Any, origin: bytes) -> None:
        """Note that `value` came from what `origin` names; values that cannot be watched are passed over."""
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
        self._confirmed = recorder.confirmed
        self.clock = clock
        self.now = clock.now
        self.root = root
        self.token = token
        self.attempt = attempt
        #: What an earlier attempt recorded; `None` for a first attempt.
        self.history = history
        self.keeper = recorder.keeper(root, attempt)
        self.handed = HandedOut()
        #: Keys of the tasks of which was said that they run without the cache.
        self.said: set[str] = set()
        #: Which assets values carry; `None` until the first task run that has to do with assets.
        self.assets: AssetTrail | None = None
        #: What was last said of each progress artifact made here, by id.
        self.progress: dict[str, ArtifactMade] = {}
        #: Executors in use, by the object that asked for them; closed with the session.
        self.executors: dict[Any, Executor] = {}
        #: Guards completion and callbacks of all runs of the session: held for a few instructions at a time.
        self.lock = threading.Lock()
        #: Why nothing more may start: cancelled, or the run belongs to somebody else now.
        self.stopped: BaseException | None = None
        #: Called before each call of a run that somebody asked to suspend; `None` in all others.
        self.suspending: Callable[[], None] | None = None
        #: Told who asks for that.
        self.on_suspend: Callable[[str], None] | None = None
        #: Stretches of user code in threads, to interrupt on a cancel.
        self._stretches: set[Interruptible] = set()
        #: A dict for its order: ten thousand coroutines at once come and go in any.
        self._on_stop: dict[Callable[[], None], None] = {}
        #: Interrupts the root flow's function where that takes a signal; `None` elsewhere.
        self.interrupt_flow: Callable[[], None] | None = None
        #: Whether a task of it was put aside: its flow run then is, too.
        self.has_put_aside = False
        #: Whether somebody resumed it after it was put aside, which is what a task waits for that was.
        self.was_put_aside = False
        #: Whether nothing of it ran before, although it was recorded: it was asked for, and this process begins it.
        self.is_first = False
        #: Whether nothing more may start once the lease of this process has run out and the store does not answer.
        self.stops_when_cut_off = False
        #: What a worker has to know of it; `None` for a run of no deployment.
        self.work: Work | None = None
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

    def remember(self, value: Any, run: str, token: int) -> None:
        """Remember what a run handed to user code, so that a later call that takes it knows where it came from."""
        if type(value) not in _PLAIN:
            self.handed.remember(value, provenance(run, token))

    # -- stopping --

    def check(self) -> None:
        """Raise if nothing more may start."""
        if self.must_stop():
            assert self.stopped is not None
            raise self.stopped
        if self.suspending is not None:
            self.suspending()

    def must_stop(self) -> bool:
        """Tell whether nothing more may start.

        A process that was frozen, or starved, may have lost its run without noticing; so when the store has not
        answered for a while it is asked first.
        """
        if self.stopped is None and self.clock.monotonic() - self._confirmed() > TERM:
            self.recorder.confirm()
            if self.stops_when_cut_off and self.stopped is None and self.recorder.is_cut_off():
                self.stop(CrashedRun(CUT_OFF))
        return self.stopped is not None

    def on_request(self, request: Request | None) -> None:
        """Listener for the recorder: somebody asks for a cancel, or the run's token is gone (`None`)."""
        if request is None:
            self.stop(self._why_not_ours())
        elif request.kind == "cancel":
            self.stop(CancelledRun(f"Cancelled by {request.by}." if request.by else "Cancelled."))
        elif request.kind == "suspend" and self.on_suspend is not None:
            self.on_suspend(request.by)

    def _why_not_ours(self) -> RunTaken:
        try:
            run = self.recorder.store().flow_run(self.root)
        except StoreError:
            run = None
        if run is not None and run.holder == self.recorder.holder.encode():  # nobody claimed it since
            return RunLost(self.root, holder=str(self.recorder.holder))
        holder = str(Holder.decode(run.holder)) if run is not None else "another process, which resumed it"
        return RunTaken(self.root, holder=holder)

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
        for stretch in stretches:
            stretch.interrupt(CancelAsked)
        for hook in hooks:
            hook()
        # Last: where this is the flow's own thread, it is interrupted right here.
        if interrupt_flow and self.interrupt_flow is not None:
            self.interrupt_flow()

    def on_stop(self, hook: Callable[[], None]) -> None:
        """Call `hook` when the session is stopped; at once when it is already."""
        with self.lock:
            if self.stopped is None:
                self._on_stop[hook] = None
                return
        hook()

    def forget_stop(self, hook: Callable[[], None]) -> None:
        """Do not call `hook` any more."""
        with self.lock:
            self._on_stop.pop(hook, None)

    def enter(self, stretch: Interruptible) -> None:
        """Begin a stretch of user code that a stop interrupts."""
        with self.lock:
            self._stretches.add(stretch)
        if self.stopped is not None:  # it was stopped after this stretch was let begin
            stretch.interrupt(CancelAsked)

    def leave(self, stretch: Interruptible) -> None:
        """End it."""
        stretch.leave()
        with self.lock:
            self._stretches.discard(stretch)

    def leave_executors(self) -> None:
        """Let go of every executor of the session; one that no other session uses ends its threads and processes."""
        while self.executors:
            _, executor = self.executors.popitem()
            executor.leave()


def provenance(run: str, token: int) -> bytes:
    """Return the name of "what this run gave when it was begun under this claim"."""
    return f"{run}:{token}".encode()
