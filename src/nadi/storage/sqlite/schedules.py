"""Schedules, ticks and backfills in SQLite."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import apsw

from nadi.model.ticks import Backfill, BackfillState, BackfillStep, Firing, NewTick, StandingSchedule, Tick
from nadi.storage.contracts.schedules import ScheduleTable
from nadi.storage.deploying import CANCELLED_WITH_BACKFILL, paused_or_not, tick_of_instant
from nadi.storage.named_queries import named_queries
from nadi.storage.run_rows import pack_texts
from nadi.storage.sqlite.database import Database, fetch
from nadi.storage.sqlite.ending import cancel_waiting, next_change
from nadi.storage.sqlite.work import enqueue_runs
from nadi.storage.work_rows import (
    backfill_of,
    backfill_values,
    schedule_of,
    schedule_values,
    tick_of,
    tick_values,
    with_columns,
)

_SQL = {name: with_columns(sql) for name, sql in named_queries("schedules.sql").items()}


class SqliteScheduleTable(ScheduleTable):
    """See the contract."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- schedules --

    def due(self, *, now: float, limit: int = 1000) -> list[StandingSchedule]:
        where = "active = 1 AND next > 0 AND next <= ? ORDER BY next, deployment, name LIMIT ?"
        with self._database.read() as connection:
            return _schedules(connection, where, now, limit)

    def next_at(self) -> float:
        return float(self._read(_SQL["next_at"])[0][0])

    def schedules(
        self, *, deployment: str = "", after: tuple[str, str] = ("", ""), limit: int = 1000
    ) -> list[StandingSchedule]:
        where, values = "true", list[Any]()
        # The schedule of a deployment that has only one may have no name: it is not greater than ("", "").
        if any(after):
            where, values = "(deployment, name) > (?, ?)", [*after]
        if deployment:
            where += " AND deployment = ?"
            values.append(deployment)
        with self._database.read() as connection:
            return _schedules(connection, f"{where} ORDER BY deployment, name LIMIT ?", *values, limit)

    def fire(self, firings: Sequence[Firing], *, now: float) -> list[bool]:
        with self._database.write() as connection:
            deciding = _Deciding(connection, now)
            done = [_fire(connection, firing, deciding) for firing in firings]
            deciding.carry_out()
            if any(done):
                next_change(connection)
            return done

    def set_paused(self, deployment: str, schedule: str, paused: bool, *, now: float) -> bool:
        with self._database.write() as connection:
            found = _schedules(connection, "deployment = ? AND name = ?", deployment, schedule)
            if not found:
                return False
            if found[0].paused != paused:
                whole = fetch(connection, _SQL["is_deployment_paused"], (deployment,))
                is_paused = bool(whole and whole[0][0])
                put_schedules(
                    connection, [paused_or_not(found[0], paused=paused, deployment_paused=is_paused, now=now)]
                )
                next_change(connection)
            return True

    def ticks(
        self,
        deployment: str,
        *,
        schedule: str = "",
        backfill: str | None = None,
        since: float = 0.0,
        before: float = 0.0,
        limit: int = 1000,
    ) -> list[Tick]:
        where = "deployment = ?"
        values: list[Any] = [deployment]
        for condition, value in (
            ("schedule = ?", schedule or None),
            ("backfill = ?", backfill),
            ("instant >= ?", since or None),
            ("instant < ?", before or None),
        ):
            if value is not None:
                where += f" AND {condition}"
                values.append(value)
        if backfill:
            where += " AND backfill <> ''"  # opens the index of those
        sql = _SQL["ticks"].replace("{where}", f"{where} ORDER BY instant DESC, schedule, backfill LIMIT ?")
        return list(map(tick_of, self._read(sql, *values, limit)))

    # -- backfills --

    def add_backfill(self, backfill: Backfill) -> None:
        with self._database.write() as connection:
            if fetch(connection, _SQL["put_backfill"], backfill_values(backfill)):
                next_change(connection)

    def backfill(self, id: str) -> Backfill | None:
        with self._database.read() as connection:
            return _backfill(connection, id)

    def backfills(
        self, *, deployment: str = "", states: Sequence[BackfillState] = (), before: str = "", limit: int = 100
    ) -> list[Backfill]:
        where, values = "true", list[Any]()
        for condition, value in (
            ("deployment = ?", deployment),
            ("state IN (SELECT value FROM json_each(?))", pack_texts(list(states)) if states else ""),
            ("id < ?", before),
        ):
            if value:
                where += f" AND {condition}"
                values.append(value)
        sql = _SQL["backfills"].replace("{where}", f"{where} ORDER BY id DESC LIMIT ?")
        return list(map(backfill_of, self._read(sql, *values, limit)))

    def advance(self, step: BackfillStep, *, now: float) -> bool:
        with self._database.write() as connection:
            values = (step.id, step.seen_decided, len(step.ticks), step.position, step.ended)
            moved = fetch(connection, _SQL["advance"], values)
            if not moved:
                return False
            backfill = backfill_of(moved[0])
            deciding = _Deciding(connection, now)
            deciding.note(backfill.deployment, backfill.schedule, backfill.id, step.ticks)
            deciding.carry_out()
            next_change(connection)
            return True

    def set_backfill_state(self, id: str, state: BackfillState, *, now: float) -> bool:
        with self._database.write() as connection:
            ended = now if state in (BackfillState.CANCELLED, BackfillState.COMPLETED) else 0.0
            if not fetch(connection, _SQL["set_backfill_state"], (id, state, ended)):
                return False
            if state is BackfillState.CANCELLED:
                cancel_waiting(connection, CANCELLED_WITH_BACKFILL, now, backfill=id)
            next_change(connection)
            return True

    def _read(self, sql: str, *values: Any) -> list[Any]:
        with self._database.read() as connection:
            return fetch(connection, sql, values)


