"""Ends of root runs in SQLite: from outside, and what follows for their work. All within a write transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count

import apsw

from nadi.model.runs import FlowRun
from nadi.model.states import DEFAULT_NAMES, StateType
from nadi.model.work import Work
from nadi.storage import run_rows as rows
from nadi.storage.claiming import crashed_attempt
from nadi.storage.contract import Ending
from nadi.storage.crashes import AWAITING_RESUME, DEAD_LETTERED, Awaiting, DeadLetter, after_crash, counts_of_resumes
from nadi.storage.ending import counts_of_runs, counts_of_tasks, may_end
from nadi.storage.fold import FlowRow, ends_requests
from nadi.storage.named_queries import named_queries
from nadi.storage.sqlite.bulk import Bulk
from nadi.storage.sqlite.database import fetch
from nadi.storage.sqlite.overview import add_counts
from nadi.storage.work_rows import ENDED, OPEN, WORK_COLUMNS, work_of

_APPLY = named_queries("apply.sql")
_CLAIMS = named_queries("claims.sql")
_READING = named_queries("reading.sql")
_WORK = named_queries("work.sql")
close_attempts = Bulk(_APPLY["close_attempts"], 10)
count_tasks = Bulk(_APPLY["count_tasks"], 4)

_WORK_OF_RUNS = (
    _WORK["work"]
    .replace("{columns}", WORK_COLUMNS)
    .replace("{index}", "")
    .replace("{where}", "run IN (SELECT value FROM json_each(?)) AND open > 0")
)
_RUNS = _READING["flow_runs"].replace("{where}", "id IN (SELECT value FROM json_each(?))")


def next_change(connection: apsw.Connection, n: int = 1) -> int:
    """Take `n` change numbers and return the last of them."""
    return int(fetch(connection, _CLAIMS["next_change"], (n,))[0][0])


def end_attempts(connection: apsw.Connection, endings: Sequence[Ending], now: float) -> list[bool]:
    """See `Store.end_attempts`."""
    roots = _flow_runs(connection, [one.run for one in endings])
    answers = may_end(endings, roots)
    ended = [one for one, may in zip(endings, answers, strict=True) if may]
    if not ended:
        return answers
    add_counts(connection, counts_of_runs(ended, roots, now=now))
    _end_below(connection, ended, now)
    first = next_change(connection, len(ended)) - len(ended) + 1
    connection.execute(_CLAIMS["end_root_runs"], (_packed(ended), now, first))
    crashed = [one.run for one in ended if one.state is StateType.CRASHED]
    waiting = _follow_crashes(connection, crashed) if crashed else set()
    _close(connection, [one.run for one in ended if one.run not in waiting])
    return answers


def settle_roots(connection: apsw.Connection, moved: Sequence[FlowRow]) -> None:
    """Carry out what follows from where a batch has moved runs; when they are written, and the change number is set."""
    roots = [row for row in moved if row.id == row.root and ends_requests(row)]
    if not roots:
        return
    crashed = [row.id for row in roots if row.state is StateType.CRASHED]
    waiting = _follow_crashes(connection, crashed) if crashed else set()
    _close(connection, [row.id for row in roots if row.state is not StateType.PAUSED and row.id not in waiting])
    suspended = [row.id for row in roots if row.state is StateType.PAUSED]
    if suspended:
        connection.execute(_WORK["suspend"], (rows.pack_texts(suspended),))
        connection.execute(_CLAIMS["end_requests"], (rows.pack_texts(suspended),))


def cancel_waiting(
    connection: apsw.Connection, message: str, now: float, *, deployment: str = "", backfill: str = ""
) -> None:
    """Cancel the runs of a deployment, or of a backfill, that wait for a worker."""
    index, where = "work_open", "work.open > 0 AND work.deployment = ?"
    if backfill:
        index, where = "work_backfill", "work.backfill <> '' AND work.backfill = ?"
    sql = _WORK["waiting"].replace("{index}", f"INDEXED BY {index}").replace("{where}", where)
    waiting = fetch(connection, sql, (backfill or deployment,))
    end_attempts(connection, [Ending(run, token, StateType.CANCELLED, message) for run, token in waiting], now)


def claim_work(connection: apsw.Connection, run: str, holder: str, now: float) -> None:
    """Note who has the work of a run that was claimed."""
    connection.execute(_WORK["claimed"], (run, holder, now))


def _close(connection: apsw.Connection, runs: Sequence[str]) -> None:
    """Close the work of runs that have ended for good; what was asked of them ends with it."""
    if runs:
        packed = rows.pack_texts(list(runs))
        connection.execute(_WORK["close"], (packed,))
        connection.execute(_CLAIMS["end_requests"], (packed,))


def _follow_crashes(connection: apsw.Connection, runs: Sequence[str]) -> set[str]:
    """Decide what follows for root runs that stand as CRASHED now; returns those that are taken up again."""
    packed = rows.pack_texts(list(runs))
    open_work = [work_of(row) for row in fetch(connection, _WORK_OF_RUNS, (packed,))]
    if not open_work:
        return set()
    packed = rows.pack_texts([work.run for work in open_work])
    finished = dict(fetch(connection, _WORK["finished_tasks"], (packed,)))
    found = _flow_runs(connection, [work.run for work in open_work])
    awaiting, given_up = list[tuple[FlowRun, str]](), list[tuple[FlowRun, str]]()
    for work in open_work:
        run = found[work.run]
        follows = after_crash(work, why=run.message, finished=finished.get(run.id, 0), now=run.ended)
        connection.execute(_WORK["crash"], _crash_values(follows.work))
        if isinstance(follows, Awaiting):
            awaiting.append((run, follows.message))
        elif isinstance(follows, DeadLetter):
            given_up.append((run, follows.message))
    seqs = count(next_change(connection, len(given_up)) - len(given_up) + 1)
    letters = ((run.id, DEAD_LETTERED, message, next(seqs)) for run, message in given_up)
    connection.executemany(_WORK["dead_letter"], letters)
    if awaiting:
        _await_resume(connection, awaiting)
    return {run.id for run, _ in awaiting}


def _await_resume(connection: apsw.Connection, crashed: Sequence[tuple[FlowRun, str]]) -> None:
    """Make crashed root runs wait to be taken up again, each with what it says of that."""
    runs = [run for run, _ in crashed]
    # What a process itself said of its end may have left open what is below.
    endings = [Ending(run.id, run.token, StateType.CRASHED, run.message) for run in runs]
    _end_below(connection, endings, max(run.ended for run in runs))
    add_counts(connection, counts_of_resumes(runs))
    close_attempts.run(connection, [rows.closed_attempt(crashed_attempt(run), run.id) for run in runs])
    seqs = count(next_change(connection, len(runs)) - len(runs) + 1)
    waiting = ((run.id, AWAITING_RESUME, message, run.ended, next(seqs)) for run, message in crashed)
    connection.executemany(_WORK["await_resume"], waiting)


def _crash_values(work: Work) -> tuple[object, ...]:
    state = OPEN if work.open else ENDED
    return (work.run, work.crashes, work.finished, work.worker, work.assigned, work.due, state)


def _end_below(connection: apsw.Connection, ended: Sequence[Ending], now: float) -> None:
    """End the open subflow runs and task runs of root runs."""
    runs, packed = rows.pack_texts([one.run for one in ended]), _packed(ended)
    tasks = fetch(connection, _CLAIMS["open_task_runs"], (runs,))
    subflows = fetch(connection, _CLAIMS["count_open_flow_runs"], (runs,))[0][0]
    moved = sum(n for *_, n in tasks)
    first = next_change(connection, moved + subflows) - moved - subflows + 1 if moved or subflows else 0
    if tasks:
        connection.execute(_CLAIMS["end_task_runs"], (packed, now, first))
        counts = counts_of_tasks(ended, tasks)
        count_tasks.run(connection, [(*key, n) for key, n in counts.items()])
    if subflows:
        connection.execute(_CLAIMS["end_subflow_runs"], (packed, now, first + moved))


def _packed(endings: Iterable[Ending]) -> str:
    return rows.pack_values(
        [(one.run, one.state, one.name or DEFAULT_NAMES[one.state], one.message) for one in endings]
    )


def _flow_runs(connection: apsw.Connection, runs: Sequence[str]) -> dict[str, FlowRun]:
    found = fetch(connection, _RUNS, (rows.pack_texts(list(runs)),))
    return {row[0]: rows.flow_run(row) for row in found}
