"""How the process of a run ended, and what that says of the run."""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING

from nadi.storage.printed import end_of, last_line
from nadi.workers.contract import Ended, Exceeded

if TYPE_CHECKING:
    from pathlib import Path

#: Exit status: the run completed or was suspended; it ended otherwise.
COMPLETED, ENDED = 0, 1
#: The run was not as its worker had seen it, and was left alone; the store could not be reached.
NOT_OURS, NO_STORE = 75, 69


def told_status(status: int) -> str:
    """Return an exit status for people: `status 3`, or `SIGKILL`."""
    if status >= 0:
        return f"status {status}"
    with contextlib.suppress(ValueError):
        return signal.Signals(-status).name
    return f"signal {-status}"


def told_end(ended: Ended, output: Path, exceeded: Exceeded | None) -> str:
    """Return why a run has crashed whose process ended without ending it, as sentences.

    Args:
        ended: How it ended.
        output: The file with what it printed.
        exceeded: Which limit it went beyond, if that is why it was ended.
    """
    if exceeded is not None:
        return f"{exceeded.told}, so it was ended."
    if ended.why:
        return ended.why
    how = f"was ended by {told_status(ended.status)}" if ended.status and ended.status < 0 else "ended"
    if ended.status is not None and ended.status >= 0:
        how += f" with {told_status(ended.status)}"
    if ended.status == -getattr(signal, "SIGXCPU", 0):
        how += ", having used up its processor time"
    printed = last_line(end_of(output))
    return f"Its process {how}. Last line of its output: {printed}"
