"""Figures: what a scenario measures, and how several goes at one become one."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

import msgspec


class Size(StrEnum):
    """How much of a scenario to run."""

    FULL = "full"
    QUICK = "quick"
    #: Enough to see that it works; its times mean nothing.
    TINY = "tiny"


class Figure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing measured, once or as the median of several goes."""

    what: str
    value: float
    #: us, ms, s, B, MB, or "" for a count.
    unit: str
    #: What the machine itself needs for comparable work, and how much of the same unit that was.
    yardstick: str = ""
    beside: float = 0.0
    #: Median of value / beside over the goes: steadier than both, because a busy machine slows both.
    ratio: float | None = None
    #: The most that it should be.
    budget: float | None = None
    #: Smallest and largest value of the goes.
    least: float | None = None
    most: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether it is within its budget; `None` when it has none."""
        return None if self.budget is None else self.value <= self.budget


def median_of(goes: Sequence[Sequence[Figure]]) -> list[Figure]:
    """Return one figure for each thing measured, the median over the goes."""
    figures = []
    for same in zip(*goes, strict=True):
        values = [figure.value for figure in same]
        ratios = [figure.value / figure.beside for figure in same if figure.beside]
        figures.append(
            msgspec.structs.replace(
                same[0],
                value=statistics.median(values),
                beside=statistics.median(figure.beside for figure in same),
                ratio=statistics.median(ratios) if ratios else None,
                least=min(values),
                most=max(values),
            )
        )
    return figures


class Measured(NamedTuple):
    """Median seconds of two things done in turn."""

    ours: float
    yardstick: float


def in_turn(ours: Callable[[], float], yardstick: Callable[[], float], times: int) -> Measured:
    """Do two things in turn, so that a busy moment of the machine hits both; each returns its seconds."""
    pairs = [(yardstick(), ours()) for _ in range(times)]
    return Measured(statistics.median(pair[1] for pair in pairs), statistics.median(pair[0] for pair in pairs))


def timed(do: Callable[[], object]) -> float:
    """Return how many seconds it takes."""
    begin = time.perf_counter()
    do()
    return time.perf_counter() - begin


def encode(figures: Iterable[Figure]) -> bytes:
    """Write figures as JSON, for the process that asked for them."""
    return msgspec.json.encode(list(figures))


def decode(data: bytes) -> list[Figure]:
    """Read what `encode` wrote."""
    return msgspec.json.decode(data, type=list[Figure])
