"""Schedules and backfills: how far each has come, and the ticks that they leave."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from nadi.model.ticks import Backfill, BackfillState, BackfillStep, Firing, StandingSchedule, Tick


class ScheduleTable(ABC):
    """Schedules by deployment and name. Part of a store; as thread-safe as that, with the same errors.

    It reads no clock.

    There is one tick at most for each instant of a schedule, kept by a unique key and written in the transaction that
    makes its run; it stays when the run is deleted. So however many schedulers there are, an instant has at most one
    run.
    """

    # -- schedules --

    @abstractmethod
    def due(self, *, now: float, limit: int = 1000) -> list[StandingSchedule]:
        """Return active schedules whose `next` is not after `now`, earliest first."""

    @abstractmethod
    def next_at(self) -> float:
        """Return the earliest `next` of all active schedules; 0 when there is none. Cheap enough to ask often."""

    @abstractmethod
    def schedules(
        self, *, deployment: str = "", after: tuple[str, str] = ("", ""), limit: int = 1000
    ) -> list[StandingSchedule]:
        """Return schedules by deployment and name, only those greater than `after` (keyset)."""

    @abstractmethod
    def fire(self, firings: Sequence[Firing], *, now: float) -> list[bool]:
        """Carry out what was decided of schedules, each on its own, in one transaction, flushed before this returns.

        Of each: nothing is done when its cursor or version is not the one that was seen any more, or it is not active.
        Otherwise cursor and next are moved, and each tick is written with its run (and its work), unless that instant
        has a tick already. A tick with `skip_note` is skipped if a run of its deployment has not ended, those of this
        very call included.

        Returns:
            Of each whether it was carried out.
        """

    @abstractmethod
    def set_paused(self, deployment: str, schedule: str, paused: bool, *, now: float) -> bool:
        """Pause one schedule, or let it go on from `now`; `False` when there is none."""

    @abstractmethod
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
        """Return ticks, latest instant first, then by schedule and backfill.

        Args:
            deployment: Of this one.
            schedule: Only of this one.
            backfill: Only of this one, with "" those of the schedules themselves; `None` for all.
            since: Only instants from here on.
            before: Only instants before this, when given (keyset).
            limit: The most to return.
        """

    # -- backfills --

    @abstractmethod
    def add_backfill(self, backfill: Backfill) -> None:
        """Keep a new backfill; one whose id is there is not made again."""

    @abstractmethod
    def backfill(self, id: str) -> Backfill | None:
        """Return the backfill with exactly this id."""

    @abstractmethod
    def backfills(
        self, *, deployment: str = "", states: Sequence[BackfillState] = (), before: str = "", limit: int = 100
    ) -> list[Backfill]:
        """Return backfills, newest first, only ids smaller than `before` when given (keyset)."""

    @abstractmethod
    def advance(self, step: BackfillStep, *, now: float) -> bool:
        """Carry out what was decided of a backfill, in one transaction; see `BackfillStep`.

        Returns:
            Whether it was carried out.
        """

    @abstractmethod
    def set_backfill_state(self, id: str, state: BackfillState, *, now: float) -> bool:
        """Pause, cancel or go on with a backfill that has not ended.

        With CANCELLED, its runs that wait are cancelled in the same transaction; of those under way nothing is said.

        Returns:
            `False` when there is none, or it has ended.
        """
