"""A warm process as its worker sees it: it has imported the flow of one version of a deployment, and waits."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from nadi.storage.printed import end_of, last_line
from nadi.workers.contract import Job
from nadi.workers.processes.channel import Channel, Load, Loaded, Message, Retire, Run, SeenFile, seen

if TYPE_CHECKING:
    from pathlib import Path

#: The program.
PROGRAM = "nadi.workers.processes.zygote"


class Key(NamedTuple):
    """Runs with equal keys can be begun by the same process."""

    deployment: str
    version: int
    folder: str
    interpreter: str


def key_of(job: Job) -> Key:
    """Return which processes can begin a job."""
    return Key(job.deployment, job.version, job.folder, job.interpreter)


class Warm:
    """One warm process: a zygote, which forks for each run, or a spare, which is used for one."""

    def __init__(self, job: Job, printed: Path, modules: tuple[str, ...]) -> None:
        """Start a process that can begin this job, and others like it; it imports in its own time.

        Raises:
            OSError: it cannot be started.
        """
        self.key = key_of(job)
        self.control, there = Channel.pair()
        #: Why it does not fork; `None` while it imports.
        self.why_not_fork: str | None = None
        #: Jobs that wait until it has imported.
        self.waiting: deque[Job] = deque()
        #: Ids of the runs that it was given and that have not ended.
        self.runs: set[str] = set()
        #: Whether nothing more is given to it.
        self.is_closed = False
        #: When it last had to do with a run; monotonic.
        self.used = time.monotonic()
        self._files: tuple[SeenFile, ...] = ()
        self._printed = printed
        self._modules = modules
        try:
            self.process = self._start(job, there.fileno())
        except OSError:
            self.control.close()
            raise
        finally:
            there.close()
        self.handle = os.pidfd_open(self.process.pid) if hasattr(os, "pidfd_open") else -1
        self.control.send(Load(entrypoint=job.entrypoint, modules=self._modules))

    def _start(self, job: Job, descriptor: int) -> subprocess.Popen[bytes]:
        output = os.open(self._printed, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        try:
            return subprocess.Popen(
                # Without the working folder before all others on the path, where its files could stand for our own.
                (job.interpreter, "-P", "-m", PROGRAM, str(descriptor)),
                cwd=job.folder,
                env=dict(job.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(descriptor,),
                # Ctrl-C at the worker's terminal asks the worker alone.
                start_new_session=True,
            )
        finally:
            os.close(output)

    @property
    def is_zygote(self) -> bool:
        """Whether it forks for each run."""
        return self.why_not_fork == ""

    @property
    def is_ready(self) -> bool:
        """Whether it can begin a run now."""
        return not self.is_closed and self.why_not_fork is not None

    def has_loaded(self, message: Loaded) -> None:
        """Take note that it has imported."""
        self.why_not_fork, self._files = message.why_not_fork, message.files

    def is_stale(self) -> bool:
        """Tell whether a file that it has imported is another one by now."""
        return any(seen(file.path) != file for file in self._files)

    def begin(self, job: Job) -> Channel | None:
        """Let it begin a run, and return the worker's end of the channel to that; `None` when it is gone."""
        here, there = Channel.pair()
        order = Run(
            run=job.run,
            token=job.token,
            output=job.output,
            executor=job.executor,
            resources=job.resources,
            when_cut_off=job.when_cut_off,
            lease_term=job.lease_term,
        )
        with there:
            is_sent = self._send(order, there.fileno())
        if not is_sent:
            here.close()
            return None
        self.used = time.monotonic()
        self.runs.add(job.run)
        self.is_closed = self.is_closed or not self.is_zygote
        return here

    def _send(self, message: Message, *files: int) -> bool:
        return self.control.send(message, files)

    def retire(self) -> None:
        """Give it nothing more; it ends with its last run."""
        if not self.is_closed:
            self.is_closed = True
            self._send(Retire())
            if self.why_not_fork is None:  # it imports, and hears nothing until it has
                self.process.terminate()

    def last_words(self) -> str:
        """Return the last line that it printed outside of runs."""
        return last_line(end_of(self._printed))

    def reap(self) -> int:
        """Wait for its end, kill what is left of its group, let go of it, and return its exit status."""
        if hasattr(os, "waitid"):
            # Its number belongs to no other process, nor group, before it is waited for.
            os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT)
        kill_group(self.process.pid)
        status = self.process.wait()
        self.control.close()
        if self.handle >= 0:
            os.close(self.handle)
        self._printed.unlink(missing_ok=True)
        return status


def kill_group(leader: int) -> None:
    """Kill all processes of a group whose leader has not been waited for."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
