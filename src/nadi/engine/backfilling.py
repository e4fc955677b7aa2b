"""Backfills: runs for the instants of a schedule in a range of time, asked for as one thing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import msgspec

from nadi.engine.cancelling import ask_to_cancel
from nadi.engine.clock import Clock
from nadi.engine.deployment_runs import check_parameters, no_deployment
from nadi.exceptions import NotFound, RunAlreadyFinished, ValueRefused
from nadi.model.deployments import Deployment
from nadi.model.holders import Holder
from nadi.model.schedules import IntervalRule, Schedule
from nadi.model.states import StateType
from nadi.model.text import one_line, shorten
from nadi.model.ticks import Backfill, BackfillState, Tick, TickOutcome
from nadi.model.work import Work
from nadi.storage.contract import Store

#: Instants that one backfill may have.
MOST_INSTANTS = 100_000
#: The name by which the ticks of a backfill are known that has an interval of its own.
EVERY = "every"
_PAGE = 1000


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for of a backfill."""

    deployment: str
    #: Instants from `since` on and before `until`.
    since: datetime
    until: datetime
    #: Which of the deployment's schedules; "" for its only one.
    schedule: str = ""
    #: Instants of its own instead: so many seconds apart, from `since` on; 0 for none.
    every: float = 0.0
    only_missing: bool = False
    most_at_once: int = 1
    reverse: bool = False
    #: Over those of deployment and schedule.
    parameters: Mapping[str, Any] = {}


def make_backfill(store: Store, wanted: Wanted, *, id: str, now: float, by: str) -> Backfill:
    """Keep a new backfill; a scheduler of the store carries it out.

    Raises:
        NotFound: there is no such deployment, or schedule of it.
        ValueRefused: the range has no instants or too many, or the flow does not take the parameters.
    """
    deployment = store.deployments.deployment(wanted.deployment)
    if deployment is None:
        raise no_deployment(wanted.deployment, store.url)
    if not 1 <= wanted.most_at_once <= MOST_INSTANTS:
        raise ValueRefused(f"A backfill runs 1 to {MOST_INSTANTS:,} at once, not {wanted.most_at_once}.")
    name, rule = _rule(deployment, wanted)
    check_parameters(deployment.version, {**deployment.version.spec.parameters, **rule.parameters, **wanted.parameters})
    backfill = Backfill(
        id=id,
        deployment=deployment.name,
        schedule=name,
        version=deployment.version.number,
        rule=rule,
        since=wanted.since.timestamp(),
        until=wanted.until.timestamp(),
        only_missing=wanted.only_missing,
        most_at_once=wanted.most_at_once,
        reverse=wanted.reverse,
        parameters=dict(wanted.parameters),
        total=0,
        created=now,
        by=by,
    )
    total = sum(1 for _ in islice(_instants(backfill), MOST_INSTANTS + 1))
    span = f"between {wanted.since:%Y-%m-%d %H:%M} and {wanted.until:%Y-%m-%d %H:%M %Z}"
    if not total:
        raise ValueRefused(f"The schedule has no instant {span}; choose a range that has one.")
    if total > MOST_INSTANTS:
        raise ValueRefused(f"The schedule has more than {MOST_INSTANTS:,} instants {span}; choose a shorter range.")
    backfill = msgspec.structs.replace(backfill, total=total)
    store.schedules.add_backfill(backfill)
    return backfill


def instants_of(backfill: Backfill) -> list[datetime]:
    """Return the instants of a backfill in the order in which they run: as many as `total` says."""
    found = list(islice(_instants(backfill), backfill.total))
    return found[::-1] if backfill.reverse else found


def has_run(store: Store, backfill: Backfill, instant: datetime) -> bool:
    """Tell whether an instant has a run already, of the schedule or of a backfill, that has not failed."""
    at = instant.timestamp()
    ticks = store.schedules.ticks(
        backfill.deployment, schedule=backfill.schedule, since=at, before=at + 1e-3, limit=_PAGE
    )
    # To the store "" is every schedule.
    return any(_stands(store, tick) for tick in ticks if (tick.instant, tick.schedule) == (at, backfill.schedule))


