"""Futures: what `.submit` and `.map` hand out, and ways to wait for several."""

from nadi.engine.futures import (
    DoneAndNotDone,
    FutureList,
    NadiFuture,
    as_completed,
    resolve_futures_to_results,
    resolve_futures_to_states,
    wait,
)

__all__ = [
    "DoneAndNotDone",
    "FutureList",
    "NadiFuture",
    "as_completed",
    "resolve_futures_to_results",
    "resolve_futures_to_states",
    "wait",
]
