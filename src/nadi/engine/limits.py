"""Taking slots of limits: for a stretch of work, or at a rate; and making the limits."""

from __future__ import annotations

import logging
import math
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from shlex import quote

from nadi.engine.desks import desk_here
from nadi.engine.interrupts import Interruptible, Interruption, wait_for_lock, wake
from nadi.engine.recording import clock
from nadi.engine.scope import current
from nadi.engine.slots import Desk, Place
from nadi.exceptions import (
    AcquireConcurrencySlotTimeoutError,
    ConcurrencyLeaseLost,
    ConcurrencySlotAcquisitionError,
    ValueRefused,
)
from nadi.executors.threads import place_lent
from nadi.model.holders import Holder
from nadi.model.limits import Answer, Limit, SlotClaim, Turn
from nadi.model.text import human_duration, one_line, safe_repr

_log = logging.getLogger("nadi.runs")

#: Characters of a limit's name at the most.
LONGEST_NAME = 255

#: Slots of a limit at the most.
MOST_SLOTS = (1 << 31) - 1

#: Names that were said to have no limit, by store; each is said once in a process.
_said: set[tuple[str, str]] = set()


# -- limits ---------------------------------------------------------------------------------


def set_limit(name: str, slots: int, *, slot_decay_per_second: float = 0.0) -> Limit:
    """Make a limit, or change it; who holds slots keeps them.

    Args:
        name: What `concurrency()` and `rate_limit()` call it.
        slots: How many slots are held at once, and how many a rate gives at one moment; 0 closes the limit.
        slot_decay_per_second: How many slots a second come back to `rate_limit()`; 0 for a limit without rate.

    Raises:
        ValueRefused: one of them cannot be used.
    """
    check_limit(name, slots, slot_decay_per_second)
    return desk_here().limits.set_limit(name, slots=slots, decay=float(slot_decay_per_second), now=clock.now())


def check_limit(name: str, slots: int, decay: float) -> None:
    """Raise ValueRefused if there can be no such limit."""
    _check_name(name)
    if not isinstance(slots, int) or isinstance(slots, bool) or not 0 <= slots <= MOST_SLOTS:
        raise ValueRefused(
            f"Limit {name!r} takes a whole number of slots, from 0 to {MOST_SLOTS:,}, not {safe_repr(slots)}."
        )
    if not _is_number(decay) or not 0 <= decay <= sys.float_info.max:
        raise ValueRefused(f"Limit {name!r} takes slots a second, at least 0, as decay, not {safe_repr(decay)}.")


def _check_name(name: object) -> None:
    if not isinstance(name, str) or not name.strip() or not name.isprintable() or len(name) > LONGEST_NAME:
        raise ValueRefused(
            f"{safe_repr(name)[:300]} cannot name a limit: a name is printable text of 1 to {LONGEST_NAME} characters."
        )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def remove_limit(name: str) -> bool:
    """Remove a limit; `False` when there is none. Who waits for it waits for it no more."""
    return desk_here().limits.remove_limit(name)


def list_limits() -> list[Limit]:
    """Return all limits, by name."""
    return desk_here().limits.limits()


# -- slots ----------------------------------------------------------------------------------


