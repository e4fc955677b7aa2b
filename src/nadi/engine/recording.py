"""Which recorder runs write to: this process's journal and store, or one that a test puts in its place."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nadi.engine import tracing
from nadi.engine.clock import Clock
from nadi.engine.logs import configure
from nadi.exceptions import StoreError
from nadi.storage.recorder import JournalRecorder, Recorder
from nadi.storage.settings import read_settings

_lock = threading.Lock()
_recorder: JournalRecorder | None = None
_made_in = 0
_instead: list[Recorder] = []
#: When the worker that started this process last renewed its lease; `None` where no worker did.
_renewed: Callable[[], float] | None = None

#: Time and identity for this process.
clock = Clock()

if hasattr(os, "register_at_fork"):
    # Or the children of one process would give their runs the same names, and ids that differ by time alone.
    os.register_at_fork(after_in_child=lambda: clock.random.seed())


def recorder() -> Recorder:
    """Return the recorder of this process, made with the settings in force when it is first needed.

    Raises:
        SettingError: a setting cannot be used.
    """
    if _instead:
        return _instead[-1]
    global _recorder, _made_in
    with _lock:
        if _recorder is None or _made_in != os.getpid():
            settings = read_settings()
            configure(
                settings.log_level,
                console=settings.log_to_console,
                extra_loggers=settings.extra_loggers,
                log_format=settings.log_format,
            )
            tracing.configure(settings.traces)
            _recorder = JournalRecorder(settings, clock.new_id(), now=clock.now, renewed=_renewed)
            _made_in = os.getpid()
            atexit.register(_close_at_exit)
            if _renewed is None:  # else the worker looks
                _look_for_leftovers(_recorder)
        return _recorder


def _look_for_leftovers(recorder: JournalRecorder) -> None:
    # In the background: a run does not wait for what others left behind; commands that answer
    # questions about runs look for themselves first.
    try:
        others = any(name != recorder.holder.writer for name in os.listdir(recorder.home.journals))
    except OSError:
        return

    def look() -> None:
        try:
            recorder.look_for_leftovers()
        except StoreError:
            return

    if others:
        threading.Thread(target=look, name="nadi-leftovers", daemon=True).start()


def _close_at_exit() -> None:
    if _made_in == os.getpid():
        message = close()
        if message:
            print(f"nadi: {message}", file=sys.stderr)


def supervised(renewed: Callable[[], float]) -> None:
    """Say that a worker looks after this process; to be called before anything is recorded.

    Args:
        renewed: When the worker last renewed the lease of this process, in monotonic seconds.
    """
    global _renewed
    _renewed = renewed


def close(wait: float | None = None) -> str:
    """Deliver what is left and let go of journal and store; the next run opens them again.

    Returns:
        "" when the store has everything, else one sentence that says what is undelivered and where it lies.
    """
    global _recorder
    with _lock:
        held, _recorder = _recorder, None
    return held.close(wait) if held is not None else ""


@contextmanager
def recording_to(instead: Recorder) -> Iterator[None]:
    """Let runs in the body write to another recorder."""
    _instead.append(instead)
    try:
        yield
    finally:
        _instead.remove(instead)
