"""The Store contract: what memory, SQLite, PostgreSQL and HTTP all promise.

A store takes *batches* of journal records, ordered per writer, and answers readers. What a
batch says is applied in one transaction together with the writer's watermark, so a batch
that arrives twice changes nothing, and one that leaves a gap is not applied. The store never
reads a clock and never calls user code; time and ids enter by parameter.

Three rules hold in every store and are part of the statement that writes:

- A record is applied only while its token is the newest claim of its root run; otherwise it
  is *refused as fenced* and kept beside the run as superseded, changing no state.
- A final state never changes within an attempt; a COMPLETED run or task run never changes.
- Of two claimers of one run exactly one wins.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from enum import StrEnum

import msgspec

from nadi.model.records import AnyRecord
from nadi.model.runs import (
    Artifact,
    Attempt,
    Claim,
    FlowRun,
    Log,
    Metric,
    Request,
    RunFilter,
    Superseded,
    TaskRun,
    Variable,
)
from nadi.model.states import StateType
from nadi.storage.contracts.access import AccessTable
from nadi.storage.contracts.assets import AssetTable
from nadi.storage.contracts.cache import CacheTable
from nadi.storage.contracts.deployments import DeploymentTable
from nadi.storage.contracts.events import EventTable
from nadi.storage.contracts.inputs import InputTable
from nadi.storage.contracts.leases import LeaseTable
from nadi.storage.contracts.limits import LimitTable
from nadi.storage.contracts.overview import Overview
from nadi.storage.contracts.result_files import ResultFileTable
from nadi.storage.contracts.retention import RetentionTable
from nadi.storage.contracts.schedules import ScheduleTable
from nadi.storage.contracts.work import WorkTable


class Refusal(StrEnum):
    """Why a record changed nothing."""

    #: Its token is not the newest claim of its run.
    FENCED = "fenced"
    #: Its run was deleted, or never reached the store.
    DELETED = "deleted"
    #: It makes no sense to the store (for example a state that may not follow).
    INVALID = "invalid"


class Batch(msgspec.Struct, frozen=True):
    """Records of one writer, in order, without a gap."""

    #: Id of the process that wrote them.
    writer: str
    #: Number of the first record; a writer counts its records from 1.
    first: int
    records: Sequence[AnyRecord]


class Refused(msgspec.Struct, frozen=True):
    """One record that was set aside."""

    n: int
    #: Root run that the record was about.
    root: str
    token: int
    why: Refusal


class Applied(msgspec.Struct, frozen=True):
    """What became of a batch."""

    #: Number of the last record of this writer that the store has; on a gap, the next batch starts after it.
    watermark: int
    refused: tuple[Refused, ...] = ()


class Ending(msgspec.Struct, frozen=True):
    """How one attempt ends, said from outside; see `Store.end_attempt`."""

    run: str
    token: int
    state: StateType
    message: str
    #: "" for the usual name of the state.
    name: str = ""


class Store(ABC):
    """Where runs are kept. Thread-safe: every method may be called from any thread at any time.

    Every method may raise `StoreUnavailable` (locked for too long, full, unreachable) or its
    subclass `StoreReadOnly`; then nothing was changed.

    Text of any script is kept as it is; only a NUL character may come back as its symbol, `␀`.
    """

    #: Identity of the database itself, made with it; a URL may change, this does not.
    id: str
    #: For people: where this store is, without credentials.
    url: str
    #: Key that signs results; only what was signed with it is ever unpickled.
    signing_key: bytes
    #: What is kept beside runs; each has its contract in `storage/contracts`.
    cache: CacheTable
    result_files: ResultFileTable
    inputs: InputTable
    limits: LimitTable
    events: EventTable
    assets: AssetTable
    access: AccessTable
    leases: LeaseTable
    overview: Overview
    retention: RetentionTable
    deployments: DeploymentTable
    schedules: ScheduleTable
    work: WorkTable
    #: Whether processes of other machines may use it too, so that who records into it has to hold a lease.
    shared: bool = False

    # -- writing --

    @abstractmethod
    def apply(self, batch: Batch) -> Applied:
        """Apply a batch in one transaction, flushed to disk before this returns.

        Records at or below the writer's watermark are known and skipped. A batch whose first
        number is above watermark + 1 is not applied at all: the answer carries the watermark.
        Refused records are set aside and do not stop the others; of the fenced ones, what they said of
        states is kept as superseded.

        Within one claim, `attempt` of a run only grows. A record with a greater one begins a new attempt
        and closes the one before: as it ended, or FAILED when it was running (CRASHED when a new claim takes it
        up). Under a new claim an attempt that had not ended may go on under its number. A task run
        that goes from RUNNING to SCHEDULED has failed in that attempt and waits for the next. Saying a state
        again that stands already is harmless; any other step that may not follow is refused as invalid.
        """

    @abstractmethod
    def watermark(self, writer: str) -> int:
        """Return the number of the last record of `writer` that the store has; 0 when it has none."""

    @abstractmethod
    def forget_writer(self, writer: str) -> None:
        """Drop the watermark of a writer whose journal is delivered and gone."""

    @abstractmethod
    def claim(self, run: str, *, holder: str, now: float, expected_token: int | None = None) -> Claim:
        """Give `run` (a root run) to `holder`: a new attempt, RUNNING is not yet said, the run becomes PENDING.

        A run that is SCHEDULED and never started keeps its attempt: nothing has been tried. One that is suspended
        (PAUSED, and its holder is "") goes on in its attempt. Any other attempt
        that had not ended is closed as CRASHED. The claimer's `FlowRunBegun` of the same attempt fills in the rest.

        Args:
            run: Id of a root run.
            holder: Id of the claiming process.
            now: Unix seconds to write as the time of the claim.
            expected_token: Claim only if the newest token is still this one: what the claimer saw when it
                decided. `None` claims only from a final state, SCHEDULED, or a suspended run.

        Returns:
            The claim; its token is greater than any before it.

        Raises:
            RunNotFound: no such root run.
            RunTaken: it is claimed and not ended, or another claimer was faster.
            RunAlreadyFinished: it is COMPLETED.
        """

    @abstractmethod
    def end_attempt(self, run: str, *, token: int, state: StateType, name: str, message: str, now: float) -> bool:
        """End a dead holder's attempt from outside: the root run, its open subflows and task runs.

        The run becomes `state` (CRASHED, or CANCELLED after a forced cancel); its unfinished
        subflow runs too, its RUNNING task runs CRASHED or CANCELLED likewise, and its task runs
        that had not started CANCELLED (`due` of one that waited for its retry stays). Only if
        `token` is still the newest and the run not final. An empty `name` is the name of the state.
        Requests to the run end with it.

        Returns:
            Whether anything was changed.
        """

    def end_attempts(self, endings: Sequence[Ending], *, now: float) -> list[bool]:
        """End the attempts of many root runs, each as `end_attempt` does; where it saves time, in one transaction.

        Returns:
            Of each, whether anything was changed.
        """
        return [
            self.end_attempt(one.run, token=one.token, state=one.state, name=one.name, message=one.message, now=now)
            for one in endings
        ]

    @abstractmethod
    def ask(self, request: Request) -> None:
        """Leave a request for whoever runs the root run `request.run`; asking twice is asking once.

        Nothing can be asked of a run that is finished or not there: that leaves no request.
        """

    @abstractmethod
    def requests(self, runs: Sequence[str]) -> list[Request]:
        """Return what is asked of these root runs and not yet ended, oldest first."""

    @abstractmethod
    def delete_run(self, run: str, *, now: float) -> bool:
        """Delete a finished root run with all that belongs to it, leaving a tombstone.

        Returns:
            `False` when there is no such run.

        Raises:
            RunTaken: the run is not finished.
        """

    # -- reading --

    @abstractmethod
    def flow_run(self, run: str) -> FlowRun | None:
        """Return the flow run with exactly this id."""

    @abstractmethod
    def find_flow_runs(self, wanted: str, *, limit: int = 10) -> list[FlowRun]:
        """Return flow runs whose id starts with `wanted`, or else whose name equals it, newest first."""

    def flow_runs(self, which: RunFilter, *, limit: int, before: str = "") -> list[FlowRun]:
        """Return flow runs, newest first, at most `limit`, only ids smaller than `before` when given (keyset).

        Looks until it has as many, or at all there are; `overview.page` stops after a bounded number of rows.
        """
        found: list[FlowRun] = []
        while len(found) < limit:
            page = self.overview.page(which, limit=limit - len(found), before=before)
            found += page.runs
            before = page.next
            if not before:
                break
        return found

    @abstractmethod
    def waiting_runs(
        self, flows: Sequence[str], *, state: StateType, after: str = "", limit: int = 1000
    ) -> list[FlowRun]:
        """Return background runs in one state that is not COMPLETED, oldest first: what workers look through.

        A background run is a root run that was asked for by a call of a task, whose function it names.

        Args:
            flows: Names of the tasks.
            state: The state.
            after: Only ids greater than this (keyset).
            limit: The most to return.
        """

    @abstractmethod
    def subflow_runs(self, root: str, *, after: str = "", limit: int = 0) -> list[FlowRun]:
        """Return flow runs below the root run, in the order they were made, without the root itself.

        Args:
            root: The root run.
            after: Only ids greater than this (keyset).
            limit: The most to return; 0 for all.
        """

    @abstractmethod
    def task_run(self, task_run: str) -> TaskRun | None:
        """Return the task run with exactly this id."""

    @abstractmethod
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
        """Return task runs below a root run.

        Args:
            root: The root run.
            run: Only those of this flow run.
            states: Only those in one of these states.
            after: Only ids greater than this (keyset; the order is by id, the order they were made).
            changed_after: Only those whose `seq` is greater; then the order is by `seq`.
            limit: The most to return.
        """

    @abstractmethod
    def recorded_calls(self, root: str) -> Iterator[TaskRun | FlowRun]:
        """Yield every task run and subflow run below a root run, in the order they were made: what resume reads."""

    @abstractmethod
    def attempts(self, run: str) -> list[Attempt]:
        """Return the attempts of a flow run or task run, first one first, the newest included."""

    @abstractmethod
    def earlier_attempts(
        self, root: str, *, run: str = "", after: tuple[str, int] = ("", 0), limit: int = 1000
    ) -> list[Attempt]:
        """Return attempts of task runs below a root run that failed and were tried again, or are to be.

        They are in the order of task run and attempt. The newest attempt of a task run is the task run itself; it is
        among these as well only while it waits to be tried again.

        Args:
            root: The root run.
            run: Only those of task runs of this flow run.
            after: Only what comes after this task run and attempt (keyset).
            limit: The most to return.
        """

    @abstractmethod
    def superseded(self, root: str, *, limit: int = 1000) -> list[Superseded]:
        """Return what fenced writers said of runs below a root run, in order of arrival.

        Only what they said of states is kept, and of each root run only the first thousand.
        """

    @abstractmethod
    def logs(
        self, root: str, *, run: str = "", task: str = "", level: int = 0, after: int = 0, limit: int = 1000
    ) -> list[Log]:
        """Return log lines of a root run in order of arrival, only `seq` greater than `after`."""

    @abstractmethod
    def last_logs(
        self, root: str, *, run: str = "", task: str = "", level: int = 0, before: int = 0, limit: int = 100
    ) -> list[Log]:
        """Return the newest log lines of a root run, oldest of them first, only `seq` smaller than `before`; 0: all."""

    @abstractmethod
    def artifacts(
        self, *, root: str = "", key: str = "", after: str = "", changed_after: int = -1, limit: int = 1000
    ) -> list[Artifact]:
        """Return artifacts of a root run, or of one key over all runs, in the order they were made.

        Args:
            root: Only those of this root run.
            key: Only those of this key.
            after: Only ids greater than this (keyset).
            changed_after: Only those whose `seq` is greater; then the order is by `seq`.
            limit: The most to return.
        """

    @abstractmethod
    def artifact(self, artifact: str) -> Artifact | None:
        """Return the artifact with exactly this id."""

    @abstractmethod
    def metrics(self, root: str, *, key: str = "", after: int = 0, limit: int = 10_000) -> list[Metric]:
        """Return metric values of a root run in order of arrival, only `seq` greater than `after`."""

    @abstractmethod
    def variable(self, name: str) -> Variable | None:
        """Return a variable."""

    @abstractmethod
    def variables(self) -> list[Variable]:
        """Return all variables, by name."""

    @abstractmethod
    def set_variable(self, variable: Variable, *, overwrite: bool) -> bool:
        """Keep a variable; `False` when it exists and `overwrite` is not set."""

    @abstractmethod
    def unset_variable(self, name: str) -> bool:
        """Forget a variable; `False` when there was none."""

    @abstractmethod
    def last_change(self) -> int:
        """Return the newest change sequence; cheap enough to poll. Equal answers mean nothing changed."""

    def wait_for_change(self, after: int, timeout: float) -> int:
        """Wait until the newest change number is greater than `after`, for at most `timeout` seconds; return it.

        Looks 20 times a second; stores that are told of changes do better.
        """
        deadline = time.monotonic() + timeout
        while (newest := self.last_change()) <= after and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(0.05, left))
        return newest

    @abstractmethod
    def counts(self) -> dict[str, int]:
        """Return how many rows of each kind the store holds, for `nadi doctor`."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the store; calling twice is fine."""
