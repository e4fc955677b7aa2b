"""A worker: brings a store and a launcher together, until it is asked to end.

The thread that serves has the processes, and waits for nothing else. What is to be done at the store has a thread of
its own (`desk`), and so have hearing of changes and renewing leases.
"""

from __future__ import annotations

import logging
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from nadi._version import __version__
from nadi.engine.clock import Clock
from nadi.engine.interrupts import in_main_thread
from nadi.exceptions import CallError, StoreError
from nadi.model.text import one_line, plural
from nadi.model.work import WorkerSeen
from nadi.services.backfills import Backfiller
from nadi.services.reaper import Reaper
from nadi.services.running import Service, Services
from nadi.services.scheduler import Scheduler
from nadi.storage.contract import Store
from nadi.storage.home import Home, this_holder
from nadi.storage.recorder import result_storage
from nadi.storage.settings import Settings
from nadi.workers.contract import Launcher
from nadi.workers.desk import Confirm, Desk, Finished, Order, Start, Stop, Told
from nadi.workers.jobs import Jobs, environment_for
from nadi.workers.leases import Leases, term_of
from nadi.workers.processes.launcher import ProcessLauncher

_log = logging.getLogger("nadi.worker")

#: How many runs a worker takes at once, and the seconds that a run has to end when it is cancelled or stopped.
LIMIT, GRACE = 4, 10.0
#: Seconds that the listener waits for a change at a time, and after the store was away.
HEARING, AGAIN = 5.0, 0.5
#: Seconds between two looks at a database that is a file: nobody tells of its changes.
LOOK = 0.01
#: Seconds that services have to end what they are doing.
SERVICE_GRACE = 5.0
#: Modules that every run needs and that are loaded late; and those by the beginning of the store's URL.
LATE = ("hmac", "resource", "shutil")
LATE_OF = {
    "sqlite:": ("nadi.storage.sqlite",),
    "postgres": ("nadi.storage.postgres",),
    "http": ("nadi.storage.http.store", "nadi.storage.http.results"),
}


