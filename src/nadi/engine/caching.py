"""Cached tasks, and tasks with hooks for commit and rollback: each attempt of one is a transaction.

Once its inputs are there and before its function is called, the key is computed and looked up. Of all who ask for one
key at the same time, over threads and processes, one calls the function; the others wait and take its value.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import msgspec

from nadi.engine.aio import cancel_with_session
from nadi.engine.cache_access import Author, usable_key
from nadi.engine.decisions import End
from nadi.engine.inputs import futures_in, has_marks, resolved
from nadi.engine.key_locks import Claim
from nadi.engine.loops import call_apart
from nadi.engine.runs import outcome_for
from nadi.engine.scope import Scope
from nadi.engine.session import LogOrigin
from nadi.engine.task_runs import TaskRun
from nadi.engine.transaction_blocks import get_transaction, granted
from nadi.engine.transactions import Transaction
from nadi.exceptions import CancelledRun, RunTaken, Unhashable
from nadi.model.cache_policies import CacheContext
from nadi.model.names import fill_template
from nadi.model.records import TaskRunRolledBack
from nadi.model.results import ResultRef
from nadi.model.specs import Caching
from nadi.model.states import State, StateType
from nadi.model.tracebacks import format_exception
from nadi.model.transactions import CommitMode

_PLAIN = Caching()
_CANCELLED = End(StateType.CANCELLED, "Cancelled")


class TaskTransaction(Transaction):
    """The transaction that one attempt of a task run is."""

    is_of_task = True

    def __init__(self, run: TaskRun, key: str) -> None:
        cache = run.spec.cache or _PLAIN
        super().__init__(key, isolation_level=cache.isolation_level, overwrite=cache.refresh or run.asked_again)
        self._run, self._cache = run, cache
        self._ref: ResultRef | None = None
        scope, session = run.scope, run.session
        self._author = Author(
            session.recorder,
            session.keeper,
            session.now,
            root=session.root,
            token=session.token,
            run=scope.flow_run,
            task_run=run.id,
            name=run.name,
            task=run.spec.name,
            format=run.spec.serializer,
        )

    @property
    def locks_key(self) -> bool:
        return True

    def succeed(self, value: Any, ref: ResultRef | None, *, is_answer: bool) -> bool:
        """End well.

        Args:
            value: What the task run gave.
            ref: Where that is kept; `None` when it is to be kept again.
            is_answer: Whether it stands for other calls too, which is not so of a task that was skipped.

        Returns:
            Whether what it did stands: `False` when that was undone already.
        """
        self.write_on_commit = is_answer
        self._ref = ref
        hooks = self._run.spec.hooks
        self.stage(value, hooks.rollback, hooks.commit)
        self.leave(None)
        return not (self.is_rolled_back() and self.on_rollback_hooks)

    def leave_undone(self, state: State[Any] | None) -> None:
        """End otherwise: `state` is where the run goes, `None` for a further attempt."""
        if state is not None and state.is_paused():
            self.abandon()
        else:
            self.leave(state.error() if state is not None else CancelledRun("The attempt failed."))

    def _belongs_to_another(self) -> bool:
        return isinstance(self._run.session.stopped, RunTaken)

    def _kept(self) -> ResultRef:
        if self._ref is None:
            self._ref = super()._kept()
        return self._ref

    def _published(self, ref: ResultRef) -> ResultRef:
        keeper = self._author.keeper if self._author is not None else None
        return keeper.publish(ref, self.key) if self._cache.storage_key and keeper is not None else ref

    def _lasts(self) -> float:
        return self._cache.expiration or 0.0

    def _before_hooks_undo(self) -> None:
        # First told, then done: killed between the two, the task runs again, rather than standing although undone.
        # Before its end is told there is nothing yet that could stand.
        if self.on_rollback_hooks and self._run.state_type is StateType.COMPLETED:
            session = self._run.session
            session.append(TaskRunRolledBack(session.root, session.token, session.now(), self._run.id))

    @property
    def _origin(self) -> LogOrigin:
        return self._run.log_origin


# -- before the function is called --


def is_answered(run: TaskRun) -> bool:
    """Begin the transaction of an attempt, waiting in this thread while somebody computes the same.

    Returns:
        Whether the run is over: its key stood for a value already.
    """
    try:
        transaction = _transaction_of(run)
        while (claim := transaction.begin()) is not None:
            _say_that_it_waits(run)
            if not claim.wait():
                transaction.unlock()
        return _answered(run, transaction)
    except BaseException as error:
        run.fail(error, retry=False)
        if isinstance(error, Exception):
            return True
        raise


async def is_answered_async(run: TaskRun) -> bool:
    """Do the same without blocking the running loop."""
    import asyncio

    try:
        transaction = await call_apart(_transaction_of, run)
        while (claim := await call_apart(transaction.begin)) is not None:
            _say_that_it_waits(run)
            detach = cancel_with_session(run)
            try:
                await granted(claim)
            finally:
                detach()
        return _answered(run, transaction)
    except asyncio.CancelledError:
        run.end(_CANCELLED, run.session.stopped or CancelledRun(f"Task run {run.name} was cancelled."))
        if run.session.stopped is not None:
            raise run.session.stopped from None
        raise
    except BaseException as error:
        run.fail(error, retry=False)
        if isinstance(error, Exception):
            return True
        raise


def awaited_claim(run: TaskRun) -> Claim | None:
    """Begin the transaction of an attempt as far as that goes without waiting; returns what there is to wait for."""
    claim = _transaction_of(run).begin()
    if claim is not None:
        _say_that_it_waits(run)
    return claim


def _transaction_of(run: TaskRun) -> TaskTransaction:
    if run.transaction is None:
        transaction = TaskTransaction(run, _key_of(run, run.bound or {}))
        transaction.inherit(get_transaction())
        run.transaction = transaction
    begun: TaskTransaction = run.transaction
    return begun


def _say_that_it_waits(run: TaskRun) -> None:
    run.log(logging.INFO, "Waits for the run that computes the same.")


def _answered(run: TaskRun, transaction: TaskTransaction) -> bool:
    found = transaction.found
    if found is None or not transaction.is_committed():
        return False
    run.transaction = None
    if run.start_attempt():
        run.answer(found.value, found.ref, found.told)
    return True


# -- a call that an earlier attempt of the run answered --


def rejoin(run: TaskRun, bound: Mapping[str, Any]) -> None:
    """Let the transaction around a reused task run undo or commit it, as it would where the task had just run.

    Args:
        run: The run, which is over.
        bound: What its call was given.
    """
    around = get_transaction()
    state = run.state
    if around is None or state is None or not state.is_completed():
        return
    if around.commit_mode is CommitMode.EAGER or around.committed_before or around.is_committed():
        return  # it was committed then
    # A key that would have to be waited for is left out: what it costs is one look-up that finds nothing.
    waits = any(not future.run.done for value in bound.values() for future, _ in futures_in(value))
    transaction = TaskTransaction(run, "" if waits else _key_of(run, bound))
    transaction.inherit(around)
    transaction.succeed(run.value(), None, is_answer=state.name != "Skipped")


# -- the key --


class _RunView(msgspec.Struct, frozen=True):
    """What a storage key may name of a run."""

    id: str
    name: str
    parameters: Mapping[str, Any]
    flow_name: str = ""
    task_name: str = ""


def _key_of(run: TaskRun, bound: Mapping[str, Any]) -> str:
    """Return the key of a call; "" where it has none, or none can be computed, which is said once a task."""
    cache = run.spec.cache
    if cache is None:
        return ""
    try:
        if has_marks(bound.values()):
            bound = {name: resolved(value, outcome_for(run.name)) for name, value in bound.items()}
        if cache.storage_key:
            return usable_key(_storage_key(cache.storage_key, run, bound))
        flow: Scope = run.scope.home
        context = CacheContext(
            task=run.spec,
            parameters=bound,
            run_id=run.scope.flow_run,
            flow_parameters=flow.parameters,
            task_run=run,
        )
        return usable_key(cache.policy.compute_key(context) or "")
    except Unhashable as error:
        _say_once(run, f"{error} It runs without the cache.")
    except Exception as error:
        told = f"The cache key of {run.spec.name} cannot be computed, so it runs without the cache: {error}"
        _say_once(run, told, detail=format_exception(error))
    return ""


def _say_once(run: TaskRun, told: str, detail: str = "") -> None:
    said = run.session.said
    if run.spec.key not in said:
        said.add(run.spec.key)
        run.log(logging.WARNING, "%s", told, detail=detail)


def _storage_key(template: str, run: TaskRun, bound: Mapping[str, Any]) -> str:
    scope = run.scope
    flow = scope.home
    views = {
        "parameters": bound,
        "flow_run": _RunView(scope.flow_run, flow.name, flow.parameters, flow_name=flow.spec.name),
        "task_run": _RunView(run.id, run.name, bound, task_name=run.spec.name),
    }
    return fill_template(template, views, what="result_storage_key")
