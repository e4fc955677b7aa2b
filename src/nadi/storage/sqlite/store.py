"""The Store on SQLite. What each method promises is told in `storage/contract.py`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import apsw

from nadi.exceptions import RunTaken
from nadi.model.runs import (
    Artifact,
    Attempt,
    Claim,
    FlowRun,
    Log,
    Metric,
    Request,
    RunFilter,
    Superseded,
    TaskRun,
    Variable,
)
from nadi.model.states import DEFAULT_NAMES, StateType
from nadi.storage.claiming import all_attempts, left_attempt, next_claim, standing_attempt, told_holder, was_tried
from nadi.storage.contract import Applied, Batch, Ending, Store
from nadi.storage.named_queries import named_queries
from nadi.storage.sqlite import listing, rows
from nadi.storage.sqlite.applying import apply_batch, close_attempts, count_tasks
from nadi.storage.sqlite.assets import SqliteAssetTable
from nadi.storage.sqlite.cache import SqliteCacheTable
from nadi.storage.sqlite.database import Database, fetch
from nadi.storage.sqlite.events import SqliteEventTable
from nadi.storage.sqlite.inputs import SqliteInputTable
from nadi.storage.sqlite.limits import SqliteLimitTable
from nadi.storage.sqlite.result_files import SqliteResultFileTable, release_files
from nadi.storage.sqlite.schema import prepare

_CLAIMS = named_queries("claims.sql")
_READING = named_queries("reading.sql")

#: Rows read at a time where everything is read, so that no read transaction lasts.
_PAGE = 1000
#: Everything that bears the id of a root run; `request` bears it as `run`.
_TABLES = (
    *("task_run", "attempt", "task_count", "dropped", "superseded", "log", "metric", "artifact", "event"),
    *("pause", "message"),
    "flow_run",
)


class SqliteStore(Store):
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
        self.assets = SqliteAssetTable(self._database)
        self.cache = SqliteCacheTable(self._database)
        self.result_files = SqliteResultFileTable(self._database)
        self.events = SqliteEventTable(self._database)
        self.inputs = SqliteInputTable(self._database)
        self.limits = SqliteLimitTable(self._database)

    # -- writing --

    def apply(self, batch: Batch) -> Applied:
        with self._database.write() as connection:
            return apply_batch(connection, batch)

    def watermark(self, writer: str) -> int:
        found = self._read(_READING["watermark"], writer)
        return found[0][0] if found else 0

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
            values = (run, claim.token, claim.attempt, holder, now, _next_change(connection))
            connection.execute(_CLAIMS["claim_run"], values)
            return claim

    def end_attempt(self, run: str, *, token: int, state: StateType, name: str, message: str, now: float) -> bool:
        with self._database.write() as connection:
            return _end_attempt(connection, run, token=token, state=state, name=name, message=message, now=now)

    def end_attempts(self, endings: Sequence[Ending], *, now: float) -> list[bool]:
        with self._database.write() as connection:
            return [
                _end_attempt(
                    connection, one.run, token=one.token, state=one.state, name=one.name, message=one.message, now=now
                )
                for one in endings
            ]

    def ask(self, request: Request) -> None:
        with self._database.write() as connection:
            connection.execute(_CLAIMS["leave_request"], (request.run, request.kind, request.at, request.by))
            _next_change(connection)

    def requests(self, runs: Sequence[str]) -> list[Request]:
        return [rows.request(row) for row in self._read(_READING["requests"], rows.pack_texts(list(runs)))]

    def delete_run(self, run: str, *, now: float) -> bool:
        with self._database.write() as connection:
            found = _flow_run(connection, run)
            if found is None or not found.is_root:
                return False
            if not found.is_final:
                raise RunTaken(run, holder=told_holder(found))
            for table in _TABLES:
                connection.execute(f"DELETE FROM {table} WHERE root = ?", (run,))
            connection.execute("DELETE FROM request WHERE run = ?", (run,))
            release_files(connection, run, now)
            connection.execute(_CLAIMS["bury_run"], (run, now))
            _next_change(connection)
            return True

    # -- reading --

    def flow_run(self, run: str) -> FlowRun | None:
        with self._database.read() as connection:
            return _flow_run(connection, run)

    def find_flow_runs(self, wanted: str, *, limit: int = 10) -> list[FlowRun]:
        by_id = self._flow_runs(listing.runs_by_id(wanted, limit=limit))
        return by_id or self._flow_runs(("name = ? ORDER BY id DESC LIMIT ?", [wanted, limit]))

    def flow_runs(self, which: RunFilter, *, limit: int, before: str = "") -> list[FlowRun]:
        return self._flow_runs(listing.flow_runs(which, limit=limit, before=before))

    def waiting_runs(
        self, flows: Sequence[str], *, state: StateType, after: str = "", limit: int = 1000
    ) -> list[FlowRun]:
        return self._flow_runs(listing.waiting_runs(flows, state=state, after=after, limit=limit))

    def subflow_runs(self, root: str) -> list[FlowRun]:
        return list(self._pages_of_subflow_runs(root))

    def task_run(self, task_run: str) -> TaskRun | None:
        found = self._task_runs(("id = ?", [task_run]))
        return found[0] if found else None

    def task_runs(
        self,
        root: str,
        *,
        run: str = "",
        states: Sequence[StateType] = (),
        after: str = "",
        changed_after: int = -1,
        limit: int = 1000,
    ) -> list[TaskRun]:
        return self._task_runs(
            listing.task_runs(root, run=run, states=states, after=after, changed_after=changed_after, limit=limit)
        )

    def recorded_calls(self, root: str) -> Iterator[TaskRun | FlowRun]:
        # Two streams, each in order of ids: merged, so that the whole is in the order of the calls.
        subflows = self._pages_of_subflow_runs(root)
        subflow = next(subflows, None)
        for task in self._pages_of_task_runs(root):
            while subflow is not None and subflow.id < task.id:
                yield subflow
                subflow = next(subflows, None)
            yield task
        if subflow is not None:
            yield subflow
            yield from subflows

    def attempts(self, run: str) -> list[Attempt]:
        newest = self.flow_run(run) or self.task_run(run)
        closed = [rows.attempt(row) for row in self._read(_READING["attempts"], run)]
        return closed if newest is None else all_attempts(closed, standing_attempt(newest))

    def superseded(self, root: str, *, limit: int = 1000) -> list[Superseded]:
        return [rows.superseded(row) for row in self._read(_READING["superseded"], root, limit)]

    def logs(
        self, root: str, *, run: str = "", task: str = "", level: int = 0, after: int = 0, limit: int = 1000
    ) -> list[Log]:
        which = listing.logs(root, run=run, task=task, level=level, after=after, limit=limit)
        return [rows.log(row) for row in self._list("logs", which)]

    def last_logs(self, root: str, *, level: int = 0, limit: int = 100) -> list[Log]:
        which = listing.logs(root, run="", task="", level=level, after=0, limit=limit, newest=True)
        return [rows.log(row) for row in reversed(self._list("logs", which))]

    def artifacts(self, *, root: str = "", key: str = "", limit: int = 1000) -> list[Artifact]:
        return [
            rows.artifact(row) for row in self._list("artifacts", listing.artifacts(root=root, key=key, limit=limit))
        ]

    def artifact(self, artifact: str) -> Artifact | None:
        found = self._list("artifacts", ("id = ?", [artifact]))
        return rows.artifact(found[0]) if found else None

    def metrics(self, root: str, *, key: str = "", after: int = 0, limit: int = 10_000) -> list[Metric]:
        which = listing.metrics(root, key=key, after=after, limit=limit)
        return [rows.metric(row) for row in self._list("metrics", which)]

    def variable(self, name: str) -> Variable | None:
        found = self._list("variables", ("name = ?", [name]))
        return rows.variable(found[0]) if found else None

    def variables(self) -> list[Variable]:
        return [rows.variable(row) for row in self._list("variables", ("true ORDER BY name", []))]

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
            _next_change(connection)
            return True

    def unset_variable(self, name: str) -> bool:
        with self._database.write() as connection:
            there = fetch(connection, "DELETE FROM variable WHERE name = ? RETURNING name", (name,))
            if there:
                _next_change(connection)
            return bool(there)

    def last_change(self) -> int:
        return int(self._read(_READING["last_change"])[0][0])

    def counts(self) -> dict[str, int]:
        kinds = (
            "flow_runs",
            "task_runs",
            "logs",
            "artifacts",
            "metrics",
            "variables",
            "superseded",
            "deleted_runs",
            "writers",
        )
        return dict(zip(kinds, self._read(_READING["counts"])[0], strict=True))

    def close(self) -> None:
        self._database.close()

    # -- reading, in detail --

    def _read(self, sql: str, *values: Any) -> list[rows.Values]:
        with self._database.read() as connection:
            return fetch(connection, sql, values)

    def _list(self, query: str, which: listing.Where) -> list[rows.Values]:
        where, values = which
        return self._read(_READING[query].replace("{where}", where), *values)

    def _flow_runs(self, which: listing.Where) -> list[FlowRun]:
        return [rows.flow_run(row) for row in self._list("flow_runs", which)]

    def _task_runs(self, which: listing.Where) -> list[TaskRun]:
        return [rows.task_run(row) for row in self._list("task_runs", which)]

    def _pages_of_task_runs(self, root: str) -> Iterator[TaskRun]:
        after = ""
        while page := self.task_runs(root, after=after, limit=_PAGE):
            yield from page
            after = page[-1].id

    def _pages_of_subflow_runs(self, root: str) -> Iterator[FlowRun]:
        after = ""
        where = "root = ? AND id <> root AND id > ? ORDER BY id LIMIT ?"
        while page := self._flow_runs((where, [root, after, _PAGE])):
            yield from page
            after = page[-1].id


def _flow_run(connection: apsw.Connection, run: str) -> FlowRun | None:
    found = fetch(connection, _READING["flow_runs"].replace("{where}", "id = ?"), (run,))
    return rows.flow_run(found[0]) if found else None


def _next_change(connection: apsw.Connection, n: int = 1) -> int:
    """Take `n` change numbers and return the last of them."""
    return int(fetch(connection, _CLAIMS["next_change"], (n,))[0][0])


def _end_attempt(
    connection: apsw.Connection, run: str, *, token: int, state: StateType, name: str, message: str, now: float
) -> bool:
    root = _flow_run(connection, run)
    if root is None or not root.is_root or root.token != token or root.is_final:
        return False
    tasks = fetch(connection, _CLAIMS["count_open_task_runs"], (run,))
    subflows = fetch(connection, _CLAIMS["count_open_flow_runs"], (run,))[0][0]
    changed = sum(n for _, _, n in tasks)
    newest = _next_change(connection, changed + subflows + 1)
    first = newest - changed - subflows - 1
    ending = (run, state, name or DEFAULT_NAMES[state], message, now)
    connection.execute(_CLAIMS["end_task_runs"], (*ending, first))
    connection.execute(_CLAIMS["end_flow_runs"], (*ending, first + changed, subflows + 1))
    deltas: list[tuple[Any, ...]] = []
    for flow_run, was, n in tasks:
        becomes = StateType.CANCELLED if was in (StateType.SCHEDULED, StateType.PENDING) else state
        deltas += [(run, flow_run, was, -n), (run, flow_run, becomes, n)]
    for delta in deltas:
        count_tasks.run(connection, [delta])
    connection.execute("DELETE FROM request WHERE run = ?", (run,))
    return True
