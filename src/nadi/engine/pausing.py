"""Pausing: a flow run that waits for a person, in its process or without one.

A pause is known by its flow run and key. So when the function runs again from the top (after a suspension, a crash or
a retry), a pause that was answered returns its input at once.
"""

from __future__ import annotations

import logging
from math import isfinite
from typing import Any

from nadi.engine.aio import rested
from nadi.engine.flow_runs import FlowRun, SuspendAsked
from nadi.engine.interrupts import TimeUp
from nadi.engine.run_inputs import Wanted, as_json, asked_fields, options_for
from nadi.engine.scope import Scope, current
from nadi.exceptions import ContextError, DefinitionError, InputRefused, StoreError, TimedOut
from nadi.executors.threads import place_lent
from nadi.model.pauses import Pause, overdue_told
from nadi.model.records import InputAsked
from nadi.model.states import StateType
from nadi.model.text import one_line, safe_repr

_log = logging.getLogger("nadi.runs")

#: The most seconds between two looks at whether there is an answer.
LOOK = 0.2


def pause(wanted: Any, *, timeout: float | None, poll_interval: float, key: str | None) -> Any:
    """Block the flow run until somebody answers; returns the input, or in an async flow a coroutine that does.

    Raises:
        ContextError: called outside of a flow function.
        DefinitionError: nobody could answer with such a value, a time is not above 0, or the key is no text.
        TimedOut: nobody answered in time.
    """
    _check(key, timeout=timeout, poll_interval=poll_interval)
    question = _Question(_scope_for("pause_flow_run"), wanted, timeout, key)
    if question.scope.spec.is_async:
        return _block_async(question, min(poll_interval, LOOK))
    return _block(question, min(poll_interval, LOOK))


def suspend(wanted: Any, *, timeout: float | None, key: str | None) -> Any:
    """Return the input if there is one, else leave the flow function; in an async flow a coroutine that does.

    Raises:
        ContextError: called outside of the function of a root run.
        DefinitionError: nobody could answer with such a value, the time is not above 0, or the key is no text.
        TimedOut: nobody answered in time.
    """
    _check(key, timeout=timeout)
    scope = _scope_for("suspend_flow_run")
    if scope.parent is not None:
        raise ContextError(
            f"suspend_flow_run() puts a whole run aside, and {scope.name} is a subflow run of another one."
            " Suspend in the outermost flow, or use pause_flow_run() here."
        )
    question = _Question(scope, wanted, timeout, key)
    return _leave_async(question) if scope.spec.is_async else _leave(question)


def _check(key: object, **times: object) -> None:
    for name, value in times.items():
        if value is not None and not (isinstance(value, int | float) and isfinite(value) and value > 0):
            raise DefinitionError(f"{name} is a number of seconds above 0, not {safe_repr(value)}.")
    if key is not None and not (isinstance(key, str) and key.strip()):
        raise DefinitionError(f"key is a text that tells the pauses of a flow run apart, not {safe_repr(key)}.")


def _scope_for(what: str) -> Scope:
    scope = current.get()
    if scope is None or scope.run is None:
        told = "a task" if scope is not None else "no flow"
        raise ContextError(f"{what}() pauses a flow run and was called in {told}: call it in the flow function itself.")
    return scope


