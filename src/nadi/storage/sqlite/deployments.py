"""Deployments and their versions in SQLite."""

from __future__ import annotations

from typing import Any

import apsw
import msgspec

from nadi.model.deployments import Deployed, Deployment, DeploymentVersion
from nadi.storage import listing
from nadi.storage.contracts.deployments import DeploymentTable
from nadi.storage.deploying import CANCELLED_WITH_DEPLOYMENT, deployed, paused_or_not, schedules_of
from nadi.storage.named_queries import named_queries
from nadi.storage.sqlite.database import Database, fetch
from nadi.storage.sqlite.ending import cancel_waiting, next_change
from nadi.storage.sqlite.schedules import put_schedules, remove_schedules, standing_schedules
from nadi.storage.work_rows import deployment_of, deployment_values, version_content, version_of

_SQL = named_queries("deployments.sql")


class SqliteDeploymentTable(DeploymentTable):
    """See the contract."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def deploy(self, version: DeploymentVersion, *, now: float) -> Deployed:
        with self._database.write() as connection:
            before = _deployment(connection, version.deployment)
            if before is not None and before.version.digest == version.digest:
                return Deployed(deployment=before, changed=False)
            at_work = fetch(connection, _SQL["newest_at_work"], (version.deployment,))[0][0]
            number = 1 + max(at_work, before.newest if before is not None else 0)
            kept = msgspec.structs.replace(version, number=number)
            connection.execute(_SQL["put_version"], (kept.deployment, number, version_content(kept)))
            return _put_in_force(connection, kept, before, now)

    def roll_back(self, name: str, number: int, *, now: float) -> Deployed | None:
        with self._database.write() as connection:
            before, version = _deployment(connection, name), _version(connection, name, number)
            if before is None or version is None:
                return None
            if before.version.number == number:
                return Deployed(deployment=before, changed=False)
            return _put_in_force(connection, version, before, now)

    def deployment(self, name: str) -> Deployment | None:
        with self._database.read() as connection:
            return _deployment(connection, name)

    def deployments(self, *, text: str = "", flow: str = "", after: str = "", limit: int = 100) -> list[Deployment]:
        where = "name > ?"
        values: list[Any] = [after]
        if flow:
            where += " AND flow = ?"
            values.append(flow)
        if text:
            where += " AND name LIKE ? ESCAPE '!'"
            values.append(f"%{listing.escape_like(text)}%")
        with self._database.read() as connection:
            return _deployments(connection, f"{where} ORDER BY name LIMIT ?", *values, limit)

    def versions(self, name: str, *, before: int = 0, limit: int = 100) -> list[DeploymentVersion]:
        where = "deployment = ?"
        values: list[Any] = [name]
        if before:
            where += " AND number < ?"
            values.append(before)
        sql = _SQL["versions"].replace("{where}", f"{where} ORDER BY number DESC LIMIT ?")
        with self._database.read() as connection:
            return [version_of(content) for (content,) in fetch(connection, sql, (*values, limit))]

    def version(self, name: str, number: int) -> DeploymentVersion | None:
        with self._database.read() as connection:
            return _version(connection, name, number)

    def set_paused(self, name: str, paused: bool, *, now: float) -> bool:
        with self._database.write() as connection:
            before = _deployment(connection, name)
            if before is None:
                return False
            if before.paused != paused:
                _put(connection, msgspec.structs.replace(before, paused=paused, updated=now))
                standing = standing_schedules(connection, name)
                put_schedules(
                    connection,
                    [paused_or_not(one, paused=one.paused, deployment_paused=paused, now=now) for one in standing],
                )
                next_change(connection)
            return True

    def remove(self, name: str, *, now: float) -> bool:
        with self._database.write() as connection:
            if not fetch(connection, _SQL["remove_deployment"], (name,)):
                return False
            connection.execute(_SQL["remove_versions"], (name,))
            remove_schedules(connection, name)
            cancel_waiting(connection, CANCELLED_WITH_DEPLOYMENT, now, deployment=name)
            next_change(connection)
            return True


def _put_in_force(
    connection: apsw.Connection, version: DeploymentVersion, before: Deployment | None, now: float
) -> Deployed:
    deployment = deployed(version, before, now=now)
    _put(connection, deployment)
    standing = standing_schedules(connection, version.deployment)
    remove_schedules(connection, version.deployment)
    put_schedules(connection, schedules_of(version, standing, paused=deployment.paused, now=now))
    next_change(connection)
    return Deployed(deployment=deployment, changed=True)


def _put(connection: apsw.Connection, deployment: Deployment) -> None:
    connection.execute(_SQL["put_deployment"], deployment_values(deployment))


def _deployment(connection: apsw.Connection, name: str) -> Deployment | None:
    return next(iter(_deployments(connection, "name = ?", name)), None)


def _deployments(connection: apsw.Connection, where: str, *values: Any) -> list[Deployment]:
    return list(map(deployment_of, fetch(connection, _SQL["deployments"].replace("{where}", where), values)))


def _version(connection: apsw.Connection, name: str, number: int) -> DeploymentVersion | None:
    sql = _SQL["versions"].replace("{where}", "deployment = ? AND number = ?")
    found = fetch(connection, sql, (name, number))
    return version_of(found[0][0]) if found else None
