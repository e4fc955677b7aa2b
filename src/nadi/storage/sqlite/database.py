"""The file and its connections: one writer in its turn, readers that never wait for it."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from nadi.exceptions import StoreUnavailable
from nadi.storage.locks import FileLock
from nadi.storage.sqlite import failures

_READ_WRITE = apsw.SQLITE_OPEN_READWRITE

#: Connections for reading that are kept for the next reader; each has a cache of its own.
MOST_IDLE = 8

#: What a process that forks must put aside in the child.
_open: weakref.WeakSet[Database] = weakref.WeakSet()
_watching_forks = False


class Database:
    """One SQLite file in WAL mode, for all threads of this process and beside other processes.

    Writers queue on a lock file instead of polling SQLite's own lock: a polling writer can starve
    beside busy ones, a queued one has its turn. Two files make the queue fair: who leaves the line
    must pass the gate again, behind the one that waits there. Programs that know nothing of the
    queue meet SQLite's own lock, for which a writer waits the rest of its patience.
    """

    def __init__(self, path: Path, *, patience: float) -> None:
        self.path = path
        self.patience = patience
        self._turn = threading.Lock()
        self._gate = FileLock(path.with_name(path.name + ".gate"))
        self._line = FileLock(path.with_name(path.name + ".line"))
        self._writer: apsw.Connection | None = None
        self._idle: list[apsw.Connection] = []
        self._connections: list[apsw.Connection] = []
        self._inode: tuple[int, int] | None = None
        self._closed = False
        self._forked = False
        _open.add(self)
        _watch_forks()

    # -- using it --

    @contextmanager
    def write(self) -> Iterator[apsw.Connection]:
        """Give the writing connection within one transaction: committed and flushed at the end, or nothing at all.

        Raises:
            StoreUnavailable: with one sentence; nothing was changed.
        """
        with self.queue() as deadline:
            if self._writer is None:
                self._writer = self._connect()
            connection = self._writer
            try:
                connection.set_busy_timeout(max(1, int(1000 * (deadline - time.monotonic()))))
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            except apsw.BusyError:
                _roll_back(connection)
                raise
            except apsw.Error:
                # The handle may be spoilt (a full disk, a lost file): the next call starts with a fresh one.
                _roll_back(connection)
                self._drop(connection)
                self._writer = None
                raise
            except BaseException:
                _roll_back(connection)
                raise

    @contextmanager
    def read(self) -> Iterator[apsw.Connection]:
        """Give a connection for one answer; each statement sees one snapshot and never waits for writers."""
        self._check_usable()
        connection = None
        try:
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = self._connect(for_reading=True)
            yield connection
        except StoreUnavailable:
            raise
        except (apsw.Error, OSError) as error:
            if connection is not None:
                self._drop(connection)
                connection = None
            raise failures.translate(error, str(self.path), self.patience) from error
        finally:
            if connection is not None:
                if len(self._idle) < MOST_IDLE:
                    self._idle.append(connection)
                else:
                    self._drop(connection)
                if self._closed:
                    self.close()

    @contextmanager
    def queue(self) -> Iterator[float]:
        """Wait for this process's turn to write, and tell until when its patience lasts (monotonic time)."""
        self._check_usable()
        deadline = time.monotonic() + self.patience
        if not self._turn.acquire(timeout=self.patience):
            raise failures.locked(str(self.path), self.patience)
        try:
            try:
                arrived = self._gate.acquire(deadline - time.monotonic())
                try:
                    arrived = arrived and self._line.acquire(max(0.0, deadline - time.monotonic()))
                finally:
                    self._gate.release()
                if not arrived:
                    raise failures.locked(str(self.path), self.patience)
                self._check_in_place()
                yield deadline
            except (apsw.Error, OSError) as error:
                if isinstance(error, StoreUnavailable):
                    raise
                raise failures.translate(error, str(self.path), self.patience) from error
            finally:
                self._line.release()
        finally:
            self._turn.release()

    def close(self) -> None:
        """Close every connection that is not in use; those in use close when they are done."""
        self._closed = True
        if self._forked:
            return
        with self._turn:
            if self._writer is not None:
                self._drop(self._writer)
                self._writer = None
        while self._idle:
            self._drop(self._idle.pop())

    # -- opening it --

    def create(self) -> apsw.Connection:
        """Make the file if it is not there, only for this user, and return a connection in WAL mode; call it queued."""
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600))
        connection = self._connect()
        # Rows have some 500 bytes, so pages of 8 KiB rather than 4; only a new file takes the size.
        connection.execute("PRAGMA page_size = 8192; PRAGMA journal_mode = WAL").fetchall()
        self._writer = connection
        return connection

    def _connect(self, *, for_reading: bool = False) -> apsw.Connection:
        connection = apsw.Connection(str(self.path), flags=_READ_WRITE)
        connection.set_busy_timeout(int(1000 * self.patience))
        # A commit is flushed when it returns; eight megabytes of cache keep the inner pages of every index at hand.
        connection.execute(
            "PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8000;"
            " PRAGMA journal_size_limit = 67108864"
        )
        if for_reading:
            connection.execute("PRAGMA query_only = 1")
        else:
            connection.execute("PRAGMA wal_autocheckpoint = 1000")
        self._connections.append(connection)
        if self._inode is None:
            self._inode = _inode(self.path)
        return connection

    def _drop(self, connection: apsw.Connection) -> None:
        self._connections.remove(connection)
        connection.close(True)

    # -- guarding it --

    def _check_usable(self) -> None:
        if self._forked:
            raise StoreUnavailable(
                f"This process was forked from one that uses the database {self.path} and may not use it too."
                " Open the store again in the child, or start the child with spawn."
            )
        if self._closed:
            raise StoreUnavailable(f"The store of the database {self.path} was closed. Open it again.")

    def _check_in_place(self) -> None:
        """Never write into a file that has been removed: it would be lost, and said to be kept."""
        if self._inode is not None and _inode(self.path) != self._inode:
            raise failures.gone(str(self.path))

    def put_aside(self) -> None:
        """In a forked child: never touch the connections again, not even to close them.

        Closing would roll back in memory that is shared with the parent. So they are kept for
        ever: one reference more than anybody will give back.
        """
        self._forked = True
        self._gate.forget_in_child()
        self._line.forget_in_child()
        if self._connections:
            # 4 ms, and needed in no other process.
            import ctypes

            keep: Any = ctypes.pythonapi.Py_IncRef
            for connection in self._connections:
                keep(ctypes.py_object(connection))


