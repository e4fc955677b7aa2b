"""Things that one end sets off, done one after the other: a long chain of runs must not become a deep stack."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable


class _Turns(threading.local):
    def __init__(self) -> None:
        self.waiting: deque[Callable[[], None]] | None = None


_turns = _Turns()


def in_turn(action: Callable[[], None]) -> None:
    """Do something now; or, when called from within such a thing, once that is over. It must not wait."""
    if _turns.waiting is not None:
        _turns.waiting.append(action)
        return
    _turns.waiting = waiting = deque([action])
    try:
        while waiting:
            waiting.popleft()()
    finally:
        _turns.waiting = None
