"""The line before the workers: whose turn it is. One rule for every store, whichever way it finds who waits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import msgspec

from nadi.model.work import Queue, Work


class Waiting(msgspec.Struct, frozen=True):
    """One that waits in line, as far as it matters for whose turn it is."""

    run: str
    queue: str
    deployment: str
    alone: bool
    host: str = ""


class Line:
    """Hands out work to one worker, from what waits in the order of the line; see `WorkTable.take`.

    Args:
        host: Name of the worker's machine.
        limit: The most to hand out.
        under_way: Queue and deployment of all work that is under way, with how many there are.
        queues: The queues that somebody changed, by name.
        allowed: Gives how many runs of a deployment may be under way at once, 0 for no limit. Asked once for each.
    """

    def __init__(
        self,
        *,
        host: str,
        limit: int,
        under_way: Iterable[tuple[str, str, int]],
        queues: Mapping[str, Queue],
        allowed: Callable[[str], int],
    ) -> None:
        self.host, self._left, self._queues, self._allowed = host, limit, queues, allowed
        self._in_queue: Counter[str] = Counter()
        self._of_deployment: Counter[str] = Counter()
        for queue, deployment, n in under_way:
            self._in_queue[queue] += n
            self._of_deployment[deployment] += n
        self._most: dict[str, int] = {}
        #: Deployments of which nothing more is taken now: who looks for those that wait need not look at theirs.
        self.full = {one for one in self._of_deployment if self._is_full(one)}
        self.taken: list[str] = []

    @property
    def is_done(self) -> bool:
        """Whether nothing more is to be handed out."""
        return self._left <= 0

    def is_open(self, queue: str) -> bool:
        """Tell whether anything may be taken from a queue now."""
        changed = self._queues.get(queue)
        if changed is None:
            return True
        return not changed.paused and (changed.slots is None or self._in_queue[queue] < changed.slots)

    def offer(self, one: Waiting) -> bool:
        """Hand out the next in line, unless it has to wait; then those behind it may have to wait for it."""
        if self.is_done or one.deployment in self.full or one.host not in ("", self.host):
            return False
        if not self.is_open(one.queue):
            return False
        if one.alone and self._of_deployment[one.deployment]:
            self.full.add(one.deployment)
            return False
        self._in_queue[one.queue] += 1
        self._of_deployment[one.deployment] += 1
        self._left -= 1
        self.taken.append(one.run)
        if self._is_full(one.deployment):
            self.full.add(one.deployment)
        return True

    def _is_full(self, deployment: str) -> bool:
        if deployment not in self._most:
            self._most[deployment] = self._allowed(deployment)
        most = self._most[deployment]
        return 0 < most <= self._of_deployment[deployment]


def place_in_line(work: Work) -> tuple[int, float, str]:
    """Return what work is sorted by: greatest priority first, then by due time, then by id."""
    return (-work.priority, work.due, work.run)