class Wanted:
    """What `concurrency()` was called with, checked."""

    def __init__(
        self,
        names: str | Iterable[str],
        occupy: int,
        timeout_seconds: float | None,
        *,
        strict: bool,
        lease_duration: float = 300.0,
        holder: object = None,
        wait: bool = True,
    ) -> None:
        if not isinstance(names, str | Iterable):
            raise ValueRefused(f"names takes the name of a limit, or several, not {safe_repr(names)}.")
        self.names = tuple(dict.fromkeys([names] if isinstance(names, str) else names))
        for name in self.names:
            _check_name(name)
        self.occupy = occupy
        self.timeout = timeout_seconds
        self.strict = strict
        self.term = lease_duration
        told = str(holder).encode("utf-8", "replace").decode() if holder is not None else ""
        self.label = one_line(told, LONGEST_NAME)
        self.wait = wait and timeout_seconds != 0
        if not isinstance(occupy, int) or isinstance(occupy, bool) or not 1 <= occupy <= MOST_SLOTS:
            raise ValueRefused(
                f"occupy takes a whole number of slots, from 1 to {MOST_SLOTS:,}, not {safe_repr(occupy)}."
            )
        if timeout_seconds is not None and not (_is_number(timeout_seconds) and timeout_seconds >= 0):
            raise ValueRefused(f"timeout_seconds takes seconds, at least 0, not {safe_repr(timeout_seconds)}.")
        if not (_is_number(lease_duration) and lease_duration > 0):
            raise ValueRefused(f"lease_duration takes seconds, more than 0, not {safe_repr(lease_duration)}.")

    @property
    def told(self) -> str:
        """The names, for people."""
        return " and ".join(repr(name) for name in self.names)

    def claim(self, desk: Desk) -> SlotClaim:
        """Return a claim of this, by the run that asks."""
        scope = current.get()
        return SlotClaim(
            id=clock.new_id(),
            names=self.names,
            slots=self.occupy,
            holder=desk.holder.encode(),
            label=self.label,
            root=scope.session.root if scope is not None else "",
            run=scope.flow_run if scope is not None else "",
            task=scope.id if scope is not None and not scope.is_flow else "",
            term=self.term,
            at=clock.now(),
        )

    def judge(self, answer: Answer | Turn, desk: Desk) -> None:
        """Say what is missing; raise if slots can never be had.

        Raises:
            ConcurrencySlotAcquisitionError: a limit is too small, or missing and `strict`.
        """
        if answer.too_small:
            raise ConcurrencySlotAcquisitionError(
                f"{self.occupy} slots were asked of {_several(answer.too_small)}, which has fewer in all."
                f" Ask for less, or give it more: nadi limits set {quote(answer.too_small[0])} {self.occupy}."
            )
        if answer.missing:
            self._tell_missing(answer.missing, desk)

    def _tell_missing(self, missing: tuple[str, ...], desk: Desk) -> None:
        told = (
            f"There is no limit {_several(missing)}. Make it: nadi limits set {quote(missing[0])} SLOTS, or"
            f" nadi.concurrency.set_limit({missing[0]!r}, slots=...)."
        )
        if self.strict:
            raise ConcurrencySlotAcquisitionError(told)
        new = [name for name in missing if (desk.holder.writer, name) not in _said]
        _said.update((desk.holder.writer, name) for name in new)
        if new:
            _log.warning("%s Until then it limits nothing.", told)

    def refusal(self, desk: Desk) -> ConcurrencySlotAcquisitionError:
        """Return the error that says that no slot became free, and who holds them."""
        held = [one for one in desk.limits.claims(names=self.names) if one.held]
        by = ", ".join(dict.fromkeys(told_claimer(one) for one in held[:3])) + (" and others" if len(held) > 3 else "")
        within = f"within {self.timeout:g} seconds" if self.timeout else "now"
        return AcquireConcurrencySlotTimeoutError(
            f"No {_slots(self.occupy)} of {self.told} became free {within}{f'; held by {by}' if by else ''}."
        )


def _slots(count: int) -> str:
    return "slot" if count == 1 else f"{count} slots"


def _several(names: tuple[str, ...]) -> str:
    return " and ".join(repr(name) for name in names)


def told_claimer(claim: SlotClaim) -> str:
    """Return who holds or wants slots, for people."""
    who = claim.label or (f"run {claim.root}" if claim.root else "")
    process = str(Holder.decode(claim.holder))
    return f"{who} ({process})" if who else process


