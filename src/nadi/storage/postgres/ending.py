"""Ends of root runs in PostgreSQL: from outside, and what follows for their work. All within a write transaction.

Who calls any of this holds the rows of the root runs in question, and then takes those of their work.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nadi.model.runs import FlowRun
from nadi.model.states import DEFAULT_NAMES, StateType
from nadi.model.work import Work
from nadi.storage.claiming import crashed_attempt
from nadi.storage.contract import Ending
from nadi.storage.crashes import AWAITING_RESUME, DEAD_LETTERED, Awaiting, DeadLetter, after_crash, counts_of_resumes
from nadi.storage.ending import counts_of_runs, counts_of_tasks, may_end
from nadi.storage.fold import FlowRow, ends_requests
from nadi.storage.named_queries import named_queries
from nadi.storage.postgres import rows
from nadi.storage.postgres.bulk import Bulk
from nadi.storage.postgres.database import Connection, execute, fetch, next_changes
from nadi.storage.postgres.overview import add_counts
from nadi.storage.work_rows import ENDED, OPEN, WORK_COLUMNS, work_of

_CLAIMS = named_queries("postgres/claims.sql")
_WORK = named_queries("postgres/work.sql")
_WORK_OF_RUNS = (
    _WORK["work"]
    .replace("{columns}", WORK_COLUMNS)
    .replace("{where}", "run = ANY(%s::text[]) AND open <> 0 FOR UPDATE")
)
_RUNS = named_queries("postgres/reading.sql")["flow_runs"].replace("{where}", "id = ANY(%s::text[]) ORDER BY id")
_close_attempts = Bulk(named_queries("postgres/apply.sql")["close_attempts"], "tititttfft")
_count_tasks = Bulk(named_queries("postgres/apply.sql")["count_tasks"], "ttti")
_end_task_runs = Bulk(_CLAIMS["end_task_runs"], "tttt")
_end_subflow_runs = Bulk(_CLAIMS["end_subflow_runs"], "tttt")
_end_root_runs = Bulk(_CLAIMS["end_root_runs"], "tttt")
_crash = Bulk(_WORK["crash"], "tiitffi")
_await_resume = Bulk(_WORK["await_resume"], "tttfi")
_dead_letter = Bulk(_WORK["dead_letter"], "ttti")


def end_attempts(connection: Connection, endings: Sequence[Ending], *, now: float) -> list[bool]:
    """End the attempts of many root runs. See `Store.end_attempts`."""
    # In order of their ids, so that no two wait for each other.
    roots = {run.id: run for run in _flow_runs(connection, f"{_RUNS} FOR UPDATE", [one.run for one in endings])}
    answers = may_end(endings, roots)
    ended = [one for one, may in zip(endings, answers, strict=True) if may]
    if not ended:
        return answers
    add_counts(connection, counts_of_runs(ended, roots, now=now))
    _end_below(connection, ended, now)
    first = next_changes(connection, len(ended))[0]
    _end_root_runs.run(connection, _values(ended), now, now, first)
    taken_up = follow_crashes(connection, [one.run for one in ended if one.state is StateType.CRASHED])
    close_work(connection, [one.run for one in ended if one.run not in taken_up])
    return answers


def settle_roots(connection: Connection, moved: Sequence[FlowRow]) -> None:
    """Carry out what follows from where a batch has moved runs; after they are written, and their changes are told."""
    roots = [row for row in moved if row.id == row.root and ends_requests(row)]
    if not roots:
        return
    taken_up = follow_crashes(connection, [row.id for row in roots if row.state is StateType.CRASHED])
    suspended = [row.id for row in roots if row.state is StateType.PAUSED]
    close_work(connection, [row.id for row in roots if row.id not in taken_up and row.id not in suspended])
    if suspended:
        execute(connection, _WORK["suspend"], (suspended,))
        execute(connection, _CLAIMS["end_requests"], (suspended,))


def cancel_waiting(
    connection: Connection, message: str, now: float, *, deployment: str = "", backfill: str = ""
) -> None:
    """Cancel the runs of a deployment, or of a backfill, that wait for a worker."""
    where = "backfill <> '' AND backfill = %s" if backfill else "deployment = %s"
    found = fetch(connection, _WORK["waiting"].replace("{where}", where), (backfill or deployment,))
    # Whoever takes one of them meanwhile was first, and it goes on.
    held = _flow_runs(connection, f"{_RUNS} FOR UPDATE", [run for (run,) in found])
    there = fetch(connection, _WORK["hold_work"], ([run.id for run in held],))
    waiting = {run for run, state, worker in there if state == OPEN and not worker}
    cancelled = [Ending(run.id, run.token, StateType.CANCELLED, message) for run in held if run.id in waiting]
    end_attempts(connection, cancelled, now=now)


def close_attempts(connection: Connection, attempts: Sequence[tuple[rows.Values, ...]]) -> None:
    """Keep attempts of runs that are followed by other ones."""
    _close_attempts.run(connection, attempts)


def count_tasks(connection: Connection, counts: Iterable[tuple[str, str, str, int]]) -> None:
    """Add to the counts of task runs by root, flow run and state."""
    _count_tasks.run(connection, list(counts))


def close_work(connection: Connection, runs: Sequence[str]) -> None:
    """Close the work of runs that have ended for good; what was asked of them ends with it."""
    if runs:
        execute(connection, _WORK["close"], (list(runs),))
        execute(connection, _CLAIMS["end_requests"], (list(runs),))


def claim_work(connection: Connection, run: str, holder: str, now: float) -> None:
    """Note who has the work of a run that was claimed."""
    execute(connection, _WORK["claimed"], {"run": run, "holder": holder, "now": now})


def follow_crashes(connection: Connection, runs: Sequence[str]) -> set[str]:
    """Decide what follows for root runs that stand as CRASHED now; returns those that are taken up again."""
    if not runs:
        return set()
    open_work = {work.run: work for work in map(work_of, fetch(connection, _WORK_OF_RUNS, (list(runs),)))}
    if not open_work:
        return set()
    finished = dict(fetch(connection, _WORK["finished_tasks"], (list(open_work),)))
    decided = [
        (run, after_crash(open_work[run.id], why=run.message, finished=finished.get(run.id, 0), now=run.ended))
        for run in _flow_runs(connection, _RUNS, list(open_work))
    ]
    _crash.run(connection, [_crash_values(what.work) for _, what in decided])
    given_up = [(run.id, what.message) for run, what in decided if isinstance(what, DeadLetter)]
    seqs = next_changes(connection, len(given_up))
    _dead_letter.run(
        connection, [(run, DEAD_LETTERED, why, seq) for (run, why), seq in zip(given_up, seqs, strict=True)]
    )
    awaiting = [(run, what.message) for run, what in decided if isinstance(what, Awaiting)]
    _resume_later(connection, awaiting)
    return {run.id for run, _ in awaiting}


def _resume_later(connection: Connection, crashed: Sequence[tuple[FlowRun, str]]) -> None:
    """Let runs that have crashed wait to be taken up again, each with what is said of it."""
    # What a process itself said of its end may have left open what is below.
    for at in sorted({run.ended for run, _ in crashed}):
        same = [Ending(run.id, run.token, StateType.CRASHED, run.message) for run, _ in crashed if run.ended == at]
        _end_below(connection, same, at)
    if crashed:
        add_counts(connection, counts_of_resumes([run for run, _ in crashed]))
    _close_attempts.run(connection, [rows.closed_attempt(crashed_attempt(run), run.id) for run, _ in crashed])
    seqs = next_changes(connection, len(crashed))
    _await_resume.run(
        connection,
        [(run.id, AWAITING_RESUME, why, run.ended, seq) for (run, why), seq in zip(crashed, seqs, strict=True)],
    )


def _crash_values(work: Work) -> rows.Values:
    state = OPEN if work.open else ENDED
    return (work.run, work.crashes, work.finished, work.worker, work.assigned, work.due, state)


def _end_below(connection: Connection, ended: Sequence[Ending], now: float) -> None:
    """End the open subflow runs and task runs of root runs."""
    runs = [one.run for one in ended]
    tasks = fetch(connection, _CLAIMS["open_task_runs"], (runs,))
    subflows = fetch(connection, _CLAIMS["count_open_flow_runs"], (runs,))[0][0]
    moved = sum(n for *_, n in tasks)
    if moved or subflows:
        first = next_changes(connection, moved + subflows)[0]
        if tasks:
            _end_task_runs.run(connection, _values(ended), now, now, first)
            counts = counts_of_tasks(ended, tasks)
            count_tasks(connection, [(*key, n) for key, n in sorted(counts.items()) if n])
        if subflows:
            _end_subflow_runs.run(connection, _values(ended), now, now, first + moved)


def _values(endings: Iterable[Ending]) -> list[rows.Values]:
    return [(one.run, one.state.value, one.name or DEFAULT_NAMES[one.state], one.message) for one in endings]


def _flow_runs(connection: Connection, sql: str, runs: Sequence[str]) -> list[FlowRun]:
    return [rows.flow_run(row) for row in fetch(connection, sql, (list(runs),))]