def cancel_backfill(store: Store, id: str, *, by: str, observer: Holder, clock: Clock) -> Backfill:
    """End a backfill: what waits of it is cancelled, and its runs that are under way are asked to.

    Raises:
        NotFound: there is no such backfill.
        ValueRefused: it has ended.
    """
    change_backfill(store, id, BackfillState.CANCELLED, now=clock.now())
    for work in runs_of_backfill(store, the_backfill(store, id)):
        run = store.flow_run(work.run) if work.open else None
        if run is not None and not run.is_final:
            try:
                ask_to_cancel(store, run, by=by, observer=observer, clock=clock)
            except RunAlreadyFinished:
                continue
    return the_backfill(store, id)


def change_backfill(store: Store, id: str, state: BackfillState, *, now: float) -> Backfill:
    """Pause a backfill, let it go on, or end it; of its runs that are under way nothing is said.

    Raises:
        NotFound: there is no such backfill.
        ValueRefused: it has ended.
    """
    if not store.schedules.set_backfill_state(id, state, now=now):
        found = the_backfill(store, id)
        raise ValueRefused(f"Backfill {found.id} of {found.deployment} is {found.state} and changes no more.")
    return the_backfill(store, id)


def the_backfill(store: Store, wanted: str) -> Backfill:
    """Return a backfill by its id, or by a unique beginning or end of it.

    Raises:
        NotFound: none matches, or several do.
    """
    exact = store.schedules.backfill(wanted)
    if exact is not None:
        return exact
    found = [
        one
        for one in store.schedules.backfills(limit=_PAGE)
        if wanted and (one.id.startswith(wanted) or one.id.endswith(wanted))
    ]
    if len(found) == 1:
        return found[0]
    shown = shorten(one_line(wanted), 80)
    if found:
        raise NotFound(f"Several backfills match {shown!r}: {', '.join(one.id for one in found[:5])}. Give more of it.")
    raise NotFound(f"There is no backfill {shown!r} in {store.url}. `nadi backfills` lists those that are.")


def runs_of_backfill(store: Store, backfill: Backfill) -> Iterator[Work]:
    """Yield the work of a backfill, newest run first."""
    before = ""
    while page := store.work.runs_of(backfill.deployment, backfill=backfill.id, before=before, limit=_PAGE):
        yield from page
        before = page[-1].run


def outcomes_of(store: Store, backfill: Backfill) -> Counter[str]:
    """Return how many runs of a backfill are in which state, by its name; those that were deleted are left out."""
    found = (store.flow_run(work.run) for work in runs_of_backfill(store, backfill))
    return Counter(run.state_name for run in found if run is not None)


def has_gone_well(store: Store, backfill: Backfill) -> bool:
    """Tell whether a backfill has ended, and all of its runs have completed."""
    if backfill.state is not BackfillState.COMPLETED:
        return False
    found = (store.flow_run(work.run) for work in runs_of_backfill(store, backfill))
    return all(run is None or run.state_type is StateType.COMPLETED for run in found)


def _stands(store: Store, tick: Tick) -> bool:
    if tick.outcome is not TickOutcome.RUN:
        return False
    run = store.flow_run(tick.run)
    # A run that was deleted had its time; that it failed would have been a reason to keep it.
    return run is None or run.state_type not in (StateType.FAILED, StateType.CRASHED, StateType.CANCELLED)


def _rule(deployment: Deployment, wanted: Wanted) -> tuple[str, Schedule]:
    """Return the name and the rule of what is to be filled."""
    if wanted.every:
        if wanted.schedule:
            raise ValueRefused("Give a schedule, or an interval of its own, not both.")
        return EVERY, Schedule(rule=IntervalRule(seconds=wanted.every, anchor=wanted.since.astimezone(UTC)))
    schedules = {schedule.name: schedule for schedule in deployment.version.spec.schedules}
    known = ", ".join(repr(name) for name in schedules)
    if not schedules:
        raise NotFound(
            f"Deployment {deployment.name} has no schedule whose instants could be filled. Give an interval instead:"
            " --every 1h, for instance."
        )
    if wanted.schedule not in schedules and (wanted.schedule or len(schedules) > 1):
        which = f"no schedule {shorten(one_line(wanted.schedule), 80)!r}" if wanted.schedule else "several schedules"
        raise NotFound(f"Deployment {deployment.name} has {which}; choose one of: {known}.")
    name = wanted.schedule or next(iter(schedules))
    return name, schedules[name]


def _instants(backfill: Backfill) -> Iterator[datetime]:
    since = datetime.fromtimestamp(backfill.since, UTC)
    until = datetime.fromtimestamp(backfill.until, UTC)
    if since < until:
        yield from backfill.rule.instants(since - _TICK, until - _TICK)


#: The least that two times differ by.
_TICK = timedelta(microseconds=1)