@contextmanager
def holding(wanted: Wanted, *, raise_when_lost: bool) -> Iterator[None]:
    """Hold slots while the body runs, waiting for them in this thread where need be; see `concurrency()`."""
    if not wanted.names:
        yield
        return
    desk = desk_here()
    lock = threading.Lock()
    lock.acquire()
    place = Place(wanted.claim(desk), ready=lambda: wake(lock))
    stretch = Interruptible()
    try:
        try:
            _take_slots(wanted, desk, place, lock)
            place.lost = (lambda: stretch.interrupt(SlotLost)) if raise_when_lost else teller_of_loss(wanted)
            if place.is_lost:
                place.lost()
            yield
        finally:
            # Interrupted while it waits too: nobody stays in the line who does not stand there any more. A loss may
            # still strike in here, and is caught below all the same.
            _leave(desk, place)
            stretch.leave()
    except SlotLost:
        stretch.leave()
        raise lease_lost(wanted) from None


def _leave(desk: Desk, place: Place) -> None:
    try:
        desk.leave(place)
    except BaseException:  # a time limit, a cancel or a loss that strikes on the way there: the slot would stay taken
        desk.leave(place)
        raise


class SlotLost(Interruption):
    """Ends a body whose slots went to somebody else."""


def lease_lost(wanted: Wanted) -> ConcurrencyLeaseLost:
    """Return the error that says that slots which were held are somebody else's."""
    return ConcurrencyLeaseLost(
        f"This process did not renew its slots of {wanted.told} for {wanted.term:g} seconds, so they were given away."
    )


def teller_of_loss(wanted: Wanted) -> Callable[[], None]:
    """Return what to call when slots were lost and the body goes on: it warns, in the run that asked."""
    scope = current.get()
    extra = {"nadi_origin": scope.log_origin} if scope is not None else None
    return lambda: _log.warning("%s The work goes on.", lease_lost(wanted), extra=extra)


def _take_slots(wanted: Wanted, desk: Desk, place: Place, lock: threading.Lock) -> None:
    answer = desk.claim(place, wait=wanted.wait)
    wanted.judge(answer, desk)
    if not answer.held and not (wanted.wait and _wait(place, lock, wanted.timeout)):
        raise wanted.refusal(desk)


def _wait(place: Place, lock: threading.Lock, timeout: float | None) -> bool:
    deadline = None if timeout is None else time.monotonic() + timeout
    with place_lent():
        while not place.held:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return False
            wait_for_lock(lock, left)
    return True


# -- rates ----------------------------------------------------------------------------------


def take_turn(wanted: Wanted, desk: Desk) -> float:
    """Take a turn under rates; returns how many seconds from now it is.

    Raises:
        AcquireConcurrencySlotTimeoutError: it would be later than allowed; nothing was taken.
        ConcurrencySlotAcquisitionError: there can be none.
    """
    return judged_turn(wanted, ask_turn(wanted, desk), desk)


def ask_turn(wanted: Wanted, desk: Desk) -> Turn:
    """Ask the store for a turn, and take it if it comes in time."""
    patience = math.inf if wanted.timeout is None else wanted.timeout
    if wanted.strict:
        there = {limit.name for limit in desk.limits.limits()}
        missing = tuple(name for name in wanted.names if name not in there)
        if missing:
            return Turn(wait=0.0, taken=False, missing=missing)
    return desk.limits.take_turn(wanted.names, wanted.occupy, now=clock.now(), patience=patience)


def judged_turn(wanted: Wanted, turn: Turn, desk: Desk) -> float:
    """Return how far away a turn is, or raise why there is none; see `take_turn`."""
    if turn.without_decay:
        name = turn.without_decay[0]
        raise ConcurrencySlotAcquisitionError(
            f"Limit {_several(turn.without_decay)} has no decay, so what rate_limit() takes would never come back."
            f" Give it one: nadi limits set {quote(name)} SLOTS --decay PER_SECOND."
        )
    wanted.judge(turn, desk)
    if not turn.taken:
        raise AcquireConcurrencySlotTimeoutError(
            f"{wanted.told} allows no {_slots(wanted.occupy)} for another {human_duration(round(turn.wait, 2))},"
            f" which is more than the {wanted.timeout:g} seconds allowed."
        )
    return turn.wait
