"""What ends a program: shown with the user's frames only, and nothing of ours between them."""

from __future__ import annotations

import sys
from types import TracebackType

from nadi.exceptions import SuspendedRun
from nadi.model.names import told_for_shell
from nadi.model.text import one_line
from nadi.model.tracebacks import format_exception

#: Set when an interrupted run can be resumed: what to type.
_hint = ""


def show_without_our_frames() -> None:
    """Show uncaught exceptions without the engine's frames, unless the program has a way of its own."""
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _show


def remember_interrupted(name: str, id: str) -> None:
    """Remember the run that an interrupt ended, for the last line of the program."""
    global _hint
    run = told_for_shell(name, id)
    _hint = f"Run {one_line(name)} was interrupted; what it finished is kept. Continue with: nadi resume {run}"


def _show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt) and _hint:
        print(_hint, file=sys.stderr)
        return
    if issubclass(kind, SuspendedRun):
        print(one_line(str(error)), file=sys.stderr)
        # Python ends by what the hook raises: the program has done its part.
        raise SystemExit(0)
    sys.stderr.write(format_exception(error).rstrip("\n") + "\n")
