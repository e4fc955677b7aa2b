"""The sequential executor: each submitted task runs at once, in the thread that submits it."""

from __future__ import annotations

from nadi.executors.contract import Executor, Work


class SequentialExecutor(Executor):
    """Runs work where it is submitted, one after the other; useful for debugging."""

    name = "sequential"

    def submit(self, work: Work) -> None:
        if work.claim():
            work.run()

    def cancel(self, work: Work) -> bool:
        return False

    def close(self, *, wait: bool) -> None:
        return None

    def occupancy(self) -> tuple[int, int | None]:
        return 0, 1
