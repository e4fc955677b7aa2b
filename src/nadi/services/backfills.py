"""Backfills, carried out: of each that runs, as many runs are open as it wants, until all its instants are decided.

Any number of backfillers may work on one store: what one has decided is carried out only if no other was faster.
"""

from __future__ import annotations

import logging
from datetime import datetime

from nadi.engine.backfilling import MOST_INSTANTS, has_run, instants_of
from nadi.engine.clock import Clock
from nadi.engine.deployment_runs import Asked, new_run
from nadi.exceptions import NadiError, StoreError
from nadi.model.deployments import DeploymentVersion
from nadi.model.text import one_line
from nadi.model.ticks import Backfill, BackfillState, BackfillStep, NewTick, TickOutcome
from nadi.storage.contract import Store
from nadi.storage.results import ResultStorage

_log = logging.getLogger("nadi.scheduler")

#: Instants that are decided in one transaction.
AT_ONCE = 100
#: Seconds between two looks while a backfill runs, and while none does.
LOOK, REST = 0.05, 0.5
#: Seconds between two tries while the store is away.
AWAY = 2.0
#: Seconds between the due times of runs that are made together: workers take them in order.
_APART = 1e-5
#: Backfills that are looked at.
_MOST = 1000

_THERE = "The instant has a run already."


class Backfiller:
    """Carries out backfills; a service of a server, or of a worker that uses the store itself.

    Args:
        store: Where they are.
        results: Where parameters are kept when they are large.
        clock: Time, chance and identity.
    """

    name = "backfiller"

    def __init__(self, store: Store, results: ResultStorage, *, clock: Clock) -> None:
        self._store, self._results, self._clock = store, results, clock
        #: The instants of backfills that run, by id: reckoned once.
        self._instants: dict[str, list[datetime]] = {}
        self._is_away = False
        #: The change of the store that was the newest before the last look at backfills that run; -1 for none.
        self._seen = -1

    def step(self, now_monotonic: float) -> float:
        """Take each backfill one step further, and return the seconds until the next look."""
        try:
            newest = self._store.last_change()
            if newest == self._seen:  # no run of any has ended
                return LOOK
            running = self._store.schedules.backfills(states=[BackfillState.RUNNING], limit=_MOST)
            for backfill in reversed(running):  # the oldest first
                self.advance(backfill)
        except StoreError as error:
            if not self._is_away:
                _log.warning("Backfills wait for the store. %s", error)
            self._is_away = True
            return AWAY
        self._is_away = False
        self._seen = newest if running else -1
        self._instants = {one.id: self._instants[one.id] for one in running if one.id in self._instants}
        return LOOK if running else REST

    def advance(self, backfill: Backfill) -> None:
        """Take one backfill one step further, if there is anything to do.

        Raises:
            StoreError: the store cannot be used; nothing was done.
        """
        now = self._clock.now()
        still_open = len(
            self._store.work.open_work(deployment=backfill.deployment, backfill=backfill.id, limit=MOST_INSTANTS)
        )
        free = min(AT_ONCE, backfill.most_at_once - still_open)
        if backfill.decided >= backfill.total:
            if not still_open:
                self._store.schedules.advance(_ended(backfill, now), now=now)
            return
        version = self._store.deployments.version(backfill.deployment, backfill.version)
        if version is None:
            _log.warning("Deployment %s is gone; its backfill %s is cancelled.", backfill.deployment, backfill.id)
            self._store.schedules.set_backfill_state(backfill.id, BackfillState.CANCELLED, now=now)
            return
        if free > 0 and (ticks := self._decide(backfill, version, free, now)):
            step = BackfillStep(
                id=backfill.id, seen_decided=backfill.decided, position=ticks[-1].instant, ticks=tuple(ticks)
            )
            self._store.schedules.advance(step, now=now)

    def _decide(self, backfill: Backfill, version: DeploymentVersion, free: int, now: float) -> list[NewTick]:
        """Return the next instants, up to the one whose run takes the last free place."""
        ticks: list[NewTick] = []
        for instant in self._list(backfill)[backfill.decided : backfill.decided + AT_ONCE]:
            if backfill.only_missing and has_run(self._store, backfill, instant):
                ticks.append(NewTick(instant=instant.timestamp(), outcome=TickOutcome.SKIPPED, note=_THERE))
                continue
            ticks.append(self._tick(backfill, version, instant, now, due=now + len(ticks) * _APART))
            free -= ticks[-1].outcome is TickOutcome.RUN
            if not free:
                break
        return ticks

    def _tick(
        self, backfill: Backfill, version: DeploymentVersion, instant: datetime, now: float, *, due: float
    ) -> NewTick:
        asked = Asked(
            parameters={**backfill.rule.parameters, **backfill.parameters},
            due=due,
            instant=instant.timestamp(),
            schedule=backfill.schedule,
            backfill=backfill.id,
        )
        try:
            run = new_run(
                version,
                asked,
                store=self._store,
                results=self._results,
                id=self._clock.new_id(),
                now=now,
                chance=self._clock.random,
            )
        except StoreError:
            raise
        except NadiError as error:
            note = f"It could not be asked for: {error}"
            _log.error("Backfill %s of %s: %s", backfill.id, backfill.deployment, one_line(note))
            return NewTick(instant=instant.timestamp(), outcome=TickOutcome.SKIPPED, note=note)
        return NewTick(instant=instant.timestamp(), outcome=TickOutcome.RUN, run=run)

    def _list(self, backfill: Backfill) -> list[datetime]:
        if backfill.id not in self._instants:
            self._instants[backfill.id] = instants_of(backfill)
        return self._instants[backfill.id]


def _ended(backfill: Backfill, now: float) -> BackfillStep:
    return BackfillStep(id=backfill.id, seen_decided=backfill.decided, position=backfill.position, ended=now)
