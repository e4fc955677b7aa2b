"""Exceptions as text: the user's frames, not ours; no local variables, no secrets, bounded in size."""

from __future__ import annotations

import os
from collections.abc import Iterable
from types import FrameType, TracebackType
from typing import TYPE_CHECKING

from nadi.exceptions import NadiError, RunError
from nadi.model.scripts import without_script_names
from nadi.model.secrets import mask
from nadi.model.signals import signal_behind
from nadi.model.text import shorten

if TYPE_CHECKING:
    from traceback import TracebackException

#: The most bytes of UTF-8 that a formatted exception has; more is cut out of its middle.
LONGEST_TRACEBACK = 32 * 1024

#: The most characters that `summarise` gives.
LONGEST_SUMMARY = 300

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_STDLIB = os.path.dirname(os.path.abspath(os.__file__)) + os.sep

#: What stands between our frames and the user's: pools, threads, event loops and the import system.
_MACHINERY = (
    *(os.path.join(_STDLIB, part) for part in ("concurrent", "asyncio", "multiprocessing", "importlib")),
    *(os.path.join(_STDLIB, f"{module}.py") for module in ("threading", "contextlib", "runpy")),
    "<frozen importlib",
    "<frozen runpy",
)


def format_exception(exc: BaseException) -> str:
    """The traceback of `exc` as Python prints it, as far as it is of use to who wrote the flow.

    Frames of Nadi are left out, and so are those of thread pools, event loops and the import
    system where they follow one of Nadi's or come first. Where nothing would be left, all frames
    stay, except for a `NadiError`: its sentence says it all. Causes, contexts, groups and notes are
    kept, each treated the same way; of a task that failed by a signal only the signal is. Values of
    variables are never shown, known secrets are masked, and the text has at most 32 KiB of UTF-8, cut
    in the middle: who raised and who called stay.

    It does not raise, whatever the `__str__` of the exception does.
    """
    from traceback import TracebackException  # reads source files: only when something failed

    if exc.__traceback__ is None:  # it was never raised: it stands for the signal that was
        exc = signal_behind(exc) or exc
    try:
        told = TracebackException.from_exception(exc, compact=True)
        _hide_our_frames(told, exc)
        text = without_script_names("".join(told.format()))
    except Exception as error:
        text = f"{_name(exc)}: (its traceback cannot be shown: {type(error).__name__})\n"
    return _cut_middle(mask(text), LONGEST_TRACEBACK)


def summarise(exc: BaseException) -> str:
    """One line of at most 300 characters: `ValueError: bad rows (train.py:41 in fit)`.

    The place is the innermost one in the user's own code, or else in a library; it is left out
    when there is neither. The message is cut before the place is.
    """
    if isinstance(exc, RunError):
        # Ours, about a run: its sentence says what happened, and where is no place in the user's code.
        return _encodable(shorten(" ".join(mask(_message(exc)).split()), LONGEST_SUMMARY))
    place = _place(exc.__traceback__)
    where = f" ({shorten(place, LONGEST_SUMMARY // 2)})" if place else ""
    name, message = _name(exc), " ".join(mask(_message(exc)).split())
    what = f"{name}: {message}" if message else name
    return _encodable(shorten(what, LONGEST_SUMMARY - len(where)) + where)


def detail_of(exc: BaseException) -> str:
    """The traceback as people want it beside the summary; "" for errors of ours about a run, which have none of use."""
    return "" if isinstance(exc, RunError) and exc.__cause__ is None else format_exception(exc)


def _hide_our_frames(told: TracebackException, exc: BaseException) -> None:
    # A list and not a recursion: a retry loop may have chained thousands of exceptions. It ends,
    # because a TracebackException follows circles of causes only once.
    waiting: list[tuple[TracebackException | None, BaseException | None]] = [(told, exc)]
    while waiting:
        one, error = waiting.pop()
        if one is None or error is None:
            continue
        kept = [frame for frame, shown in zip(one.stack, _shown(f.filename for f in one.stack), strict=True) if shown]
        if kept or isinstance(error, NadiError):
            one.stack[:] = kept
        if isinstance(error, NadiError) and _is_ours(one.__cause__):
            one.__cause__ = None  # its reason stands in the sentence
        waiting += [(one.__cause__, error.__cause__), (one.__context__, error.__context__)]
        if isinstance(error, BaseExceptionGroup):
            waiting += zip(one.exceptions or (), error.exceptions, strict=False)


def _is_ours(cause: TracebackException | None) -> bool:
    """Whether an exception came about among our frames alone, and from no other one."""
    if cause is None or cause.__cause__ is not None or cause.__context__ is not None:
        return False
    return not any(_shown(frame.filename for frame in cause.stack))


def _shown(filenames: Iterable[str]) -> list[bool]:
    """Which of the frames, outermost first, belong to the user or to what the user called."""
    shown: list[bool] = []
    hidden = True
    for filename in filenames:
        hidden = filename.startswith(_OURS) or (hidden and filename.startswith(_MACHINERY))
        shown.append(not hidden)
    return shown


def _place(traceback: TracebackType | None) -> str:
    frames: list[tuple[FrameType, int]] = []
    while traceback is not None:
        frames.append((traceback.tb_frame, traceback.tb_lineno))
        traceback = traceback.tb_next
    shown = _shown(frame.f_code.co_filename for frame, _ in frames)
    left = [place for place, keep in zip(frames, shown, strict=True) if keep]
    own = [(frame, line) for frame, line in left if not _is_library(frame.f_code.co_filename)]
    for frame, line in reversed(own or left):
        return f"{os.path.basename(frame.f_code.co_filename)}:{line} in {frame.f_code.co_name}"
    return ""


def _is_library(filename: str) -> bool:
    return filename.startswith((_STDLIB, "<frozen ")) or "site-packages" in filename or "dist-packages" in filename


def _name(exc: BaseException) -> str:
    return type(exc).__name__


def _message(exc: BaseException) -> str:
    try:
        return str(exc)
    except Exception as error:
        return f"(its message cannot be shown: __str__ raised {type(error).__name__})"


def _encodable(text: str) -> str:
    # A lone surrogate (a file name that is not UTF-8) would be refused by journal and store.
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _cut_middle(text: str, limit: int) -> str:
    raw = text.encode("utf-8", "backslashreplace")
    if len(raw) <= limit:
        return raw.decode()
    half = (limit - 60) // 2
    missing = len(raw) - 2 * half
    return (
        f"{raw[:half].decode(errors='ignore')}\n... {missing:,} bytes left out here ...\n"
        f"{raw[-half:].decode(errors='ignore')}"
    )