class Worker:
    """Takes runs of deployments from one store, starts a process for each, and answers for them."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        *,
        queues: Sequence[str] = (),
        limit: int = LIMIT,
        name: str = "",
        grace: float = GRACE,
        services: Sequence[Service] = (),
        tell: Callable[[str], None] = _log.info,
        is_reaper: bool = False,
    ) -> None:
        """Make a worker, which does nothing yet.

        Args:
            store: Where it takes runs; it stays open.
            settings: The settings by which it was opened, which the processes of its runs get too.
            queues: Only from these; all when empty.
            limit: How many runs at once.
            name: What people call it; "" for the machine's name and its process id.
            grace: Seconds that a run has to end when it was cancelled, or goes beyond a limit, before it is killed.
            services: What runs beside it for as long as it does, each in a thread of its own: see `own_services`.
            tell: Takes a sentence for people, from any of its threads.
            is_reaper: Whether this process is nothing but a worker; see `become_reaper`.

        Raises:
            CallError: the limit or the grace cannot be meant, or the store can be reached by this process alone.
        """
        if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
            raise CallError(f"limit takes a whole number of runs, at least 1, not {limit!r}.")
        if not grace >= 0:
            raise CallError(f"grace takes a number of seconds, 0 or more, not {grace!r}.")
        if store.url.startswith("memory:"):
            raise CallError("A worker starts a process for each run, and no other process can reach a store in memory.")
        self._store, self._settings, self._grace, self._tell = store, settings, grace, tell
        self._home = Home(settings.home)
        self._holder = this_holder(Clock().new_id())
        #: Plain counts and flags: a signal handler may interrupt its own thread in the middle of whatever a lock does.
        self._asked_to_stop = 0
        self._is_over = False
        self._orders: queue.SimpleQueue[Order] = queue.SimpleQueue()
        self._told_starts: dict[str, str] = {}
        #: What the store knows of it.
        self.seen = WorkerSeen(
            holder=self._holder.encode(),
            name=name or f"{self._holder.host}-{self._holder.pid}",
            host=self._holder.host,
            queues=tuple(dict.fromkeys(queues)),
            slots=limit,
            launcher=ProcessLauncher.name,
            started=time.time(),
            program=__version__,
        )
        term = term_of(settings.lease_term)
        results = result_storage(settings, self._home)
        environment = environment_for(store, results, settings, self._home, lease_term=term)
        self._leases = Leases(
            store,
            self.seen.holder,
            term=term,
            on_confirmed=lambda run, at: self._order(Confirm(run, at)),
            on_lost=lambda run: self._desk.lost(run),
        )
        self._desk = Desk(
            store,
            self._home,
            self.seen,
            Jobs(self._home, environment, lease_term=term if store.shared else 0.0),
            self._leases,
            grace=grace,
            order=self._order,
            patience=settings.wait_for_store,
        )
        modules = LATE + next((names for start, names in LATE_OF.items() if store.url.startswith(start)), ())
        self._launcher: Launcher = ProcessLauncher(self._home, self._holder, modules=modules, is_reaper=is_reaper)
        self._services = Services(services)

    def stop(self) -> None:
        """Ask the worker to end, from any thread or a signal handler.

        The first time it takes nothing more, and ends when the last of its runs has. The second time it ends its runs:
        they get the grace to say that they crashed, and are taken up by another worker.
        """
        self._asked_to_stop += 1
        self._launcher.wake()

    def serve(self) -> None:
        """Serve until `stop` is called, and return when all runs have ended.

        In the main thread, SIGTERM and Ctrl-C call it.
        """
        with self._stopped_by_signals():
            self._launcher.adopt()
            self._leases.start()
            self._desk.start()
            self._services.start()
            threading.Thread(target=self._listen, name="nadi-listener", daemon=True).start()
            try:
                self._attend()
            finally:
                self._close()

    # -- in detail --

    def _attend(self) -> None:
        heard = 0
        while not self._is_over:
            if self._asked_to_stop > heard:
                heard += 1
                self._begin_to_end(heard)
            for event in self._launcher.watch(1.0):
                self._desk.happened(event)
            self._obey_orders()
            starts = self._launcher.starts()
            if starts != self._told_starts:
                self._tell_starts(starts)

    def _begin_to_end(self, times: int) -> None:
        if times == 1:
            self._tell("Takes nothing more, and ends with its last run. Ctrl-C once more ends the runs, too.")
            self._desk.drain()
        elif times == 2:
            self._tell("Ends its runs; another worker takes them up.")
            self._desk.stop_all()

    def _obey_orders(self) -> None:
        while True:
            try:
                order = self._orders.get_nowait()
            except queue.Empty:
                return
            if isinstance(order, Start):
                self._launcher.start(order.job)
            elif isinstance(order, Stop):
                self._launcher.stop(order.run, grace=order.grace)
            elif isinstance(order, Confirm):
                self._launcher.confirm(order.run, order.at)
            elif isinstance(order, Told):
                self._tell(order.text)
            elif isinstance(order, Finished):
                self._is_over = True

    def _order(self, order: Order) -> None:
        self._orders.put(order)
        self._launcher.wake()

    def _tell_starts(self, starts: dict[str, str]) -> None:
        for deployment in starts.keys() - self._told_starts.keys():
            self._tell(f"Runs of {one_line(deployment, 80)} are started {starts[deployment]}.")
        self._told_starts = starts
        self._desk.starts(starts)

    def _listen(self) -> None:
        """Tell the desk of changes of the store as they come."""
        seen = -1
        while not self._is_over:
            try:
                newest = self._next_change(seen)
            except StoreError:
                time.sleep(AGAIN)
                continue
            if newest != seen:
                seen = newest
                self._desk.has_news()

    def _next_change(self, seen: int) -> int:
        if not self._store.url.startswith("sqlite:"):
            return self._store.wait_for_change(seen, HEARING)
        while (newest := self._store.last_change()) == seen and not self._is_over:
            time.sleep(LOOK)
        return newest

    def _close(self) -> None:
        self._is_over = True
        self._services.stop(SERVICE_GRACE)
        self._launcher.close()
        self._leases.stop()
        self._desk.stop()
        try:
            self._store.work.worker_ended(self.seen.holder)
        except StoreError as error:
            _log.debug("The store was not told that the worker ended: %s", error)

    @contextmanager
    def _stopped_by_signals(self) -> Iterator[None]:
        if not in_main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
        for number in before:
            signal.signal(number, lambda *_: self.stop())
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def own_services(store: Store, settings: Settings) -> list[Service]:
    """Return what a worker does beside its runs, where it has the store itself and not a server before it."""
    if settings.api_url:
        return []
    home, clock = Home(settings.home), Clock()
    observer = this_holder(clock.new_id())
    results = result_storage(settings, home)
    scheduler, backfiller = Scheduler(store, results, observer, clock=clock), Backfiller(store, results, clock=clock)
    return [scheduler, backfiller, Reaper(store, home, observer)]


def told_worker(seen: WorkerSeen, store: Store) -> str:
    """Return the sentence that says what a worker serves."""
    queues = (
        f"the {'queue' if len(seen.queues) == 1 else 'queues'} {', '.join(seen.queues)}"
        if seen.queues
        else "all queues"
    )
    return f"Worker {one_line(seen.name, 80)} serves {queues} of {store.url}, {plural(seen.slots, 'run')} at once."
