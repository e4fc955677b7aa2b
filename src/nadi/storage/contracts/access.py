"""Users, keys, sessions, the audit log, answers that were given once, and which runs were recorded from afar."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable

from nadi.model.access import ApiKey, AuditEntry, Role, Session, User

#: The most sessions that one user has at once; one more ends the oldest.
MOST_SESSIONS = 100


class AccessTable(ABC):
    """Who may come in, and what they changed. Part of a store; as thread-safe as that, with the same errors.

    Only a server on the store's own side reads it: a far store has no such table, and its server is asked instead.
    """

    # -- users --

    @abstractmethod
    def users(self) -> list[User]:
        """Return all users, by name."""

    @abstractmethod
    def user(self, name: str) -> User | None:
        """Return the user with exactly this name."""

    @abstractmethod
    def add_user(self, user: User) -> bool:
        """Keep a new user; `False` when the name is there, and nothing is changed."""

    @abstractmethod
    def change_user(
        self,
        name: str,
        *,
        role: Role | None = None,
        password: str | None = None,
        disabled: bool | None = None,
        was: str | None = None,
    ) -> User | None:
        """Change what is given of a user and leave the rest: of two who change different things, both have their way.

        A new password, unless it stands for the same one, and being disabled end all sessions of the user in the
        same transaction.

        Args:
            name: Exact name.
            role: The new role.
            password: The new hash.
            disabled: Whether it may not log in for now.
            was: Change nothing unless this is the hash that stands now; then `password` is another hash of the same
                password, and sessions stay.

        Returns:
            The user as it is now; `None` when there is none, or its hash is not `was`.
        """

    @abstractmethod
    def remove_user(self, name: str) -> bool:
        """Forget a user with all keys and sessions of theirs; `False` when there was none."""

    # -- keys --

    @abstractmethod
    def keys_of(self, user: str = "") -> list[ApiKey]:
        """Return the keys of a user, or of all for "", newest first."""

    @abstractmethod
    def key(self, id: str) -> ApiKey | None:
        """Return the key with this id."""

    @abstractmethod
    def put_key(self, key: ApiKey) -> bool:
        """Keep a new key; `False` when its id is taken or its user is not there, and nothing is changed."""

    @abstractmethod
    def note_use(self, id: str, at: float) -> None:
        """Note when a key was last taken."""

    @abstractmethod
    def remove_key(self, id: str) -> bool:
        """Forget a key; `False` when there was none."""

    # -- sessions --

    @abstractmethod
    def session(self, digest: bytes) -> Session | None:
        """Return the session whose cookie has this digest, expired or not."""

    @abstractmethod
    def put_session(self, session: Session, *, password: str, now: float) -> bool:
        """Keep a session, and forget those that have expired by `now` and all but the newest hundred of its user.

        Args:
            session: The session.
            password: Hash that was compared with at the login; not looked at for the person whose server it is.
            now: Unix seconds.

        Returns:
            `False` when the user is gone or disabled, or has another password by now; then nothing is kept.
        """

    @abstractmethod
    def note_session(self, digest: bytes, at: float) -> None:
        """Note when a session was last seen."""

    @abstractmethod
    def remove_sessions(self, *, digest: bytes = b"", user: str = "") -> int:
        """Forget one session by its digest, or all of a user; returns how many."""

    # -- audit --

    @abstractmethod
    def note(self, entry: AuditEntry) -> int:
        """Keep an entry, whose own `seq` does not count; returns its place in the order of arrival."""

    @abstractmethod
    def amend(self, seq: int, detail: bytes) -> None:
        """Give an entry another detail: how often the same was tried since; one that is forgotten stays so."""

    @abstractmethod
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
        """Return entries, newest first, only `seq` smaller than `before` when given (keyset)."""

    @abstractmethod
    def forget_audit(self, *, before: float, limit: int = 1000) -> int:
        """Forget entries from before this time, the oldest first, at most `limit`; returns how many."""

    # -- answers given once --

    @abstractmethod
    def reserve(
        self, key: str, *, request: bytes, at: float, forget_before: float
    ) -> tuple[bytes, bytes | None] | None:
        """Take an idempotency key for a request that is about to be carried out.

        Of two that ask at the same moment one gets `None` and goes on; keys from before `forget_before` are forgotten.

        Args:
            key: Whose key it is, and the key.
            request: Digest of the request.
            at: Unix seconds.
            forget_before: Unix seconds.

        Returns:
            `None` when the key is taken now; else the digest that it was taken for, and the answer, which is `None`
            while the first request has not been answered.
        """

    @abstractmethod
    def answered(self, key: str, answer: bytes | None) -> None:
        """Keep the answer for a key that was taken; `None` lets go of the key, so that it can be tried again."""

    # -- runs that were recorded from afar --

    @abstractmethod
    def note_far(self, roots: Iterable[str], *, who: str, at: float) -> None:
        """Note that somebody who need not have the database says something about root runs; before it is applied.

        The store need not have heard of the runs. Who was noted first stays. A note goes with the run's tombstone,
        which stays as long as the note is young.

        Args:
            roots: Ids of root runs.
            who: Name of the principal.
            at: Unix seconds.
        """

    @abstractmethod
    def far_recorder(self, root: str) -> str:
        """Return who recorded something of a root run from afar; "" when nobody did."""
