"""Messages to runs: values that are sent to a flow run while it runs, and received there in order."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import msgspec

from nadi.engine.aio import rested
from nadi.engine.answering import recorder_here
from nadi.engine.lookup import find_run
from nadi.engine.recording import clock
from nadi.engine.run_inputs import Wanted, as_json
from nadi.engine.scope import Scope, current
from nadi.exceptions import ContextError, DefinitionError, InputRefused, StoreError, TimedOut
from nadi.executors.threads import place_lent
from nadi.model.pauses import Message
from nadi.model.text import human_duration, safe_repr
from nadi.storage.contracts.inputs import InputTable

_log = logging.getLogger("nadi.runs")

#: The most seconds between two looks for a message.
LOOK = 0.2


def send(value: Any, keyset: str, to: str, *, sender: str | None) -> None:
    """Send a value to a flow run; when this returns it is there to be received.

    Raises:
        RunNotFound, AmbiguousRun: no run, or several, match.
        InputRefused: the run has finished, or JSON cannot hold the value.
    """
    store = recorder_here().store()
    run = find_run(store, to)
    if run.is_final:
        raise InputRefused(f"Run {run.name} finished as {run.state_name} and receives nothing any more.")
    if sender is None:
        sender = scope.flow_run if (scope := current.get()) is not None else ""
    message = Message(
        seq=0, root=run.root, run=run.id, keyset=keyset, value=as_json(value), sender=sender, at=clock.now()
    )
    store.inputs.send(message)


def receiver_of(flow_run_id: str | None) -> str:
    """Return the flow run whose messages are received: the one named, else the one whose code asks.

    Raises:
        ContextError: none is named, and no flow runs here.
        RunNotFound, AmbiguousRun: no run, or several, match the one named.
    """
    if flow_run_id is not None:
        return find_run(recorder_here().store(), flow_run_id).id
    scope = current.get()
    if scope is None:
        raise ContextError("Outside of a flow say whose messages to receive: flow_run_id=...")
    return scope.flow_run


class Received:
    """The messages of a flow run, one by one as they come; for `for` in a sync flow and `async for` in an async one.

    It begins with the first that was ever sent, so that a function which runs again receives the same ones again.
    """

    def __init__(
        self,
        wanted: Wanted,
        run: str,
        keyset: str,
        *,
        timeout: float | None,
        poll_interval: float,
        raise_timeout_error: bool,
        made: Callable[[Any, str], Any],
    ) -> None:
        _check_times(timeout=timeout, poll_interval=poll_interval)
        self._wanted, self._run, self._keyset = wanted, run, keyset
        self._timeout, self._step = timeout, min(poll_interval, LOOK)
        self._raises = raise_timeout_error
        self._made = made
        self._inputs: InputTable = recorder_here().store().inputs
        self._scope: Scope | None = current.get()
        self._last = 0
        self._waiting: list[Message] = []
        #: Why the store could not be asked at the last look.
        self._away: StoreError | None = None

    def __iter__(self) -> Received:
        return self

    def __next__(self) -> Any:
        from threading import Event

        stopped = self._scope.session.stop_event if self._scope is not None else Event()
        deadline = self._deadline()
        while (found := self._look()) is _NOTHING:
            if self._is_over(deadline):
                raise StopIteration
            with place_lent():
                stopped.wait(self._step)
            self._check()
        return found

    def __aiter__(self) -> Received:
        return self

    async def __anext__(self) -> Any:
        import asyncio

        deadline = self._deadline()
        while (found := self._look()) is _NOTHING:
            if self._is_over(deadline):
                raise StopAsyncIteration
            if self._scope is not None:
                await rested(self._scope.session, self._step)
            else:
                await asyncio.sleep(self._step)
            self._check()
        return found

    def _deadline(self) -> float | None:
        return None if self._timeout is None else clock.monotonic() + self._timeout

    def _is_over(self, deadline: float | None) -> bool:
        if deadline is None or clock.monotonic() < deadline:
            return False
        if self._away is not None:  # that nothing was sent is not known
            raise self._away
        if self._raises:
            waited = human_duration(round(self._timeout or 0.0, 1))
            raise TimedOut(f"Nothing of the set {self._keyset!r} was sent to flow run {self._run} within {waited}.")
        return True

    def _check(self) -> None:
        if self._scope is not None:
            self._scope.session.check()

    def _look(self) -> Any:
        if not self._waiting:
            self._waiting = self._looked_up()
        while self._waiting:
            message = self._waiting.pop(0)
            self._last = message.seq
            try:
                return self._made(self._wanted.taken(message.value), message.sender)
            except InputRefused as why:
                _log.warning("A message of the set %r is left out: %s", self._keyset, why)
        return _NOTHING

    def _looked_up(self) -> list[Message]:
        """Return what came since; while the store is away that is nothing, which is told once."""
        try:
            found = self._inputs.messages(self._run, self._keyset, after=self._last)
        except StoreError as error:
            if self._away is None:
                _log.warning(
                    "Whether something of the set %r was sent cannot be looked up now. %s", self._keyset, error
                )
            self._away = error
            return []
        self._away = None
        return found


def _check_times(*, timeout: object, poll_interval: object) -> None:
    if timeout is not None and not (isinstance(timeout, int | float) and timeout >= 0):
        raise DefinitionError(f"timeout is a number of seconds from 0 on, or None, not {safe_repr(timeout)}.")
    if not (isinstance(poll_interval, int | float) and poll_interval > 0):
        raise DefinitionError(f"poll_interval is a number of seconds above 0, not {safe_repr(poll_interval)}.")


_NOTHING = msgspec.UNSET


def respond(value: Any, keyset: str, to: str, *, sender: str | None) -> None:
    """Send a value to whoever sent another one.

    Raises:
        InputRefused: that was no flow run, or it has finished.
    """
    if not to:
        raise InputRefused("What was received came from no flow run, so that there is nobody to respond to.")
    send(value, keyset, to, sender=sender)