# -- within the write transaction that is open --


def standing_schedules(connection: apsw.Connection, deployment: str) -> list[StandingSchedule]:
    """Return the schedules of a deployment."""
    return _schedules(connection, "deployment = ? ORDER BY name", deployment)


def put_schedules(connection: apsw.Connection, standing: Iterable[StandingSchedule]) -> None:
    """Write schedules as they stand now."""
    connection.executemany(_SQL["put_schedule"], map(schedule_values, standing))


def remove_schedules(connection: apsw.Connection, deployment: str) -> None:
    """Forget the schedules of a deployment."""
    connection.execute(_SQL["remove_schedules"], (deployment,))


class _Deciding:
    """Ticks that are decided in one transaction; their runs are recorded together, which costs a third."""

    def __init__(self, connection: apsw.Connection, now: float) -> None:
        self._connection, self._now = connection, now
        #: By deployment, schedule, backfill and instant: what was decided, and whether that gives way to another run.
        self._ticks: dict[tuple[str, str, str, float], tuple[NewTick, bool]] = {}
        #: Deployments of which a run has not ended; of those asked about, and those that get one now.
        self._at_work: dict[str, bool] = {}

    def note(self, deployment: str, schedule: str, backfill: str, ticks: Iterable[NewTick]) -> None:
        """Decide the instants of a schedule that have no tick yet."""
        for new in ticks:
            key = (deployment, schedule, backfill, new.instant)
            if key in self._ticks or fetch(self._connection, _SQL["known_tick"], key):
                continue
            gives_way = bool(new.skip_note) and self._is_at_work(deployment)
            self._ticks[key] = (new, gives_way)
            if new.run is not None and not gives_way:
                self._at_work[deployment] = True

    def carry_out(self) -> None:
        """Write the ticks, and record their runs."""
        runs = [new.run for new, gives_way in self._ticks.values() if new.run is not None and not gives_way]
        enqueued = iter(enqueue_runs(self._connection, runs) if runs else ())
        values = []
        for (deployment, schedule, backfill, _), (new, gives_way) in self._ticks.items():
            run = next(enqueued).run if new.run is not None and not gives_way else ""
            tick = tick_of_instant(new, deployment, schedule, backfill, run=run, skipped=gives_way, now=self._now)
            values.append(tick_values(tick))
        self._connection.executemany(_SQL["put_tick"], values)

    def _is_at_work(self, deployment: str) -> bool:
        if deployment not in self._at_work:
            self._at_work[deployment] = bool(fetch(self._connection, _SQL["is_at_work"], (deployment,)))
        return self._at_work[deployment]


def _fire(connection: apsw.Connection, firing: Firing, deciding: _Deciding) -> bool:
    values = (
        firing.deployment,
        firing.schedule,
        firing.seen_version,
        firing.seen_cursor,
        firing.cursor,
        firing.next,
    )
    if not fetch(connection, _SQL["move_schedule"], values):
        return False
    deciding.note(firing.deployment, firing.schedule, "", firing.ticks)
    return True


def _schedules(connection: apsw.Connection, where: str, *values: Any) -> list[StandingSchedule]:
    return list(map(schedule_of, fetch(connection, _SQL["schedules"].replace("{where}", where), values)))


def _backfill(connection: apsw.Connection, id: str) -> Backfill | None:
    found = fetch(connection, _SQL["backfills"].replace("{where}", "id = ?"), (id,))
    return backfill_of(found[0]) if found else None
