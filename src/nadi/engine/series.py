"""Metrics as series to draw: by key, thinned out so that the extremes stay."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from nadi.model.runs import FlowRun, Metric, when
from nadi.storage.contract import Store

#: Values that one answer looks at, at most, and how many are read at a time.
WINDOW = 200_000
PIECE = 10_000


class Point(msgspec.Struct, frozen=True, array_like=True):
    """One value: step, value, time."""

    step: int | None
    #: `null` where it was not a finite number.
    value: float
    at: datetime | None


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """The values of one metric, in the order in which they were logged."""

    key: str
    #: How many values were looked at; there are fewer points when they were thinned out.
    count: int
    #: Of the finite ones; `null` when there is none.
    smallest: float | None
    largest: float | None
    #: Of the finite ones, also those that were thinned out; `null` when there is none.
    mean: float | None
    last: float
    points: list[Point]


class SeriesPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some metrics of a run, in the order in which they first appeared."""

    series: list[Series]
    #: Give this as `after` for what was logged later, also for what will only be logged.
    after: int
    #: Whether there is more already.
    more: bool


def series_page(store: Store, run: FlowRun, *, key: str, after: int, points: int) -> SeriesPage:
    """Return the metrics of a flow run; of a root run, those of its subflows too.

    Args:
        store: The store.
        run: The flow run.
        key: Only this metric; all when "".
        after: Only values that arrived after the one with this number.
        points: The most points of each series: of more, the first, the last, and the smallest and largest of each
            stretch are given.
    """
    by_key: dict[str, list[Metric]] = {}
    looked, more = 0, True
    while more and looked < WINDOW:
        piece = store.metrics(run.root, key=key, after=after, limit=PIECE)
        for metric in piece:
            if run.is_root or metric.run == run.id:
                by_key.setdefault(metric.key, []).append(metric)
        after = piece[-1].seq if piece else after
        looked += len(piece)
        more = len(piece) == PIECE
    return SeriesPage(series=[_series(name, found, points) for name, found in by_key.items()], after=after, more=more)


def _series(key: str, values: Sequence[Metric], points: int) -> Series:
    finite = [one.value for one in values if one.value - one.value == 0.0]
    return Series(
        key=key,
        count=len(values),
        smallest=min(finite, default=None),
        largest=max(finite, default=None),
        mean=sum(finite) / len(finite) if finite else None,
        last=values[-1].value,
        points=[
            Point(values[index].step if values[index].step >= 0 else None, values[index].value, when(values[index].at))
            for index in thinned([one.value for one in values], points)
        ],
    )


def thinned(values: Sequence[float], most: int) -> list[int]:
    """Return the places of at most `most` values that show the shape of all: each stretch by its extremes.

    The first and last are among them, and so are the smallest and largest of all. A value that is not a finite number
    stands for its stretch, as one that matters.

    Args:
        values: The values.
        most: At least 4.
    """
    if len(values) <= most:
        return list(range(len(values)))
    inner = len(values) - 2
    stretches = max(1, (most - 2) // 2)
    chosen = {0, len(values) - 1}
    for number in range(stretches):
        start, end = 1 + inner * number // stretches, 1 + inner * (number + 1) // stretches
        places = range(start, end)
        odd = next((place for place in places if values[place] - values[place] != 0.0), None)
        finite = [place for place in places if values[place] - values[place] == 0.0]
        if finite:
            low, high = min(finite, key=values.__getitem__), max(finite, key=values.__getitem__)
            chosen |= {low, high} if odd is None else {odd, high if abs(values[high]) > abs(values[low]) else low}
        elif odd is not None:
            chosen.add(odd)
    return sorted(chosen)
