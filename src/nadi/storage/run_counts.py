"""Counts of root runs: by flow, hour and state, with the time that finished ones took. Kept as differences.

A store that moves a root run from one state to another adds what `RunCounts` says to its counts, in the same
transaction; so nobody ever has to count runs.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from nadi.model.runs import FlowRun
from nadi.model.states import FINAL, StateType
from nadi.storage.contracts.overview import HOUR

#: Stands for all flows together; a flow without a name is counted there only.
ALL_FLOWS = ""

#: Times beyond this are not believed (the year 5138), nor are longer runs.
_LAST = 100_000_000_000.0


class Place(msgspec.Struct, frozen=True):
    """Where a root run counts."""

    flow: str
    hour: int
    state: StateType


class RunCounts:
    """How many more runs there are at each place, or fewer, and how many microseconds more those of it took."""

    def __init__(self) -> None:
        self._found: dict[Place, list[int]] = {}

    def add(self, flow: str, created: float, state: StateType, took: int, n: int = 1) -> None:
        """Count a run in, or out with `n` of -1. `took` is what `took` returned."""
        entry = self._found.setdefault(Place(flow, hour_of(created), state), [0, 0])
        entry[0] += n
        entry[1] += n * took

    def came(self, run: FlowRun) -> None:
        """Count a root run in."""
        self.add(run.flow, run.created, run.state_type, took(run.state_type, run.started, run.ended))

    def went(self, run: FlowRun) -> None:
        """Count a root run out, as it stands."""
        self.add(run.flow, run.created, run.state_type, took(run.state_type, run.started, run.ended), -1)

    def __bool__(self) -> bool:
        return any(any(entry) for entry in self._found.values())

    def by_hour(self) -> Iterator[tuple[str, int, StateType, int, int]]:
        """Flow, hour, state, runs and microseconds, in this order; for all flows together too."""
        found: dict[tuple[str, int, StateType], list[int]] = {}
        for place, (n, microseconds) in self._found.items():
            for flow in {place.flow, ALL_FLOWS}:
                entry = found.setdefault((flow, place.hour, place.state), [0, 0])
                entry[0] += n
                entry[1] += microseconds
        for key, (n, microseconds) in sorted(found.items()):
            if n or microseconds:
                yield (*key, n, microseconds)

    def by_flow(self) -> Iterator[tuple[str, StateType, int, int]]:
        """Flow, state, runs and microseconds, in this order, for flows with a name."""
        found: dict[tuple[str, StateType], list[int]] = {}
        for place, (n, microseconds) in self._found.items():
            if place.flow:
                entry = found.setdefault((place.flow, place.state), [0, 0])
                entry[0] += n
                entry[1] += microseconds
        for key, (n, microseconds) in sorted(found.items()):
            if n or microseconds:
                yield (*key, n, microseconds)


def hour_of(created: float) -> int:
    """Return the beginning of the hour of a time; 0 for a time that makes no sense."""
    return int(created) // HOUR * HOUR if 0.0 < created < _LAST else 0


def took(state: StateType, started: float, ended: float) -> int:
    """Return the microseconds that a finished run took; 0 for one that has not finished, or never started."""
    if state not in FINAL or not started:
        return 0
    seconds = ended - started
    return int(seconds * 1_000_000) if 0.0 < seconds < _LAST else 0
