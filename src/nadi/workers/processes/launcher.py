"""The launcher `process`: each run in a process group of its own on this machine."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from math import inf

from nadi.model.holders import Holder
from nadi.model.text import human_bytes, human_duration
from nadi.storage.home import Home, process_start
from nadi.workers.contract import Claimed, Ended, Event, Exceeded, Job, Launcher, Started
from nadi.workers.endings import told_status
from nadi.workers.processes.channel import Channel, ChildEnded, Forked, Loaded, NotLoaded, Renewed, RunClaimed, RunOver
from nadi.workers.processes.groups import Group, Groups, memory_of
from nadi.workers.processes.pool import Pool
from nadi.workers.processes.warm import Warm

#: Seconds between two looks at the memory of runs that may not have more than so much.
MEMORY_LOOK = 1.0
#: Seconds between two looks at processes of which the kernel gives no handle.
POLL = 0.05
#: Seconds that runs get to end when the launcher is closed, or their zygote is gone.
CLOSING = 5.0
#: prctl(2): who is given the children of processes that have ended.
_SET_CHILD_SUBREAPER = 36


class _Running:
    """One run that was handed to a warm process."""

    def __init__(self, job: Job, warm: Warm, lifeline: Channel) -> None:
        self.job, self.warm, self.lifeline = job, warm, lifeline
        self.group: Group | None = None
        #: A handle of its process once the zygote that forked it is gone; -1 before.
        self.handle = -1
        #: When it has used up its wall time, and when all its processes are killed; monotonic.
        self.deadline = inf
        self.kill_at = inf
        #: Seconds of grace with which it is to be stopped as soon as it has a process; `None` when it is not.
        self.stopping: float | None = None
        #: Whether it said that its run was seen through and that the store knows.
        self.is_told = False
        self.is_over_memory = False


class ProcessLauncher(Launcher):
    """Starts runs by warm processes, and sees to the processes that they become."""

    name = "process"

    def __init__(
        self,
        home: Home,
        holder: Holder,
        *,
        modules: tuple[str, ...] = (),
        is_reaper: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start nothing yet.

        Args:
            home: Where it writes down what it has started.
            holder: This process.
            modules: Modules of Nadi's that every run needs, by name.
            is_reaper: Whether children of this process that nobody knows are to be waited for; see `become_reaper`.
            monotonic: Seconds that never go back, the same in all processes of this machine.
        """
        self._monotonic = monotonic
        self._is_reaper = is_reaper
        self._groups = Groups(home, holder)
        self._pool = Pool(home, holder.writer, modules)
        self._running: dict[str, _Running] = {}
        self._events: deque[Event] = deque()
        self._next_memory_look = 0.0
        self._selector = selectors.DefaultSelector()
        self._woken, self._waker = os.pipe()
        for end in (self._woken, self._waker):
            os.set_blocking(end, False)
        self._selector.register(self._woken, selectors.EVENT_READ, self._was_woken)

    # -- starting --

    def start(self, job: Job) -> None:
        try:
            warm = self._pool.find(job)
        except OSError as error:
            what = f"{job.interpreter} in {job.folder}"
            self._events.append(Ended(job.run, None, f"No process can be started for it: {error.strerror} ({what})."))
            return
        self._attend(warm)
        if warm.is_ready:
            self._begin(job, warm)
        else:
            warm.waiting.append(job)

    def _attend(self, warm: Warm) -> None:
        """Listen to a warm process, if that is not done yet."""
        if warm.control.fileno() in self._selector.get_map():
            return
        self._selector.register(warm.control, selectors.EVENT_READ, lambda: self._hear(warm))
        if warm.handle >= 0:
            self._selector.register(warm.handle, selectors.EVENT_READ, lambda: self._bury(warm))

    def _begin(self, job: Job, warm: Warm) -> None:
        lifeline = warm.begin(job)
        if lifeline is None:  # it ended a moment ago
            warm.is_closed = True
            self.start(job)
            return
        running = _Running(job, warm, lifeline)
        self._running[job.run] = running
        self._selector.register(lifeline, selectors.EVENT_READ, lambda: self._hear_run(running))
        if not warm.is_zygote:
            with contextlib.suppress(OSError):  # then the next run starts one, or says why it cannot
                self._pool.replace(job)
            for other in self._pool:
                self._attend(other)

    # -- watching --

    def watch(self, timeout: float) -> list[Event]:
        if self._events:
            timeout = 0.0
        for key, _ in self._selector.select(max(0.0, min(timeout, self._next_timer()))):
            # What was handled before may have closed this one, and its number may be another one's by now.
            if self._selector.get_map().get(key.fd) is key:
                key.data()
        self._see_to_timers()
        events = list(self._events)
        self._events.clear()
        return events

    def wake(self) -> None:
        with contextlib.suppress(OSError):  # full: then it is awake
            os.write(self._waker, b".")

    def _was_woken(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._woken, 4096)

    def _hear(self, warm: Warm) -> None:
        """Take one message of a warm process."""
        message, _ = warm.control.receive()
        if message is None:
            self._selector.unregister(warm.control)
        elif isinstance(message, Loaded):
            self._has_loaded(warm, message)
        elif isinstance(message, NotLoaded):
            warm.is_closed = True
            self._refuse_waiting(warm, message.why)
        elif isinstance(message, Forked):
            self._has_process(message.run, message.pid)
        elif isinstance(message, ChildEnded):
            self._has_ended(message.run, message.status)

    def _has_loaded(self, warm: Warm, message: Loaded) -> None:
        self._pool.has_loaded(warm, message)
        if warm.is_closed:
            return
        waiting, warm.waiting = list(warm.waiting), deque()
        for job in waiting:
            if warm.is_ready:
                self._begin(job, warm)
            else:  # it was a spare, and has its run
                self.start(job)

    def _has_process(self, run: str, pid: int) -> None:
        running = self._running.get(run)
        if running is None:
            return
        running.group = Group(pid, process_start(pid))
        self._groups.add(run, running.group)
        wall = running.job.resources.wall_seconds
        running.deadline = self._monotonic() + wall if wall else inf
        self._events.append(Started(run, pid))
        if running.stopping is not None:
            self._ask_to_end(running, running.stopping)

    def _hear_run(self, running: _Running) -> None:
        """Take one message of the process of a run."""
        message, _ = running.lifeline.receive()
        if message is None:
            self._selector.unregister(running.lifeline)
        elif isinstance(message, RunClaimed):
            self._events.append(Claimed(running.job.run, message.holder, message.token))
        elif isinstance(message, RunOver):
            running.is_told = message.is_delivered

    def _hear_all(self, channel: Channel, hear: Callable[[], None]) -> None:
        """Take what a process had said before it ended."""
        while channel.fileno() in self._selector.get_map() and _is_readable(channel):
            hear()

    def _has_ended(self, run: str, status: int | None) -> None:
        running = self._running.pop(run, None)
        if running is None:
            return
        self._hear_all(running.lifeline, lambda: self._hear_run(running))
        with contextlib.suppress(KeyError):
            self._selector.unregister(running.lifeline)
        running.lifeline.close()
        running.warm.runs.discard(run)
        self._groups.remove(run)
        self._events.append(Ended(run, status, is_told=running.is_told))

    # -- warm processes that end --

    def _bury(self, warm: Warm) -> None:
        """See to a warm process that has ended, and to the runs that it had."""
        self._hear_all(warm.control, lambda: self._hear(warm))
        for channel in (warm.control, warm.handle):
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(channel)
        said = warm.last_words()
        status = warm.reap()
        self._pool.remove(warm)
        self._refuse_waiting(warm, f"The process that imports its code ended with {told_status(status)}: {said}")
        for run in list(warm.runs):
            if warm.is_zygote:
                self._watch_orphan(self._running[run])
            else:
                self._has_ended(run, status)

    def _refuse_waiting(self, warm: Warm, why: str) -> None:
        while warm.waiting:
            self._events.append(Ended(warm.waiting.popleft().run, None, why))

    def _watch_orphan(self, running: _Running) -> None:
        """Watch the process of a run whose zygote is gone: the kernel asks it to end, and tells when it has."""
        if running.group is None or not running.group.is_alive:
            self._has_ended(running.job.run, None)
            return
        running.handle = os.pidfd_open(running.group.pid)
        self._selector.register(running.handle, selectors.EVENT_READ, lambda: self._bury_orphan(running))
        self._ask_to_end(running, CLOSING)

    def _bury_orphan(self, running: _Running) -> None:
        assert running.group is not None
        self._selector.unregister(running.handle)
        os.close(running.handle)
        status = None
        with contextlib.suppress(ChildProcessError):  # it is our child where we are the reaper of orphans
            status = os.waitstatus_to_exitcode(os.waitpid(running.group.pid, os.WNOHANG)[1])
        self._has_ended(running.job.run, status)

    # -- stopping --

    def stop(self, run: str, *, grace: float) -> None:
        running = self._running.get(run)
        if running is not None:
            if running.group is None:
                running.stopping = grace
            else:
                self._ask_to_end(running, grace)
            return
        for warm in self._pool:
            for job in [job for job in warm.waiting if job.run == run]:
                warm.waiting.remove(job)
                self._events.append(Ended(run, None, "It was stopped before it had a process."))

    def _ask_to_end(self, running: _Running, grace: float) -> None:
        assert running.group is not None
        if running.kill_at == inf and grace > 0:
            running.group.signal(signal.SIGTERM)
        running.kill_at = min(running.kill_at, self._monotonic() + grace)

    def confirm(self, run: str, at: float) -> None:
        running = self._running.get(run)
        if running is not None:
            running.lifeline.send(Renewed(at), wait=False)

    # -- time --

    def _next_timer(self) -> float:
        now = self._monotonic()
        timers = [min(running.kill_at, running.deadline) - now for running in self._running.values()]
        if self._is_reaper or any(running.job.resources.memory_bytes for running in self._running.values()):
            timers.append(self._next_memory_look - now)
        if any(warm.handle < 0 for warm in self._pool):
            timers.append(POLL)
        return min(timers, default=inf)

    def _see_to_timers(self) -> None:
        now = self._monotonic()
        for running in list(self._running.values()):
            if now >= running.kill_at and running.group is not None:
                running.group.signal(signal.SIGKILL)
                running.kill_at = now + 1.0  # a process that the kernel holds may take its time
            if now >= running.deadline:
                running.deadline = inf
                wall = human_duration(running.job.resources.wall_seconds)
                self._events.append(Exceeded(running.job.run, "wall", f"It ran for longer than {wall}"))
        if now >= self._next_memory_look:
            self._next_memory_look = now + MEMORY_LOOK
            self._look_at_memory()
            if self._is_reaper:
                self._reap_orphans()
        for warm in list(self._pool):
            if warm.handle < 0 and warm.process.poll() is not None:
                self._bury(warm)

    def _look_at_memory(self) -> None:
        limited = {
            running.group.pid: run
            for run, running in self._running.items()
            if running.job.resources.memory_bytes and running.group is not None and not running.is_over_memory
        }
        for run, used in (memory_of(limited) if limited else {}).items():
            most = self._running[run].job.resources.memory_bytes
            if used > most:
                self._running[run].is_over_memory = True
                told = f"Its processes used {human_bytes(used)} of memory, and may use {human_bytes(most)}"
                self._events.append(Exceeded(run, "memory", told))

    def _reap_orphans(self) -> None:
        known = {warm.process.pid for warm in self._pool}
        known |= {running.group.pid for running in self._running.values() if running.group is not None}
        with contextlib.suppress(ChildProcessError):
            while (found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is not None:
                if found.si_pid in known:
                    return  # its own handle tells of it
                os.waitpid(found.si_pid, os.WNOHANG)

    # -- the rest of the contract --

    def adopt(self) -> Sequence[Started]:
        self._groups.end_left()
        return ()

    def starts(self) -> dict[str, str]:
        return self._pool.starts()

    def close(self) -> None:
        for warm in self._pool:
            for job in list(warm.waiting):
                self.stop(job.run, grace=0.0)
            warm.retire()
        for run in list(self._running):
            self.stop(run, grace=CLOSING)
        deadline = self._monotonic() + 2 * CLOSING
        while list(self._pool) and self._monotonic() < deadline:
            self._events.extend(self.watch(0.2))
        for warm in self._pool:
            warm.process.kill()
            self._bury(warm)
        self._groups.close()
        self._selector.close()
        os.close(self._woken)
        os.close(self._waker)


def _is_readable(channel: Channel) -> bool:
    with selectors.PollSelector() as one:
        one.register(channel, selectors.EVENT_READ)
        return bool(one.select(0))


def become_reaper() -> bool:
    """Let processes below this one that lose their parent become its children, where the system knows that.

    For a process that is nothing but a worker: it has to wait for all of them then; see `ProcessLauncher`.
    """
    if not sys.platform.startswith("linux"):
        return False
    import ctypes

    return bool(ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
