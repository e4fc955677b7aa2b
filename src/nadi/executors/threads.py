"""The thread executor: a bounded pool that starts threads as work comes, and lends the places of those that wait."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue

from nadi.exceptions import DefinitionError
from nadi.executors.contract import Executor, Work

#: Threads at the most, those included whose place is lent because they wait.
MAX_THREADS = 1000


def default_workers() -> int:
    """Return how many threads run tasks when nothing else is said: enough for work that mostly waits for others."""
    return min(32, (os.cpu_count() or 1) + 4)


_here = threading.local()


def own_pool() -> ThreadExecutor | None:
    """Return the executor whose thread this is, or `None`."""
    return getattr(_here, "pool", None)


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
        self._queue: SimpleQueue[Work | None] = SimpleQueue()
        self._lock = threading.Lock()
        #: Threads that exist, and of these those that wait for work and those that wait for another task.
        self._threads: set[threading.Thread] = set()
        self._idle = 0
        self._waiting = 0

    def submit(self, work: Work) -> None:
        self._queue.put(work)
        if self._idle <= self._queue.qsize() - 1 or not self._threads:
            self._start_thread()

    def _start_thread(self) -> None:
        with self._lock:
            places = self.max_workers + self._waiting
            if len(self._threads) >= min(places, self.max_threads):
                return
            if self._idle >= self._queue.qsize() and self._threads:
                return
            thread = threading.Thread(target=self._work, name=f"nadi-task-{len(self._threads) + 1}", daemon=True)
            self._threads.add(thread)
        thread.start()

    def _work(self) -> None:
        own = threading.current_thread()
        queue = self._queue
        _here.pool = self
        while True:
            with self._lock:
                self._idle += 1
            work = queue.get()
            if work is None:
                return
            with self._lock:
                self._idle -= 1
            if work.claim():
                work.run()
            del work
            if own not in self._threads or self._is_surplus(own):
                return

    def _is_surplus(self, own: threading.Thread) -> bool:
        # A place that was lent has been given back, so one thread more than allowed is running.
        if len(self._threads) - self._waiting <= self.max_workers:
            return False
        with self._lock:
            if len(self._threads) - self._waiting <= self.max_workers:
                return False
            self._threads.discard(own)
            return True

    @contextmanager
    def lent_place(self) -> Iterator[None]:
        """While the body runs, the calling thread of the pool only waits: another may take its place.

        So nested submits on a bounded pool cannot deadlock.
        """
        with self._lock:
            self._waiting += 1
        try:
            if not self._queue.empty():
                self._start_thread()
            yield
        finally:
            with self._lock:
                self._waiting -= 1

    def give_up(self, thread: threading.Thread) -> None:
        """Count a thread that cannot be stopped as lost, so that another may take its place."""
        with self._lock:
            self._threads.discard(thread)
        if not self._queue.empty():
            self._start_thread()

    def cancel(self, work: Work) -> bool:
        return False

    def close(self, *, wait: bool) -> None:
        with self._lock:
            threads = list(self._threads)
            self._threads = set()
            queue, self._queue = self._queue, SimpleQueue()
            self._idle = 0
        for _ in threads:
            queue.put(None)
        if wait:
            for thread in threads:
                if thread is not threading.current_thread():
                    thread.join()

    def occupancy(self) -> tuple[int, int | None]:
        return max(0, len(self._threads) - self._idle - self._waiting), self.max_workers
