"""What SQLite and the disk say when they fail, as one sentence for whoever has to do something about it."""

from __future__ import annotations

import errno

import apsw

from nadi.exceptions import StoreReadOnly, StoreUnavailable, ValueRefused

#: Said of a value that a column does not take; "not a number" becomes NULL in SQLite.
_DO_NOT_FIT = (apsw.SQLITE_CONSTRAINT_NOTNULL, apsw.SQLITE_CONSTRAINT_DATATYPE)


def locked(path: str, patience: float) -> StoreUnavailable:
    """Return the error for a database that somebody else kept locked."""
    return StoreUnavailable(
        f"The database {path} has been locked for {patience:g} s by another program."
        " Close what holds it (a database browser, a copy in progress); then try again."
    )


def gone(path: str) -> StoreUnavailable:
    """Return the error for a database that was removed or replaced under an open store."""
    return StoreUnavailable(
        f"The database {path} was removed or replaced while it was in use. Put it back, or start Nadi again."
    )


def foreign(path: str) -> StoreUnavailable:
    """Return the error for a database of another program."""
    return StoreUnavailable(
        f"The database {path} belongs to another program: it has tables, but none of Nadi's."
        " Set NADI_DATABASE_URL to a file of its own."
    )


def translate(error: apsw.Error | OSError, path: str, patience: float) -> StoreUnavailable | ValueRefused:
    """Return our error for one of SQLite or of the operating system, with one sentence that says what to do."""
    if isinstance(error, OSError):
        return _from_system(error, path)
    if isinstance(error, apsw.BusyError | apsw.LockedError):
        return locked(path, patience)
    if isinstance(error, apsw.TooBigError) or getattr(error, "extendedresult", 0) in _DO_NOT_FIT:
        return ValueRefused(f"The database {path} does not take a value: {error}.")
    if isinstance(error, apsw.ReadOnlyError):
        return _read_only(path)
    if isinstance(error, apsw.FullError):
        return _full(path)
    if isinstance(error, apsw.NotADBError):
        return StoreUnavailable(
            f"{path} is not a SQLite database. Move it away, or set NADI_DATABASE_URL to another file."
        )
    if isinstance(error, apsw.CorruptError):
        return StoreUnavailable(
            f"The database {path} is damaged ({error}). Move it away and put a backup in its place;"
            " without one, Nadi starts a new database there."
        )
    if isinstance(error, apsw.CantOpenError):
        return StoreUnavailable(
            f"The database {path} cannot be opened. Check that its folder exists and that this user may"
            " read and write both."
        )
    return StoreUnavailable(f"The database {path} failed: {error}. Check the disk that it lies on.")


def _from_system(error: OSError, path: str) -> StoreUnavailable:
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return _read_only(path)
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return _full(path)
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return StoreUnavailable(
            f"The folder of the database {path} does not exist. Make it, or set NADI_DATABASE_URL to another place."
        )
    return StoreUnavailable(f"The database {path} cannot be used: {error.strerror}. Check the disk that it lies on.")


def _read_only(path: str) -> StoreReadOnly:
    return StoreReadOnly(
        f"The database {path} cannot be written: it or its folder is read-only for this user."
        " Make both writable, or set NADI_DATABASE_URL to another place."
    )


def _full(path: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"There is no room left for the database {path}: the disk or the quota is full. Free some space;"
        " Nadi goes on by itself."
    )
