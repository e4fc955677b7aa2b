"""What a run records of its transactions: that one has committed.

It is a task run of a private task, as recorded values are: so an attempt that goes on finds it by the rules that hold
for every call, and does not commit the same again.
"""

from __future__ import annotations

from functools import cached_property

from nadi.engine.scope import current
from nadi.engine.task_runs import TaskRun
from nadi.model.parameters import Parameters
from nadi.model.runs import TaskRun as TaskRunRecord
from nadi.model.specs import Style, TaskSpec
from nadi.model.states import StateType


class _CommitSpec(TaskSpec, frozen=True, eq=False, kw_only=True, dict=True):
    """A private task; its code has a name instead of a digest, so that an upgrade of Nadi commits nothing again."""

    @cached_property
    def code(self) -> bytes:
        return b"commit"


def _commit() -> None:
    """Stand for a commit; never called."""


_COMMIT = _CommitSpec(
    fn=_commit, name="nadi.transaction", style=Style.SYNC, parameters=Parameters.of(_commit), log_prints=False
)


class CommitRecord:
    """The place in a run where it is recorded that one transaction has committed."""

    def __init__(self, run: TaskRun, taken: TaskRunRecord | None, why: str) -> None:
        self._run = run
        self._taken, self._why = taken, why

    @classmethod
    def next(cls) -> CommitRecord | None:
        """Return the place for the transaction that begins now; `None` outside of runs."""
        scope = current.get()
        if scope is None:
            return None
        run = TaskRun(_COMMIT, scope, {})
        taken, why = run.match_history()
        return cls(run, taken, why)

    @property
    def was_committed(self) -> bool:
        """Whether the transaction has committed, in this attempt of the run or in an earlier one."""
        return self._run.done

    def committed(self) -> None:
        """Record that it has committed."""
        if not self._run.done:
            self._run.begin(StateType.RUNNING, self._taken, self._why)
            self._run.complete(None)
