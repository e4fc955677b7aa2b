"""Between rows of the database and values of the model: as in SQLite, since the columns are the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from nadi.storage.fold import FlowRow, TaskRow
from nadi.storage.run_rows import (
    STATES,
    Values,
    brief_flow_run,
    closed_attempt,
    flow_run,
    moved_task_run,
    new_task_run,
    pack_texts,
    request,
)
from nadi.storage.run_rows import moved_flow_run as _moved_flow_run
from nadi.storage.run_rows import new_flow_run as _new_flow_run

__all__ = [
    "LONGEST_INDEXED",
    "Values",
    "brief_flow_run",
    "closed_attempt",
    "flow_run",
    "indexable",
    "measured",
    "moved_flow_run",
    "moved_task_run",
    "new_flow_run",
    "new_task_run",
    "pack_texts",
    "request",
    "standing_flow",
    "standing_task",
    "summed",
]

#: Characters of a name or key that are kept: an entry of an index has room for 2,704 bytes, and for two of them. Names
#: that Nadi gives or takes are shorter; a longer one comes from a program that speaks to the store by itself.
LONGEST_INDEXED = 300


#: A kind of count; states are text too.
_Kind = TypeVar("_Kind", bound=str)


def indexable(text: str) -> str:
    """Return a name or key as an index can take it."""
    return text[:LONGEST_INDEXED]


def measured(value: float) -> float | None:
    """Return the value of a metric as it is kept: NULL stands for "not a number", as in SQLite."""
    return None if value != value else value


def new_flow_run(row: FlowRow, seq: int) -> Values:
    """Return the parameters of `put_flow_runs`."""
    values = _new_flow_run(row, seq)
    return (*values[:3], indexable(values[3]), indexable(values[4]), *values[5:])


def moved_flow_run(row: FlowRow, seq: int) -> Values:
    """Return the parameters of `move_flow_runs`."""
    values = _moved_flow_run(row, seq)
    return (*values[:11], indexable(values[11]), *values[12:])


def standing_flow(row: Values) -> FlowRow:
    """Return where a flow run stands from a row of `flows_stand`."""
    id, root, run, attempt, token, state, *rest = row
    return FlowRow(id, root, run, attempt, token, STATES[state], *rest)


def standing_task(row: Values) -> TaskRow:
    """Return where a task run stands from a row of `tasks_stand`."""
    id, root, run, attempt, token, state, *rest = row
    return TaskRow(id, root, run, attempt, token, STATES[state], *rest)


def summed(counts: Mapping[tuple[str, str, _Kind], int]) -> list[tuple[str, str, str, int]]:
    """Return counts by root, flow run and kind, each flow run and kind once: one statement changes no row twice."""
    found: dict[tuple[str, str], tuple[str, str, str, int]] = {}
    for (root, run, kind), n in counts.items():
        there = found.get((run, kind))
        found[run, kind] = (root, run, kind, n + (there[3] if there else 0))
    return list(found.values())
