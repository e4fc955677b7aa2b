"""Time, chance and identity: the one place where the engine reads them, so that tests can hand in their own."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

from nadi.model.ids import uuid7


class Clock:
    """The system's time and randomness."""

    def __init__(self) -> None:
        self.random = random.Random()

    #: Unix seconds; what records carry.
    now = staticmethod(time.time)
    #: Seconds that never go back; what durations and deadlines are made from.
    monotonic = staticmethod(time.monotonic)

    def new_id(self) -> str:
        """Return a new id; ids sort by the time they were made."""
        return uuid7(self.now(), self.random.getrandbits(62))

    @contextmanager
    def going_by(self, other: Clock | None) -> Iterator[None]:
        """Give the time and chance of another clock in the body; `None` changes nothing."""
        if other is None:
            yield
            return
        before = dict(self.__dict__)
        self.__dict__.update(now=other.now, monotonic=other.monotonic, random=other.random)
        try:
            yield
        finally:
            self.__dict__.clear()
            self.__dict__.update(before)
