"""Shielded sections: short stretches that must not be torn apart by an interruption of their thread.

Cancellations, timeouts and Ctrl-C strike between any two bytecodes. A record that was written
but not counted would put every later record out of step, so appending is shielded: whoever
interrupts looks here first and comes back a moment later.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import get_ident

#: Threads that are in a shielded section now. Adding and removing are single bytecodes under the interpreter lock.
shielded: set[int] = set()

#: What signal handlers of the main thread put off until its section ends.
deferred: list[Callable[[], None]] = []


def run_deferred() -> None:
    """Do what was put off; called by every thread that left a section, done by the main thread alone, whose it is.

    May raise, as an interruption does.
    """
    if threading.current_thread() is not threading.main_thread() or get_ident() in shielded:
        return
    while deferred:
        deferred.pop(0)()


@contextmanager
def untorn() -> Iterator[None]:
    """Let no interruption tear the body, which is a shielded section; one within another ends with the outer one."""
    ident = get_ident()
    if ident in shielded:
        yield
        return
    try:
        shielded.add(ident)
        yield
    finally:
        shielded.discard(ident)
    if deferred:
        run_deferred()
