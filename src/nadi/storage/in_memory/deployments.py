"""Deployments and their versions in memory."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

import msgspec

from nadi.model.deployments import Deployed, Deployment, DeploymentVersion
from nadi.storage.contracts.deployments import DeploymentTable
from nadi.storage.deploying import CANCELLED_WITH_DEPLOYMENT, deployed, paused_or_not, schedules_of
from nadi.storage.in_memory.schedules import MemoryScheduleTable
from nadi.storage.in_memory.work import MemoryWorkTable

_with = msgspec.structs.replace


class MemoryDeploymentTable(DeploymentTable):
    """See the contract.

    Args:
        usable: Gives the lock of the store, or raises when the store is closed.
        next_change: Takes the next change number; called under the lock.
        work: The work of the same store.
        schedules: Its schedules.
        cancel: Cancels runs that wait, with a message, at a time; called under the lock.
    """

    def __init__(
        self,
        *,
        usable: Callable[[], Lock],
        next_change: Callable[[], int],
        work: MemoryWorkTable,
        schedules: MemoryScheduleTable,
        cancel: Callable[[list[str], str, float], None],
    ) -> None:
        self._usable, self._next_change, self._cancel = usable, next_change, cancel
        self._work, self._schedules = work, schedules
        self._deployments: dict[str, Deployment] = {}
        self._versions: dict[str, dict[int, DeploymentVersion]] = {}

    def deploy(self, version: DeploymentVersion, *, now: float) -> Deployed:
        with self._usable():
            before = self._deployments.get(version.deployment)
            if before is not None and before.version.digest == version.digest:
                return Deployed(deployment=before, changed=False)
            at_work = self._work.newest_at_work(version.deployment)
            number = 1 + max(at_work, before.newest if before is not None else 0)
            kept = _with(version, number=number)
            self._versions.setdefault(version.deployment, {})[number] = kept
            return self._put_in_force(kept, before, now)

    def roll_back(self, name: str, number: int, *, now: float) -> Deployed | None:
        with self._usable():
            before, version = self._deployments.get(name), self._versions.get(name, {}).get(number)
            if before is None or version is None:
                return None
            if before.version.number == number:
                return Deployed(deployment=before, changed=False)
            return self._put_in_force(version, before, now)

    def deployment(self, name: str) -> Deployment | None:
        with self._usable():
            return self._deployments.get(name)

    def deployments(self, *, text: str = "", flow: str = "", after: str = "", limit: int = 100) -> list[Deployment]:
        with self._usable():
            found = (one for name, one in sorted(self._deployments.items()) if name > after)
            return [one for one in found if flow in ("", one.version.spec.flow) and _lower(text) in _lower(one.name)][
                :limit
            ]

    def versions(self, name: str, *, before: int = 0, limit: int = 100) -> list[DeploymentVersion]:
        with self._usable():
            found = sorted(self._versions.get(name, {}).items(), reverse=True)
            return [version for number, version in found if not before or number < before][:limit]

    def version(self, name: str, number: int) -> DeploymentVersion | None:
        with self._usable():
            return self._versions.get(name, {}).get(number)

    def set_paused(self, name: str, paused: bool, *, now: float) -> bool:
        with self._usable():
            before = self._deployments.get(name)
            if before is None:
                return False
            if before.paused != paused:
                self._deployments[name] = _with(before, paused=paused, updated=now)
                standing = self._schedules.standing(name)
                self._schedules.put(
                    name, [paused_or_not(one, paused=one.paused, deployment_paused=paused, now=now) for one in standing]
                )
                self._next_change()
            return True

    def remove(self, name: str, *, now: float) -> bool:
        with self._usable():
            if self._deployments.pop(name, None) is None:
                return False
            del self._versions[name]
            self._schedules.put(name, [])
            self._cancel(self._work.waiting(deployment=name), CANCELLED_WITH_DEPLOYMENT, now)
            self._next_change()
            return True

    # -- under the lock --

    def allowed(self, name: str) -> int:
        """Return how many runs of a deployment may be under way at once; 0 for no limit."""
        found = self._deployments.get(name)
        return found.version.spec.concurrency if found is not None else 0

    def is_paused(self, name: str) -> bool:
        """Tell whether a deployment is paused."""
        found = self._deployments.get(name)
        return found is not None and found.paused

    def _put_in_force(self, version: DeploymentVersion, before: Deployment | None, now: float) -> Deployed:
        name = version.deployment
        self._deployments[name] = after = deployed(version, before, now=now)
        standing = self._schedules.standing(name)
        self._schedules.put(name, schedules_of(version, standing, paused=after.paused, now=now))
        self._next_change()
        return Deployed(deployment=after, changed=True)


def _lower(text: str) -> bytes:
    # As LIKE of SQLite has it: only the capital letters of ASCII have small ones.
    return text.encode("utf-8", "surrogatepass").lower()
