"""Who may do what: permissions, roles, users, API keys, and who stands behind a request."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Permission(StrEnum):
    """One thing that a route may ask for."""

    #: See runs, logs, artifacts, metrics, events, assets, limits and variables.
    READ = "read"
    #: Start, cancel, resume, answer and delete runs; change variables, limits and queues; deploy, pause and remove
    #: deployments, and backfill them. Who deploys decides what code workers run, on their machines.
    OPERATE = "operate"
    #: Record runs from another process: the journal, the store's own calls, and result files. Whoever has it can
    #: make other processes of the same store load what they recorded, but none that a server launches.
    RECORD = "record"
    #: Manage users and keys, read the audit log, change retention.
    ADMIN = "admin"


class Role(StrEnum):
    """What a user may do; each may do what the one before may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


#: What each role may do.
ALLOWED: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: frozenset({Permission.READ}),
    Role.OPERATOR: frozenset({Permission.READ, Permission.OPERATE, Permission.RECORD}),
    Role.ADMIN: frozenset(Permission),
}


class How(StrEnum):
    """By what somebody is known."""

    #: Nobody is known.
    NOTHING = ""

    #: The token in the home folder: the person whose server it is.
    INSTALL = "install"
    KEY = "key"
    #: A browser's session, after a login.
    SESSION = "session"


#: Name of the person whose server it is, in answers and in the audit log; no user may take it.
OWNER = "owner"


#: Seconds that an API key is good for, unless something else is asked for.
KEY_TERM = 90 * 86400.0


class User(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may log in."""

    name: str
    role: Role
    #: Salted hash of the password (`scrypt$...`); "" for one who has only keys.
    password: str = ""
    created: float = 0.0
    #: Whether it may not log in, nor use its keys, for now.
    disabled: bool = False


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key with which a program acts for a user."""

    #: Public part, by which it is found and told.
    id: str
    #: What it is for, for people.
    name: str
    user: str
    #: SHA-256 of the secret part, which has 256 random bits and is kept nowhere.
    digest: bytes
    #: What it may do of what its user may; all of it when empty.
    scopes: tuple[Permission, ...] = ()
    created: float = 0.0
    #: Unix seconds from which on it is not taken; 0 for never.
    expires: float = 0.0
    #: When it was last taken, to the minute; 0 for never.
    used: float = 0.0


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A browser that has logged in."""

    #: SHA-256 of what its cookie holds.
    digest: bytes
    #: "" for the person whose server it is.
    user: str
    created: float
    #: Its end, however busy it is.
    expires: float
    #: When it was last seen, to the minute.
    used: float = 0.0


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who is behind a request, and what they may do."""

    #: Name for people and for the audit log.
    name: str
    how: How
    permissions: frozenset[Permission]
    #: Id of the key, when it is one.
    key: str = ""

    def may(self, wanted: Permission) -> bool:
        """Tell whether they may do this."""
        return wanted in self.permissions


#: Who asks without credentials: may do what needs no permission.
NOBODY = Principal(name="", how=How.NOTHING, permissions=frozenset())


def permissions_of(role: Role, scopes: tuple[Permission, ...] = ()) -> frozenset[Permission]:
    """Return what a key with these scopes may do for a user of this role; no scopes leave everything."""
    allowed = ALLOWED[role]
    return allowed & frozenset(scopes) if scopes else allowed


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody changed something, or tried to."""

    #: Order of arrival, given by the store.
    seq: int = 0
    at: float
    #: Name of the principal, or of the local account that gave a command; "" when nobody was known.
    who: str
    #: By what they were known; "" when they were not.
    how: str
    #: Address that the request came from; "cli" for a command on this machine.
    origin: str
    #: What was done, such as `cancel_run` or `login`.
    action: str
    #: What it was done to: an id or a name.
    subject: str = ""
    #: HTTP status of the answer; 0 for a command.
    status: int = 0
    #: JSON object: what else is worth knowing; never a secret.
    detail: bytes = b"{}"
