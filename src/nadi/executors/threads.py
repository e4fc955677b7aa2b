"""The thread executor: a bounded pool that starts threads as work comes, and lends the places of those that wait."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from queue import SimpleQueue

from nadi.exceptions import DefinitionError
from nadi.executors.contract import Executor, Work
from nadi.storage.shield import untorn

#: Threads at the most, those included whose place is lent because they wait.
MAX_THREADS = 1000


def default_workers() -> int:
    """Return how many threads run tasks when nothing else is said: enough for work that mostly waits for others."""
    return min(32, (os.cpu_count() or 1) + 4)


_here = threading.local()


def own_pool() -> ThreadExecutor | None:
    """Return the executor whose thread this is, or `None`."""
    return getattr(_here, "pool", None)


def stand_in_for(pool: ThreadExecutor | None) -> None:
    """Let this thread stand in for a thread of `pool` that waits for it: its place is this one's to lend."""
    _here.pool = pool


def place_lent() -> AbstractContextManager[None]:
    """While the body runs, this thread only waits: if it has a place in a pool, another may take it."""
    pool = own_pool()
    return pool.lent_place() if pool is not None else nullcontext()


class ThreadExecutor(Executor):
    """Runs work in threads of this process: fast, shares memory, and cannot kill what blocks."""

    name = "thread"

    def __init__(self, max_workers: int | None = None, *, max_threads: int = MAX_THREADS) -> None:
        """Describe the pool; threads start when work comes.

        Args:
            max_workers: How many tasks run at once. Default: number of processors + 4, at most 32.
            max_threads: The most threads, counting those that only wait for other tasks.

        Raises:
            DefinitionError: `max_workers` is not a number of at least 1.
        """
        if max_workers is not None and (not isinstance(max_workers, int) or max_workers < 1):
            raise DefinitionError(f"max_workers must be a whole number of at least 1, not {max_workers!r}.")
        self.max_workers = max_workers or default_workers()
        self.max_threads = max_threads
        self._lock = threading.Lock()
        self._queue: SimpleQueue[Work | None] = SimpleQueue()
        self._threads: set[threading.Thread] = set()
        self._given_up: set[threading.Thread] = set()
        #: Threads that are free, less the work in the queue: below zero, work waits for a place.
        self._free = 0
        #: Threads that wait for another task.
        self._waiting = 0

    def submit(self, work: Work) -> None:
        with self._lock:
            self._free -= 1
            thread = self._another_thread()
            self._queue.put(work)
        if thread is not None:
            with untorn():
                thread.start()

    def _another_thread(self) -> threading.Thread | None:
        # Under the lock. Returns a thread to start if work waits and there is a place for it.
        count = len(self._threads)
        if self._free >= 0 or count >= self.max_workers + self._waiting or count >= self.max_threads:
            return None
        self._free += 1
        name = f"nadi-task-{count + 1}"
        thread = threading.Thread(target=self._work, args=(self._queue,), name=name, daemon=True)
        self._threads.add(thread)
        return thread

    def _work(self, queue: SimpleQueue[Work | None]) -> None:
        own = threading.current_thread()
        _here.pool = self
        while (work := queue.get()) is not None:
            if work.claim():
                work.run()
            del work
            with self._lock:
                if own in self._given_up:
                    self._given_up.discard(own)
                    return  # another has its place
                if queue is self._queue:  # else the pool was closed: what is left is done, then the thread ends
                    if len(self._threads) - self._waiting > self.max_workers:
                        # A place that was lent has been given back.
                        self._threads.discard(own)
                        return
                    self._free += 1

    @contextmanager
    def lent_place(self) -> Iterator[None]:
        """While the body runs, the calling thread of the pool only waits: another may take its place.

        So nested submits on a bounded pool cannot deadlock.
        """
        self._lend(1)
        try:
            yield
        finally:
            self._lend(-1)

    def _lend(self, change: int) -> None:
        # Python 3.11 raises what interrupts a thread that starts another one in the new one: that dies, and the one
        # that waits for it to begin waits for ever.
        with untorn():
            with self._lock:
                self._waiting += change
                thread = self._another_thread()
            if thread is not None:
                thread.start()

    def give_up(self, thread: threading.Thread) -> None:
        """Count a thread that cannot be stopped as lost, so that another may take its place."""
        with self._lock:
            if thread not in self._threads:
                return
            self._threads.discard(thread)
            self._given_up.add(thread)
        self._lend(0)

    def cancel(self, work: Work) -> bool:
        return False

    def close(self, *, wait: bool) -> None:
        with self._lock:
            threads, queue = self._threads, self._queue
            self._queue, self._threads, self._free = SimpleQueue(), set(), 0
        for _ in threads:
            queue.put(None)
        if wait:
            for thread in threads:
                if thread is not threading.current_thread():
                    thread.join()

    def occupancy(self) -> tuple[int, int | None]:
        with self._lock:
            return max(0, len(self._threads) - max(0, self._free) - self._waiting), self.max_workers
