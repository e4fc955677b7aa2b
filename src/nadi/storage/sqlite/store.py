"""The Store on SQLite. What each method promises is told in `storage/contract.py`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apsw

from nadi.exceptions import RunTaken
from nadi.model.runs import Claim, FlowRun, Request, Variable
from nadi.model.states import StateType
from nadi.storage import listing
from nadi.storage import run_rows as rows
from nadi.storage.claiming import left_attempt, next_claim, told_holder, was_tried
from nadi.storage.contract import Applied, Batch, Ending
from nadi.storage.named_queries import named_queries
from nadi.storage.setting_aside import apply_what_fits
from nadi.storage.sql_store import SqlStore
from nadi.storage.sqlite.access import SqliteAccessTable
from nadi.storage.sqlite.applying import apply_batch
from nadi.storage.sqlite.assets import SqliteAssetTable
from nadi.storage.sqlite.cache import SqliteCacheTable
from nadi.storage.sqlite.database import Database, fetch
from nadi.storage.sqlite.deployments import SqliteDeploymentTable
from nadi.storage.sqlite.ending import claim_work, close_attempts, end_attempts, next_change
from nadi.storage.sqlite.events import SqliteEventTable
from nadi.storage.sqlite.inputs import SqliteInputTable
from nadi.storage.sqlite.leases import SqliteLeaseTable
from nadi.storage.sqlite.limits import SqliteLimitTable
from nadi.storage.sqlite.overview import SqliteOverview, note_moved
from nadi.storage.sqlite.result_files import SqliteResultFileTable
from nadi.storage.sqlite.retention import SqliteRetentionTable, bury_run, sweep_run
from nadi.storage.sqlite.schedules import SqliteScheduleTable
from nadi.storage.sqlite.schema import prepare
from nadi.storage.sqlite.work import SqliteWorkTable

_CLAIMS = named_queries("claims.sql")
_READING = named_queries("reading.sql")


class SqliteStore(SqlStore):
    """Runs kept in one SQLite file, which many threads and processes may use at once.

    The file is made when it is not there; its folder is not. Writers of all processes take
    turns; readers never wait for them.

    Args:
        path: The database file.
        patience: Seconds to wait for a turn to write before `StoreUnavailable` is raised.

    Raises:
        StoreUnavailable: it cannot be opened; the message says what to do.
        StoreTooNew: a newer Nadi made it and does not accept this one.
    """

    def __init__(self, path: str | Path, *, patience: float = 5.0) -> None:
        self._database = Database(Path(path).absolute(), patience=patience)
        identity = prepare(self._database)
        self.id = identity.id
        self.signing_key = identity.signing_key
        self.url = f"sqlite:///{self._database.path}"
        self.access = SqliteAccessTable(self._database)
        self.assets = SqliteAssetTable(self._database)
        self.cache = SqliteCacheTable(self._database)
        self.result_files = SqliteResultFileTable(self._database)
        self.events = SqliteEventTable(self._database)
        self.inputs = SqliteInputTable(self._database)
        self.leases = SqliteLeaseTable(self._database)
        self.limits = SqliteLimitTable(self._database)
        self.overview = SqliteOverview(self._database)
        self.retention = SqliteRetentionTable(self._database)
        self.work = SqliteWorkTable(self._database)
        self.deployments = SqliteDeploymentTable(self._database)
        self.schedules = SqliteScheduleTable(self._database)

    # -- writing --

    def apply(self, batch: Batch) -> Applied:
        return apply_what_fits(batch, self._apply)

    def _apply(self, batch: Batch) -> Applied:
        with self._database.write() as connection:
            return apply_batch(connection, batch)

    def forget_writer(self, writer: str) -> None:
        with self._database.write() as connection:
            connection.execute("DELETE FROM writer WHERE id = ?", (writer,))

    def claim(self, run: str, *, holder: str, now: float, expected_token: int | None = None) -> Claim:
        with self._database.write() as connection:
            found = _flow_run(connection, run)
            claim = next_claim(found, run, expected_token=expected_token, where=self.url)
            assert found is not None
            if was_tried(found):
                close_attempts.run(connection, [rows.closed_attempt(left_attempt(found, now=now), run)])
            note_moved(connection, found, StateType.PENDING)
            values = (run, claim.token, claim.attempt, holder, now, next_change(connection))
            connection.execute(_CLAIMS["claim_run"], values)
            claim_work(connection, run, holder, now)
            return claim

    def end_attempt(self, run: str, *, token: int, state: StateType, name: str, message: str, now: float) -> bool:
        with self._database.write() as connection:
            return end_attempts(connection, [Ending(run, token, state, message, name)], now)[0]

    def end_attempts(self, endings: Sequence[Ending], *, now: float) -> list[bool]:
        with self._database.write() as connection:
            return end_attempts(connection, endings, now)

    def ask(self, request: Request) -> None:
        with self._database.write() as connection:
            connection.execute(_CLAIMS["leave_request"], (request.run, request.kind, request.at, request.by))
            next_change(connection)

    def requests(self, runs: Sequence[str]) -> list[Request]:
        return [rows.request(row) for row in self._read("requests", rows.pack_texts(list(runs)))]

    def delete_run(self, run: str, *, now: float) -> bool:
        with self._database.write() as connection:
            found = _flow_run(connection, run)
            if found is None or not found.is_root:
                return False
            if not found.is_final:
                raise RunTaken(run, holder=told_holder(found))
            bury_run(connection, run, now)
            sweep_run(connection, run)
            return True

    def set_variable(self, variable: Variable, *, overwrite: bool) -> bool:
        with self._database.write() as connection:
            there = fetch(connection, "SELECT 1 FROM variable WHERE name = ?", (variable.name,))
            if there and not overwrite:
                return False
            connection.execute(
                "INSERT INTO variable (name, value, tags, updated) VALUES (?, ?, ?, ?) ON CONFLICT (name)"
                " DO UPDATE SET value = excluded.value, tags = excluded.tags, updated = excluded.updated",
                (variable.name, variable.value, rows.pack_texts(variable.tags), variable.updated),
            )
            next_change(connection)
            return True

    def unset_variable(self, name: str) -> bool:
        with self._database.write() as connection:
            there = fetch(connection, "DELETE FROM variable WHERE name = ? RETURNING name", (name,))
            if there:
                next_change(connection)
            return bool(there)

    def close(self) -> None:
        self._database.close()

    # -- reading --

    def _read(self, query: str, *values: Any) -> list[rows.Values]:
        with self._database.read() as connection:
            return fetch(connection, _READING[query], values)

    def _list(self, query: str, which: listing.Where) -> list[rows.Values]:
        where, values = which
        with self._database.read() as connection:
            return fetch(connection, _READING[query].replace("{where}", where), values)


def _flow_run(connection: apsw.Connection, run: str) -> FlowRun | None:
    found = fetch(connection, _READING["flow_runs"].replace("{where}", "id = ?"), (run,))
    return rows.flow_run(found[0]) if found else None
