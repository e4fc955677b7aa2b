"""Where commands manage users and keys: in the store that is here, or at a server by its API. Both answer alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

import msgspec

from nadi.engine import access
from nadi.engine.command_audit import note_command
from nadi.engine.shapes import (
    AuditShape,
    KeyShape,
    NewKeyShape,
    UserShape,
    audit_shape,
    key_shape,
    user_shape,
)
from nadi.exceptions import KeyNotFound, NadiError, UserNotFound
from nadi.model.access import Permission, Role
from nadi.storage.contract import Store

T = TypeVar("T")

_JSON = "application/json"


class AccessDesk(ABC):
    """Users, keys and the audit log, in the JSON that commands and routes show."""

    @abstractmethod
    def users(self) -> list[UserShape]:
        """Return all users, by name."""

    @abstractmethod
    def add_user(self, name: str, *, role: Role, password: str) -> UserShape:
        """Make a user; see `nadi.engine.access.add_user`."""

    @abstractmethod
    def change_user(
        self, name: str, *, role: Role | None = None, password: str = "", disabled: bool | None = None
    ) -> UserShape:
        """Change what is given of a user."""

    @abstractmethod
    def remove_user(self, name: str) -> None:
        """Remove a user with all keys and sessions of theirs."""

    @abstractmethod
    def keys(self, *, user: str) -> list[KeyShape]:
        """Return the keys of a user, or of all for "", newest first."""

    @abstractmethod
    def add_key(self, name: str, *, user: str, scopes: Sequence[Permission], lasts: float) -> NewKeyShape:
        """Make a key; see `nadi.engine.access.add_key`."""

    @abstractmethod
    def remove_key(self, id: str) -> None:
        """Remove a key."""

    @abstractmethod
    def audit(self, *, who: str, action: str, subject: str, since: float, limit: int) -> list[AuditShape]:
        """Return entries of the audit log, newest first."""


class LocalAccess(AccessDesk):
    """In a store that is open here. What is changed goes into the audit log.

    Args:
        store: The store.
        who: Whose command it is, for the audit log.
        now: Unix seconds.
    """

    def __init__(self, store: Store, *, who: str, now: float) -> None:
        self._store = store
        self._who = who
        self._now = now
        #: What could not be kept in the audit log: a sentence each.
        self.missed: list[str] = []

    def users(self) -> list[UserShape]:
        return [user_shape(user) for user in self._store.access.users()]

    def add_user(self, name: str, *, role: Role, password: str) -> UserShape:
        made = access.add_user(self._store.access, name, role=role, password=password, now=self._now)
        self._note("add_user", name, role=role)
        return user_shape(made)

    def change_user(
        self, name: str, *, role: Role | None = None, password: str = "", disabled: bool | None = None
    ) -> UserShape:
        made = access.change_user(self._store.access, name, role=role, password=password, disabled=disabled)
        given = {"role": role, "disabled": disabled, "password": "changed" if password else None}
        self._note("change_user", name, changed={what: value for what, value in given.items() if value is not None})
        return user_shape(made)

    def remove_user(self, name: str) -> None:
        access.remove_user(self._store.access, name)
        self._note("remove_user", name)

    def keys(self, *, user: str) -> list[KeyShape]:
        return [key_shape(key) for key in self._store.access.keys_of(user)]

    def add_key(self, name: str, *, user: str, scopes: Sequence[Permission], lasts: float) -> NewKeyShape:
        made = access.add_key(self._store.access, name, user=user, scopes=scopes, lasts=lasts, now=self._now)
        self._note("add_key", made.key.id, user=user, name=made.key.name, scopes=made.key.scopes)
        return NewKeyShape(made.text, key_shape(made.key))

    def remove_key(self, id: str) -> None:
        access.remove_key(self._store.access, id)
        self._note("remove_key", id)

    def audit(self, *, who: str, action: str, subject: str, since: float, limit: int) -> list[AuditShape]:
        found = self._store.access.audit(who=who, action=action, subject=subject, since=since, limit=limit)
        return [audit_shape(entry) for entry in found]

    def _note(self, action: str, subject: str, **detail: Any) -> None:
        missed = note_command(self._store, action, subject, who=self._who, now=self._now, **detail)
        if missed:
            self.missed.append(missed)


class Asking(Protocol):
    """What speaks to a server: `nadi.storage.http.client.Client`."""

    def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        content_type: str = "",
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        again: bool = True,
    ) -> Any:
        """Ask, and return a good answer with its `body`."""


class FarAccess(AccessDesk):
    """At a server, by its API; it keeps the audit log.

    Args:
        client: Speaks to it.
        page: Entries of the audit log to ask for at once; a server gives no more than a thousand.
    """

    def __init__(self, client: Asking, *, page: int = 1000) -> None:
        self._client = client
        self._page = page

    def users(self) -> list[UserShape]:
        return self._ask("GET", "/api/users", list[UserShape])

    def add_user(self, name: str, *, role: Role, password: str) -> UserShape:
        return self._ask("POST", "/api/users", UserShape, {"name": name, "role": role, "password": password})

    def change_user(
        self, name: str, *, role: Role | None = None, password: str = "", disabled: bool | None = None
    ) -> UserShape:
        given = {"role": role, "password": password or None, "disabled": disabled}
        changes = {what: value for what, value in given.items() if value is not None}
        return self._ask("PATCH", f"/api/users/{_part(name, UserNotFound)}", UserShape, changes)

    def remove_user(self, name: str) -> None:
        self._send("DELETE", f"/api/users/{_part(name, UserNotFound)}")

    def keys(self, *, user: str) -> list[KeyShape]:
        return self._ask("GET", "/api/keys", list[KeyShape], query={"user": user})

    def add_key(self, name: str, *, user: str, scopes: Sequence[Permission], lasts: float) -> NewKeyShape:
        body = {"name": name, "user": user, "scopes": scopes, "lasts": lasts}
        return self._ask("POST", "/api/keys", NewKeyShape, body)

    def remove_key(self, id: str) -> None:
        self._send("DELETE", f"/api/keys/{_part(id, KeyNotFound)}")

    def audit(self, *, who: str, action: str, subject: str, since: float, limit: int) -> list[AuditShape]:
        query = {"who": who, "action": action, "subject": subject}
        if since:
            query["since"] = datetime.fromtimestamp(since, UTC).isoformat().replace("+00:00", "Z")
        found: list[AuditShape] = []
        while len(found) < limit:
            if found:
                query["before"] = str(found[-1].seq)
            query["limit"] = str(min(self._page, limit - len(found)))
            page = self._ask("GET", "/api/audit", list[AuditShape], query=query)
            found += page
            if len(page) < int(query["limit"]):
                break
        return found

    def _ask(
        self, method: str, path: str, kind: type[T], body: Any = None, query: Mapping[str, str] | None = None
    ) -> T:
        return msgspec.json.decode(self._send(method, path, body, query), type=kind)

    def _send(self, method: str, path: str, body: Any = None, query: Mapping[str, str] | None = None) -> bytes:
        answer = self._client.request(
            method,
            path,
            body=None if body is None else msgspec.json.encode(body),
            content_type=_JSON,
            headers={"Accept": _JSON},
            query=query,
            # Made twice is one user or key too many; the other calls may be repeated.
            again=method != "POST",
        )
        return bytes(answer.body)


def _part(text: str, missing: type[NadiError]) -> str:
    """Return what a person gave as one part of a path, or raise that there is none such: no name is like that."""
    if not text or "/" in text:
        raise missing(text)
    return text
