"""A store with deployments, schedulers and backfillers on it, and their time, which tests move."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nadi.engine.backfilling import Wanted, make_backfill, runs_of_backfill, the_backfill
from nadi.engine.clock import Clock
from nadi.model.runs import FlowRun, RunFilter
from nadi.model.schedules import Schedule
from nadi.model.states import StateType
from nadi.model.ticks import Backfill, Tick
from nadi.model.work import Work
from nadi.services.backfills import Backfiller
from nadi.services.scheduler import Scheduler
from nadi.storage.contract import Store
from nadi.storage.home import this_holder
from nadi.storage.results import LocalResults
from tests.storage.deploying import NIGHTLY, a_version, the_run
from tests.storage.telling import T0, Writer, flow_moved

#: What instants are told from: `T0` is a whole minute.
ZERO = T0


class HandClock(Clock):
    """A clock that stands until it is moved."""

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__()
        self.now = now


class Timetable:
    """All times are told in seconds from `T0`."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.at = store, 0.0
        self._results = LocalResults(folder / "results")
        self.clock = HandClock(lambda: T0 + self.at)
        self.observer = this_holder("scheduler")
        self._deployed = 0
        self._ended = 0
        self.scheduler, self.backfiller = self.another_scheduler(), self.another_backfiller()

    def another_scheduler(self, store: Any = None) -> Scheduler:
        return Scheduler(store or self.store, self._results, self.observer, clock=self.clock)

    def another_backfiller(self) -> Backfiller:
        return Backfiller(self.store, self._results, clock=self.clock)

    def deploy(self, *schedules: Schedule, name: str = NIGHTLY, **spec: Any) -> None:
        """Deploy at the time that it is, and let the schedulers notice."""
        self._deployed += 1
        version = a_version(name, *schedules, digest=f"{self._deployed}", **spec)
        self.store.deployments.deploy(version, now=T0 + self.at)
        self.scheduler.fire_due()

    def pass_to(self, at: float) -> None:
        """Go on to a time, with a look there."""
        self.at = at
        self.scheduler.step(at)

    # -- what came of it --

    def ticks(self, deployment: str = NIGHTLY) -> list[tuple[float, str]]:
        """Instant and outcome, the earliest first."""
        found = self.store.schedules.ticks(deployment)
        return [(tick.instant - T0, str(tick.outcome)) for tick in reversed(found)]

    def whole_ticks(self, deployment: str = NIGHTLY) -> list[Tick]:
        return self.store.schedules.ticks(deployment)[::-1]

    def runs(self) -> list[FlowRun]:
        return self.store.flow_runs(RunFilter(), limit=1000)[::-1]

    def work(self) -> list[Work]:
        """What has not ended, by instant."""
        return sorted(self.store.work.open_work(limit=1000), key=lambda one: one.instant)

    def waiting(self) -> list[float]:
        """Instants of the runs that have not ended."""
        return [one.instant - T0 for one in self.work()]

    def end(self, run: str, state: StateType = StateType.COMPLETED) -> None:
        """Let a run begin and end."""
        self._ended += 1
        claim = self.store.claim(
            run, holder=self.observer.encode(), now=T0 + self.at, expected_token=the_run(self.store, run).token
        )
        Writer(self.store, f"ender-{self._ended}").tell(
            flow_moved(run, StateType.RUNNING, token=claim.token),
            flow_moved(run, state, token=claim.token),
        )
        assert the_run(self.store, run).state_type is state

    # -- backfills --

    def backfill(self, since: float, until: float, **wanted: Any) -> str:
        """Ask for one and return its id."""
        asked = Wanted(deployment=wanted.pop("deployment", NIGHTLY), since=moment(since), until=moment(until), **wanted)
        made = make_backfill(self.store, asked, id=self.clock.new_id(), now=T0 + self.at, by="ada")
        return made.id

    def the_backfill(self, id: str) -> Backfill:
        return the_backfill(self.store, id)

    def filled(self, id: str) -> list[float]:
        """Instants of the runs of a backfill, in the order in which workers take them."""
        found = sorted(runs_of_backfill(self.store, self.the_backfill(id)), key=lambda work: work.due)
        return [work.instant - T0 for work in found]

    def look(self) -> None:
        self.backfiller.step(self.at)


def moment(at: float) -> datetime:
    return datetime.fromtimestamp(T0 + at, UTC)
