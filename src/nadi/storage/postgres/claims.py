"""Claims, requests and variables: each within one write transaction.

Whoever changes something of a root run holds the row of that run until the commit; so what is decided from it holds.
"""

from __future__ import annotations

from nadi.exceptions import ValueRefused
from nadi.model.runs import Claim, FlowRun, Request, Variable
from nadi.model.states import StateType
from nadi.model.text import shorten
from nadi.storage.claiming import left_attempt, next_claim, was_tried
from nadi.storage.named_queries import named_queries
from nadi.storage.postgres import rows
from nadi.storage.postgres.database import Connection, execute, fetch, next_changes
from nadi.storage.postgres.ending import claim_work, close_attempts
from nadi.storage.postgres.overview import note_moved

_SQL = named_queries("postgres/claims.sql")
_FLOW_RUNS = named_queries("postgres/reading.sql")["flow_runs"]
_HELD_RUN = _FLOW_RUNS.replace("{where}", "id = %s FOR UPDATE")


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
        close_attempts(connection, [rows.closed_attempt(left_attempt(found, now=now), run)])
    note_moved(connection, found, StateType.PENDING)
    (seq,) = next_changes(connection)
    values = {"run": run, "token": claim.token, "attempt": claim.attempt, "holder": holder, "now": now, "seq": seq}
    with connection.pipeline():
        execute(connection, _SQL["claim_run"], values)
        claim_work(connection, run, holder, now)
    return claim


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
