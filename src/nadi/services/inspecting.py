"""Inspecting: what the code of a flow says before it runs, found out by a process of its own.

Only code that `nadi.engine.scheduling.source_here` would let run is loaded: what was recorded by somebody who has the
database, on this machine. It is loaded beside the server and never in it: whatever happens as it is loaded ends with
that process, which has a time limit.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections import OrderedDict
from concurrent.futures import Future
from typing import IO, TYPE_CHECKING

import msgspec

from nadi.engine.flow_code import FlowCode
from nadi.exceptions import NotResumable, RequestRefused
from nadi.model.runs import FlowRun
from nadi.model.sources import RunSource
from nadi.model.text import one_line
from nadi.services.inspected import Answer
from nadi.services.launching import Launcher

if TYPE_CHECKING:
    import subprocess

#: Seconds that the code of a flow may take to load.
LONGEST = 20.0
#: Bytes of an answer, and of what is kept of what was printed beside it.
MOST_TOLD = 4 << 20
MOST_PRINTED = 16 * 1024
#: How many processes load code at once.
AT_ONCE = 3
#: How many answers are kept, and for how many seconds: modules that a flow imports may change while its own file stays.
MOST_KEPT = 100
KEPT = 60.0

_Key = tuple[object, ...]


class Inspector:
    """Inspects the code of flows that ran on this machine. Thread-safe."""

    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher
        self._lock = threading.Lock()
        #: By what tells one version of a flow's code from another: when it was asked for, and what it said.
        self._kept: OrderedDict[_Key, tuple[float, FlowCode]] = OrderedDict()
        #: What is being found out; whoever asks for the same waits for the same.
        self._asked: dict[_Key, Future[FlowCode]] = {}
        #: How many callers there are now.
        self._waiting = 0

    def inspect(self, run: FlowRun) -> FlowCode:
        """Return what the code of a run's flow says as it is now; blocks until it is loaded.

        An answer serves for a minute, as long as the file of the flow stays as it is.

        Raises:
            NotResumable: its code is not here, cannot be loaded, or takes too long.
            RequestRefused: as many as may be are being inspected.
        """
        source = self._launcher.check(run)
        key, now = _version_of(source), time.monotonic()
        with self._lock:
            asked_at, code = self._kept.get(key, (0.0, None))
            if code is not None and now - asked_at < KEPT:
                return code
            waited_for = self._asked.get(key)
            if waited_for is not None and self._waiting >= AT_ONCE:
                # Who waits has a thread of the server, and others want some too.
                raise RequestRefused("This code is being loaded for others already. Try again soon.", status=429)
            future = waited_for or self._begin(key)
            self._waiting += 1
        try:
            if waited_for is None:
                self._find_out(key, future, source, run)
            return future.result()
        finally:
            with self._lock:
                self._waiting -= 1

    def _begin(self, key: _Key) -> Future[FlowCode]:
        if len(self._asked) >= AT_ONCE:
            raise RequestRefused(f"The code of {AT_ONCE} flows is being loaded already. Try again soon.", status=429)
        future = self._asked[key] = Future()
        return future

    def _find_out(self, key: _Key, future: Future[FlowCode], source: RunSource, run: FlowRun) -> None:
        try:
            code = self._ask(source, run)
        except BaseException as error:
            with self._lock:
                del self._asked[key]
            future.set_exception(error)
            return
        with self._lock:
            del self._asked[key]
            self._kept.pop(key, None)
            self._kept[key] = (time.monotonic(), code)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        future.set_result(code)

    def _ask(self, source: RunSource, run: FlowRun) -> FlowCode:
        assert source.entrypoint is not None
        what = f"The code of flow {one_line(run.flow, 80)!r}"
        told, printed, status = _ended(self._start(source))
        try:
            # A whole answer counts, also where a thread of the code's own kept its process from ending.
            answer = msgspec.json.decode(told, type=Answer)
        except msgspec.DecodeError:
            if status is None:
                raise NotResumable(f"{what} was not loaded within {LONGEST:g} seconds.") from None
            last = next((line for line in reversed(printed.splitlines()) if line.strip()), "it printed nothing.")
            raise NotResumable(
                f"{what} cannot be inspected: the process that loaded it ended with status {status}:"
                f" {one_line(last.strip(), 500)}"
            ) from None
        if answer.code is None:
            raise NotResumable(f"{what} cannot be loaded: {answer.error}")
        return answer.code

    def _start(self, source: RunSource) -> subprocess.Popen[bytes]:
        import subprocess  # slow to import, and most servers inspect nothing

        command = (source.interpreter, "-m", "nadi.services.inspected", str(source.entrypoint))
        try:
            return subprocess.Popen(
                command,
                cwd=source.working_folder,
                env=self._launcher.environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                # Its own session: all that it starts can be ended with it.
                start_new_session=True,
            )
        except OSError as error:
            raise NotResumable(f"No process can be started to load the flow: {error.strerror or error}.") from None


def _version_of(source: RunSource) -> _Key:
    """Return what differs when the code of a flow is another: where it lies, and its file's time and size."""
    where = (source.interpreter, source.working_folder, source.entrypoint)
    try:
        found = os.stat(source.source_file or "")
    except OSError:
        return where
    return (*where, found.st_mtime_ns, found.st_size)


def _ended(process: subprocess.Popen[bytes]) -> tuple[bytes, str, int | None]:
    """Return what a process wrote, the last that it printed, and its status; `None` when it had to be ended."""
    told, printed = bytearray(), bytearray()
    readers = [
        threading.Thread(target=_read, args=(process.stdout, told, MOST_TOLD, False), daemon=True),
        threading.Thread(target=_read, args=(process.stderr, printed, MOST_PRINTED, True), daemon=True),
    ]
    for reader in readers:
        reader.start()
    # Nobody writes any more: it is about to end. What it left running may go on, as after any start.
    readers[0].join(LONGEST)
    status = None if readers[0].is_alive() else _waited(process, 2.0)
    if status is None:
        _end(process)
    for reader in readers:
        reader.join(1.0)
    return bytes(told), printed.decode("utf-8", "replace"), status


def _read(pipe: IO[bytes], into: bytearray, most: int, keep_end: bool) -> None:
    with contextlib.suppress(OSError, ValueError), pipe:
        while piece := os.read(pipe.fileno(), 1 << 16):
            into += piece
            if len(into) > most:
                if not keep_end:
                    return  # nobody reads on: what writes without end is stopped by that
                del into[:-most]


def _waited(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    import subprocess

    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process that has not ended, with all that it started."""
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()
