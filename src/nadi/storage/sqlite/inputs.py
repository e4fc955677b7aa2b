"""What runs ask of people, and what they are answered, in SQLite."""

from __future__ import annotations

from collections.abc import Sequence

import apsw

from nadi.model.pauses import Message, Pause, Verdict, judge_answer
from nadi.model.records import InputAsked
from nadi.storage.contracts.inputs import InputTable
from nadi.storage.named_queries import named_queries
from nadi.storage.run_rows import pack_texts
from nadi.storage.sqlite.bulk import Bulk
from nadi.storage.sqlite.database import Database, fetch
from nadi.storage.table_rows import asked_values, message_of, message_values, pause_of

_SQL = named_queries("inputs.sql")
_put_pauses = Bulk(_SQL["put_pauses"], 13)
_BY_KEY = _SQL["pauses"].replace("{where}", "run = ? AND key = ?")
_OPEN = _SQL["pauses"].replace(
    "{where}", "root IN (SELECT value FROM json_each(?)) AND answer IS NULL AND over = 0 ORDER BY at, run, key"
)
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
            return [pause_of(row) for row in fetch(connection, _BY_ROOT, (root,))]

    def open_pauses(self, roots: Sequence[str]) -> list[Pause]:
        with self._database.read() as connection:
            return [pause_of(row) for row in fetch(connection, _OPEN, (pack_texts(list(roots)),))]

    def overdue(self, *, now: float, limit: int = 1000) -> list[Pause]:
        with self._database.read() as connection:
            return [pause_of(row) for row in fetch(connection, _SQL["overdue"], (now, limit))]

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
            connection.execute(_SQL["send"], message_values(message, seq))
            return seq

    def messages(self, run: str, keyset: str, *, after: int = 0, limit: int = 1000) -> list[Message]:
        with self._database.read() as connection:
            return [message_of(row) for row in fetch(connection, _SQL["messages"], (run, keyset, after, limit))]


def take_asked(connection: apsw.Connection, asked: Sequence[InputAsked]) -> None:
    """Keep what runs ask, within the write transaction that is open."""
    _put_pauses.run(connection, [asked_values(one) for one in asked])


def _pause(connection: apsw.Connection, run: str, key: str) -> Pause | None:
    found = fetch(connection, _BY_KEY, (run, key))
    return pause_of(found[0]) if found else None


def _next_change(connection: apsw.Connection) -> int:
    return int(fetch(connection, _SQL["next_change"])[0][0])
