"""Limits for async code: what `nadi.concurrency.sync` does, without ever blocking the event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from nadi.engine.limits import Wanted
from nadi.engine.limits_aio import await_turn, holding_async
from nadi.exceptions import (
    AcquireConcurrencySlotTimeoutError,
    ConcurrencyLeaseLost,
    ConcurrencySlotAcquisitionError,
)


@asynccontextmanager
async def concurrency(
    names: str | Iterable[str],
    occupy: int = 1,
    timeout_seconds: float | None = None,
    max_retries: int | None = None,
    lease_duration: float = 300,
    strict: bool = False,
    holder: Any = None,
    raise_on_lease_renewal_failure: bool | None = None,
) -> AsyncIterator[None]:
    """Hold slots of limits while the body runs: `async with concurrency("database"):`; marks an async function too.

    See `nadi.concurrency.sync.concurrency` for arguments and errors.
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
    async with holding_async(wanted, raise_when_lost=raises):
        yield


async def rate_limit(
    names: str | Iterable[str],
    occupy: int = 1,
    timeout_seconds: float | None = None,
    strict: bool = False,
) -> None:
    """Await the next turn under limits that have a decay; see `nadi.concurrency.sync.rate_limit`."""
    await await_turn(Wanted(names, occupy, timeout_seconds, strict=strict))


__all__ = [
    "AcquireConcurrencySlotTimeoutError",
    "ConcurrencyLeaseLost",
    "ConcurrencySlotAcquisitionError",
    "concurrency",
    "rate_limit",
]
