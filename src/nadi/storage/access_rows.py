"""Rows of users, keys, sessions and the audit log, the same in every database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from nadi.model.access import ApiKey, AuditEntry, Permission, Role, Session, User


def audit_where(
    mark: str, *, who: str, action: str, subject: str, since: float, before: int
) -> tuple[str, list[str | float]]:
    """Return the condition for entries, each with a place for its value marked as the database wants it.

    What is from before `since` is told by its place too, so that old entries are not looked through.
    """
    wheres = ["true"]
    values: list[str | float] = []
    for column, wanted in (("who", who), ("action", action), ("subject", subject)):
        if wanted:
            wheres.append(f"{column} = {mark}")
            values.append(wanted)
    if since:
        wheres.append(f"at >= {mark} AND seq >= (SELECT min(seq) FROM audit WHERE at >= {mark})")
        values += [since, since]
    if before:
        wheres.append(f"seq < {mark}")
        values.append(before)
    return " AND ".join(wheres), values


def user_of(row: Sequence[Any]) -> User:
    """Return the user of a row."""
    return User(name=row[0], role=Role(row[1]), password=row[2], created=row[3], disabled=bool(row[4]))


def key_values(key: ApiKey) -> tuple[Any, ...]:
    """Return the row of a key."""
    scopes = msgspec.json.encode(key.scopes).decode()
    return key.id, key.name, key.user, key.digest, scopes, key.created, key.expires, key.used


def key_of(row: Sequence[Any]) -> ApiKey:
    """Return the key of a row."""
    return ApiKey(
        id=row[0],
        name=row[1],
        user=row[2],
        digest=bytes(row[3]),
        scopes=msgspec.json.decode(row[4], type=tuple[Permission, ...]),
        created=row[5],
        expires=row[6],
        used=row[7],
    )


def session_of(row: Sequence[Any]) -> Session:
    """Return the session of a row."""
    return Session(digest=bytes(row[0]), user=row[1], created=row[2], expires=row[3], used=row[4])


def entry_values(entry: AuditEntry) -> tuple[Any, ...]:
    """Return the row of an entry, without its place."""
    return (
        entry.at,
        entry.who,
        entry.how,
        entry.origin,
        entry.action,
        entry.subject,
        entry.status,
        entry.detail,
    )


def entry_of(row: Sequence[Any]) -> AuditEntry:
    """Return the entry of a row."""
    return AuditEntry(
        seq=row[0],
        at=row[1],
        who=row[2],
        how=row[3],
        origin=row[4],
        action=row[5],
        subject=row[6],
        status=row[7],
        detail=bytes(row[8]),
    )
