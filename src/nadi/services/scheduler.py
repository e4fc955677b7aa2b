"""The scheduler: the instants of schedules become runs, each once, none early.

What is decided of a schedule is a pure function of the schedule, how far it has come, and the time
(`nadi.model.schedules.firing`); what was decided is carried out by `ScheduleTable.fire`, which does nothing where
another scheduler was faster. So any number of them may work on one store, in servers and in workers, and one that is
killed between any two of its steps loses and doubles nothing.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import msgspec

from nadi.engine.cancelling import ask_to_cancel
from nadi.engine.clock import Clock
from nadi.engine.deployment_runs import Asked, new_run
from nadi.exceptions import NadiError, RunAlreadyFinished, StoreError
from nadi.model.deployments import DeploymentVersion
from nadi.model.holders import Holder
from nadi.model.schedules import Overlap, Schedule, fire_at, ticks_to_fire
from nadi.model.text import one_line
from nadi.model.ticks import Firing, NewTick, StandingSchedule, TickOutcome
from nadi.storage.contract import Store
from nadi.storage.results import ResultStorage

_log = logging.getLogger("nadi.scheduler")

#: What holds for a schedule that does not say what becomes of an instant while an earlier run has not ended: each
#: instant matters, and two runs at once surprise.
OVERLAP = Overlap.QUEUE
#: Schedules that are carried out in one transaction: the first of many need not wait for the last.
AT_ONCE = 100
#: The most seconds between two looks: so soon a schedule that is new, or changed, is noticed.
LOOK = 0.5
#: Seconds between two tries while the store is away.
AWAY = 1.0
#: Seconds between two tries at a schedule that cannot be decided.
UNDECIDED = 30.0
#: Seconds by which the clock may differ from the time that has passed before that is told.
JUMP = 60.0
#: Versions of deployments that are remembered.
MOST_VERSIONS = 1_000

_SKIPPED = "A run of this deployment had not ended."
_MISSED = "No scheduler was there when it was due, and the schedule does not catch it up."
_OLDER = "No scheduler was there when it and others before it, which are not listed, were due."


class Scheduler:
    """Fires what is due; a service of a server, or of a worker that uses the store itself.

    Args:
        store: Where schedules and runs are.
        results: Where parameters are kept when they are large.
        observer: This process; it asks runs to cancel where a schedule says so.
        clock: Time, chance and identity.
    """

    name = "scheduler"

    def __init__(self, store: Store, results: ResultStorage, observer: Holder, *, clock: Clock) -> None:
        self._store, self._results, self._observer, self._clock = store, results, observer, clock
        self._versions: dict[tuple[str, int], DeploymentVersion] = {}
        self._is_away = False
        #: Wall clock and monotonic clock at the last look.
        self._seen: tuple[float, float] | None = None

    def step(self, now_monotonic: float) -> float:
        """Fire all that is due, and return the seconds until the next look."""
        now = self._clock.now()
        self._note_jump(now, now_monotonic)
        try:
            self.fire_due()
            at = self._store.schedules.next_at()
        except StoreError as error:
            if not self._is_away:
                _log.warning("The scheduler waits for the store. %s", error)
            self._is_away = True
            return AWAY
        self._is_away = False
        return min(LOOK, max(0.0, at - self._clock.now())) if at else LOOK

    def fire_due(self) -> int:
        """Fire what is due by now, in groups; returns how many schedules this scheduler, and no other, carried out.

        Raises:
            StoreError: the store cannot be used; what was carried out until then stands.
        """
        fired = 0
        while True:
            now = self._clock.now()
            due = self._store.schedules.due(now=now, limit=AT_ONCE)
            if not due:
                return fired
            firings = [self._decide_safely(standing, now) for standing in due]
            fired += sum(self._store.schedules.fire(firings, now=now))
            self._tell_missed(firings)

    def _decide_safely(self, standing: StandingSchedule, now: float) -> Firing:
        """Return what is to be done of one schedule; of one that cannot be decided, to look again later."""
        try:
            return self._decide(standing, now)
        except StoreError:
            raise
        except Exception:  # one schedule must not keep all others from firing
            _log.exception("The schedule %r of %s cannot be decided now.", standing.name, standing.deployment)
            return Firing(
                deployment=standing.deployment,
                schedule=standing.name,
                seen_cursor=standing.cursor,
                seen_version=standing.version,
                cursor=standing.cursor,
                next=now + UNDECIDED,
            )

    def _decide(self, standing: StandingSchedule, now: float) -> Firing:
        """Return what is to be done of one schedule."""
        schedule = standing.schedule
        moment = datetime.fromtimestamp(now, UTC)
        ticks = ticks_to_fire(schedule, datetime.fromtimestamp(standing.cursor, UTC), moment)
        missed = [
            NewTick(instant=instant.timestamp(), outcome=TickOutcome.MISSED, note=_MISSED) for instant in ticks.missed
        ]
        if missed and ticks.older_missed:
            missed[0] = msgspec.structs.replace(missed[0], note=_OLDER)
        if ticks.run and _overlap(schedule) is Overlap.CANCEL_RUNNING:
            self._cancel_others(standing, before=ticks.run[0].timestamp())
        cursor = max(now, standing.cursor)  # a clock that was set back lets nothing fire again
        following = schedule.next(1, after=datetime.fromtimestamp(cursor, UTC))
        return Firing(
            deployment=standing.deployment,
            schedule=standing.name,
            seen_cursor=standing.cursor,
            seen_version=standing.version,
            cursor=cursor,
            next=following[0].timestamp() if following else 0.0,
            ticks=(*missed, *(self._tick(standing, instant, now) for instant in ticks.run)),
        )

    def _tick(self, standing: StandingSchedule, instant: datetime, now: float) -> NewTick:
        """Return one instant with its run, or with the reason why none can be made."""
        schedule, overlap = standing.schedule, _overlap(standing.schedule)
        at = instant.timestamp()
        asked = Asked(
            parameters=schedule.parameters,
            due=fire_at(schedule, f"{standing.deployment}/{standing.name}", instant).timestamp(),
            instant=at,
            schedule=standing.name,
            alone=overlap in (Overlap.QUEUE, Overlap.CANCEL_RUNNING),
        )
        try:
            run = new_run(
                self._version(standing),
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
            _log.error("%s of %s: %s", standing.name or "The schedule", standing.deployment, one_line(note))
            return NewTick(instant=at, outcome=TickOutcome.SKIPPED, note=note)
        skip_note = _SKIPPED if overlap is Overlap.SKIP else ""
        return NewTick(instant=at, outcome=TickOutcome.RUN, run=run, skip_note=skip_note)

    def _cancel_others(self, standing: StandingSchedule, *, before: float) -> None:
        """Ask the runs of a deployment to cancel, before the one that takes their place is made.

        Should this process die in between, the next scheduler asks again, which changes nothing. Only runs that were
        made before the instant are meant: another scheduler may have made the one that takes their place already.
        """
        by = f"schedule {standing.name}" if standing.name else f"the schedule of {standing.deployment}"
        for work in self._store.work.open_work(deployment=standing.deployment, limit=1000):
            run = self._store.flow_run(work.run)
            if run is None or run.is_final or run.created >= before:
                continue
            try:
                ask_to_cancel(self._store, run, by=by, observer=self._observer, clock=self._clock)
            except RunAlreadyFinished:
                continue

    def _version(self, standing: StandingSchedule) -> DeploymentVersion:
        key = (standing.deployment, standing.version)
        found = self._versions.get(key)
        if found is None:
            found = self._store.deployments.version(*key)
            if found is None:
                raise NadiError(f"Version {standing.version} of deployment {standing.deployment} is gone.")
            if len(self._versions) >= MOST_VERSIONS:
                self._versions.clear()
            self._versions[key] = found
        return found

    def _tell_missed(self, firings: list[Firing]) -> None:
        for firing in firings:
            missed = sum(tick.outcome is TickOutcome.MISSED for tick in firing.ticks)
            if missed:
                _log.warning(
                    "%d instants of %s%s were missed and are not caught up.",
                    missed,
                    firing.deployment,
                    f" ({firing.schedule})" if firing.schedule else "",
                )

    def _note_jump(self, now: float, now_monotonic: float) -> None:
        if self._seen is not None:
            jumped = (now - self._seen[0]) - (now_monotonic - self._seen[1])
            if abs(jumped) > JUMP:
                _log.warning(
                    "The clock was set %s by %.0f s. %s",
                    "forward" if jumped > 0 else "back",
                    abs(jumped),
                    "What lies between counts as passed." if jumped > 0 else "Nothing fires again.",
                )
        self._seen = (now, now_monotonic)


def _overlap(schedule: Schedule) -> Overlap:
    return schedule.overlap or OVERLAP
