"""Databases as earlier versions made them, with runs in them."""

from __future__ import annotations

from pathlib import Path

import apsw

from nadi.storage.schema import Dialect, migrations
from tests.storage.telling import T0, an_id


def old_database(path: Path, schema: int, *, runs: int = 3, holder: str = "") -> None:
    """Make a database that has only the first `schema` migrations, with finished runs; with `holder` the last runs."""
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA journal_mode = WAL")
    with connection:
        for number, name, script in migrations(Dialect.SQLITE)[:schema]:
            connection.execute(script)
            connection.execute("INSERT INTO migration VALUES (?, ?)", (number, name))
        connection.execute("INSERT INTO meta VALUES ('the-id', ?, ?, 1)", (b"k" * 32, schema))
        connection.execute("INSERT INTO change VALUES (?)", (runs,))
        for n in range(1, runs + 1):
            held = holder if n == runs else ""
            put_run(connection, an_id(n), seq=n, holder=held, state="RUNNING" if held else "COMPLETED")
    connection.close()


def put_run(connection: apsw.Connection, id: str, *, seq: int, holder: str = "", state: str = "COMPLETED") -> None:
    values = {
        "id": id,
        "root": id,
        "flow": "nightly",
        "name": f"run-{seq}",
        "attempt": 1,
        "token": 1,
        "state": state,
        "state_name": state.capitalize(),
        "tags": "[]",
        "parameters": b"{}",
        "holder": holder,
        "source": b"{}",
        "run_count": 1,
        "seen": 1,
        "seq": seq,
        **dict.fromkeys(("state_at", "created", "started", "ended"), T0),
        **dict.fromkeys(("parent", "message", "detail", "version", "description"), ""),
    }
    marks = ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO flow_run ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))
