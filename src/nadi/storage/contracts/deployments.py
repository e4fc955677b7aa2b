"""Deployments and their versions."""

from __future__ import annotations

from abc import ABC, abstractmethod

from nadi.model.deployments import Deployed, Deployment, DeploymentVersion


class DeploymentTable(ABC):
    """Deployments by name. Part of a store; as thread-safe as that, with the same errors. It reads no clock.

    Whatever changes a deployment or one of its schedules counts as a change of the store, so that readers are woken.
    """

    @abstractmethod
    def deploy(self, version: DeploymentVersion, *, now: float) -> Deployed:
        """Put a version in force, in one transaction: `number` of it is not looked at.

        Equal digest to the version in force: nothing changes. Otherwise it becomes the next number.

        Its schedules replace those of the version before, known by their names. One that is new, or whose rule changed,
        begins at `now`: nothing before is caught up. One whose rule is the same goes on where it was, and stays paused
        if it was. One that is not named any more is gone; its ticks stay.
        """

    @abstractmethod
    def roll_back(self, name: str, number: int, *, now: float) -> Deployed | None:
        """Put an earlier version in force again, as `deploy` would, under its own number; `None` when there is none."""

    @abstractmethod
    def deployment(self, name: str) -> Deployment | None:
        """Return the deployment of exactly this name."""

    @abstractmethod
    def deployments(self, *, text: str = "", flow: str = "", after: str = "", limit: int = 100) -> list[Deployment]:
        """Return deployments by name, at most `limit`.

        Args:
            text: Only those whose name contains it; capital letters of ASCII count as small ones.
            flow: Only those of this flow.
            after: Only names greater than this (keyset).
            limit: The most to return.
        """

    @abstractmethod
    def versions(self, name: str, *, before: int = 0, limit: int = 100) -> list[DeploymentVersion]:
        """Return versions, newest first, only numbers smaller than `before` when given (keyset)."""

    @abstractmethod
    def version(self, name: str, number: int) -> DeploymentVersion | None:
        """Return one version."""

    @abstractmethod
    def set_paused(self, name: str, paused: bool, *, now: float) -> bool:
        """Pause a deployment, or let it go on: time paused is not caught up. `False` when there is none."""

    @abstractmethod
    def remove(self, name: str, *, now: float) -> bool:
        """Forget a deployment, its versions and schedules; `False` when there is none.

        Its runs stay, and so do its ticks. What waits of it is cancelled in the same transaction; what is under way
        goes on to its end.
        """
