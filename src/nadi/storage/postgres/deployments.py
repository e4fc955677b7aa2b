"""Deployments and their versions in PostgreSQL."""

from __future__ import annotations

from typing import Any

import msgspec

from nadi.model.deployments import Deployed, Deployment, DeploymentVersion
from nadi.storage.contracts.deployments import DeploymentTable
from nadi.storage.deploying import CANCELLED_WITH_DEPLOYMENT, deployed, paused_or_not, schedules_of
from nadi.storage.listing import escape_like
from nadi.storage.named_queries import named_queries
from nadi.storage.postgres.database import Connection, Database, execute, fetch, lost_race, next_changes
from nadi.storage.postgres.ending import cancel_waiting
from nadi.storage.postgres.schedules import hold_deployments, put_schedules, remove_schedules, standing_schedules
from nadi.storage.work_rows import deployment_of, deployment_values, version_content, version_of

_SQL = named_queries("postgres/deployments.sql")


class PostgresDeploymentTable(DeploymentTable):
    """See the contract."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def deploy(self, version: DeploymentVersion, *, now: float) -> Deployed:
        def work(connection: Connection) -> Deployed:
            before = _held(connection, version.deployment)
            if before is not None and before.version.digest == version.digest:
                return Deployed(deployment=before, changed=False)
            at_work = fetch(connection, _SQL["newest_at_work"], (version.deployment,))[0][0]
            number = 1 + max(at_work, before.newest if before is not None else 0)
            kept = msgspec.structs.replace(version, number=number)
            if not execute(connection, _SQL["put_version"], (kept.deployment, number, version_content(kept))):
                raise lost_race("somebody deployed it for the first time between two looks")
            return _put_in_force(connection, kept, before, now)

        return self._database.transact(work)

    def roll_back(self, name: str, number: int, *, now: float) -> Deployed | None:
        def work(connection: Connection) -> Deployed | None:
            before, version = _held(connection, name), _version(fetch(connection, *_one_version(name, number)))
            if before is None or version is None:
                return None
            if before.version.number == number:
                return Deployed(deployment=before, changed=False)
            return _put_in_force(connection, version, before, now)

        return self._database.transact(work)

    def deployment(self, name: str) -> Deployment | None:
        return _deployment(self._database.fetch(_deployments("name = %s"), (name,)))

    def deployments(self, *, text: str = "", flow: str = "", after: str = "", limit: int = 100) -> list[Deployment]:
        where, values = "name > %s", list[Any]([after])
        if flow:
            where += " AND flow = %s"
            values.append(flow)
        if text:
            where += " AND name ILIKE %s ESCAPE '!'"
            values.append(f"%{escape_like(text)}%")
        sql = _deployments(f"{where} ORDER BY name LIMIT %s")
        return list(map(deployment_of, self._database.fetch(sql, [*values, limit])))

    def versions(self, name: str, *, before: int = 0, limit: int = 100) -> list[DeploymentVersion]:
        where, values = "deployment = %s", list[Any]([name])
        if before:
            where += " AND number < %s"
            values.append(before)
        sql = _SQL["versions"].replace("{where}", f"{where} ORDER BY number DESC LIMIT %s")
        return [version_of(content) for (content,) in self._database.fetch(sql, [*values, limit])]

    def version(self, name: str, number: int) -> DeploymentVersion | None:
        return _version(self._database.fetch(*_one_version(name, number)))

    def set_paused(self, name: str, paused: bool, *, now: float) -> bool:
        def work(connection: Connection) -> bool:
            before = _held(connection, name)
            if before is None:
                return False
            if before.paused != paused:
                _put(connection, msgspec.structs.replace(before, paused=paused, updated=now))
                standing = standing_schedules(connection, name)
                put_schedules(
                    connection,
                    [paused_or_not(one, paused=one.paused, deployment_paused=paused, now=now) for one in standing],
                )
                next_changes(connection)
            return True

        return self._database.transact(work)

    def remove(self, name: str, *, now: float) -> bool:
        def work(connection: Connection) -> bool:
            if not fetch(connection, _SQL["remove_deployment"], (name,)):
                return False
            execute(connection, _SQL["remove_versions"], (name,))
            # Nothing fires any more from here on, so all that waits is seen.
            standing_schedules(connection, name)
            remove_schedules(connection, name)
            cancel_waiting(connection, CANCELLED_WITH_DEPLOYMENT, now, deployment=name)
            next_changes(connection)
            return True

        return self._database.transact(work)


# -- within the write transaction that is open --


def _held(connection: Connection, name: str) -> Deployment | None:
    hold_deployments(connection, [name])
    return _deployment(fetch(connection, _deployments("name = %s"), (name,)))


def _put_in_force(
    connection: Connection, version: DeploymentVersion, before: Deployment | None, now: float
) -> Deployed:
    deployment = deployed(version, before, now=now)
    _put(connection, deployment)
    standing = schedules_of(
        version, standing_schedules(connection, version.deployment), paused=deployment.paused, now=now
    )
    remove_schedules(connection, version.deployment, but=[one.name for one in standing])
    put_schedules(connection, standing)
    next_changes(connection)
    return Deployed(deployment=deployment, changed=True)


def _put(connection: Connection, deployment: Deployment) -> None:
    execute(connection, _SQL["put_deployment"], deployment_values(deployment))


# -- reading --


def _deployments(where: str) -> str:
    return _SQL["deployments"].replace("{where}", where)


def _deployment(found: list[tuple[Any, ...]]) -> Deployment | None:
    return deployment_of(found[0]) if found else None


def _one_version(name: str, number: int) -> tuple[str, tuple[Any, ...]]:
    return _SQL["versions"].replace("{where}", "deployment = %s AND number = %s"), (name, number)


def _version(found: list[tuple[Any, ...]]) -> DeploymentVersion | None:
    return version_of(found[0][0]) if found else None
