"""Pages of log lines: forwards from a line, backwards from a line, or the newest; by level, task, time and text."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from nadi.engine.shapes import LogShape, log_shape
from nadi.exceptions import ValueRefused
from nadi.model.runs import FlowRun, Log
from nadi.storage.contract import Store

#: Lines that one page looks at, at most, to find those that fit; and how many are read at a time.
WINDOW = 5_000
PIECE = 1_000
#: Seconds by which lines may arrive out of the order of their times: several threads and processes log into one run.
SLACK = 60.0


class LogsAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines of a run."""

    #: Only lines of this level (10 is DEBUG, 40 is ERROR) and above.
    level: int = 0
    #: Only lines of one task run, by its id.
    task: str = ""
    #: Only lines that hold this text, in any case of letters.
    text: str = ""
    #: Only lines from this time on, and before that one; Unix seconds, 0 for no bound.
    since: float = 0.0
    until: float = 0.0
    #: Only lines after, or before, the one with this number; with `after` the oldest first come first, else the
    #: newest lines are given.
    after: int | None = None
    before: int | None = None
    limit: int = 200


class LogPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some log lines, oldest first."""

    lines: list[LogShape]
    #: Give this as `after` for what comes later, also for what will only be logged.
    after: int
    #: Give this as `before` for what comes earlier; `null` when there is nothing.
    before: int | None
    #: Whether there may be more in the direction that was asked for.
    more: bool
    #: Numbers of the first and of the newest line that there are, of whatever level and text: between these two lies
    #: every line. Of the task run, where one was asked for. 0 when there is none.
    first: int
    last: int


def log_page(store: Store, run: FlowRun, asked: LogsAsked) -> LogPage:
    """Return a page of the lines of a flow run; of a root run, those of its subflows too.

    Looks at a bounded number of lines: a page may have fewer than asked for, or none, and more may follow.

    Raises:
        ValueRefused: both directions were asked for.
    """
    if asked.after is not None and asked.before is not None:
        raise ValueRefused("Lines are read after a line or before one, not both: give `after` or `before`.")
    own = "" if run.is_root else run.id
    ends = _ends(store, run.root, own, asked.task)
    if asked.after is not None:
        return _forwards(store, run.root, own, asked, asked.after, ends)
    return _backwards(store, run.root, own, asked, asked.before or 0, ends)


def _ends(store: Store, root: str, own: str, task: str) -> tuple[int, int]:
    """Return the numbers of the first and the newest line; each is one look at the end of an index."""
    first = store.logs(root, run=own, task=task, limit=1)
    last = store.last_logs(root, run=own, task=task, limit=1)
    return (first[0].seq, last[0].seq) if first and last else (0, 0)


def _forwards(store: Store, root: str, own: str, asked: LogsAsked, after: int, ends: tuple[int, int]) -> LogPage:
    def read(after: int) -> list[Log]:
        return store.logs(root, run=own, task=asked.task, level=asked.level, after=after, limit=_piece(asked))

    found, last, more = _looked(read, after, asked, backwards=False)
    before = found[0].seq if found else (after + 1 if after else None)
    return _page(found, ends, after=last, before=before, more=more)


def _backwards(store: Store, root: str, own: str, asked: LogsAsked, before: int, ends: tuple[int, int]) -> LogPage:
    newest = 0

    def read(before: int) -> list[Log]:
        nonlocal newest
        lines = store.last_logs(root, run=own, task=asked.task, level=asked.level, before=before, limit=_piece(asked))
        newest = newest or (lines[-1].seq if lines else 0)
        return lines[::-1]

    found, last, more = _looked(read, before, asked, backwards=True)
    found.reverse()
    # Whoever follows from here gets what comes after the newest line that was looked at, fitting or not.
    after = newest or max(0, before - 1)
    return _page(found, ends, after=after, before=last if more else None, more=more)


def _page(found: list[Log], ends: tuple[int, int], *, after: int, before: int | None, more: bool) -> LogPage:
    first, last = ends
    # Lines may have come since the ends were looked at.
    last = max(last, found[-1].seq if found else 0)
    lines = [log_shape(line) for line in found]
    return LogPage(lines=lines, after=after, before=before, more=more, first=first or last, last=last)


def _piece(asked: LogsAsked) -> int:
    """Return how many lines to read at a time: where every line fits, no more than are wanted."""
    return PIECE if asked.text or asked.since or asked.until else min(PIECE, asked.limit)


def _looked(
    read: Callable[[int], list[Log]], start: int, asked: LogsAsked, *, backwards: bool
) -> tuple[list[Log], int, bool]:
    """Return the lines that fit, the number of the last line that was looked at, and whether more may come."""
    found: list[Log] = []
    cursor, looked = start, 0
    while looked < WINDOW:
        piece = read(cursor)
        for line in piece:
            cursor = line.seq
            if _is_past(line, asked, backwards=backwards):
                return found, cursor, False
            if _fits(line, asked):
                found.append(line)
                if len(found) == asked.limit:
                    return found, cursor, True
        looked += len(piece)
        if len(piece) < _piece(asked):
            return found, cursor, False
    return found, cursor, True


def _fits(line: Log, asked: LogsAsked) -> bool:
    return (
        (not asked.since or line.at >= asked.since)
        and (not asked.until or line.at < asked.until)
        and (not asked.text or asked.text.lower() in line.text.lower())
    )


def _is_past(line: Log, asked: LogsAsked, *, backwards: bool) -> bool:
    """Tell whether nothing beyond this line can lie in the range of times."""
    if backwards:
        return bool(asked.since) and line.at < asked.since - SLACK
    return bool(asked.until) and line.at > asked.until + SLACK
