"""What runs ask of people, and what they are answered, in SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import apsw

from nadi.model.pauses import Message, Pause, Verdict, judge_answer
from nadi.model.records import InputAsked
from nadi.storage.contracts.inputs import InputTable
from nadi.storage.named_queries import named_queries
from nadi.storage.sqlite.bulk import Bulk
from nadi.storage.sqlite.database import Database, fetch

_SQL = named_queries("inputs.sql")
_put_pauses = Bulk(_SQL["put_pauses"], 13)
_BY_KEY = _SQL["pauses"].replace("{where}", "run = ? AND key = ?")
_BY_ROOT = _SQL["pauses"].replace("{where}", "root = ? ORDER BY at, run, key")


class SqliteInputTable(InputTable):
    """See the contract."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def pause(self, run: str, key: str) -> Pause | None:
        with self._database.read() as connection:
            return _pause(connection, run, key)

    def pauses(self, root: str) -> list[Pause]:
        with self._database.read() as connection:
            return [_pause_of(row) for row in fetch(connection, _BY_ROOT, (root,))]

    def overdue(self, *, now: float, limit: int = 1000) -> list[Pause]:
        with self._database.read() as connection:
            return [_pause_of(row) for row in fetch(connection, _SQL["overdue"], (now, limit))]

    def answer(self, run: str, key: str, value: bytes, *, by: str, now: float) -> Verdict:
        with self._database.write() as connection:
            verdict = judge_answer(_pause(connection, run, key), now)
            if verdict is Verdict.TAKEN:
                connection.execute(_SQL["answer"], (run, key, value, by, now))
                _next_change(connection)
            return verdict

    def refuse(self, run: str, key: str, why: str) -> bool:
        with self._database.write() as connection:
            refused = fetch(connection, _SQL["refuse"], (run, key, why))
            if refused:
                _next_change(connection)
            return bool(refused)

    def send(self, message: Message) -> int:
        with self._database.write() as connection:
            seq = _next_change(connection)
            values = (seq, message.root, message.run, message.keyset, message.value, message.sender, message.at)
            connection.execute(_SQL["send"], values)
            return seq

    def messages(self, run: str, keyset: str, *, after: int = 0, limit: int = 1000) -> list[Message]:
        with self._database.read() as connection:
            rows = fetch(connection, _SQL["messages"], (run, keyset, after, limit))
        return [
            Message(seq=row[0], root=row[1], run=row[2], keyset=row[3], value=row[4], sender=row[5], at=row[6])
            for row in rows
        ]


def take_asked(connection: apsw.Connection, asked: Sequence[InputAsked]) -> None:
    """Keep what runs ask, within the write transaction that is open."""
    _put_pauses.run(
        connection,
        [
            (
                one.id,
                one.key,
                one.root,
                one.at,
                one.deadline,
                one.schema,
                one.description,
                one.initial,
                *_UNANSWERED,
                int(one.over),
            )
            for one in asked
        ],
    )


_UNANSWERED = (None, "", 0.0, "")


def _pause(connection: apsw.Connection, run: str, key: str) -> Pause | None:
    found = fetch(connection, _BY_KEY, (run, key))
    return _pause_of(found[0]) if found else None


def _pause_of(row: Sequence[Any]) -> Pause:
    return Pause(
        run=row[0],
        key=row[1],
        root=row[2],
        at=row[3],
        deadline=row[4],
        schema=row[5],
        description=row[6],
        initial=row[7],
        answer=row[8],
        by=row[9],
        answered=row[10],
        refused=row[11],
        over=bool(row[12]),
    )


def _next_change(connection: apsw.Connection) -> int:
    return int(fetch(connection, _SQL["next_change"])[0][0])
