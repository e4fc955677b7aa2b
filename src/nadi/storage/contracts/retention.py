"""Removing old runs in small steps that never keep writers waiting."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import msgspec

from nadi.model.retention import RetentionRule
from nadi.model.states import StateType


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How much one kind of record takes."""

    #: Name of the kind, such as `task_run` or `log`.
    kind: str
    rows: int
    #: Bytes on disk with its indexes; -1 where that cannot be told.
    size_bytes: int = -1


class RetentionTable(ABC):
    """Part of a store; as thread-safe as that, with the same errors."""

    @abstractmethod
    def rules(self) -> list[RetentionRule]:
        """Return the rules, by flow and state."""

    @abstractmethod
    def set_rule(self, rule: RetentionRule) -> None:
        """Keep a rule, in place of the one for the same flow and state."""

    @abstractmethod
    def remove_rule(self, flow: str, state: StateType | None) -> bool:
        """Forget a rule; `False` when there was none."""

    @abstractmethod
    def ended_runs(self, flow: str, state: StateType, *, before: float, limit: int) -> list[str]:
        """Return ids of root runs of a flow in a final state that ended before this time, the first to end first."""

    @abstractmethod
    def bury(self, runs: Sequence[str], *, now: float) -> list[str]:
        """Delete finished root runs, and leave what belongs to them to `sweep`.

        In one short transaction; each leaves a tombstone. The flow runs are gone for every reader at once, and so are
        their counts; rows below them until they are swept. Runs that are not finished, or not there, are left alone.

        Returns:
            The runs that were buried.
        """

    @abstractmethod
    def sweep(self, *, rows: int) -> int:
        """Remove at most about `rows` rows of what buried runs left, in one transaction; returns how many.

        0 says that nothing is left to sweep.
        """

    @abstractmethod
    def forget_tombstones(self, *, before: float, limit: int) -> int:
        """Forget tombstones of runs deleted before this time whose files are collected; returns how many."""

    def fold_counts(self, *, rows: int) -> int:
        """Fold counts that several writers keep side by side into one row each; returns how many rows went."""
        return 0

    @abstractmethod
    def sizes(self) -> list[Size]:
        """Return the size of each kind of record, largest first. Counts all rows: takes long on a large store."""
