"""Attempts that are ended from outside, many at once: what of it is the same in every database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from nadi.model.runs import FlowRun
from nadi.model.states import StateType
from nadi.storage.contract import Ending
from nadi.storage.run_counts import RunCounts, took

_NOT_STARTED = (StateType.SCHEDULED, StateType.PENDING)


def may_end(endings: Sequence[Ending], roots: Mapping[str, FlowRun]) -> list[bool]:
    """Tell which endings may happen, given where the runs stand: the token is the newest, and the run is not final.

    Of several endings of one run the first counts.
    """
    answers, ended = [], set()
    for one in endings:
        root = roots.get(one.run)
        answer = (
            root is not None and root.is_root and root.token == one.token and not root.is_final and one.run not in ended
        )
        answers.append(answer)
        if answer:
            ended.add(one.run)
    return answers


def counts_of_runs(endings: Iterable[Ending], roots: Mapping[str, FlowRun], *, now: float) -> RunCounts:
    """Return by how much the counts of root runs change."""
    counts = RunCounts()
    for one in endings:
        root = roots[one.run]
        counts.went(root)
        counts.add(root.flow, root.created, one.state, took(one.state, root.started, now))
    return counts


def counts_of_tasks(
    endings: Iterable[Ending], open_tasks: Iterable[tuple[str, str, str, int]]
) -> dict[tuple[str, str, str], int]:
    """Return by how much the counts of task runs change, by root, flow run and state.

    Args:
        endings: What ends how.
        open_tasks: By root, flow run and state: how many task runs are not final.
    """
    becomes = {one.run: one.state for one in endings}
    counts: dict[tuple[str, str, str], int] = {}
    for root, run, was, n in open_tasks:
        state = StateType.CANCELLED if was in _NOT_STARTED else becomes[root]
        for key, change in (((root, run, str(was)), -n), ((root, run, str(state)), n)):
            counts[key] = counts.get(key, 0) + change
    return counts
