"""Limits for code that is not async; each name has a twin in `nadi.concurrency.asyncio`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from nadi.engine.desks import desk_here
from nadi.engine.limits import Wanted, holding, take_turn
from nadi.engine.resting import rest
from nadi.exceptions import (
    AcquireConcurrencySlotTimeoutError,
    ConcurrencyLeaseLost,
    ConcurrencySlotAcquisitionError,
)


@contextmanager
def concurrency(
    names: str | Iterable[str],
    occupy: int = 1,
    timeout_seconds: float | None = None,
    max_retries: int | None = None,
    lease_duration: float = 300,
    strict: bool = False,
    holder: Any = None,
    raise_on_lease_renewal_failure: bool | None = None,
) -> Iterator[None]:
    """Hold slots of limits while the body runs: `with concurrency("database"):`; marks a function too.

    Who finds no slot free waits in line, first come first served, over threads and processes; it can be cancelled
    and timed out there, and lends its place in the executor meanwhile. A process that dies frees its slots: one of
    this machine within a fraction of a second, one elsewhere once nothing was heard of it for `lease_duration`.

    Args:
        names: One limit or several, of which slots are taken all or none.
        occupy: How many slots of each.
        timeout_seconds: How long to wait at the most; `None` for as long as it takes, 0 not at all.
        max_retries: 0 does not wait. Nobody asks again here, so any other number waits as `None` does.
        lease_duration: Seconds of silence after which processes that cannot look this one up count it as gone.
        strict: Whether a limit that does not exist is an error; else it limits nothing, with one warning.
        holder: What `nadi limits ls` and `nadi why` call the holder; the run when left out.
        raise_on_lease_renewal_failure: Whether the body is interrupted by ConcurrencyLeaseLost when the slots
            were given away since this process was silent for too long; `None` is as `strict`. Else one warning.

    Raises:
        AcquireConcurrencySlotTimeoutError: no slot became free in time.
        ConcurrencySlotAcquisitionError: a limit has fewer slots in all, or is missing and `strict`.
        StoreUnavailable: the limits cannot be reached.
    """
    wanted = Wanted(
        names,
        occupy,
        timeout_seconds,
        strict=strict,
        lease_duration=lease_duration,
        holder=holder,
        wait=max_retries != 0,
    )
    raises = strict if raise_on_lease_renewal_failure is None else raise_on_lease_renewal_failure
    with holding(wanted, raise_when_lost=raises):
        yield


def rate_limit(
    names: str | Iterable[str],
    occupy: int = 1,
    timeout_seconds: float | None = None,
    strict: bool = False,
) -> None:
    """Wait for the next turn under limits that have a decay; exact over threads and processes.

    A limit of `slots` with a decay of `d` gives `slots` turns at once, and `d` turns a second on the average.
    The turn is taken when this is called, and the wait for it known, so a wait that is too long is refused at once.

    Args:
        names: One limit or several; the turn is the first moment that all of them allow.
        occupy: How many turns are used up.
        timeout_seconds: The longest wait; `None` for any.
        strict: Whether a limit that does not exist is an error; else it limits nothing, with one warning.

    Raises:
        AcquireConcurrencySlotTimeoutError: the turn would be later; none was taken.
        ConcurrencySlotAcquisitionError: a limit has no decay, or fewer slots in all, or is missing and `strict`.
    """
    wanted = Wanted(names, occupy, timeout_seconds, strict=strict)
    if wanted.names:
        rest(take_turn(wanted, desk_here()))


__all__ = [
    "AcquireConcurrencySlotTimeoutError",
    "ConcurrencyLeaseLost",
    "ConcurrencySlotAcquisitionError",
    "concurrency",
    "rate_limit",
]
