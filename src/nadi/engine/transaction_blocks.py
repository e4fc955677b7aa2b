"""`with transaction()`: a transaction around a piece of code, and which one is around the code that runs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Self

from nadi.engine.cache_access import Author, usable_key
from nadi.engine.key_locks import Claim
from nadi.engine.loops import call_apart, running_loop, until
from nadi.engine.scope import current
from nadi.engine.transaction_records import CommitRecord
from nadi.engine.transactions import Transaction
from nadi.exceptions import NotKept, TransactionError
from nadi.model.transactions import CommitMode, IsolationLevel, TransactionState

#: The innermost `with transaction()` around the code that runs; see `get_transaction` for those of tasks.
_innermost: ContextVar[Transaction | None] = ContextVar("nadi_transaction", default=None)


class TransactionBlock(Transaction):
    """A transaction for one `with` or `async with`."""

    _record: CommitRecord | None = None
    _before: Transaction | None = None

    @property
    def was_committed(self) -> bool:
        return self._record is not None and self._record.was_committed

    def _note_commit(self) -> None:
        if self._record is not None:
            self._record.committed()

    def _prepare(self) -> None:
        if self.state is not TransactionState.PENDING:
            raise TransactionError("A transaction can be entered once. Call transaction() again for another one.")
        self.inherit(get_transaction())
        if self.key:
            self._author = Author.here()
        self._record = CommitRecord.next()

    def _enter(self) -> None:
        self._before = _innermost.get()
        _innermost.set(self)

    def __enter__(self) -> Self:
        self._prepare()
        try:
            while (claim := self.begin()) is not None:
                if not claim.wait():
                    raise TransactionError(
                        f"The transaction with the key {self.key!r} would wait for one of its own event loop, which"
                        " would not go on meanwhile. Use `async with` in coroutines."
                    )
            self._enter()
        except BaseException:
            self._let_go()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Not by a token: a generator may be left in another context than it was entered in.
        _innermost.set(self._before)
        self.leave(error)

    async def __aenter__(self) -> Self:
        self._prepare()
        try:
            while (claim := await call_apart(self.begin)) is not None:
                await granted(claim)
            self._enter()
        except BaseException:
            self._let_go()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _innermost.set(self._before)
        await call_apart(self.leave, error)


async def granted(claim: Claim) -> None:
    """Wait on the running loop, without blocking it, until a claim is granted."""

    def register(callback: Callable[[Any], None]) -> None:
        claim.when_granted(lambda: callback(None))

    while not claim.granted:
        await until(running_loop(), register)


def get_transaction() -> Transaction | None:
    """Return the innermost transaction around the code that runs, or `None`."""
    innermost = _innermost.get()
    scope = current.get()
    of_task: Transaction | None = scope.transaction if scope is not None else None
    if of_task is None:
        return innermost
    # A `with` inside of the task is inside of the task's transaction; one around the task is not.
    one = innermost
    while one is not None and one is not of_task:
        one = one.parent
    return innermost if one is of_task else of_task


def transaction(
    key: str | None = None,
    store: None = None,
    commit_mode: CommitMode | None = None,
    isolation_level: IsolationLevel | None = None,
    overwrite: bool = False,
    write_on_commit: bool = True,
    logger: logging.Logger | logging.LoggerAdapter[Any] | None = None,
) -> TransactionBlock:
    """Return a transaction for a `with` or `async with`.

    Where an exception leaves the body, the hooks of all that was done in it undo it, the last one first. Otherwise it
    commits: at its end, or with the transaction around it.

    Args:
        key: What its value is known by to other runs. Where the key stands for a value already, the transaction is
            committed from the start: the body can ask `is_committed()`, and `read()` the value.
        store: Always the store of the run; the keyword is there for code that names it.
        commit_mode: When it commits; default is that of the transaction around it, then LAZY.
        isolation_level: SERIALIZABLE makes it alone with its key until its end, over processes; default is that of the
            transaction around it, then READ_COMMITTED.
        overwrite: Whether to replace what the key stands for.
        write_on_commit: Whether its key stands for its value once it has committed.
        logger: Where it logs; default is the log of the run.

    Raises:
        TransactionError: `store` names another store, the key is no text or holds a secret, a mode or level is unknown.
    """
    if not isinstance(key, str | None):
        raise TransactionError(f"transaction(): the key has to be text, not {key!r}.")
    if store is not None:
        raise TransactionError(
            f"transaction() keeps values in the store of the run and takes no other, so not {store!r}. Leave store out."
        )
    try:
        return TransactionBlock(
            usable_key(key or ""),
            commit_mode=None if commit_mode is None else CommitMode(commit_mode),
            isolation_level=None if isolation_level is None else IsolationLevel(isolation_level),
            overwrite=overwrite,
            write_on_commit=write_on_commit,
            logger=logger,
        )
    except NotKept as error:
        raise TransactionError(f"transaction(): {error} Take another one.") from None
    except ValueError as error:
        raise TransactionError(f"transaction(): {error}. Use a CommitMode and an IsolationLevel.") from None