def fetch(connection: apsw.Connection, sql: str, values: Sequence[Any] = ()) -> list[Any]:
    """Return all rows of a statement, as tuples."""
    return connection.execute(sql, values).fetchall()


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _roll_back(connection: apsw.Connection) -> None:
    if connection.in_transaction:
        try:
            connection.execute("ROLLBACK")
        except apsw.Error:
            pass  # it has rolled back by itself, or the connection is dropped


def _watch_forks() -> None:
    global _watching_forks
    if not _watching_forks and hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_hold_writers, after_in_parent=_let_writers_go, after_in_child=_put_all_aside)
        _watching_forks = True


#: Seconds that a fork waits for a commit of another thread to end.
_FORK_PATIENCE = 2.0
#: By thread that forks: the turns that it holds meanwhile.
_held: dict[int, list[threading.Lock]] = {}


def _hold_writers() -> None:
    # SQLite notes within the process who holds which lock of a file. A child that is forked in the middle of a
    # commit inherits the note, and would find the database locked for ever when it opens it for itself.
    _held[threading.get_ident()] = [
        database._turn for database in list(_open) if database._turn.acquire(timeout=_FORK_PATIENCE)
    ]


def _let_writers_go() -> None:
    for turn in _held.pop(threading.get_ident(), ()):
        turn.release()


def _put_all_aside() -> None:
    _held.clear()
    for database in list(_open):
        database.put_aside()
