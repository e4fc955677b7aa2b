"""Keeping a SQLite database: how it stands, backups while others write, putting one in its place."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import apsw

from nadi.exceptions import CallError, StoreTooNew, StoreUnavailable
from nadi.model.text import plural
from nadi.storage.beside import flush, written_beside
from nadi.storage.contracts.upkeep import BackedUp, Contents, DatabaseStatus, Progress, Restored, Upkeep
from nadi.storage.home import this_holder
from nadi.storage.live_runs import live_runs, told
from nadi.storage.schema import SCHEMA_VERSION, Dialect, Identity, migration_names
from nadi.storage.sqlite.contents import count, snapshot, tables
from nadi.storage.sqlite.database import Database, fetch
from nadi.storage.sqlite.schema import held_runs, identity_of, prepare

_MAGIC = b"SQLite format 3\0"
#: Seconds to wait for a turn to write, and for who is just closing the database.
_PATIENCE = 5.0
#: Pages copied between two words on how far it is: 8 MiB.
_PAGES = 1024


class SqliteUpkeep(Upkeep):
    """See the contract.

    Args:
        path: The database file.
        makes_folder: Whether its folder may be made, which only the default database has made for it.
    """

    def __init__(self, path: Path, *, makes_folder: bool = False) -> None:
        self.path = path.absolute()
        self.url = f"sqlite:///{self.path}"
        self._makes_folder = makes_folder

    def status(self) -> DatabaseStatus:
        if not self.path.exists():
            return DatabaseStatus(url=self.url, is_there=False, program_schema=SCHEMA_VERSION)
        with self._database() as database, database.read() as connection:
            found = identity_of(connection, str(self.path))
            if found is None:
                return DatabaseStatus(url=self.url, is_there=False, program_schema=SCHEMA_VERSION)
            live = live_runs(held_runs(connection), this_holder("status"))
            return DatabaseStatus(
                url=self.url,
                is_there=True,
                id=found.id,
                schema=found.schema_version,
                program_schema=SCHEMA_VERSION,
                pending=migration_names(Dialect.SQLITE, after=found.schema_version),
                oldest_writer=found.oldest_writer,
                live=tuple(map(str, live)),
                rows={table: count(connection, table) for table in tables(connection)},
                size_bytes=sum(file.stat().st_size for file in (self.path, self._beside("-wal")) if file.exists()),
            )

    def upgrade(self, *, now: bool) -> tuple[str, ...]:
        if self._makes_folder:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._database() as database:
            before = 0
            if self.path.exists():
                with database.read() as connection:
                    found = identity_of(connection, str(self.path))
                before = found.schema_version if found is not None else 0
            prepare(database, now=now)
        return migration_names(Dialect.SQLITE, after=before)

    def back_up(self, file: Path, *, told: Progress) -> BackedUp:
        if not self.path.exists():
            raise StoreUnavailable(f"There is no database {self.path} yet, and so nothing to back up.")
        with self._database() as database, written_beside(file) as unfinished, database.read() as source:
            # One snapshot for the whole copy: what others write meanwhile neither blocks them nor begins it anew.
            source.execute("BEGIN")
            try:
                found = identity_of(source, str(self.path))
                if found is None:
                    raise StoreUnavailable(f"The database {self.path} is empty: there is nothing to back up.")
                _copy(source, unfinished, told)
            finally:
                source.execute("ROLLBACK")
            size = unfinished.stat().st_size
        return BackedUp(str(file.absolute()), size, found.schema_version)

    def restore(self, file: Path, *, replace: bool, stamp: str) -> Restored:
        _check_magic(file)
        if self._makes_folder:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = self._beside(".restoring")
        with self._database() as database, database.queue():
            try:
                found, runs = _copy_checked(file, unfinished)
                with self._alone(replace=replace) as there:
                    replaced = self._put_aside(stamp) if there else ""
                    os.replace(unfinished, self.path)
                    flush(self.path.parent)
            finally:
                _remove(unfinished)
        return Restored(self.url, found.schema_version, runs, replaced)

    @contextmanager
    def contents(self) -> Iterator[Contents]:
        if not self.path.exists():
            raise StoreUnavailable(f"There is no database {self.path}.")
        with self._database() as database:
            found = prepare(database)
            with database.read() as connection, database.read() as beside:
                live = live_runs(held_runs(connection), this_holder("copy"))
                if live:
                    raise StoreUnavailable(f"The database {self.path} has live runs: {told(live)}. End them first.")
                with snapshot(self.url, found, connection, beside) as contents:
                    yield contents

    # -- in detail --

    @contextmanager
    def _database(self) -> Iterator[Database]:
        database = Database(self.path, patience=_PATIENCE)
        try:
            yield database
        finally:
            database.close()

    def _beside(self, ending: str) -> Path:
        return self.path.with_name(self.path.name + ending)

    @contextmanager
    def _alone(self, *, replace: bool) -> Iterator[bool]:
        """Hold the database that is there so that nobody else can open it, its log written back into the one file.

        Gives `False` when there is none.
        """
        if not self.path.exists():
            yield False
            return
        connection = apsw.Connection(str(self.path), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            connection.set_busy_timeout(int(1000 * _PATIENCE))
            try:
                self._check_replaceable(connection, replace=replace)
                # Only who is alone can do this; and no log is left that would be taken for one of the new file.
                connection.execute("PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE").fetchall()
            except (apsw.BusyError, apsw.LockedError) as error:
                raise StoreUnavailable(
                    f"The database {self.path} is in use{_users(self.path)}. End that first."
                ) from error
            except (apsw.NotADBError, apsw.CorruptError):
                # A damaged database is a good reason to restore one; it is kept as it is.
                self._check_damaged_replaceable(replace=replace)
            yield True
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK; PRAGMA journal_mode = WAL").fetchall()
            raise
        finally:
            connection.close(True)

    def _check_replaceable(self, connection: apsw.Connection, *, replace: bool) -> None:
        if identity_of(connection, str(self.path)) is None:
            return
        live = live_runs(held_runs(connection), this_holder("restore"), certain=True)
        if live:
            raise StoreUnavailable(f"The database {self.path} has live runs: {told(live)}. End them first.")
        runs = count(connection, "flow_run")
        if runs and not replace:
            raise CallError(
                f"The database {self.path} holds {plural(runs, 'flow run')}. With --replace the backup takes its place,"
                " and it is kept beside under another name."
            )

    def _check_damaged_replaceable(self, *, replace: bool) -> None:
        if not replace:
            raise CallError(
                f"The database {self.path} is there and cannot be read. With --replace the backup takes its place, and"
                " it is kept beside under another name."
            )
        users = _users(self.path)
        if users:
            raise self._in_use(users)

    def _in_use(self, users: str) -> StoreUnavailable:
        return StoreUnavailable(f"The database {self.path} is in use{users}. End that first, then restore.")

    def _put_aside(self, stamp: str) -> str:
        """Give the database a second name, so that at no moment there is none under the first."""
        aside = self._beside(f".replaced-{stamp}")
        try:
            os.link(self.path, aside)
        except FileExistsError:
            raise CallError(f"{aside} is there already. Wait a second and try again.") from None
        except OSError:  # a file system without hard links
            shutil.copy2(self.path, aside)
            flush(aside)
        for ending in ("-wal", "-shm"):  # there is none but of a damaged database
            if self._beside(ending).exists():
                self._beside(ending).rename(aside.with_name(aside.name + ending))
        return str(aside)


def _copy(source: apsw.Connection, target: Path, told: Progress) -> None:
    """Copy a database into an empty file, which needs no log beside it afterwards."""
    connection = apsw.Connection(str(target), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        with connection.backup("main", source, "main") as backup:
            done = False
            while not done:
                done = backup.step(_PAGES)
                told("pages", backup.page_count - backup.remaining, backup.page_count)
        connection.execute("PRAGMA journal_mode = DELETE").fetchall()
    finally:
        connection.close(True)


def _check_magic(file: Path) -> None:
    try:
        with open(file, "rb") as opened:
            head = opened.read(len(_MAGIC))
    except OSError as error:
        raise CallError(f"The backup {file} cannot be read: {error.strerror}.") from error
    if head.startswith(b"PGDMP"):
        raise CallError(
            f"{file} is a backup of a PostgreSQL database, and this one is SQLite. Set NADI_DATABASE_URL to the"
            " database that it is for."
        )
    if head != _MAGIC:
        raise CallError(f"{file} is no backup: it is not a SQLite database. `nadi db backup FILE` makes backups.")


def _copy_checked(file: Path, unfinished: Path) -> tuple[Identity, int]:
    """Copy a backup to its place beside the database and check what came of it; returns what it is, and its runs."""
    _remove(unfinished)
    os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        source = _opened_backup(file)
        try:
            _copy(source, unfinished, lambda what, done, total: None)
        finally:
            source.close(True)
        return _check_backup(file, unfinished)
    except (apsw.NotADBError, apsw.CorruptError) as error:
        raise CallError(f"The backup {file} is damaged ({error}). Take another one.") from error


def _opened_backup(file: Path) -> apsw.Connection:
    # A backup is one file and never changes, so that it can lie where nothing can be written. Where a log lies beside
    # it, it was copied by other means, and the log belongs to it.
    kind = "mode=ro" if file.with_name(file.name + "-wal").exists() else "immutable=1"
    uri = f"file:{quote(str(file.absolute()))}?{kind}"
    return apsw.Connection(uri, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)


def _check_backup(file: Path, unfinished: Path) -> tuple[Identity, int]:
    connection = apsw.Connection(str(unfinished), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        [(verdict, *_), *_] = fetch(connection, "PRAGMA integrity_check(1)")
        if verdict != "ok":
            raise CallError(f"The backup {file} is damaged ({verdict}). Take another one.")
        try:
            found = identity_of(connection, str(file))
        except StoreUnavailable:
            found = None
        if found is None:
            raise CallError(f"{file} is a SQLite database, but none of Nadi's. `nadi db backup FILE` makes backups.")
        if found.schema_version > SCHEMA_VERSION:
            raise StoreTooNew(
                f"The backup {file} was made by a newer Nadi (schema {found.schema_version}; this one is"
                f" {SCHEMA_VERSION}). Upgrade with `pip install -U nadi`, then restore it."
            )
        runs = count(connection, "flow_run")
        connection.execute("PRAGMA journal_mode = WAL").fetchall()
    finally:
        connection.close(True)
    flush(unfinished)
    return found, runs


def _remove(file: Path) -> None:
    for ending in ("", "-wal", "-shm", "-journal"):
        file.with_name(file.name + ending).unlink(missing_ok=True)


def _users(path: Path) -> str:
    """Return ` by process 12, 13` for the other processes that have a file open, "" where that cannot be told."""
    real, found = os.path.realpath(path), []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            has_it = any(os.readlink(link) == real for link in (process / "fd").iterdir())
        except OSError:  # it has ended, or belongs to somebody else
            continue
        if has_it and int(process.name) != os.getpid():
            found.append(int(process.name))
    return f" by process {', '.join(map(str, sorted(found)))}" if found else ""
