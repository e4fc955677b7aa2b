"""Logging in flows and tasks: loggers of the standard library, whose lines belong to the run.

What `get_run_logger()` is given, what is printed where `log_prints` is set, and what the loggers
named in NADI_EXTRA_LOGGERS are given inside of a run becomes log lines of that run. A line is cut
at 64 KiB; of more than 5,000 lines a second from one task the rest is counted and left out.
"""

from __future__ import annotations

import logging

from nadi.engine.logs import RunLogger, disable_run_logger, get_run_logger


def get_logger(name: str | None = None) -> logging.Logger:
    """Return Nadi's logger, or the one of this name below it. Its lines go to the console, not to runs."""
    if not name or name == "nadi":
        return logging.getLogger("nadi")
    return logging.getLogger(name if name.startswith("nadi.") else f"nadi.{name}")


__all__ = ["RunLogger", "disable_run_logger", "get_logger", "get_run_logger"]
