"""Transactions: what belongs together becomes visible together, or is undone together.

A transaction has a value, hooks for its commit and hooks for its rollback, and children: the transactions that
ended inside of it and left their commit to it. An attempt of a task that is cached or has such hooks is one
(`caching.py`); `with transaction()` makes one around a piece of code (`transaction_blocks.py`).
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Iterator, Sequence
from threading import get_ident
from typing import Any

from nadi.engine.cache_access import Author, Found
from nadi.engine.flow_runs import SuspendAsked
from nadi.engine.key_locks import Claim
from nadi.engine.loops import finish
from nadi.engine.scope import current
from nadi.engine.session import LogOrigin
from nadi.exceptions import MissingResult, NadiError, RunTaken, StoreError, TransactionError
from nadi.model.results import ResultRef
from nadi.model.specs import TransactionHook
from nadi.model.tracebacks import format_exception
from nadi.model.transactions import CommitMode, IsolationLevel, TransactionState
from nadi.storage.contracts.cache import CacheEntry
from nadi.storage.shield import deferred, run_deferred, shielded

_log = logging.getLogger("nadi.runs")

_ENDED = (TransactionState.COMMITTED, TransactionState.ROLLED_BACK)

#: Tells this process from all others.
_PROCESS = os.urandom(8).hex()

#: Tells `get` that no default was given.
_REQUIRED = object()


class CommitHookFailed(NadiError):
    """A hook for the commit failed, so nothing was committed."""


class Transaction:
    """What belongs together: a value and hooks, with those of the transactions inside of it."""

    #: Whether it is an attempt of a task.
    is_of_task = False

    def __init__(
        self,
        key: str = "",
        *,
        commit_mode: CommitMode | None = None,
        isolation_level: IsolationLevel | None = None,
        overwrite: bool = False,
        write_on_commit: bool = True,
        logger: logging.Logger | logging.LoggerAdapter[Any] | None = None,
    ) -> None:
        """Describe it; it begins when it is entered."""
        self.key = key
        self.commit_mode = commit_mode or CommitMode.LAZY
        self.isolation_level = isolation_level or IsolationLevel.READ_COMMITTED
        self.overwrite = overwrite
        self.write_on_commit = write_on_commit
        self.logger = logger or _log
        self.state = TransactionState.PENDING
        #: What was staged.
        self.value: Any = None
        self.on_commit_hooks: list[TransactionHook] = []
        self.on_rollback_hooks: list[TransactionHook] = []
        self.parent: Transaction | None = None
        #: Transactions that ended in it and left their commit to it, in that order.
        self.children: list[Transaction] = []
        #: What its key stood for already; then it is committed from the start.
        self.found: Found | None = None
        self._asked_mode, self._asked_level = commit_mode, isolation_level
        self._author: Author | None = None
        self._values: dict[str, Any] = {}
        self._claim: Claim | None = None
        #: Whether waiting for the key could never end, so that it goes on without the lock.
        self._unlocked = False
        self._guard = threading.Lock()
        #: Whether it takes no more children.
        self._closing = False
        #: By key: what was staged and not committed in all of the outermost transaction; only that one's is used.
        self._staged: dict[str, Transaction] = {}

    # -- for user code --

    def set(self, name: str, value: Any) -> None:
        """Note a value under a name, for hooks and for the transactions inside of this one."""
        self._values[name] = value

    def get(self, name: str, default: Any = _REQUIRED) -> Any:
        """Return the value noted under a name here, or else in the transactions around this one.

        Raises:
            TransactionError: there is none, and no default.
        """
        one: Transaction | None = self
        while one is not None:
            if name in one._values:
                return one._values[name]
            one = one.parent
        if default is _REQUIRED:
            raise TransactionError(
                f"Nothing was set under {name!r} in this transaction or those around it."
                " Call set(), or give get() a default."
            )
        return default

    def stage(
        self,
        value: Any,
        on_rollback_hooks: Sequence[TransactionHook] | None = None,
        on_commit_hooks: Sequence[TransactionHook] | None = None,
    ) -> None:
        """Give it the value that its key shall stand for, and hooks. Of one that has ended nothing changes.

        Args:
            value: The value. A later one replaces it.
            on_rollback_hooks: Called with the transaction when it is rolled back, the last one first.
            on_commit_hooks: Called with the transaction when it commits, before anything becomes visible.
        """
        if self.state in _ENDED:
            return
        self.value = value
        if self.is_of_task or not self.committed_before:  # else they have had their turn
            self.on_rollback_hooks += on_rollback_hooks or ()
            self.on_commit_hooks += on_commit_hooks or ()
        self.state = TransactionState.STAGED
        if self.key:
            self.outermost._staged[self.key] = self

    def read(self) -> Any:
        """Return what its key stood for when it began; `None` where it stood for nothing."""
        return self.found.value if self.found is not None else None

    def is_pending(self) -> bool:
        """Whether it has not been entered."""
        return self.state is TransactionState.PENDING

    def is_active(self) -> bool:
        """Whether it was entered and nothing is staged."""
        return self.state is TransactionState.ACTIVE

    def is_staged(self) -> bool:
        """Whether something is staged and not committed."""
        return self.state is TransactionState.STAGED

    def is_committed(self) -> bool:
        """Whether it has committed, or its key stood for a value already when it began."""
        return self.state is TransactionState.COMMITTED

    def is_rolled_back(self) -> bool:
        """Whether it was undone."""
        return self.state is TransactionState.ROLLED_BACK

    @property
    def outermost(self) -> Transaction:
        """The transaction around all those around this one; itself where there is none."""
        one = self
        while one.parent is not None:
            one = one.parent
        return one

    @property
    def name(self) -> str:
        """What stands for it, among those of all processes, where others wait for what it keeps."""
        return f"{_PROCESS}-{id(self):x}"

    def commit(self) -> bool:
        """Commit it with all that was left to it: first the hooks, children before parents, then all becomes visible.

        What their keys stand for becomes visible in one transaction of the store. Where a hook fails, nothing does,
        and all of it is rolled back.

        Returns:
            Whether it committed now; `False` also where it had ended before.
        """
        with self._guard:
            if self.state in _ENDED:
                return False
            self._closing = True
        members = [one for one in self._members() if one.state not in _ENDED]
        try:
            for one in members:
                for hook in one.on_commit_hooks:
                    one._call(hook, "commit")
            self._make_visible(members)
        except Exception as error:
            detail = "" if isinstance(error, CommitHookFailed) else format_exception(error)
            self.log(logging.ERROR, "%s Nothing is committed, and it is rolled back.", error, detail=detail)
            self.rollback()
            return False
        except BaseException:
            if not self.is_committed():
                self.rollback()
            raise
        finally:
            self._let_go()
        self._note_commit()
        return True

    def rollback(self) -> bool:
        """Undo it: its hooks, the last one first, then those of its children, the last child first.

        A hook that fails is logged, and the others are called all the same.

        Returns:
            Whether it was rolled back now; `False` where it had ended before.
        """
        with self._guard:
            if self.state in _ENDED:
                return False
            self.state = TransactionState.ROLLED_BACK
            self._closing = True
        try:
            self._forget_staged()
            self._before_hooks_undo()
            for hook in reversed(self.on_rollback_hooks):
                try:
                    self._call(hook, "rollback")
                except CommitHookFailed as error:
                    self.log(logging.ERROR, "%s The rollback goes on.", error)
            for child in reversed(self.children):
                child.rollback()
        finally:
            self._let_go()
        return True

    # -- beginning and ending --

    def inherit(self, parent: Transaction | None) -> None:
        """Be inside of `parent`, and take from it what was not said."""
        self.parent = parent
        if parent is not None:
            self.commit_mode = self._asked_mode or parent.commit_mode
            self.isolation_level = self._asked_level or parent.isolation_level

    def begin(self) -> Claim | None:
        """Look its key up and take the key's lock, as far as it needs that.

        Returns:
            What to wait for before calling this again; `None` when it has begun.
        """
        if self.state is not TransactionState.PENDING:
            return None
        while self.key and self._author is not None:
            if not self.overwrite and self._find():
                self.state = TransactionState.COMMITTED
                self._let_go()
                return None
            if not self.locks_key or self._unlocked:
                break
            if self._claim is not None:
                if self._claim.granted:
                    break
                return self._claim
            self._ask_for_lock(self._author)
        self.state = TransactionState.ACTIVE
        return None

    @property
    def locks_key(self) -> bool:
        """Whether it is alone with its key for as long as it lasts."""
        return self.isolation_level is IsolationLevel.SERIALIZABLE

    def unlock(self) -> None:
        """Go on without the lock of its key: others may compute the same meanwhile."""
        self._unlocked = True
        self._free()

    def leave(self, error: BaseException | None) -> None:
        """End it as its body ended: commit, leave that to the transaction around it, or roll back."""
        parent = self.parent
        if error is not None:
            if isinstance(error, SuspendAsked) or self._belongs_to_another():
                self.abandon()
            else:
                self.rollback()
        elif self.state in _ENDED:
            self._let_go()
        elif self.commit_mode is not CommitMode.EAGER and parent is not None and parent._adopt(self):
            if self.isolation_level is not IsolationLevel.SERIALIZABLE or not self._keeps_lock():
                self._free()
        elif parent.is_rolled_back() if parent is not None else self.commit_mode is CommitMode.OFF:
            self.rollback()
        elif self.was_committed and not self._has_news():
            self.state = TransactionState.COMMITTED
            self._let_go()
        else:
            self.commit()

    def abandon(self) -> None:
        """Neither commit nor undo it: another attempt of the run goes on with what was done."""
        self._let_go()

    def _belongs_to_another(self) -> bool:
        scope = current.get()
        return scope is not None and isinstance(scope.session.stopped, RunTaken)

    def _adopt(self, child: Transaction) -> bool:
        with self._guard:
            if self._closing or self.state in _ENDED:
                return False
            self.children.append(child)
            return True

    def _members(self) -> Iterator[Transaction]:
        for child in self.children:
            yield from child._members()
        yield self

    @property
    def was_committed(self) -> bool:
        """Whether this very transaction committed in an earlier attempt of the run."""
        return False

    def _note_commit(self) -> None:
        """Record that it has committed."""

    @property
    def committed_before(self) -> bool:
        """Whether what is left to it committed in an earlier attempt of the run."""
        one: Transaction | None = self
        while one is not None:
            if one.was_committed:
                return True
            one = None if one.commit_mode is CommitMode.EAGER else one.parent
        return False

    def _has_news(self) -> bool:
        """Tell whether a task in it ran again, so that there is something that was not committed then."""
        return any(one.is_of_task for one in self._members())

    # -- the key --

    def _find(self) -> bool:
        assert self._author is not None
        near = self.outermost._staged.get(self.key) if self.parent is not None else None
        if near is not None and near is not self and near.state not in _ENDED:
            self.found = near._as_found()
        else:
            self.found = self._author.look_up(self.key)
        return self.found is not None

    def _as_found(self) -> Found:
        assert self._author is not None
        ref, value = self._kept(), self.value
        # As it was kept: who was given the value itself may have changed it since.
        with contextlib.suppress(MissingResult, StoreError):
            value = self._author.recorder.fetch(ref)
        return Found(value, ref, "Computed in the same transaction, which has not committed yet.")

    def _ask_for_lock(self, author: Author) -> None:
        locks = author.locks()
        if locks is None:
            self._unlocked = True
            return
        held = frozenset((*self._held_around(), self.outermost.name) if self.parent is not None else ())
        ident = get_ident()
        # Torn between the two, it would leave a lock that nobody knows of.
        shielded.add(ident)
        try:
            self._claim = locks.ask(author.lock_name(self.key), held=held)
        finally:
            shielded.discard(ident)
        if deferred:
            run_deferred()
        self._unlocked = self._claim is None

    def _held_around(self) -> Iterator[str]:
        """Yield the locks that are not freed before this transaction has ended."""
        one = self.parent
        while one is not None:
            for member in list(one._members()):
                if member._claim is not None:
                    yield member._claim.name
            one = one.parent

    def _keeps_lock(self) -> bool:
        return self._claim is None or self._claim.keep(self.outermost.name)

    def _free(self) -> None:
        claim, self._claim = self._claim, None
        if claim is not None:
            claim.release()

    def _let_go(self) -> None:
        for one in list(self._members()):
            one._free()

    def _forget_staged(self) -> None:
        staged = self.outermost._staged
        if self.key and staged.get(self.key) is self:
            del staged[self.key]

    # -- making it visible --

    def _make_visible(self, members: Sequence[Transaction]) -> None:
        entries: list[CacheEntry] = []
        for one in members:
            entry = one._entry()
            if entry is not None:
                entries.append(entry)
        author = next((one._author for one in members if one._author is not None), None)
        refused: list[str] = []
        ident = get_ident()
        # Whoever interrupts waits: it is either committed and says so, or it is not.
        shielded.add(ident)
        try:
            if entries and author is not None:
                refused = author.put(entries)
            for one in members:
                one.state = TransactionState.COMMITTED
                one._forget_staged()
        finally:
            shielded.discard(ident)
        if refused:
            self.log(logging.WARNING, "Another attempt of the run has taken over: what it computes is not cached.")
        if deferred:
            run_deferred()

    def _entry(self) -> CacheEntry | None:
        if not self.key or not self.write_on_commit or self._author is None or not self._author.is_reachable():
            return None
        ref = self._kept()
        if ref.kind != "not_kept":
            ref = self._published(ref)
        if ref.kind == "not_kept":
            self.log(logging.WARNING, "Its value is not cached: %s", ref.note)
            return None
        return self._author.entry(self.key, ref, lasts=self._lasts())

    def _kept(self) -> ResultRef:
        assert self._author is not None
        return self._author.keep(self.value)

    def _published(self, ref: ResultRef) -> ResultRef:
        """Return where the value lies for others."""
        return ref

    def _lasts(self) -> float:
        """Return the seconds for which its key stands for its value; 0 for ever."""
        return 0.0

    # -- hooks --

    def _before_hooks_undo(self) -> None:
        """Say that what was done here does not stand any more."""

    def _call(self, hook: TransactionHook, what: str) -> None:
        try:
            finish(hook(self))
        except Exception as error:
            name = getattr(hook, "__qualname__", None) or repr(hook)
            self.log(logging.ERROR, "The %s hook %s failed.", what, name, detail=format_exception(error))
            raise CommitHookFailed(f"The {what} hook {name} failed.") from error

    def log(self, level: int, message: str, *args: object, detail: str = "") -> None:
        """Log about this transaction."""
        self.logger.log(level, message, *args, extra={"nadi_origin": self._origin, "nadi_detail": detail})

    @property
    def _origin(self) -> LogOrigin | None:
        """Who logs; `None` for the code that runs."""
        return None

    def __repr__(self) -> str:
        return f"<Transaction {self.key or 'without key'}: {self.state.value}>"
