"""Log lines: the query that every route about them takes."""

from __future__ import annotations

from typing import Literal

import msgspec

from nadi.engine.log_pages import LogPage, LogsAsked, log_page
from nadi.engine.shapes import LEVELS
from nadi.model.runs import FlowRun
from nadi.server.fields import Id, Moment, Number, Text, UpTo1000, seconds
from nadi.storage.contract import Store

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
#: The number of each level, as lines bear it.
NUMBERS = {name: number for number, name in LEVELS.items()}


class TaskLogsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which log lines."""

    #: Only lines of this level and above.
    level: Level | None = None
    #: Only lines that hold this text, in any case of letters.
    text: Text = ""
    #: Only lines from this time on, and before that one.
    since: Moment | None = None
    until: Moment | None = None
    #: Only lines after the one with this number, the oldest of them first; or before one. Else the newest.
    after: Number | None = None
    before: Number | None = None
    limit: UpTo1000 = 200


class LogsQuery(TaskLogsQuery, frozen=True, kw_only=True):
    """Which log lines."""

    #: Only lines of one task run, by its id.
    task: Id = ""


def page_of(store: Store, run: FlowRun, query: TaskLogsQuery, *, task: str) -> LogPage:
    """Return a page of log lines as a query asks for it."""
    asked = LogsAsked(
        level=NUMBERS[query.level] if query.level else 0,
        task=task,
        text=query.text,
        since=seconds(query.since),
        until=seconds(query.until),
        after=query.after,
        before=query.before,
        limit=query.limit,
    )
    return log_page(store, run, asked)
