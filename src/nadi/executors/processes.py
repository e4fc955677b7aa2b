"""The process executor: tasks in child processes, whose timeouts and cancellations truly kill.

Children are started anew, never forked, so they hold no lock, thread or connection of ours.
A child that is killed, or that kills itself, costs one attempt of one task; the next task
gets a fresh one.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import time
from queue import SimpleQueue

import msgspec

from nadi.exceptions import CancelledRun, CrashedRun, DefinitionError, TimedOut
from nadi.executors.child import Start, read_frame, write_frame
from nadi.executors.contract import Executor, Work
from nadi.storage.home import working_folder

#: What a child calls for each parcel.
RUNNER = "nadi.engine.remote:run_parcel"
_MAIN = "import sys; from nadi.executors.child import serve; serve(int(sys.argv[1]), int(sys.argv[2]))"
#: Seconds that a child may take to start.
START_TIMEOUT = 60.0


class _Child:
    """One child process with its two pipes."""

    def __init__(self) -> None:
        import subprocess  # 3 ms, needed only where processes are started

        self._took_too_long = subprocess.TimeoutExpired
        commands_in, self.commands = os.pipe()
        self.answers, answers_out = os.pipe()
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-c", _MAIN, str(commands_in), str(answers_out)],
                pass_fds=(commands_in, answers_out),
                # A group of its own: killing it reaches what the task started, and Ctrl-C in the
                # terminal reaches the parent alone, which decides.
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            )
        finally:
            os.close(commands_in)
            os.close(answers_out)
        start = Start(RUNNER, list(sys.path), working_folder())
        write_frame(self.commands, msgspec.msgpack.encode(start))
        self._poll = select.poll()
        self._poll.register(self.answers, select.POLLIN)
        self._open = True

    def read(self, deadline: float | None) -> tuple[str, bytes] | None:
        """Return the next message, or `None` when the child is gone.

        Raises:
            TimeoutError: the deadline has passed first.
        """
        while not self._has_answer(min(1.0, deadline - time.monotonic()) if deadline is not None else 1.0):
            if deadline is not None and time.monotonic() >= deadline:
                raise TimeoutError
            # What the task started may hold the pipe open after the child itself has died.
            if self.process.poll() is not None and not self._has_answer(0.0):
                return None
        frame = read_frame(self.answers)
        return None if frame is None else (frame[:8].decode("ascii").rstrip(), frame[8:])

    def _has_answer(self, seconds: float) -> bool:
        return bool(self._poll.poll(max(0.0, seconds) * 1000))

    def kill(self) -> None:
        """End the child and what it started, at once, and let go of its pipes."""
        self.signal_group()
        self.process.wait()
        self._close_pipes()

    def _close_pipes(self) -> None:
        if self._open:
            self._open = False
            os.close(self.commands)
            os.close(self.answers)

    def signal_group(self) -> None:
        """Kill the child and what it started; whoever tends it sees its pipe close."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            self.process.kill()

    def close(self) -> None:
        """Let go of the child: it ends by itself when its pipe closes."""
        self._close_pipes()
        try:
            self.process.wait(timeout=2.0)
        except self._took_too_long:
            self.signal_group()
            self.process.wait()


