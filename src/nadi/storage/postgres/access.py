"""Users, keys, sessions, the audit log, answers given once, and runs recorded from afar, in PostgreSQL.

What belongs to an account is written while its row is locked (FOR SHARE), and removing an account begins with that
row: so nothing is left of an account that goes at the same moment.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nadi.model.access import ApiKey, AuditEntry, Role, Session, User
from nadi.storage.access_rows import (
    audit_where,
    entry_of,
    entry_values,
    key_of,
    key_values,
    session_of,
    user_of,
)
from nadi.storage.contracts.access import MOST_SESSIONS, AccessTable
from nadi.storage.named_queries import named_queries
from nadi.storage.postgres.database import Connection, Database, execute, fetch

_SQL = named_queries("postgres/access.sql")


class PostgresAccessTable(AccessTable):
    """See the contract."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- users --

    def users(self) -> list[User]:
        return [user_of(row) for row in self._database.fetch(_SQL["users"].replace("{where}", "true"))]

    def user(self, name: str) -> User | None:
        found = self._database.fetch(_SQL["users"].replace("{where}", "name = %s"), (name,))
        return user_of(found[0]) if found else None

    def add_user(self, user: User) -> bool:
        values = (user.name, str(user.role), user.password, user.created, int(user.disabled))
        return bool(self._write("add_user", values))

    def change_user(
        self,
        name: str,
        *,
        role: Role | None = None,
        password: str | None = None,
        disabled: bool | None = None,
        was: str | None = None,
    ) -> User | None:
        values = {
            "name": name,
            "role": None if role is None else str(role),
            "password": password,
            "disabled": None if disabled is None else int(disabled),
            "was": was,
        }

        def change(connection: Connection) -> User | None:
            found = fetch(connection, _SQL["change_user"], values)
            if found and (disabled or (password is not None and was is None)):
                execute(connection, _SQL["end_sessions_of"], (name,))
            return user_of(found[0]) if found else None

        return self._database.transact(change)

    def remove_user(self, name: str) -> bool:
        def remove(connection: Connection) -> bool:
            there = fetch(connection, _SQL["remove_user"], (name,))
            execute(connection, _SQL["remove_keys_of"], (name,))
            execute(connection, _SQL["end_sessions_of"], (name,))
            return bool(there)

        return self._database.transact(remove)

    # -- keys --

    def keys_of(self, user: str = "") -> list[ApiKey]:
        where, values = ("account = %s", (user,)) if user else ("true", ())
        return [key_of(row) for row in self._database.fetch(_SQL["keys"].replace("{where}", where), values)]

    def key(self, id: str) -> ApiKey | None:
        found = self._database.fetch(_SQL["keys"].replace("{where}", "id = %s"), (id,))
        return key_of(found[0]) if found else None

    def put_key(self, key: ApiKey) -> bool:
        return bool(self._write("put_key", (*key_values(key), key.user)))

    def note_use(self, id: str, at: float) -> None:
        self._do("note_use", (at, id))

    def remove_key(self, id: str) -> bool:
        return bool(self._write("remove_key", (id,)))

    # -- sessions --

    def session(self, digest: bytes) -> Session | None:
        found = self._database.fetch(_SQL["session"], (digest,))
        return session_of(found[0]) if found else None

    def put_session(self, session: Session, *, password: str, now: float) -> bool:
        def put(connection: Connection) -> bool:
            if session.user and not fetch(connection, _SQL["may_log_in"], (session.user, password)):
                return False
            execute(connection, _SQL["forget_sessions"], (now,))
            values = (session.digest, session.user, session.created, session.expires, session.used)
            execute(connection, _SQL["put_session"], values)
            execute(connection, _SQL["end_oldest_sessions"], (session.user, MOST_SESSIONS))
            return True

        return self._database.transact(put)

    def note_session(self, digest: bytes, at: float) -> None:
        self._do("note_session", (at, digest))

    def remove_sessions(self, *, digest: bytes = b"", user: str = "") -> int:
        if digest:
            return len(self._write("end_session", (digest,)))
        return len(self._write("end_sessions_of", (user,)))

    # -- audit --

    def note(self, entry: AuditEntry) -> int:
        return int(self._write("note", entry_values(entry))[0][0])

    def amend(self, seq: int, detail: bytes) -> None:
        self._do("amend", (detail, seq))

    def audit(
        self,
        *,
        who: str = "",
        action: str = "",
        subject: str = "",
        since: float = 0.0,
        before: int = 0,
        limit: int = 100,
    ) -> list[AuditEntry]:
        where, values = audit_where("%s", who=who, action=action, subject=subject, since=since, before=before)
        return [
            entry_of(row) for row in self._database.fetch(_SQL["audit"].replace("{where}", where), (*values, limit))
        ]

    def forget_audit(self, *, before: float, limit: int = 1000) -> int:
        return len(self._write("forget_audit", (before, limit)))

    # -- answers given once --

    def reserve(
        self, key: str, *, request: bytes, at: float, forget_before: float
    ) -> tuple[bytes, bytes | None] | None:
        def take(connection: Connection) -> tuple[bytes, bytes | None] | None:
            execute(connection, _SQL["forget_answers"], (forget_before,))
            while not fetch(connection, _SQL["take_answer_key"], (key, request, at)):
                # Who had it may let go of it just now; then it is to be had again.
                for of, answer in fetch(connection, _SQL["given_answer"], (key,)):
                    return bytes(of), None if answer is None else bytes(answer)
            return None

        return self._database.transact(take)

    def answered(self, key: str, answer: bytes | None) -> None:
        if answer is None:
            self._do("forget_answer", (key,))
        else:
            self._do("keep_answer", (answer, key))

    # -- runs that were recorded from afar --

    def note_far(self, roots: Iterable[str], *, who: str, at: float) -> None:
        self._do("note_far", (who, at, list(set(roots))))

    def far_recorder(self, root: str) -> str:
        found = self._database.fetch(_SQL["far_recorder"], (root,))
        return str(found[0][0]) if found else ""

    def _write(self, name: str, values: tuple[Any, ...]) -> list[Any]:
        """Carry out one statement in a transaction of its own, and return the rows that it gives."""
        return self._database.transact(lambda connection: fetch(connection, _SQL[name], values))

    def _do(self, name: str, values: tuple[Any, ...]) -> None:
        """Carry out one statement that gives no rows."""
        self._database.transact(lambda connection: execute(connection, _SQL[name], values))
