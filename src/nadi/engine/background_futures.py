"""Futures of background runs: what becomes of a run in another process, as the store tells it."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any, Generic, TypeVar, cast

from nadi.engine.launched import may_load
from nadi.engine.recording import recorder
from nadi.engine.remote import RemoteRecorder
from nadi.engine.resting import rest
from nadi.engine.scope import current
from nadi.exceptions import MissingResult, RunNotFound, StoreUnavailable, TimedOut, UpstreamFailed
from nadi.model.results import ResultRef
from nadi.model.runs import FlowRun as FlowRunRecord
from nadi.model.states import State, StateType
from nadi.storage.recorder import Recorder

R = TypeVar("R")

#: Attempts after which a background run whose workers died, one after the other, stays CRASHED.
MOST_ATTEMPTS = 5
#: Seconds between two looks of those that wait for a run of another process: the fewest, and the most.
POLL, LONGEST_POLL = 0.05, 1.0

_log = logging.getLogger("nadi.runs")


def recorder_here() -> Recorder:
    """Return where to write a root run of its own from here.

    Raises:
        StoreUnavailable: this is a task in another process, which cannot reach the store of its run.
    """
    scope = current.get()
    into = scope.session.recorder if scope is not None else recorder()
    if not isinstance(into, RemoteRecorder):
        return into
    own = recorder() if into.results_folder else None
    if own is None or own.store().id != into.store_id:
        raise StoreUnavailable(
            "This task runs in another process, from which the store of its run cannot be reached. Call delay() in"
            " the flow, or in a task of executor='thread'."
        )
    return own


def is_background(run: FlowRunRecord) -> bool:
    """Tell whether a run is a background run."""
    return run.is_root and bool(run.function)


def told_background(run: FlowRunRecord) -> str:
    """Return what becomes of a background run that has ended or lost its worker, and what serves instead."""
    serves = (
        "the next worker that serves the task takes it up."
        if may_be_taken_up(run)
        else f"ask for another one with {run.flow}.delay()."
    )
    return f"It is a background run of the task {run.flow!r}: {serves}"


def is_settled(run: FlowRunRecord) -> bool:
    """Tell whether nothing will change about a run: of a background run, that no worker takes it up again."""
    return run.is_final and not may_be_taken_up(run)


def may_be_taken_up(run: FlowRunRecord) -> bool:
    """Tell whether a background run lost its worker and goes on in the next one."""
    return is_background(run) and run.state_type is StateType.CRASHED and run.attempt < MOST_ATTEMPTS


def background_futures_in(value: Any) -> Iterator[BackgroundFuture[Any]]:
    """Yield the futures of background runs in a value: itself, or in lists, tuples and dicts."""
    if isinstance(value, BackgroundFuture):
        yield value
    elif type(value) in (list, tuple):
        for item in value:
            yield from background_futures_in(item)
    elif type(value) is dict:
        for item in value.values():
            yield from background_futures_in(item)


def with_values(value: Any, taker: str) -> Any:
    """Return a value with the futures of background runs in it replaced by their values.

    Raises:
        UpstreamFailed: one of them did not complete.
    """
    if isinstance(value, BackgroundFuture):
        return value.value_for(taker)
    if type(value) in (list, tuple):
        return type(value)(with_values(item, taker) for item in value)
    if type(value) is dict:
        return {key: with_values(item, taker) for key, item in value.items()}
    return value


class BackgroundFuture(Generic[R]):
    """The outcome of a background run, wherever it runs. Awaitable; known by its id, in every process."""

    def __init__(self, id: str) -> None:
        """Stand for the run with this id; `nadi.futures.background_future` finds one by id or name."""
        #: Id of the run.
        self.task_run_id = id

    def _record(self) -> FlowRunRecord | None:
        return recorder_here().store().flow_run(self.task_run_id)

    @property
    def name(self) -> str:
        """Display name of the run."""
        run = self._record()
        return run.name if run is not None else self.task_run_id

    @property
    def state(self) -> State[R]:
        """Where the run stands now, without its value; one whose worker died waits for the next (AwaitingResume)."""
        run = self._record()
        if run is None:
            return State(type=StateType.SCHEDULED, message="It has not reached the store yet.")
        if may_be_taken_up(run):
            return State(type=StateType.SCHEDULED, name="AwaitingResume", message=run.message, at=run.state_at)
        return cast(State[R], run.state)

    @property
    def done(self) -> bool:
        """Whether the run has ended for good."""
        run = self._record()
        return run is not None and is_settled(run)

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the run has ended, or `timeout` seconds have passed; raises nothing because of the run."""
        self._settled(timeout)

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> R:
        """Wait for the value.

        Args:
            timeout: Seconds to wait at the most; `None` for as long as it takes, also for a worker to come.
            raise_on_failure: `False` returns the exception instead of raising it.

        Raises:
            TimedOut: the run has not ended within `timeout`; it goes on.
            MissingResult: it completed, and its value was not kept.
            BaseException: what the run failed with.
        """
        run = self._settled(timeout)
        if run is None:
            told = f"{timeout:g} seconds" if timeout is not None else "the time"
            raise TimedOut(f"Background run {self.name} has not ended within {told}; it goes on.")
        return _outcome(run, raise_on_failure)  # type: ignore[no-any-return]  # what the task returned

    def value_for(self, taker: str) -> R:
        """Return the value of a run that has ended, for another run that takes it.

        Raises:
            UpstreamFailed: it did not complete.
        """
        run = self._record()
        if run is None:
            raise RunNotFound(self.task_run_id, where=recorder_here().store().url)
        if run.state_type is not StateType.COMPLETED:
            raise UpstreamFailed(taker, run.name, state=run.state_name, reason=run.message)
        return _outcome(run, True)  # type: ignore[no-any-return]  # what the task returned

    def _settled(self, timeout: float | None) -> FlowRunRecord | None:
        watch = _Watch(self.task_run_id)
        deadline = None if timeout is None else time.monotonic() + timeout
        while (run := watch.ended()) is None:
            left = watch.pause if deadline is None else min(watch.pause, deadline - time.monotonic())
            if left <= 0:
                return None
            rest(left)
        return run

    def __await__(self) -> Any:
        return self._awaited().__await__()

    async def _awaited(self) -> R:
        import asyncio

        watch = _Watch(self.task_run_id)
        # In a thread: the store may be far away, or silent, and others run on this loop.
        while (run := await asyncio.to_thread(watch.ended)) is None:
            await asyncio.sleep(watch.pause)
        return _outcome(run, True)  # type: ignore[no-any-return]  # what the task returned

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BackgroundFuture) and other.task_run_id == self.task_run_id

    def __hash__(self) -> int:
        return hash(self.task_run_id)

    def __repr__(self) -> str:
        return f"<BackgroundFuture {self.task_run_id}>"


