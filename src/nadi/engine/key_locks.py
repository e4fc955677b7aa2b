"""Key locks: of all who are about to compute what one key stands for, over threads and processes, one does it.

The lock of a key is a kernel lock on a file of the home, so a holder that is killed frees it. Within one
process those who want it queue up, and only the first of them asks the kernel. Nobody waits in a circle: who would
wait for what waits for it is told so instead, and goes on without the lock.
"""

from __future__ import annotations

import itertools
import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

from nadi.engine.interrupts import wait_for_lock, wake
from nadi.engine.loops import running_loop
from nadi.executors.threads import place_lent
from nadi.model.digests import blake2b
from nadi.storage.journal import hold_against_forks
from nadi.storage.locks import FileLock

_log = logging.getLogger("nadi.engine")

#: What stands before the name of a file that tells who waits for what.
_WAITING = "waiting-"


class Claim:
    """A place in the queue for one key's lock, until it is released."""

    __slots__ = ("_callbacks", "_locks", "_over", "granted", "name", "wait_told")

    def __init__(self, locks: KeyLocks, name: str) -> None:
        self._locks = locks
        #: What the lock is called; keys may be long, and are nobody else's business.
        self.name = name
        self.granted = False
        self._over = False
        self._callbacks: list[Callable[[], object]] = []
        #: Tells other processes that it waits, where it could be part of a circle.
        self.wait_told: FileLock | None = None

    def when_granted(self, callback: Callable[[], object]) -> None:
        """Call back once the lock is this claim's, in whichever thread frees it; at once when it is already."""
        if not self._locks.call_later(self, callback):
            callback()

    def wait(self) -> bool:
        """Wait in this thread for the lock; its place in a pool is lent meanwhile, and an interruption ends it.

        Returns:
            `False`, at once, where waiting could never end: this thread runs an event loop, and who has the lock, or
            will have it before, may be a coroutine of that loop.
        """
        if self.granted:
            return True
        if running_loop() is not None and not self._locks.is_first(self):
            return False
        waiter = threading.Lock()
        waiter.acquire()
        self.when_granted(lambda: wake(waiter))
        with place_lent():
            while not self.granted:
                wait_for_lock(waiter, None)
        return True

    def keep(self, whom: str) -> bool:
        """Hold the lock until somebody else has ended, who may wait for other locks meanwhile.

        Args:
            whom: What stands for that one in `held` of all that it waits for.

        Returns:
            `False` where it would be waited for in a circle.
        """
        return self._locks.keep(self, whom)

    def release(self) -> None:
        """Let the lock go, or leave the queue; doing so again is fine."""
        self._locks.release(self)


class _Queue:
    """Who of this process wants one lock; the first has it, or will be the next to have it."""

    __slots__ = ("claims", "file", "is_sought")

    def __init__(self) -> None:
        self.claims: deque[Claim] = deque()
        #: The lock that the first one holds; `None` while nobody does, or where there is no folder for it.
        self.file: FileLock | None = None
        #: Whether somebody is getting the lock for the first one.
        self.is_sought = False


