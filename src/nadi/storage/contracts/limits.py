"""Concurrency limits and rate limits, and who holds their slots."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from nadi.model.limits import Answer, Limit, SlotClaim, Turn


class LimitTable(ABC):
    """Limits by name, the claims that hold their slots, and the line of those that wait.

    How many slots of a limit are taken is the sum over the claims that hold some; no number of its
    own is kept that could go wrong. A claim takes slots of several limits all or none. Slots that
    become free go, in the transaction that frees them, to those who wait, first come first served:
    nobody passes somebody who came earlier and waits for a limit that both need. So who waits only
    has to look whether its claim holds by now, and `version` says when looking is worth while.

    Methods may raise `StoreUnavailable`; then nothing was changed. The store reads no clock and judges
    no process: who is gone is said by `end_claims`.
    """

    @abstractmethod
    def set_limit(self, name: str, *, slots: int, decay: float, now: float) -> Limit:
        """Make or change a limit; who holds slots keeps them, who fits now is let in, what a rate has given stays."""

    @abstractmethod
    def remove_limit(self, name: str) -> bool:
        """Remove a limit; `False` when there is none. Who waits for it waits for it no more."""

    @abstractmethod
    def limits(self) -> list[Limit]:
        """Return all limits, by name."""

    @abstractmethod
    def claim_slots(self, claim: SlotClaim, *, wait: bool) -> Answer:
        """Take slots of every limit that `claim` names, or join the line for them.

        Names without a limit limit nothing, and are told. A claim that could never be fulfilled,
        since it asks for more slots than a limit has, is not kept, unless the limit is closed (0 slots),
        which does not last. A claim is made once: one whose id is there already answers where it stands.

        Args:
            claim: Who asks for what; `held` is not looked at.
            wait: Whether to join the line when not all slots are free, or somebody waits already.
        """

    @abstractmethod
    def release_slots(self, claim: str) -> list[str]:
        """Give up a claim, which holds or waits; one that is not there is none to give up.

        Returns:
            Ids of the claims that hold now and did not before.
        """

    @abstractmethod
    def standing(self, claims: Sequence[str]) -> dict[str, bool]:
        """Return of each of these claims that is there whether it holds; one that is missing was ended."""

    @abstractmethod
    def renew(self, claims: Sequence[str]) -> list[str]:
        """Count one renewal more of each of these claims.

        Returns:
            Ids of those that are not there any more: somebody took their process for gone.
        """

    @abstractmethod
    def claims(self, *, names: Sequence[str] = (), root: str = "") -> list[SlotClaim]:
        """Return claims in the order they came, holding and waiting.

        Args:
            names: Only those that name one of these limits; all when empty.
            root: Only those of this root run.
        """

    @abstractmethod
    def end_claims(self, seen: Mapping[str, int]) -> list[str]:
        """End claims of processes that are gone, by id with the renewals seen; one that was renewed since stays.

        Returns:
            Ids of the claims that hold now and did not before.
        """

    @abstractmethod
    def take_turn(self, names: Sequence[str], slots: int, *, now: float, patience: float) -> Turn:
        """Take `slots` of every named rate: now, or at the moment when they will have come back, which is told.

        Who is told to wait has its turn already, before all who ask later, and need not ask again; a turn that
        is not used is lost. A rate gives at most its `slots` at once, and `decay` a second on the average.

        Args:
            names: The limits; those that are not there limit nothing, and are told.
            slots: How many of each.
            now: Unix seconds, the same clock for all who ask.
            patience: Longest wait in seconds that is of any use; if it takes longer, nothing is taken.
        """

    @abstractmethod
    def version(self) -> int:
        """Return a number that grows when somebody who waited was let in, or a claim was ended; cheap to ask."""
