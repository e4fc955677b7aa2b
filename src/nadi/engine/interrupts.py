"""Interrupting user code: what can be stopped where, and how.

- In the main thread of the process a real signal (SIGALRM) interrupts also blocking calls.
- In another thread an exception is set that Python raises at its next bytecode; a call that
  blocks in C (a socket without timeout, a long computation in a library) sees it only when it
  returns. Nothing can end such a thread; what must end for certain belongs in
  `executor="process"`.
- A coroutine is cancelled at its next await.

Interruptions derive from BaseException, so that `except Exception` in user code does not
swallow them.
"""

from __future__ import annotations

import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from nadi.engine.timers import timers
from nadi.storage.shield import deferred, shielded

#: Seconds that interrupted code gets for its cleaning up; what goes on after that is interrupted again.
GRACE = 1.0


class Interruption(BaseException):
    """User code is asked to stop."""


class TimeUp(Interruption):
    """User code took longer than its `timeout_seconds`."""


class CancelAsked(Interruption):
    """The run is being cancelled."""


class Terminated(Interruption):
    """The process was asked to end (SIGTERM)."""


def in_main_thread() -> bool:
    """Tell whether this is the thread in which Python runs signal handlers."""
    return threading.current_thread() is threading.main_thread()


class _Alarms:
    """Deadlines of the main thread: a stack, as limited calls nest."""

    def __init__(self) -> None:
        self._deadlines: list[tuple[float, TimeUp]] = []
        self._before: Any = None

    def push(self, seconds: float) -> TimeUp:
        alarm = TimeUp()
        if not self._deadlines:
            self._before = signal.signal(signal.SIGALRM, self._ring)
        self._deadlines.append((time.monotonic() + seconds, alarm))
        self._set()
        return alarm

    def remove(self, alarm: TimeUp) -> None:
        if not self._deadlines:
            return
        self._deadlines = [entry for entry in self._deadlines if entry[1] is not alarm]
        self._set()
        if not self._deadlines:
            signal.signal(signal.SIGALRM, self._before if self._before is not None else signal.SIG_DFL)

    def _set(self) -> None:
        if not self._deadlines:
            signal.setitimer(signal.ITIMER_REAL, 0)
            return
        left = min(deadline for deadline, _ in self._deadlines) - time.monotonic()
        # Again and again: code that swallows one gets the next.
        signal.setitimer(signal.ITIMER_REAL, max(left, 1e-6), GRACE)

    def _ring(self, number: int, frame: object) -> None:
        if threading.get_ident() in shielded:
            signal.setitimer(signal.ITIMER_REAL, 0.001, GRACE)
            return
        now = time.monotonic()
        for deadline, alarm in self._deadlines:  # the outermost that is over wins
            if now >= deadline:
                raise alarm


_alarms = _Alarms()


@contextmanager
def time_limit(seconds: float | None) -> Iterator[TimeUp | None]:
    """Interrupt the body after `seconds`: it then raises the very TimeUp that was yielded.

    In the main thread blocking calls are interrupted too; elsewhere only between bytecodes.
    """
    if seconds is None:
        yield None
    elif in_main_thread() and hasattr(signal, "SIGALRM"):
        alarm = _alarms.push(seconds)
        try:
            try:
                yield alarm
            finally:
                _alarms.remove(alarm)
        except TimeUp:
            _alarms.remove(alarm)  # it rang while it was being removed
            raise
    else:
        with _thread_limit(seconds) as alarm:
            yield alarm


@contextmanager
def _thread_limit(seconds: float) -> Iterator[TimeUp]:
    target = Interruptible()
    kind: type[TimeUp] = type("TimeUp", (TimeUp,), {})
    stand_in, timer = kind(), None
    try:
        try:
            # In here: where something else interrupts the setting, the timer finds the stretch over.
            timer = timers.call_later(seconds, lambda: target.interrupt(kind))
            yield stand_in
        finally:
            # It may still strike in here, and is caught below all the same.
            if timer is not None:
                timer.cancel()
            target.leave()
    except kind as raised:
        # Python made an instance of its own; hand on the one that the caller knows.
        target.leave()
        stand_in.__traceback__ = raised.__traceback__
        raise stand_in from None


class Interruptible:
    """One stretch of work in one thread, which other threads may interrupt while it lasts."""

    def __init__(self) -> None:
        self._ident = threading.get_ident()
        self._lock = threading.Lock()
        self._over = False
        self._pending = False

    def interrupt(self, kind: type[Interruption]) -> None:
        """Raise `kind` in the thread at its next bytecode, and every `GRACE` seconds until the stretch is over."""
        import ctypes  # noqa: F401  # before the look below: in these 2 ms the thread could enter a section

        again = GRACE
        with self._lock:
            if self._over:
                return
            if self._ident in shielded:
                again = 0.001
            else:
                self._pending = True
                _set_async_exception(self._ident, kind)
                blocked = _blocked.get(self._ident)
                if blocked is not None:
                    wake(blocked)
        timers.call_later(again, lambda: self.interrupt(kind))

    def leave(self) -> None:
        """End the stretch, in its own thread: an interruption that has not struck yet does not strike any more.

        It may strike in here; who catches it leaves once more.
        """
        with self._lock:
            self._over = True
            if self._pending and threading.get_ident() == self._ident:
                _set_async_exception(self._ident, None)


