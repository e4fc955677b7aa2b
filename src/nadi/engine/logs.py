"""Logs: what user code and the engine log about a run becomes log lines of that run, and appears on the console."""

from __future__ import annotations

import builtins
import logging
import sys
import threading
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgspec

from nadi.engine.scope import Scope, current
from nadi.engine.session import LogOrigin
from nadi.exceptions import ContextError
from nadi.model.records import Counted, LogLine
from nadi.model.runs import when
from nadi.model.secrets import masker
from nadi.model.text import one_line
from nadi.model.tracebacks import format_exception

#: The logger whose records belong to runs; `nadi.engine` and `nadi.storage` speak of Nadi itself.
LOGGER = "nadi.runs"
#: Characters at which a log line is cut.
LONGEST_LINE = 64 * 1024
#: Lines a second that one task or flow may log; the rest of that second is left out, with a mark.
LINES_PER_SECOND = 5000


class RunHandler(logging.Handler):
    """Appends log records to the journal of the run that logged them; records from outside of runs pass by."""

    def __init__(self) -> None:
        super().__init__()
        self._windows: dict[str, list[int]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        origin = _origin(record)
        if origin is None:
            return
        try:
            text = _text(record)
        except Exception as error:  # a broken __str__ or format string of the user's
            text = f"(a log record from {record.pathname}:{record.lineno} could not be formatted: {error})"
        at = origin.session.now()
        if self._admit(origin, int(at)):
            _append(origin, at, record.levelno, record.name, text)

    def _admit(self, origin: LogOrigin, second: int) -> bool:
        source = origin.task or origin.flow_run
        window = self._windows.get(source)
        if window is None or window[0] != second:
            if window is not None and window[1] > LINES_PER_SECOND:
                _count_dropped(origin, window[1] - LINES_PER_SECOND)
            if len(self._windows) > 256:
                self._windows.clear()
            self._windows[source] = [second, 1]
            return True
        window[1] += 1
        if window[1] == LINES_PER_SECOND + 1:
            text = f"More than {LINES_PER_SECOND} lines in one second: the rest of this second is left out."
            _append(origin, origin.session.now(), logging.WARNING, "nadi.engine", text)
        return window[1] <= LINES_PER_SECOND

    def ended(self, origin: LogOrigin) -> None:
        """Tell what was left out of a run that logs no more."""
        window = self._windows.pop(origin.task or origin.flow_run, None)
        if window is not None and window[1] > LINES_PER_SECOND:
            _count_dropped(origin, window[1] - LINES_PER_SECOND)

    def heard_of(self, run: str) -> bool:
        """Tell whether a run has logged and not ended."""
        return run in self._windows


def _origin(record: logging.LogRecord) -> LogOrigin | None:
    marked: LogOrigin | None = getattr(record, "nadi_origin", None)
    if marked is not None:
        return marked
    scope = current.get()
    return scope.log_origin if scope is not None else None


def _append(origin: LogOrigin, at: float, level: int, logger: str, text: str) -> None:
    session = origin.session
    session.append(LogLine(session.root, session.token, at, origin.flow_run, origin.task, level, logger, text))


def _count_dropped(origin: LogOrigin, count: int) -> None:
    session = origin.session
    session.append(Counted(session.root, session.token, session.now(), origin.flow_run, "sampled log lines", count))


def _text(record: logging.LogRecord) -> str:
    text = record.getMessage()
    detail = getattr(record, "nadi_detail", "")
    if detail:
        text = f"{text}\n{detail}"
    if record.exc_info and record.exc_info[1] is not None:
        text = f"{text}\n{format_exception(record.exc_info[1])}"
    text = masker.mask(text).encode("utf-8", "backslashreplace").decode()
    if len(text) > LONGEST_LINE:
        text = f"{text[:LONGEST_LINE]}… ({len(text) - LONGEST_LINE} more characters left out)"
    return text


class ConsoleFormatter(logging.Formatter):
    """One line a record: time, level, run, message."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s | %(levelname)-7s | %(run)s | %(message)s", datefmt="%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        origin = _origin(record)
        record.run = one_line(origin.name) if origin is not None else "nadi"
        text = super().format(record)
        detail = getattr(record, "nadi_detail", "")
        return masker.mask(f"{text}\n{detail.rstrip()}" if detail else text)

    def formatException(self, ei: Any) -> str:  # logging's name
        return format_exception(ei[1]) if ei[1] is not None else ""


class JsonFormatter(logging.Formatter):
    """One JSON object a line, for programs that collect logs."""

    def format(self, record: logging.LogRecord) -> str:
        origin = _origin(record)
        line: dict[str, Any] = {
            "at": when(record.created),
            "level": record.levelname,
            "logger": record.name,
            "message": _text(record),
        }
        if origin is not None:
            line |= {"flow_run": origin.flow_run, "task_run": origin.task or None, "name": origin.name}
        return msgspec.json.encode(line).decode()


#: How log lines look on the console.
FORMATS: dict[str, type[logging.Formatter]] = {"text": ConsoleFormatter, "json": JsonFormatter}


class ConsoleHandler(logging.StreamHandler[Any]):
    """Writes to what standard error is now, so that captured and redirected streams get the lines."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)
        self.setFormatter(ConsoleFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        if logging.getLogger().handlers:
            return  # the program has its own logging, which gets the record too
        self.stream = sys.stderr
        super().emit(record)


class LogSettings(NamedTuple):
    """What is logged in this process, and in those that it starts."""

    level: str
    extra_loggers: str


in_force = LogSettings("INFO", "")
run_handler = RunHandler()
_console = ConsoleHandler()


def configure(level: str, *, console: bool, extra_loggers: str = "", log_format: str = "text") -> None:
    """Attach the handlers; calling again changes the level and the format only.

    Args:
        level: Name of the level below which nothing is logged.
        console: Whether to write to standard error too.
        extra_loggers: Names of standard loggers whose records become log lines, separated by commas.
        log_format: How they look there, one of `FORMATS`.
    """
    global in_force
    in_force = LogSettings(level, extra_loggers)
    _console.setFormatter(FORMATS[log_format]())
    runs = logging.getLogger(LOGGER)
    if run_handler not in runs.handlers:
        runs.addHandler(run_handler)
    top = logging.getLogger("nadi")
    if console and _console not in top.handlers:
        top.addHandler(_console)
    elif not console and _console in top.handlers:
        top.removeHandler(_console)
    top.setLevel(level.upper())
    for name in filter(None, (part.strip() for part in extra_loggers.split(","))):
        logger = logging.getLogger(name)
        if run_handler not in logger.handlers:
            logger.addHandler(run_handler)
        if console and _console not in logger.handlers:
            # Having a handler, its warnings reach standard error no more by Python's last resort.
            logger.addHandler(_console)
        if logger.level == logging.NOTSET:
            logger.setLevel(level.upper())


def ensure_configured(level: str, extra_loggers: str) -> None:
    """Attach the handlers where nobody did yet, showing nothing on the console."""
    if run_handler not in logging.getLogger(LOGGER).handlers:
        configure(level, console=False, extra_loggers=extra_loggers)


def show_relayed(line: LogLine, origin: LogOrigin) -> None:
    """Show on the console what a task in another process logged; it is in the journal already."""
    if _console in logging.getLogger("nadi").handlers:
        record = logging.LogRecord(line.logger, line.level, "", 0, "%s", (line.text,), None)
        record.created = line.at
        record.nadi_origin = origin
        _console.handle(record)


@contextmanager
def disable_run_logger() -> Iterator[None]:
    """Drop what run loggers are given in the body, in all threads; `get_run_logger()` works there outside of runs too.

    For calling the plain function of a flow or task: `my_task.fn()`.
    """
    logger = logging.getLogger(LOGGER)
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


class RunLogger(logging.LoggerAdapter[logging.Logger]):
    """A logger bound to one run, so that its lines belong there from whichever thread they come."""

    def __init__(self, scope: Scope | None, extra: dict[str, Any]) -> None:
        origin = scope.log_origin if scope is not None else None
        super().__init__(logging.getLogger(LOGGER), {**extra, "nadi_origin": origin})

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        kwargs["extra"] = {**(self.extra or {}), **(kwargs.get("extra") or {})}
        return msg, kwargs


def get_run_logger(context: Any = None, **extra: Any) -> RunLogger:
    """Return the logger of the flow run or task run that calls this.

    Args:
        context: Accepted for Prefect's sake and not needed.
        extra: Attributes to add to each log record.

    Raises:
        ContextError: called outside of a flow or task.
    """
    scope = current.get()
    if scope is None and not logging.getLogger(LOGGER).disabled:
        raise ContextError(
            "get_run_logger() works inside of a flow or task; elsewhere use logging.getLogger(),"
            " or call it from the flow."
        )
    return RunLogger(scope, extra)


_print: Callable[..., None] = builtins.print
_patching = threading.Lock()


def _print_or_log(
    *values: Any, sep: str | None = " ", end: str | None = "\n", file: Any = None, flush: bool = False
) -> None:
    scope = current.get()
    if scope is None or not scope.log_prints or file not in (None, sys.stdout):
        _print(*values, sep=sep, end=end, file=file, flush=flush)
        return
    text = (" " if sep is None else sep).join(str(value) for value in values)
    logging.getLogger(LOGGER).info("%s", text)


def turn_prints_into_logs() -> None:
    """Make `print` log where a running flow or task has `log_prints`; elsewhere it prints as ever."""
    with _patching:
        if builtins.print is not _print_or_log:
            builtins.print = _print_or_log
