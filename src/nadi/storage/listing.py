"""Conditions of lists: fixed texts chosen by what was asked for, with every value as a parameter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from nadi.model.runs import RunFilter
from nadi.model.states import StateType

#: Conditions and order, to stand after WHERE, and their parameters.
Where = tuple[str, list[Any]]

#: Characters that are looked for with LIKE; SQLite refuses very long patterns.
_LONGEST_PATTERN = 1_000
_json = msgspec.json.Encoder().encode


class _Conditions:
    def __init__(self) -> None:
        self.texts: list[str] = []
        self.values: list[Any] = []

    def add(self, text: str, *values: Any) -> None:
        self.texts.append(text)
        self.values.extend(values)

    def ordered(self, order: str, limit: int) -> Where:
        return f"{' AND '.join(self.texts) or 'true'} ORDER BY {order} LIMIT ?", [*self.values, limit]


def _add_states(conditions: _Conditions, states: Sequence[StateType]) -> None:
    if states:
        if StateType.COMPLETED not in states:
            # Says nothing new, but opens the index that leaves the many completed ones out.
            conditions.add("state <> 'COMPLETED'")
        conditions.add(f"state IN ({', '.join('?' * len(states))})", *states)


def fits(which: RunFilter, terms: Sequence[str]) -> Where:
    """Conditions alone: flow runs that fit and have these terms."""
    conditions = _Conditions()
    if which.roots_only:
        conditions.add("id = root")
    for term in terms:
        conditions.add("EXISTS (SELECT 1 FROM run_term WHERE term = ? AND run_term.id = flow_run.id)", term)
    if not which.roots_only:
        # Subflow runs have no terms. This leaves out most of those that lack a tag; the caller looks at the rest.
        for tag in (tag for tag in which.tags if len(tag) <= _LONGEST_PATTERN):
            conditions.add("tags LIKE ? ESCAPE '!'", f"%{escape_like(_json(tag).decode())}%")
    if which.flow:
        conditions.add("flow = ?", which.flow)
    if which.holder:
        conditions.add("holder <> '' AND holder = ?", which.holder)
    if which.held:
        conditions.add("holder <> ''")
    _add_states(conditions, which.states)
    if which.since:
        conditions.add("created >= ?", which.since)
    if which.until:
        conditions.add("created < ?", which.until)
    if which.text:
        text, values = has_text(which.text)
        conditions.add(text, *values)
    return " AND ".join(conditions.texts) or "true", conditions.values


def has_text(text: str) -> Where:
    """Conditions alone: flow runs that bear a text."""
    like = f"%{escape_like(text)}%"
    return "(name LIKE ? ESCAPE '!' OR flow LIKE ? ESCAPE '!' OR id LIKE ? ESCAPE '!')", [like, like, like]


def waiting_runs(flows: Sequence[str], *, state: StateType, after: str, limit: int) -> Where:
    """Background runs, which have a call of their own, oldest first."""
    conditions = _Conditions()
    conditions.add("id = root AND call IS NOT NULL")
    _add_states(conditions, (state,))
    conditions.add(f"flow IN ({', '.join('?' * len(flows))})", *flows)
    if after:
        conditions.add("id > ?", after)
    return conditions.ordered("id", limit)


def runs_by_id(prefix: str, *, limit: int) -> Where:
    """Ids that start with `prefix`, newest first."""
    conditions = _Conditions()
    # A range rather than LIKE: it always uses the index. Ids are plain ASCII.
    conditions.add("id >= ? AND id < ?", prefix, prefix + "\x7f")
    return conditions.ordered("id DESC", limit)


def task_runs(root: str, *, run: str, states: Sequence[StateType], after: str, changed_after: int, limit: int) -> Where:
    """By id, or by change."""
    conditions = _Conditions()
    conditions.add("root = ?", root)
    if run:
        conditions.add("run = ?", run)
        if run != root:
            conditions.add("run <> root")
    _add_states(conditions, states)
    if after:
        conditions.add("id > ?", after)
    if changed_after >= 0:
        conditions.add("seq > ?", changed_after)
    return conditions.ordered("seq" if changed_after >= 0 else "id", limit)


def logs(
    root: str, *, run: str, task: str, level: int, limit: int, after: int = 0, before: int = 0, newest: bool = False
) -> Where:
    """In order of arrival, or the newest first."""
    conditions = _Conditions()
    conditions.add("root = ?", root)
    if task:
        conditions.add("task <> '' AND task = ?", task)
    if run:
        conditions.add("run = ?", run)
        if run != root:
            conditions.add("run <> root")
    if level >= 30:
        conditions.add("level >= 30")
    if level:
        conditions.add("level >= ?", level)
    if after:
        conditions.add("seq > ?", after)
    if before:
        conditions.add("seq < ?", before)
    return conditions.ordered("seq DESC" if newest else "seq", limit)


def artifacts(*, root: str, key: str, limit: int, after: str = "", changed_after: int = -1) -> Where:
    """In the order they were made, or by change."""
    conditions = _Conditions()
    if root:
        conditions.add("root = ?", root)
    if key:
        conditions.add("key <> '' AND key = ?", key)
    if after:
        conditions.add("id > ?", after)
    if changed_after >= 0:
        conditions.add("seq > ?", changed_after)
    return conditions.ordered("seq" if changed_after >= 0 else "id", limit)


def metrics(root: str, *, key: str, after: int, limit: int) -> Where:
    """In order of arrival."""
    conditions = _Conditions()
    conditions.add("root = ?", root)
    if key:
        conditions.add("key = ?", key)
    if after:
        conditions.add("seq > ?", after)
    return conditions.ordered("seq", limit)


def escape_like(text: str) -> str:
    """Return text that `LIKE ... ESCAPE '!'` takes literally."""
    for special in "!%_":
        text = text.replace(special, "!" + special)
    return text
