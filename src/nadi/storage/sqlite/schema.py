"""What the database is, and how it becomes what this program expects: numbered migrations, only forward."""

from __future__ import annotations

import os

import apsw

from nadi.storage.home import this_holder
from nadi.storage.live_runs import HELD_RUNS, HeldRun, live_runs, upgrade_waits
from nadi.storage.schema import (
    COUNTED_FROM,
    OLDEST_WRITER,
    SCHEMA_VERSION,
    Dialect,
    Identity,
    check_accepted,
    migrations,
    new_identity,
)
from nadi.storage.sqlite import failures
from nadi.storage.sqlite.database import Database, fetch
from nadi.storage.sqlite.overview import fill


def prepare(database: Database, *, now: bool = False) -> Identity:
    """Return the identity of the database, made or brought up to date first where needed.

    Two processes that find no database make one: the second waits for the first.

    Args:
        database: The database.
        now: Bring it up to date although other processes have live runs there.

    Raises:
        StoreTooNew: it was made by a newer Nadi that does not accept this one.
        StoreUnavailable: it cannot be opened or made; or it has to be brought up to date, and others have live runs.
    """
    found = None
    if os.path.exists(database.path):
        with database.read() as connection:
            found = identity_of(connection, str(database.path))
    if found is None or found.schema_version < SCHEMA_VERSION:
        with database.queue():
            found = _migrate(database.create(), str(database.path), now=now)
    check_accepted(found, str(database.path))
    return found


def identity_of(connection: apsw.Connection, path: str) -> Identity | None:
    """Return what the database says of itself; `None` when it is empty."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if not tables:
        return None
    if not {"meta", "migration"} <= tables:
        raise failures.foreign(path)
    return Identity(*fetch(connection, "SELECT id, signing_key, schema_version, oldest_writer FROM meta")[0])


def held_runs(connection: apsw.Connection) -> list[HeldRun]:
    """Return the runs that some process has in hand."""
    return [HeldRun(*row) for row in fetch(connection, HELD_RUNS)]


def _migrate(connection: apsw.Connection, path: str, *, now: bool) -> Identity:
    connection.execute("BEGIN IMMEDIATE")
    try:
        found = identity_of(connection, path)
        version = found.schema_version if found is not None else 0
        if 0 < version < SCHEMA_VERSION and not now:
            live = live_runs(held_runs(connection), this_holder("upgrade"))
            if live:
                raise upgrade_waits(path, live, schema=version, wanted=SCHEMA_VERSION)
        for number, name, script in migrations(Dialect.SQLITE, after=version):
            connection.execute(script)
            if number == COUNTED_FROM:
                fill(connection)
            connection.execute("INSERT INTO migration (number, name) VALUES (?, ?)", (number, name))
        if found is None:
            connection.execute(
                "INSERT INTO meta (id, signing_key, schema_version, oldest_writer) VALUES (?, ?, ?, ?)",
                new_identity(),
            )
            connection.execute("INSERT INTO change (seq) VALUES (0)")
        else:
            connection.execute(
                "UPDATE meta SET schema_version = max(schema_version, ?), oldest_writer = max(oldest_writer, ?)",
                (SCHEMA_VERSION, OLDEST_WRITER),
            )
        done = identity_of(connection, path)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    assert done is not None
    return done
