"""Futures: what `.submit` and `.map` hand out, and ways to wait for several."""

from nadi.engine.background import background_future
from nadi.engine.background_futures import BackgroundFuture
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
    "BackgroundFuture",
    "DoneAndNotDone",
    "FutureList",
    "NadiFuture",
    "as_completed",
    "background_future",
    "resolve_futures_to_results",
    "resolve_futures_to_states",
    "wait",
]