class _Question:
    """One pause of a flow run: what it asks, and whether it was answered."""

    def __init__(self, scope: Scope, wanted: Any, timeout: float | None, key: str | None) -> None:
        self.scope = scope
        self.run: FlowRun = scope.run
        self.session = scope.session
        self.wanted = Wanted(wanted) if wanted is not None else None
        self.timeout = timeout
        self.key = key if key is not None else scope.next_pause()
        self.value: Any = None
        self.deadline = 0.0
        self._said = ""

    def answered(self) -> bool:
        """Look whether there is an answer, and take it; one that the type does not take is refused, and told."""
        found = self._looked_up()
        if found is None or found.answer is None:
            return False
        if self.wanted is None:
            return True
        try:
            self.value = self.wanted.taken(found.answer)
        except InputRefused as why:
            if self._refused(str(why)):
                self.run.log(logging.WARNING, "The answer of %s is refused: %s", found.by or "somebody", why)
            return False
        return True

    def _refused(self, why: str) -> bool:
        """Take the answer back; `False` while the store is away, and then the next look judges it again."""
        try:
            return self.session.recorder.store().inputs.refuse(self.run.id, self.key, why)
        except StoreError as error:
            self._say_away(error)
            return False

    def _looked_up(self) -> Pause | None:
        """Return the pause as the store has it; while that is away nobody can have answered, which is told once."""
        try:
            return self.session.recorder.store().inputs.pause(self.run.id, self.key)
        except StoreError as error:
            self._say_away(error)
            return None

    def _say_away(self, error: StoreError) -> None:
        if str(error) != self._said:
            self._said = str(error)
            _log.warning("Whether pause %s was answered cannot be looked up now. %s", self.key, error)

    def ask(self) -> InputAsked:
        """Return the record that asks; a question that was asked before keeps its deadline.

        Raises:
            TimedOut: nobody answered it in time.
        """
        session, now = self.session, self.session.now()
        before = self._looked_up()
        if before is not None and self._goes_on:
            self.deadline = before.deadline
            if self.is_over:
                self.close()
        else:
            self.deadline = now + self.timeout if self.timeout is not None else 0.0
        wanted = self.wanted
        return InputAsked(
            session.root,
            session.token,
            now,
            self.run.id,
            self.key,
            wanted.schema if wanted is not None else b"",
            wanted.description if wanted is not None else "",
            as_json(wanted.initial) if wanted is not None and wanted.initial else b"",
            self.deadline,
        )

    @property
    def _goes_on(self) -> bool:
        # After a failure somebody tries again, and the question is a new one with a time of its own.
        history = self.session.history
        return history is not None and history.was is StateType.CRASHED and self.scope.run_count == 1

    @property
    def is_over(self) -> bool:
        """Whether the time to answer is over."""
        return bool(self.deadline) and self.session.now() >= self.deadline

    def close(self) -> None:
        """Ask nobody any more, and take the answer that came at the last moment.

        Raises:
            TimedOut: there is none.
        """
        self._give_up()
        # From here on the store takes no answer. One that it took before counts: who gave it was told so.
        self.session.recorder.barrier()
        if self.answered():
            return
        self._give_up()  # again: it is open where the last answer was refused
        asked_at = self.deadline - (self.timeout or 0.0)
        late = Pause(run=self.run.id, root=self.session.root, key=self.key, at=asked_at, deadline=self.deadline)
        raise TimedOut(overdue_told(self.run.name, late))

    def _give_up(self) -> None:
        session = self.session
        session.append(
            InputAsked(
                session.root, session.token, session.now(), self.run.id, self.key, deadline=self.deadline, over=True
            )
        )

    def step(self, most: float) -> float:
        """Return the seconds until the next look."""
        left = self.deadline - self.session.now() if self.deadline else most
        return max(0.0, min(most, left))

    def told(self, asked: InputAsked) -> str:
        """Say what is waited for."""
        pause = Pause(run=asked.id, root=asked.root, key=asked.key, at=asked.at, schema=asked.schema)
        fields = ", ".join(field.name for field in asked_fields(pause))
        if not fields:
            return "It waits for somebody to resume it."
        about = f": {one_line(asked.description, 200)}" if asked.description else ""
        told = f"It waits for input ({fields}){about}"
        return told if told.endswith((".", "?", "!", "…")) else f"{told}."

    # -- a pause that blocks --

    def began_to_block(self) -> None:
        """Ask, and say that the run is paused."""
        asked = self.ask()
        self.session.append(asked)
        with self.session.lock:
            self.run.pauses += 1
        told = self.told(asked)
        self.run.move(StateType.PAUSED, "Paused", message=told)
        self.run.log(logging.INFO, "Paused (%s). %s", self.key, told)

    def ended_blocking(self, error: BaseException | None, *passed_over: type[BaseException]) -> None:
        """Say that the run runs, unless another pause blocks it, or it is being ended.

        Args:
            error: What ended the wait, if no answer did.
            passed_over: Interruptions after which a flow function may go on, besides its own timeout.
        """
        left = isinstance(error, (Exception, TimeUp, *passed_over)) and self.session.stopped is None
        if left and not isinstance(error, TimedOut):
            self._give_up()  # it waits for this no more, and an answer would be lost
        with self.session.lock:
            self.run.pauses -= 1
            last = self.run.pauses == 0
        if last and (error is None or left or isinstance(error, SuspendAsked)) and self.run.state is None:
            self.run.move(StateType.RUNNING, "Running")

    def looked(self) -> bool:
        """Look for an answer; raises what ends the wait without one."""
        if self.answered():
            return True
        self.session.check()
        return False


def _block(question: _Question, step: float) -> Any:
    if question.answered():
        return question.value
    question.began_to_block()
    error: BaseException | None = None
    try:
        with place_lent():
            question.session.recorder.barrier()
            while not question.looked():
                if question.is_over:
                    question.close()
                    break
                question.session.stop_event.wait(question.step(step))
    except BaseException as raised:
        error = raised
        raise
    finally:
        question.ended_blocking(error)
    return question.value


async def _block_async(question: _Question, step: float) -> Any:
    import asyncio

    if question.answered():
        return question.value
    question.began_to_block()
    error: BaseException | None = None
    try:
        await asyncio.to_thread(question.session.recorder.barrier)
        while not question.looked():
            if question.is_over:
                await asyncio.to_thread(question.close)
                break
            await rested(question.session, question.step(step))
    except BaseException as raised:
        error = raised
        raise
    finally:
        # A flow may cancel what pauses it (asyncio.wait_for), and go on.
        question.ended_blocking(error, asyncio.CancelledError)
    return question.value


def _leave(question: _Question) -> Any:
    if question.answered():
        return question.value
    asked = question.ask()
    pause = Pause(run=asked.id, root=asked.root, key=asked.key, at=asked.at, schema=asked.schema)
    raise SuspendAsked(question.told(asked), asked=asked, given=options_for(pause))


async def _leave_async(question: _Question) -> Any:
    return _leave(question)
