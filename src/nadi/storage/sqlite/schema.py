"""What the database is, and how it becomes what this program expects: numbered migrations, only forward."""

from __future__ import annotations

import os
from typing import NamedTuple

import apsw

from nadi.exceptions import StoreTooNew
from nadi.storage.sqlite import failures
from nadi.storage.sqlite.database import Database, fetch

#: Number of the newest migration in `storage/migrations`.
SCHEMA_VERSION = 5
#: Programs of a smaller schema version must not write to what this program writes.
OLDEST_WRITER = 1

_FOLDER = os.path.join(os.path.dirname(os.path.dirname(__file__)), "migrations")


class Identity(NamedTuple):
    """What the database says of itself."""

    id: str
    signing_key: bytes
    schema_version: int
    oldest_writer: int


def prepare(database: Database) -> Identity:
    """Return the identity of the database, made or brought up to date first where needed.

    Two processes that find no database make one: the second waits for the first.

    Raises:
        StoreTooNew: it was made by a newer Nadi that does not accept this one.
        StoreUnavailable: it cannot be opened, made or brought up to date.
    """
    found = None
    if os.path.exists(database.path):
        with database.read() as connection:
            found = _identity(connection, str(database.path))
    if found is None or found.schema_version < SCHEMA_VERSION:
        with database.queue():
            found = _migrate(database.create(), str(database.path))
    if found.oldest_writer > SCHEMA_VERSION:
        raise StoreTooNew(
            f"The database {database.path} was made by a newer Nadi (schema {found.schema_version}, and it accepts"
            f" {found.oldest_writer} or later; this one is {SCHEMA_VERSION}). Upgrade with `pip install -U nadi`."
        )
    return found


def _identity(connection: apsw.Connection, path: str) -> Identity | None:
    """Return what the database says of itself; `None` when it is empty."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if not tables:
        return None
    if not {"meta", "migration"} <= tables:
        raise failures.foreign(path)
    return Identity(*fetch(connection, "SELECT id, signing_key, schema_version, oldest_writer FROM meta")[0])


def _migrate(connection: apsw.Connection, path: str) -> Identity:
    connection.execute("BEGIN IMMEDIATE")
    try:
        found = _identity(connection, path)
        version = found.schema_version if found is not None else 0
        for number, name in _migrations():
            if number > version:
                with open(os.path.join(_FOLDER, name), encoding="utf-8") as script:
                    connection.execute(script.read())
                connection.execute("INSERT INTO migration (number, name) VALUES (?, ?)", (number, name))
        if found is None:
            connection.execute(
                "INSERT INTO meta (id, signing_key, schema_version, oldest_writer) VALUES (?, ?, ?, ?)",
                (_new_id(), os.urandom(32), SCHEMA_VERSION, OLDEST_WRITER),
            )
            connection.execute("INSERT INTO change (seq) VALUES (0)")
        else:
            connection.execute(
                "UPDATE meta SET schema_version = max(schema_version, ?), oldest_writer = max(oldest_writer, ?)",
                (SCHEMA_VERSION, OLDEST_WRITER),
            )
        now = _identity(connection, path)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    assert now is not None
    return now


def _migrations() -> list[tuple[int, str]]:
    """Return number and file name of each migration, in order."""
    return sorted((int(name[:4]), name) for name in os.listdir(_FOLDER) if name.endswith(".sql"))


def _new_id() -> str:
    """Return a random UUID (version 4) as text."""
    raw = bytearray(os.urandom(16))
    raw[6] = raw[6] & 0x0F | 0x40
    raw[8] = raw[8] & 0x3F | 0x80
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
