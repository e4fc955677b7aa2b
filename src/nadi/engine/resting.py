"""Waiting in a thread for a time, so that what ends a run ends the wait too."""

from __future__ import annotations

import threading
import time

from nadi.engine.interrupts import wait_for_lock
from nadi.executors.threads import place_lent


def rest(seconds: float) -> None:
    """Wait in this thread; a cancel and a timeout end the wait."""
    if seconds <= 0:
        return
    lock = threading.Lock()
    lock.acquire()
    deadline = time.monotonic() + seconds
    with place_lent():
        while (left := deadline - time.monotonic()) > 0:
            wait_for_lock(lock, left)
