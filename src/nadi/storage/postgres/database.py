"""The connections of one process to PostgreSQL: few, opened when needed, thrown away when broken."""

from __future__ import annotations

import logging
import os
import select
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from psycopg import errors, pq
from psycopg.adapt import AdaptersMap
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.string import StrDumperUnknown

from nadi.exceptions import SettingError, StoreUnavailable, ValueRefused
from nadi.storage.opening import shown_url
from nadi.storage.postgres import failures

T = TypeVar("T")

#: The most connections that a process uses at once; each is a process of its own on the side of the server.
MOST_CONNECTIONS = 8
#: Seconds after which a connection that nobody used is closed.
IDLE_TERM = 60.0
#: Seconds after which the server ends a transaction in which its client has fallen silent, so that a stopped process
#: does not hold locks for ever. No longer than the lease of a worker: until then nobody can take its runs over.
SILENT_TERM = 15
#: The oldest server that will do, as it tells its own version.
OLDEST_SERVER = 140000

#: How the way to a server that vanished is found out, unless the URL says otherwise.
_KEEPALIVES = {"keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 30_000}

#: One transaction may take so many change numbers.
CHANGES_OF_ONE = 1 << 20
#: SQL: every change number below this one is of a transaction that has ended, so that none will come to light later.
COMPLETE_BEFORE = (
    "((pg_snapshot_xmin(pg_current_snapshot())::text::bigint << 20) + (SELECT n FROM change_offset LIMIT 1))"
)
#: Told to those who wait for changes.
CHANNEL = "nadi_change"

_NEXT_CHANGES = (
    "INSERT INTO change (seq, mark) SELECT (pg_current_xact_id()::text::bigint << 20) + n + %s, %s FROM change_offset"
    f" RETURNING seq, pg_current_xact_id()::text::bigint, pg_notify('{CHANNEL}', '')"
)
_TELL_CHANGES = f"INSERT INTO change (seq, mark) VALUES (%s, %s) RETURNING pg_notify('{CHANNEL}', '')"
#: Of two rows below the newest one that counts, the smaller one says nothing to readers; a while later it says nothing
#: to its writer either. Who else tidies up is not waited for.
_TIDY_CHANGES = (
    "DELETE FROM change WHERE seq IN (SELECT seq FROM change WHERE seq < (SELECT max(seq) FROM change"
    f" WHERE seq < {COMPLETE_BEFORE}) - (%s::bigint << 20) ORDER BY seq LIMIT 1000 FOR UPDATE SKIP LOCKED)"
)
#: One transaction of so many tidies up, and spares the rows of so many.
_TIDY_EVERY = 256
_SPARED = 65_536

#: What became of a transaction. Its own number does not tell: after a crash of the server, which forgets those that
#: were not committed, another transaction may have the same.
_BECAME = (
    "SELECT CASE WHEN EXISTS (SELECT 1 FROM change WHERE seq = %s AND mark = %s) THEN 'committed'"
    " WHEN %s::text::xid8 >= pg_snapshot_xmax(pg_current_snapshot()) THEN 'aborted'"
    " WHEN pg_xact_status(%s::text::xid8) = 'in progress' THEN 'in progress' ELSE 'aborted' END"
)

_SETTINGS = (
    "SELECT set_config('lock_timeout', %s, false), set_config('idle_in_transaction_session_timeout', %s, false),"
    # Every question has its index, and is planned before the tables have grown; on an empty table a scan looks cheaper.
    " set_config('enable_seqscan', 'off', false), set_config('jit', 'off', false),"
    " CASE WHEN current_setting('synchronous_commit') = 'off' THEN set_config('synchronous_commit', 'on', false) END"
)

# Of two errors with one cause psycopg raises the first, which is ours to tell, and logs the second.
logging.getLogger("psycopg").addFilter(lambda record: not record.getMessage().startswith("error ignored"))

#: What a process that forks must put aside in the child.
_open: weakref.WeakSet[Database] = weakref.WeakSet()
#: URLs of databases that somebody in this process waited for in vain, and that nobody has reached since.
_away: set[str] = set()
_watching_forks = False


class Connection(psycopg.Connection[tuple[Any, ...]]):
    """A connection of ours."""

    #: Of the transaction at hand: how many change numbers it has taken, the last one, and its own number.
    taken: int = 0
    newest: int = 0
    number: int = 0
    #: By which it knows its rows of table `change` again.
    mark: int = 0
    #: When it was last given back; monotonic.
    idle_since: float = 0.0

    @property
    def is_ready(self) -> bool:
        """Whether it can be used for something new."""
        return not self.closed and self.pgconn.transaction_status == pq.TransactionStatus.IDLE

    def is_told_something(self) -> bool:
        """Tell whether the server has said something unasked, as it does when it goes away."""
        if sys.platform == "win32":
            return bool(select.select([self.pgconn.socket], [], [], 0)[0])
        # Unlike select(), it takes a socket of any number.
        look = select.poll()
        look.register(self.pgconn.socket, select.POLLIN)
        return bool(look.poll(0))


class Database:
    """One PostgreSQL database, for all threads of this process.

    Args:
        url: `postgresql://user:password@host:port/name`, with what else libpq takes after a question mark.
        patience: Seconds to wait for a connection, for a lock, or for a server that starts again, before
            `StoreUnavailable` is raised.

    Raises:
        SettingError: the URL cannot be read.
    """

    def __init__(self, url: str, *, patience: float) -> None:
        #: For people: without user, password and options.
        self.url = shown_url(url)
        self.patience = patience
        try:
            given = conninfo_to_dict(url)
        except psycopg.ProgrammingError:
            # What libpq says of it may hold the password.
            raise SettingError(
                f"The database URL {self.url!r} cannot be read. Use postgresql://user:password@host:5432/name, where"
                " special characters of user and password are written as %40, %2F and so on."
            ) from None
        defaults = {"application_name": "nadi", "connect_timeout": max(2, int(patience)), **_KEEPALIVES}
        self._parameters: dict[str, Any] = {**defaults, **given, "client_encoding": "UTF8"}
        self._free = threading.Condition()
        self._idle: list[Connection] = []
        #: All that are open, used or not; one that an interruption left behind counts no longer once it is collected.
        self._connections: weakref.WeakSet[Connection] = weakref.WeakSet()
        self._connecting = 0
        self._closed = False
        self._forked = False
        _open.add(self)
        _watch_forks()

    # -- using it --

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection within one transaction: committed at the end, or nothing at all.

        Raises:
            StoreUnavailable: with one sentence; nothing was changed, unless the way to the server broke in the middle
                of the commit and it could not be reached again to ask.
        """
        try:
            with self._transaction(self._deadline()) as connection:
                yield connection
        except psycopg.Error as error:
            raise self.translated(error) from error

    def transact(self, work: Callable[[Connection], T]) -> T:
        """Return what `work` returns, done in one transaction.

        It is done again from the start when another transaction had to go first, or when the way to the server broke
        before the commit: so `work` must change nothing but the database.

        Raises:
            StoreUnavailable: as `write`.
        """
        deadline = self._deadline()
        while True:
            try:
                with self._transaction(deadline) as connection:
                    return work(connection)
            except psycopg.Error as error:
                self._prepare_again(error, deadline)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection for one answer; each statement sees what was committed before it, and waits for nobody."""
        try:
            with self._taken(self._deadline()) as connection:
                yield connection
        except psycopg.Error as error:
            raise self.translated(error) from error

    def fetch(self, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a statement that only reads; it is asked again when the way to the server breaks."""
        deadline = self._deadline()
        while True:
            try:
                with self._taken(deadline) as connection:
                    return fetch(connection, sql, values)
            except psycopg.Error as error:
                self._prepare_again(error, deadline)

    def connect(self, deadline: float | None = None) -> Connection:
        """Return a new connection, which counts to those of this process until it is closed.

        A server that is starting is waited for until the deadline (monotonic; `patience` from now when not given),
        but not by those who come after one that waited in vain.
        """
        deadline = self._deadline() if deadline is None else deadline
        self.check_usable()
        while True:
            try:
                made = self._connected()
            except psycopg.Error as error:
                if not failures.is_lost_connection(error):
                    raise
                if self.url in _away or time.monotonic() >= deadline:
                    _away.add(self.url)
                    raise
                time.sleep(0.05)
            else:
                _away.discard(self.url)
                self._connections.add(made)
                return made

    def translated(self, error: psycopg.Error) -> StoreUnavailable | ValueRefused:
        """Return our error for one of PostgreSQL's."""
        return failures.translate(error, self.url, self.patience)

    def close(self) -> None:
        """Close every connection that is not in use; those in use close when they are given back."""
        self._closed = True
        if self._forked:
            return
        with self._free:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    # -- transactions --

    def _deadline(self) -> float:
        return time.monotonic() + self.patience

    @contextmanager
    def _transaction(self, deadline: float) -> Iterator[Connection]:
        with self._taken(deadline) as connection:
            connection.autocommit = False
            connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
            connection.taken = connection.newest = connection.number = 0
            connection.mark = int.from_bytes(os.urandom(7))
            try:
                yield connection
                self._commit(connection, deadline)
            finally:
                # After a commit there is nothing to roll back. One that was interrupted in the middle of a statement
                # is in no state to be used again.
                if connection.pgconn.transaction_status == pq.TransactionStatus.ACTIVE:
                    connection.close()
                elif not connection.closed:
                    _roll_back(connection)

    def _commit(self, connection: Connection, deadline: float) -> None:
        """Commit; when the answer is lost with the connection, ask on another one what became of it."""
        try:
            connection.commit()
        except psycopg.Error as error:
            if not failures.is_lost_connection(error):
                raise
            became = self._what_became_of(connection, deadline) if connection.taken else "unknown"
            if became == "aborted":
                raise
            if became != "committed":
                raise StoreUnavailable(
                    f"The connection to the database {self.url} broke while a change was being committed, and whether"
                    " it was kept is not known. Try again: what is there already is recognised."
                ) from error

    def _what_became_of(self, lost: Connection, deadline: float) -> str:
        while True:
            try:
                with self._taken(deadline) as connection:
                    ((became,),) = fetch(connection, _BECAME, (lost.newest, lost.mark, *[str(lost.number)] * 2))
            except (psycopg.Error, StoreUnavailable):
                return "unknown"
            if became != "in progress" or time.monotonic() >= deadline:
                return str(became)
            time.sleep(0.02)

    def _prepare_again(self, error: psycopg.Error, deadline: float) -> None:
        """Raise our error, or return when the same may be tried once more."""
        if time.monotonic() >= deadline or self.url in _away:
            raise self.translated(error) from error
        if not (failures.is_lost_race(error) or failures.is_lost_connection(error)):
            raise self.translated(error) from error

    # -- connections --

    @contextmanager
    def _taken(self, deadline: float) -> Iterator[Connection]:
        connection = self._take(deadline)
        try:
            yield connection
        finally:
            self._give_back(connection)

    def _take(self, deadline: float) -> Connection:
        self.check_usable()
        broken = []
        with self._free:
            while True:
                while self._idle:
                    connection = self._idle.pop()
                    if connection.is_ready and not connection.is_told_something():
                        return connection
                    broken.append(connection)
                    self._connections.discard(connection)
                if len(self._connections) + self._connecting < MOST_CONNECTIONS:
                    self._connecting += 1
                    break
                if not self._free.wait(deadline - time.monotonic()):
                    raise failures.busy(self.url, MOST_CONNECTIONS, self.patience)
        try:
            for each in broken:
                each.close()
            return self.connect(deadline)
        finally:
            with self._free:
                self._connecting -= 1
                self._free.notify()

    def _give_back(self, connection: Connection) -> None:
        now = connection.idle_since = time.monotonic()
        done = []
        if connection.is_ready and not connection.autocommit:
            connection.autocommit = True
        with self._free:
            if connection.is_ready and not self._closed:
                self._idle.append(connection)
            else:
                done.append(connection)
            # The first one is the one that was not used for longest.
            if now - self._idle[0].idle_since > IDLE_TERM if self._idle else False:
                done.append(self._idle.pop(0))
            for each in done:
                self._connections.discard(each)
            self._free.notify()
        for each in done:
            each.close()

    def _connected(self) -> Connection:
        made = Connection.connect("", autocommit=True, context=_ADAPTERS, **self._parameters)
        try:
            self._configure(made)
        except BaseException:
            made.close()
            raise
        return made

    def _configure(self, connection: Connection) -> None:
        if connection.info.server_version < OLDEST_SERVER:
            raise StoreUnavailable(
                f"The database {self.url} is served by PostgreSQL {connection.info.server_version // 10000}, and"
                f" {OLDEST_SERVER // 10000} or later is needed."
            )
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise StoreUnavailable(
                f"The database {self.url} keeps text as {encoding}. Make one with CREATE DATABASE nadi"
                " ENCODING 'UTF8' TEMPLATE template0."
            )
        connection.prepare_threshold = 2
        fetch(connection, _SETTINGS, (f"{int(1000 * self.patience)}ms", f"{SILENT_TERM}s"))

    def check_usable(self) -> None:
        """Raise StoreUnavailable if the store was closed, or belongs to the parent of this process."""
        if self._forked:
            raise StoreUnavailable(
                f"This process was forked from one that uses the database {self.url} and may not use its connections."
                " Open the store again in the child, or start the child with spawn."
            )
        if self._closed:
            raise StoreUnavailable(f"The store of the database {self.url} was closed. Open it again.")

    def put_aside(self) -> None:
        """In a forked child: let go of the sockets without a word, which would end the sessions of the parent.

        Something else takes the place of each socket, so that the parent alone holds it, and whatever may still
        be said on it is heard by nobody.
        """
        self._forked = True
        nowhere = os.open(os.devnull, os.O_RDWR)
        for connection in list(self._connections):
            if not connection.closed:
                os.dup2(nowhere, connection.pgconn.socket, inheritable=False)
        os.close(nowhere)


def _roll_back(connection: Connection) -> None:
    try:
        connection.rollback()
    except psycopg.Error:
        connection.close()


def execute(connection: Connection, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> int:
    """Execute a statement and return how many rows it touched."""
    # As bytes, since only fixed texts and no others may be given as text.
    return connection.execute(sql.encode(), values or None).rowcount


def fetch(connection: Connection, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> list[tuple[Any, ...]]:
    """Return all rows of a statement, as tuples."""
    return connection.execute(sql.encode(), values or None, binary=True).fetchall()


def lost_race(why: str) -> psycopg.Error:
    """Return the error with which `work` asks `transact` to be done again from the start."""
    return errors.SerializationFailure(why)


def next_changes(connection: Connection, n: int = 1) -> range:
    """Take `n` change numbers within a write transaction, the smallest first, and tell those who wait for changes.

    Numbers grow with the number of the transaction and need no counter that writers would wait for. So they are not
    in the order of commits: who must miss nothing reads only up to `COMPLETE_BEFORE`.
    """
    if n <= 0:
        return range(0)
    _check_room(connection.taken + n)
    values = (connection.taken + n - 1, connection.mark)
    ((last, connection.number, _),) = fetch(connection, _NEXT_CHANGES, values)
    _count_taken(connection, connection.taken + n, last)
    return range(last + 1 - n, last + 1)


def tell_changes(connection: Connection, base: int, last: int) -> None:
    """Note that the transaction took the numbers from `base`, its first one, to `last`, and tell those who wait."""
    taken = last + 1 - base
    if taken > connection.taken:
        _check_room(taken)
        execute(connection, _TELL_CHANGES, (last, connection.mark))
        _count_taken(connection, taken, last)


def _check_room(taken: int) -> None:
    if taken > CHANGES_OF_ONE:
        raise StoreUnavailable(f"One transaction may make {CHANGES_OF_ONE:,} changes, and more were asked for.")


def _count_taken(connection: Connection, taken: int, last: int) -> None:
    if connection.taken == 0 and connection.number % _TIDY_EVERY == 0:
        execute(connection, _TIDY_CHANGES, (_SPARED,))
    connection.taken, connection.newest = taken, last


class _Text(StrDumperUnknown):
    """Text without NUL characters, which PostgreSQL cannot keep: their symbol stands for them."""

    def dump(self, obj: str) -> Any:
        return super().dump(keepable(obj))


def keepable(text: str) -> str:
    """Return text as PostgreSQL can keep it: with the symbol `␀` in place of each NUL character."""
    return text.replace("\x00", "\u2400") if "\x00" in text else text


_ADAPTERS = AdaptersMap(psycopg.adapters)
_ADAPTERS.register_dumper(str, _Text)


def _watch_forks() -> None:
    global _watching_forks
    if not _watching_forks and hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_put_all_aside)
        _watching_forks = True


def _put_all_aside() -> None:
    for database in list(_open):
        database.put_aside()