def _set_async_exception(ident: int, kind: type[BaseException] | None) -> None:
    import ctypes  # 2 ms, needed only where something is interrupted

    target = ctypes.py_object(kind) if kind is not None else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), target)


#: Seconds after which a waiting main thread looks whether a signal came.
_SLICE = 0.2

#: The lock that each thread waits for in `wait_for_lock`: an interruption has to wake it first.
_blocked: dict[int, threading.Lock] = {}


def wait_for_lock(lock: threading.Lock, timeout: float | None) -> bool:
    """Wait until somebody wakes this thread by `wake(lock)`; an interruption of the thread ends the wait too."""
    ident = threading.get_ident()
    _blocked[ident] = lock
    try:
        if ident == threading.main_thread().ident:
            return _wait_in_slices(lock, timeout)
        # No system waits for ever (math.inf), nor for longer than this.
        return lock.acquire(timeout=-1 if timeout is None else min(timeout, threading.TIMEOUT_MAX))
    finally:
        _blocked.pop(ident, None)


def _wait_in_slices(lock: threading.Lock, timeout: float | None) -> bool:
    """Wait as the main thread, which runs the handlers of signals.

    A signal that comes when the wait has been entered and the thread does not sleep yet, for which it may have to
    pass the interpreter lock on first, does not end the wait; its handler would never run.
    """
    deadline = math.inf if timeout is None else time.monotonic() + timeout
    while not lock.acquire(timeout=max(0.0, min(_SLICE, deadline - time.monotonic()))):
        if time.monotonic() >= deadline:
            return False
    return True


def wake(lock: threading.Lock) -> None:
    """Release a lock that a thread waits for; nothing happens when it was released before."""
    try:
        lock.release()
    except RuntimeError:
        return


def _raise_outside_sections(make: Callable[[], BaseException]) -> None:
    def strike() -> None:
        raise make()

    if threading.get_ident() in shielded:
        deferred.append(strike)
    else:
        strike()


def takes_cancel_by_signal() -> bool:
    """Whether SIGINT is ours to send in this process; a handler of the user's program is left alone.

    That of asyncio.run() is no such one: it cancels a coroutine at its next await, which never comes while a flow
    that is no coroutine blocks the loop.
    """
    handler = signal.getsignal(signal.SIGINT)
    return handler in (signal.default_int_handler, signal.SIG_IGN) or _asyncio_runner() is not None


def interrupted_loop() -> bool:
    """Tell whether Ctrl-C is why asyncio.run() in the main thread cancels its coroutine."""
    return getattr(_asyncio_runner(), "_interrupt_count", 0) > 0


def _asyncio_runner() -> Any:
    """Return the asyncio.Runner that Ctrl-C goes to, or `None`."""
    asyncio = sys.modules.get("asyncio")
    owner = getattr(getattr(signal.getsignal(signal.SIGINT), "func", None), "__self__", None)
    return owner if asyncio is not None and isinstance(owner, asyncio.Runner) else None


@contextmanager
def termination_as_exception(on_cancel: Callable[[], bool]) -> Iterator[None]:
    """While the body runs in the main thread, SIGTERM raises Terminated and a pending cancel raises CancelAsked.

    Ctrl-C stays KeyboardInterrupt, except that an interrupt sent by our own cancellation
    (`on_cancel` says so) raises CancelAsked. Handlers that the user's program installed stay.
    """
    if not in_main_thread():
        yield
        return

    def terminate(number: int, frame: object) -> None:
        _raise_outside_sections(lambda: Terminated("The process was asked to end (SIGTERM)."))

    # A shell script starts its background jobs with Ctrl-C ignored: a cancel must interrupt them all the same.
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN

    def interrupt(number: int, frame: object) -> None:
        if on_cancel() or not ignored:
            _raise_outside_sections(lambda: CancelAsked() if on_cancel() else KeyboardInterrupt())

    restore: list[tuple[int, Any]] = []
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        restore.append((signal.SIGTERM, signal.signal(signal.SIGTERM, terminate)))
    if takes_cancel_by_signal():
        restore.append((signal.SIGINT, signal.signal(signal.SIGINT, interrupt)))
    _replaced.append(restore)
    try:
        yield
    finally:
        if restore in _replaced:  # not in a forked child, which has put everything back already
            _replaced.remove(restore)
            for number, handler in restore:
                signal.signal(number, handler)


#: For each root run in the main thread: the signals that it handles, and what handled them before.
_replaced: list[list[tuple[int, Any]]] = []


#: The signal mask of a thread that forks just now.
_forking = threading.local()


def _hold_signals() -> None:
    # Python forgets a signal that its handler took between the fork and the child's first line.
    _forking.mask = None
    if _replaced and hasattr(signal, "pthread_sigmask"):
        _forking.mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})


def _let_signals_come() -> None:
    if getattr(_forking, "mask", None) is not None:
        signal.pthread_sigmask(signal.SIG_SETMASK, _forking.mask)


def _restore_in_child() -> None:
    # A pool ends the children that a task forked by SIGTERM. It has to end them as it would without us: a handler in
    # Python is not called while the child blocks in C, and a signal that comes just before that would wait for ever.
    for restore in reversed(_replaced):
        for number, handler in restore:
            signal.signal(number, handler)
    _replaced.clear()
    _let_signals_come()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_hold_signals, after_in_parent=_let_signals_come, after_in_child=_restore_in_child)
