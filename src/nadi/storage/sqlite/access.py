"""Users, keys, sessions, the audit log, answers given once, and runs recorded from afar, in SQLite."""

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
from nadi.storage.run_rows import pack_texts
from nadi.storage.sqlite.database import Database, fetch

_SQL = named_queries("access.sql")


class SqliteAccessTable(AccessTable):
    """See the contract."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- users --

    def users(self) -> list[User]:
        return [user_of(row) for row in self._read(_SQL["users"].replace("{where}", "true"))]

    def user(self, name: str) -> User | None:
        found = self._read(_SQL["users"].replace("{where}", "name = ?"), name)
        return user_of(found[0]) if found else None

    def add_user(self, user: User) -> bool:
        values = (user.name, user.role, user.password, user.created, int(user.disabled))
        with self._database.write() as connection:
            return bool(fetch(connection, _SQL["add_user"], values))

    def change_user(
        self,
        name: str,
        *,
        role: Role | None = None,
        password: str | None = None,
        disabled: bool | None = None,
        was: str | None = None,
    ) -> User | None:
        values = (name, role, password, None if disabled is None else int(disabled), was)
        with self._database.write() as connection:
            found = fetch(connection, _SQL["change_user"], values)
            if found and (disabled or (password is not None and was is None)):
                fetch(connection, _SQL["end_sessions_of"], (name,))
            return user_of(found[0]) if found else None

    def remove_user(self, name: str) -> bool:
        with self._database.write() as connection:
            there = fetch(connection, _SQL["remove_user"], (name,))
            connection.execute(_SQL["remove_keys_of"], (name,))
            fetch(connection, _SQL["end_sessions_of"], (name,))
            return bool(there)

    # -- keys --

    def keys_of(self, user: str = "") -> list[ApiKey]:
        where, values = ("account = ?", (user,)) if user else ("true", ())
        return [key_of(row) for row in self._read(_SQL["keys"].replace("{where}", where), *values)]

    def key(self, id: str) -> ApiKey | None:
        found = self._read(_SQL["keys"].replace("{where}", "id = ?"), id)
        return key_of(found[0]) if found else None

    def put_key(self, key: ApiKey) -> bool:
        with self._database.write() as connection:
            return bool(fetch(connection, _SQL["put_key"], key_values(key)))

    def note_use(self, id: str, at: float) -> None:
        with self._database.write() as connection:
            connection.execute(_SQL["note_use"], (id, at))

    def remove_key(self, id: str) -> bool:
        with self._database.write() as connection:
            return bool(fetch(connection, _SQL["remove_key"], (id,)))

    # -- sessions --

    def session(self, digest: bytes) -> Session | None:
        found = self._read(_SQL["session"], digest)
        return session_of(found[0]) if found else None

    def put_session(self, session: Session, *, password: str, now: float) -> bool:
        with self._database.write() as connection:
            if session.user and not fetch(connection, _SQL["may_log_in"], (session.user, password)):
                return False
            connection.execute(_SQL["forget_sessions"], (now,))
            values = (session.digest, session.user, session.created, session.expires, session.used)
            connection.execute(_SQL["put_session"], values)
            connection.execute(_SQL["end_oldest_sessions"], (session.user, MOST_SESSIONS))
            return True

    def note_session(self, digest: bytes, at: float) -> None:
        with self._database.write() as connection:
            connection.execute(_SQL["note_session"], (digest, at))

    def remove_sessions(self, *, digest: bytes = b"", user: str = "") -> int:
        with self._database.write() as connection:
            if digest:
                return len(fetch(connection, _SQL["end_session"], (digest,)))
            return len(fetch(connection, _SQL["end_sessions_of"], (user,)))

    # -- audit --

    def note(self, entry: AuditEntry) -> int:
        with self._database.write() as connection:
            return int(fetch(connection, _SQL["note"], entry_values(entry))[0][0])

    def amend(self, seq: int, detail: bytes) -> None:
        with self._database.write() as connection:
            connection.execute(_SQL["amend"], (seq, detail))

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
        where, values = audit_where("?", who=who, action=action, subject=subject, since=since, before=before)
        return [entry_of(row) for row in self._read(_SQL["audit"].replace("{where}", where), *values, limit)]

    def forget_audit(self, *, before: float, limit: int = 1000) -> int:
        with self._database.write() as connection:
            return len(fetch(connection, _SQL["forget_audit"], (before, limit)))

    # -- answers given once --

    def reserve(
        self, key: str, *, request: bytes, at: float, forget_before: float
    ) -> tuple[bytes, bytes | None] | None:
        with self._database.write() as connection:
            connection.execute(_SQL["forget_answers"], (forget_before,))
            if fetch(connection, _SQL["take_answer_key"], (key, request, at)):
                return None
            [(of, answer)] = fetch(connection, _SQL["given_answer"], (key,))
            return of, answer

    def answered(self, key: str, answer: bytes | None) -> None:
        with self._database.write() as connection:
            if answer is None:
                connection.execute(_SQL["forget_answer"], (key,))
            else:
                connection.execute(_SQL["keep_answer"], (key, answer))

    # -- runs that were recorded from afar --

    def note_far(self, roots: Iterable[str], *, who: str, at: float) -> None:
        with self._database.write() as connection:
            connection.execute(_SQL["note_far"], (pack_texts(list(roots)), who, at))

    def far_recorder(self, root: str) -> str:
        found = self._read(_SQL["far_recorder"], root)
        return str(found[0][0]) if found else ""

    def _read(self, sql: str, *values: Any) -> list[Any]:
        with self._database.read() as connection:
            return fetch(connection, sql, values)
