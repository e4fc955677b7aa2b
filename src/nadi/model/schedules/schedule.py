"""Schedules: a rule with a zone, filters, bounds, and what becomes of instants that passed while nobody looked."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import chain, islice
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from nadi.exceptions import DefinitionError
from nadi.model.names import LONGEST_SLUG, slug
from nadi.model.schedules.adjustments import Adjustment
from nadi.model.schedules.filters import DEEPEST, Filter, depth_of, resume_all
from nadi.model.schedules.rules import RecurrenceRule, Rule
from nadi.model.schedules.zones import EARLIEST, LATEST, TICK, find_zone, instant_of
from nadi.model.text import safe_repr

#: A schedule is over when its filters let nothing pass for so long, or so many times in a row.
HORIZON = timedelta(days=50 * 366)
MOST_REFUSED = 100_000

#: So many instants are passed over one by one before the rule is asked anew from where they count again.
MOST_SKIPPED = 5

#: The most seconds of jitter, and of grace.
MOST_SECONDS = 86400.0

#: How far behind an instant clocks can go back.
_FOLD = timedelta(hours=3)


class CatchUp(StrEnum):
    """What to run of the instants that passed while no scheduler did."""

    #: None of them.
    NONE = "none"
    #: The newest.
    LATEST = "latest"
    #: All of them, oldest first, up to the newest `catch_up_limit`.
    ALL = "all"


class Overlap(StrEnum):
    """What to do when an instant comes while the run of an earlier one is not finished."""

    #: Run none for this instant.
    SKIP = "skip"
    #: Run it when the others are finished.
    QUEUE = "queue"
    #: Cancel the others, and run it.
    CANCEL_RUNNING = "cancel_running"
    #: Run it beside the others.
    ALLOW = "allow"


class Schedule(msgspec.Struct, frozen=True, dict=True, kw_only=True, forbid_unknown_fields=True):
    """When to run, with which parameters, and what to do about instants that were missed.

    A value: equal schedules have equal JSON, and `msgspec.json` and `msgspec.convert` read back what they wrote.
    """

    rule: Rule
    #: IANA name of the zone of all local times: of the rule, the filters, and of datetimes without an offset.
    timezone: str = "UTC"
    #: All of them must let an instant pass.
    filters: tuple[Filter, ...] = ()
    #: What moves the instants that have passed the filters, one after the other.
    adjustments: tuple[Adjustment, ...] = ()
    #: The first and the last instant that the rule may give, both included.
    start: datetime | None = None
    end: datetime | None = None
    #: Runs begin up to so many seconds late, by chance that is the same everywhere; see `jitter_of`.
    jitter: float = 0.0
    #: Whether it fires; time that passes while it does not is not caught up.
    active: bool = True
    #: Over those of the deployment.
    parameters: dict[str, Any] = {}
    #: What tells it from the other schedules of its deployment, over changes of its rule; "" for the only one.
    name: str = ""
    catch_up: CatchUp = CatchUp.LATEST
    #: The most instants that are caught up.
    catch_up_limit: int = 100
    #: Seconds for which an instant that has passed counts as late, and runs, before it counts as missed.
    grace: float = 60.0
    #: `None` for what the deployment says.
    overlap: Overlap | None = None

    def __post_init__(self) -> None:
        find_zone(self.timezone)
        _check_bounds(self)
        if self.name and (self.name != slug(self.name) or len(self.name) > LONGEST_SLUG):
            raise DefinitionError(
                f"The name of a schedule is lower-case letters, digits and hyphens, such as {slug(str(self.name))!r},"
                f" not {safe_repr(self.name, 60)}."
            )
        named = self.rule.lines.zone if isinstance(self.rule, RecurrenceRule) else ""
        if named and named != self.timezone:
            raise DefinitionError(
                f"The recurrence rule names the zone {named!r}, the schedule {self.timezone!r}; take one of them out."
            )

    @cached_property
    def zone(self) -> ZoneInfo:
        """The zone of its local times."""
        return find_zone(self.timezone)

    def next(self, n: int, after: datetime) -> list[datetime]:
        """Return its next instants, in UTC and in order; fewer than `n`, or none, where it is over.

        Whether it is active is not asked, and jitter is not added: these are the instants that its ticks are known by.

        Args:
            n: How many, at most.
            after: Timezone-aware; all of them are later.

        Raises:
            ValueError: if `after` has no timezone.
        """
        return list(islice(self.instants(after), n))

    def instants(self, after: datetime, until: datetime | None = None) -> Iterator[datetime]:
        """Yield its instants later than `after` and not later than `until`, in UTC and in order, none twice.

        Raises:
            ValueError: if one of the two has no timezone.
        """
        for moment in (after, until):
            if moment is not None and moment.utcoffset() is None:
                raise ValueError(f"{moment} has no timezone; pass an aware datetime, such as datetime.now(UTC).")
        after = _bounded(after)
        until = _bounded(LATEST if until is None else until)
        if not self.adjustments:
            return self._passed(after, until)
        return self._moved(after, until)

    def _passed(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The instants that the filters let pass."""
        zone = self.zone
        end = until if self.end is None else min(until, instant_of(self.end, zone))
        since = after if self.start is None else max(after, instant_of(self.start, zone) - TICK)
        begin: datetime | None = since
        refused = 0
        while begin is not None:
            instants, begin = self.rule.instants(zone, begin), None
            # Before this no filter has to be asked.
            resume, skipped = since, 0
            for at in instants:
                if at > end:
                    return
                if at < resume:
                    skipped += 1
                    if skipped <= MOST_SKIPPED:
                        continue
                    begin = resume - TICK
                    break
                local = at.astimezone(zone)
                refusing = [one for one in self.filters if not one.passes(local)]
                if not refusing:
                    since, refused = at, 0
                    yield at
                    continue
                refused += 1
                found = _resume(refusing, local)
                if found is None or refused > MOST_REFUSED or at - since > HORIZON:
                    return
                resume, skipped = found, 0

    def _moved(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The instants that the filters let pass, adjusted, in order."""
        begin, least = after, timedelta(0)
        for one in reversed(self.adjustments):
            begin = one.begin(begin, self.zone)
            least += one.least
        waiting: list[datetime] = []
        last = after
        for at in chain(self._passed(_bounded(begin), until - least), [None]):
            # Nothing that is to come is moved to before `at + least`.
            while waiting and (at is None or waiting[0] <= at + least):
                if (found := heapq.heappop(waiting)) > last:
                    last = found
                    yield found
            if at is not None and (moved := self._adjusted(at)) <= until:
                heapq.heappush(waiting, moved)

    def _adjusted(self, at: datetime) -> datetime:
        for one in self.adjustments:
            at = one.move(at, self.zone)
        return at


def _resume(refusing: list[Filter], local: datetime) -> datetime | None:
    """From when on to try again, in UTC; the refused instant itself where only the next one can be tried."""
    at = local.astimezone(UTC)
    # Soon the clocks go back, and local times that have passed come again.
    soon = (at + _FOLD).astimezone(local.tzinfo)
    if (soon.utcoffset() or timedelta(0)) < (local.utcoffset() or timedelta(0)):
        return at
    found = resume_all(refusing, local)
    return None if found is None else found.astimezone(UTC)


def _bounded(moment: datetime) -> datetime:
    # Those at the end of the calendar may not be moved into another zone.
    return min(max(moment, EARLIEST), LATEST - TICK).astimezone(UTC)


def _check_bounds(schedule: Schedule) -> None:
    if max(map(depth_of, schedule.filters), default=0) > DEEPEST:
        raise DefinitionError(f"The filters of a schedule are nested {DEEPEST} deep at most.")
    # Without any grace nothing would ever be in time.
    for name, least in (("jitter", 0), ("grace", 1)):
        seconds = getattr(schedule, name)
        number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
        if not number or not least <= seconds <= MOST_SECONDS:
            raise DefinitionError(
                f"The {name} of a schedule is {least} to {MOST_SECONDS:,.0f} seconds, not {safe_repr(seconds, 60)}."
            )
    limit = schedule.catch_up_limit
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= 10_000:
        raise DefinitionError(f"The catch_up_limit of a schedule is 1 to 10,000 instants, not {safe_repr(limit, 60)}.")
    start, end = schedule.start, schedule.end
    if start is not None and end is not None:
        zone = find_zone(schedule.timezone)
        if instant_of(end, zone) < instant_of(start, zone):
            raise DefinitionError(f"The schedule ends ({end}) before it starts ({start}).")