class ProcessExecutor(Executor):
    """Runs work in child processes of this machine."""

    name = "process"
    runs_here = False

    def __init__(self, max_workers: int | None = None) -> None:
        """Describe the pool; processes start when work comes.

        Args:
            max_workers: How many processes run tasks at once. Default: number of processors.

        Raises:
            DefinitionError: `max_workers` is not a number of at least 1, or this system has no process groups.
        """
        if max_workers is not None and (not isinstance(max_workers, int) or max_workers < 1):
            raise DefinitionError(f"max_workers must be a whole number of at least 1, not {max_workers!r}.")
        if not hasattr(os, "killpg"):
            raise DefinitionError("executor='process' needs process groups, which this system does not have.")
        self.max_workers = max_workers or os.cpu_count() or 1
        self._lock = threading.Lock()
        self._queue: SimpleQueue[Work | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        #: Threads that are free, less the work in the queue: below zero, work waits for a place.
        self._free = 0
        #: The child that each running work is in.
        self._running: dict[Work, _Child] = {}
        self._cancelled: set[Work] = set()

    def submit(self, work: Work) -> None:
        thread = None
        with self._lock:
            self._free -= 1
            count = len(self._threads)
            if self._free < 0 and count < self.max_workers:
                self._free += 1
                name = f"nadi-child-{count + 1}"
                thread = threading.Thread(target=self._tend, args=(self._queue,), name=name, daemon=True)
                self._threads.append(thread)
            self._queue.put(work)
        if thread is not None:
            thread.start()

    def _tend(self, queue: SimpleQueue[Work | None]) -> None:
        # One thread tends one child: it ships parcels, hands on what comes back, and kills it when it must.
        child: _Child | None = None
        while (work := queue.get()) is not None:
            if work.claim():
                child = self._run(work, child)
            del work
            with self._lock:
                if queue is self._queue:
                    self._free += 1
        if child is not None:
            child.close()

    def _run(self, work: Work, child: _Child | None) -> _Child | None:
        """Run one work; returns the child if it can serve again."""
        try:
            parcel = work.parcel()
        except BaseException as error:
            work.lost(error)
            return child
        if parcel is None:
            return child
        try:
            if child is not None and child.process.poll() is not None:
                child.kill()
                child = None
            if child is None:
                child = self._start_child()
        except BaseException as error:
            work.lost(error)
            return None
        with self._lock:
            self._running[work] = child
        work.begun(f"process {child.process.pid}")
        deadline = None if work.timeout is None else time.monotonic() + work.timeout
        try:
            write_frame(child.commands, parcel)
            del parcel
            return self._follow(work, child, deadline)
        except OSError:  # the pipe broke
            self._lose(work, child)
            return None
        finally:
            with self._lock:
                self._running.pop(work, None)
                self._cancelled.discard(work)

    def _start_child(self) -> _Child:
        child = _Child()
        try:
            ready = child.read(time.monotonic() + START_TIMEOUT)
        except TimeoutError:
            ready = None
        if ready is None:
            child.kill()
            raise CrashedRun("The child process for the task did not start; see its messages on standard error.")
        return child

    def _follow(self, work: Work, child: _Child, deadline: float | None) -> _Child | None:
        while True:
            try:
                message = child.read(deadline)
            except TimeoutError:
                child.kill()
                work.lost(TimedOut("It was killed after its timeout."))
                return None
            if message is None:
                self._lose(work, child)
                return None
            kind, body = message
            if kind == "told":
                work.told(body)
            elif kind == "ended":
                with self._lock:
                    self._running.pop(work, None)
                work.ended(body)
                return child

    def _lose(self, work: Work, child: _Child) -> None:
        child.kill()
        with self._lock:
            cancelled = work in self._cancelled
        if cancelled:
            work.lost(CancelledRun("It was cancelled and its process killed."))
        else:
            work.lost(CrashedRun(f"Its process ended without an answer ({_how(child.process.returncode)})."))

    def cancel(self, work: Work) -> bool:
        with self._lock:
            child = self._running.get(work)
            if child is None:
                return False
            self._cancelled.add(work)
            child.signal_group()
        return True

    def close(self, *, wait: bool) -> None:
        with self._lock:
            threads, queue = self._threads, self._queue
            self._queue, self._threads, self._free = SimpleQueue(), [], 0
            children = [] if wait else list(self._running.values())
        for child in children:
            child.signal_group()
        for _ in threads:
            queue.put(None)
        for thread in threads:
            thread.join(timeout=None if wait else 10.0)

    def occupancy(self) -> tuple[int, int | None]:
        return len(self._running), self.max_workers


def _how(status: int | None) -> str:
    if status is None or status >= 0:
        return f"exit status {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"
