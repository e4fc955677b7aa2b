"""The warm processes of one launcher: which one begins a run, and how many are kept for later."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import count

from nadi.storage.home import Home
from nadi.workers.contract import Job
from nadi.workers.processes.channel import Loaded
from nadi.workers.processes.warm import Key, Warm, key_of

#: Warm processes that are kept while they have nothing to do, and the seconds for which one is.
MOST_IDLE, LONGEST_IDLE = 16, 3600.0


class Pool:
    """Warm processes by what they have imported."""

    def __init__(self, home: Home, writer: str, modules: tuple[str, ...]) -> None:
        self._home, self._writer, self._modules = home, writer, modules
        self._warm: dict[Key, list[Warm]] = {}
        #: Versions that are known not to be forked: each run needs a process that imports for it.
        self._spares: set[Key] = set()
        self._starts: dict[str, str] = {}
        self._numbers = count(1)

    def __iter__(self) -> Iterator[Warm]:
        """Yield all that have not ended."""
        for several in list(self._warm.values()):
            yield from list(several)

    def find(self, job: Job) -> Warm:
        """Return one that is ready for a job, or imports and has room for it; else a new one.

        Raises:
            OSError: it cannot be started.
        """
        key = key_of(job)
        for warm in list(self._warm.get(key, ())):
            if warm.is_closed:
                continue
            if warm.is_stale():
                warm.retire()
            elif warm.is_ready or not (warm.waiting and key in self._spares):
                return warm
        return self._new(job)

    def has_loaded(self, warm: Warm, message: Loaded) -> None:
        """Take note of how one begins runs."""
        warm.has_loaded(message)
        if warm.is_zygote:
            self._spares.discard(warm.key)
            told = "forked from a process that has imported its code"
        else:
            self._spares.add(warm.key)
            told = f"in a process that has imported its code and is used once, as {warm.why_not_fork}"
        self._starts[warm.key.deployment] = told

    def replace(self, job: Job) -> None:
        """After a spare was used, have another one import for the next run, unless one does already.

        Raises:
            OSError: it cannot be started.
        """
        if not any(not warm.is_closed for warm in self._warm.get(key_of(job), ())):
            self._new(job)

    def remove(self, warm: Warm) -> None:
        """Forget one that has ended."""
        several = self._warm.get(warm.key, [])
        if warm in several:
            several.remove(warm)
        if not several:
            self._warm.pop(warm.key, None)

    def starts(self) -> dict[str, str]:
        """Return, by deployment, how its runs are started."""
        return dict(self._starts)

    def _new(self, job: Job) -> Warm:
        printed = self._home.ensure(self._home.workers) / f"{self._writer}-{next(self._numbers)}.log"
        warm = Warm(job, printed, self._modules)
        self._warm.setdefault(warm.key, []).append(warm)
        self._retire_idle(warm)
        return warm

    def _retire_idle(self, newest: Warm) -> None:
        now = time.monotonic()
        idle = [warm for warm in self if warm is not newest and not (warm.is_closed or warm.runs or warm.waiting)]
        idle.sort(key=lambda warm: warm.used)
        over = len(idle) - MOST_IDLE
        for index, warm in enumerate(idle):
            is_old = warm.key.deployment == newest.key.deployment and warm.key.version < newest.key.version
            if index < over or is_old or now - warm.used > LONGEST_IDLE:
                warm.retire()
