"""Workers of background runs: they claim what waits for their tasks, and run several at once.

Each run is claimed by exactly one worker. A run whose worker was killed is found CRASHED by the next look
at what dead processes left, and taken up again, for a bounded number of attempts.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from nadi.engine.background import WAITS
from nadi.engine.background_futures import (
    BackgroundFuture,
    background_futures_in,
    is_settled,
    may_be_taken_up,
    with_values,
)
from nadi.engine.calls import call_task, flow_around
from nadi.engine.flow_aio import drive_flow_async
from nadi.engine.flow_drive import drive_flow
from nadi.engine.flow_runs import FlowRun
from nadi.engine.interrupts import in_main_thread
from nadi.engine.loops import run_loop
from nadi.engine.recording import clock, recorder
from nadi.engine.roots import in_root, in_root_async, recorded_arguments, resumed_root
from nadi.engine.scope import current
from nadi.exceptions import CallError, ContextError, CrashedRun, NotResumable, RunError, StoreError
from nadi.model.records import CallKey
from nadi.model.runs import FlowRun as FlowRunRecord
from nadi.model.specs import FlowSpec, TaskSpec
from nadi.model.states import StateType
from nadi.model.tracebacks import summarise
from nadi.storage.contract import Store
from nadi.storage.recorder import JournalRecorder, Recorder

_log = logging.getLogger("nadi.runs")

#: Seconds between two looks at the store's change number; it is what a run waits for at the most.
POLL = 0.025
#: Seconds between two looks at what dead processes left.
LEFTOVERS = 2.0
#: Seconds that runs get to finish when the worker is asked to end, and then to stop.
GRACE = 10.0
STOPPING = 3.0
#: Waiting runs read at a time.
PAGE = 100


class Worker:
    """Serves background runs of some tasks until it is asked to stop."""

    def __init__(self, specs: Sequence[TaskSpec], *, limit: int | None = 10, grace: float = GRACE) -> None:
        """Serve these tasks.

        Args:
            specs: The tasks.
            limit: How many runs at once; `None` for as many as come.
            grace: Seconds that runs get to finish when the worker is asked to stop; then they are handed back.
        """
        if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
            raise CallError(f"limit takes a whole number of runs, at least 1, or None, not {limit!r}.")
        self._by_key = {spec.key: spec for spec in specs}
        self._names = sorted({spec.name for spec in specs})
        self._limit = limit
        self._grace = grace
        #: A plain flag: a signal handler may interrupt its own thread in the middle of whatever an Event does, and
        #: would wait there for itself.
        self._is_stopped = False
        #: Set when there is something to look at before the next poll.
        self._wake = threading.Event()
        self._lock = threading.Lock()
        self._running: dict[str, FlowRun] = {}
        #: What was said already.
        self._told: set[str] = set()
        #: Of waiting runs, what they wait for.
        self._waits: dict[str, tuple[str, ...]] = {}
        #: Runs that were being claimed when the store went away.
        self._doubtful: set[str] = set()
        self._next_leftovers = 0.0

    def stop(self) -> None:
        """Ask the worker to end: nothing more is claimed; from any thread, or a signal handler."""
        self._is_stopped = True

    def serve(self) -> None:
        """Claim and run until `stop` is called; then finish what runs, or hand it back, and return."""
        into = recorder()
        seen, look = -1, True
        while not self._is_stopped:
            try:
                self._look_for_leftovers(into)
                store = into.store()
                change = store.last_change()
                look = look or change != seen
                self._hand_back(into, store)
                if look and self._free():
                    seen, look = change, False
                    self._take_what_waits(into, store)
            except StoreError as error:
                _log.debug("The store cannot be asked for runs: %s", error)
                self._wake.wait(1.0)
                look = True
            if self._wake.wait(POLL):
                self._wake.clear()
                look = True
        self._finish(into)

    def _free(self) -> int:
        with self._lock:
            return PAGE if self._limit is None else self._limit - len(self._running)

    def _look_for_leftovers(self, into: Recorder) -> None:
        now = time.monotonic()
        if now >= self._next_leftovers and isinstance(into, JournalRecorder):
            self._next_leftovers = now + LEFTOVERS
            into.look_for_leftovers()

    # -- taking --

    def _take_what_waits(self, into: Recorder, store: Store) -> None:
        # What lost its worker has waited longest.
        for state in (StateType.CRASHED, StateType.SCHEDULED):
            for record in _waiting(store, self._names, state):
                if self._is_stopped or not self._free():
                    return
                spec = self._spec_for(record)
                if spec is not None and self._is_ready(record, into, store):
                    self._take(spec, record, store)

    def _spec_for(self, record: FlowRunRecord) -> TaskSpec | None:
        if record.state_type is StateType.CRASHED and not may_be_taken_up(record):
            return None
        spec = self._by_key.get(record.function)
        if spec is None:
            served = ", ".join(sorted(key for key in self._by_key if key.startswith(f"{record.flow}@")))
            self._say_once(
                f"Runs of {record.function} are left waiting: this worker serves {served}, a task of the same name"
                " from another file. Serve it from that file, or give one of the two another name."
            )
        elif record.code != spec.code:
            self._say_once(f"Some runs of {spec.key} were asked for with other code; they run with the code here.")
        return spec

    def _say_once(self, told: str) -> None:
        if told not in self._told:
            self._told.add(told)
            _log.warning(told)

    def _is_ready(self, record: FlowRunRecord, into: Recorder, store: Store) -> bool:
        """Tell whether all that a run waits for has ended; what it waits for is read once."""
        waits = self._waits.get(record.id)
        if waits is None:
            try:
                waits = tuple(one.task_run_id for one in background_futures_in(recorded_arguments(record, into)))
            except NotResumable:
                waits = ()  # told when it is taken
        for id in waits:
            upstream = store.flow_run(id)
            if upstream is not None and not is_settled(upstream):
                self._waits[record.id] = waits
                return False
        self._waits.pop(record.id, None)
        return True

    def _take(self, spec: TaskSpec, record: FlowRunRecord, store: Store) -> None:
        try:
            arguments = recorded_arguments(record, recorder())
            waits = arguments.pop(WAITS, ())
            run = resumed_root(_flow_around(spec, waits), record, parameters=arguments)
        except StoreError:
            self._doubtful.add(record.id)
            raise
        except RunError as error:
            if isinstance(error, NotResumable):
                self._fail(record, store, error)
            return  # else another worker was faster
        except Exception as error:  # what was asked for does not fit the task as it is here
            self._fail(record, store, error)
            return
        # It stays known by the call that asked for it, whatever code runs it.
        run.call = CallKey("", record.function, record.code, b"", 0, 0, 0)
        if not record.started:
            run.session.history = None  # nothing was tried yet
        with self._lock:
            self._running[record.id] = run
        if spec.is_async:
            run_loop.start(lambda: self._run_async(run))
        else:
            threading.Thread(target=self._run, args=(run,), name=f"nadi-background-{run.name}", daemon=True).start()

    def _hand_back(self, into: Recorder, store: Store) -> None:
        """Let go of runs that were claimed and not begun: nobody else takes them while this process lives."""
        for id in list(self._doubtful):
            run = store.flow_run(id)
            if run is not None and run.state_type is StateType.PENDING and run.holder == into.holder.encode():
                told = "Its worker lost the store before the run began."
                store.end_attempt(id, token=run.token, state=StateType.CRASHED, name="", message=told, now=clock.now())
            self._doubtful.discard(id)

    def _fail(self, record: FlowRunRecord, store: Store, error: Exception) -> None:
        """End a run that cannot even begin: nobody else could run it either."""
        newest = store.flow_run(record.id)
        own = newest is not None and newest.holder == recorder().holder.encode()
        token = newest.token if newest is not None and own else record.token
        told = summarise(error)
        store.end_attempt(record.id, token=token, state=StateType.FAILED, name="", message=told, now=clock.now())
        _log.error("Background run %s could not begin: %s", record.name, told)

    # -- running --

    def _run(self, run: FlowRun) -> None:
        try:
            with in_root(run):
                drive_flow(run)
        except BaseException as error:
            _log.debug("Background run %s ended with %r.", run.name, error)
        finally:
            self._ended(run)

    async def _run_async(self, run: FlowRun) -> None:
        try:
            async with in_root_async(run):
                await drive_flow_async(run)
        except BaseException as error:
            _log.debug("Background run %s ended with %r.", run.name, error)
        finally:
            self._ended(run)

    def _ended(self, run: FlowRun) -> None:
        with self._lock:
            self._running.pop(run.id, None)
        self._wake.set()

    def _finish(self, into: Recorder) -> None:
        if self._wait_for_runs(self._grace):
            return
        with self._lock:
            left = list(self._running.values())
        for run in left:
            run.session.stop(CrashedRun("Its worker was asked to end; another one takes it up."))
        if not self._wait_for_runs(STOPPING):
            _log.warning("These could not be interrupted and are left behind: %s.", ", ".join(one.name for one in left))
        into.barrier()

    def _wait_for_runs(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self._running and (left := deadline - time.monotonic()) > 0:
            self._wake.wait(left)
            self._wake.clear()
        return not self._running


def _waiting(store: Store, names: Sequence[str], state: StateType) -> Iterator[FlowRunRecord]:
    after = ""
    while page := store.waiting_runs(names, state=state, after=after, limit=PAGE):
        yield from page
        after = page[-1].id


def _flow_around(spec: TaskSpec, waits: Sequence[BackgroundFuture[Any]]) -> FlowSpec:
    def call(*args: Any, **kwargs: Any) -> Any:
        for future in waits:
            future.value_for(spec.name)
        args = tuple(with_values(value, spec.name) for value in args)
        return call_task(spec, args, {name: with_values(value, spec.name) for name, value in kwargs.items()})

    return flow_around(spec, call)


def serve_tasks(specs: Sequence[TaskSpec], *, limit: int | None = 10) -> None:
    """Serve background runs of tasks in this thread until SIGTERM or Ctrl-C.

    Raises:
        ContextError: called inside of a flow or task.
    """
    if current.get() is not None:
        raise ContextError("serve() runs until it is stopped; call it outside of flows and tasks.")
    worker = Worker(specs, limit=limit)
    with _stopped_by_signals(worker):
        worker.serve()


@contextmanager
def _stopped_by_signals(worker: Worker) -> Iterator[None]:
    """The first SIGTERM or Ctrl-C asks the worker to end; the second Ctrl-C does what it does elsewhere."""
    if not in_main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def ask(number: int, frame: object) -> None:
        worker.stop()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    for number in before:
        signal.signal(number, ask)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
