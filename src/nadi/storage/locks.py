"""Kernel locks on files: held by a living process, gone with it, whatever killed it."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int, *, wait: bool) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _free(descriptor: int) -> None:
        os.close(descriptor)
else:
    import fcntl

    def _take(descriptor: int, *, wait: bool) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _free(descriptor: int) -> None:
        # Closing alone would not do: a child that was forked in this moment has a copy of the descriptor
        # that nobody knows of, and the lock would be held for as long as that child lives.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def lock_while_open(descriptor: int) -> None:
    """Lock an open file until the last copy of its descriptor is closed: those that children inherit count.

    Raises:
        OSError: files cannot be locked here.
    """
    _take(descriptor, wait=True)


def is_locked(path: Path | str) -> bool:
    """Tell whether somebody has the lock of a file; of one that is not there, nobody has."""
    try:
        descriptor = os.open(path, os.O_RDWR | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return False
    try:
        free = _take(descriptor, wait=False)
    except OSError:  # it cannot be known
        free = False
    if free:
        _free(descriptor)
    else:
        os.close(descriptor)
    return not free


class FileLock:
    """An exclusive lock on one file, for this process against all others.

    The lock lives in the kernel: when the process dies, however it dies, the lock is free.
    It is not inherited: children that exec do not get the descriptor, and forked children
    close their copy (see `journal.py`), which leaves the parent's lock in place.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = -1
        #: Guards what a thread that waits in the kernel, and the one that it waits for, agree on.
        self._verdict = threading.Lock()
        #: Set when that thread has the lock; `None` while no thread waits.
        self._arrived: threading.Event | None = None
        self._wanted = False

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._descriptor >= 0

    def try_acquire(self) -> bool:
        """Take the lock if it is free, at once.

        Raises:
            OSError: the file cannot be opened or made.
        """
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        if _take(descriptor, wait=False):
            self._descriptor = descriptor
            return True
        os.close(descriptor)
        return False

    def acquire(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for the lock, first come first served; for one thread at a time.

        The kernel queues those who wait, but a thread that waits there cannot be called back;
        so a helper thread waits, and lets the lock go again if it comes too late. Who asks again
        meanwhile takes over its place: however often that happens, one thread waits.
        """
        if self.try_acquire():
            return True
        if timeout <= 0:
            return False
        with self._verdict:
            arrived = self._arrived or self._begin_to_wait()
            self._wanted = True
        if arrived.wait(timeout):
            return True
        with self._verdict:
            self._wanted = False
            return arrived.is_set()

    def wait(self) -> None:
        """Wait for the lock in the kernel, however long; nothing else ends it, so call it in a thread of its own.

        Raises:
            OSError: the file cannot be opened or made.
        """
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        while not _take(descriptor, wait=True):
            continue  # Windows gives up after ten seconds
        self._descriptor = descriptor

    @property
    def is_in_place(self) -> bool:
        """Whether the file that is locked still has its name: another one there is another lock."""
        try:
            found, held = os.stat(self.path), os.fstat(self._descriptor)
        except FileNotFoundError:
            return False
        return (found.st_dev, found.st_ino) == (held.st_dev, held.st_ino)

    def remove(self) -> None:
        """Let the lock go and remove its file. Who waited for it meanwhile gets a lock that is not in place."""
        try:
            os.unlink(self.path)
        except OSError:  # it is gone, or somebody has it open where open files cannot be removed
            return
        finally:
            self.release()

    def _begin_to_wait(self) -> threading.Event:
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        arrived = threading.Event()

        def wait() -> None:
            _take(descriptor, wait=True)
            with self._verdict:
                self._arrived = None
                if self._wanted:
                    self._descriptor = descriptor
                    arrived.set()
                else:
                    _free(descriptor)

        threading.Thread(target=wait, name="nadi-lock", daemon=True).start()
        self._arrived = arrived
        return arrived

    def release(self) -> None:
        """Let the lock go; releasing one that is not held is fine."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            _free(descriptor)

    def forget_in_child(self) -> None:
        """Close a forked child's copy of the descriptor; the parent keeps the lock."""
        self._verdict, self._arrived = threading.Lock(), None  # the thread that waits is the parent's
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)
