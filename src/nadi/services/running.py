"""Services: what a server, or a worker, does beside its own work, each in a thread that no failure ends."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

_log = logging.getLogger("nadi.services")

#: Seconds until the next try after the first failure in a row, and after many.
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0


class Service(Protocol):
    """Something that is due now and then."""

    #: For people: `reaper`, `retention`.
    name: str

    def step(self, now_monotonic: float) -> float:
        """Do what is due, and return the seconds until the next look.

        Args:
            now_monotonic: Seconds on a clock that never goes back.
        """


@dataclass
class Status:
    """How one service is."""

    name: str
    steps: int = 0
    failures: int = 0
    last_failure: str = ""


class Services:
    """The services of one process."""

    def __init__(self, services: Sequence[Service] = ()) -> None:
        self._loops = [_Loop(service) for service in services]

    def start(self) -> None:
        """Start each in a thread of its own."""
        for loop in self._loops:
            loop.thread.start()

    def stop(self, timeout: float) -> bool:
        """Ask all to end and wait for what they are doing; whether all ended within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        for loop in self._loops:
            loop.stopping.set()
        for loop in self._loops:
            if loop.thread.is_alive():
                loop.thread.join(max(0.0, deadline - time.monotonic()))
        return not any(loop.thread.is_alive() for loop in self._loops)

    def status(self) -> list[Status]:
        """Return how each is."""
        return [loop.status for loop in self._loops]


class _Loop:
    def __init__(self, service: Service) -> None:
        self.status = Status(service.name)
        self.stopping = threading.Event()
        self._service = service
        self._pause = FIRST_PAUSE
        # A daemon: should it hang in a store that never answers, the process ends all the same.
        self.thread = threading.Thread(target=self._run, name=f"nadi-{service.name}", daemon=True)

    def _run(self) -> None:
        wait = 0.0
        while not self.stopping.wait(wait):
            wait = self._step()

    def _step(self) -> float:
        try:
            wait = self._service.step(time.monotonic())
        except Exception as error:
            return self._failed(error)
        self.status.steps += 1
        self._pause = FIRST_PAUSE
        return max(0.0, wait)

    def _failed(self, error: Exception) -> float:
        self.status.failures += 1
        self.status.last_failure = f"{type(error).__name__}: {error}"
        wait, self._pause = self._pause, min(2 * self._pause, LONGEST_PAUSE)
        _log.error("The %s failed and goes on in %.0f s: %s", self.status.name, wait, error, exc_info=error)
        return wait
