"""Keeping a PostgreSQL database: how it stands, backups by pg_dump, putting one in its place, taking one in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from nadi.exceptions import CallError, StoreTooNew, StoreUnavailable
from nadi.model.text import plural
from nadi.storage.beside import written_beside
from nadi.storage.contracts.upkeep import BackedUp, Contents, Copied, DatabaseStatus, Progress, Restored, Upkeep
from nadi.storage.home import this_holder
from nadi.storage.live_runs import live_runs
from nadi.storage.postgres import programs
from nadi.storage.postgres.database import Connection, Database, execute, fetch
from nadi.storage.postgres.keys import kept_file, kept_key
from nadi.storage.postgres.rows import LONGEST_INDEXED, indexable
from nadi.storage.postgres.schema import held_runs, identity_of, keep_changes_growing, prepare
from nadi.storage.schema import SCHEMA_VERSION, Dialect, migration_names, table_names

#: Rows copied between two words on how far it is.
_STEP = 5000
#: Tables that have rows in an empty database too, and take those of another one in their place.
_NEVER_EMPTY = ("slot_version",)

#: Other connections of Nadi's to this database.
_OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND application_name = 'nadi'"
)
_IDENTITIES = (
    "SELECT table_name, column_name FROM information_schema.columns"
    " WHERE table_schema = current_schema() AND is_identity = 'YES'"
)
_INDEXED_TEXTS = (
    "SELECT DISTINCT a.attname::text FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = i.indrelid"
    " AND a.attnum = ANY(i.indkey) WHERE i.indrelid = %s::regclass AND a.atttypid = 'text'::regtype"
)
#: Texts in indexes that are no names.
_FITS: dict[tuple[str, str], Callable[[str], str]] = {
    ("asset", "key"): kept_key,
    ("asset_edge", "downstream"): kept_key,
    ("asset_edge", "upstream"): kept_key,
    ("asset_metadata", "key"): kept_key,
    ("cache_entry", "file"): kept_file,
    ("cache_entry", "key"): kept_key,
    ("event", "id"): kept_key,
    ("file_use", "file"): kept_key,
    ("materialization", "key"): kept_key,
    ("message", "keyset"): kept_key,
    ("pause", "key"): kept_key,
    ("released_file", "file"): kept_key,
}


class PostgresUpkeep(Upkeep):
    """See the contract.

    Args:
        url: `postgresql://user:password@host:port/name`.
        patience: Seconds to wait for the server, and for a table that somebody has locked.
    """

    def __init__(self, url: str, *, patience: float = 5.0) -> None:
        self._given, self._patience = url, patience
        # Reads the URL and opens nothing.
        self.url = Database(url, patience=patience).url

    def status(self) -> DatabaseStatus:
        with self._database() as database, database.read() as connection:
            found = identity_of(connection, self.url)
            if found is None:
                return DatabaseStatus(url=self.url, is_there=False, program_schema=SCHEMA_VERSION)
            tables = _tables(connection)
            return DatabaseStatus(
                url=self.url,
                is_there=True,
                id=found.id,
                schema=found.schema_version,
                program_schema=SCHEMA_VERSION,
                pending=migration_names(Dialect.POSTGRES, after=found.schema_version),
                oldest_writer=found.oldest_writer,
                live=tuple(map(str, live_runs(held_runs(connection), this_holder("status")))),
                rows={table: _count(connection, table) for table in tables},
                size_bytes=_size(connection, tables),
            )

    def upgrade(self, *, now: bool) -> tuple[str, ...]:
        with self._database() as database:
            with database.read() as connection:
                found = identity_of(connection, self.url)
            prepare(database, now=now)
        return migration_names(Dialect.POSTGRES, after=found.schema_version if found is not None else 0)

    def back_up(self, file: Path, *, told: Progress) -> BackedUp:
        with self._database() as database, database.read() as connection:
            found = identity_of(connection, self.url)
            if found is None:
                raise StoreUnavailable(f"The database {self.url} is empty: there is nothing to back up.")
            schema, tables = _schema(connection), _tables(connection)
        with written_beside(file) as unfinished:
            programs.dump(self._parameters, schema, tables, unfinished)
            size = unfinished.stat().st_size
        return BackedUp(str(file.absolute()), size, found.schema_version)

    def restore(self, file: Path, *, replace: bool, stamp: str) -> Restored:
        found = _check_backup(file)
        with self._database() as database, database.read() as connection:
            schema, there = self._check_replaceable(connection, file, replace=replace), _tables(connection)
        aside = f"nadi_replaced_{stamp.replace('-', '_')}"
        before, after = _put_aside(schema, there, aside, self._patience) if there else ("", "")
        programs.restore(self._parameters, file, before=before, after=after)
        with self._database() as database:
            runs = database.transact(_settle)
        return Restored(self.url, found, runs, f"schema {aside} of {self.url}" if there else "")

    def take_in(self, contents: Contents, *, told: Progress) -> Copied:
        with self._database() as database:
            prepare(database)
            with database.write() as connection:
                self._check_empty(connection, contents)
                rows = 0
                for table in contents.tables:
                    rows += _copy_table(connection, contents, table, told)
                _become(connection, contents)
                if not contents.is_current():
                    raise StoreUnavailable(
                        f"Something was recorded in {contents.url} while it was copied, so nothing was copied. End all"
                        " that uses it (runs, servers), then copy again."
                    )
            with database.read() as connection:
                execute(connection, "ANALYZE")
        return Copied(contents.url, self.url, len(contents.tables), rows)

    # -- in detail --

    @property
    def _parameters(self) -> dict[str, Any]:
        return conninfo_to_dict(self._given)

    @contextmanager
    def _database(self) -> Iterator[Database]:
        database = Database(self._given, patience=self._patience)
        try:
            yield database
        finally:
            database.close()

    def _check_alone(self, connection: Connection) -> None:
        ((others,),) = fetch(connection, _OTHERS)
        if others:
            raise StoreUnavailable(
                f"The database {self.url} is in use: Nadi has {plural(int(others), 'other connection')} to it. End what"
                " uses it first (runs, servers)."
            )

    def _check_replaceable(self, connection: Connection, file: Path, *, replace: bool) -> str:
        """Return the schema whose tables the backup takes the place of, if it may."""
        schema, dumped = _schema(connection), programs.schema_of(file)
        if schema != dumped:
            raise CallError(
                f"The backup {file} is of a schema {dumped!r}, and {self.url} leads to the schema {schema!r}. Set the"
                " search_path in NADI_DATABASE_URL so that both are the same."
            )
        self._check_alone(connection)
        runs = _count(connection, "flow_run") if identity_of(connection, self.url) is not None else 0
        if runs and not replace:
            raise CallError(
                f"The database {self.url} holds {plural(runs, 'flow run')}. With --replace the backup takes its place,"
                " and it is kept beside under another name."
            )
        return schema

    def _check_empty(self, connection: Connection, contents: Contents) -> None:
        # Whoever opens the database now waits until it is the other one.
        execute(connection, "LOCK TABLE meta IN ACCESS EXCLUSIVE MODE")
        self._check_alone(connection)
        ((id,),) = fetch(connection, "SELECT id FROM meta")
        if id == contents.id:
            raise CallError(f"The database {contents.url} has been copied to {self.url} already.")
        for table in contents.tables:
            if table not in _NEVER_EMPTY and fetch(connection, f'SELECT 1 FROM "{table}" LIMIT 1'):
                raise CallError(f"The database {self.url} is not empty: {table} has rows. Copy into an empty one.")


def _schema(connection: Connection) -> str:
    return str(fetch(connection, "SELECT current_schema()")[0][0])


def _tables(connection: Connection) -> list[str]:
    """Return those of our tables that are there, in order."""
    found = fetch(
        connection,
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace",
    )
    return sorted(table_names(Dialect.POSTGRES) & {name for (name,) in found})


def _count(connection: Connection, table: str) -> int:
    return int(fetch(connection, f'SELECT count(*) FROM "{table}"')[0][0])


def _size(connection: Connection, tables: list[str]) -> int:
    sized = "SELECT coalesce(sum(pg_total_relation_size(name::regclass)), 0)::bigint FROM unnest(%s::text[]) AS name"
    return int(fetch(connection, sized, (tables,))[0][0])


def _check_backup(file: Path) -> int:
    """Return the schema version of a backup that may be restored."""
    try:
        with open(file, "rb") as opened:
            head = opened.read(len(programs.MAGIC))
    except OSError as error:
        raise CallError(f"The backup {file} cannot be read: {error.strerror}.") from error
    if head == b"SQLit":
        raise CallError(
            f"{file} is a SQLite database, and this one is PostgreSQL. `nadi db copy {file} POSTGRES` copies it."
        )
    if head != programs.MAGIC:
        raise CallError(f"{file} is no backup: pg_dump did not write it. `nadi db backup FILE` makes backups.")
    programs.check(file)
    version = programs.row_of(file, "meta").get("schema_version", "")
    if not version.isdigit():
        raise CallError(f"{file} is a dump of PostgreSQL, but none of Nadi's. `nadi db backup FILE` makes backups.")
    if int(version) > SCHEMA_VERSION:
        raise StoreTooNew(
            f"The backup {file} was made by a newer Nadi (schema {version}; this one is {SCHEMA_VERSION})."
            " Upgrade with `pip install -U nadi`, then restore it."
        )
    return int(version)


def _put_aside(schema: str, tables: list[str], aside: str, patience: float) -> tuple[str, str]:
    """Return the SQL that moves tables into a schema of their own, and what is to be said after the dump.

    What uses the database is looked for once more under the locks: from then on nobody gets in.
    """
    here, there = _quoted(schema), _quoted(aside)
    locks = ", ".join(f"{here}.{_quoted(table)}" for table in tables)
    moves = "\n".join(f"ALTER TABLE {here}.{_quoted(table)} SET SCHEMA {there};" for table in tables)
    before = (
        f"SET lock_timeout = '{patience:g}s';\n"
        f"LOCK TABLE {locks} IN ACCESS EXCLUSIVE MODE;\n"
        f"DO $$ BEGIN IF ({_OTHERS}) > 0 THEN RAISE 'another process of Nadi has connected'; END IF; END $$;\n"
        f"CREATE SCHEMA {there};\n{moves}\n"
    )
    # Who followed the database that was there must not see change numbers go back.
    after = f"INSERT INTO {here}.change (seq) SELECT max(seq) FROM {there}.change HAVING max(seq) IS NOT NULL;"
    return before, after


def _quoted(name: str) -> str:
    return sql.Identifier(name).as_string(None)


def _settle(connection: Connection) -> int:
    """Make the restored database good to use; returns how many runs it holds."""
    keep_changes_growing(connection)
    return _count(connection, "flow_run")


def _copy_table(connection: Connection, contents: Contents, table: str, told: Progress) -> int:
    """Copy one table within the write transaction; returns how many rows it has."""
    total, done = contents.count(table), 0
    columns = ", ".join(f'"{column}"' for column in contents.tables[table])
    if table in _NEVER_EMPTY:
        execute(connection, f'DELETE FROM "{table}"')
    fits = _fits(connection, table, contents.tables[table])
    with connection.cursor().copy(f'COPY "{table}" ({columns}) FROM STDIN'.encode()) as copy:
        for row in contents.rows(table):
            if any(len(row[place]) > LONGEST_INDEXED for place in fits):
                row = [fits[place](value) if place in fits else value for place, value in enumerate(row)]
            copy.write_row(row)
            done += 1
            if done % _STEP == 0:
                told(table, done, total)
    told(table, total, total)
    there = _count(connection, table)
    if there != total:
        raise StoreUnavailable(f"Of {table}, {there} of {total} rows arrived, so nothing was copied. Copy again.")
    return total


def _fits(connection: Connection, table: str, columns: tuple[str, ...]) -> dict[int, Callable[[str], str]]:
    """Return by place of each text that indexes hold what makes it fit into them, as recording does."""
    indexed = {column for (column,) in fetch(connection, _INDEXED_TEXTS, (table,))}
    return {place: _FITS.get((table, column), indexable) for place, column in enumerate(columns) if column in indexed}


def _become(connection: Connection, contents: Contents) -> None:
    """Give the database the identity of the one that was copied, and go on counting where that one stopped."""
    execute(connection, "UPDATE meta SET id = %s, signing_key = %s", (contents.id, contents.signing_key))
    for table, column in fetch(connection, _IDENTITIES):
        if table in contents.tables:
            execute(
                connection,
                f'SELECT setval(pg_get_serial_sequence(%s, %s), max("{column}")) FROM "{table}" HAVING count(*) > 0',
                (table, column),
            )
    execute(connection, "INSERT INTO change (seq) VALUES (%s)", (contents.last_change,))
    keep_changes_growing(connection)
