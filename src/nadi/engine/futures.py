"""Futures: what `.submit` and `.map` hand out; inputs of other tasks, or waited for by user code."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar, cast, overload

from nadi.engine.loops import running_loop, until
from nadi.engine.runs import Run
from nadi.exceptions import TimedOut
from nadi.executors.threads import place_lent
from nadi.model.states import FINAL, State, StateType
from nadi.model.tracebacks import format_exception

R = TypeVar("R")


class NadiFuture(Generic[R]):
    """The outcome of a submitted task or flow, there now or later. Awaitable, and an input for other tasks."""

    __slots__ = ("run",)

    #: Tells the engine that this stands for an outcome, and that only `origin` says which.
    __nadi_origin__ = True

    def __init__(self, run: Run) -> None:
        #: The run in progress; not part of the public interface.
        self.run = run

    @property
    def origin(self) -> bytes:
        """What its value is known by, for resume."""
        return self.run.origin

    @property
    def task_run_id(self) -> str:
        """Id of the task run (or subflow run) behind it."""
        return self.run.id

    @property
    def name(self) -> str:
        """Display name of the run."""
        return self.run.name

    @property
    def state(self) -> State[R]:
        """Where the run stands now. Reading a final state counts as taking the outcome."""
        run = self.run
        if run.done:
            run.observed = True
            return cast(State[R], run.state)
        # While its hooks are called it is not done yet.
        return State(type=StateType.RUNNING if run.state_type in FINAL else run.state_type)

    @property
    def done(self) -> bool:
        """Whether the run has ended."""
        return self.run.done

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> R:
        """Wait for the value.

        Args:
            timeout: Seconds to wait at the most; `None` for as long as it takes.
            raise_on_failure: `False` returns the exception instead of raising it.

        Raises:
            TimedOut: the run has not ended within `timeout`; it goes on.
            BaseException: what the run failed with.
        """
        if not self.run.wait(timeout):
            raise TimedOut(f"{self.run.name} has not ended within {timeout:g} seconds; it goes on.")
        if raise_on_failure:
            return cast(R, self.run.value())
        self.run.observed = True
        state = self.run.state
        assert state is not None
        return cast(R, self.run.value() if state.is_completed() else state.error())

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the run has ended, or `timeout` seconds have passed; raises nothing."""
        self.run.wait(timeout)

    def add_done_callback(self, fn: Callable[[NadiFuture[R]], object]) -> None:
        """Call `fn(future)` once the run has ended, in the thread that ended it; at once when it has.

        An error in it is logged and changes nothing.
        """

        def call(_: Any) -> None:
            try:
                fn(self)
            except Exception as error:
                detail = format_exception(error)
                self.run.log(logging.ERROR, "A callback of %s failed: %r", self.run.name, fn, detail=detail)

        self.run.when_done(call)

    def __await__(self) -> Generator[Any, None, R]:
        loop = running_loop()
        if not self.run.done and loop is not None:
            yield from until(loop, self.run.when_done)
        return self.result()

    def __repr__(self) -> str:
        name = self.run.state.name if self.run.state is not None else self.run.state_type.value.capitalize()
        return f"<{type(self).__name__} {self.run.name}: {name}>"


class FutureList(list[NadiFuture[R]]):
    """Futures of the children of a `.map`, in order."""

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> list[R]:
        """Wait for all values.

        Args:
            timeout: Seconds for all of them together; `None` for as long as it takes.
            raise_on_failure: `False` puts the exceptions in the places of the values.

        Raises:
            TimedOut: not all have ended in time.
            BaseException: what the first failed one, in order, failed with.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        try:
            return [
                future.result(None if deadline is None else max(0.0, deadline - time.monotonic()), raise_on_failure)
                for future in self
            ]
        except TimedOut:
            if deadline is not None and time.monotonic() >= deadline:
                left = sum(not future.done for future in self)
                raise TimedOut(f"{left} of {len(self)} futures have not ended within {timeout:g} seconds.") from None
            raise
        finally:
            # Who asks for all has looked at all, also when the first failure is raised.
            for future in self:
                future.run.observed = True

    def wait(self, timeout: float | None = None) -> None:
        """Wait until all have ended, or `timeout` seconds have passed."""
        deadline = None if timeout is None else time.monotonic() + timeout
        for future in self:
            future.wait(None if deadline is None else max(0.0, deadline - time.monotonic()))

    @overload
    def __getitem__(self, index: Any) -> NadiFuture[R]: ...
    @overload
    def __getitem__(self, index: slice) -> FutureList[R]: ...  # type: ignore[overload-cannot-match]  # narrower by use
    def __getitem__(self, index: Any) -> Any:
        picked = super().__getitem__(index)
        return FutureList(picked) if isinstance(index, slice) else picked


class DoneAndNotDone(tuple[set[NadiFuture[Any]], set[NadiFuture[Any]]]):
    """The answer of `wait`: the futures that are done, and those that are not."""

    @property
    def done(self) -> set[NadiFuture[Any]]:
        """Those that have ended."""
        return self[0]

    @property
    def not_done(self) -> set[NadiFuture[Any]]:
        """Those that have not."""
        return self[1]


def wait(futures: Iterable[NadiFuture[Any]], timeout: float | None = None) -> DoneAndNotDone:
    """Wait until all futures have ended, or `timeout` seconds have passed; failures are not raised."""
    listed = list(futures)
    FutureList(listed).wait(timeout)
    done = {future for future in listed if future.done}
    return DoneAndNotDone((done, set(listed) - done))


def as_completed(futures: Iterable[NadiFuture[R]], timeout: float | None = None) -> Iterator[NadiFuture[R]]:
    """Yield futures as they end, each once.

    Raises:
        TimedOut: not all have ended within `timeout` seconds.
    """
    listed = list(dict.fromkeys(futures))
    ended: SimpleQueue[NadiFuture[R]] = SimpleQueue()
    for future in listed:
        future.add_done_callback(ended.put)
    deadline = None if timeout is None else time.monotonic() + timeout
    for left in range(len(listed), 0, -1):
        try:
            with place_lent():
                future = ended.get(timeout=None if deadline is None else max(0.0, deadline - time.monotonic()))
        except Empty:
            raise TimedOut(f"{left} of {len(listed)} futures have not ended within {timeout:g} seconds.") from None
        yield future


def resolve_futures_to_states(value: Any) -> Any:
    """Return the value with each future replaced by its final state, once it has one."""

    def final_state(future: NadiFuture[Any]) -> State[Any]:
        future.wait()
        return future.state

    return _replaced(value, final_state)


def resolve_futures_to_results(value: Any) -> Any:
    """Return the value with each future replaced by its result; raises what a failed one failed with."""
    return _replaced(value, lambda future: future.result())


def _replaced(value: Any, replace: Callable[[NadiFuture[Any]], Any]) -> Any:
    if isinstance(value, NadiFuture):
        return replace(value)
    if isinstance(value, dict):
        return {key: _replaced(item, replace) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        kind = list if isinstance(value, FutureList) else type(value)
        return kind(_replaced(item, replace) for item in value)
    return value
