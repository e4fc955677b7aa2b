"""Users, keys, sessions, the audit log, answers given once, and runs recorded from afar, in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from threading import Lock

import msgspec

from nadi.model.access import ApiKey, AuditEntry, Role, Session, User
from nadi.storage.contracts.access import MOST_SESSIONS, AccessTable

_with = msgspec.structs.replace


class MemoryAccessTable(AccessTable):
    """See the contract.

    Args:
        usable: Gives the lock of the store, or raises when the store is closed.
    """

    def __init__(self, usable: Callable[[], Lock]) -> None:
        self._usable = usable
        self._users: dict[str, User] = {}
        self._keys: dict[str, ApiKey] = {}
        #: In the order they were made.
        self._sessions: dict[bytes, Session] = {}
        self._audit: dict[int, AuditEntry] = {}
        self._seq = 0
        #: Of each key: digest of the request, the answer, and when it was taken.
        self._answers: dict[str, tuple[bytes, bytes | None, float]] = {}
        #: Of each root run that was recorded from afar: by whom, and when that was last noted.
        self._far: dict[str, tuple[str, float]] = {}

    # -- users --

    def users(self) -> list[User]:
        with self._usable():
            return [self._users[name] for name in sorted(self._users)]

    def user(self, name: str) -> User | None:
        with self._usable():
            return self._users.get(name)

    def add_user(self, user: User) -> bool:
        with self._usable():
            return self._users.setdefault(user.name, user) is user

    def change_user(
        self,
        name: str,
        *,
        role: Role | None = None,
        password: str | None = None,
        disabled: bool | None = None,
        was: str | None = None,
    ) -> User | None:
        with self._usable():
            found = self._users.get(name)
            if found is None or (was is not None and found.password != was):
                return None
            self._users[name] = changed = _with(
                found,
                role=found.role if role is None else role,
                password=found.password if password is None else password,
                disabled=found.disabled if disabled is None else disabled,
            )
            if disabled or (password is not None and was is None):
                self._end_sessions(user=name)
            return changed

    def remove_user(self, name: str) -> bool:
        with self._usable():
            for key in [key.id for key in self._keys.values() if key.user == name]:
                del self._keys[key]
            self._end_sessions(user=name)
            return self._users.pop(name, None) is not None

    # -- keys --

    def keys_of(self, user: str = "") -> list[ApiKey]:
        with self._usable():
            found = [key for key in self._keys.values() if user in ("", key.user)]
            return sorted(found, key=lambda key: (key.created, key.id), reverse=True)

    def key(self, id: str) -> ApiKey | None:
        with self._usable():
            return self._keys.get(id)

    def put_key(self, key: ApiKey) -> bool:
        with self._usable():
            if key.user not in self._users:
                return False
            return self._keys.setdefault(key.id, key) is key

    def note_use(self, id: str, at: float) -> None:
        with self._usable():
            if id in self._keys:
                self._keys[id] = _with(self._keys[id], used=at)

    def remove_key(self, id: str) -> bool:
        with self._usable():
            return self._keys.pop(id, None) is not None

    # -- sessions --

    def session(self, digest: bytes) -> Session | None:
        with self._usable():
            return self._sessions.get(digest)

    def put_session(self, session: Session, *, password: str, now: float) -> bool:
        with self._usable():
            if session.user:
                user = self._users.get(session.user)
                if user is None or user.disabled or user.password != password:
                    return False
            for over in [one.digest for one in self._sessions.values() if one.expires <= now]:
                del self._sessions[over]
            self._sessions[session.digest] = session
            of_user = [one.digest for one in self._sessions.values() if one.user == session.user]
            for oldest in of_user[:-MOST_SESSIONS]:
                del self._sessions[oldest]
            return True

    def note_session(self, digest: bytes, at: float) -> None:
        with self._usable():
            if digest in self._sessions:
                self._sessions[digest] = _with(self._sessions[digest], used=at)

    def remove_sessions(self, *, digest: bytes = b"", user: str = "") -> int:
        with self._usable():
            return self._end_sessions(digest=digest, user=user)

    def _end_sessions(self, *, digest: bytes = b"", user: str = "") -> int:
        ended = [
            one.digest for one in self._sessions.values() if (one.digest == digest if digest else one.user == user)
        ]
        for each in ended:
            del self._sessions[each]
        return len(ended)

    # -- audit --

    def note(self, entry: AuditEntry) -> int:
        with self._usable():
            self._seq += 1
            self._audit[self._seq] = _with(entry, seq=self._seq)
            return self._seq

    def amend(self, seq: int, detail: bytes) -> None:
        with self._usable():
            if seq in self._audit:
                self._audit[seq] = _with(self._audit[seq], detail=detail)

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
        with self._usable():
            found = (
                entry
                for seq, entry in reversed(self._audit.items())
                if (not before or seq < before)
                and who in ("", entry.who)
                and action in ("", entry.action)
                and subject in ("", entry.subject)
                and entry.at >= since
            )
            return list(islice(found, limit))

    def forget_audit(self, *, before: float, limit: int = 1000) -> int:
        with self._usable():
            old = sorted((entry.at, seq) for seq, entry in self._audit.items() if entry.at < before)[:limit]
            for _, seq in old:
                del self._audit[seq]
            return len(old)

    # -- answers given once --

    def reserve(
        self, key: str, *, request: bytes, at: float, forget_before: float
    ) -> tuple[bytes, bytes | None] | None:
        with self._usable():
            for old in [each for each, (_, _, taken) in self._answers.items() if taken < forget_before]:
                del self._answers[old]
            there = self._answers.get(key)
            if there is None:
                self._answers[key] = (request, None, at)
                return None
            return there[:2]

    def answered(self, key: str, answer: bytes | None) -> None:
        with self._usable():
            if answer is None:
                self._answers.pop(key, None)
            elif key in self._answers:
                request, _, at = self._answers[key]
                self._answers[key] = (request, answer, at)

    # -- runs that were recorded from afar --

    def note_far(self, roots: Iterable[str], *, who: str, at: float) -> None:
        with self._usable():
            for root in roots:
                first, last = self._far.get(root, (who, at))
                self._far[root] = (first, max(last, at))

    def far_recorder(self, root: str) -> str:
        with self._usable():
            return self._far.get(root, ("", 0.0))[0]

    def noted_since(self, root: str, at: float) -> bool:
        """Whether a root run was noted at this time or later; for who has the store's lock."""
        return root in self._far and self._far[root][1] >= at

    def forget_far(self, root: str) -> None:
        """Forget who recorded a root run; for who has the store's lock."""
        self._far.pop(root, None)
