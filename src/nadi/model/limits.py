"""Limits: how many may do something at once, or how often; and which of those that wait is next.

Two kinds under one name. *Slots* are held while something is done: how many are taken follows from the
claims that hold them and is counted nowhere else. A *rate* is a bucket: what is taken from it comes
back by itself, `decay` slots a second. The two are counted apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """How many slots a name has."""

    name: str
    #: The most slots that are held at once, and the most that a rate gives at one moment. 0 closes the limit.
    slots: int
    #: Slots a second that come back to a rate; 0 means that the limit has no rate.
    decay: float = 0.0
    #: How full the bucket of the rate was at `level_at` (Unix seconds); more than `slots` when turns are given already.
    level: float = 0.0
    level_at: float = 0.0

    def level_now(self, now: float) -> float:
        """Return how full the bucket is; a clock that went back empties nothing."""
        return max(0.0, self.level - self.decay * max(0.0, now - self.level_at))


class SlotClaim(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who holds slots, or waits for them in line."""

    id: str
    #: The limits of which it takes slots, all or none.
    names: tuple[str, ...]
    #: How many slots of each.
    slots: int
    #: Whether it holds them; else it waits.
    held: bool = False
    #: The process: text of a `Holder`.
    holder: str
    #: What people call it; "" for the run or the process.
    label: str = ""
    #: The root run, flow run and task run for which it is; "" outside of runs.
    root: str = ""
    run: str = ""
    task: str = ""
    #: Seconds without a renewal, as somebody else saw them pass, after which its process counts as gone.
    term: float
    #: Grows with each renewal.
    renewals: int = 0
    #: Since when it holds or waits, Unix seconds.
    at: float


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a claim of slots."""

    held: bool
    #: Which of the names have no limit.
    missing: tuple[str, ...] = ()
    #: Which limits have fewer slots in all than were asked for, so that waiting would have no end.
    too_small: tuple[str, ...] = ()


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """When something may be done under rates."""

    #: Seconds from now until then; 0 for now.
    wait: float
    #: Whether the turn is taken; it is not when the wait would be longer than the patience.
    taken: bool
    missing: tuple[str, ...] = ()
    too_small: tuple[str, ...] = ()
    #: Which limits have no decay, so that what a rate takes would never come back.
    without_decay: tuple[str, ...] = ()


def let_in(
    slots: Callable[[str], int | None],
    used: Callable[[str], int],
    line: Iterable[SlotClaim],
    *,
    freed: Sequence[str],
) -> list[SlotClaim]:
    """Return those of a line who get their slots now, first come first served.

    Nobody passes somebody who came earlier and waits for a limit that both need. Who asks for more slots than
    there are, because there were more when it came, stops nobody.

    Args:
        slots: Slots of a limit, `None` where there is none (any more): then it limits nothing.
        used: Slots of a limit that are held.
        line: Who waits, in the order they came.
        freed: Names of which something was freed: the line is read no further than it can matter for these.
    """
    found: list[SlotClaim] = []
    taken: dict[str, int] = {}
    blocked: set[str] = set()
    for claim in line:
        names = {name: most for name in claim.names if (most := slots(name)) is not None}
        if any(0 < most < claim.slots for most in names.values()):
            continue
        fits = all(used(name) + taken.get(name, 0) + claim.slots <= most for name, most in names.items())
        if fits and blocked.isdisjoint(names):
            found.append(claim)
            for name in names:
                taken[name] = taken.get(name, 0) + claim.slots
        else:
            blocked.update(names)
            if blocked.issuperset(freed):
                break
    return found


def take_turn(limits: Mapping[str, Limit], names: Sequence[str], slots: int, *, now: float, patience: float) -> Turn:
    """Return when `slots` of every named rate may be used; `taken` only if that is within `patience` seconds."""
    there = [limits[name] for name in names if name in limits]
    missing = tuple(name for name in names if name not in limits)
    without_decay = tuple(limit.name for limit in there if limit.decay <= 0)
    too_small = tuple(limit.name for limit in there if limit.slots < slots)
    if without_decay or too_small:
        return Turn(wait=0.0, taken=False, missing=missing, too_small=too_small, without_decay=without_decay)
    wait = max([0.0, *((limit.level_now(now) + slots - limit.slots) / limit.decay for limit in there)])
    return Turn(wait=wait, taken=wait <= patience, missing=missing)


def after_turn(limit: Limit, slots: int, *, wait: float, now: float) -> Limit:
    """Return a limit after a turn in `wait` seconds was given: as if what it needs were taken already.

    The bucket then counts at least what comes back until the turn, so that what is free at the turn is
    not given twice.
    """
    level = max(limit.level_now(now), limit.decay * wait) + slots
    return msgspec.structs.replace(limit, level=level, level_at=max(now, limit.level_at))
