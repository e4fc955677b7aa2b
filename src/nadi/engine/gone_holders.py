"""Claims of processes that are gone: judged by what can be looked up from here, or by a whole term of silence."""

from __future__ import annotations

import os
import time

from nadi.model.holders import Holder
from nadi.storage.contracts.limits import LimitTable
from nadi.storage.home import Home, is_gone
from nadi.storage.locks import FileLock


def end_gone(
    limits: LimitTable, names: list[str], observer: Holder, home: Home | None, seen: dict[str, tuple[int, float]]
) -> list[str]:
    """End the claims of processes that are certainly gone, or were silent for a whole term as seen from here.

    Args:
        limits: Where the claims are.
        names: Of which limits; all when empty.
        observer: This process.
        home: The home whose locks tell who lives; `None` where there is none.
        seen: What was seen before of processes that cannot be looked up: kept by the caller from look to look.

    Returns:
        Ids of the claims that were let in.
    """
    own, now = observer.encode(), time.monotonic()
    gone: dict[str, int] = {}
    judged: dict[str, bool | None] = {own: False}
    still: set[str] = set()
    for claim in limits.claims(names=names):
        if claim.holder not in judged:
            judged[claim.holder] = _is_dead(Holder.decode(claim.holder), observer, home)
        dead = judged[claim.holder]
        if dead is None:
            still.add(claim.id)
            renewals, since = seen.get(claim.id, (-1, now))
            if renewals != claim.renewals:
                seen[claim.id] = (claim.renewals, now)
            dead = renewals == claim.renewals and now - since >= claim.term
        if dead:
            gone[claim.id] = claim.renewals
    for id in seen.keys() - still:
        del seen[id]
    return limits.end_claims(gone) if gone else []


def _is_dead(holder: Holder, observer: Holder, home: Home | None) -> bool | None:
    """Tell whether a process is dead; `None` where that cannot be told from here."""
    if holder.shares_pids_with(observer) and holder.started:
        return is_gone(holder, observer)
    if home is None or not holder.writer or os.sep in holder.writer:
        return None
    lock = FileLock(home.journals / holder.writer / "lock")
    try:
        # The kernel held it for the process. A folder without a lock is being made, or was never here.
        if not lock.path.exists():
            return None
        free = lock.try_acquire()
    except OSError:
        return None
    lock.release()
    return free
