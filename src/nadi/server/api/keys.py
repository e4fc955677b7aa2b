"""API keys: with which programs act for a user."""

from __future__ import annotations

import msgspec

from nadi.engine.access import add_key, remove_key
from nadi.engine.shapes import KeyShape, NewKeyShape, key_shape
from nadi.exceptions import KeyNotFound, UserNotFound, ValueRefused
from nadi.model.access import KEY_TERM, Permission
from nadi.server.auditing import tell
from nadi.server.routing import Call, Routes

routes = Routes("keys")


class WhoseKeys(msgspec.Struct, frozen=True):
    """Which keys to list."""

    #: "" for those of all users.
    user: str = ""


class NewKeyOf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key to make."""

    #: What it is for, for people.
    name: str
    user: str
    #: What it may do of what its user may; empty for all of it.
    scopes: list[Permission] = []
    #: Seconds until it expires; 0 for never.
    lasts: float = KEY_TERM


@routes.add("GET", "/api/keys", Permission.ADMIN)
def list_keys(call: Call, query: WhoseKeys) -> list[KeyShape]:
    """List keys, newest first, without their secrets, which are kept nowhere."""
    return [key_shape(key) for key in call.context.store.access.keys_of(query.user)]


@routes.add(
    "POST",
    "/api/keys",
    Permission.ADMIN,
    status=201,
    errors=(UserNotFound, ValueRefused),
    audit="add_key",
    secret=True,
)
def make_key(call: Call, body: NewKeyOf) -> NewKeyShape:
    """Make a key. This answer is the only one that ever has it."""
    tell(call.request, subject=body.user)
    made = add_key(
        call.context.store.access, body.name, user=body.user, scopes=body.scopes, lasts=body.lasts, now=call.now
    )
    tell(call.request, subject=made.key.id, user=made.key.user, name=made.key.name, scopes=made.key.scopes)
    return NewKeyShape(key=made.text, about=key_shape(made.key))


@routes.add("DELETE", "/api/keys/{id}", Permission.ADMIN, errors=(KeyNotFound,), audit="remove_key")
def delete_key(call: Call, id: str) -> None:
    """Remove a key; whoever uses it is refused from the next request on."""
    remove_key(call.context.store.access, id)
