"""What the stores over SQL databases share: answering questions about runs. How a query is asked is left to each."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from nadi.model.runs import Artifact, Attempt, FlowRun, Log, Metric, Superseded, TaskRun, Variable
from nadi.model.states import StateType
from nadi.storage import listing
from nadi.storage import run_rows as rows
from nadi.storage.claiming import all_attempts, standing_attempt
from nadi.storage.contract import Store

#: Rows read at a time where everything is read, so that no read transaction lasts and no answer fills the memory.
_PAGE = 1000


class SqlStore(Store):
    """A store whose database has the columns of `migrations/` and a file of queries with the names of `reading.sql`."""

    @abstractmethod
    def _read(self, query: str, *values: Any) -> list[rows.Values]:
        """Return the rows of the query of that name."""

    @abstractmethod
    def _list(self, query: str, which: listing.Where) -> list[rows.Values]:
        """Return the rows of the query of that name for which conditions hold, whose parameters are marked by `?`."""

    def _complete(self, which: listing.Where) -> listing.Where:
        """Narrow a list by change number to what lies before all that a writer may still add."""
        return which

    def watermark(self, writer: str) -> int:
        found = self._read("watermark", writer)
        return int(found[0][0]) if found else 0

    def flow_run(self, run: str) -> FlowRun | None:
        found = self._flow_runs(("id = ?", [run]))
        return found[0] if found else None

    def find_flow_runs(self, wanted: str, *, limit: int = 10) -> list[FlowRun]:
        by_id = self._flow_runs(listing.runs_by_id(wanted, limit=limit))
        return by_id or self._flow_runs(("name = ? ORDER BY id DESC LIMIT ?", [wanted, limit]))

    def waiting_runs(
        self, flows: Sequence[str], *, state: StateType, after: str = "", limit: int = 1000
    ) -> list[FlowRun]:
        # Not every database takes a list of nothing.
        return self._flow_runs(listing.waiting_runs(flows, state=state, after=after, limit=limit)) if flows else []

    def subflow_runs(self, root: str, *, after: str = "", limit: int = 0) -> list[FlowRun]:
        return list(islice(self._pages_of_subflow_runs(root, after, limit or _PAGE), limit or None))

    def task_run(self, task_run: str) -> TaskRun | None:
        found = self._task_runs(("id = ?", [task_run]))
        return found[0] if found else None

    def task_runs(
        self,
        root: str,
        *,
        run: str = "",
        states: Sequence[StateType] = (),
        after: str = "",
        changed_after: int = -1,
        limit: int = 1000,
    ) -> list[TaskRun]:
        which = listing.task_runs(root, run=run, states=states, after=after, changed_after=changed_after, limit=limit)
        return self._task_runs(self._complete(which) if changed_after >= 0 else which)

    def recorded_calls(self, root: str) -> Iterator[TaskRun | FlowRun]:
        # Two streams, each in order of ids: merged, so that the whole is in the order of the calls.
        subflows = self._pages_of_subflow_runs(root)
        subflow = next(subflows, None)
        for task in self._pages_of_task_runs(root):
            while subflow is not None and subflow.id < task.id:
                yield subflow
                subflow = next(subflows, None)
            yield task
        if subflow is not None:
            yield subflow
            yield from subflows

    def attempts(self, run: str) -> list[Attempt]:
        newest = self.flow_run(run) or self.task_run(run)
        closed = [rows.attempt(row) for row in self._read("attempts", run)]
        return closed if newest is None else all_attempts(closed, standing_attempt(newest))

    def earlier_attempts(
        self, root: str, *, run: str = "", after: tuple[str, int] = ("", 0), limit: int = 1000
    ) -> list[Attempt]:
        return [rows.attempt(row) for row in self._read("earlier_attempts", root, *after, run, run, limit)]

    def superseded(self, root: str, *, limit: int = 1000) -> list[Superseded]:
        return [rows.superseded(row) for row in self._read("superseded", root, limit)]

    def logs(
        self, root: str, *, run: str = "", task: str = "", level: int = 0, after: int = 0, limit: int = 1000
    ) -> list[Log]:
        which = listing.logs(root, run=run, task=task, level=level, after=after, limit=limit)
        return [rows.log(row) for row in self._list("logs", which)]

    def last_logs(
        self, root: str, *, run: str = "", task: str = "", level: int = 0, before: int = 0, limit: int = 100
    ) -> list[Log]:
        which = listing.logs(root, run=run, task=task, level=level, before=before, limit=limit, newest=True)
        return [rows.log(row) for row in reversed(self._list("logs", which))]

    def artifacts(
        self, *, root: str = "", key: str = "", after: str = "", changed_after: int = -1, limit: int = 1000
    ) -> list[Artifact]:
        which = listing.artifacts(root=root, key=key, after=after, changed_after=changed_after, limit=limit)
        found = self._list("artifacts", self._complete(which) if changed_after >= 0 else which)
        return [rows.artifact(row) for row in found]

    def artifact(self, artifact: str) -> Artifact | None:
        found = self._list("artifacts", ("id = ?", [artifact]))
        return rows.artifact(found[0]) if found else None

    def metrics(self, root: str, *, key: str = "", after: int = 0, limit: int = 10_000) -> list[Metric]:
        which = listing.metrics(root, key=key, after=after, limit=limit)
        return [rows.metric(row) for row in self._list("metrics", which)]

    def variable(self, name: str) -> Variable | None:
        found = self._list("variables", ("name = ?", [name]))
        return rows.variable(found[0]) if found else None

    def variables(self) -> list[Variable]:
        return [rows.variable(row) for row in self._list("variables", ("true ORDER BY name", []))]

    def last_change(self) -> int:
        return int(self._read("last_change")[0][0])

    def counts(self) -> dict[str, int]:
        kinds = (
            "flow_runs",
            "task_runs",
            "logs",
            "artifacts",
            "metrics",
            "variables",
            "superseded",
            "deleted_runs",
            "writers",
        )
        return dict(zip(kinds, self._read("counts")[0], strict=True))

    def _flow_runs(self, which: listing.Where) -> list[FlowRun]:
        return [rows.flow_run(row) for row in self._list("flow_runs", which)]

    def _task_runs(self, which: listing.Where) -> list[TaskRun]:
        return [rows.task_run(row) for row in self._list("task_runs", which)]

    def _pages_of_task_runs(self, root: str) -> Iterator[TaskRun]:
        after = ""
        while page := self.task_runs(root, after=after, limit=_PAGE):
            yield from page
            after = page[-1].id

    def _pages_of_subflow_runs(self, root: str, after: str = "", size: int = _PAGE) -> Iterator[FlowRun]:
        where = "root = ? AND id <> root AND id > ? ORDER BY id LIMIT ?"
        while page := self._flow_runs((where, [root, after, size])):
            yield from page
            after = page[-1].id
