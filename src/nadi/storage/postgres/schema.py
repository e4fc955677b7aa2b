"""What the database is, and how it becomes what this program expects: numbered migrations, only forward."""

from __future__ import annotations

from nadi.storage.home import this_holder
from nadi.storage.live_runs import HELD_RUNS, HeldRun, live_runs, upgrade_waits
from nadi.storage.postgres import failures
from nadi.storage.postgres.database import Connection, Database, execute, fetch
from nadi.storage.postgres.overview import fill
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

#: Held by who makes the database or brings it up to date. Any number that others hardly take.
_MIGRATION_LOCK = 0x6E616469
#: The tables that are there, and whether one of them has our columns: other programs have a table `meta` as well.
_TABLES = (
    "SELECT c.relname, EXISTS (SELECT 1 FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'signing_key')"
    " FROM pg_class AS c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')"
)
#: Change numbers must not go back, which they would on a server that has had fewer transactions than the one that the
#: database was copied from.
_MISSING_OFFSET = """
    SELECT (SELECT max(seq) FROM change) + 1 - (pg_snapshot_xmax(pg_current_snapshot())::text::bigint << 20) - n
      FROM change_offset
"""


def prepare(database: Database, *, now: bool = False) -> Identity:
    """Return the identity of the database, made or brought up to date first where needed.

    Two processes that find an empty database fill it: the second waits for the first.

    Args:
        database: The database.
        now: Bring it up to date although other processes have live runs there.

    Raises:
        StoreTooNew: it was made by a newer Nadi that does not accept this one.
        StoreUnavailable: it cannot be reached or filled; or it has to be brought up to date, and others have live runs.
    """
    found = database.transact(lambda connection: _brought_up(connection, database.url, now=now))
    check_accepted(found, database.url)
    return found


def _brought_up(connection: Connection, url: str, *, now: bool) -> Identity:
    found = identity_of(connection, url)
    if found is None or found.schema_version < SCHEMA_VERSION:
        found = _migrate(connection, url, now=now)
    keep_changes_growing(connection)
    return found


def identity_of(connection: Connection, url: str) -> Identity | None:
    """Return what the database says of itself; `None` when it is empty."""
    tables: dict[str, bool] = dict(fetch(connection, _TABLES))
    if not tables:
        return None
    if not tables.get("meta") or "migration" not in tables:
        raise failures.foreign(url)
    return Identity(*fetch(connection, "SELECT id, signing_key, schema_version, oldest_writer FROM meta")[0])


def held_runs(connection: Connection) -> list[HeldRun]:
    """Return the runs that some process has in hand."""
    return [HeldRun(*row) for row in fetch(connection, HELD_RUNS)]


def keep_changes_growing(connection: Connection) -> None:
    """See to it that the next change number is greater than all before; to be called wherever rows were copied in."""
    ((missing,),) = fetch(connection, _MISSING_OFFSET)
    if missing is not None and missing > 0:
        # Of two who see it at once the second one adds nothing: it waits for the first, and looks again.
        execute(connection, "SELECT n FROM change_offset FOR UPDATE")
        execute(connection, f"UPDATE change_offset SET n = n + greatest(0, ({_MISSING_OFFSET}))")


def _migrate(connection: Connection, url: str, *, now: bool) -> Identity:
    execute(connection, "SELECT pg_advisory_xact_lock(%s)", (_MIGRATION_LOCK,))
    found = identity_of(connection, url)
    version = found.schema_version if found is not None else 0
    if 0 < version < SCHEMA_VERSION and not now:
        live = live_runs(held_runs(connection), this_holder("upgrade"))
        if live:
            raise upgrade_waits(url, live, schema=version, wanted=SCHEMA_VERSION)
    for number, name, script in migrations(Dialect.POSTGRES, after=version):
        execute(connection, script)
        if number == COUNTED_FROM:
            fill(connection)
        execute(connection, "INSERT INTO migration (number, name) VALUES (%s, %s)", (number, name))
    if found is None:
        execute(
            connection,
            "INSERT INTO meta (id, signing_key, schema_version, oldest_writer) VALUES (%s, %s, %s, %s)",
            new_identity(),
        )
        execute(connection, "INSERT INTO change (seq) VALUES (0)")
    else:
        execute(
            connection,
            "UPDATE meta SET schema_version = greatest(schema_version, %s),"
            " oldest_writer = greatest(oldest_writer, %s)",
            (SCHEMA_VERSION, OLDEST_WRITER),
        )
    done = identity_of(connection, url)
    assert done is not None
    return done
