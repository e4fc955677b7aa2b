"""What far processes say of deployments, schedules and work: held to what pages can show and databases can keep."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec

from nadi.exceptions import ValueRefused
from nadi.model.deployments import DeploymentVersion
from nadi.model.names import LONGEST_NAME
from nadi.model.records import FlowRunBegun
from nadi.model.states import StateType
from nadi.model.ticks import BackfillStep, Firing
from nadi.model.work import NewRun
from nadi.storage.http.calls import LATEST
from nadi.storage.http.receiving import checked_record

#: Fields that hold a time, in Unix seconds.
_TIMES = frozenset(
    [
        *("due", "instant", "assigned", "created", "started", "ended"),
        *("cursor", "seen_cursor", "next", "since", "until", "position"),
    ]
)
#: Fields that hold what stands on one line, and is found again by it.
_NAMES = frozenset(["deployment", "queue", "schedule", "backfill", "host", "key", "name", "flow", "launcher", "by"])


def check_arguments(arguments: Mapping[str, Any]) -> None:
    """Refuse what no page could show and not every database would keep, among the arguments of a call.

    Raises:
        ValueRefused: a number is none, a time is none that a calendar has, a name does not fit on a line, or a run does
            not begin as those do that are asked for.
    """
    for name, argument in arguments.items():
        _check_field(name, argument)


def runs_asked_for(arguments: Mapping[str, Any]) -> list[NewRun]:
    """Return the runs among the arguments of a call: asked for by themselves, or for the instants of schedules."""
    found = [one for one in arguments.get("runs", ()) if isinstance(one, NewRun)]
    steps = [*arguments.get("firings", ()), arguments.get("step")]
    ticks = (tick for step in steps if isinstance(step, Firing | BackfillStep) for tick in step.ticks)
    return found + [tick.run for tick in ticks if tick.run is not None]


def _check_field(name: str, value: Any) -> None:
    if name in _TIMES and isinstance(value, int | float) and not 0.0 <= value <= LATEST:
        raise ValueRefused(f"{value!r} is no time in Unix seconds, and {name!r} is one.")
    if name in _NAMES and isinstance(value, str) and (len(value) > LONGEST_NAME or not value.isprintable()):
        raise ValueRefused(
            f"{value[:100]!r} cannot be a {name}: that is at most {LONGEST_NAME} characters on one line."
        )
    _check_value(value)


def _check_value(value: Any) -> None:
    if isinstance(value, NewRun):
        _check_new_run(value)
    elif isinstance(value, DeploymentVersion) and value.spec.name != value.deployment:
        raise ValueRefused(f"A version of {value.deployment[:100]!r} says that it is one of {value.spec.name[:100]!r}.")
    if isinstance(value, msgspec.Struct):
        for field in value.__struct_fields__:
            _check_field(field, getattr(value, field))
    elif isinstance(value, Mapping):
        for inner in value.values():
            _check_value(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check_value(inner)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueRefused(f"{value!r} is no number that JSON has.")


def _check_new_run(new: NewRun) -> None:
    record, work = checked_record(new.record), new.work
    assert isinstance(record, FlowRunBegun)
    begins = (record.root, record.token, record.attempt, record.state, record.parent, record.holder, record.call)
    if begins != (record.id, 1, 1, StateType.SCHEDULED, "", "", None):
        raise ValueRefused(f"Run {record.id} does not begin as SCHEDULED, with token and attempt 1 and held by nobody.")
    if work.run != record.id or work.worker or work.crashes or not work.open:
        raise ValueRefused(f"The work of run {record.id} is that of another run, or has begun before it is asked for.")
