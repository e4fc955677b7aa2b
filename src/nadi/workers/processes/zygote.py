"""The program of a warm process: imports a flow, then begins runs of it. `python -m nadi.workers.processes.zygote FD`.

It has no thread, connection, socket or lock of Nadi's but its end of the channel to the worker. Where it may be forked
(see `forking`), it forks for each run, and tells the worker how each of these processes ended. Otherwise it becomes the
process of the first run that comes.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import selectors
import signal
import sys
import time
from collections.abc import Callable
from typing import Any, NoReturn

from nadi.engine.loading import load_flow
from nadi.exceptions import LoadError
from nadi.model.tracebacks import format_exception
from nadi.workers.processes.channel import (
    Channel,
    ChildEnded,
    Forked,
    Load,
    Loaded,
    NotLoaded,
    Retire,
    Run,
    SeenFile,
    seen,
)
from nadi.workers.processes.forking import reseed, why_not_fork
from nadi.workers.processes.run import Lifeline, end_group, limit, run_here, send_output_to

#: Of a file that changed so shortly before it was imported, who knows what was read: it counts as changed.
TOO_NEW = 20_000_000
#: prctl(2): the signal that a process gets when its parent ends.
_SET_PDEATHSIG = 1


def main(descriptor: int) -> int:
    """Serve the worker at the other end of the channel; returns the exit status."""
    control = Channel.inherited(descriptor)
    order, _ = control.receive()
    if not isinstance(order, Load):
        return 0
    began = time.time_ns()
    try:
        flow = load_flow(order.entrypoint, cwd=os.getcwd())
    except LoadError as error:
        # The frames are for whoever looks at what it printed; the sentence is for everybody.
        if error.__cause__ is not None:
            print(format_exception(error.__cause__), file=sys.stderr)
        control.send(NotLoaded(str(error)))
        return 1
    for name in order.modules:
        importlib.import_module(name)
    why = why_not_fork({control.fileno()})
    if not control.send(Loaded(why_not_fork=why, files=files_below(os.getcwd(), began))):
        return 0
    return be_spare(control, flow) if why else Zygote(control, flow).serve()


def files_below(folder: str, began: int) -> tuple[SeenFile, ...]:
    """Return the files of all modules that were imported from a folder, as they are now.

    Args:
        folder: The folder.
        began: When importing began, Unix nanoseconds.
    """
    top, found = os.path.realpath(folder) + os.sep, []
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None)
        if not isinstance(path, str) or not os.path.realpath(path).startswith(top) or "site-packages" in path:
            continue
        file = seen(path)
        if file is not None:
            is_doubtful = file.modified > began - TOO_NEW
            found.append(SeenFile(path, 0, 0, 0) if is_doubtful else file)
    return tuple(found)


class Zygote:
    """A process that forks for each run."""

    def __init__(self, control: Channel, flow: Any) -> None:
        self._control, self._flow = control, flow
        self._pid = os.getpid()
        # Not one that keeps its state in the kernel, which the children would share.
        self._children = selectors.PollSelector()
        self._children.register(control, selectors.EVENT_READ)
        self._running = 0
        self._is_retired = False
        self._follow = _follower()

    def serve(self) -> int:
        """Fork and tell until the worker is gone, or needs this process no more."""
        # What is there now is shared by all children: the collector of none of them is to write to it.
        gc.collect()
        gc.freeze()
        while not (self._is_retired and not self._running):
            for key, _ in self._children.select():
                if key.fileobj is self._control:
                    if not self._obey():
                        return 0  # the worker is gone; the kernel tells our children that we are, too
                else:
                    self._bury(key.fd, *key.data)
        return 0

    def _obey(self) -> bool:
        order, files = self._control.receive()
        if isinstance(order, Run):
            self._fork(order, files)
        elif isinstance(order, Retire):
            self._is_retired = True
        return order is not None

    def _fork(self, order: Run, files: list[int]) -> None:
        pid = os.fork()
        if pid == 0:
            self._close_in_child()
            os.setsid()
            reseed()
            be_run(order, self._flow, files, self._follow, self._pid)
        for descriptor in files:
            os.close(descriptor)
        self._children.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, order.run))
        self._running += 1
        self._control.send(Forked(order.run, pid))

    def _close_in_child(self) -> None:
        for key in list(self._children.get_map().values()):
            os.close(key.fd) if key.data else self._control.close()

    def _bury(self, handle: int, pid: int, run: str) -> None:
        # Its number is not given to another process, nor to another group, before it is buried.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        self._children.unregister(handle)
        os.close(handle)
        self._running -= 1
        self._control.send(ChildEnded(run, os.waitstatus_to_exitcode(status)))


def be_spare(control: Channel, flow: Any) -> int:
    """Wait for one run, and be its process; returns the exit status where none comes."""
    order, files = control.receive()
    if isinstance(order, Run):
        control.send(Forked(order.run, os.getpid()))
        be_run(order, flow, files, _follower(), os.getppid())
    return 0


def be_run(order: Run, flow: Any, files: list[int], follow: Callable[[], None], parent: int) -> NoReturn:
    """Be the process of a run from here to its end.

    Nothing that stands below on the stack goes on, whatever happens here: in a forked process it is the parent's.
    """
    status, lifeline = 1, Lifeline(Channel.inherited(files[0]))
    try:
        follow()
        send_output_to(order.output)
        limit(order.resources)
        if os.getppid() == parent:  # else it ended before the kernel knew that we follow it
            status = run_here(order, flow, lifeline)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        _leave(status, lifeline)


def _leave(status: int, lifeline: Lifeline) -> NoReturn:
    """End this process as a program ends that has come to its end, but for taking its modules apart."""
    import atexit
    import threading

    try:
        # What the interpreter does at its end, in this order: wait for threads, then call what was registered.
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        if lifeline.is_cut:  # nobody else sees to what the run has started
            end_group()
        os._exit(status)


def _follower() -> Callable[[], None]:
    """Return what lets the kernel end this process as soon as its parent has ended."""
    if not sys.platform.startswith("linux"):
        return lambda: None
    import ctypes

    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
