"""Processes that user code forks: a copy of this one must not go on as if it were this one."""

from __future__ import annotations

import os
import sys


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
    """End the process if it was forked since `mark` was taken: the run goes on in the process that forked it.

    It ends as a program would that came to its end here: with status 1 and a traceback if an exception is under way.
    """
    if process.mark is mark:
        return
    error = sys.exc_info()[1]
    status = 0 if error is None else 1
    try:
        if isinstance(error, SystemExit):
            status = error.code if isinstance(error.code, int) else int(error.code is not None)
        elif error is not None:
            sys.excepthook(type(error), error, error.__traceback__)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)
