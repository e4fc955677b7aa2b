"""Schedules, ticks and backfills in PostgreSQL.

What is decided of many schedules is carried out at once: a thousand that fire in the same second cost a few questions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from nadi.model.ticks import Backfill, BackfillState, BackfillStep, Firing, NewTick, StandingSchedule, Tick, TickOutcome
from nadi.model.work import NewRun
from nadi.storage.contracts.schedules import ScheduleTable
from nadi.storage.deploying import CANCELLED_WITH_BACKFILL, paused_or_not, tick_of_instant
from nadi.storage.named_queries import named_queries
from nadi.storage.postgres.bulk import Bulk
from nadi.storage.postgres.database import Connection, Database, execute, fetch, next_changes
from nadi.storage.postgres.ending import cancel_waiting
from nadi.storage.postgres.work import put_runs
from nadi.storage.work_rows import (
    backfill_of,
    backfill_values,
    schedule_of,
    schedule_values,
    tick_of,
    tick_values,
    with_columns,
)

_SQL = {name: with_columns(sql) for name, sql in named_queries("postgres/schedules.sql").items()}
_hold = Bulk(_SQL["hold"], "tt")
_put_schedules = Bulk(_SQL["put_schedules"], "ttibiiff")
_move_schedules = Bulk(_SQL["move_schedules"], "ttff")
_known_ticks = Bulk(_SQL["known_ticks"], "tttf")
_put_ticks = Bulk(_SQL["put_ticks"], "tftttttf")


_Key = tuple[str, str, str, float]


class _Decided(NamedTuple):
    """An instant that is decided, and of what."""

    deployment: str
    schedule: str
    backfill: str
    new: NewTick

    @property
    def key(self) -> _Key:
        """What its tick is known by."""
        return (self.deployment, self.schedule, self.backfill, self.new.instant)


class PostgresScheduleTable(ScheduleTable):
    """See the contract."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- schedules --

    def due(self, *, now: float, limit: int = 1000) -> list[StandingSchedule]:
        return self._schedules(
            "active = 1 AND next > 0 AND next <= %s ORDER BY next, deployment, name LIMIT %s", now, limit
        )

    def next_at(self) -> float:
        return float(self._database.fetch(_SQL["next_at"])[0][0])

    def schedules(
        self, *, deployment: str = "", after: tuple[str, str] = ("", ""), limit: int = 1000
    ) -> list[StandingSchedule]:
        where, values = "true", list[Any]()
        # The schedule of a deployment that has only one may have no name: it is not greater than ("", "").
        if any(after):
            where, values = "(deployment, name) > (%s, %s)", [*after]
        if deployment:
            where += " AND deployment = %s"
            values.append(deployment)
        return self._schedules(f"{where} ORDER BY deployment, name LIMIT %s", *values, limit)

    def fire(self, firings: Sequence[Firing], *, now: float) -> list[bool]:
        return self._database.transact(lambda connection: _fire(connection, firings, now)) if firings else []

    def set_paused(self, deployment: str, schedule: str, paused: bool, *, now: float) -> bool:
        def work(connection: Connection) -> bool:
            is_paused = hold_deployments(connection, [deployment]).get(deployment, False)
            found = [one for one in standing_schedules(connection, deployment) if one.name == schedule]
            if not found:
                return False
            if found[0].paused != paused:
                put_schedules(
                    connection, [paused_or_not(found[0], paused=paused, deployment_paused=is_paused, now=now)]
                )
                next_changes(connection)
            return True

        return self._database.transact(work)

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
        where, values = "deployment = %s", list[Any]([deployment])
        for condition, value in (
            ("schedule = %s", schedule or None),
            ("backfill = %s", backfill),
            ("instant >= %s", since or None),
            ("instant < %s", before or None),
        ):
            if value is not None:
                where += f" AND {condition}"
                values.append(value)
        if backfill:
            where += " AND backfill <> ''"  # opens the index of those
        sql = _SQL["ticks"].replace("{where}", f"{where} ORDER BY instant DESC, schedule, backfill LIMIT %s")
        return list(map(tick_of, self._database.fetch(sql, [*values, limit])))

    # -- backfills --

    def add_backfill(self, backfill: Backfill) -> None:
        def work(connection: Connection) -> None:
            if execute(connection, _SQL["put_backfill"], backfill_values(backfill)):
                next_changes(connection)

        self._database.transact(work)

    def backfill(self, id: str) -> Backfill | None:
        found = self._backfills("id = %s", id)
        return found[0] if found else None

    def backfills(
        self, *, deployment: str = "", states: Sequence[BackfillState] = (), before: str = "", limit: int = 100
    ) -> list[Backfill]:
        where, values = "true", list[Any]()
        for condition, value in (
            ("deployment = %s", deployment),
            ("state = ANY(%s::text[])", [state.value for state in states]),
            ("id < %s", before),
        ):
            if value:
                where += f" AND {condition}"
                values.append(value)
        return self._backfills(f"{where} ORDER BY id DESC LIMIT %s", *values, limit)

    def advance(self, step: BackfillStep, *, now: float) -> bool:
        def work(connection: Connection) -> bool:
            if any(new.skip_note for new in step.ticks):
                hold_deployments(connection, [name for (name,) in fetch(connection, _SQL["deployment_of"], (step.id,))])
            values = {"id": step.id, "seen": step.seen_decided, "more": len(step.ticks)}
            moved = fetch(connection, _SQL["advance"], {**values, "position": step.position, "ended": step.ended})
            if not moved:
                return False
            backfill = backfill_of(moved[0])
            decided = [_Decided(backfill.deployment, backfill.schedule, backfill.id, new) for new in step.ticks]
            _decide(connection, decided, now)
            next_changes(connection)
            return True

        return self._database.transact(work)

    def set_backfill_state(self, id: str, state: BackfillState, *, now: float) -> bool:
        def work(connection: Connection) -> bool:
            ended = now if state in (BackfillState.CANCELLED, BackfillState.COMPLETED) else 0.0
            if not execute(connection, _SQL["set_backfill_state"], (state.value, ended, id)):
                return False
            if state is BackfillState.CANCELLED:
                # Nothing is added to it any more from here on, so all that waits is seen.
                cancel_waiting(connection, CANCELLED_WITH_BACKFILL, now, backfill=id)
            next_changes(connection)
            return True

        return self._database.transact(work)

    def _schedules(self, where: str, *values: Any) -> list[StandingSchedule]:
        return list(map(schedule_of, self._database.fetch(_SQL["schedules"].replace("{where}", where), values)))

    def _backfills(self, where: str, *values: Any) -> list[Backfill]:
        return list(map(backfill_of, self._database.fetch(_SQL["backfills"].replace("{where}", where), values)))


