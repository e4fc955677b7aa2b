"""Inspecting: what the code of a flow says before it runs, found out by a process of its own.

Only code that `nadi.engine.scheduling.source_here` would let run is loaded: what was recorded by somebody who has the
database, on this machine. It is loaded beside the server and never in it: whatever happens as it is loaded ends with
that process, which has a time limit.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
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

#: Seconds that the code of a flow may take to load, that its process may take to end after it has answered, and
#: between looks whether it has.
LONGEST = 20.0
ENDING = 2.0
LOOK = 0.05
#: Bytes of an answer, and of what is kept of what was printed beside it.
MOST_TOLD = 4 << 20
MOST_PRINTED = 16 * 1024
#: How many processes load code at once.
AT_ONCE = 3
#: How many answers are kept, and for how many seconds: modules that a flow imports may change while its own file stays.
MOST_KEPT = 100
KEPT = 60.0

_Key = tuple[object, ...]
#: How many parts of a key say where the code lies; the others, which version of it that is.
_PLACE = 3


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
        if any(other[:_PLACE] == key[:_PLACE] for other in self._asked):
            raise RequestRefused("This code is being loaded as it was before it changed. Try again soon.", status=429)
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
    """Return what a process wrote, the last that it printed, and its status; `None` when it had to be ended.

    What it started and left running is ended with it; what left its session too has nobody any more who reads it.
    """
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdout as out, process.stderr as err:
        try:
            told, printed = _Reader(out, MOST_TOLD), _Reader(err, MOST_PRINTED, keeps_end=True)
            _read_until(time.monotonic() + LONGEST, lambda: not told.is_open, told, printed)
            # Nobody writes the answer any more: it is about to end, unless a thread of the code's own keeps it.
            if not told.is_open:
                _read_until(time.monotonic() + ENDING, lambda: process.poll() is not None, printed)
            status = process.poll()
        finally:
            _end(process)
        printed.read()
    return bytes(told.text), printed.text.decode("utf-8", "replace"), status


class _Reader:
    """Reads one end of a pipe as far as there is something, without waiting for more."""

    def __init__(self, pipe: IO[bytes], most: int, *, keeps_end: bool = False) -> None:
        self.pipe, self._most, self._keeps_end = pipe, most, keeps_end
        self.text = bytearray()
        #: Whether somebody may write more that is read.
        self.is_open = True
        os.set_blocking(pipe.fileno(), False)

    def read(self) -> None:
        """Take what is there, at most a pipe full: who writes without end would keep us here."""
        try:
            piece = os.read(self.pipe.fileno(), 1 << 16)
        except BlockingIOError:
            return
        self.text += piece
        if len(self.text) > self._most and self._keeps_end:
            del self.text[: -self._most]
        self.is_open = bool(piece) and len(self.text) <= self._most


def _read_until(deadline: float, is_done: Callable[[], bool], *readers: _Reader) -> None:
    """Read until what is waited for has come, or until `deadline` (monotonic)."""
    while not is_done() and (left := deadline - time.monotonic()) > 0:
        # Not by select(), which takes no number above 1,023, and a server has many.
        poll, by_number = select.poll(), {one.pipe.fileno(): one for one in readers if one.is_open}
        for number in by_number:
            poll.register(number, select.POLLIN)
        for number, _ in poll.poll(1000 * min(left, LOOK)):
            by_number[number].read()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process, if it has not ended, and all of its session that it left running."""
    with contextlib.suppress(OSError):
        # Where it has ended, its number is that of its group for as long as one of that lives, and of nobody else.
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