class KeyLocks:
    """The locks of one home, or those of this process alone where there is no folder for them."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._guard = threading.Lock()
        self._queues: dict[str, _Queue] = {}
        #: What those who wait are waiting for, and what they hold, where they hold anything, by their claim.
        self._waiting: dict[Claim, tuple[str, frozenset[str]]] = {}
        self._numbers = itertools.count(1)
        #: A child that was forked holds nothing, and nobody would ever free there what was held here.
        self._process = os.getpid()

    def ask(self, key: str, *, held: frozenset[str] = frozenset()) -> Claim | None:
        """Queue up for the lock of a key; `None` where waiting for it could never end, also in a forked child.

        Args:
            key: The key; that of another store has to be another key.
            held: Names of the locks that are not freed before this one was got.
        """
        name = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        if name in held or os.getpid() != self._process:
            return None
        claim = Claim(self, name)
        with self._guard:
            queue = self._queues.setdefault(name, _Queue())
            queue.claims.append(claim)
            seeks = len(queue.claims) == 1 and not queue.is_sought
            queue.is_sought = queue.is_sought or seeks
        if seeks:
            self._seek(name)
        if held and not claim.granted:
            self._tell_waiting(claim, name, held)
            # Whoever closes a circle tells it first and looks second, so the last one sees all of it.
            if self._leads_back(name, held):
                claim.release()
                return None
        return claim

    def keep(self, claim: Claim, whom: str) -> bool:
        """See `Claim.keep`."""
        held = frozenset({claim.name})
        self._tell_waiting(claim, whom, held)
        return not self._leads_back(whom, held)

    def call_later(self, claim: Claim, callback: Callable[[], object]) -> bool:
        """Call `callback` when a claim is granted; `False` when it is already."""
        with self._guard:
            if not claim.granted:
                claim._callbacks.append(callback)
            return not claim.granted

    def is_first(self, claim: Claim) -> bool:
        """Tell whether nobody else of this process has the lock, or will have it before."""
        with self._guard:
            return self._queues[claim.name].claims[0] is claim

    def release(self, claim: Claim) -> None:
        """See `Claim.release`."""
        seeks, file = False, None
        if os.getpid() != self._process:
            return
        with self._guard:
            if claim._over:
                return
            claim._over = True
            told = self._no_longer_waiting(claim)
            queue = self._queues[claim.name]
            queue.claims.remove(claim)
            if claim.granted:
                file, queue.file = queue.file, None
                seeks = queue.is_sought = bool(queue.claims)
            if not queue.claims and not queue.is_sought:
                del self._queues[claim.name]
        if told is not None:
            told.remove()
        if file is not None:
            file.remove()
        if seeks:
            self._seek(claim.name)

    # -- getting the lock from the kernel --

    def _seek(self, name: str) -> None:
        """Get the lock for the first of a queue: now, or in a thread that waits for it."""
        file = self._file(name)
        try:
            if file is None or self._taken_at_once(file):
                self._arrive(name, file)
                return
        except OSError as error:
            self._do_without_files(error)
            self._arrive(name, None)
            return
        try:
            threading.Thread(target=self._wait, args=(name, file), name="nadi-key-lock", daemon=True).start()
        except RuntimeError as error:
            # Without the lock rather than never: those who queue up here would wait for nobody.
            _log.warning("No thread can be started to wait for a key (%s); it may be computed twice.", error)
            self._arrive(name, None)

    def _taken_at_once(self, file: FileLock) -> bool:
        while file.try_acquire():
            if file.is_in_place:
                return True
            file.release()
        return False

    def _wait(self, name: str, file: FileLock) -> None:
        try:
            file.wait()
            while not file.is_in_place:
                file.release()
                file.wait()
        except OSError as error:
            self._do_without_files(error)
            self._arrive(name, None)
            return
        self._arrive(name, file)

    def _arrive(self, name: str, file: FileLock | None) -> None:
        """Give the lock to whoever is the first now; nobody may want it any more."""
        told, callbacks = None, list[Callable[[], object]]()
        with self._guard:
            queue = self._queues[name]
            queue.is_sought = False
            if queue.claims:
                first = queue.claims[0]
                queue.file, file = file, None
                first.granted = True
                told = self._no_longer_waiting(first)
                callbacks, first._callbacks = first._callbacks, []
            else:
                del self._queues[name]
        if told is not None:
            told.remove()
        if file is not None:
            file.remove()
        for callback in callbacks:
            callback()

    def _file(self, name: str) -> FileLock | None:
        if self._folder is None:
            return None
        file = FileLock(self._folder / name)
        hold_against_forks(file)
        return file

    def _do_without_files(self, error: OSError) -> None:
        if self._folder is not None:
            _log.warning(
                "Locks cannot be kept in %s (%s): other processes may compute what this one is computing.",
                self._folder,
                error.strerror or error,
            )
        self._folder = None

    # -- circles --

    def _tell_waiting(self, claim: Claim, name: str, held: frozenset[str]) -> None:
        file = None
        if self._folder is not None:
            try:
                file = self._written(self._folder, name, held)
            except OSError as error:
                self._do_without_files(error)
        with self._guard:
            # It may have got meanwhile what it waited for, or have let go what it was to keep.
            if claim.granted is (name != claim.name) and not claim._over:
                self._waiting[claim] = name, held
                claim.wait_told, file = file, None
        if file is not None:
            file.remove()

    def _written(self, folder: Path, name: str, held: frozenset[str]) -> FileLock:
        # It gets its name when all of it is there and its lock is held: a free lock means that its writer is dead.
        number = f"{os.getpid()}-{id(self):x}-{next(self._numbers)}"
        file = FileLock(folder / f"new-{number}")
        hold_against_forks(file)
        file.try_acquire()
        file.path.write_text(" ".join([name, *sorted(held)]), encoding="ascii")
        told = folder / f"{_WAITING}{number}"
        file.path.rename(told)
        file.path = told
        return file

    def _no_longer_waiting(self, claim: Claim) -> FileLock | None:
        self._waiting.pop(claim, None)
        told, claim.wait_told = claim.wait_told, None
        return told

    def _leads_back(self, wanted: str, held: frozenset[str]) -> bool:
        """Tell whether the lock that is wanted is held by somebody who, however indirectly, waits for one of these."""
        waits = list(self._waits())
        seen, ahead = {wanted}, [wanted]
        while ahead:
            lock = ahead.pop()
            for next_lock in {waited for waited, holds in waits if lock in holds} - seen:
                if next_lock in held:
                    return True
                seen.add(next_lock)
                ahead.append(next_lock)
        return False

    def _waits(self) -> Iterator[tuple[str, frozenset[str]]]:
        """Yield which lock each one waits for, and which it holds meanwhile."""
        with self._guard:
            own = [(name, held, claim.wait_told) for claim, (name, held) in self._waiting.items()]
        mine = {file.path.name for _, _, file in own if file is not None}
        yield from ((name, held) for name, held, _ in own)
        if self._folder is None:
            return
        for path in sorted(self._folder.glob(f"{_WAITING}*")):
            if path.name in mine:
                continue
            try:
                words = path.read_text(encoding="ascii").split()
                left_behind = FileLock(path)
                if left_behind.try_acquire():
                    left_behind.remove()
                    continue
            except OSError:  # its writer got what it waited for
                continue
            if words:
                yield words[0], frozenset(words[1:])
