"""The Store contract over a PostgreSQL database."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from nadi.exceptions import RunTaken
from nadi.model.runs import Claim, Request, Variable
from nadi.model.states import StateType
from nadi.storage.claiming import told_holder
from nadi.storage.contract import Applied, Batch, Ending
from nadi.storage.listing import Where
from nadi.storage.named_queries import named_queries
from nadi.storage.postgres import claims, rows
from nadi.storage.postgres.access import PostgresAccessTable
from nadi.storage.postgres.applying import apply_batch
from nadi.storage.postgres.assets import PostgresAssetTable
from nadi.storage.postgres.cache import PostgresCacheTable
from nadi.storage.postgres.changes import Listener
from nadi.storage.postgres.database import COMPLETE_BEFORE, Connection, Database, execute, next_changes
from nadi.storage.postgres.deployments import PostgresDeploymentTable
from nadi.storage.postgres.ending import end_attempts
from nadi.storage.postgres.events import PostgresEventTable
from nadi.storage.postgres.inputs import PostgresInputTable
from nadi.storage.postgres.leases import PostgresLeaseTable
from nadi.storage.postgres.limits import PostgresLimitTable
from nadi.storage.postgres.listing import complete, with_marks
from nadi.storage.postgres.overview import PostgresOverview
from nadi.storage.postgres.result_files import PostgresResultFileTable
from nadi.storage.postgres.retention import PostgresRetentionTable, bury_runs, sweep_run
from nadi.storage.postgres.schedules import PostgresScheduleTable
from nadi.storage.postgres.schema import prepare
from nadi.storage.postgres.work import PostgresWorkTable
from nadi.storage.setting_aside import apply_what_fits
from nadi.storage.sql_store import SqlStore

_READING = named_queries("postgres/reading.sql")
_READING["last_change"] = _READING["last_change"].replace("{bound}", COMPLETE_BEFORE)


class PostgresStore(SqlStore):
    """Runs kept in a PostgreSQL database, which any number of processes and machines may use at once.

    The database is there already; its tables are made in the first schema of its search path. Connections are opened
    when they are needed, a few for each process. When the server is started again, what was being asked is asked once
    more, for as long as the patience lasts.

    Args:
        url: `postgresql://user:password@host:port/name`.
        patience: Seconds to wait for the server, a connection or a lock before `StoreUnavailable` is raised.

    Raises:
        SettingError: the URL cannot be read.
        StoreUnavailable: it cannot be opened; the message says what to do.
        StoreTooNew: a newer Nadi made it and does not accept this one.
    """

    shared = True

    def __init__(self, url: str, *, patience: float = 5.0) -> None:
        self._database = Database(url, patience=patience)
        try:
            identity = prepare(self._database)
        except BaseException:
            self._database.close()
            raise
        self.id = identity.id
        self.signing_key = identity.signing_key
        self.url = self._database.url
        self._listener = Listener(self._database)
        self.access = PostgresAccessTable(self._database)
        self.assets = PostgresAssetTable(self._database)
        self.cache = PostgresCacheTable(self._database)
        self.result_files = PostgresResultFileTable(self._database)
        self.events = PostgresEventTable(self._database)
        self.inputs = PostgresInputTable(self._database)
        self.leases = PostgresLeaseTable(self._database)
        self.limits = PostgresLimitTable(self._database)
        self.overview = PostgresOverview(self._database)
        self.retention = PostgresRetentionTable(self._database)
        self.work = PostgresWorkTable(self._database)
        self.deployments = PostgresDeploymentTable(self._database)
        self.schedules = PostgresScheduleTable(self._database)

    # -- writing --

    def apply(self, batch: Batch) -> Applied:
        return apply_what_fits(
            batch, lambda some: self._database.transact(lambda connection: apply_batch(connection, some))
        )

    def forget_writer(self, writer: str) -> None:
        self._database.transact(lambda connection: execute(connection, "DELETE FROM writer WHERE id = %s", (writer,)))

    def claim(self, run: str, *, holder: str, now: float, expected_token: int | None = None) -> Claim:
        return self._database.transact(
            lambda connection: claims.claim_run(
                connection, run, holder=holder, now=now, expected_token=expected_token, where=self.url
            )
        )

    def end_attempt(self, run: str, *, token: int, state: StateType, name: str, message: str, now: float) -> bool:
        return self.end_attempts([Ending(run, token, state, message, name)], now=now)[0]

    def end_attempts(self, endings: Sequence[Ending], *, now: float) -> list[bool]:
        return self._database.transact(lambda connection: end_attempts(connection, endings, now=now))

    def ask(self, request: Request) -> None:
        self._database.transact(lambda connection: claims.leave_request(connection, request))

    def requests(self, runs: Sequence[str]) -> list[Request]:
        return [rows.request(row) for row in self._read("requests", list(runs))]

    def delete_run(self, run: str, *, now: float) -> bool:
        def delete(connection: Connection) -> bool:
            found = claims.held_run(connection, run)
            if found is None or not found.is_root:
                return False
            if not found.is_final:
                raise RunTaken(run, holder=told_holder(found))
            bury_runs(connection, [run], now)
            sweep_run(connection, run)
            return True

        return self._database.transact(delete)

    def set_variable(self, variable: Variable, *, overwrite: bool) -> bool:
        def put(connection: Connection) -> bool:
            done = claims.put_variable(connection, variable, overwrite=overwrite)
            if done:
                next_changes(connection)
            return done

        return self._database.transact(put)

    def unset_variable(self, name: str) -> bool:
        def forget(connection: Connection) -> bool:
            done = execute(connection, "DELETE FROM variable WHERE name = %s", (name,)) > 0
            if done:
                next_changes(connection)
            return done

        return self._database.transact(forget)

    def wait_for_change(self, after: int, timeout: float) -> int:
        deadline, pause = time.monotonic() + timeout, 1.0
        while True:
            # Counted before looking, so that what is told meanwhile wakes us at once.
            times = self._listener.times
            newest = self.last_change()
            if newest > after or (left := deadline - time.monotonic()) <= 0:
                return newest
            told = self._listener.wait(times, min(left, pause))
            # What was told may not count yet, since an older transaction is still open; nobody tells of its end. And
            # without a word for a second we look all the same: a pooler may have kept it from us.
            pause = 0.02 if told else min(2 * pause, 1.0)

    def close(self) -> None:
        # In this order: who finds the listener without a connection gets no new one.
        self._database.close()
        self._listener.close()

    # -- reading --

    def _read(self, query: str, *values: Any) -> list[rows.Values]:
        return self._database.fetch(_READING[query], values)

    def _list(self, query: str, which: Where) -> list[rows.Values]:
        where, values = which
        return self._database.fetch(_READING[query].replace("{where}", with_marks(where)), values)

    def _complete(self, which: Where) -> Where:
        return complete(which)
