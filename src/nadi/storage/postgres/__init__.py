"""The PostgreSQL store: for teams, with as many processes and machines as wanted."""

from nadi.storage.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
