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


def reasons_of_limits(store: Store, run: FlowRun, *, observer: Holder, now: float) -> Iterator[str]:
    """Yield a sentence for each place where a run, or a task of it, waits for a slot."""
    mine = [one for one in store.limits.claims(root=run.root) if not one.held]
    if not mine:
        return
    slots = {limit.name: limit.slots for limit in store.limits.limits()}
    for claim in mine:
        if run.id not in (run.root, claim.run):
            continue
        for name in claim.names:
            if name not in slots:
                continue
            everybody = store.limits.claims(names=[name])
            if claim.id in {one.id for one in everybody if not one.held}:  # else it waits no more since it was read
                yield _reason(store, claim, name, slots[name], everybody, observer, now)


def _reason(
    store: Store, claim: SlotClaim, name: str, slots: int, everybody: list[SlotClaim], observer: Holder, now: float
) -> str:
    holders = [one for one in everybody if one.held]
    used = sum(one.slots for one in holders)
    ahead = sum(not one.held for one in takewhile(lambda one: one.id != claim.id, everybody))
    task = store.task_run(claim.task) if claim.task else None
    since = human_duration(round(max(0.0, now - claim.at)))
    by = ", ".join(_told(store, one, observer) for one in holders[:MOST_NAMED])
    more = f" and {len(holders) - MOST_NAMED:,} more" if len(holders) > MOST_NAMED else ""
    taken = f"{used:,} of {slots:,} {'is' if used == 1 else 'are'} taken{f', by {by}{more}' if by else ''}"
    earlier = f"; {ahead:,} came earlier" if ahead else ""
    who = task.name if task is not None else "It"
    return (
        f"{who} has been waiting for {plural(claim.slots, 'slot')} of the limit {name!r} for {since}: {taken}{earlier}."
    )


def _told(store: Store, claim: SlotClaim, observer: Holder | None = None) -> str:
    """Return who a claim is of: by its label or run, and its process."""
    holder = Holder.decode(claim.holder)
    run = store.flow_run(claim.root) if claim.root and not claim.label else None
    who = claim.label or (run.name if run is not None else "")
    gone = ", which is gone" if observer is not None and is_gone(holder, observer) else ""
    return f"{who} ({holder}{gone})" if who else f"{holder}{gone}"
