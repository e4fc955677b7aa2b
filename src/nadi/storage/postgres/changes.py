"""Waiting for changes: one connection of a process listens for all of its threads."""

from __future__ import annotations

import os
import socket
import threading
import time

import psycopg

from nadi.storage.postgres.database import CHANNEL, Connection, Database, execute


class Listener:
    """Who is told by the database that something changed. There is no thread: one of those who wait does the listening.

    What is told may be early: the change may not be the newest one that counts, because an older transaction is still
    open. Nothing is told through a connection pooler that gives connections to transactions.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._told = threading.Condition()
        self._times = 0
        self._connection: Connection | None = None
        self._is_listening = False
        self._is_closed = False

    @property
    def times(self) -> int:
        """How often something was told so far; listening begins with the first question."""
        if self._connection is None:
            with self._told:
                self._listen()
        return self._times

    def wait(self, times: int, timeout: float) -> bool:
        """Wait until something was told more often than `times`, for at most `timeout` seconds; return whether it was.

        Raises:
            StoreUnavailable: the database went away; the next call tries again.
        """
        deadline = time.monotonic() + timeout
        while self._times <= times and (left := deadline - time.monotonic()) > 0:
            with self._told:
                if self._is_listening:
                    # Not for ever: who listens may have left without having heard anything.
                    self._told.wait(min(left, 1.0))
                    continue
                self._listen()
                connection, self._is_listening = self._connection, True
            try:
                assert connection is not None
                for _ in connection.notifies(timeout=left, stop_after=1):
                    self._times += 1
            except psycopg.Error as error:
                self._let_go()
                raise self._database.translated(error) from error
            except BaseException:
                # Interrupted in the middle of something: what state it is in is not known.
                self._let_go()
                raise
            finally:
                with self._told:
                    self._is_listening = False
                    self._told.notify_all()
                # In this order, as `close` looks at the two in the other: one of both lets go.
                if self._is_closed:
                    self._let_go()
        return self._times > times

    def close(self) -> None:
        """Let go of the connection for good, whoever listens to it; from any thread.

        There is no lock in it, which a process that was forked might find locked for ever.
        """
        self._is_closed = True
        connection = self._connection
        if connection is not None and self._is_listening:
            # Closed by who listens: here it would be taken from under the other thread.
            _hang_up(connection)
        else:
            self._let_go()

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _listen(self) -> None:
        if self._connection is None or self._connection.closed:
            try:
                made = self._database.connect()
                try:
                    execute(made, f"LISTEN {CHANNEL}")
                except BaseException:
                    made.close()
                    raise
            except psycopg.Error as error:
                raise self._database.translated(error) from error
            # Not before it listens: who sees it there waits no longer than for a word.
            self._connection = made
            if self._is_closed:  # meanwhile, and found no connection to let go of
                self._let_go()
                self._database.check_usable()


def _hang_up(connection: Connection) -> None:
    """End what is said on a connection, so that who waits for more hears of it at once."""
    try:
        with socket.socket(fileno=os.dup(connection.pgconn.socket)) as way:
            way.shutdown(socket.SHUT_RDWR)
    except (OSError, psycopg.Error):
        return  # it is over already, or the socket is one that this process let go of when it was forked
