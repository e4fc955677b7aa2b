"""What a worker does at the store: it takes work, and tells what became of it.

The store may be slow, or away; processes have to be looked after all the same. So this has a thread of its own, and
what goes between it and the thread of the processes goes by two queues. Whatever the store could not be told is told
later, in order.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from math import inf

import msgspec

from nadi.exceptions import LoadError, StoreError
from nadi.model.deployments import DeploymentVersion, FolderSource
from nadi.model.runs import FlowRun
from nadi.model.states import StateType
from nadi.model.work import WorkerSeen
from nadi.storage.claiming import is_free
from nadi.storage.contract import Store
from nadi.storage.home import Home
from nadi.workers.contract import Claimed, Ended, Event, Exceeded, Job, Started
from nadi.workers.jobs import Jobs
from nadi.workers.leases import Leases
from nadi.workers.settling import Held, Settling

_log = logging.getLogger("nadi.worker")

#: Seconds between looks for work where nobody tells of any: what waits may have been held back by a limit.
LOOK = 5.0
#: Seconds between looks at what is asked of the runs under way.
ATTENTION = 1.0
#: Seconds between two tries while the store is away, the first ones and the later ones.
RETRY_FIRST, RETRY_LONGEST = 0.1, 2.0


class Start(msgspec.Struct, frozen=True):
    """Start a run."""

    job: Job


class Stop(msgspec.Struct, frozen=True):
    """End the processes of a run."""

    run: str
    grace: float


class Confirm(msgspec.Struct, frozen=True):
    """The lease of a run was renewed."""

    run: str
    at: float


class Told(msgspec.Struct, frozen=True):
    """What became of a run, for people."""

    text: str


class Finished(msgspec.Struct, frozen=True):
    """Nothing is left to be done at the store."""


Order = Start | Stop | Confirm | Told | Finished


class Desk:
    """Takes work for one worker and settles it."""

    def __init__(
        self,
        store: Store,
        home: Home,
        seen: WorkerSeen,
        jobs: Jobs,
        leases: Leases,
        *,
        grace: float,
        order: Callable[[Order], None],
        patience: float,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take nothing yet.

        Args:
            store: Where.
            home: This home, where runs of this worker leave their journals.
            seen: What the worker says of itself.
            jobs: Makes jobs of work.
            leases: Keeps the leases of the runs.
            grace: Seconds that a run has to end after it was cancelled, and then after it was asked to end.
            order: Takes what is to be done with processes; called in the desk's thread.
            patience: Seconds for which a store that is away is waited for at the end.
            now: Unix seconds.
            monotonic: Seconds that never go back.
        """
        self._store, self._seen, self._jobs, self._leases = store, seen, jobs, leases
        self._settling = Settling(store, home, jobs, seen.holder, now=now)
        self._grace, self._order, self._patience = grace, order, patience
        self._now, self._monotonic = now, monotonic
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._held: dict[str, Held] = {}
        self._ended: deque[Held] = deque()
        self._is_draining = False
        self._is_stopped = False
        self._is_registered = False
        self._looks = True
        self._next_look = 0.0
        self._next_attention = 0.0
        self._pause = 0.0
        self._away_since = inf
        self._thread = threading.Thread(target=self._work, name="nadi-desk", daemon=True)

    # -- for other threads --

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def has_news(self) -> None:
        """Look for work: something in the store has changed."""
        self._inbox.put(self._look)

    def happened(self, event: Event) -> None:
        """Take note of what happened to a run."""
        self._inbox.put(lambda: self._happened(event))

    def lost(self, run: str) -> None:
        """Take note that the lease of a run is gone, or with "" that of the worker."""
        self._inbox.put(lambda: self._lost(run))

    def starts(self, starts: dict[str, str]) -> None:
        """Tell how runs are started here."""
        self._inbox.put(lambda: self._register_as(starts=starts))

    def drain(self) -> None:
        """Take nothing more; `Finished` is ordered when all is settled."""
        self._inbox.put(self._drain)

    def stop_all(self) -> None:
        """End all runs under way, and give back what has no process yet."""
        self._inbox.put(self._stop_all)

    def stop(self) -> None:
        """End the desk's thread."""

        def stop() -> None:
            self._is_stopped = True

        self._inbox.put(stop)
        self._thread.join(timeout=10.0)

    # -- its thread --

    def _work(self) -> None:
        while not self._is_stopped:
            self._take_messages()
            try:
                self._do_what_is_due()
            except StoreError as error:
                self._store_is_away(error)
            except Exception:  # a fault of ours must not leave runs without anybody who looks after them
                _log.exception("The worker met a fault of its own, and goes on.")
                self._pause = RETRY_LONGEST
            else:
                self._store_is_there()
            if self._is_draining and not self._is_stopped and self._is_finished():
                self._is_draining = False
                self._order(Finished())

    def _take_messages(self) -> None:
        try:
            self._inbox.get(timeout=self._wait())()
            while True:
                self._inbox.get_nowait()()
        except queue.Empty:
            return

    def _wait(self) -> float:
        if self._pause:
            return self._pause
        if self._looks and self._has_room():
            return 0.0
        now = self._monotonic()
        timers = [self._next_look - now if self._has_room() else LOOK]
        if any(held.claimed is not None for held in self._held.values()):
            timers.append(self._next_attention - now)
        return max(0.0, min(timers))

    def _do_what_is_due(self) -> None:
        self._register()
        self._settle()
        self._take()
        self._prepare()
        self._look_at_requests()

    def _store_is_away(self, error: StoreError) -> None:
        if self._away_since == inf:
            self._away_since = self._monotonic()
            _log.warning("The worker waits for the store; runs under way go on. %s", error)
        self._pause = min(max(RETRY_FIRST, 2 * self._pause), RETRY_LONGEST)
        self._looks = True

    def _store_is_there(self) -> None:
        if self._away_since != inf:
            _log.warning("The store answers again.")
        self._away_since, self._pause = inf, 0.0

    def _is_finished(self) -> bool:
        if not self._held and not self._ended:
            return True
        # What the store could not be told lies in the journals of the runs; who looks at them next tells it.
        no_process = all(held.ended is not None for held in self._held.values())
        return no_process and self._monotonic() - self._away_since > self._patience

    # -- the worker --

    def _register_as(self, *, starts: dict[str, str] | None = None, draining: bool | None = None) -> None:
        seen = self._seen
        self._seen = msgspec.structs.replace(
            seen,
            starts=seen.starts if starts is None else starts,
            draining=seen.draining if draining is None else draining,
        )
        self._is_registered = False

    def _register(self) -> None:
        if not self._is_registered:
            self._store.work.worker_began(self._seen)
            self._is_registered = True

    def _drain(self) -> None:
        self._is_draining = True
        self._register_as(draining=True)

    def _stop_all(self) -> None:
        self._drain()
        for run, held in self._held.items():
            if held.ended is None:
                self._order(Stop(run, self._grace))

    # -- taking --

    def _look(self) -> None:
        self._looks = True

    def _has_room(self) -> bool:
        return not self._is_draining and len(self._held) < self._seen.slots and not self._leases.is_over()

    def _take(self) -> None:
        now = self._monotonic()
        if not self._has_room() or not (self._looks or now >= self._next_look):
            return
        self._looks, self._next_look = False, now + LOOK
        table, wall = self._store.work, self._now()
        # A question is cheaper than a transaction, and most changes of a store are none of ours.
        first = table.next_due(after=0.0)
        if not first:
            return
        if first <= wall:
            room = self._seen.slots - len(self._held)
            taken = table.take(self._seen.holder, host=self._seen.host, queues=self._seen.queues, now=wall, limit=room)
            self._held |= {work.run: Held(work) for work in taken}
            first = table.next_due(after=wall)
        if first > wall:
            self._next_look = min(self._next_look, now + first - wall)

    def _prepare(self) -> None:
        """Hand over what was taken and has not been: those whose code is here at once."""
        for held in list(self._held.values()):
            if held.job is not None or held.is_fetching or held.ended is not None:
                continue
            if self._is_draining:
                self._store.work.give_back(self._seen.holder, [held.work.run])
                del self._held[held.work.run]
                continue
            record = self._store.flow_run(held.work.run)
            version = self._jobs.version(self._store, held.work)
            if record is None or version is None or not is_free(record) or record.is_final:
                # Deleted or cancelled meanwhile; what has ended counts no more.
                self._store.work.give_back(self._seen.holder, [held.work.run])
                del self._held[held.work.run]
                continue
            held.name = record.name
            if isinstance(version.spec.source, FolderSource):
                self._hand_over(held, record, version)
            else:
                held.is_fetching = True
                threading.Thread(
                    target=self._hand_over, args=(held, record, version), name="nadi-fetch", daemon=True
                ).start()

    def _hand_over(self, held: Held, record: FlowRun, version: DeploymentVersion) -> None:
        try:
            job = self._jobs.make(held.work, record, version)
        except LoadError as error:
            self.happened(Ended(held.work.run, None, str(error)))
            return
        held.job = job
        self._order(Start(job))

    # -- what happens to runs --

    def _happened(self, event: Event) -> None:
        held = self._held.get(event.run)
        if held is None:
            return
        if isinstance(event, Started):
            held.pid = event.pid
        elif isinstance(event, Claimed):
            held.claimed = event
            self._leases.add(event.run, event.holder)
        elif isinstance(event, Exceeded):
            self._has_exceeded(held, event)
        else:
            held.ended = event
            self._leases.remove(event.run)
            self._ended.append(held)
            self._looks = True

    def _has_exceeded(self, held: Held, event: Exceeded) -> None:
        held.exceeded = event
        if event.what == "memory":  # at once, as the kernel would: more memory may not be there
            self._order(Stop(event.run, 0.0))
            return
        if held.claimed is not None:
            message = f"{event.told}, which is as long as its deployment lets it run."
            try:
                # Before its process is ended: that would say that the run crashed, and it would be taken up again.
                self._store.end_attempt(
                    event.run,
                    token=held.claimed.token,
                    state=StateType.FAILED,
                    name="TimedOut",
                    message=message,
                    now=self._now(),
                )
            except StoreError as error:
                _log.warning("Run %s is ended without the store being told why: %s", held.name, error)
        self._order(Stop(event.run, self._grace))

    def _lost(self, run: str) -> None:
        if not run:
            _log.warning("Nothing was heard of this worker for too long: others took it for gone. It begins anew.")
            self._is_registered = False
            lost = [held for held in self._held.values() if held.claimed is None]
            self._next_attention = 0.0
        else:
            lost = [held] if (held := self._held.get(run)) is not None else []
        for held in lost:
            if held.ended is None:
                self._inbox.put(lambda held=held: self._end_if_lost(held))  # type: ignore[misc]

    def _end_if_lost(self, held: Held) -> None:
        """End the processes of a run that is not this worker's any more."""
        try:
            record = self._store.flow_run(held.work.run)
        except StoreError:
            self._inbox.put(lambda: self._end_if_lost(held))
            return
        claimed = held.claimed
        if held.ended is not None or (record is not None and claimed is not None and record.token == claimed.token):
            return
        _log.warning("Run %s is another worker's by now, as nothing was heard of this one; it is ended.", held.name)
        self._order(Stop(held.work.run, 1.0))

    def _look_at_requests(self) -> None:
        """See that runs end which somebody cancelled: they hear of it by themselves, and may be deaf."""
        now = self._monotonic()
        if now < self._next_attention:
            return
        self._next_attention = now + ATTENTION
        running = {run: held for run, held in self._held.items() if held.claimed is not None and held.ended is None}
        self._jobs.cut_outputs(list(running))
        if not running:
            return
        asked = {request.run for request in self._store.requests(list(running)) if request.kind == "cancel"}
        for run in asked:
            held = running[run]
            held.cancelled = min(held.cancelled, now)
            if now >= held.cancelled + self._grace:
                self._order(Stop(run, self._grace))

    # -- settling --

    def _settle(self) -> None:
        while self._ended:
            held = self._ended[0]
            told = self._settling.settle(held)
            self._order(Told(f"{held.name or held.work.run} ({held.work.deployment}) {told}"))
            self._ended.popleft()
            self._held.pop(held.work.run, None)
