"""Claims, ends from outside, requests and variables: each within one write transaction.

Whoever changes something of a root run holds the row of that run until the commit; so what is decided from it holds.
"""

from __future__ import annotations

from collections.abc import Sequence

from nadi.exceptions import ValueRefused
from nadi.model.runs import Claim, FlowRun, Request, Variable
from nadi.model.states import DEFAULT_NAMES, StateType
from nadi.model.text import shorten
from nadi.storage.claiming import left_attempt, next_claim, was_tried
from nadi.storage.contract import Ending
from nadi.storage.ending import counts_of_runs, counts_of_tasks, may_end
from nadi.storage.named_queries import named_queries
from nadi.storage.postgres import rows
from nadi.storage.postgres.applying import close_attempt, count_tasks
from nadi.storage.postgres.bulk import Bulk
from nadi.storage.postgres.database import Connection, execute, fetch, next_changes
from nadi.storage.postgres.overview import add_counts, note_moved

_SQL = named_queries("postgres/claims.sql")
_FLOW_RUNS = named_queries("postgres/reading.sql")["flow_runs"]
_HELD_RUN = _FLOW_RUNS.replace("{where}", "id = %s FOR UPDATE")
_HELD_RUNS = _FLOW_RUNS.replace("{where}", "id = ANY(%s) ORDER BY id FOR UPDATE")
_end_task_runs = Bulk(_SQL["end_task_runs"], "tttt")
_end_subflow_runs = Bulk(_SQL["end_subflow_runs"], "tttt")
_end_root_runs = Bulk(_SQL["end_root_runs"], "tttt")


def held_run(connection: Connection, run: str) -> FlowRun | None:
    """Return a flow run whose row is held from now on."""
    found = fetch(connection, _HELD_RUN, (run,))
    return rows.flow_run(found[0]) if found else None


def claim_run(
    connection: Connection, run: str, *, holder: str, now: float, expected_token: int | None, where: str
) -> Claim:
    """Claim a run. See `Store.claim`."""
    found = held_run(connection, run)
    claim = next_claim(found, run, expected_token=expected_token, where=where)
    assert found is not None
    if was_tried(found):
        close_attempt(connection, left_attempt(found, now=now), run)
    note_moved(connection, found, StateType.PENDING)
    (seq,) = next_changes(connection)
    values = {"run": run, "token": claim.token, "attempt": claim.attempt, "holder": holder, "now": now, "seq": seq}
    execute(connection, _SQL["claim_run"], values)
    return claim


def end_attempts(connection: Connection, endings: Sequence[Ending], *, now: float) -> list[bool]:
    """End the attempts of many root runs. See `Store.end_attempts`."""
    # In order of their ids, so that no two wait for each other.
    held = fetch(connection, _HELD_RUNS, ([one.run for one in endings],))
    roots = {run.id: run for run in map(rows.flow_run, held)}
    answers = may_end(endings, roots)
    ended = [one for one, may in zip(endings, answers, strict=True) if may]
    if not ended:
        return answers
    add_counts(connection, counts_of_runs(ended, roots, now=now))
    runs = [one.run for one in ended]
    tasks = fetch(connection, _SQL["open_task_runs"], (runs,))
    subflows = fetch(connection, _SQL["count_open_flow_runs"], (runs,))[0][0]
    moved = sum(n for *_, n in tasks)
    first = next_changes(connection, moved + subflows + len(ended))[0]
    values = [(one.run, one.state.value, one.name or DEFAULT_NAMES[one.state], one.message) for one in ended]
    if tasks:
        _end_task_runs.run(connection, values, now, now, first)
        count_tasks(connection, counts_of_tasks(ended, tasks))
    if subflows:
        _end_subflow_runs.run(connection, values, now, now, first + moved)
    _end_root_runs.run(connection, values, now, now, first + moved + subflows)
    execute(connection, "DELETE FROM request WHERE run = ANY(%s)", (runs,))
    return answers


def leave_request(connection: Connection, request: Request) -> None:
    """Leave a request for a run. See `Store.ask`."""
    values = {"run": request.run, "kind": request.kind, "at": request.at, "by": request.by}
    execute(connection, _SQL["leave_request"], values)
    next_changes(connection)


def put_variable(connection: Connection, variable: Variable, *, overwrite: bool) -> bool:
    """Keep a variable; `False` when it is there and may not be overwritten.

    Raises:
        ValueRefused: its name is too long to be found again.
    """
    if len(variable.name) > rows.LONGEST_INDEXED:
        raise ValueRefused(
            f"The name of variable {shorten(variable.name, 60)!r} has {len(variable.name):,} characters, and in"
            f" PostgreSQL {rows.LONGEST_INDEXED} are allowed. Use a shorter name."
        )
    values = (variable.name, variable.value, rows.pack_texts(variable.tags), variable.updated)
    return execute(connection, _SQL["put_variable" if overwrite else "add_variable"], values) > 0
