"""Leases in PostgreSQL."""

from __future__ import annotations

from nadi.storage.contracts.leases import Lease, LeaseTable
from nadi.storage.named_queries import named_queries
from nadi.storage.postgres.database import Connection, Database, execute, fetch

_SQL = named_queries("postgres/leases.sql")


class PostgresLeaseTable(LeaseTable):
    """See the contract."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def renew(self, holder: str, *, term: float, first: bool) -> bool:
        def count(connection: Connection) -> bool:
            if first:
                execute(connection, _SQL["grant"], (holder, term))
                return True
            return bool(fetch(connection, _SQL["renew"], {"holder": holder, "term": term}))

        return self._database.transact(count)

    def leases(self) -> list[Lease]:
        rows = self._database.fetch(_SQL["leases"])
        return [Lease(holder=holder, renewals=renewals, term=term) for holder, renewals, term in rows]

    def release(self, holder: str) -> None:
        self._database.transact(lambda connection: execute(connection, _SQL["release"], (holder,)))

    def expire(self, holder: str, *, renewals: int) -> bool:
        def end(connection: Connection) -> bool:
            ended = bool(fetch(connection, _SQL["expire"], (holder, renewals)))
            if ended:
                execute(connection, _SQL["fence"], (holder,))
            return ended

        return self._database.transact(end)