# -- within the write transaction that is open --


def hold_deployments(connection: Connection, names: Iterable[str]) -> dict[str, bool]:
    """Take the rows of deployments, before anything else, and return whether each that is there is paused, by name."""
    wanted = sorted(set(names))
    return (
        {name: bool(paused) for name, paused in fetch(connection, _SQL["hold_deployments"], (wanted,))}
        if wanted
        else {}
    )


def standing_schedules(connection: Connection, deployment: str) -> list[StandingSchedule]:
    """Return the schedules of a deployment, held from now on."""
    sql = _SQL["schedules"].replace("{where}", "deployment = %s ORDER BY deployment, name FOR UPDATE")
    return list(map(schedule_of, fetch(connection, sql, (deployment,))))


def put_schedules(connection: Connection, standing: Iterable[StandingSchedule]) -> None:
    """Write schedules as they stand now."""
    _put_schedules.run(connection, list(map(schedule_values, standing)))


def remove_schedules(connection: Connection, deployment: str, *, but: Sequence[str] = ()) -> None:
    """Forget the schedules of a deployment, but for those of some names."""
    execute(connection, _SQL["remove_schedules"], (deployment, list(but)))


def _fire(connection: Connection, firings: Sequence[Firing], now: float) -> list[bool]:
    # Whether a run of a deployment has not ended is decided by one at a time.
    hold_deployments(connection, {one.deployment for one in firings if any(new.skip_note for new in one.ticks)})
    keys = sorted({(one.deployment, one.schedule) for one in firings})
    held = {(deployment, name): tuple(rest) for deployment, name, *rest in _hold.fetch(connection, keys)}
    done, decided = [], list[_Decided]()
    moved: dict[tuple[str, str], tuple[Any, ...]] = {}
    for one in firings:
        key = (one.deployment, one.schedule)
        done.append(held.get(key) == (one.seen_version, one.seen_cursor, 1))
        if done[-1]:
            held[key] = (one.seen_version, one.cursor, 1)
            moved[key] = (*key, one.cursor, one.next)
            decided += (_Decided(*key, "", new) for new in one.ticks)
    if moved:
        _decide(connection, decided, now)
        _move_schedules.run(connection, list(moved.values()))
        next_changes(connection)
    return done


def _decide(connection: Connection, decided: Sequence[_Decided], now: float) -> None:
    """Write ticks with their runs, but for instants that have one. Their schedule or backfill is held."""
    left = _undecided(connection, decided)
    skipped = _skipped(connection, left)
    asked = {one.key: run for one in left if one.key not in skipped and (run := _run_of(one.new)) is not None}
    runs = {key: made.run for key, made in zip(asked, put_runs(connection, list(asked.values())), strict=True)}
    ticks = [
        tick_of_instant(
            one.new,
            one.deployment,
            one.schedule,
            one.backfill,
            run=runs.get(one.key, ""),
            skipped=one.key in skipped,
            now=now,
        )
        for one in left
    ]
    _put_ticks.run(connection, list(map(tick_values, ticks)))


def _undecided(connection: Connection, decided: Sequence[_Decided]) -> list[_Decided]:
    """Leave out the instants that have a tick, and of those that come twice the later ones."""
    known = set(_known_ticks.fetch(connection, [one.key for one in decided])) if decided else set()
    first = {one.key: one for one in reversed(decided)}
    return [one for one in decided if one.key not in known and first[one.key] is one]


def _skipped(connection: Connection, decided: Sequence[_Decided]) -> set[_Key]:
    """Return which instants are left out because a run of their deployment has not ended, or one of these is to be."""
    asking = {one.deployment for one in decided if one.new.skip_note}
    at_work = {name for (name,) in fetch(connection, _SQL["at_work"], (sorted(asking),))} if asking else set()
    skipped = set()
    for one in decided:
        if one.new.skip_note and one.deployment in at_work:
            skipped.add(one.key)
        elif _run_of(one.new) is not None:
            at_work.add(one.deployment)
    return skipped


def _run_of(new: NewTick) -> NewRun | None:
    return new.run if new.outcome is TickOutcome.RUN else None
