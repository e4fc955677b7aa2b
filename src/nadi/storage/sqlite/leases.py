"""Leases in SQLite."""

from __future__ import annotations

from nadi.storage.contracts.leases import Lease, LeaseTable
from nadi.storage.named_queries import named_queries
from nadi.storage.sqlite.database import Database, fetch

_SQL = named_queries("leases.sql")


class SqliteLeaseTable(LeaseTable):
    """See the contract."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def renew(self, holder: str, *, term: float, first: bool) -> bool:
        with self._database.write() as connection:
            if first:
                connection.execute(_SQL["grant"], (holder, term))
                return True
            return bool(fetch(connection, _SQL["renew"], (holder, term)))

    def leases(self) -> list[Lease]:
        with self._database.read() as connection:
            rows = fetch(connection, _SQL["leases"])
        return [Lease(holder=holder, renewals=renewals, term=term) for holder, renewals, term in rows]

    def release(self, holder: str) -> None:
        with self._database.write() as connection:
            connection.execute(_SQL["release"], (holder,))

    def expire(self, holder: str, *, renewals: int) -> bool:
        with self._database.write() as connection:
            ended = bool(fetch(connection, _SQL["expire"], (holder, renewals)))
            if ended:
                connection.execute(_SQL["fence"], (holder,))
            return ended
