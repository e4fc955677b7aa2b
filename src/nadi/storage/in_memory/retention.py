"""Retention in memory: what is buried goes at once, so that nothing is left to sweep."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from nadi.model.retention import RetentionRule
from nadi.model.runs import FlowRun
from nadi.model.states import StateType
from nadi.storage.contracts.retention import RetentionTable, Size


class MemoryRetentionTable(RetentionTable):
    """See the contract.

    Args:
        roots: Gives all root runs.
        bury: Deletes one root run; `False` when it is not there or has not ended.
        forget: Forgets the tombstones of before a time, at most so many, and tells how many.
        counts: Gives the number of rows of each kind.
    """

    def __init__(
        self,
        *,
        roots: Callable[[], Iterable[FlowRun]],
        bury: Callable[[str, float], bool],
        forget: Callable[[float, int], int],
        counts: Callable[[], dict[str, int]],
    ) -> None:
        self._roots, self._bury, self._forget, self._counts = roots, bury, forget, counts
        self._rules: dict[tuple[str, str], RetentionRule] = {}

    def rules(self) -> list[RetentionRule]:
        return [rule for _, rule in sorted(self._rules.items())]

    def set_rule(self, rule: RetentionRule) -> None:
        self._rules[rule.flow, rule.state or ""] = rule

    def remove_rule(self, flow: str, state: StateType | None) -> bool:
        return self._rules.pop((flow, state or ""), None) is not None

    def ended_runs(self, flow: str, state: StateType, *, before: float, limit: int) -> list[str]:
        fitting = [run for run in self._roots() if run.flow == flow and run.state_type is state and run.is_final]
        ended = sorted((run.ended, run.id) for run in fitting if run.ended < before)
        return [id for _, id in ended[:limit]]

    def bury(self, runs: Sequence[str], *, now: float) -> list[str]:
        return [run for run in dict.fromkeys(runs) if self._bury(run, now)]

    def sweep(self, *, rows: int) -> int:
        return 0

    def forget_tombstones(self, *, before: float, limit: int) -> int:
        return self._forget(before, limit)

    def sizes(self) -> list[Size]:
        return sorted((Size(kind=kind, rows=rows) for kind, rows in self._counts().items()), key=lambda s: -s.rows)
