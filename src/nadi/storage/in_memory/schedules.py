"""Schedules, ticks and backfills in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from threading import Lock

import msgspec

from nadi.model.ticks import Backfill, BackfillState, BackfillStep, Firing, NewTick, StandingSchedule, Tick
from nadi.storage.contracts.schedules import ScheduleTable
from nadi.storage.deploying import CANCELLED_WITH_BACKFILL, paused_or_not, tick_of_instant
from nadi.storage.in_memory.work import MemoryWorkTable

_with = msgspec.structs.replace


class MemoryScheduleTable(ScheduleTable):
    """See the contract.

    Args:
        usable: Gives the lock of the store, or raises when the store is closed.
        next_change: Takes the next change number; called under the lock.
        work: The work of the same store.
        is_paused: Tells whether a deployment is paused; called under the lock.
        cancel: Cancels runs that wait, with a message, at a time; called under the lock.
    """

    def __init__(
        self,
        *,
        usable: Callable[[], Lock],
        next_change: Callable[[], int],
        work: MemoryWorkTable,
        is_paused: Callable[[str], bool],
        cancel: Callable[[list[str], str, float], None],
    ) -> None:
        self._usable, self._next_change = usable, next_change
        self._work, self._is_paused, self._cancel = work, is_paused, cancel
        #: By deployment and name.
        self._schedules: dict[tuple[str, str], StandingSchedule] = {}
        #: By deployment, instant, schedule and backfill.
        self._ticks: dict[tuple[str, float, str, str], Tick] = {}
        self._backfills: dict[str, Backfill] = {}

    # -- schedules --

    def due(self, *, now: float, limit: int = 1000) -> list[StandingSchedule]:
        with self._usable():
            found = (one for one in self._schedules.values() if one.active and 0 < one.next <= now)
            return sorted(found, key=lambda one: (one.next, one.deployment, one.name))[:limit]

    def next_at(self) -> float:
        with self._usable():
            return min((one.next for one in self._schedules.values() if one.active and one.next > 0), default=0.0)

    def schedules(
        self, *, deployment: str = "", after: tuple[str, str] = ("", ""), limit: int = 1000
    ) -> list[StandingSchedule]:
        with self._usable():
            found = sorted(self._schedules.items())
            return [
                one for key, one in found if (not any(after) or key > after) and deployment in ("", one.deployment)
            ][:limit]

    def fire(self, firings: Sequence[Firing], *, now: float) -> list[bool]:
        with self._usable():
            done = [self._fire(firing, now) for firing in firings]
            if any(done):
                self._next_change()
            return done

    def set_paused(self, deployment: str, schedule: str, paused: bool, *, now: float) -> bool:
        with self._usable():
            before = self._schedules.get((deployment, schedule))
            if before is None:
                return False
            if before.paused != paused:
                whole = self._is_paused(deployment)
                after = paused_or_not(before, paused=paused, deployment_paused=whole, now=now)
                self._schedules[deployment, schedule] = after
                self._next_change()
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
        with self._usable():
            found = [
                tick
                for tick in self._ticks.values()
                if tick.deployment == deployment
                and schedule in ("", tick.schedule)
                and backfill in (None, tick.backfill)
                and tick.instant >= since
                and (not before or tick.instant < before)
            ]
            return sorted(found, key=lambda tick: (-tick.instant, tick.schedule, tick.backfill))[:limit]

    # -- backfills --

    def add_backfill(self, backfill: Backfill) -> None:
        with self._usable():
            if backfill.id not in self._backfills:
                self._backfills[backfill.id] = backfill
                self._next_change()

    def backfill(self, id: str) -> Backfill | None:
        with self._usable():
            return self._backfills.get(id)

    def backfills(
        self, *, deployment: str = "", states: Sequence[BackfillState] = (), before: str = "", limit: int = 100
    ) -> list[Backfill]:
        with self._usable():
            found = [
                one
                for one in self._backfills.values()
                if deployment in ("", one.deployment)
                and (not states or one.state in states)
                and (not before or one.id < before)
            ]
            return sorted(found, key=lambda one: one.id, reverse=True)[:limit]

    def advance(self, step: BackfillStep, *, now: float) -> bool:
        with self._usable():
            before = self._backfills.get(step.id)
            if before is None or before.state is not BackfillState.RUNNING or before.decided != step.seen_decided:
                return False
            self._decide(before.deployment, before.schedule, before.id, step.ticks, now)
            self._backfills[step.id] = _with(
                before,
                decided=before.decided + len(step.ticks),
                position=step.position,
                ended=step.ended,
                state=BackfillState.COMPLETED if step.ended > 0 else before.state,
            )
            self._next_change()
            return True

    def set_backfill_state(self, id: str, state: BackfillState, *, now: float) -> bool:
        with self._usable():
            before = self._backfills.get(id)
            if before is None or before.state not in (BackfillState.RUNNING, BackfillState.PAUSED):
                return False
            has_ended = state in (BackfillState.CANCELLED, BackfillState.COMPLETED)
            self._backfills[id] = _with(before, state=state, ended=now if has_ended else 0.0)
            if state is BackfillState.CANCELLED:
                self._cancel(self._work.waiting(backfill=id), CANCELLED_WITH_BACKFILL, now)
            self._next_change()
            return True

    # -- under the lock --

    def standing(self, deployment: str) -> list[StandingSchedule]:
        """Return the schedules of a deployment."""
        return [one for _, one in sorted(self._schedules.items()) if one.deployment == deployment]

    def put(self, deployment: str, standing: Iterable[StandingSchedule]) -> None:
        """Keep these schedules of a deployment, and no others."""
        for key in [key for key in self._schedules if key[0] == deployment]:
            del self._schedules[key]
        self._schedules.update({(deployment, one.name): one for one in standing})

    def _fire(self, firing: Firing, now: float) -> bool:
        before = self._schedules.get((firing.deployment, firing.schedule))
        if before is None or not before.active:
            return False
        if (before.cursor, before.version) != (firing.seen_cursor, firing.seen_version):
            return False
        self._schedules[firing.deployment, firing.schedule] = _with(before, cursor=firing.cursor, next=firing.next)
        self._decide(firing.deployment, firing.schedule, "", firing.ticks, now)
        return True

    def _decide(self, deployment: str, schedule: str, backfill: str, ticks: Iterable[NewTick], now: float) -> None:
        for new in ticks:
            key = (deployment, new.instant, schedule, backfill)
            if key in self._ticks:
                continue
            skipped = bool(new.skip_note) and self._work.is_at_work(deployment)
            run = ""
            if new.run is not None and not skipped:
                [enqueued] = self._work.add([new.run])
                run = enqueued.run
            self._ticks[key] = tick_of_instant(new, deployment, schedule, backfill, run=run, skipped=skipped, now=now)
