"""Retry policies: whether to run again, and after how long. Pure: randomness enters by parameter."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import msgspec

from nadi.exceptions import DefinitionError

#: What `retry_delay_seconds` accepts.
Delay = float | Sequence[float] | Callable[[int], Sequence[float]] | None


class RetryPolicy(msgspec.Struct, frozen=True):
    """How often and how soon a failed task or flow is run again."""

    #: Further attempts after the first.
    retries: int = 0
    #: Seconds before each retry; the last one serves for all retries beyond the list.
    delays: tuple[float, ...] = ()
    #: 0 for none; j spreads each delay over [0, delay * (1 + j)] with mean about the delay.
    jitter_factor: float = 0.0

    @classmethod
    def of(cls, retries: int | None, delay: Delay, jitter_factor: float | None, *, owner: str) -> RetryPolicy:
        """Read the decorator's keywords.

        Raises:
            DefinitionError: a count or delay that is negative or not a number; the message names `owner`.
        """
        count = 0 if retries is None else retries
        if isinstance(count, bool) or not isinstance(count, int) or count < 0:
            raise DefinitionError(f"{owner}: retries must be a whole number of at least 0, not {retries!r}.")
        if callable(delay):
            delay = delay(count)
        listed: Sequence[float] = [] if delay is None else [delay] if isinstance(delay, int | float) else list(delay)
        for seconds in listed:
            usable = isinstance(seconds, int | float) and not isinstance(seconds, bool)
            if not usable or not math.isfinite(seconds) or seconds < 0:
                raise DefinitionError(
                    f"{owner}: retry_delay_seconds must be seconds of at least 0 (a number, a list of numbers,"
                    f" or a function of the retry count that gives a list), not {seconds!r}."
                )
        factor = 0.0 if jitter_factor is None else jitter_factor
        if isinstance(factor, bool) or not isinstance(factor, int | float) or not 0 <= factor < math.inf:
            raise DefinitionError(
                f"{owner}: retry_jitter_factor must be a number of at least 0, not {jitter_factor!r}."
            )
        return cls(count, tuple(float(seconds) for seconds in listed), float(factor))

    def delay_before(self, retry: int, chance: float) -> float:
        """Return the seconds to wait before retry number `retry` (1 is the first).

        Args:
            retry: Which retry, counted from 1.
            chance: A number in [0, 1), from the caller's random generator.
        """
        if not self.delays:
            return 0.0
        base = self.delays[min(retry, len(self.delays)) - 1]
        return jittered(base, self.jitter_factor, chance)


def jittered(base: float, factor: float, chance: float) -> float:
    """Spread `base` seconds: exponentially distributed, clamped to [base / (1 + factor), base * (1 + factor)].

    The waiting time between events of a Poisson process, so that many tasks that failed
    together do not all come back together; the clamp keeps it near what the user asked for.
    """
    if not base or not factor:
        return base
    drawn = -math.log(1.0 - chance) * base
    return min(max(drawn, base / (1.0 + factor)), base * (1.0 + factor))


def exponential_backoff(backoff_factor: float) -> Callable[[int], list[float]]:
    """Return a function for `retry_delay_seconds`: the k-th retry (from 0) waits `backoff_factor * 2**k` seconds."""

    def delays(retries: int) -> list[float]:
        return [backoff_factor * 2**k for k in range(min(retries, 50))]

    return delays
