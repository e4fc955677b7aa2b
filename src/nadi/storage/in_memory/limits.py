"""Concurrency limits and rate limits, and who holds their slots, in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from threading import Lock

import msgspec

from nadi.model.limits import Answer, Limit, SlotClaim, Turn, after_turn, let_in, take_turn
from nadi.storage.contracts.limits import LimitTable

_with = msgspec.structs.replace


class MemoryLimitTable(LimitTable):
    """See the contract.

    Args:
        usable: Gives the lock of the store, or raises when the store is closed.
        next_change: Takes the next change number; called under the lock.
    """

    def __init__(self, usable: Callable[[], Lock], next_change: Callable[[], int]) -> None:
        self._usable = usable
        self._next_change = next_change
        self._limits: dict[str, Limit] = {}
        #: In the order they came.
        self._claims: dict[str, SlotClaim] = {}
        self._version = 0

    def set_limit(self, name: str, *, slots: int, decay: float, now: float) -> Limit:
        with self._usable():
            before = self._limits.get(name) or Limit(name=name, slots=slots, decay=decay, level_at=now)
            limit = _with(before, slots=slots, decay=decay, level=before.level_now(now), level_at=now)
            self._limits[name] = limit
            self._let_in([name])
            return limit

    def remove_limit(self, name: str) -> bool:
        with self._usable():
            there = self._limits.pop(name, None) is not None
            self._let_in([name])
            return there

    def limits(self) -> list[Limit]:
        with self._usable():
            return [self._limits[name] for name in sorted(self._limits)]

    def claim_slots(self, claim: SlotClaim, *, wait: bool) -> Answer:
        with self._usable():
            there = {name: self._limits[name].slots for name in claim.names if name in self._limits}
            missing = tuple(name for name in claim.names if name not in there)
            too_small = tuple(name for name, most in there.items() if 0 < most < claim.slots)
            if too_small or not there:
                return Answer(held=not too_small, missing=missing, too_small=too_small)
            if claim.id not in self._claims:
                self._claims[claim.id] = _with(claim, held=False)
                self._let_in(tuple(there))
            held = self._claims[claim.id].held
            if not held and not wait:
                del self._claims[claim.id]
            return Answer(held=held, missing=missing)

    def release_slots(self, claim: str) -> list[str]:
        with self._usable():
            gone = self._claims.pop(claim, None)
            return self._let_in(gone.names) if gone is not None else []

    def standing(self, claims: Sequence[str]) -> dict[str, bool]:
        with self._usable():
            return {id: self._claims[id].held for id in claims if id in self._claims}

    def renew(self, claims: Sequence[str]) -> list[str]:
        with self._usable():
            for id in claims:
                found = self._claims.get(id)
                if found is not None:
                    self._claims[id] = _with(found, renewals=found.renewals + 1)
            return [id for id in claims if id not in self._claims]

    def claims(self, *, names: Sequence[str] = (), root: str = "") -> list[SlotClaim]:
        with self._usable():
            return [
                claim
                for claim in self._claims.values()
                if (not names or not set(names).isdisjoint(claim.names)) and root in ("", claim.root)
            ]

    def end_claims(self, seen: Mapping[str, int]) -> list[str]:
        with self._usable():
            gone = [id for id, n in seen.items() if id in self._claims and self._claims[id].renewals == n]
            freed = {name for id in gone for name in self._claims.pop(id).names}
            if gone:
                self._version += 1
            return self._let_in(sorted(freed))

    def take_turn(self, names: Sequence[str], slots: int, *, now: float, patience: float) -> Turn:
        with self._usable():
            turn = take_turn(self._limits, names, slots, now=now, patience=patience)
            if turn.taken:
                for name in set(names) & self._limits.keys():
                    self._limits[name] = after_turn(self._limits[name], slots, wait=turn.wait, now=now)
                self._next_change()
            return turn

    def version(self) -> int:
        with self._usable():
            return self._version

    def _let_in(self, freed: Sequence[str]) -> list[str]:
        line = [claim for claim in self._claims.values() if not claim.held]
        found = let_in(self._slots, self._used, line, freed=freed)
        for claim in found:
            self._claims[claim.id] = _with(claim, held=True)
        if found:
            self._version += 1
        self._next_change()
        return [claim.id for claim in found]

    def _slots(self, name: str) -> int | None:
        limit = self._limits.get(name)
        return limit.slots if limit is not None else None

    def _used(self, name: str) -> int:
        return sum(claim.slots for claim in self._claims.values() if claim.held and name in claim.names)
