"""Work: root runs that workers start, from being asked for to their end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from nadi.model.work import Enqueued, NewRun, Queue, Work, WorkerSeen


class WorkTable(ABC):
    """Work by run, queues, and workers. Part of a store; as thread-safe as that, with the same errors.

    It reads no clock.

    Work is *waiting* while its run is SCHEDULED and no worker has it, *due* when its time has come, and *under way*
    while a worker has it. It is under way from `take` on, before the run's own process claims the run. It ends with its
    run, in the transaction that ends that. How many slots of a queue or a deployment are taken is how much of it is
    under way; no number of its own is kept that could go wrong.

    **Crashes.** Wherever a root run ends CRASHED (by what its process said, or by `Store.end_attempts`) and has open
    work, what follows is decided in the same transaction by `nadi.storage.crashes`: its attempt has CRASHED, while the
    run is SCHEDULED again under the name AwaitingResume, without a holder, and its work waits again for any worker,
    due after a delay; or it is not taken up any more and stays CRASHED, dead-lettered where that was once too often.
    """

    # -- runs --

    @abstractmethod
    def enqueue(self, runs: Sequence[NewRun]) -> list[Enqueued]:
        """Record runs and the work that they are, in one transaction; flushed to disk before this returns.

        A run whose id is there already is not made again, and neither is one whose key another run of the deployment
        has: then that is the answer. Readers are woken as by any other change.
        """

    @abstractmethod
    def take(self, worker: str, *, host: str, queues: Sequence[str], now: float, limit: int) -> list[Work]:
        """Give work to a worker: what is due, greatest priority first, then by due time, then by id; at most `limit`.

        Of two workers that ask at the same moment one gets the work. Work is left where it is while

        - its queue is paused, or has all its slots taken;
        - as many runs of its deployment are under way as that allows at once, or any if it is to be `alone`; who is
          behind it in line and of the same deployment waits too;
        - its code is on another machine.

        Args:
            worker: Text of the worker's Holder.
            host: Name of the worker's machine.
            queues: Only from these; all when empty.
            now: Unix seconds, written as `assigned`.
            limit: The most to hand out.
        """

    @abstractmethod
    def give_back(self, worker: str, runs: Sequence[str]) -> list[str]:
        """Let work wait again that a worker has taken and whose runs nobody has claimed since (still SCHEDULED).

        Returns:
            Ids of the runs that wait now.
        """

    @abstractmethod
    def work(self, runs: Sequence[str]) -> dict[str, Work]:
        """Return the work of these root runs, by run; those that are none are left out."""

    @abstractmethod
    def open_work(
        self,
        *,
        deployment: str = "",
        queue: str = "",
        worker: str = "",
        backfill: str = "",
        waiting: bool | None = None,
        limit: int = 1000,
    ) -> list[Work]:
        """Return work that has not ended, in the order in which it is taken, at most `limit`.

        Args:
            deployment: Only of this one.
            queue: Only of this one.
            worker: Only what this worker has.
            backfill: Only what this backfill asked for.
            waiting: Only what waits, or only what is under way.
            limit: The most to return.
        """

    @abstractmethod
    def runs_of(
        self, deployment: str, *, schedule: str = "", backfill: str = "", before: str = "", limit: int = 100
    ) -> list[Work]:
        """Return the work of a deployment, ended or not, newest run first, only runs smaller than `before` (keyset)."""

    @abstractmethod
    def next_due(self, *, after: float) -> float:
        """Return when the next waiting work is due that is not due at `after`; 0 when there is none."""

    # -- queues --

    @abstractmethod
    def queues(self, *, now: float) -> list[Queue]:
        """Return the queues that somebody changed or something open waits in, by name, with what is in them."""

    @abstractmethod
    def set_queue(self, name: str, *, paused: bool, slots: int | None) -> None:
        """Change a queue; one like all others (not paused, without a limit) is forgotten when it is empty."""

    # -- workers --

    @abstractmethod
    def worker_began(self, worker: WorkerSeen) -> None:
        """Write down a worker, or anew what it says of itself."""

    @abstractmethod
    def workers(self) -> list[WorkerSeen]:
        """Return the workers that there are, as far as is known, by name, with how many runs each has."""

    @abstractmethod
    def worker_ended(self, worker: str) -> list[str]:
        """Forget a worker that has ended or is gone; what it took and nobody claimed waits again, in one transaction.

        Runs that were claimed are ended like all runs whose process is gone.

        Returns:
            Ids of the runs that wait again.
        """
