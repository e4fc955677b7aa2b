"""Processes that user code forks: a copy of this one must not go on as if it were this one."""

from __future__ import annotations

import os


class _Process:
    """Names this process: its mark is another object in each process that is forked from it."""

    __slots__ = ("mark",)

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        self.mark = object()


#: Compared by the identity of its mark, which costs less than asking the system for the process id.
process = _Process()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=process.renew)


def end_if_forked(mark: object) -> None:
    """End the process if it was forked since `mark` was taken: the run goes on in the process that forked it."""
    if process.mark is not mark:
        os._exit(0)
