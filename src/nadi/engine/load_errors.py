"""What the user reads when code cannot be loaded: one sentence with the file and line of their code, not of ours."""

from __future__ import annotations

import importlib
import os
import sys
from types import TracebackType
from typing import NoReturn

from nadi.exceptions import LoadError

_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_STANDARD_LIBRARY = os.path.dirname(os.path.abspath(os.__file__)) + os.sep


def raise_told(error: BaseException, shown: str) -> NoReturn:
    """Raise the LoadError for what user code raised while it was loaded."""
    if not isinstance(error, Exception | SystemExit):
        raise error  # Ctrl-C, and the stop of a load around this one
    # A missing module is told where it is imported, if need be deep in a library; all else where the user's code is.
    at = _line_of(error.__traceback__, in_libraries=isinstance(error, ImportError))
    where = f" at {at}" if at else ""
    error.__traceback__ = _from_user_code(error.__traceback__)
    if isinstance(error, LoadError):
        raise error
    if isinstance(error, SystemExit):
        told = f"it calls sys.exit({'' if error.code is None else repr(error.code)}){where} while it is loaded."
        told += ' Move that under `if __name__ == "__main__":`.'
    elif isinstance(error, SyntaxError):
        told = syntax_told(error)
    elif isinstance(error, ModuleNotFoundError) and error.name:
        told = f"it imports {error.name!r}{where}, and there is no such module in {sys.executable}."
    elif isinstance(error, ImportError):
        told = f"an import failed{where}: {_one_line(error)}."
        if "relative import" in str(error):
            told += " A file of a package is loaded by its module name: package.module:flow."
    else:
        told = f"{type(error).__name__}{where}: {_one_line(error)}."
    raise LoadError(f"{shown} could not be loaded: {told}") from error


def syntax_told(error: SyntaxError) -> str:
    """A syntax error with its file, line and text, as the end of a sentence."""
    line = f", line {error.lineno}" if error.lineno else ""
    text = f": {error.text.strip()}" if error.text and error.text.strip() else ""
    where = f" in {error.filename}{line}" if error.filename else ""
    return f"syntax error{where}: {error.msg}{text}"


def _one_line(error: BaseException) -> str:
    try:
        return " ".join(str(error).split()).rstrip(".") or "no message"
    except Exception:
        return "no message"


def _is_ours(file: str) -> bool:
    """Whether a frame in `file` is ours or the import system's, and no help to the user."""
    return file.startswith((_HERE, "<frozen importlib", os.path.dirname(importlib.__file__)))


def _line_of(traceback: TracebackType | None, *, in_libraries: bool) -> str:
    """File and line of the innermost frame of the user's code, or with `in_libraries` of anyone's but ours."""
    at = ""
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        is_library = file.startswith(_STANDARD_LIBRARY) or f"{os.sep}site-packages{os.sep}" in file
        if not _is_ours(file) and (not is_library or in_libraries or not at):
            at = f"{file}, line {traceback.tb_lineno}"
        traceback = traceback.tb_next
    return at


def _from_user_code(traceback: TracebackType | None) -> TracebackType | None:
    while traceback is not None and _is_ours(traceback.tb_frame.f_code.co_filename):
        traceback = traceback.tb_next
    return traceback


def line_of_caller() -> str:
    """File and line of the user's call; for use by a function that a flow's method calls."""
    frame = sys._getframe(3)  # past stop_if_loading and the flow's own method
    while frame.f_back is not None and _is_ours(frame.f_code.co_filename):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}, line {frame.f_lineno}"