class _Watch:
    """Looks again and again whether a background run has ended; a store that is away has told nothing new."""

    def __init__(self, run: str) -> None:
        self._run = run
        self._recorder = recorder_here()
        self._began = time.monotonic()
        self._seen = -1
        self._is_far = False
        self._said = False

    def ended(self) -> FlowRunRecord | None:
        """Return the run once it has ended for good."""
        try:
            store = self._recorder.store()
            self._is_far = store.shared
            # The change number is cheaper than the run, and tells nothing new most of the time.
            change = store.last_change()
            if change == self._seen:
                return None
            run = store.flow_run(self._run)
        except StoreUnavailable as error:
            if not self._said:
                self._said = True
                _log.warning("Whether background run %s has ended cannot be looked up now. %s", self._run, error)
            return None
        self._seen = change
        return run if run is not None and is_settled(run) else None

    @property
    def pause(self) -> float:
        """Seconds until the next look; at a store that many machines ask, the more the longer this waits already."""
        waited = time.monotonic() - self._began
        return min(LONGEST_POLL, max(POLL, waited / 20)) if self._is_far else POLL


def _fetched(run: FlowRunRecord, ref: ResultRef) -> Any:
    into = recorder_here()
    if ref.format != "json" and not may_load(into.store(), run.root):
        raise MissingResult(
            f"Background run {run.name} was recorded from afar, and this process was launched by a server, which loads"
            ' no such value unless it is JSON: give the task result_serializer="json".'
        )
    return into.fetch(ref)


def _outcome(run: FlowRunRecord, raise_on_failure: bool) -> Any:
    state, ref = run.state, run.result
    kept = ref is not None and ref.kind != "not_kept"
    if state.is_completed() and not kept and ref is not None:
        raise MissingResult(f"Background run {run.name} completed, but its value was not kept: {ref.note}")
    try:
        value = _fetched(run, ref) if kept and ref is not None else None
    except MissingResult:
        if state.is_completed():
            raise
        value = None
    if state.is_completed():
        return value
    error = value if isinstance(value, BaseException) else state.error()
    if raise_on_failure:
        raise error
    return error
