"""Settling: what a worker tells the store of a run whose process has ended."""

from __future__ import annotations

import logging
from collections.abc import Callable
from math import inf

import msgspec

from nadi.exceptions import StoreError
from nadi.model.holders import Holder
from nadi.model.runs import FlowRun
from nadi.model.states import StateType
from nadi.model.text import one_line
from nadi.model.work import Work
from nadi.storage.claiming import is_free
from nadi.storage.contract import Store
from nadi.storage.home import Home
from nadi.storage.leftovers import end_runs_of
from nadi.workers.contract import Claimed, Ended, Exceeded, Job
from nadi.workers.endings import NO_STORE, NOT_OURS, told_end
from nadi.workers.jobs import Jobs

_log = logging.getLogger("nadi.worker")


class Held(msgspec.Struct):
    """Work that this worker has."""

    work: Work
    name: str = ""
    job: Job | None = None
    #: Whether its code is being fetched.
    is_fetching: bool = False
    pid: int = 0
    claimed: Claimed | None = None
    #: Of its limits, the one that it went beyond.
    exceeded: Exceeded | None = None
    #: When it was seen that it is to be cancelled; monotonic.
    cancelled: float = inf
    ended: Ended | None = None


class Settling:
    """Settles the runs of one worker."""

    def __init__(self, store: Store, home: Home, jobs: Jobs, worker: str, *, now: Callable[[], float]) -> None:
        """Settle nothing yet.

        Args:
            store: Where.
            home: This home, where runs of this worker leave their journals.
            jobs: Knows what they printed.
            worker: Text of the worker's Holder.
            now: Unix seconds.
        """
        self._store, self._home, self._jobs, self._worker, self._now = store, home, jobs, worker, now
        self._observer = Holder.decode(worker)

    def settle(self, held: Held) -> str:
        """Tell the store of a run what its process could not; returns what became of it, for people.

        Raises:
            StoreError: the store does not answer; then it is to be called again.
        """
        assert held.ended is not None
        if held.ended.is_told and held.exceeded is None:
            return "has ended."
        try:
            self._end(held, held.ended)
        except OSError as error:
            if isinstance(error, StoreError):
                raise
            _log.warning("What run %s left in its journal is delivered later: %s", held.name, error)
        record = self._store.flow_run(held.work.run)
        return f"is {record.state_name}: {one_line(record.message, 1000)}" if record is not None else "was deleted."

    def _end(self, held: Held, ended: Ended) -> None:
        record = self._store.flow_run(held.work.run)
        if record is None or record.is_final:
            return
        why = told_end(ended, self._jobs.output(record.id), held.exceeded)
        if is_free(record):
            self._end_unclaimed(record, held, ended, why)
        elif self._was_ours(record, held):
            end_runs_of(record.holder, self._home, self._store, now=self._now(), why=why)
            if self._store.shared:
                self._store.leases.release(record.holder)

    def _end_unclaimed(self, record: FlowRun, held: Held, ended: Ended, why: str) -> None:
        """Say of a run that its process never claimed that it crashed, so that it is tried again, and not for ever."""
        seen = held.job.token if held.job is not None else record.token
        if record.token != seen or record.state_type is not StateType.SCHEDULED or ended.status == NOT_OURS:
            return
        if ended.status == NO_STORE:
            self._store.work.give_back(self._worker, [record.id])
        else:
            self._store.end_attempt(
                record.id, token=seen, state=StateType.CRASHED, name="", message=why, now=self._now()
            )

    def _was_ours(self, record: FlowRun, held: Held) -> bool:
        if held.claimed is not None:
            return record.holder == held.claimed.holder
        # It was killed between its claim and telling us of it.
        holder = Holder.decode(record.holder)
        return bool(held.pid) and holder.pid == held.pid and holder.shares_pids_with(self._observer)
