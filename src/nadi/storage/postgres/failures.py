"""What PostgreSQL and the way to it say when they fail, as one sentence for whoever has to do something about it."""

from __future__ import annotations

import psycopg
from psycopg import errors

from nadi.exceptions import StoreReadOnly, StoreUnavailable, ValueRefused

#: Raised by who lost a race for a lock; nothing was changed, and the same again will do.
_LOST_RACES = (errors.DeadlockDetected, errors.SerializationFailure)
#: Said of a value: a number out of range, a key too long for an index, bytes that are no text.
_DO_NOT_FIT = (errors.DataError, errors.ProgramLimitExceeded, errors.CardinalityViolation)
#: Said by a server that is starting, stopping or has too many connections: it is worth another try.
_PASSING = (
    *(errors.CannotConnectNow, errors.AdminShutdown, errors.CrashShutdown, errors.TooManyConnections),
    *(errors.IdleInTransactionSessionTimeout,),
)
#: What the same says where only its text is known: refusals of a connection carry no code.
_PASSING_WORDS = ("starting up", "shutting down", "recovery", "not accepting connections", "too many", "remaining conn")


def is_lost_race(error: psycopg.Error) -> bool:
    """Tell whether another transaction had to go first."""
    return isinstance(error, _LOST_RACES)


def is_lost_connection(error: psycopg.Error) -> bool:
    """Tell whether the way to the database broke, or is not there for the moment: another connection may do."""
    if isinstance(error, _PASSING):
        return True
    if not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) or error.sqlstate is not None:
        return False
    told = str(error)
    return "FATAL:" not in told or any(words in told for words in _PASSING_WORDS)


def translate(error: psycopg.Error, url: str, patience: float) -> StoreUnavailable | ValueRefused:
    """Return our error for one of PostgreSQL's, with one sentence that says what to do."""
    told = _first_line(error)
    if isinstance(error, _DO_NOT_FIT):
        return ValueRefused(f"The database {url} does not take a value: {told}.")
    if is_lost_connection(error):
        return StoreUnavailable(f"The database {url} cannot be reached: {told}. Check that it runs; then try again.")
    if isinstance(error, errors.LockNotAvailable):
        return StoreUnavailable(
            f"The database {url} has been locked for {patience:g} s by another transaction. Try again; if it lasts,"
            " look for an idle transaction in pg_stat_activity."
        )
    if isinstance(error, errors.ReadOnlySqlTransaction):
        return StoreReadOnly(
            f"The database {url} cannot be written: it is a read-only copy. Set NADI_DATABASE_URL to its primary."
        )
    if isinstance(error, errors.InsufficientPrivilege):
        return StoreReadOnly(
            f"The database {url} refuses this user: {told}. Make the user the owner of the database, or grant it CREATE"
            " and USAGE on the schema and all rights on its tables."
        )
    if isinstance(error, errors.DiskFull):
        return StoreUnavailable(
            f"There is no room left for the database {url}: {told}. Free some space; Nadi goes on by itself."
        )
    if is_lost_race(error):
        return StoreUnavailable(f"The database {url} was too busy: {told}. Try again.")
    if error.sqlstate is None and isinstance(error, psycopg.OperationalError):
        return StoreUnavailable(f"The database {url} refuses the connection: {told}. Check NADI_DATABASE_URL.")
    return StoreUnavailable(f"The database {url} failed: {told}. Look into the log of the database server.")


def busy(url: str, connections: int, patience: float) -> StoreUnavailable:
    """Return the error for a process whose own connections are all in use."""
    return StoreUnavailable(
        f"All {connections} connections of this process to the database {url} have been in use for {patience:g} s."
        " Try again."
    )


def foreign(url: str) -> StoreUnavailable:
    """Return the error for a database of another program."""
    return StoreUnavailable(
        f"The database {url} belongs to another program: it has tables, but none of Nadi's."
        " Make one for Nadi (CREATE DATABASE nadi) and set NADI_DATABASE_URL to it."
    )


def _first_line(error: psycopg.Error) -> str:
    """Return what an error says, without the hints that follow and without a full stop."""
    text = error.diag.message_primary or str(error)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__).rstrip(".")
