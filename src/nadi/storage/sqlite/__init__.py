"""The SQLite store: one file, many processes, nothing to stand up first."""

from nadi.storage.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
