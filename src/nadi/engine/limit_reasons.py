"""Limits, told: which limit a run waits for, who has its slots, and how limits are used."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

import msgspec

from nadi.engine.gone_holders import end_gone
from nadi.model.holders import Holder
from nadi.model.limits import SlotClaim
from nadi.model.runs import FlowRun
from nadi.model.text import human_duration, plural
from nadi.storage.contract import Store
from nadi.storage.home import Home, is_gone

#: The most holders that one sentence names.
MOST_NAMED = 3


class LimitUse(msgspec.Struct, frozen=True):
    """A limit, and who holds its slots and waits for them."""

    name: str
    slots: int
    #: Slots a second that come back to a rate; 0 for a limit without rate.
    decay: float
    #: Slots that are held now.
    used: int
    #: How many of `slots` a rate has given and not got back; 0 for a limit without rate.
    level: float
    #: Who holds slots, in the order they came, and who waits.
    holders: list[str]
    waiting: list[str]


def uses_of_limits(store: Store, *, observer: Holder, home: Home, now: float) -> list[LimitUse]:
    """Return how each limit is used, by name; the claims of processes that are known to be gone are ended first."""
    end_gone(store.limits, [], observer, home, {})
    claims = store.limits.claims()
    found = []
    for limit in store.limits.limits():
        named = [one for one in claims if limit.name in one.names]
        found.append(
            LimitUse(
                name=limit.name,
                slots=limit.slots,
                decay=limit.decay,
                used=sum(one.slots for one in named if one.held),
                level=round(limit.level_now(now), 3) if limit.decay else 0.0,
                holders=[_told(store, one) for one in named if one.held],
                waiting=[_told(store, one) for one in named if not one.held],
            )
        )
    return found


class Lines:
    """Who holds slots and who stands in line for them: read once, and told for any number of runs.

    Raises:
        StoreUnavailable: the store cannot be asked now.
    """

    def __init__(self, store: Store, *, observer: Holder, now: float) -> None:
        """Read limits and claims; `observer` tells whether processes of its machine live, `now` is Unix seconds."""
        self._store, self._observer, self._now = store, observer, now
        self._slots = {limit.name: limit.slots for limit in store.limits.limits()}
        self._claims = store.limits.claims() if self._slots else []
        self._waiting: dict[str, list[SlotClaim]] = {}
        for claim in self._claims:
            if not claim.held:
                self._waiting.setdefault(claim.root, []).append(claim)
        #: Who has a claim, by its id.
        self._told: dict[str, str] = {}

    def since(self) -> dict[str, float]:
        """Return since when flow runs stand in line themselves, and not a task of theirs, by their root run."""
        found: dict[str, float] = {}
        for root, claims in self._waiting.items():
            own = [claim.at for claim in claims if not claim.task]
            if root and own:
                found[root] = min(own)
        return found

    def reasons(self, run: FlowRun) -> Iterator[str]:
        """Yield a sentence for each place where a run, or a task of it, waits for a slot."""
        for claim in self._waiting.get(run.root, ()):
            if run.id in (run.root, claim.run):
                yield from (self._reason(claim, name) for name in claim.names if name in self._slots)

    def _reason(self, claim: SlotClaim, name: str) -> str:
        everybody = [one for one in self._claims if name in one.names]
        slots, holders = self._slots[name], [one for one in everybody if one.held]
        used = sum(one.slots for one in holders)
        ahead = sum(not one.held for one in takewhile(lambda one: one.id != claim.id, everybody))
        task = self._store.task_run(claim.task) if claim.task else None
        since = human_duration(round(max(0.0, self._now - claim.at)))
        by = ", ".join(self._who(one) for one in holders[:MOST_NAMED])
        more = f" and {len(holders) - MOST_NAMED:,} more" if len(holders) > MOST_NAMED else ""
        taken = f"{used:,} of {slots:,} {'is' if used == 1 else 'are'} taken{f', by {by}{more}' if by else ''}"
        earlier = f"; {ahead:,} came earlier" if ahead else ""
        who = task.name if task is not None else "It"
        return (
            f"{who} has been waiting for {plural(claim.slots, 'slot')} of the limit {name!r} for {since}:"
            f" {taken}{earlier}."
        )

    def _who(self, claim: SlotClaim) -> str:
        if claim.id not in self._told:
            self._told[claim.id] = _told(self._store, claim, self._observer)
        return self._told[claim.id]


def reasons_of_limits(store: Store, run: FlowRun, *, observer: Holder, now: float) -> Iterator[str]:
    """Yield a sentence for each place where a run, or a task of it, waits for a slot; of several runs, use `Lines`."""
    # Mostly it waits nowhere, and there may be many others who do.
    if not all(one.held for one in store.limits.claims(root=run.root)):
        yield from Lines(store, observer=observer, now=now).reasons(run)


def _told(store: Store, claim: SlotClaim, observer: Holder | None = None) -> str:
    """Return who a claim is of: by its label or run, and its process."""
    holder = Holder.decode(claim.holder)
    run = store.flow_run(claim.root) if claim.root and not claim.label else None
    who = claim.label or (run.name if run is not None else "")
    gone = ", which is gone" if observer is not None and is_gone(holder, observer) else ""
    return f"{who} ({holder}{gone})" if who else f"{holder}{gone}"
