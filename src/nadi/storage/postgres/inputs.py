"""What runs ask of people, and what they are answered, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from nadi.model.pauses import Message, Pause, Verdict, judge_answer
from nadi.model.records import InputAsked
from nadi.storage.contracts.inputs import InputTable
from nadi.storage.named_queries import named_queries
from nadi.storage.postgres.bulk import Bulk
from nadi.storage.postgres.database import Connection, Database, execute, fetch, next_changes
from nadi.storage.postgres.keys import kept_key
from nadi.storage.table_rows import Values, asked_values, message_of, message_values, pause_of

_SQL = named_queries("postgres/inputs.sql")
_put_pauses = Bulk(_SQL["put_pauses"], "tttffbtbbtfti")
_BY_KEY = _SQL["pauses"].replace("{where}", "run = %s AND key = %s")
_OPEN = _SQL["pauses"].replace(
    "{where}", "root = ANY(%s::text[]) AND answer IS NULL AND over = 0 ORDER BY at, run, key"
)
_BY_ROOT = _SQL["pauses"].replace("{where}", "root = %s ORDER BY at, run, key")


class PostgresInputTable(InputTable):
    """See the contract."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def pause(self, run: str, key: str) -> Pause | None:
        found = self._database.fetch(_BY_KEY, (run, kept_key(key)))
        return pause_of(found[0]) if found else None

    def pauses(self, root: str) -> list[Pause]:
        return [pause_of(row) for row in self._database.fetch(_BY_ROOT, (root,))]

    def open_pauses(self, roots: Sequence[str]) -> list[Pause]:
        return [pause_of(row) for row in self._database.fetch(_OPEN, (list(roots),))]

    def overdue(self, *, now: float, limit: int = 1000) -> list[Pause]:
        return [pause_of(row) for row in self._database.fetch(_SQL["overdue"], (now, limit))]

    def answer(self, run: str, key: str, value: bytes, *, by: str, now: float) -> Verdict:
        def work(connection: Connection) -> Verdict:
            found = fetch(connection, f"{_BY_KEY} FOR UPDATE", (run, kept_key(key)))
            verdict = judge_answer(pause_of(found[0]) if found else None, now)
            if verdict is Verdict.TAKEN:
                execute(connection, _SQL["answer"], (value, by, now, run, kept_key(key)))
                next_changes(connection)
            return verdict

        return self._database.transact(work)

    def refuse(self, run: str, key: str, why: str) -> bool:
        def work(connection: Connection) -> bool:
            refused = fetch(connection, _SQL["refuse"], (why, run, kept_key(key)))
            if refused:
                next_changes(connection)
            return bool(refused)

        return self._database.transact(work)

    def send(self, message: Message) -> int:
        def work(connection: Connection) -> int:
            execute(connection, _SQL["take_turn_to_send"], (message.run,))
            (seq,) = next_changes(connection)
            execute(connection, _SQL["send"], message_values(_fit(message), seq))
            return seq

        return self._database.transact(work)

    def messages(self, run: str, keyset: str, *, after: int = 0, limit: int = 1000) -> list[Message]:
        return [
            message_of(row) for row in self._database.fetch(_SQL["messages"], (run, kept_key(keyset), after, limit))
        ]


def _fit(message: Message) -> Message:
    return msgspec.structs.replace(message, keyset=kept_key(message.keyset))


def _asked_row(one: InputAsked) -> Values:
    run, key, *rest = asked_values(one)
    return (run, kept_key(key), *rest)


def take_asked(connection: Connection, asked: Sequence[InputAsked]) -> None:
    """Keep what runs ask, within the write transaction that is open."""
    # Of two words on one pause the later one counts, and one statement takes only one.
    last = {(row[0], row[1]): row for row in map(_asked_row, asked)}
    _put_pauses.run(connection, [last[key] for key in sorted(last)])
