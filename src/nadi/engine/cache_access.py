"""The cache as runs use it: looking a key up, keeping a value under one, and doing without a store that is away."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import msgspec

from nadi.engine.key_locks import KeyLocks
from nadi.engine.launched import may_load
from nadi.engine.recording import clock, recorder
from nadi.engine.scope import current
from nadi.exceptions import MissingResult, NotKept, StoreError
from nadi.model.results import ResultRef
from nadi.model.runs import when
from nadi.model.secrets import MASK, masker
from nadi.storage.contract import Store
from nadi.storage.contracts.cache import CacheEntry
from nadi.storage.recorder import JournalRecorder, Recorder
from nadi.storage.results import Keeper

_log = logging.getLogger("nadi.runs")

#: Seconds for which a store that did not answer is not asked again: each question may cost its patience.
REST = 10.0

#: Roots of the runs that were told that they go without the cache, and how many are remembered.
_told_of: set[str] = set()
MOST_TOLD = 1000


class Found(msgspec.Struct, frozen=True):
    """What a key stands for."""

    value: Any
    ref: ResultRef
    #: Who computed it and when, as one sentence.
    told: str


class Access:
    """How this process comes by one store's cache: its locks, and whether the store answers."""

    def __init__(self, into: Recorder) -> None:
        self.locks = KeyLocks(_locks_folder(into))
        self._away_until = 0.0

    def is_open(self) -> bool:
        """Whether it is worth asking the store."""
        return time.monotonic() >= self._away_until

    def lost(self, error: StoreError, root: str) -> None:
        """Ask no more for a while; say so once a run."""
        self._away_until = time.monotonic() + REST
        if root not in _told_of:
            if len(_told_of) >= MOST_TOLD:
                _told_of.clear()
            _told_of.add(root)
            _log.warning("Results are neither looked up in the cache nor kept there: %s", error)


def _locks_folder(into: Recorder) -> Any:
    if not isinstance(into, JournalRecorder):
        return None
    try:
        return into.home.ensure(into.home.locks)
    except OSError as error:
        _log.warning("Locks cannot be kept in %s (%s).", into.home.locks, error.strerror or error)
        return None


_accesses: WeakKeyDictionary[Recorder, Access] = WeakKeyDictionary()


def access_of(into: Recorder) -> Access:
    """Return the one access of this process to what a recorder writes to."""
    found = _accesses.get(into)
    return found if found is not None else _accesses.setdefault(into, Access(into))


class Author(msgspec.Struct, frozen=True):
    """Who keeps a value under a key: a task run, or the flow or script that a transaction stands in."""

    recorder: Recorder
    keeper: Keeper | None
    now: Callable[[], float]
    #: Id of the root run and token of its claim; "" and 0 outside of runs.
    root: str = ""
    token: int = 0
    run: str = ""
    task_run: str = ""
    name: str = ""
    task: str = ""
    format: str = "pickle"

    @classmethod
    def here(cls) -> Author:
        """Return who the code that runs is."""
        scope = current.get()
        if scope is None:
            into = recorder()
            return cls(into, into.keeper(clock.new_id(), 1), clock.now)
        session = scope.session
        return cls(
            session.recorder,
            session.keeper,
            session.now,
            root=session.root,
            token=session.token,
            run=scope.flow_run,
            task_run="" if scope.is_flow else scope.id,
            name=scope.name,
        )

    @property
    def _access(self) -> Access:
        return access_of(self.recorder)

    def is_reachable(self) -> bool:
        """Whether the store can be asked, as far as is known."""
        return self.keeper is not None and self._access.is_open()

    def _store(self) -> Store | None:
        if not self.is_reachable():
            return None
        try:
            return self.recorder.store()
        except StoreError as error:
            self._access.lost(error, self.root)
            return None

    def locks(self) -> KeyLocks | None:
        """Return the locks of keys; `None` where there is no store to share values through."""
        return self._access.locks if self.is_reachable() else None

    def lock_name(self, key: str) -> str:
        """Return what the lock of a key is called: two stores of one home know two keys."""
        return f"{self.keeper.store_id if self.keeper is not None else ''} {key}"

    def look_up(self, key: str) -> Found | None:
        """Return what a key stands for now; `None` where it stands for nothing that is fresh and readable."""
        store = self._store()
        if store is None:
            return None
        try:
            entry = store.cache.get(key)
            if entry is None or not entry.is_fresh(self.now()):
                return None
            if not may_load(store, entry.root):
                return None
            value = self.recorder.fetch(entry.result)
            return Found(value, entry.result, _told(entry, store, self.root))
        except MissingResult:
            return None
        except StoreError as error:
            self._access.lost(error, self.root)
            return None

    def keep(self, value: Any) -> ResultRef:
        """Keep a value, as results are kept; never raises."""
        if self.keeper is None:
            return ResultRef("not_kept", note="the store could not be reached to sign it")
        return self.keeper.keep(value, task_run_id=clock.new_id(), format=self.format)

    def entry(self, key: str, ref: ResultRef, *, lasts: float) -> CacheEntry:
        """Return what makes a key stand for a kept value, for so many seconds; 0 for ever."""
        now = self.now()
        return CacheEntry(
            key=key,
            task=self.task,
            result=ref,
            root=self.root,
            token=self.token,
            run=self.run,
            task_run=self.task_run,
            name=self.name,
            created=now,
            expires=now + lasts if lasts else 0.0,
        )

    def put(self, entries: Sequence[CacheEntry]) -> list[str]:
        """Make keys stand for values, all at once; returns the keys that another attempt has taken over."""
        store = self._store()
        if store is None:
            return []
        try:
            return store.cache.put(entries)
        except StoreError as error:
            self._access.lost(error, self.root)
            return []


def usable_key(key: str) -> str:
    """Return a key that a store can take and may show.

    Raises:
        NotKept: it cannot be written as UTF-8, or holds a secret; two masked ones would be one key.
    """
    try:
        data = key.encode()
    except UnicodeEncodeError:
        raise NotKept(f"The key {key!r} cannot be written as UTF-8.") from None
    if MASK in key or masker.occurs_in(data):
        raise NotKept("The key holds a Secret, and keys are shown.")
    return key


def _told(entry: CacheEntry, store: Store, root: str) -> str:
    at = f"{when(entry.created):%Y-%m-%d %H:%M:%S} UTC"
    if not entry.root:
        return f"Kept on {at}."
    run = store.flow_run(entry.root) if entry.root != root else None
    of = "this run" if entry.root == root else f"run {run.name} ({run.id})" if run is not None else f"run {entry.root}"
    who = f"task run {entry.name} ({entry.task_run})" if entry.task_run else "a transaction"
    return f"Computed by {who} of {of} on {at}."
